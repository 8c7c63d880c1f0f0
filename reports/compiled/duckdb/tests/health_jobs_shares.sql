select *
from (select * from "__REPORTS__"."health_jobs" where day = cast('__DAY__' as date)) dbt_subquery
where rejected_share < 0 or rejected_share > 1
