select as_of, count(*) as shows, min(rank) as first_rank, max(rank) as last_rank
from "__REPORTS__"."trending_settled"
where day = cast('__DAY__' as date)
group by as_of
having min(rank) <> 1 or max(rank) <> count(*) or count(distinct rank) <> count(*)
