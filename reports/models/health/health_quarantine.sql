{# Partitions of the raw zone are projected, which Athena alone reads. #}
{{ config(enabled=target.type != "redshift") }}
select
    {{ day() }} as day,
    type as event_type,
    coalesce(reason_code, 'unknown') as reason_code,
    count(*) as records
from {{ source("raw", "quarantine") }}
where {{ arrived_on_the_day() }}
group by type, coalesce(reason_code, 'unknown')
