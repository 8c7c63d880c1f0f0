select day, place, count(*) as times
from (select * from "__REPORTS__"."flash_top_creators" where day = cast('__DAY__' as date)) dbt_subquery
group by day, place
having count(*) > 1 or day is null or place is null
