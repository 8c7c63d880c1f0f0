select *
from (select * from "__REPORTS__"."funnel_daily" where day = cast('__DAY__' as date)) dbt_subquery
where listened_share < 0 or listened_share > 1 or followed_share < 0 or followed_share > 1 or open_to_follow_share < 0 or open_to_follow_share > 1
