"""The rehearsal's command line: reads arguments, shows progress, prints the account, writes the report."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from contracts.jobs import BATCH_FILES
from rehearsal.engine.engine import OUTSIDE_SERVICE
from rehearsal.engine.errors import NotSettled, RehearsalError
from rehearsal.scenario.assembly import ROOT, SynthesisError
from rehearsal.scenario.inputs import InputError
from rehearsal.scenario.orchestration_findings import OrchestrationFindings
from rehearsal.scenario.report.findings import Findings, TablesFindings, quantile
from rehearsal.scenario.report.page import (
    logs_folder,
    orchestration_page,
    render,
    reports_folder,
    tables_page,
    warehouse_page,
)
from rehearsal.scenario.reports import ReportsFindings
from rehearsal.scenario.run import WORKSPACE, Options, Rehearsed, rehearse, totals
from rehearsal.scenario.warehouse_findings import WarehouseFindings
from reports.pages.page import INDEX

REPORT = ROOT / "rehearsal-report" / "index.html"
INTERRUPTED = 130
"""What a shell takes for ended by Ctrl-C: 128 and the signal's number."""
_TOLD_EACH = ("jobs",)
"""Phases whose steps take so long that each has a line where lines cannot be written over."""


def main(arguments: list[str] | None = None) -> int:
    """Rehearse and tell.

    Gives the exit code: 0 all is accounted for, 1 something is not, 2 it could not be run, 130 it was interrupted.
    """
    given = _parser().parse_args(arguments)
    now = given.now or datetime.now(UTC).replace(microsecond=0)
    options = Options(
        stage=given.stage,
        now=now,
        seed=given.seed,
        count=given.count,
        minutes=given.minutes,
        shows=given.shows,
        events=given.events,
        files=given.files,
        fast=given.fast,
        all_dags=given.all,
        with_faults=not given.no_faults,
        population={
            "history_days": given.history_days,
            "events_per_history_day": given.history_events,
            "listeners": given.listeners,
            "creators": given.creators,
            "shows": given.catalog_shows,
        },
        assembly=given.assembly,
        workspace=given.workspace,
    )
    progress = _Progress(plain=given.plain or not sys.stderr.isatty())
    try:
        if given.all and given.fast:
            raise InputError("--all with --fast: DAGs run jobs, which need Spark; leave one of them out")
        if given.assembly is not None and not (given.assembly / "manifest.json").is_file():
            raise InputError(f"--assembly {given.assembly}: it holds no manifest.json; give a synthesized cdk.out")
        _make_room(given.report)
        rehearsed = rehearse(options, progress=progress)
    except (InputError, SynthesisError, RehearsalError) as error:
        progress.done()
        print(f"rehearsal: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        progress.done()
        print("rehearsal: interrupted; there is no report", file=sys.stderr)
        return INTERRUPTED
    progress.done()
    try:
        for name, page in render(rehearsed.findings, name=given.report.name).items():
            file = given.report.parent / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(page)
        print(summary(rehearsed.findings, given.report))
        if given.keep:
            _keep(rehearsed)
    finally:
        rehearsed.close()
    return 1 if rehearsed.findings.problems else 0


def _make_room(report: Path) -> None:
    """Remove the pages of an earlier rehearsal, which may have had more of them, and see that new ones can be written.

    Raises:
        InputError: they cannot.
    """
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        for page in (tables_page(report.name), warehouse_page(report.name), orchestration_page(report.name)):
            (report.parent / page).unlink(missing_ok=True)
        for folder in (logs_folder(report.name), reports_folder(report.name)):
            if (report.parent / folder).is_dir():
                shutil.rmtree(report.parent / folder)
        report.write_text("")
        report.unlink()
    except OSError as error:
        raise InputError(f"--report {report}: the page cannot be written there ({error.strerror})") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Rehearse the whole platform on this machine, from its own synthesized templates and under its "
        "own IAM policies. Ends with an account of every event and a report.",
        epilog="With --shows, --events or --files only that data goes through; nothing is generated and no fault is "
        "put in. Exit code: 0 all is accounted for, 1 something is missing, refused or unexplained, 2 it could not be "
        "run.",
    )
    add = parser.add_argument
    add("--stage", default="dev", help="stage whose templates are rehearsed (default: dev)")
    add("--shows", type=Path, help="your shows: a JSON array or JSON lines of objects with an 'id' or 'show_id'")
    add("--events", type=Path, help="your events: one a line, whatever a producer would send")
    add("--files", type=Path, help="your batch files: a folder; each folder or file in it becomes a table")
    add("--fast", action="store_true", help="leave Spark out: no job runs, the lake's tables are not made")
    add(
        "--all", action="store_true", help="run every DAG, maintenance, a backfill and what a message starts among them"
    )
    add("--count", type=_at_least(0), default=10_000, help="app events to generate (default: 10000)")
    add("--minutes", type=_at_least(1), default=15, help="minutes of the platform's time they take (default: 15)")
    add("--history-days", type=_at_least(0), default=0, help="days of history sent first, as old events (default: 0)")
    add("--history-events", type=_at_least(0), default=10_000, help="events of a day of history (default: 10000)")
    add("--listeners", type=_at_least(20), default=2_000, help="listeners of the population (default: 2000)")
    add("--creators", type=_at_least(1), default=60, help="creators of the population (default: 60)")
    add("--catalog-shows", type=_at_least(10), default=300, help="shows of the population (default: 300)")
    add(
        "--seed",
        type=int,
        default=7,
        help="seed of the population: equal --seed and --now give equal events (default: 7)",
    )
    add("--now", type=_moment, help="end of the live window, ISO 8601 in UTC (default: this machine's time)")
    add("--no-faults", action="store_true", help="put no fault in")
    add("--keep", action="store_true", help="leave the platform running and print how to reach it")
    add("--report", type=Path, default=REPORT, help=f"where the report goes (default: {REPORT.relative_to(ROOT)})")
    add("--assembly", type=Path, help="rehearse this synthesized assembly (a cdk.out) instead of writing the stage's")
    add("--workspace", type=Path, default=WORKSPACE, help="folder for the assembly and a copy of the landed files")
    add("--plain", action="store_true", help="print progress as lines, one a phase")
    return parser


