select day, job, count(*) as times
from (select * from "__REPORTS__"."health_jobs" where day = cast('__DAY__' as date)) dbt_subquery
group by day, job
having count(*) > 1 or day is null or job is null
