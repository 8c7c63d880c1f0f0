select day, promotion_id, show_id, exposure, count(*) as times
from (select * from "__REPORTS__"."promotion_effects" where day = cast('__DAY__' as date)) dbt_subquery
group by day, promotion_id, show_id, exposure
having count(*) > 1 or day is null or promotion_id is null or show_id is null or exposure is null
