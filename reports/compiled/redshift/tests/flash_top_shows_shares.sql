select *
from (select * from "__REPORTS__"."flash_top_shows" where day = cast('__DAY__' as date)) dbt_subquery
where minutes_listened_share < 0 or minutes_listened_share > 1
