select *
from "__REPORTS__"."notification_path"
where day = cast('__DAY__' as date) and (opened > delivered or listened > opened)
