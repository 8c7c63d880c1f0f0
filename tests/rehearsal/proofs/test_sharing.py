"""Whoever holds a grant reads its tables and nothing else, and finds no personal value in any byte of them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("duckdb_extension_avro", reason="DuckDB's extensions are in requirements-dev.txt alone")

from contracts.datasets import CREATORS, SHOWS, USER_PROFILES
from contracts.event import Event
from contracts.events import EVENTS
from contracts.views.samples import sample
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import jars
from rehearsal.scenario import batch
from tests.rehearsal.proofs.dropped import Dropped, json_lines, parquet
from tests.rehearsal.proofs.played import NOW, Played
from tests.rehearsal.proofs.readable import BYTES, MANIFEST, STATISTICS, VALUES, Opened, objects, opened, places

try:
    jars()
except RehearsalError as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.campaign]

REFUSED = "of a wrong clock"
JOBS = ("events", "shows", "batch_files")
ACTOR = ("user.id", "device.id")
ACTING = [event for event in EVENTS if any(c.personal and c.path not in ACTOR for c in event.sent)]
"""Events that tell something personal beside who acted; of the others one is enough."""


class Marks:
    """Personal values that stand nowhere else: each short enough to stay whole where statistics cut values off."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        mark = "pv" + hashlib.sha256(what.encode()).hexdigest()[:12]
        self.of[mark] = what
        return mark


def marked(event: Event, marks: Marks, *, name: str, age_days: int = 0) -> bytes:
    """An event with every column, each personal one with a mark; it names persons where it may name things."""
    body = sample(event)
    body["event_id"], body["occurred_at"] = name, int(NOW.timestamp() * 1000) - age_days * 86_400_000
    for column in event.sent:
        if not column.personal:
            continue
        mark = marks(f"{name} {column.path}")
        _set(body, column.keys, [mark] if column.type.startswith("array") else mark)
        if column.thing_when:
            (kind,) = (one for one in event.sent if one.name == column.thing_when[0])
            _set(body, kind.keys, next(one for one in kind.examples if one not in column.thing_when[1]))
    _set(body, ("user", "nickname"), marks(f"{name} what no contract names"))
    return json.dumps(body, ensure_ascii=False).encode()


def _set(body: Any, keys: tuple[str, ...], value: object) -> None:
    for key in keys[:-1]:
        body = body.setdefault(key, {})
    body[keys[-1]] = value


def send(played: Played, marks: Marks) -> None:
    """Events and files, all that is personal in them marked."""
    (like,) = (event for event in EVENTS if event.type == "like")
    played.put(
        *(marked(event, marks, name=event.type) for event in (*ACTING, like)),
        marked(like, marks, name=REFUSED, age_days=900),
    )
    creator, listener = marks("creator's id in files"), marks("listener's id in files")
    show = {"show_id": "s-1", "title": "Morning", "status": "live", "language": "en", "topics": ["news"]}
    profile = {"user_id": listener, "email": f"{marks('e-mail')}@mail.example", "plan": "plus", "country": "PT"}
    Dropped(played).put(
        {
            f"{SHOWS.name}/a.json": json_lines(
                {**show, "creator_id": creator, "creator_name": marks("creator's name in shows")},
                {**show, "show_id": "s-2", "topics": "none", "creator_name": marks("in a refused row")},
            ),
            f"{CREATORS.name}/a.parquet": parquet({"creator_id": creator, "name": marks("name"), "country": "PT"}),
            f"{USER_PROFILES.name}/a.csv": f"{','.join(profile)}\n{','.join(profile.values())}\n".encode(),
            "uploads/survey/a.json": json_lines({"answer": marks("in an undeclared file")}),
        }
    )


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A lake with tables, the marks that went into it, and who may assume a reader's role."""

    played: Played
    marks: dict[str, str]
    analyst: str
    visitor: str

    def role(self, grant: str) -> str:
        return self.played.deployed.reader_roles[grant]

    def reader(self, grant: str) -> Session:
        """A session of the grant's role, as those have it whom the grant names."""
        callers = {"analysts": self.analyst, "recommendations": f"{self.analyst.rsplit('/', 1)[0]}/recommendations"}
        return self.played.engine.session_of(self.role(grant), caller=callers[grant])

    def client(self, grant: str, service: str) -> Any:
        session: Any = self.reader(grant)
        return session.client(service, endpoint_url=self.played.engine.endpoint_url)