def _at_least(least: int) -> type[int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"given {value}, allowed is {least} or more")
        return value

    return number  # type: ignore[return-value]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"given {text!r}, allowed is ISO 8601 such as 2026-11-18T20:00") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


class _Progress:
    """One line that is written over, or with `plain` one line a phase."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._phase = ""
        self._shown = 0.0

    def __call__(self, phase: str, how_far: str) -> None:
        changed = phase != self._phase
        self._phase = phase
        if self._plain:
            if changed or phase in _TOLD_EACH:
                print(f"{phase}: {how_far}", file=sys.stderr, flush=True)
            return
        if changed or time.perf_counter() - self._shown > 0.1:
            self._shown = time.perf_counter()
            print(f"\r\033[K{phase}: {how_far}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if not self._plain and self._phase:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def summary(findings: Findings, report: Path) -> str:
    """What a person reads at the end of a rehearsal."""
    counts = totals(findings)
    lines = ["", f"Resources deployed: {sum(kind.count for kind in findings.resources)}"]
    acting = [
        f"{kind.name.removeprefix('AWS::')} {kind.count}" for kind in findings.resources if not kind.only_modelled
    ]
    modelled = [f"{kind.name.removeprefix('AWS::')} {kind.count}" for kind in findings.resources if kind.only_modelled]
    lines += [f"  acting: {', '.join(acting)}", f"  only modelled: {', '.join(modelled) or 'none'}", ""]
    lines.append(
        f"{'type':<24}{'sent':>9}{'repeated':>10}{'landed':>9}{'again':>7}{'quarantined':>13}{'dead letters':>14}"
        f"{'given up':>10}{'missing':>9}"
    )
    for line in findings.account.lines:
        lines.append(
            f"{line.type[:23]:<24}{line.sent:>9,}{line.repeated:>10,}{line.landed:>9,}{line.arrived_again:>7,}"
            f"{line.quarantined.total():>13,}{line.dead_lettered.total():>14,}{line.given_up.total():>10,}"
            f"{len(line.missing):>9,}"
        )
    lines.append(
        f"{'in all':<24}{counts['sent']:>9,}{counts['repeated']:>10,}{counts['landed']:>9,}{counts['again']:>7,}"
        f"{counts['quarantined']:>13,}{counts['dead-lettered']:>14,}{counts['given up']:>10,}{counts['missing']:>9,}"
    )
    lines += ["sent - repeated = landed + quarantined + dead letters + given up + missing; again: rows beyond one", ""]
    for line in findings.account.lines:
        if line.reasons:
            said = "; ".join(f"{reason} × {count:,}" for reason, count in line.reasons.items())
            lines.append(f"  {line.type}: {said}")
    delays = findings.delays_s
    lines += [
        "",
        f"From arrival to queryable: half within {quantile(delays, 0.5):.1f} s, 95 % within "
        f"{quantile(delays, 0.95):.1f} s, all within {quantile(delays, 1.0):.1f} s (platform's time)",
        f"Time: {findings.virtual_s / 60:.1f} min of the platform's in {sum(findings.phases.values()):.1f} s here ("
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in findings.phases.items())
        + ")",
        "",
        "Permissions by role:",
    ]
    for role in findings.roles:
        unused = {grant.split(" on ")[0] for grant, _ in role.unused}
        lines.append(
            f"  {role.name}: {len({action for action, _, _ in role.used})} actions used"
            + (f", {len(unused)} granted and not used (the report says why)" if unused else "")
        )
        if role.denied:
            lines.append(f"    refused: {_actions(role.denied)}")
    if findings.orchestration is not None:
        lines += [
            "",
            _orchestration_line(findings.orchestration),
            f"  {report.parent / orchestration_page(report.name)}",
        ]
    if findings.tables is not None:
        lines += ["", _tables_line(findings.tables), f"  {report.parent / tables_page(report.name)}"]
    if findings.reports is not None:
        first = report.parent / reports_folder(report.name) / INDEX
        lines += ["", *_reports_lines(findings.reports), f"  {first}"]
    if findings.warehouse is not None:
        lines += ["", *_warehouse_lines(findings.warehouse), f"  {report.parent / warehouse_page(report.name)}"]
    for query in findings.queries:
        lines += ["", f"{query.title}:"]
        lines += ["  " + " | ".join(str(value) for value in row) for row in query.rows]
    lines += [f"\n{note}" for note in findings.notes[:5]]
    problems = findings.problems
    lines.append("")
    if problems:
        lines += ["NOT EVERYTHING IS AS IT SHOULD BE:", *(f"  - {problem}" for problem in problems[:40])]
    else:
        repeated = f" (of them repeated: {counts['repeated']:,})" if counts["repeated"] else ""
        lines.append(f"Every one of {counts['sent']:,} events and show changes{repeated} is accounted for.")
    lines.append(f"Report: {report}")
    return "\n".join(lines)


def _tables_line(tables: TablesFindings) -> str:
    ended = Counter(run.status for run in tables.runs)
    files = sum(count for run in tables.runs if run.job == BATCH_FILES.name for count in run.rejected.values())
    return (
        f"The lake's tables: {', '.join(f'{count} jobs {status}' for status, count in ended.items()) or 'no job ran'}, "
        f"{len(tables.found)} tables with {sum(table.rows for table in tables.found):,} rows, "
        f"{files:,} batch files or rows of them refused"
    )


def _orchestration_line(orchestration: OrchestrationFindings) -> str:
    if orchestration.left_out:
        return f"No Airflow ran: {orchestration.left_out}"
    ended = Counter(f"{run.dag} {run.state}" for run in orchestration.runs)
    told = ", ".join(name if count == 1 else f"{name} × {count}" for name, count in ended.items())
    return f"Airflow's DAG runs: {told or 'none'}"


def _reports_lines(reports: ReportsFindings) -> list[str]:
    made = [f"{len(outcome.rows)} models of {outcome.day}" for outcome in reports.outcomes]
    failed = sum(len(outcome.failures) for outcome in reports.outcomes)
    other = f", beside {reports.of_other_days:,} of other days" if reports.of_other_days else ""
    return [
        f"The reports: {' and '.join(made)}; {failed or 'none'} of their tests failed",
        f"  over {reports.days} days they count {reports.events:,} events, "
        + ("not as" if reports.differing else "as")
        + f" the lake's tables do{other}",
    ]


def _warehouse_lines(warehouse: WarehouseFindings) -> list[str]:
    verdicts = Counter(chapter.verdict for chapter in warehouse.chapters)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    width = max((len(chapter.verdict) for chapter in warehouse.chapters), default=0)
    return [f"The warehouse {warehouse.cluster}: {told}"] + [
        f"  {chapter.verdict:<{width}}  {chapter.title}: {chapter.said}" for chapter in warehouse.chapters
    ]


def warehouse_commands(warehouse: WarehouseFindings, *, stage: str, outputs: Path) -> str:
    """What to type to plan and to log in, in a shell that has the administrator's variables."""
    plan = shlex.quote(f"--outputs {shlex.quote(str(outputs))}")
    told = f"""
The warehouse {warehouse.cluster}. What it would be changed to by the declaration of this checkout:

  make warehouse-plan STAGE={stage} ARGS={plan}
"""
    if (login := warehouse.login) is None:
        return told
    code = (
        "import boto3, json, psycopg; client = boto3.client('secretsmanager'); "
        f"secret = json.loads(client.get_secret_value(SecretId='{login.secret_id}')['SecretString']); "
        "connection = psycopg.connect(sys.argv[1], password=secret['password']); "
        "print(connection.execute(sys.argv[2]).fetchall())"
    )
    conninfo = shlex.quote(login.conninfo)
    return f"""{told}
As {login.user}, with the password that the secret holds now (or `psql {conninfo}`, which asks for it):

  .venv/bin/python -c {shlex.quote("import sys; " + code)} \
      {conninfo} 'SELECT current_user'
"""


