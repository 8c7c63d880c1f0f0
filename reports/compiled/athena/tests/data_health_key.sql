select day, table_name, count(*) as times
from (select * from "__REPORTS__"."data_health" where day = cast('__DAY__' as date)) dbt_subquery
group by day, table_name
having count(*) > 1 or day is null or table_name is null
