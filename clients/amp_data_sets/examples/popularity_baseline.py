"""Does a listener's own past say more than popularity? Two orders of candidates, held against what was heard.

Run it with `python -m amp_data_sets.examples.popularity_baseline s3://<transformed bucket> [<version>]`. What it prints
names the version, so that whoever repeats it next year reads the same rows.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .. import load

if TYPE_CHECKING:
    import pyarrow as pa


def hit_rate(rows: pa.Table, by: str) -> float | None:
    """How often the candidate with most `by` was listened to, of listeners who listened to one; None: nobody did."""
    best: dict[tuple[object, str], tuple[float, str, bool]] = {}
    listened = set()
    for row in rows.select(["as_of", "listener_key", "show_id", by, "label_listened"]).to_pylist():
        of = (row["as_of"], row["listener_key"])
        best[of] = max(best.get(of, (-1.0, "", False)), (row[by], row["show_id"], row["label_listened"]))
        if row["label_listened"]:
            listened.add(of)
    return sum(best[of][2] for of in listened) / len(listened) if listened else None


def main(root: str, version: str = "latest") -> str:
    """The two rates, over the last moments of a version."""
    found = load("show_recommendation", version, root=root)
    rows = found.to_arrow(time_split="test")
    rates = {by: hit_rate(rows, by) for by in ("show_listeners", "pair_minutes")}
    told = ", ".join(f"{by} {'nobody listened' if rate is None else f'{rate:.3f}'}" for by, rate in rates.items())
    return f"show_recommendation {found.version}: {told}"


if __name__ == "__main__":
    print(main(*sys.argv[1:]))  # noqa: T201 - that is what it was asked for
