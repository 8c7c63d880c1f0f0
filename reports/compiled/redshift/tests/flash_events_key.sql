select day, event_type, count(*) as times
from (select * from "__REPORTS__"."flash_events" where day = cast('__DAY__' as date)) dbt_subquery
group by day, event_type
having count(*) > 1 or day is null or event_type is null
