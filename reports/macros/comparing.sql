{# For how many of the 28 days before the day of the run there are data: one row, days_compared from 0 to 28. A model has
   it as its CTE `history`. Days without anything between them count, as days of 0. #}
{% macro history() %}
    select least(28, coalesce({{ days_between("min(day)", day()) }}, 0)) as days_compared
    from {{ source("transformed", "show_statistics_daily") }}
    where day <= {{ day() }}
{% endmacro %}

{# A measure of the day and what it is compared with, of rows that have days_ago; `history` gives days_compared.
   What lies before the first day of data is null, a day without anything 0. #}
{% macro compared(measure) %}
    coalesce(sum(case when days_ago = 0 then {{ measure }} end), 0) as {{ measure }},
    case when max(days_compared) >= 1 then coalesce(sum(case when days_ago = 1 then {{ measure }} end), 0) end
        as {{ measure }}_yesterday,
    case when max(days_compared) >= 7 then coalesce(sum(case when days_ago = 7 then {{ measure }} end), 0) end
        as {{ measure }}_week_before,
    case when max(days_compared) >= 1 then
        {{ double("coalesce(sum(case when days_ago between 1 and 28 then " ~ measure ~ " end), 0)") }} / max(days_compared)
    end as {{ measure }}_mean_28_days
{% endmacro %}

{# Shows as the catalog had them at the end of the day of the run: show_id, title, status, creator_key, language, topic
   (the main one). What is dated later is not known yet. #}
{% macro shows_of_the_day() %}
    select
        show_id,
        show_title as title,
        show_status as status,
        show_creator_key as creator_key,
        show_language as language,
        {{ first_of("show_topics") }} as topic
    from {{ source("transformed", "show_history") }}
    where valid_from < {{ midnight(1) }} and (valid_to is null or valid_to >= {{ midnight(1) }})
{% endmacro %}