def _actions(calls: Sequence[tuple[str, str, int]]) -> str:
    counts: Counter[str] = Counter()
    for action, _, count in calls:
        counts[action] += count
    return ", ".join(f"{action} {count:,}" for action, count in sorted(counts.items()))


def _keep(rehearsed: Rehearsed) -> None:
    """Say how to reach the running platform, and let it run until it is interrupted."""
    deployed, engine = rehearsed.deployed, rehearsed.deployed.engine
    variables = "\n".join(
        f"  export {name}={shlex.quote(value)}" for name, value in engine.administrator_environment().items()
    )
    outputs = rehearsed.lake.folder.parent / "outputs.json"
    outputs.write_text(json.dumps(deployed.outputs, indent=2))
    findings = rehearsed.findings
    warehouse = ""
    if findings.warehouse is not None:
        warehouse = warehouse_commands(findings.warehouse, stage=findings.stage, outputs=outputs)
    airflow = (
        f"\nAirflow's pages are on {rehearsed.airflow_url}, for whoever opens them." if rehearsed.airflow_url else ""
    )
    app = engine.authorizer.credentials(deployed.producer_role, service=OUTSIDE_SERVICE, session="visitor")
    print(
        f"""
The platform is running. In another terminal, with the administrator's credentials, who may do everything:

{variables}

  aws sns publish --topic-arn {deployed.topic_arn} --message '{{"show_id": "…"}}'
  aws kinesis put-record --stream-arn {deployed.stream_arn} --partition-key 1 \\
      --cli-binary-format raw-in-base64-out --data '{{"event_type": "like", …}}'
  aws s3 ls --recursive s3://{deployed.raw_bucket}/
  aws sqs receive-message --queue-url {deployed.dead_letter_queue_url} --message-attribute-names All

or the same with boto3. What failed, and what to do about it (from the checkout's folder):

  .venv/bin/python -m operations explain --stage {findings.stage} --outputs {shlex.quote(str(outputs))}
{warehouse}
To feel the policies, go on as an app, whose role may put on the stream and nothing else:

  AWS_ACCESS_KEY_ID={app.access_key_id} AWS_SECRET_ACCESS_KEY={shlex.quote(app.secret_access_key)} \\
      AWS_SESSION_TOKEN={shlex.quote(app.session_token)} aws s3 ls s3://{deployed.raw_bucket}/

The catalog service answers on {rehearsed.catalog.base_url}.{airflow}
What you send is worked on at once: the platform's clock jumps over waiting. Press Ctrl-C to end it.""",
        flush=True,
    )
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    told = ""
    try:
        while True:
            try:
                engine.settle(timeout_s=math.inf, horizon_s=math.inf)
            except NotSettled as error:
                if str(error) != told:
                    told = str(error)
                    print(f"\n{told}", file=sys.stderr, flush=True)
            time.sleep(0.2)
    except KeyboardInterrupt:
        print("\nended", flush=True)