@pytest.fixture(scope="module")
def shared(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Real tables, by one run of each job that personal values go into."""
    with Played(assembly, workspace=tmp_path_factory.mktemp("sharing")) as played:
        marks = Marks()
        send(played, marks)
        played.settle()
        window = batch.Window.around(NOW, played.engine.clock.now())
        ran = batch.run_jobs(played.deployed, window, jobs=JOBS)
        assert [(one.job, one.state, one.error) for one in ran] == [(job, "SUCCEEDED", "") for job in JOBS]
        roles = list(played.deployed.reader_roles.values())
        analyst, visitor = (played.engine.principal(name, may_assume=roles) for name in ("analyst", "visitor"))
        played.engine.principal("recommendations", may_assume=roles)
        yield Shared(played=played, marks=marks.of, analyst=analyst, visitor=visitor)


# --- who may --------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> str:
    """What a refused call is told."""
    with pytest.raises(ClientError) as raised:
        call()
    assert raised.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return str(raised.value.response["Error"]["Message"])


def test_a_role_that_no_grant_names_cannot_assume_a_reader_s_role(shared: Shared) -> None:
    engine = shared.played.engine
    for role in (shared.role("analysts"), shared.role("recommendations")):
        said = refused(partial(engine.session_of, role, caller=shared.visitor))
        assert "sts:AssumeRole" in said
        assert role in said


def test_a_role_that_one_grant_names_cannot_assume_the_role_of_another(shared: Shared) -> None:
    said = refused(lambda: shared.played.engine.session_of(shared.role("recommendations"), caller=shared.analyst))
    assert shared.role("recommendations") in said


def test_a_role_that_a_grant_names_needs_leave_of_its_own_account_too(shared: Shared) -> None:
    engine = shared.played.engine
    try:
        engine.principal("analyst")
        assert "sts:AssumeRole" in refused(lambda: engine.session_of(shared.role("analysts"), caller=shared.analyst))
    finally:
        engine.principal("analyst", may_assume=[shared.role("analysts")])


# --- what they read -------------------------------------------------------------------------------------------


def test_a_grant_of_a_database_reads_the_entry_and_the_files_of_each_of_its_tables(shared: Shared) -> None:
    deployed = shared.played.deployed
    glue, s3 = shared.client("analysts", "glue"), shared.client("analysts", "s3")
    names = [table["Name"] for table in glue.get_tables(DatabaseName=deployed.databases["transformed"])["TableList"]]
    assert {"chat_message", "shows", "batch_shows", "job_runs"} <= set(names)
    for name in names:
        table = glue.get_table(DatabaseName=deployed.databases["transformed"], Name=name)["Table"]
        bucket, _, key = table["Parameters"]["metadata_location"].split("://")[1].partition("/")
        metadata = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        files = objects(s3, bucket, f"transformed/{name}/data/")
        assert metadata["location"].endswith(f"transformed/{name}")
        assert files, name


def test_a_grant_of_tables_reads_these_and_sees_no_other_in_the_catalog(shared: Shared) -> None:
    deployed = shared.played.deployed
    glue, s3 = shared.client("recommendations", "glue"), shared.client("recommendations", "s3")
    tables = glue.get_tables(DatabaseName=deployed.databases["transformed"])["TableList"]
    assert [table["Name"] for table in tables] == ["shows"]
    assert glue.get_table(DatabaseName=deployed.databases["transformed"], Name="shows")["Table"]["Name"] == "shows"
    assert objects(s3, deployed.transformed_bucket, "transformed/shows/")


Attempt = Callable[[Any, "Shared"], object]


def _entry(zone: str, name: str) -> Attempt:
    return lambda glue, shared: glue.get_table(DatabaseName=shared.played.deployed.databases[zone], Name=name)


def _listed(zone: str) -> Attempt:
    return lambda glue, shared: glue.get_tables(DatabaseName=shared.played.deployed.databases[zone])


def _file(prefix: str, bucket: str = "transformed_bucket") -> Attempt:
    def attempt(s3: Any, shared: Shared) -> object:
        name = getattr(shared.played.deployed, bucket)
        files = shared.played.engine.client("s3").list_objects_v2(Bucket=name, Prefix=prefix)["Contents"]
        return s3.get_object(Bucket=name, Key=files[0]["Key"])

    return attempt


def _folder(prefix: str, bucket: str = "transformed_bucket") -> Attempt:
    return lambda s3, shared: s3.list_objects_v2(Bucket=getattr(shared.played.deployed, bucket), Prefix=prefix)


def _written(s3: Any, shared: Shared) -> object:
    return s3.put_object(Bucket=shared.played.deployed.transformed_bucket, Key="transformed/shows/data/x", Body=b"x")


def _removed(s3: Any, shared: Shared) -> object:
    bucket = shared.played.deployed.transformed_bucket
    files = shared.played.engine.client("s3").list_objects_v2(Bucket=bucket, Prefix="transformed/shows/")["Contents"]
    return s3.delete_object(Bucket=bucket, Key=files[0]["Key"])


def _changed(glue: Any, shared: Shared) -> object:
    database = shared.played.deployed.databases["transformed"]
    return glue.update_table(DatabaseName=database, TableInput={"Name": "shows", "Parameters": {}})


def _made(glue: Any, shared: Shared) -> object:
    return glue.create_table(DatabaseName=shared.played.deployed.databases["transformed"], TableInput={"Name": "mine"})


def _secret(manager: Any, shared: Shared) -> object:
    arn = shared.played.engine.outputs("Amp-dev-DataLake")["PersonKeySecretArn"]
    return manager.get_secret_value(SecretId=arn)


BOTH = (
    ("glue", _entry("personal", "event_details"), "glue:GetTable", "database/amp_dev_personal"),
    ("glue", _entry("personal", "batch_user_profiles"), "glue:GetTable", "database/amp_dev_personal"),
    ("glue", _entry("raw", "like"), "glue:GetTable", "database/amp_dev_raw"),
    ("glue", _listed("personal"), "glue:GetTables", "database/amp_dev_personal"),
    ("glue", _listed("raw"), "glue:GetTables", "database/amp_dev_raw"),
    ("glue", _changed, "glue:UpdateTable", ""),
    ("glue", _made, "glue:CreateTable", ""),
    ("s3", _file("personal/event_details/data/"), "s3:GetObject", "/personal/event_details/data/"),
    ("s3", _file("personal/batch_user_profiles/metadata/"), "s3:GetObject", "/personal/batch_user_profiles/"),
    ("s3", _file("events/", "raw_bucket"), "s3:GetObject", "/events/type="),
    ("s3", _file("batch/", "raw_bucket"), "s3:GetObject", "/batch/"),
    ("s3", _folder("personal/"), "s3:ListBucket", "transformed"),
    ("s3", _folder(""), "s3:ListBucket", "transformed"),
    ("s3", _folder("events/", "raw_bucket"), "s3:ListBucket", "raw"),
    ("s3", _written, "s3:PutObject", "/transformed/shows/data/x"),
    ("s3", _removed, "s3:DeleteObject", "/transformed/shows/"),
    ("secretsmanager", _secret, "secretsmanager:GetSecretValue", "secret:"),
)
TABLES_ONLY = (
    ("glue", _entry("transformed", "chat_message"), "glue:GetTable", "table/amp_dev_transformed/chat_message"),
    ("glue", _entry("transformed", "show_history"), "glue:GetTable", "table/amp_dev_transformed/show_history"),
    ("s3", _file("transformed/chat_message/data/"), "s3:GetObject", "/transformed/chat_message/data/"),
    ("s3", _file("transformed/show_history/data/"), "s3:GetObject", "/transformed/show_history/data/"),
    ("s3", _folder("transformed/"), "s3:ListBucket", "transformed"),
)
ATTEMPTS = [
    *(("analysts", *attempt) for attempt in BOTH),
    *(("recommendations", *attempt) for attempt in (*BOTH, *TABLES_ONLY)),
]


@pytest.mark.parametrize(("grant", "service", "attempt", "action", "resource"), ATTEMPTS)
def test_everything_else_is_refused_by_name(
    shared: Shared, grant: str, service: str, attempt: Attempt, action: str, resource: str
) -> None:
    said = refused(lambda: attempt(shared.client(grant, service), shared))
    assert f"assumed-role/amp-dev-reader-{grant}/" in said
    assert f"not authorized to perform: {action} on resource: " in said
    assert resource in said.partition(" on resource: ")[2]


# --- no personal value ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seen(shared: Shared) -> list[Opened]:
    """All that the analysts may read, opened up, the catalog's entries too."""
    deployed = shared.played.deployed
    glue, s3 = shared.client("analysts", "glue"), shared.client("analysts", "s3")
    tables = glue.get_tables(DatabaseName=deployed.databases["transformed"])["TableList"]
    entries = [
        Opened(key=table["Name"], kind="catalog entry", content=json.dumps(table, default=str).encode())
        for table in tables
    ]
    return [*entries, *opened(objects(s3, deployed.transformed_bucket, "transformed/"))]


def test_no_personal_value_stands_in_anything_that_a_reader_can_get(shared: Shared, seen: list[Opened]) -> None:
    found = places(seen, shared.marks)
    assert {shared.marks[mark]: sorted(where) for mark, where in found.items()} == {}


def test_the_same_search_finds_what_is_shared_wherever_it_stands(seen: list[Opened]) -> None:
    # The words of samples, which are shared: an event's name, a show's id.
    kinds = {kind for where in places(seen, ["chat_message", "s-1"]).values() for _, kind in where}
    assert kinds >= {VALUES, STATISTICS, MANIFEST, BYTES, "catalog entry"}
    keys = {one.key.split("/")[1] for one in seen if one.kind == VALUES}
    assert {event.type for event in ACTING} | {"shows", "creators", "batch_creators", "batch_user_profiles"} <= keys


def test_the_same_search_finds_every_personal_value_in_the_personal_zone(shared: Shared) -> None:
    deployed = shared.played.deployed
    personal = opened(objects(shared.played.engine.client("s3"), deployed.transformed_bucket, "personal/"))
    found = places(personal, shared.marks)
    assert sorted(set(shared.marks.values()) - {shared.marks[mark] for mark in found}) == []
    kinds = {kind for where in found.values() for _, kind in where}
    assert kinds >= {VALUES, STATISTICS}
    # Manifests outlive the rows that they tell of, so that not even here do they hold what is personal.
    assert MANIFEST not in kinds
    tables = {key.split("/")[1] for where in found.values() for key, _ in where}
    assert tables >= {"event_details", "rejected_rows", "batch_user_profiles", "batch_uploads_survey"}


def test_persons_are_there_as_keys_that_nobody_can_make_without_the_secret(shared: Shared, seen: list[Opened]) -> None:
    engine = shared.played.engine
    arn = engine.outputs("Amp-dev-DataLake")["PersonKeySecretArn"]
    secret = engine.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"].encode()
    ids = [
        mark
        for mark, what in shared.marks.items()
        if what.endswith((" user.id", " device.id", "id in files")) and REFUSED not in what
    ]
    keys = {hmac.digest(secret, one.encode(), "sha256").hex()[:32]: one for one in ids}
    assert set(places(seen, keys)) == set(keys)
    digests = [hashlib.sha256(one.encode()).hexdigest()[:32] for one in ids]
    assert places([one for one in seen if one.kind == VALUES], digests) == {}
