select day, event_type, reason_code, count(*) as times
from (select * from "__REPORTS__"."health_quarantine" where day = cast('__DAY__' as date)) dbt_subquery
group by day, event_type, reason_code
having count(*) > 1 or day is null or event_type is null or reason_code is null
