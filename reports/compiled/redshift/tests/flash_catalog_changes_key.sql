select day, show_id, changed_at, count(*) as times
from (select * from "__REPORTS__"."flash_catalog_changes" where day = cast('__DAY__' as date)) dbt_subquery
group by day, show_id, changed_at
having count(*) > 1 or day is null or show_id is null or changed_at is null
