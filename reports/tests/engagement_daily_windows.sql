{# Who is active on the day is so in the week, and who is in the week is in the month. #}
select *
from {{ ref("engagement_daily") }}
where day = {{ day() }} and (daily_active > weekly_active or weekly_active > monthly_active or listeners > daily_active)
