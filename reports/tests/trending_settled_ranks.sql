{{ broken_ranks("trending_settled") }}
