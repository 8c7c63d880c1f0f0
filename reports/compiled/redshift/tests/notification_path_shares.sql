select *
from (select * from "__REPORTS__"."notification_path" where day = cast('__DAY__' as date)) dbt_subquery
where opened_share < 0 or opened_share > 1 or listened_share < 0 or listened_share > 1 or delivery_to_listen_share < 0 or delivery_to_listen_share > 1
