select day, count(*) as times
from (select * from "__REPORTS__"."business_review_month" where day = cast('__DAY__' as date)) dbt_subquery
group by day
having count(*) > 1 or day is null
