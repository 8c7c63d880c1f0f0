"""The estimator: intervals, refusals, and how often it is right over a thousand simulated campaigns."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reports.experiments import reference
from tests.reports.experiments.simulated import Arm, expose, write
from tests.reports.small_lake import SmallLake

NUMBERS = (
    "converted_share",
    "converted_low_share",
    "converted_high_share",
    "difference",
    "difference_low",
    "difference_high",
)


def estimates(lake: SmallLake, *arms: Arm, outcome: str = "listen") -> dict[str, dict[str, Any]]:
    """The estimates of one experiment by variant."""
    expose(lake, arms)
    return {row["variant"]: row for row in lake.run("experiment_effects") if row["outcome"] == outcome}


def arm(variant: str, units: int, listened: int, *, followed: int = 0, experiment: str = "exp") -> Arm:
    return Arm(experiment=experiment, variant=variant, units=units, listened=listened, followed=followed)


def test_the_reference_gives_published_intervals() -> None:
    # Newcombe 1998, "Interval estimation for the difference between independent proportions", examples a and e.
    assert reference.newcombe((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert reference.newcombe((5, 56), (0, 29)) == pytest.approx((-0.0381, 0.1926), abs=5e-5)


@pytest.mark.parametrize(
    ("control", "treated"),
    [((1000, 80), (1000, 140)), ((500, 250), (480, 250)), ((400, 0), (390, 12)), ((300, 290), (310, 310))],
)
def test_intervals_are_those_that_solve_their_equations(
    lake: SmallLake, control: tuple[int, int], treated: tuple[int, int]
) -> None:
    found = estimates(lake, arm("control", *control), arm("treatment", *treated))
    for variant, (units, listened) in (("control", control), ("treatment", treated)):
        row = found[variant]
        assert (row["units"], row["conversions"], row["converted_share"]) == (units, listened, listened / units)
        assert (row["converted_low_share"], row["converted_high_share"]) == pytest.approx(
            reference.wilson(listened, units), abs=1e-9
        )
    row = found["treatment"]
    assert row["difference"] == pytest.approx(treated[1] / treated[0] - control[1] / control[0])
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(
        reference.newcombe(treated[::-1], control[::-1]), abs=1e-9
    )
    assert [found["control"][name] for name in NUMBERS[3:]] == [None] * 3


def test_verdicts_follow_the_interval(lake: SmallLake) -> None:
    found = estimates(
        lake, arm("control", 1000, 100), arm("better", 1000, 150), arm("same", 1000, 105), arm("worse", 1000, 60)
    )
    assert {variant: row["verdict"] for variant, row in found.items()} == {
        "control": "control",
        "better": "higher",
        "same": "no difference found",
        "worse": "lower",
    }


def test_listening_and_following_are_estimated_apart(lake: SmallLake) -> None:
    arms = arm("control", 1000, 100, followed=100), arm("treatment", 1000, 100, followed=200)
    assert estimates(lake, *arms)["treatment"]["verdict"] == "no difference found"
    (row,) = [
        row for row in lake.rows("experiment_effects") if row["outcome"] == "follow" and row["variant"] == "treatment"
    ]
    assert (row["conversions"], row["verdict"]) == (200, "higher")


def test_the_detectable_difference_is_that_of_eighty_percent_power(lake: SmallLake) -> None:
    # (1.95996 + 0.84162) × sqrt(0.1 × 0.9 × (1/1000 + 1/1000)) = 2.80159 × 0.0134164 = 0.037587; Wilson's centre
    # (100 + 1.92073) / (1000 + 3.84146) = 0.101531 in the place of 0.1 makes it 0.037842.
    found = estimates(lake, arm("control", 1000, 100), arm("treatment", 1000, 110))
    assert found["treatment"]["detectable_difference"] == pytest.approx(0.037842, abs=1e-6)
    assert found["control"]["detectable_difference"] is None


@pytest.mark.parametrize(
    ("arms", "why"),
    [
        ((arm("control", 99, 30), arm("treatment", 100, 30)), "too little data"),
        ((arm("control", 100, 30), arm("treatment", 99, 30)), "too little data"),
        ((arm("control", 500, 4), arm("treatment", 500, 5)), "too little data"),
        ((arm("control", 500, 496), arm("treatment", 500, 495)), "too little data"),
        ((arm("control", 600, 60), arm("treatment", 400, 60)), "sample ratio mismatch"),
        ((arm("a", 500, 60), arm("b", 500, 60)), "no control"),
    ],
)
def test_too_little_or_broken_data_are_not_reported(lake: SmallLake, arms: tuple[Arm, ...], why: str) -> None:
    refused = estimates(lake, *arms)[arms[1].variant]
    assert refused["verdict"] == why
    assert [refused[name] for name in NUMBERS] == [None] * 6
    assert (refused["units"], refused["conversions"]) == (arms[1].units, arms[1].listened)
    if why == "too little data":
        assert refused["detectable_difference"] > 0


def test_a_hundred_units_with_ten_conversions_in_both_are_enough(lake: SmallLake) -> None:
    assert estimates(lake, arm("control", 100, 5), arm("treatment", 100, 5))["treatment"]["difference"] == 0


def test_the_sample_ratio_is_pearsons_chi_square_against_an_even_split(lake: SmallLake) -> None:
    # 520 and 480 of 500 expected each: 2 × 20² / 500 = 1.6. Critical at 0.001: 10.83.
    found = estimates(lake, arm("control", 520, 60), arm("treatment", 480, 60))
    assert [row["sample_ratio_chi_square"] for row in found.values()] == pytest.approx([1.6, 1.6])
    # 1000, 1000 and 860 of 953⅓ each: (46⅔² × 2 + 93⅓²) / 953⅓ = 13.706, below 13.816; with 859 it is above.
    found = estimates(
        lake,
        *(arm(name, units, 100, experiment="three") for name, units in (("control", 1000), ("b", 1000), ("c", 860))),
    )
    three = [
        row for row in lake.rows("experiment_effects") if row["experiment_id"] == "three" and row["outcome"] == "listen"
    ]
    assert three[0]["sample_ratio_chi_square"] == pytest.approx(13.706, abs=1e-3)
    assert "sample ratio mismatch" not in {row["verdict"] for row in three}
    expose(
        lake,
        [arm(name, units, 100, experiment="worse") for name, units in (("control", 1000), ("b", 1000), ("c", 859))],
    )
    lake.run("experiment_effects")
    worse = [row for row in lake.rows("experiment_effects") if row["experiment_id"] == "worse"]
    assert {row["verdict"] for row in worse} == {"sample ratio mismatch"}


def test_a_control_alone_is_compared_with_nothing(lake: SmallLake) -> None:
    found = estimates(lake, arm("control", 500, 60))
    assert (found["control"]["verdict"], found["control"]["sample_ratio_chi_square"]) == ("control", None)


def test_many_variants_have_a_critical_value_too(lake: SmallLake) -> None:
    # Eight arms, 7 degrees of freedom: critical is 24.3. One of 900 where 550 are expected: 254.5.
    even = [arm("control", 500, 60), *(arm(f"v{number}", 500, 60) for number in range(7))]
    assert estimates(lake, *even)["v1"]["verdict"] == "no difference found"
    expose(
        lake,
        [arm("control", 900, 60, experiment="uneven"), *(arm(f"v{n}", 500, 60, experiment="uneven") for n in range(7))],
    )
    uneven = [row for row in lake.run("experiment_effects") if row["experiment_id"] == "uneven"]
    assert {row["verdict"] for row in uneven} == {"sample ratio mismatch"}


CAMPAIGNS, UNITS = 1_000, 600


def test_a_thousand_campaigns_are_covered_recovered_and_not_invented(lake: SmallLake) -> None:
    # Shares are from 5 to 65 percent. Every other campaign has an effect, of the size that its units detect with a
    # power of 80 percent: 2.80159 standard errors, of 300 units against 300. Chances are hashes.
    lake.connection.execute(
        f"""
        create or replace temp table campaigns as
        select *, case when campaign % 2 = 0 then 0 else 2.80159 * sqrt(share * (1 - share) * 4 / {UNITS}) end as lift
        from (select number as campaign, 0.05 + 0.6 * number / {CAMPAIGNS} as share
            from range({CAMPAIGNS}) as numbers (number))
        """
    )
    lake.connection.execute(
        f"""
        create or replace temp table drawn as
        select 'exp-' || campaign as experiment, variant, campaign || '-' || number as unit, false as follows,
            hash(unit || ' chance') / 18446744073709551616.0
                < share + case when variant = 'treatment' then lift else 0 end as listens
        from (
            select *,
                case when hash(campaign || ' drawn ' || number) % 2 = 0 then 'control' else 'treatment' end as variant
            from campaigns cross join range({UNITS}) as numbers (number)
        )
        """
    )
    write(lake)
    lake.run("experiment_effects")
    found = lake.connection.execute(
        """
        select lift, difference, difference_low, difference_high, verdict
        from reports.experiment_effects inner join campaigns on experiment_id = 'exp-' || campaign
        where outcome = 'listen' and variant = 'treatment'
        """
    ).fetchall()
    reported = [row for row in found if row[1] is not None]
    assert len(reported) > 0.99 * CAMPAIGNS
    assert 0.93 <= sum(low <= lift <= high for lift, _, low, high, _ in reported) / len(reported) <= 0.97
    without = Counter(verdict for lift, *_, verdict in reported if lift == 0)
    assert without["no difference found"] / without.total() >= 0.93
    planted = Counter(verdict for lift, *_, verdict in reported if lift > 0)
    assert 0.75 <= planted["higher"] / planted.total() <= 0.85
    assert planted["lower"] == 0
    # The mean error of some thousand estimates, of which each has a standard error of sqrt(2 × 0.25 / 300) at most.
    errors = [difference - lift for lift, difference, *_ in reported]
    assert sum(errors) / len(errors) == pytest.approx(0, abs=3 * sqrt(2 * 0.25 / (UNITS / 2) / len(errors)))


_ARMS = st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arms=_ARMS, with_control=st.booleans())
def test_whatever_the_counts_shares_are_shares_and_nothing_divides_by_zero(
    lake: SmallLake, arms: list[tuple[int, float, float]], with_control: bool
) -> None:
    for table in ("experiment_exposure", "playback_metric", "follow"):
        lake.connection.execute(f"delete from transformed.{table}")
    expose(
        lake,
        [
            arm(
                "control" if with_control and number == 0 else f"v{number}",
                units,
                round(units * listens),
                followed=round(units * follows),
            )
            for number, (units, listens, follows) in enumerate(arms)
        ],
    )
    rows = lake.run("experiment_effects")
    assert len(rows) == 2 * sum(units > 0 for units, *_ in arms)
    for row in rows:
        assert all(row[name] is None or 0 <= row[name] <= 1 for name in NUMBERS[:3])
        assert all(row[name] is None or -1 - 1e-12 <= row[name] <= 1 + 1e-12 for name in NUMBERS[3:])
        assert row["detectable_difference"] is None or row["detectable_difference"] > 0
