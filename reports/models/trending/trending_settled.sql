{%- set terms = trending_terms() -%}
{#- The day's hours and those of the evening before in which its first windows begin, of this week and of those before. -#}
{%- set within -%}
({% for week in range(terms.weeks + 1) %}{{ " or " if not loop.first }}occurred_at >= {{ dbt.dateadd("hour", -terms.window_hours, midnight(-7 * week)) }} and occurred_at < {{ midnight(1 - 7 * week) }}{% endfor %})
{%- endset -%}
{{ trending_ranks(trending_deeds(within), midnight(1), 24) }}
