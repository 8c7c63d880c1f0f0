"""The report tells what was found, whole and escaped."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: install requirements-dev.txt")
pytest.importorskip("time_machine", reason="needs time-machine: install requirements-dev.txt")

from rehearsal.scenario.accounting import Account, Line
from rehearsal.scenario.command import summary
from rehearsal.scenario.report.findings import Findings, Lane, Query, ResourceType, RoleUse, Step, histogram, quantile
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
        "flow": [
            Lane(
                title="Shows",
                steps=[
                    Step(
                        name="Queue <b>",
                        count=300,
                        unit="messages",
                        branches=[Step(name="Letters", count=3, unit="messages", bad=True)],
                    ),
                    Step(name="Catalog", count=297, unit="calls"),
                ],
                joins=True,
            )
        ],
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
    page = render(findings())["index.html"]
    assert "Every one of 1,500 events and show changes is accounted for" in page
    assert findings().problems == []


def test_text_from_data_is_escaped() -> None:
    page = render(findings())["index.html"]
    assert "夜話 &lt;i&gt;" in page
    assert "Queue &lt;b&gt;" in page


def test_what_leaves_a_step_is_drawn_as_a_branch_of_it_and_not_as_the_next_step() -> None:
    page = render(findings())["index.html"]
    queue, letters, arrow, catalog = (
        page.index(part) for part in ("Queue &lt;b&gt;", '<div class="branch">', '<span class="arrow"', "Catalog<b>")
    )
    assert queue < letters < arrow < catalog
    assert page.count('<span class="arrow"') == 1
    assert "onto the Kinesis stream" in page


def test_every_table_scrolls_within_itself_and_its_numbers_stand_below_their_names() -> None:
    page = render(findings())["index.html"]
    assert page.count("<table") == page.count('<div class="wide"><table') == page.count("</table></div>") > 3
    assert '<th class="n">likes</th>' in page
    assert "th.n { text-align:right" in page


def test_repeated_and_given_up_events_have_columns_of_their_own_with_reasons() -> None:
    line = Line(type="like", sent=5, repeated=1, deliveries=2, landed=2, given_up=Counter({"Lambda.Timeout": 2}))
    found = findings(account=Account(lines=[line]))
    for said in (render(found)["index.html"], summary(found, Path("r.html"))):
        assert "repeated" in said
        assert "given up, Lambda.Timeout × 2" in said
    assert "Every one of 5 events and show changes (of them repeated: 1)" in summary(found, Path("r.html"))


def test_what_went_wrong_stands_first() -> None:
    lost = Line(type="like", sent=1, missing=["like e1"])
    found = findings(account=Account(lines=[lost]), refusals=["role X may not s3:PutObject"])
    assert found.problems == ["missing: like e1", "refused: role X may not s3:PutObject"]
    page = render(found)["index.html"]
    assert page.index("Not everything is as it should be") < page.index("The flow")
    assert "missing: like e1" in page


def test_a_grant_that_nobody_needed_or_explained_is_a_problem() -> None:
    role = RoleUse(name="R", used=[], denied=[], unused=[("s3:GetObject", "")])
    assert findings(roles=[role]).problems == ["granted, never used and not explained: R: s3:GetObject"]


def test_a_rehearsal_of_nothing_still_renders() -> None:
    page = render(findings(account=Account(lines=[]), delays_s=[], per_minute=[], queries=[], faults=[]))["index.html"]
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
