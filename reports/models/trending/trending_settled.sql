{%- set deeds -%}
select * from (
    {{ trending_deeds() }}
) as settled
where {{ in_windows(midnight(1), 24, range(trending_terms().weeks + 1)) }}
{%- endset -%}
{{ trending_ranks(deeds, midnight(1), 24) }}
