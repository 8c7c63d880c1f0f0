select day, compared_with, show_id, count(*) as times
from (select * from "__REPORTS__"."flash_movers" where day = cast('__DAY__' as date)) dbt_subquery
group by day, compared_with, show_id
having count(*) > 1 or day is null or compared_with is null or show_id is null
