"""The operator's command line: reads arguments, runs one command, prints what it found; commands do the work."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from config import STAGES
from config.model import ConfigurationError, Part
from operations import checking, explaining, warehouse
from operations.dead_letters import DeadLetters, Moved
from operations.job_code import JobCode
from operations.job_code import lines as code_lines
from operations.known import check_reasons, checked
from operations.output import ProgressLine
from operations.platform import QUEUES, OperationsError, Platform, QueuePair, find
from operations.replaying import DEFAULT_RATE, Replayed, replay
from operations.selection import Selection, hour_of

FINE, WRONG, REFUSED = 0, 1, 2

_EXAMPLES = """examples:
  python -m operations explain --stage prod --since 2026-11-18
  python -m operations redrive --stage prod --reason show_not_found --dry-run
  python -m operations replay  --stage prod --since 2026-11-18 --until 2026-11-19 --type like
  python -m operations check   --stage prod
  python -m operations warehouse plan --stage prod --cluster analytics
  python -m operations code    --stage prod --back

credentials, profile and Region are those of the AWS command line (AWS_PROFILE, AWS_REGION …). A running rehearsal is
reached with --endpoint-url and --outputs. Hours are arrival hours in UTC.

exit code: 0 done, and nothing is wrong; 1 something is wrong or was left; 2 refused, or it could not be done."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    given = _parser().parse_args(arguments)
    progress = ProgressLine()
    # The AWS command line reads this variable, boto3 does not.
    region = os.environ.get("AWS_REGION")
    try:
        platform = find(stage=given.stage, endpoint_url=given.endpoint_url, outputs_file=given.outputs, region=region)
        progress.say(f"stage {platform.stage.name}, bucket {platform.raw_bucket}, as {platform.caller}")
        result, lines, code = _COMMANDS[given.command](platform, given, progress)
    except (OperationsError, ConfigurationError) as error:
        progress.end()
        print(f"{given.command}: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks
        return REFUSED
    except NoRegionError:
        progress.end()
        sentence = "no Region is named; allowed: one of AWS's; fix: set AWS_REGION, or a region in the profile."
        print(f"{given.command}: {sentence}", file=sys.stderr)  # noqa: T201
        return REFUSED
    except (ClientError, BotoCoreError) as error:
        progress.end()
        print(f"{given.command}: AWS refused or could not be reached: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    except KeyboardInterrupt:
        progress.end()
        print(f"{given.command}: interrupted, nothing is lost; run it again, a replay with --resume", file=sys.stderr)  # noqa: T201
        return REFUSED
    progress.end()
    print(json.dumps(result, indent=2, ensure_ascii=False) if given.json else "\n".join(lines))  # noqa: T201
    return code


_Told = tuple[object, Iterable[str], int]


def _explain(platform: Platform, given: argparse.Namespace, progress: ProgressLine) -> _Told:
    selection = letters = checked(_selection(given), queues=True)
    if not (selection.since or selection.until or given.all):
        # Dead letters are few and stay for two weeks; objects are many and stay for months.
        selection = replace(selection, since=explaining.last_hours(platform, 24).since)
    found = explaining.explain(platform, selection, letters=letters, progress=progress)
    result = {"groups": [group.as_json() for group in found.groups], "objects": found.objects, "notes": found.notes}
    return result, explaining.lines(found), FINE


def _redrive(platform: Platform, given: argparse.Namespace, progress: ProgressLine) -> _Told:
    if not given.reason and not given.all:
        raise OperationsError(
            "A redrive of everything; given: no reason; allowed: --reason CODE (`explain` lists them), or --all; fix: "
            "name what was mended: a message whose cause is still there comes straight back."
        )
    check_reasons(given.reason)
    result: dict[str, object] = {}
    told: list[str] = []
    moves: list[Moved] = []
    for pair in platform.queues:
        if given.queue and pair.name not in given.queue:
            continue
        letters = DeadLetters(platform.client("sqs"), pair)
        moved = _move(letters, given, progress)
        moves.append(moved)
        result[pair.name] = {"dry_run": given.dry_run, **moved.as_json()}
        told += _told_move(pair, moved, dry_run=given.dry_run)
        told += letters.notes
    return result, told, WRONG if any(moved.failed or moved.came_back for moved in moves) else FINE


def _move(letters: DeadLetters, given: argparse.Namespace, progress: ProgressLine) -> Moved:
    if given.reason:
        return letters.move_by_reason(given.reason, dry_run=given.dry_run, progress=progress)
    if given.dry_run:
        return Moved(moved=letters.depth())
    return letters.move_all(per_second=given.rate, progress=progress)


def _told_move(pair: QueuePair, moved: Moved, *, dry_run: bool) -> list[str]:
    told = [f"{pair.name}: {moved.moved:,} messages {'would go' if dry_run else 'went'} back to their queue"]
    if moved.other_reasons:
        told.append(f"    {moved.other_reasons:,} with other reasons stay")
    if moved.came_back:
        told.append(f"    {moved.came_back:,} failed again meanwhile and stay: their cause is still there")
    return told + [f"    {sentence}" for sentence in moved.failed[:20]]


def _replay(platform: Platform, given: argparse.Namespace, progress: ProgressLine) -> _Told:
    done = replay(
        platform,
        checked(_selection(given), queues=False),
        everything=given.all,
        resume=given.resume,
        rate=given.rate,
        force=given.force,
        dry_run=given.dry_run,
        begun=lambda replay_id: progress.say(f"replay {replay_id}; if it is ended early: --resume {replay_id}"),
        progress=progress,
    )
    return done.as_json(), _told_replay(done), WRONG if done.held else FINE


def _told_replay(done: Replayed) -> Iterable[str]:
    yield f"{done.records:,} records of {done.objects:,} objects {'would go' if done.dry_run else 'went'} back"
    yield from (f"    {count:,} × {kind}" for kind, count in done.types.most_common())
    if done.present_hour:
        yield (
            f"{done.present_hour:,} records of the present hour are left out until {done.next_hour}, because what is "
            "replayed arrives in it"
        )
    if done.done_before:
        yield f"{done.done_before:,} had been replayed before and were left out"
    for reason, count in done.left.most_common():
        yield f"{count:,} were left: {reason} (today's contract refuses them too; --force puts them back all the same)"
    if done.held:
        yield f"{len(done.held):,} objects are another replay's; if that was killed, --resume it:"
        yield from (f"    {held}" for held in done.held[:20])


def _check(platform: Platform, given: argparse.Namespace, progress: ProgressLine) -> _Told:
    findings = checking.check(platform, hours=given.hours, progress=progress)
    wrong = any(finding.level == "problem" for finding in findings)
    result = [{"level": one.level, "subject": one.subject, "sentence": one.sentence} for one in findings]
    return result, checking.lines(findings), WRONG if wrong else FINE


def _warehouse(platform: Platform, given: argparse.Namespace, _progress: ProgressLine) -> _Told:
    told = warehouse.ask(
        platform,
        action=given.action,
        cluster=given.cluster,
        declaration=given.declaration,
        checkout=given.checkout,
        repair=given.repair,
        drop=given.drop,
    )
    return vars(told), warehouse.lines(told, action=given.action, with_sql=given.sql), FINE if told.well else WRONG


def _code(platform: Platform, given: argparse.Namespace, _progress: ProgressLine) -> _Told:
    code = JobCode(platform.client("s3"), bucket=platform.output(Part.CODE, "BucketName"))
    if given.to or given.back:
        moved = code.move_to(given.to) if given.to else code.move_back()
        same = moved.before == moved.now
        told = f"new runs take {moved.now}" + (", as before" if same else f" instead of {moved.before}")
        return vars(moved), [told, "runs that have begun keep the code that they began with"], FINE
    versions = code.versions()
    return [version.as_json() for version in versions], code_lines(versions), FINE


_COMMANDS: dict[str, Callable[[Platform, argparse.Namespace, ProgressLine], _Told]] = {
    "explain": _explain,
    "redrive": _redrive,
    "replay": _replay,
    "check": _check,
    "warehouse": _warehouse,
    "code": _code,
}


def _selection(given: argparse.Namespace) -> Selection:
    return Selection(
        since=hour_of(given.since) if given.since else "",
        until=hour_of(given.until) if given.until else "",
        types=tuple(given.type),
        reasons=tuple(given.reason),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operations",
        description="See why records failed on their way into the lake, put them back after a fix, and check what is "
        "deployed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="explain | redrive | replay | check | warehouse | code"
    )
    explain = _command(commands, "explain", "what failed and why, with a sample whose personal values are masked")
    _add_selection(explain)
    explain.add_argument(
        "--all", action="store_true", help="of all time (default: the last 24 hours, and every dead letter)"
    )
    redrive = _command(commands, "redrive", "move dead letters back to the queue they came from")
    redrive.add_argument("--reason", action="append", default=[], help="only with this reason code (repeatable)")
    redrive.add_argument("--all", action="store_true", help="all of them, moved by SQS itself")
    redrive.add_argument(
        "--queue", action="append", default=[], choices=sorted(QUEUES), help="only of this queue (repeatable)"
    )
    redrive.add_argument("--rate", type=_positive(int), help="messages a second, with --all (default: SQS's choice)")
    redrive.add_argument("--dry-run", action="store_true", help="only count")
    replays = _command(commands, "replay", "put quarantined and given-up records back on the event stream, each once")
    _add_selection(replays)
    replays.add_argument("--all", action="store_true", help="everything that ever failed")
    replays.add_argument("--resume", default="", metavar="ID", help="go on with a replay that was ended early")
    replays.add_argument(
        "--rate", type=_positive(float), default=DEFAULT_RATE, help=f"records a second (default: {DEFAULT_RATE:g})"
    )
    replays.add_argument(
        "--force", action="store_true", help="also what today's contract refuses, or the deployed tables do not know"
    )
    replays.add_argument("--dry-run", action="store_true", help="only count")
    checks = _command(commands, "check", "hold what is deployed against what should be; exit code 1 when it is not")
    checks.add_argument("--hours", type=_positive(int), default=24, help="how far back it looks (default: 24)")
    warehouses = _command(commands, "warehouse", "tell what a warehouse lacks of its declaration, or make it so")
    warehouses.add_argument("action", choices=("plan", "apply"), help="plan changes nothing")
    warehouses.add_argument("--cluster", default="", help="which one (default: the stage's only one)")
    warehouses.add_argument(
        "--declaration", type=Path, metavar="FILE", help="plan by this file instead of the deployed declaration"
    )
    warehouses.add_argument(
        "--checkout", action="store_true", help="plan by the file that this checkout has for the cluster"
    )
    warehouses.add_argument("--repair", action="store_true", help="also put right what was changed by hand")
    warehouses.add_argument(
        "--drop", action="store_true", help="also drop schemas, roles and users that are not declared any more"
    )
    warehouses.add_argument("--sql", action="store_true", help="show the statements of a plan")
    codes = _command(commands, "code", "see which code new runs of the jobs take, or have them take another version")
    chosen = codes.add_mutually_exclusive_group()
    chosen.add_argument("--list", action="store_true", help="show what there is, newest first (the default)")
    chosen.add_argument(
        "--to", default="", metavar="HASH", help="take this version, by its hash or the beginning of it"
    )
    chosen.add_argument(
        "--back",
        action="store_true",
        help="take what was taken before the present version; once more returns to the present one",
    )
    return parser


def _command(commands: Any, name: str, purpose: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=f"{name}: {purpose}.")
    parser.add_argument("--stage", default="dev", choices=sorted(STAGES), help="which stage (default: dev)")
    parser.add_argument("--endpoint-url", help="where AWS's APIs are answered, for a running rehearsal")
    parser.add_argument("--outputs", type=Path, help="file of stack outputs, as `cdk deploy --outputs-file` writes it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", help="first arrival hour: 2026-11-18 or 2026-11-18T20 (UTC)")
    parser.add_argument("--until", help="first arrival hour that is left out")
    parser.add_argument("--type", action="append", default=[], help="only this event type (repeatable)")
    parser.add_argument("--reason", action="append", default=[], help="only this reason code (repeatable)")


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"given {text}, allowed is more than 0")
        return value

    return number
