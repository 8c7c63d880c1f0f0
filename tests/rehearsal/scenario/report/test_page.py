"""The report tells what was found, whole and escaped."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: install requirements-dev.txt")

from rehearsal.scenario.accounting import Account, Line
from rehearsal.scenario.report.findings import Findings, Query, ResourceType, RoleUse, Step, histogram, quantile
from rehearsal.scenario.report.page import render


def findings(**changes: Any) -> Findings:
    """Findings of a small rehearsal in which all went well."""
    like = Line(type="like", sent=1200, deliveries=1201, landed=1198, quarantined=Counter({"not_json": 2}))
    shows = Line(type="show changes", sent=300, deliveries=297, landed=297, dead_lettered=Counter({"no_show_id": 3}))
    values: dict[str, Any] = {
        "stage": "dev",
        "started": datetime(2026, 11, 18, 8, 0, tzinfo=UTC),
        "settings": {"seed": 7},
        "account": Account(lines=[like, shows]),
        "flow": [[Step(name="Topic", count=300, unit="changes"), Step(name="Queue <b>", count=300, unit="messages")]],
        "faults": [("a duplicate", "landed twice under one id", True)],
        "resources": [
            ResourceType(
                name="AWS::CloudWatch::Alarm",
                count=3,
                only_modelled=True,
                honoured=["AlarmName"],
                ignored={"Threshold": "no alarm fires here"},
            )
        ],
        "roles": [
            RoleUse(
                name="Flatten",
                used=[("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:log-group:/amp/x", 12)],
                denied=[],
                unused=[("kinesis:PutRecords", "used when a response is too large")],
            )
        ],
        "delays_s": [float(second % 61) for second in range(2000)],
        "per_minute": [(f"08:{minute:02d}", 100 + minute * 3) for minute in range(60)],
        "queries": [
            Query(title="Most liked shows", sql="SELECT 1", columns=["show", "likes"], rows=[["夜話 <i>", 17]])
        ],
        "phases": {"synth": 3.0, "deploy": 2.5},
        "virtual_s": 3700.0,
    }
    return Findings(**{**values, **changes})


def test_a_rehearsal_in_which_all_went_well_says_so() -> None:
    page = render(findings())
    assert "Every one of 1,500 events and show changes is accounted for" in page
    assert findings().problems == []


def test_text_from_data_is_escaped() -> None:
    page = render(findings())
    assert "夜話 &lt;i&gt;" in page
    assert "Queue &lt;b&gt;" in page


def test_what_went_wrong_stands_first() -> None:
    lost = Line(type="like", sent=1, missing=["like e1"])
    found = findings(account=Account(lines=[lost]), refusals=["role X may not s3:PutObject"])
    assert found.problems == ["missing: like e1", "refused: role X may not s3:PutObject"]
    page = render(found)
    assert page.index("Not everything is as it should be") < page.index("The flow")
    assert "missing: like e1" in page


def test_a_grant_that_nobody_needed_or_explained_is_a_problem() -> None:
    role = RoleUse(name="R", used=[], denied=[], unused=[("s3:GetObject", "")])
    assert findings(roles=[role]).problems == ["granted, never used and not explained: R: s3:GetObject"]


def test_a_rehearsal_of_nothing_still_renders() -> None:
    page = render(findings(account=Account(lines=[]), delays_s=[], per_minute=[], queries=[], faults=[]))
    assert "Who may do what" in page


def test_every_value_falls_into_one_bin() -> None:
    bins = histogram([0.0, 1.0, 2.0, 10.0], bins=5)
    assert sum(count for _, count in bins) == 4
    assert bins[-1] == ("8-10 s", 1)
    assert histogram([0.0, 0.0], bins=3)[0][1] == 2


def test_quantiles_are_values_that_occurred() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert quantile([], 0.5) == 0.0
