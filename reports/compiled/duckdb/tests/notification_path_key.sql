select day, kind, channel, count(*) as times
from (select * from "__REPORTS__"."notification_path" where day = cast('__DAY__' as date)) dbt_subquery
group by day, kind, channel
having count(*) > 1 or day is null or kind is null or channel is null
