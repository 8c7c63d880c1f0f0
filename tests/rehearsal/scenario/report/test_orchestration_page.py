"""The page about DAG runs: every try has its bar where its time was, and leads to its log."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("jinja2", reason="needs jinja2: install requirements-dev.txt")
pytest.importorskip("time_machine", reason="needs time-machine: install requirements-dev.txt")

from rehearsal.engine.mwaa.model import DagRun, Departure, TaskTry
from rehearsal.scenario.command import summary
from rehearsal.scenario.orchestration_findings import Job, OrchestrationFindings, Share, chart
from rehearsal.scenario.report.page import render
from tests.rehearsal.scenario.report.test_page import findings

ASKED = datetime(2026, 11, 18, 8, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return ASKED + timedelta(seconds=seconds)


def _try(task: str, number: int, state: str, *at: float, **more: Any) -> TaskTry:
    queued, started, ended = (_at(seconds) for seconds in at)
    return TaskTry(
        task=task, number=number, state=state, queued=queued, started=started, ended=ended, log="said <this>", **more
    )


def _run(*tries: TaskTry, state: str = "success") -> DagRun:
    return DagRun(
        dag="hourly",
        run_id="manual__2026-11-18T08:00:00+00:00",
        state=state,
        kind="manual",
        interval_start=None,
        interval_end=None,
        queued=ASKED,
        started=_at(1),
        ended=_at(20),
        tries=tries,
    )


def _found(run: DagRun, **more: Any) -> OrchestrationFindings:
    drawn, logs = chart(run, about="06:00 to 08:00")
    return OrchestrationFindings(environment="amp-dev", version="3.0.6", runs=[drawn], logs=logs, **more)


def test_a_tries_shares_are_where_its_time_was() -> None:
    drawn, _ = chart(_run(_try("events", 1, "success", 2, 5, 20)), about="now")
    assert drawn.seconds == 20
    assert list(drawn.bars[0].shares) == [
        Share(kind="queued", begin_s=2, end_s=5),
        Share(kind="running", begin_s=5, end_s=20),
    ]


def test_a_job_that_waited_for_room_is_drawn_within_its_try() -> None:
    # Two clocks are read one after the other: what lies outside the try is cut off.
    job = Job(asked=_at(4), waited_s=7.0, log="from Spark")
    drawn, logs = chart(_run(_try("events", 1, "success", 2, 5, 20)), about="now", job_of=lambda _: job)
    assert [(share.kind, share.begin_s, share.end_s) for share in drawn.bars[0].shares] == [
        ("queued", 2, 5),
        ("pending", 5, 11),
        ("running", 11, 20),
    ]
    assert sorted(logs.values()) == ["from Spark", "said <this>"]
    assert [kind for kind, _ in drawn.bars[0].logs] == ["task", "job"]


def test_a_try_that_has_not_started_has_an_empty_bar() -> None:
    waiting = TaskTry(task="late", number=0, state="upstream_failed", queued=None, started=None, ended=None)
    drawn, logs = chart(_run(waiting, state="failed"), about="now")
    assert (drawn.bars[0].shares, drawn.bars[0].seconds, logs) == ((), 0.0, {})


def test_every_try_has_a_bar_in_percent_of_its_run_and_a_link_to_its_log() -> None:
    run = _run(_try("events", 1, "failed", 0, 2, 4), _try("events", 2, "success", 8, 10, 20))
    pages = render(findings(orchestration=_found(run)))
    page = pages["orchestration.html"]
    assert 'class="queued bad" style="left:0.0%;width:10.0%"' in page
    assert 'class="running bad" style="left:10.0%;width:10.0%"' in page
    assert 'class="running" style="left:50.0%;width:50.0%"' in page
    assert "try 2" in page
    assert 'aria-label="events, try 1: failed after 4.0 s"' in page
    links = re.findall(r'href="(orchestration-logs/[^"]+)"', page)
    assert len(links) == 2
    # A link is the address of a file that is written beside the page.
    assert {unquote(link) for link in links} == {name for name in pages if name.startswith("orchestration-logs/")}
    assert pages[unquote(links[0])] == "said <this>"


def test_mapped_tasks_keep_apart() -> None:
    run = _run(_try("piece", 1, "success", 0, 1, 2, map_index=0), _try("piece", 1, "success", 0, 1, 2, map_index=1))
    drawn, logs = chart(run, about="now")
    assert [bar.task for bar in drawn.bars] == ["piece [0]", "piece [1]"]
    assert len(logs) == 2


def test_a_run_that_failed_makes_the_rehearsal_fail_and_names_the_try() -> None:
    found = findings(orchestration=_found(_run(_try("events", 1, "failed", 0, 2, 4), state="failed")))
    assert found.problems == ["DAG run hourly 06:00 to 08:00 is failed: events (try 1) failed"]
    assert "Not every DAG run ended well" in render(found)["orchestration.html"]
    assert "hourly failed" in summary(found, Path("r.html"))


def test_what_differs_from_mwaa_is_told_with_its_reason() -> None:
    departures = [Departure(option="core.executor", value="LocalExecutor", why="tasks run here")]
    page = render(findings(orchestration=_found(_run(), departures=departures)))["orchestration.html"]
    assert "core.executor" in page
    assert "tasks run here" in page


def test_without_airflow_the_page_says_why() -> None:
    left_out = OrchestrationFindings(environment="amp-dev", left_out="Airflow is not installed")
    found = findings(orchestration=left_out)
    pages = render(found, name="mine.html")
    assert "Airflow is not installed" in pages["mine-orchestration.html"]
    assert '<a href="mine-orchestration.html">' in pages["mine.html"]
    assert "No Airflow ran: Airflow is not installed" in summary(found, Path("mine.html"))
    assert found.problems == []


def test_pages_load_nothing_from_elsewhere() -> None:
    page = render(findings(orchestration=_found(_run(_try("events", 1, "success", 0, 2, 4)))))["orchestration.html"]
    assert "http" not in page
    assert "<script" not in page
    assert "src=" not in page
