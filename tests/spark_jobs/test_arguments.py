"""The command line of jobs, as people, Airflow and Glue write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from glue_scripts.run_job import job_arguments
from spark_jobs import run
from spark_jobs.arguments import Arguments, WrongArguments, read

NOW = datetime(2026, 11, 18, 10, 42, tzinfo=UTC)
NEEDED = ["--job", "events", "--raw-bucket", "raw", "--database-prefix", "amp_dev"]


def given(*more: str) -> Arguments:
    return read([*NEEDED, *more], now=NOW)


def test_without_a_window_it_is_the_jobs_own_hours_before_now() -> None:
    assert given().window.arrivals == ("2026-11-18-08", "2026-11-18-09")


@pytest.mark.parametrize(
    ("more", "first", "last", "hours"),
    [
        (["--window-start", "2026-11-18T00", "--window-end", "2026-11-18T02"], "2026-11-18-00", "2026-11-18-01", 2),
        (["--window-start", "2026-11-17", "--window-end", "2026-11-18"], "2026-11-17-00", "2026-11-17-23", 24),
        (["--window-start", "2026-11-18T10", "--window-end", "2026-11-18T11"], "2026-11-18-10", "2026-11-18-10", 1),
        (["--as-of", "2026-11-01T05"], "2026-11-01-03", "2026-11-01-04", 2),
        (["--days", "3"], "2026-11-15-00", "2026-11-17-23", 72),
        (["--days", "1", "--as-of", "2026-11-01T05"], "2026-10-31-00", "2026-10-31-23", 24),
    ],
)
def test_a_window_can_be_said_in_several_ways(more: list[str], first: str, last: str, hours: int) -> None:
    arrivals = given(*more).window.arrivals
    assert (arrivals[0], arrivals[-1], len(arrivals)) == (first, last, hours)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--window-start", "2026-11-18T00"], "go together"),
        (["--window-start", "2026-11-18T02", "--window-end", "2026-11-18T02"], "not after its start"),
        (["--window-start", "yesterday", "--window-end", "2026-11-18"], "'yesterday' is no hour; write"),
        (["--window-start", "2026-11-17", "--window-end", "2026-11-18", "--days", "1"], "said in one way"),
        (["--window-start", "2026-11-18T10", "--window-end", "2026-11-18T12"], "allowed is 2026-11-18T11 at most"),
        (["--as-of", "2027-11-18T10"], "have not begun"),
        (["--days", "0"], "0 is not between 1 and 3660"),
        (["--types", "like,lkie"], "--types names lkie; allowed: activity_update, "),
        (["--run-id", "no spaces"], "--run-id 'no spaces'; allowed"),
        (["--database-prefix", "amp-dev"], "'amp-dev' is no name; allowed"),
        (["--window-strat", "2026-11-18"], "unrecognized arguments: --window-strat"),
        (["--job", "evnets"], "invalid choice: 'evnets'"),
    ],
)
def test_wrong_arguments_say_what_is_wrong_and_what_is_allowed(more: list[str], says: str) -> None:
    with pytest.raises(WrongArguments) as error:
        given(*more)
    assert says in str(error.value)


def test_wrong_arguments_end_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--job", "events"]) == 2
    assert "--raw-bucket" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("bucket", "root"),
    [("raw", "s3://raw/"), ("s3://raw/", "s3://raw/"), ("/a/folder", "/a/folder/"), ("file:///a/b", "file:///a/b/")],
)
def test_the_raw_bucket_is_a_name_an_address_or_a_folder(bucket: str, root: str) -> None:
    assert given("--raw-bucket", bucket).raw_root == root


def test_every_run_has_an_id_of_its_own() -> None:
    assert given().run_id != given().run_id
    assert given("--run-id", "jr_1").run_id == "jr_1"


def test_glues_own_arguments_are_left_out_and_its_run_id_is_the_runs() -> None:
    argv = [
        *("--JOB_NAME", "amp-dev-events", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_7", "--TempDir", "s3://tmp/"),
        *("--conf", "spark.sql.catalog.lake=x --conf a=b", "--enable-metrics", "--job-bookmark-option", "off"),
        *("--job", "events", "--raw_bucket", "raw", "--database-prefix=amp_dev", "--accept_fewer_rows", "true"),
    ]
    found = read(job_arguments(argv), now=NOW)
    assert (found.job, found.raw_root, found.database_prefix) == ("events", "s3://raw/", "amp_dev")
    assert found.run_id == "jr_7"
    assert found.accept_fewer_rows


def test_a_run_id_that_is_given_stands_before_glues() -> None:
    assert read(job_arguments([*NEEDED, "--JOB_RUN_ID", "jr_7", "--run_id", "mine"]), now=NOW).run_id == "mine"


def test_a_misspelt_argument_is_refused_in_glue_too() -> None:
    with pytest.raises(WrongArguments, match="--window-strat"):
        read(job_arguments([*NEEDED, "--window_strat", "2026-11-18"]), now=NOW)


def test_help_names_every_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--help"])
    shown = capsys.readouterr().out
    assert "trending_shows" in shown
    assert "--max-days-late" in shown
