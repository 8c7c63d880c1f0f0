select *
from (select * from "__REPORTS__"."show_categories" where day = cast('__DAY__' as date)) dbt_subquery
where listeners_share < 0 or listeners_share > 1 or minutes_listened_share < 0 or minutes_listened_share > 1
