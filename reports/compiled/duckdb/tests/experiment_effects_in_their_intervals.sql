select *
from "__REPORTS__"."experiment_effects"
where
    day = cast('__DAY__' as date) and (
        conversions > units
        or converted_share < converted_low_share or converted_share > converted_high_share
        or difference < difference_low or difference > difference_high
        or (verdict = 'control' and difference is not null)
        or (verdict in ('too little data', 'sample ratio mismatch', 'no control') and converted_share is not null)
    )
