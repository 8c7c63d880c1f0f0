"""Rehearses the warehouse once the platform stands: what was made, what drifts, what rotates, who can do what.

It acts as people would: through the configuration function, the table of declarations, Secrets Manager and logins.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from config import stage_named
from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import User
from rehearsal.engine.engine import Engine
from rehearsal.scenario import warehouse_cast
from rehearsal.scenario.assembly import ROOT
from rehearsal.scenario.deployment import stack_name
from rehearsal.scenario.warehouse_cast import Making
from rehearsal.scenario.warehouse_findings import Chapter, Login, Moment, Rotation, WarehouseFindings
from rehearsal.scenario.warehouse_rights import Table, tables_of, try_all

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
DECLARATIONS = ROOT / "config" / "warehouse"


def rehearse(
    engine: Engine, *, stage: str, settle: Callable[[], None], progress: Callable[[str, str], None]
) -> WarehouseFindings | None:
    """Rehearse the stage's first cluster; None where the stage has no warehouse."""
    try:
        outputs = engine.outputs(stack_name(stage, "Warehouse"))
    except KeyError:
        return None
    played = _Played(engine, outputs, stage=stage, settle=settle)
    for title, chapter in CHAPTERS:
        progress("warehouse", title)
        try:
            said, lines, well = chapter(played)
            told = Chapter(title=title, said=said, lines=lines, well=well)
        except _LeftOut as reason:
            told = Chapter(title=title, said=f"left out: {reason}", lines=[], well=True, left_out=True)
        except Exception as error:  # whatever is wrong with the platform, the report says where it showed
            said = f"broke off, and with it all that would have followed: {type(error).__name__}: {error}"
            played.findings.chapters.append(Chapter(title=title, said=said, lines=[], well=False))
            return played.findings
        played.findings.chapters.append(told)
    played.findings.modelled = played.modelled()
    return played.findings


_Told = tuple[str, Sequence[str], bool]


class _LeftOut(Exception):
    """A chapter cannot be played; the text says what the declaration lacks for it."""


