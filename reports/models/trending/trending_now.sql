{#- Redshift sees no partitions of the raw zone (they are projected, for Athena alone): it would read all of it. -#}
{{ config(enabled=target.type != "redshift") }}
{%- set terms = trending_terms() -%}
{%- set now -%}
occurred_at >= {{ dbt.dateadd("hour", -terms.window_hours, as_of()) }} and occurred_at < {{ as_of() }}
{%- endset -%}
{%- set weeks_before -%}
({% for week in range(1, terms.weeks + 1) %}{{ " or " if not loop.first }}occurred_at >= {{ dbt.dateadd("hour", -168 * week - terms.window_hours, as_of()) }} and occurred_at < {{ dbt.dateadd("hour", -168 * week, as_of()) }}{% endfor %})
{%- endset -%}
{%- set deeds -%}
{{ trending_deeds_raw(now) }}
union all
{{ trending_deeds(weeks_before) }}
{%- endset -%}
{{ trending_ranks(deeds, as_of(), 1) }}
