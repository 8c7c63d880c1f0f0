select *
from "__REPORTS__"."retention"
where
    day = cast('__DAY__' as date) and (
        cohort_day > day
        or ((day - cohort_day) >= 1) <> (returned_day_1 is not null)
        or returned_day_1 > new_listeners
        or ((day - cohort_day) >= 7) <> (returned_day_7 is not null)
        or returned_day_7 > new_listeners
        or ((day - cohort_day) >= 28) <> (returned_day_28 is not null)
        or returned_day_28 > new_listeners
        )
