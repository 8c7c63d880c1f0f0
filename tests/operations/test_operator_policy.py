"""What an operator needs, and no more: every command runs under this policy, in the account's own terms."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from tests.operations.operator_role import become_operator, granted
from tests.rehearsal.proofs.played import like

if TYPE_CHECKING:
    from tests.operations.desk import Desk

pytestmark = [pytest.mark.with_warehouse, pytest.mark.with_cluster]


def prepare(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("a"))
    desk.played.settle()
    desk.played.put(b"no json")
    desk.played.announce("s1", "s2", serve=False)
    desk.drop("nobodys/file.csv")
    desk.publish_code("f" * 16)
    desk.next_hour()
    desk.run_on_emr("", ["--job", "events", "--window-start", "2026-11-18T20", "--window-end", "2026-11-18T21"])


COMMANDS = (
    ("explain",),
    ("replay", "--since", "2026-11-18", "--force"),
    ("redrive", "--reason", "show_not_found"),
    ("redrive", "--all"),
    ("check",),
    ("warehouse", "plan"),
    ("warehouse", "apply"),
    ("code",),
    ("code", "--back"),
)


def test_the_operators_policy_is_what_the_commands_need_and_nothing_for_nothing(desk: Desk) -> None:
    prepare(desk)
    operator = become_operator(desk)
    for command in COMMANDS:
        with desk.serving() if "--all" in command else nullcontext():
            said = desk.run(*command)
        assert said.code in (0, 1), said.err
    assert [call.need.action for call in desk.engine.refusals] == []
    desk.played.settle()
    assert desk.landed("like") == {"a": 1}
    used = {call.need.action for call in desk.engine.calls if call.principal.arn == operator}
    # A rehearsal's stacks are named by a file, and it keeps no alarms whose metrics could be asked for. What follows is
    # for the AWS command line, as the runbooks of the warehouse use it.
    assert granted(desk) - used == {
        "cloudformation:DescribeStacks",
        "cloudwatch:GetMetricData",
        "sns:GetTopicAttributes",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "kms:DescribeKey",
        "kms:Encrypt",
        "redshift:DescribeClusters",
        "redshift:PauseCluster",
        "redshift:ResumeCluster",
        "secretsmanager:DescribeSecret",
        "secretsmanager:RotateSecret",
    }
