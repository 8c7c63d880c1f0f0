select *
from (select * from "__REPORTS__"."experiment_effects" where day = cast('__DAY__' as date)) dbt_subquery
where converted_share < 0 or converted_share > 1 or converted_low_share < 0 or converted_low_share > 1 or converted_high_share < 0 or converted_high_share > 1
