select *
from (select * from "__REPORTS__"."flash_movers" where day = cast('__DAY__' as date)) dbt_subquery
where minutes_listened_change_share < 0 or minutes_listened_change_share > 1 or listeners_change_share < 0 or listeners_change_share > 1
