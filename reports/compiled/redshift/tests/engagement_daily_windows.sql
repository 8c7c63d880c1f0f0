select *
from "__REPORTS__"."engagement_daily"
where day = cast('__DAY__' as date) and (daily_active > weekly_active or weekly_active > monthly_active or listeners > daily_active)
