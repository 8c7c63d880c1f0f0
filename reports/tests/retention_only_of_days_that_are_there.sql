select *
from {{ ref("retention") }}
where
    day = {{ day() }} and (
        cohort_day > day
        {% for days in (1, 7, 28) -%}
        or ({{ days_between("cohort_day", "day") }} >= {{ days }}) <> (returned_day_{{ days }} is not null)
        or returned_day_{{ days }} > new_listeners
        {% endfor -%}
    )
