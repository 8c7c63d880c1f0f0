"""Each grant is needed or explained, and whatever is taken away makes the rehearsal fail and is named by it."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.engine import iam
from rehearsal.engine.engine import Mutation
from rehearsal.engine.errors import DeploymentFailed
from rehearsal.scenario import grants
from rehearsal.scenario.run import rehearse
from tests.rehearsal.proofs.played import Rehearse, silent, small
from tests.rehearsal.proofs.removals import Needed, needed, without_resources, without_statements

SEED = os.environ.get("REHEARSAL_SEED", f"{datetime.now(UTC):%Y-%m-%d}")
"""Another five removals each day; set the variable to those of the day that failed."""
REMOVALS = 5
TOPIC = "sns.amazonaws.com"
DELIVERY = ("AWS::KinesisFirehose::DeliveryStream", "AWS::CloudWatch::Alarm")
"""The delivery stream, and what refers to it."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A statement of a resource's policy: whose it is, whom it lets in, and what became of its removal."""

    owner: str
    services: tuple[str, ...]
    removal: iam.Removal


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What one rehearsal with every fault needed of its policies. `unused` pairs a role's name with its grant."""

    fast: bool
    jobs_on: str
    problems: list[str]
    removals: list[tuple[str, iam.Removal]]
    unused: list[tuple[str, iam.Grant]]
    statements: list[Statement]
    needed: list[Needed]


WITH_SPARK = ("Job", "Reader", "Spectrum")
"""What the names of roles begin with that nobody takes on where Spark is left out."""


@pytest.fixture(
    scope="module", params=[True, pytest.param(False, marks=pytest.mark.campaign)], ids=["without Spark", "whole"]
)
def recorded(request: pytest.FixtureRequest, assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    fast = bool(request.param)
    # With Spark the size is the default rehearsal's: a small one has not every type of event, and so not every right.
    sizes: dict[str, Any] = {} if fast else {"count": 10_000, "minutes": 15, "population": {}}
    workspace = tmp_path_factory.mktemp("recorded")
    done = rehearse(small(assembly, workspace, fast=fast, warehouse=True, **sizes), progress=silent)
    try:
        engine, authorizer = done.deployed.engine, done.deployed.engine.authorizer
        names = {resource.arn: resource.logical_id for resource in engine.resources()}
        roles = [(names.get(arn, arn.rsplit("/", 1)[-1]), arn) for arn in authorizer.roles()]
        roles = [(name, arn) for name, arn in roles if not (fast and name.startswith(WITH_SPARK))]
        removals = [(name, removal) for name, arn in roles for removal in iam.without_action(authorizer, arn)]
        return Recorded(
            fast=fast,
            jobs_on="glue" if done.deployed.job_names else "emr",
            problems=done.findings.problems,
            removals=removals,
            unused=[(name, grant) for name, arn in roles for grant in iam.usage_of(authorizer, arn).never_used],
            statements=[
                Statement(
                    owner=names.get(arn, arn.rsplit("/", 1)[-1]),
                    services=_services(policy, removal),
                    removal=removal,
                )
                for arn, policy in authorizer.resource_policies().items()
                for removal in iam.without_resource_statement(authorizer, arn)
            ],
            needed=needed(engine, [removal for _, removal in removals]),
        )
    finally:
        done.close()


def _services(policy: Any, removal: iam.Removal) -> tuple[str, ...]:
    (statement,) = (one for one in policy.statements if one.name == removal.statement)
    return tuple(value for kind, value in statement.principals or () if kind == "Service")


# --- decided again under lesser policies ----------------------------------------------------------------------


def test_the_recorded_rehearsal_is_a_good_one(recorded: Recorded) -> None:
    assert recorded.problems == []
    assert len(recorded.removals) > 30
    assert len(recorded.statements) > 20


def test_without_any_one_action_calls_are_refused_by_name_or_the_grant_is_explained(recorded: Recorded) -> None:
    unnamed, unexplained = [], []
    for role, removal in recorded.removals:
        if removal.effect == "refused":
            said = str(removal)
            calls = [(call.principal.arn, call.need.action, call.need.resource) for call in removal.refused]
            if not all(part in said for call in calls for part in call):
                unnamed.append(said)
            assert all(principal == removal.owner for principal, _, _ in calls)
        elif not _is_explained(recorded, role, removal):
            unexplained.append(f"{role}: {removal}")
    assert unnamed == []
    assert unexplained == []


def _is_explained(recorded: Recorded, role: str, removal: iam.Removal) -> bool:
    """Whether the action was never used on any resource of its statement, and for each somebody says why."""
    resources = [
        grant.resource
        for name, grant in recorded.unused
        if name == role and (grant.statement, grant.action) == (removal.statement, removal.action)
    ]
    action = str(removal.action)
    return bool(resources) and all(grants.explanation(role, action, resource) for resource in resources)


def test_each_unused_grant_of_a_role_is_explained(recorded: Recorded) -> None:
    unexplained = [
        f"{role} may {grant.action} on {grant.resource} ({grant.statement})"
        for role, grant in recorded.unused
        if not grants.explanation(role, grant.action, grant.resource)
    ]
    assert unexplained == [], "use it, take it out of the policy, or explain it in rehearsal/scenario/grants.py"


@pytest.mark.parametrize("known", grants.EXPLANATIONS, ids=lambda known: f"{known.role}-{known.action}{known.resource}")
def test_each_explanation_is_of_a_grant_that_nothing_used(recorded: Recorded, known: grants.Explanation) -> None:
    if recorded.fast and (known.role.startswith(WITH_SPARK) or known.jobs_on == "emr"):
        pytest.skip("the role is used with Spark alone: the campaign looks at it")
    if known.jobs_on and known.jobs_on != recorded.jobs_on:
        pytest.skip(f"the grant is there where jobs run on {known.jobs_on}, here they do on {recorded.jobs_on}")
    assert any(known.of(role, grant.action, grant.resource) for role, grant in recorded.unused), (
        "the grant is used now, or gone: take the explanation out"
    )


def test_without_any_one_statement_of_a_resource_policy_calls_are_refused_or_it_is_explained(
    recorded: Recorded,
) -> None:
    unexplained = [
        f"{statement.owner} lets {', '.join(statement.services)} in: {statement.removal}"
        for statement in recorded.statements
        if statement.removal.effect != "refused"
        and not (recorded.fast and statement.owner.startswith(WITH_SPARK))
        and not all(grants.statement_explanation(statement.owner, service) for service in statement.services or [""])
    ]
    assert unexplained == [], "use it, take it out of the policy, or explain it in rehearsal/scenario/grants.py"


@pytest.mark.parametrize("known", grants.STATEMENTS, ids=lambda known: f"{known.owner}-{known.service}")
def test_each_explanation_is_of_a_statement_that_nothing_used(
    recorded: Recorded, known: grants.StatementExplanation
) -> None:
    if recorded.fast and (known.owner.startswith(WITH_SPARK) or known.jobs_on == "emr"):
        pytest.skip("its owner is used with Spark alone: the campaign looks at it")
    if known.jobs_on and known.jobs_on != recorded.jobs_on:
        pytest.skip(f"it is there where jobs run on {known.jobs_on}, here they do on {recorded.jobs_on}")
    assert any(
        statement.owner.startswith(known.owner) and known.service in (statement.services or ("",))
        for statement in recorded.statements
        if statement.removal.effect != "refused"
    ), "the statement is used now, or gone: take the explanation out"


# --- rehearsed for real ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    # One with each run of the suite; all of a day with the campaign.
    [pytest.param(number, marks=pytest.mark.campaign if number else ()) for number in range(REMOVALS)],
    ids=lambda number: f"REHEARSAL_SEED={SEED}-{number}",
)
def test_a_rehearsal_without_a_needed_action_fails_and_names_role_and_action(
    recorded: Recorded, run_rehearsal: Rehearse, assembly: Path, tmp_path: Path, number: int
) -> None:
    # Those of jobs, and of readers of what they make, are decided again above; each would take minutes here.
    quick = [one for one in recorded.needed if one.part != "LakeJobs" and not one.logical_id.startswith(WITH_SPARK)]
    removal = random.Random(SEED).sample(quick, REMOVALS)[number]  # noqa: S311 - no secret
    options = small(assembly, tmp_path, mutate=removal.mutation(), warehouse=removal.part in ("Network", "Warehouse"))
    try:
        problems = run_rehearsal(options).findings.problems
        named = [text for text in problems if text.startswith(f"refused: {removal.role} may not {removal.action} on ")]
    except DeploymentFailed as error:
        # Lambda asks for a function's network while it makes the function.
        problems, denied = [str(error)], f"is not authorized to perform: {removal.action} on"
        named = [text for text in problems if removal.role in text and denied in text]
    assert named, f"{removal}; said was {problems}"


