select day, cohort_day, count(*) as times
from (select * from "__REPORTS__"."retention" where day = cast('__DAY__' as date)) dbt_subquery
group by day, cohort_day
having count(*) > 1 or day is null or cohort_day is null
