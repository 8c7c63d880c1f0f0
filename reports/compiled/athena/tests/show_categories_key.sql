select day, dimension, category, count(*) as times
from (select * from "__REPORTS__"."show_categories" where day = cast('__DAY__' as date)) dbt_subquery
group by day, dimension, category
having count(*) > 1 or day is null or dimension is null or category is null
