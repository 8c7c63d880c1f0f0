select *
from (select * from "__REPORTS__"."data_health" where day = cast('__DAY__' as date)) dbt_subquery
where late_share < 0 or late_share > 1 or rejected_share < 0 or rejected_share > 1
