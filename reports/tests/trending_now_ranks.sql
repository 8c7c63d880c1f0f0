{{ config(enabled=target.type != "redshift") }}
{{ broken_ranks("trending_now") }}
