select
    cast(day as date) as day,
    cast(event_type as varchar) as event_type,
    cast(reason_code as varchar) as reason_code,
    cast(records as bigint) as records
from (
select
    cast('__DAY__' as date) as day,
    type as event_type,
    coalesce(reason_code, 'unknown') as reason_code,
    count(*) as records
from "__RAW__"."quarantine"
where arrival >= '__DAY__-00' and arrival <= '__DAY__-23'
group by type, coalesce(reason_code, 'unknown')
) as result
