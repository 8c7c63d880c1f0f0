select day, experiment_id, outcome, variant, count(*) as times
from (select * from "__REPORTS__"."experiment_effects" where day = cast('__DAY__' as date)) dbt_subquery
group by day, experiment_id, outcome, variant
having count(*) > 1 or day is null or experiment_id is null or outcome is null or variant is null
