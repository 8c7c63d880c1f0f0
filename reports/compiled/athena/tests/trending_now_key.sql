select day, as_of, show_id, count(*) as times
from (select * from "__REPORTS__"."trending_now" where day = cast('__DAY__' as date)) dbt_subquery
group by day, as_of, show_id
having count(*) > 1 or day is null or as_of is null or show_id is null