def _grants_to(service: str) -> Any:
    return lambda statement: statement["Effect"] == "Allow" and statement["Principal"].get("Service") == service


def _writes_to_bucket(statement: dict[str, Any]) -> bool:
    return any(action.startswith("s3:") for action in statement["Action"])


@pytest.mark.parametrize(
    ("mutate", "named"),
    [
        pytest.param(
            without_resources(
                "ShowCatalog",
                lambda name, resource: (
                    resource["Type"] == "AWS::SQS::QueuePolicy" and name.startswith("ShowChangesQueue")
                ),
            ),
            ["refused: sns.amazonaws.com may not sqs:SendMessage on arn:aws:sqs:", "dead-lettered:not deliverable"],
            id="queue policy",
        ),
        pytest.param(
            without_resources("ShowCatalog", lambda _, resource: resource["Type"] == "AWS::SNS::Subscription"),
            ["No show change reached the queue", "it needs a subscription", "missing: show change"],
            id="subscription",
        ),
        pytest.param(
            without_statements("ShowCatalog", "CatalogKey", ["KeyPolicy"], _grants_to(TOPIC)),
            ["refused: sns.amazonaws.com may not kms:", "missing: show change"],
            id="key grant of the topic",
        ),
        pytest.param(
            without_statements("EventStream", "DeliveryRole", ["Policies", 0, "PolicyDocument"], _writes_to_bucket),
            ["DeliveryRole", "may not s3:", "Firehose could not write to the raw bucket", "missing: "],
            id="bucket access of Firehose",
        ),
        pytest.param(
            without_resources("ShowCatalog", lambda _, resource: resource["Type"] == "AWS::Lambda::EventSourceMapping"),
            ["show changes lie in the queue", "there is no event-source mapping", "missing: show change"],
            id="event-source mapping",
        ),
        pytest.param(
            without_resources("EventStream", lambda _, resource: resource["Type"] in DELIVERY),
            ["Nothing read the event stream", "does a delivery stream have it as source?", "missing: "],
            id="delivery stream",
        ),
    ],
)
def test_a_rehearsal_without_a_link_of_the_chain_fails_and_names_it(
    run_rehearsal: Rehearse, assembly: Path, tmp_path: Path, mutate: dict[str, Mutation], named: list[str]
) -> None:
    problems = run_rehearsal(small(assembly, tmp_path, mutate=mutate)).findings.problems
    said = "\n".join(problems)
    assert [part for part in named if part not in said] == [], said
