select *
from "__REPORTS__"."funnel_daily"
where day = cast('__DAY__' as date) and (listened > opened or followed > listened)
