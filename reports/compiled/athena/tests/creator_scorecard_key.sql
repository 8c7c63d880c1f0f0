select day, creator_key, count(*) as times
from (select * from "__REPORTS__"."creator_scorecard" where day = cast('__DAY__' as date)) dbt_subquery
group by day, creator_key
having count(*) > 1 or day is null or creator_key is null
