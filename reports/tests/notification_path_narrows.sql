select *
from {{ ref("notification_path") }}
where day = {{ day() }} and (opened > delivered or listened > opened)
