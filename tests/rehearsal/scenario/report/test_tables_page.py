"""The page of the lake's tables tells what was found of them, whole and escaped."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: install requirements-dev.txt")
pytest.importorskip("time_machine", reason="needs time-machine: install requirements-dev.txt")

from rehearsal.scenario.report.findings import Crawl, Findings, JobRun, TablesFindings
from rehearsal.scenario.report.page import render
from rehearsal.scenario.tables import Partition, TableFound
from rehearsal.scenario.tables_account import DayLine, FileLine, TablesAccount
from tests.rehearsal.scenario.report.test_page import findings

BEGAN = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)


def tables(**changes: Any) -> TablesFindings:
    """Findings of a small lake in which all went well."""
    values: dict[str, Any] = {
        "account": TablesAccount(
            lines=[
                DayLine(type="like", day="2026-11-17", deliveries=12, events=11, rows=11),
                DayLine(
                    type="like", day="2026-11-18", deliveries=1203, events=1201, rows=1199, refused=Counter(no_day=2)
                ),
            ],
            files=[
                FileLine(key="shows/a.csv", promised=40, rows=39, refused=Counter(not_a_number=1)),
                FileLine(key="uploads/b.bin", promised=None, rows=0, said="refused whole: not_parquet"),
            ],
        ),
        "found": [
            TableFound(
                database="transformed",
                name="like",
                comment="Likes of <anybody>.",
                columns=[("event_id", "string"), ("like_count", "int")],
                partitions=[
                    Partition(name="occurred_at_day=2026-11-17", files=1, rows=11, bytes=900),
                    Partition(name="occurred_at_day=2026-11-18", files=1, rows=1199, bytes=51_000),
                ],
            )
        ],
        "databases": {"raw": "amp_dev_raw", "transformed": "amp_dev_transformed"},
        "raw_tables": [("uploads_notes", [("id", "bigint")], "deprecated")],
        "runs": [
            JobRun(
                job="events",
                status="succeeded",
                files_in=3,
                bytes_in=123_456,
                rows_in=1215,
                rows_out=1210,
                rows_rejected=2,
                duration_ms=8100,
                seconds=14.2,
                rejected={"no_day": 2},
            )
        ],
        "crawls": [Crawl(crawler="amp-dev-shows", began=BEGAN, ended=BEGAN, state="COMPLETED")],
        "listeners": [("夜話 <i>", 17.0)],
        "plotted_day": "2026-11-18",
        "trending": {6: [("show-1", 3.5)]},
        "sessions_by_minute": [("08:00", 3), ("08:01", 5)],
    }
    return TablesFindings(**{**values, **changes})


def _page(**changes: Any) -> str:
    return render(findings(tables=tables(**changes)))["tables.html"]


def test_a_lake_in_which_all_went_well_says_so_in_numbers() -> None:
    page = _page()
    assert "Every one of 1,212 events of the raw zone is in its table once, or refused with its reason" in page
    assert "1,215 deliveries became 1,210 rows; 2 events were refused" in page
    assert '<a href="tables.html">' in render(findings(tables=tables()))["index.html"]


def test_the_pages_are_named_after_the_first_and_lead_to_each_other() -> None:
    pages = render(findings(tables=tables()), name="night.html")
    assert set(pages) == {"night.html", "night-tables.html"}
    assert 'href="night-tables.html"' in pages["night.html"]
    assert 'href="night.html"' in pages["night-tables.html"]


def test_a_rehearsal_without_jobs_has_no_such_page() -> None:
    assert set(render(findings())) == {"index.html"}


def test_tables_jobs_files_and_crawls_are_told() -> None:
    page = _page()
    assert "1,210 rows in 2 files, 51.9 kB" in page
    assert "occurred_at_day=2026-11-17" in page
    assert "<code>like_count</code> int" in page
    assert "refused: no_<wbr>day × 2" in page
    assert "refused whole: not_parquet" in page
    assert "1 column, deprecated" in page
    assert "2, 2026-11-17 to 2026-11-18" in page


def test_text_from_data_is_escaped() -> None:
    page = _page()
    assert "夜話 &lt;i&gt;" in page
    assert "Likes of &lt;anybody&gt;." in page


def test_every_table_scrolls_within_itself() -> None:
    page = _page()
    assert page.count("<table") == page.count('<div class="wide"><table') == page.count("</table></div>") > 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"account": TablesAccount(lines=[DayLine(type="like", day="2026-11-18", events=1, missing=["e1"])])},
            "in no table: like e1",
        ),
        ({"disagreements": ["transformed.sessions has 1 rows more"]}, "transformed.sessions has 1 rows more"),
        ({"failures": ["job events ended FAILED: java"]}, "job events ended FAILED: java"),
    ],
)
def test_what_went_wrong_stands_first_and_fails_the_rehearsal(changes: dict[str, Any], said: str) -> None:
    found: Findings = findings(tables=tables(**changes))
    assert any(said in problem for problem in found.problems)
    for page in render(found).values():
        assert page.index("Not everything is as it should be") < page.index(said) < page.index("<h2>")
    assert "or refused with its reason" not in render(found)["tables.html"]


def test_a_lake_of_nothing_still_renders() -> None:
    page = _page(
        account=TablesAccount(lines=[]),
        found=[],
        raw_tables=[],
        runs=[],
        crawls=[],
        listeners=[],
        trending={},
        sessions_by_minute=[],
    )
    assert "Runs of the jobs" in page
