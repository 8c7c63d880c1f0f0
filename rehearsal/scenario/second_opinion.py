"""What the lake's jobs compute, computed again in DuckDB SQL from the events tables; shares no code with the jobs.

The definitions are in docs/decisions/0019-sessions-concurrency-and-trending.md; where it can, the SQL takes another way
to the same answer than the jobs do. Moments are whole microseconds since 1970 on the way, so that no time zone of a
connection can matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

_HEARD = """
CREATE OR REPLACE VIEW opinion.heard AS
SELECT
    event_id,
    coalesce(user_key, device_key) AS listener,
    show_id,
    epoch_us(occurred_at) - least(playback_listened_ms, 43200000) * 1000 AS begins,
    epoch_us(occurred_at) AS ends,
    playback_id,
    coalesce(playback_stalls, 0) AS stalls,
    device_os,
    app_version
FROM playback_metric
WHERE playback_listened_ms > 0 AND show_id IS NOT NULL
"""

_SESSIONS = """
CREATE OR REPLACE VIEW opinion.sessions AS
WITH -- An interval opens a session when none that began before it reaches to within 30 minutes of it.
opening AS (
    SELECT DISTINCT listener, show_id, begins
    FROM opinion.heard AS late
    WHERE listener IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM opinion.heard AS early
        WHERE early.listener = late.listener AND early.show_id = late.show_id
            AND early.begins < late.begins AND early.ends >= late.begins - 1800000000
    )
),
placed AS (
    SELECT heard.*, opening.begins AS opened
    FROM opinion.heard AS heard ASOF JOIN opening
        ON heard.listener = opening.listener AND heard.show_id = opening.show_id AND heard.begins >= opening.begins
)
SELECT
    left(sha256(listener || '|' || show_id || '|' || opened), 32) AS session_key,
    listener AS listener_key,
    show_id,
    make_timestamp(opened) AS started_at,
    make_timestamp(max(ends)) AS ended_at,
    CAST(sum(ends - begins) // 1000 AS BIGINT) AS listened_ms,
    count(*) AS intervals,
    count(DISTINCT playback_id) AS playbacks,
    CAST(sum(stalls) AS BIGINT) AS stalls,
    list(device_os ORDER BY begins, ends, event_id)[1] AS device_os,
    list(app_version ORDER BY begins, ends, event_id)[1] AS app_version
FROM placed
GROUP BY listener, show_id, opened
"""

_STATISTICS = """
CREATE OR REPLACE VIEW opinion.show_statistics_daily AS
WITH pieces AS (
    SELECT
        listener,
        show_id,
        day,
        greatest(begins, day * 86400000000) AS begins,
        least(ends, (day + 1) * 86400000000) AS ends
    FROM (
        SELECT *, unnest(range(begins // 86400000000, (ends - 1) // 86400000000 + 1)) AS day FROM opinion.heard
    )
),
-- Concurrency only grows where an interval begins: it is enough to count whose intervals hold that instant.
peaks AS (
    SELECT show_id, day, max(listeners) AS peak
    FROM (
        SELECT instant.show_id, instant.day, instant.begins, count(DISTINCT other.listener) AS listeners
        FROM (SELECT DISTINCT show_id, day, begins FROM pieces WHERE listener IS NOT NULL) AS instant
        JOIN pieces AS other
            ON other.show_id = instant.show_id AND other.day = instant.day
            AND other.begins <= instant.begins AND other.ends > instant.begins
        GROUP BY ALL
    )
    GROUP BY ALL
),
counted AS (
    SELECT show_id, day, count(DISTINCT listener) AS listeners, sum(ends - begins) // 1000 AS ms, 0 AS sessions,
        0 AS likes, 0 AS calls, 0 AS messages, 0 AS follows, 0 AS votes
    FROM pieces GROUP BY ALL
    UNION ALL
    SELECT show_id, epoch_us(started_at) // 86400000000, 0, 0, count(*), 0, 0, 0, 0, 0
    FROM opinion.sessions GROUP BY ALL
    UNION ALL
    SELECT show_id, epoch_us(occurred_at) // 86400000000, 0, 0, 0, sum(greatest(coalesce(like_count, 1), 0)), 0, 0, 0, 0
    FROM "like" GROUP BY ALL
    UNION ALL
    SELECT show_id, epoch_us(occurred_at) // 86400000000, 0, 0, 0, 0, count(DISTINCT call_id), 0, 0, 0
    FROM call_in WHERE call_state = 'requested' GROUP BY ALL
    UNION ALL
    SELECT show_id, epoch_us(occurred_at) // 86400000000, 0, 0, 0, 0, 0, count(DISTINCT message_id), 0, 0
    FROM chat_message GROUP BY ALL
    UNION ALL
    SELECT follow_target_id, epoch_us(occurred_at) // 86400000000, 0, 0, 0, 0, 0, 0,
        count(*) FILTER (follow_action = 'follow') - count(*) FILTER (follow_action = 'unfollow'), 0
    FROM follow WHERE follow_target_kind = 'show' GROUP BY ALL
    UNION ALL
    SELECT show_id, epoch_us(occurred_at) // 86400000000, 0, 0, 0, 0, 0, 0, 0, count(*) FROM poll_vote GROUP BY ALL
)
SELECT
    CAST(make_timestamp(day * 86400000000) AS DATE) AS day,
    show_id,
    CAST(sum(listeners) AS BIGINT) AS listeners,
    CAST(sum(sessions) AS BIGINT) AS sessions,
    coalesce(any_value(peak), 0) AS peak_concurrency,
    CAST(CAST((sum(ms) + 30) // 60 AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS minutes_listened,
    CAST(sum(likes) AS BIGINT) AS likes,
    CAST(sum(calls) AS BIGINT) AS calls,
    CAST(sum(messages) AS BIGINT) AS chat_messages,
    CAST(sum(follows) AS BIGINT) AS follows_gained,
    CAST(sum(votes) AS BIGINT) AS poll_votes
FROM counted LEFT JOIN peaks USING (show_id, day)
WHERE show_id IS NOT NULL
GROUP BY show_id, day
"""

_HISTORY = """
CREATE OR REPLACE VIEW opinion.show_history AS
WITH entries AS (
    SELECT *, epoch_us(coalesce(show_updated_at, occurred_at)) AS since
    FROM show_catalog_entry
    WHERE show_id IS NOT NULL
),
newest AS (
    SELECT * FROM entries AS one WHERE NOT EXISTS (
        SELECT 1 FROM entries AS other
        WHERE other.show_id = one.show_id AND other.since = one.since
            AND (coalesce(other.show_version, -1), other.arrived_at, other.event_id)
                > (coalesce(one.show_version, -1), one.arrived_at, one.event_id)
    )
),
versions AS (
    SELECT one.*, before.event_id IS NULL AS first, list_filter([
        CASE WHEN one.show_title IS DISTINCT FROM before.show_title THEN 'show_title' END,
        CASE WHEN one.show_description IS DISTINCT FROM before.show_description THEN 'show_description' END,
        CASE WHEN one.show_status IS DISTINCT FROM before.show_status THEN 'show_status' END,
        CASE WHEN one.show_language IS DISTINCT FROM before.show_language THEN 'show_language' END,
        CASE WHEN one.show_explicit IS DISTINCT FROM before.show_explicit THEN 'show_explicit' END,
        CASE WHEN one.show_topics IS DISTINCT FROM before.show_topics THEN 'show_topics' END,
        CASE WHEN one.show_created_at IS DISTINCT FROM before.show_created_at THEN 'show_created_at' END,
        CASE WHEN one.show_creator_key IS DISTINCT FROM before.show_creator_key THEN 'show_creator_key' END,
        CASE WHEN one.show_schedule_starts_at IS DISTINCT FROM before.show_schedule_starts_at
            THEN 'show_schedule_starts_at' END,
        CASE WHEN one.show_schedule_duration_minutes IS DISTINCT FROM before.show_schedule_duration_minutes
            THEN 'show_schedule_duration_minutes' END,
        CASE WHEN one.show_schedule_time_zone IS DISTINCT FROM before.show_schedule_time_zone
            THEN 'show_schedule_time_zone' END,
        CASE WHEN one.show_schedule_recurrence IS DISTINCT FROM before.show_schedule_recurrence
            THEN 'show_schedule_recurrence' END
    ], lambda name: name IS NOT NULL) AS changed
    FROM newest AS one ASOF LEFT JOIN newest AS before ON before.show_id = one.show_id AND before.since < one.since
),
kept AS (SELECT * FROM versions WHERE first OR len(changed) > 0)
SELECT
    one.show_id,
    one.show_version,
    one.show_title,
    one.show_description,
    one.show_status,
    one.show_language,
    one.show_explicit,
    one.show_topics,
    one.show_created_at,
    one.show_updated_at,
    one.show_creator_key,
    one.show_schedule_starts_at,
    one.show_schedule_duration_minutes,
    one.show_schedule_time_zone,
    one.show_schedule_recurrence,
    make_timestamp(one.since) AS valid_from,
    make_timestamp((SELECT min(since) FROM kept AS next WHERE next.show_id = one.show_id AND next.since > one.since))
        AS valid_to,
    CASE WHEN NOT one.first THEN one.changed END AS changed_columns,
    one.event_id
FROM kept AS one
"""

_TRENDING = """
CREATE OR REPLACE MACRO opinion.trending_shows(moments) AS TABLE
WITH did AS (
    SELECT show_id, listener, ends AS moment, (ends - begins) / 60000000.0 AS points, ends - begins AS us, 0 AS taps,
        'minutes' AS what, 1e9 AS most
    FROM opinion.heard
    UNION ALL
    SELECT show_id, coalesce(user_key, device_key), epoch_us(occurred_at),
        0.2 * greatest(coalesce(like_count, 1), 0), 0, greatest(coalesce(like_count, 1), 0), 'taps', 4
    FROM "like"
    UNION ALL
    SELECT show_id, coalesce(user_key, device_key), epoch_us(occurred_at), 2, 0, 0, 'calls', 4
    FROM call_in WHERE call_state = 'requested'
    UNION ALL
    SELECT show_id, coalesce(user_key, device_key), epoch_us(occurred_at), 0.5, 0, 0, 'messages', 5 FROM chat_message
    UNION ALL
    SELECT follow_target_id, coalesce(user_key, device_key), epoch_us(occurred_at), 5, 0, 0, 'follows', 5
    FROM follow WHERE follow_target_kind = 'show' AND follow_action = 'follow'
),
windows AS (
    SELECT epoch_us(as_of) // 3600000000 AS hour, window_hours
    FROM (SELECT unnest(moments) AS as_of) CROSS JOIN (SELECT unnest([6, 168]) AS window_hours)
),
by_hour AS (
    SELECT hour, window_hours, show_id, listener, what,
        least(sum(points), any_value(most)) * 0.5 ** (4.0 * (hour - 1 - moment // 3600000000) / window_hours) AS points,
        sum(us) AS us, sum(taps) AS taps
    FROM windows JOIN did
        ON moment >= (hour - window_hours) * 3600000000 AND moment < hour * 3600000000
    WHERE show_id IS NOT NULL
    GROUP BY hour, window_hours, show_id, listener, what, moment // 3600000000
),
by_listener AS (
    SELECT hour, window_hours, show_id, listener, least(60, sum(points)) AS points, sum(us) AS us, sum(taps) AS taps
    FROM by_hour GROUP BY ALL
),
by_show AS (
    SELECT hour, window_hours, show_id, coalesce(sum(points) FILTER (listener IS NOT NULL), 0) AS score,
        count(*) FILTER (listener IS NOT NULL AND us > 0) AS listeners, sum(us) AS us, sum(taps) AS likes
    FROM by_listener GROUP BY ALL
)
SELECT
    make_timestamp(hour * 3600000000) AS as_of,
    window_hours,
    row_number() OVER (PARTITION BY hour, window_hours ORDER BY round(score, 4) DESC, show_id) AS rank,
    show_id,
    score,
    listeners,
    CAST(CAST((us // 1000 + 30) // 60 AS DECIMAL(18, 3)) / 1000 AS DECIMAL(18, 3)) AS minutes_listened,
    CAST(likes AS BIGINT) AS likes
FROM by_show
"""


def prepare(connection: Any) -> None:
    """Give a DuckDB connection the schema `opinion`, with the second opinion on each table under the table's name.

    The connection has views (or tables) named as the event types, with the columns of their shared tables. `sessions`,
    `show_statistics_daily` and `show_history` are views with the columns of their tables; `trending_shows` is a macro:
    `FROM opinion.trending_shows($as_of)` with what `as_of_parameter` gives. It ranks scores that differ by less than
    a ten-thousandth as equal.

    Example:
        >>> prepare(connection)
        >>> connection.sql("SELECT * FROM opinion.sessions").fetchall()
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS opinion")
    for statement in (_HEARD, _SESSIONS, _STATISTICS, _HISTORY, _TRENDING):
        connection.execute(statement)


def as_of_parameter(as_of: Iterable[datetime]) -> list[datetime]:
    """Full hours, as the macro takes them: in UTC, without a time zone."""
    return [moment.astimezone(UTC).replace(tzinfo=None) for moment in as_of]
