select *
from (select * from "__REPORTS__"."creator_scorecard" where day = cast('__DAY__' as date)) dbt_subquery
where listeners_on_several_days_share < 0 or listeners_on_several_days_share > 1