class _Played:
    """The cluster in the rehearsal's hands."""

    def __init__(self, engine: Engine, outputs: Mapping[str, Any], *, stage: str, settle: Callable[[], None]) -> None:
        self._engine, self._outputs, self.settle = engine, outputs, settle
        settings = stage_named(stage).warehouse.clusters[0]
        self._settings = settings
        self._identifier = outputs["ClusterIdentifiers"].split(",")[0]
        self._prefix = outputs["SecretPrefixes"].split(",")[0]
        self._makers: dict[str, str] = {}
        document = (DECLARATIONS / f"{settings.declaration}.toml").read_text()
        self.declaration = declaration_of(items_of(tomllib.loads(document)))
        self.findings = WarehouseFindings(cluster=settings.name, declaration=self.declaration)
        (found,) = engine.client("redshift").describe_clusters(ClusterIdentifier=self._identifier)["Clusters"]
        self._where = {
            "host": found["Endpoint"]["Address"],
            "port": found["Endpoint"]["Port"],
            "dbname": found["DBName"],
            "sslmode": "verify-full",
            "sslrootcert": engine.account.function_environment["AWS_CA_BUNDLE"],
            "connect_timeout": 10,
        }
        if person := warehouse_cast.last_person(self.declaration):
            secret_id = self._prefix + person.name
            self.findings.login = Login(user=person.name, secret_id=secret_id, where=self._where)

    # --- acting ---------------------------------------------------------------------------------------

    def ask(self, action: str, **wish: object) -> dict[str, Any]:
        """What the configuration function answers a person."""
        payload = json.dumps({"action": action, "cluster": self._settings.name, **wish}).encode()
        function = self._outputs["ConfigurationFunctionName"]
        answer = self._engine.client("lambda").invoke(FunctionName=function, Payload=payload)
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return {"result": "failed", "lines": [], "drift": 0, "error": said.get("errorMessage", "it crashed")}
        return said

    def by_hand(self, *sqls: str) -> None:
        """Statements of an administrator who does not know of the declaration."""
        client = self._engine.client("redshift-data")
        for sql in sqls:
            begun = client.execute_statement(
                ClusterIdentifier=self._identifier,
                Database=self._settings.database,
                DbUser=self._settings.admin_user,
                Sql=sql,
            )["Id"]
            self._ended(client, begun)

    def _ended(self, client: Any, statement_id: str) -> None:
        while (described := client.describe_statement(Id=statement_id))["Status"] not in ("FINISHED", "FAILED"):
            self.settle()
        if described["Status"] == "FAILED":
            raise RuntimeError(f"{described['QueryString']}: {described['Error']}")

    def item(self, name: str) -> dict[str, Any]:
        """An item of the table of declarations."""
        table = self._outputs["DeclarationTableName"]
        key = {"declaration": {"S": self._settings.declaration}, "item": {"S": name}}
        found: dict[str, Any] = self._engine.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        return found

    def put(self, item: Mapping[str, Any]) -> None:
        """Change the declaration as a person would, and let the platform hear of it."""
        self._engine.client("dynamodb").put_item(TableName=self._outputs["DeclarationTableName"], Item=item)
        self.settle()

    def runs(self) -> list[dict[str, Any]]:
        """The records of runs, oldest first."""
        client, table = self._engine.client("dynamodb"), self._outputs["ConfigurationTableName"]
        found = client.query(
            TableName=table,
            KeyConditionExpression="#cluster = :cluster AND begins_with(#item, :run)",
            ExpressionAttributeNames={"#cluster": "cluster", "#item": "item"},
            ExpressionAttributeValues={":cluster": {"S": self._settings.name}, ":run": {"S": "run#"}},
        )["Items"]
        return [{name: _plain(value) for name, value in item.items()} for item in found]

    # --- logging in -----------------------------------------------------------------------------------

    def secret(self, user: str, stage: str) -> dict[str, Any] | None:
        """A version of a user's secret, if there is one with a password."""
        client = self._engine.client("secretsmanager")
        try:
            found = client.get_secret_value(SecretId=self._prefix + user, VersionStage=stage)
        except client.exceptions.ResourceNotFoundException:
            return None
        value: dict[str, Any] = json.loads(found["SecretString"])
        return value if "password" in value else None

    def logs_in(self, user: str, stage: str) -> bool | None:
        """Whether a version of a secret logs in; None when there is none."""
        value = self.secret(user, stage)
        return None if value is None else self._works(value)

    def _works(self, value: Mapping[str, Any] | None) -> bool:
        """Whether what a secret holds, or held, logs in as the user that it names."""
        if value is None:
            return False
        try:
            with psycopg.connect(**self._where, user=value["username"], password=value["password"]) as connection:
                return connection.execute("SELECT current_user").fetchone() == (value["username"],)
        except psycopg.OperationalError:
            return False

    @contextmanager
    def _as_login(self, login: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection of a declared database user: by its secret, or by temporary credentials.

        Of a service's two database users only one has the current password.
        """
        owner = next(user for user in self.declaration.users if login in user.logins)
        value = self.secret(owner.name, CURRENT)
        if value is not None and value["username"] == login:
            with psycopg.connect(**self._where, user=login, password=value["password"], autocommit=True) as connection:
                yield connection
        else:
            with self._temporarily(login) as connection:
                yield connection

    @contextmanager
    def _temporarily(self, login: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection with temporary credentials of any database user."""
        given = self._engine.client("redshift").get_cluster_credentials(
            ClusterIdentifier=self._identifier, DbUser=login, DbName=self._settings.database
        )
        with psycopg.connect(
            **self._where, user=given["DbUser"], password=given["DbPassword"], autocommit=True
        ) as connection:
            yield connection

    def _current_login(self, user: str) -> str:
        """The database user whose password a secret holds now."""
        value = self.secret(user, CURRENT)
        return str(value["username"]) if value else user

    def tables(self) -> list[Table]:
        """Every table of the declared schemas."""
        with self._temporarily(self._settings.admin_user) as connection:
            return tables_of(connection, self.declaration, makers=self._makers)

    def _making(self) -> Making:
        made = warehouse_cast.making(self.declaration)
        if made is None:
            raise _LeftOut("no user may make a table in a schema of the warehouse's own")
        return made

    # --- chapters -------------------------------------------------------------------------------------

    def deployed(self) -> _Told:
        """The first run, which the deployment asked for."""
        runs = self.runs()
        first: dict[str, Any] = runs[0] if runs else {"result": "none", "lines": [], "transactions": []}
        transactions: list[dict[str, Any]] = first["transactions"]
        statements = sum(len(one["statements"]) for one in transactions)
        said = f"{first['result']}: {statements} statements in {len(transactions)} transactions"
        if first.get("error"):
            said += f"; {first['error']}"
        return said, first["lines"], bool(first["result"] == "configured")

    def second(self) -> _Told:
        """A run over what stands."""
        told = self.ask("apply")
        return told["error"] or told["result"], told["lines"], told["result"] == "unchanged" and not _open(told)

    def first_passwords(self) -> _Told:
        """Every user's secret, filled by its first rotation."""
        lines = []
        for user in self.declaration.users:
            works = self.logs_in(user.name, CURRENT)
            lines.append(f"{user.name}: {'logs in' if works else 'has no password' if works is None else 'refused'}")
        failed = [line for line in lines if not line.endswith("logs in")]
        return f"{len(lines) - len(failed)} of {len(lines)} users log in with their secret", lines, not failed

    def a_report(self) -> _Told:
        """A table made by a user: what others may do comes by default privileges, the rest by the next run."""
        made = self._making()
        maker = self._current_login(made.user.name)
        table = made.table(maker)
        name = psycopg.sql.Identifier(table.schema, table.name)
        with self._as_login(maker) as connection:
            connection.execute(psycopg.sql.SQL("CREATE TABLE {} (day date, listeners int)").format(name))
            connection.execute(psycopg.sql.SQL("INSERT INTO {} VALUES ('2026-11-18', 1)").format(name))
        self._makers[str(table)] = maker
        reader = warehouse_cast.reading_at_once(self.declaration, made)
        read = "by no default grant is it read at once" if reader is None else self._read_at_once(reader, table)
        told = self.ask("apply")
        said = f"{maker} made {table}; {read}; the next run: {told['error'] or told['result']}"
        return said, told["lines"], told["result"] in ("configured", "unchanged")

    def _read_at_once(self, reader: User, table: Table) -> str:
        """What a reader reads; a reader who is refused makes the rehearsal fail among the tried rights too."""
        with self._as_login(self._current_login(reader.name)) as connection:
            name = psycopg.sql.Identifier(table.schema, table.name)
            rows = connection.execute(psycopg.sql.SQL("SELECT listeners FROM {}").format(name)).fetchall()
        return f"{reader.name} read {len(rows)} row at once"

    def rights(self) -> _Told:
        """Everything tried as everybody."""
        if not self.declaration.users:
            raise _LeftOut("no user is declared")
        self.findings.tables = self.tables()
        self.findings.tried = list(try_all(self.declaration, self.findings.tables, self._as_login))
        wrong = [tried for tried in self.findings.tried if tried.may != tried.can]
        allowed = sum(tried.can for tried in self.findings.tried)
        said = f"{len(self.findings.tried)} attempts, {allowed} allowed; {len(wrong)} are not as declared"
        return said, [f"{tried.user}: {tried.what}" for tried in wrong], not wrong

    def drift(self) -> _Told:
        """Changes by hand: told, left alone, put right when told to."""
        changes = self._changes_by_hand()
        self.by_hand(*changes)
        found, left = self.ask("plan"), self.ask("apply")
        repaired, dropped = self.ask("apply", repair=True), self.ask("apply", repair=True, drop=True)
        after = self.ask("plan")
        well = (
            found["drift"] == left["drift"] == len(changes)
            and left["result"] == after["result"] == "unchanged"
            # The user is dropped only when that is allowed; rights are put right before.
            and repaired["result"] == ("configured" if len(changes) > 1 else "unchanged")
            and dropped["result"] == "configured"
            and not _open(after)
        )
        said = (
            f"{found['drift']} differences found and left; {repaired['result']} with repair, {dropped['result']} with "
            f"drop, then {after['result']}"
        )
        return said, found["lines"], well

    def _changes_by_hand(self) -> list[str]:
        """A right taken, a right given, a user made: as many of them as the declaration has room for."""
        changes = [f'CREATE USER "{warehouse_cast.STRAY_USER}" PASSWORD DISABLE']
        if granted := warehouse_cast.usage_granted(self.declaration):
            role, schema = granted
            changes.append(f'REVOKE USAGE ON SCHEMA "{schema}" FROM ROLE "{role}"')
        made = warehouse_cast.making(self.declaration)
        if made and self._makers and (removing := warehouse_cast.not_removing(self.declaration, made)):
            table = f'"{made.schema}"."{warehouse_cast.REPORT_TABLE}"'
            changes.append(f'GRANT DELETE ON TABLE {table} TO ROLE "{removing}"')
        return changes

    def removed(self) -> _Told:
        """A role taken from a person in the table of declarations: the stream tells the function."""
        chosen = warehouse_cast.person_reading(self.declaration, self.tables())
        if chosen is None:
            raise _LeftOut("by no role may a person read a table that there is")
        person, table = chosen
        before = self._can_read(person, table)
        item = self.item(f"users.{person.name}")
        self.put({**item, "roles": {"L": []}})
        without = self._can_read(person, table)
        self.put(item)
        again = self._can_read(person, table)
        said = (
            f"{person.name} reads {table}: {_yes(before)} before, {_yes(without)} without a role, {_yes(again)} with "
            "them again"
        )
        return said, [], (before, without, again) == (True, False, True)

    def left(self) -> _Told:
        """A person who is not declared any more logs in no more, and is back as before when declared again."""
        person = warehouse_cast.last_person(self.declaration)
        if person is None:
            raise _LeftOut("no person is declared")
        name, table = f"users.{person.name}", self._outputs["DeclarationTableName"]
        item, old = self.item(name), self.secret(person.name, CURRENT)
        key = {"declaration": item["declaration"], "item": item["item"]}
        self._engine.client("dynamodb").delete_item(TableName=table, Key=key)
        self.settle()
        without = self._works(old)
        self.put(item)
        again, old_again = self.logs_in(person.name, CURRENT), self._works(old)
        said = (
            f"{person.name}'s password logs in: {_yes(without)} without the declaration; with it again the new one "
            f"{_yes(bool(again))}, the old one {_yes(old_again)}"
        )
        return said, [], (without, again, old_again) == (False, True, False)

    def rotations(self) -> _Told:
        """The password of a user of each kind rotated, watched after every step."""
        users = warehouse_cast.rotating(self.declaration)
        if not users:
            raise _LeftOut("no user is declared")
        self.findings.rotations = [self._rotated(user) for user in users]
        lines = []
        for rotation in self.findings.rotations:
            refused = [moment.after for moment in rotation.moments if not moment.current]
            gap = f"the current secret did not log in after {', '.join(refused)}, and does again"
            lines.append(
                f"{rotation.user.name} ({rotation.user.rotation}): "
                f"{gap if refused else 'the current secret logged in at every step'}"
            )
        return "; ".join(lines), lines, not any(rotation.problems for rotation in self.findings.rotations)

    def _rotated(self, user: User) -> Rotation:
        moments = [self._moment(user, "before")]

        def after(step: str) -> None:
            moments.append(self._moment(user, step))

        with self._engine.watching_rotations(self._prefix + user.name, after):
            self._engine.client("secretsmanager").rotate_secret(SecretId=self._prefix + user.name)
            self.settle()
        return Rotation(user=user, moments=moments)

    def _moment(self, user: User, after: str) -> Moment:
        return Moment(
            after=after,
            current=self.logs_in(user.name, CURRENT),
            pending=self.logs_in(user.name, PENDING),
            previous=self.logs_in(user.name, PREVIOUS),
        )

    def _can_read(self, user: User, table: Table) -> bool:
        with self._as_login(user.name) as connection:
            try:
                connection.execute(
                    psycopg.sql.SQL("SELECT * FROM {} LIMIT 1").format(psycopg.sql.Identifier(table.schema, table.name))
                )
            except psycopg.errors.InsufficientPrivilege:
                return False
        return True

    def modelled(self) -> list[tuple[str, str, int]]:
        """What PostgreSQL stood in for, most frequent first."""
        counts = self._engine.modelled_statements(self._identifier)
        most_first = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return [(kind, by, count) for (kind, by), count in most_first if by]


CHAPTERS: tuple[tuple[str, Callable[[_Played], _Told]], ...] = (
    ("Deployed", _Played.deployed),
    ("Run again", _Played.second),
    ("First passwords", _Played.first_passwords),
    ("A report is made", _Played.a_report),
    ("Rights, tried as each user", _Played.rights),
    ("Changed by hand", _Played.drift),
    ("A role is taken away", _Played.removed),
    ("A person leaves and comes back", _Played.left),
    ("Passwords rotate", _Played.rotations),
)


def _plain(value: Mapping[str, Any]) -> Any:
    """A value as DynamoDB's API writes it."""
    ((kind, inner),) = value.items()
    if kind == "L":
        return [_plain(one) for one in inner]
    if kind == "M":
        return {name: _plain(one) for name, one in inner.items()}
    return inner


def _open(told: Mapping[str, Any]) -> list[str]:
    """What a plan says that is not as declared; rights that wait for a table are as declared."""
    return [line for line in told["lines"] if not line.startswith("…")]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
