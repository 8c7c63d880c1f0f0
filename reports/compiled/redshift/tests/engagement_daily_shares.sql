select *
from (select * from "__REPORTS__"."engagement_daily" where day = cast('__DAY__' as date)) dbt_subquery
where stickiness_share < 0 or stickiness_share > 1 or listening_share < 0 or listening_share > 1
