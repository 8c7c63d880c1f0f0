select *
from {{ ref("funnel_daily") }}
where day = {{ day() }} and (listened > opened or followed > listened)
