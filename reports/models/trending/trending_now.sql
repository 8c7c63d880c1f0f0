{#- Redshift sees no partitions of the raw zone (they are projected, for Athena alone): it would read all of it. -#}
{{ config(enabled=target.type != "redshift") }}
{%- set deeds -%}
select * from (
    {{ trending_deeds_raw() }}
) as arrived
where {{ in_windows(as_of(), 1, [0]) }}
union all
select * from (
    {{ trending_deeds() }}
) as settled
where {{ in_windows(as_of(), 1, range(1, trending_terms().weeks + 1)) }}
{%- endset -%}
{{ trending_ranks(deeds, as_of(), 1) }}
