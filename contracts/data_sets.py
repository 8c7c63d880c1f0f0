"""What a data set for models is: a lake table of features and labels, with windows and splits; declares none.

Those that there are stand in contracts/lake_tables/data_sets.py. Datasets that arrive as files are another matter:
contracts/datasets.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contracts.lake import LakeTable, Zone

DATA_SETS_PREFIX = "data_sets/"
"""Where versions lie in the transformed bucket: `data_sets/<name>/<version>/` is one, for ever as it is."""
MANIFEST = "manifest.json"
"""What a version holds last: without it, it is none."""
SPLIT_SALT = "amp data sets 1"
"""Goes before a key when its split is drawn; the same for all data sets, so that a person is in one split of each."""
SPLIT_PERCENT: Mapping[str, int] = {"train": 80, "validation": 10, "test": 10}
"""Splits, and how many of a hundred keys each gets."""

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Period:
    """The moments that a version is about: from `start` on and before `until` (UTC)."""

    start: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, eq=False)
class DataSet(LakeTable):
    """Rows of features as of a moment (`as_of`), with labels of what happened after it.

    The table holds the newest version; all versions lie as files below `versions_prefix`. `reads` are the tables that
    it is made from.

    A feature counts what happened in the `feature_days` before `as_of` and had arrived before it. A label counts what
    happened in the `label_days` from `as_of` on and arrived at most `settle_days` after their end; what is later is
    in no row, so that a row, but for its `time_split`, is the same whenever it is made. `labels` are the columns that
    hold labels.

    With `every_days` rows are as of midnights (UTC) that are so many days apart, counted from Monday 5 January 1970;
    without it each event has its own moment. `split_by` is the column by whose value the split is drawn, or, where it
    is null, the one after it. `time_split_days` is how long the last stretch of moments is (`test`) and the one before
    it (`validation`).
    """

    split_by: tuple[str, ...]
    labels: tuple[str, ...]
    feature_days: int
    label_days: int
    settle_days: int
    every_days: int | None = None
    time_split_days: int
    reads: tuple[LakeTable, ...]

    def __post_init__(self) -> None:
        """Refuse a zone of personal values, names that are no column, and labels of two moments that meet."""
        super().__post_init__()
        if any(table.zone is not Zone.TRANSFORMED for table in (self, *self.reads)):
            raise ValueError(f"data set {self.name!r}: it and all that it reads are of the zone {Zone.TRANSFORMED}")
        named = ("as_of", "split", "time_split", *self.split_by, *self.labels)
        missing = [name for name in named if name not in self.column]
        if missing:
            raise ValueError(f"data set {self.name!r}: it has no columns {missing}; declare them")
        least = min(self.feature_days, self.label_days, self.time_split_days, self.every_days or 1)
        if least < 1 or self.settle_days < 0:
            raise ValueError(f"data set {self.name!r}: windows are of one day at least, settle_days of 0")
        if self.every_days is not None and self.every_days < self.label_days:
            raise ValueError(
                f"data set {self.name!r}: moments every {self.every_days} days with labels of {self.label_days} days "
                f"would count an event in the labels of two moments; allowed: every_days of {self.label_days} or more"
            )

    @property
    def versions_prefix(self) -> str:
        """Where its versions lie in the transformed bucket."""
        return f"{DATA_SETS_PREFIX}{self.name}/"

    @property
    def label_span(self) -> timedelta:
        """From a moment until nothing can change its labels any more."""
        return timedelta(days=self.label_days + self.settle_days)

    def period(self, start: datetime, end: datetime) -> Period:
        """The moments from `start` on whose labels are settled at `end` (both UTC).

        Raises:
            ValueError: there is none.
        """
        until = end - self.label_span
        if self.every_days is not None:
            step = timedelta(days=self.every_days)
            start = _MONDAY + step * -((_MONDAY - start) // step)
            until = _MONDAY + step * ((until - _MONDAY) // step + 1)
        if until <= start:
            raise ValueError(
                f"data set {self.name}: from {start:%Y-%m-%dT%H} on no moment has labels that are settled by "
                f"{end:%Y-%m-%dT%H}: they take {self.label_span.days} days; allowed: a longer window, or an earlier one"
            )
        return Period(start=start, until=until)

    def moments(self, period: Period) -> tuple[datetime, ...]:
        """The moments of a period, of a data set with `every_days`; of another none are known beforehand."""
        if self.every_days is None:
            return ()
        step = timedelta(days=self.every_days)
        return tuple(period.start + step * number for number in range((period.until - period.start) // step))
