select day, count(*) as times
from (select * from "__REPORTS__"."funnel_daily" where day = cast('__DAY__' as date)) dbt_subquery
group by day
having count(*) > 1 or day is null
