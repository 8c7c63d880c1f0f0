select *
from (select * from "__REPORTS__"."retention" where day = cast('__DAY__' as date)) dbt_subquery
where day_1_share < 0 or day_1_share > 1 or day_7_share < 0 or day_7_share > 1 or day_28_share < 0 or day_28_share > 1
