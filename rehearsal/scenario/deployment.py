"""The deployed platform as the scenario sees it: what the stacks' outputs name, nothing found by guessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.engine.clock import Clock
from rehearsal.engine.engine import Engine, Mutation
from rehearsal.scenario.catalog_service import CatalogService

REGION = "eu-west-1"
PRODUCER = "rehearsal-app"
READER = "rehearsal-downstream"
PUBLISHER = "rehearsal-catalog"
ANALYSTS = "analysts"
"""The read grant of stage dev under which a rehearsal reads the shared tables, and the role that it names."""
ANALYST = "analyst"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A running platform. `outputs` are its stacks', by stack and name.

    Roles are those of applications outside it, made with the managed policies it offers; `reader_roles` are those of
    the platform's own read grants, by the grant's name. `databases` are by zone, `job_names` those of Glue, by job.
    """

    engine: Engine
    outputs: Mapping[str, Mapping[str, str]]
    raw_bucket: str
    stream_arn: str
    topic_arn: str
    queue_arn: str
    dead_letter_queue_url: str
    producer_role: str
    reader_role: str
    publisher_role: str
    transformed_bucket: str
    databases: Mapping[str, str]
    job_names: Mapping[str, str]
    reader_roles: Mapping[str, str]
    crawl_dead_letter_queue_url: str


def stack_name(stage: str, part: str) -> str:
    """The CloudFormation name of a stage's stack."""
    return f"Amp-{stage}-{part}"


def start(
    assembly: Path,
    *,
    stage: str,
    clock: Clock,
    catalog: CatalogService,
    mutate: dict[str, Mutation] | None = None,
    warehouse: bool = True,
    emr: bool = False,
    orchestration: bool = False,
) -> Deployed:
    """Start an engine and deploy the platform into it; the caller closes `Deployed.engine`.

    The catalog service's address is given as the template's parameter and its token is put into the secret, as
    whoever deploys does. `mutate` maps a part (`EventStream`) to a change of its template. Without
    `warehouse` it and its network are left out, and have no outputs; so is the cluster without `emr`: a rehearsal
    whose jobs run on Glue needs none of its roles. With `orchestration` Airflow has the jobs run, where the stage has a
    cluster on that one: then there are no Glue jobs.
    """
    engine = Engine(assembly, clock=clock, region=REGION)
    engine.start()
    try:
        cluster = stack_name(stage, "EmrOnEks") in [stack.name for stack in engine.assembly.stacks]
        left_out = [] if warehouse else ["Network", "Warehouse"]
        if orchestration:
            left_out += ["LakeJobs"] if cluster else []
        else:
            left_out += ["Orchestration"] if emr else ["EmrOnEks", "Orchestration"]
        return _deploy(engine, stage, catalog, mutate or {}, left_out)
    except BaseException:
        engine.close()
        raise


def _deploy(
    engine: Engine, stage: str, catalog: CatalogService, mutate: dict[str, Mutation], left_out: Sequence[str]
) -> Deployed:
    parts = ("DataLake", "EventStream", "ShowCatalog", "Catalog", "LakeJobs")
    lake, events, shows, catalog_stack, jobs = [stack_name(stage, part) for part in parts]
    names = [stack.name for stack in engine.assembly.stacks if stack.name.split("-")[-1] not in left_out]
    engine.deploy(
        stacks=names,
        parameters={shows: {"CatalogApiBaseUrl": catalog.base_url}},
        mutate={stack_name(stage, part): mutation for part, mutation in mutate.items()},
    )
    host, port = catalog.base_url.removeprefix("http://").split(":")
    engine.allow_network(host, int(port))
    secret = engine.outputs(shows)["CatalogTokenSecretArn"]
    engine.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=catalog.token)
    return Deployed(
        engine=engine,
        outputs={
            stack.name: dict(engine.outputs(stack.name)) if stack.name in names else {}
            for stack in engine.assembly.stacks
        },
        raw_bucket=engine.outputs(lake)["RawBucketName"],
        stream_arn=engine.outputs(events)["EventStreamArn"],
        topic_arn=engine.outputs(shows)["ShowChangesTopicArn"],
        queue_arn=_arn_of_queue(engine, engine.outputs(shows)["ShowChangesQueueUrl"]),
        dead_letter_queue_url=engine.outputs(shows)["DeadLetterQueueUrl"],
        producer_role=engine.principal(PRODUCER, [engine.outputs(events)["ProducerPolicyArn"]]),
        reader_role=engine.principal(READER, [engine.outputs(events)["ReaderPolicyArn"]]),
        publisher_role=engine.principal(PUBLISHER, [engine.outputs(shows)["PublisherPolicyArn"]]),
        transformed_bucket=engine.outputs(lake)["TransformedBucketName"],
        databases={
            "raw": engine.outputs(lake)["RawDatabaseName"],
            "transformed": engine.outputs(lake)["TransformedDatabaseName"],
            "personal": engine.outputs(lake)["PersonalDatabaseName"],
        },
        job_names={
            name.removeprefix(f"amp-{stage}-").replace("-", "_"): name
            for name in (engine.outputs(jobs)["JobNames"].split(",") if jobs in names else ())
        },
        reader_roles={
            arn.split(f"amp-{stage}-reader-")[1]: arn
            for arn in engine.outputs(catalog_stack).get("ReaderRoleArns", "").split(",")
            if arn
        },
        crawl_dead_letter_queue_url=engine.outputs(catalog_stack)["DeadLetterQueueUrl"],
    )


def _arn_of_queue(engine: Engine, url: str) -> str:
    attributes = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(attributes["Attributes"]["QueueArn"])
