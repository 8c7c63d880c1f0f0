"""What is planted in the generated population is found by the estimator, and what is not planted is not."""

from __future__ import annotations

from typing import Any

from reports import running
from tests.reports.population_lake import NOW, population_lake


def _found(model: str) -> list[dict[str, Any]]:
    lake = population_lake()
    running.run(lake.connection, day=NOW.date(), models=[model])
    return lake.rows(f"select * from reports.{model} where difference is not null")


def test_each_experiments_planted_lift_lies_in_its_interval() -> None:
    rows = {(row["experiment_id"], row["outcome"]): row for row in _found("experiment_effects")}
    for experiment in population_lake().population.truth.experiments:
        row = rows[experiment.id, experiment.outcome]
        assert row["difference_low"] <= experiment.lift <= row["difference_high"]
        assert row["verdict"] == ("higher" if experiment.lift > 0 else "no difference found")
        assert row["units_in_two_variants"] == 0


def test_each_promotions_planted_lift_lies_in_its_interval() -> None:
    rows = {(row["promotion_id"], row["show_id"]): row for row in _found("promotion_effects")}
    promotions = population_lake().population.truth.promotions
    assert set(rows) == {(promotion.id, promotion.show_id) for promotion in promotions}
    for promotion in promotions:
        row = rows[promotion.id, promotion.show_id]
        assert row["difference_low"] <= promotion.lift <= row["difference_high"]
        assert row["verdict"] == ("higher" if promotion.lift > 0 else "no difference found")
