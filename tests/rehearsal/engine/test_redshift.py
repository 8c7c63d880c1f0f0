"""A cluster is a real database: its logins, its temporary passwords, its rights, its catalog and the Data API."""

from __future__ import annotations

import json
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, StartEngine, allow, att, one_stack, role
from tests.rehearsal.engine.warehouse_assemblies import (
    ADMIN,
    ARN,
    CLUSTER,
    DATABASE,
    Sql,
    cluster,
    managed_policy,
    started_warehouse,
    warehouse_resources,
)

pytest.importorskip("time_machine", reason=NEEDS)
psycopg = pytest.importorskip("psycopg", reason=NEEDS)

from botocore.exceptions import ClientError  # noqa: E402 — after the checks for what it needs

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine


def connect(engine: Engine, user: str, password: str) -> Any:
    """A login as a client outside makes one, by what the API says of the cluster."""
    endpoint = engine.client("redshift").describe_clusters(ClusterIdentifier=CLUSTER)["Clusters"][0]["Endpoint"]
    ca_file = engine.account.function_environment["AWS_CA_BUNDLE"]
    return psycopg.connect(
        host=endpoint["Address"], port=endpoint["Port"], dbname=DATABASE, user=user, password=password,
        sslmode="verify-full", sslrootcert=ca_file, autocommit=True, connect_timeout=10,
    )  # fmt: skip


def hashed(user: str, password: str) -> str:
    return "md5" + md5((password + user).encode()).hexdigest()  # noqa: S324 — Redshift's form


@pytest.fixture
def engine(tmp_path: Path, start_engine: StartEngine) -> Engine:
    return started_warehouse(tmp_path, start_engine)


@pytest.fixture
def sql(engine: Engine) -> Sql:
    return Sql(engine)


# --- logins -----------------------------------------------------------------------------------------------


def test_the_administrators_managed_secret_logs_in(engine: Engine) -> None:
    secret_arn = engine._deployment.created("App", "Cluster").attributes["MasterPasswordSecretArn"]
    value = json.loads(engine.client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"])

    with connect(engine, value["username"], value["password"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (ADMIN,)


def test_a_hash_set_by_the_data_api_is_a_password(engine: Engine, sql: Sql) -> None:
    sql.run('CREATE USER "ana" PASSWORD DISABLE')
    with pytest.raises(psycopg.OperationalError):
        connect(engine, "ana", "secret")

    sql.run(f"""ALTER USER "ana" PASSWORD '{hashed("ana", "secret")}'""")
    connect(engine, "ana", "secret").close()


def test_a_temporary_password_acts_with_the_users_rights_until_it_expires(engine: Engine, sql: Sql) -> None:
    sql.run('CREATE USER "ana" PASSWORD DISABLE')
    sql.run('CREATE SCHEMA "hidden"')
    given = engine.client("redshift").get_cluster_credentials(
        ClusterIdentifier=CLUSTER, DbUser="ana", DbName=DATABASE, DurationSeconds=900
    )
    assert given["DbUser"] == "IAM:ana"

    with connect(engine, "IAM:ana", given["DbPassword"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("ana",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE hidden.t (a int)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(engine, "IAM:ana", "guessed")
    engine.advance(901)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(engine, "IAM:ana", given["DbPassword"])


def test_several_temporary_passwords_hold_at_once_and_none_for_a_user_that_is_gone(engine: Engine, sql: Sql) -> None:
    client = engine.client("redshift")
    sql.run('CREATE USER "ana" PASSWORD DISABLE')
    passwords = [
        client.get_cluster_credentials(ClusterIdentifier=CLUSTER, DbUser="ana")["DbPassword"] for _ in range(2)
    ]
    for password in passwords:
        connect(engine, "IAM:ana", password).close()

    sql.run('DROP USER "ana"')
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(engine, "IAM:ana", passwords[0])


def test_a_paused_cluster_answers_nobody_and_keeps_its_data(engine: Engine, sql: Sql) -> None:
    client = engine.client("redshift")
    sql.run('CREATE SCHEMA "kept"')
    client.pause_cluster(ClusterIdentifier=CLUSTER)
    assert client.describe_clusters()["Clusters"][0]["ClusterStatus"] == "paused"
    with pytest.raises(ClientError, match="is paused"):
        sql.submit("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        connect(engine, ADMIN, "any")

    client.resume_cluster(ClusterIdentifier=CLUSTER)
    assert sql.run("SELECT nspname FROM pg_namespace WHERE nspname = 'kept'") == [["kept"]]


def test_an_unknown_cluster_is_refused_as_aws_does(engine: Engine) -> None:
    with pytest.raises(ClientError) as refused:
        engine.client("redshift").get_cluster_credentials(ClusterIdentifier="other", DbUser="ana")
    assert refused.value.response["Error"]["Code"] == "ClusterNotFound"
    with pytest.raises(ClientError, match="Redshift endpoint doesn't exist in this region"):
        engine.client("redshift-data").execute_statement(
            ClusterIdentifier="other", Database=DATABASE, DbUser=ADMIN, Sql="SELECT 1"
        )


def test_two_clusters_stand_side_by_side_at_redshifts_port(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started_warehouse(tmp_path, start_engine, Other=cluster(ClusterIdentifier="other"))
    endpoints = [found["Endpoint"] for found in engine.client("redshift").describe_clusters()["Clusters"]]

    assert {endpoint["Port"] for endpoint in endpoints} == {5439}
    assert len({endpoint["Address"] for endpoint in endpoints}) == 2


# --- the Data API -------------------------------------------------------------------------------------------


def test_parameters_are_values_and_never_sql(sql: Sql) -> None:
    hostile = "x'; DROP SCHEMA public; --"
    rows = sql.run(
        "SELECT :a || '%', :b + 1", Parameters=[{"name": "a", "value": hostile}, {"name": "b", "value": "1"}]
    )

    assert rows == [[hostile + "%", 2]]


def test_a_batch_is_one_transaction(sql: Sql) -> None:
    identifier = sql.submit('CREATE SCHEMA "one"', 'CREATE SCHEMA "public"', 'CREATE SCHEMA "two"')
    described = sql.ended(identifier)

    assert described["Status"] == "FAILED"
    assert [part["Status"] for part in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert [part["Id"] for part in described["SubStatements"]] == [f"{identifier}:{n}" for n in (1, 2, 3)]
    assert 'schema "public" already exists' in described["Error"]
    assert sql.run("SELECT nspname FROM pg_namespace WHERE nspname IN ('one', 'two')") == []


def test_more_than_forty_statements_are_refused(sql: Sql) -> None:
    with pytest.raises(ClientError) as refused:
        sql.submit(*["SELECT 1"] * 41)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_results_of_each_kind_come_in_pages(sql: Sql) -> None:
    sql.run('CREATE TABLE "numbers" (n int)')
    values = ", ".join(f"({n})" for n in range(2500))
    sql.run(f'INSERT INTO "numbers" (n) VALUES {values}')  # noqa: S608

    assert [row[0] for row in sql.run("SELECT n FROM numbers ORDER BY n")] == list(range(2500))
    identifier = sql.submit("SELECT 1, true, 1.5::float, 2.50::decimal(5, 2), 'x', null", WaitTimeSeconds=30)
    answer = sql.client.get_statement_result(Id=identifier)
    assert answer["Records"] == [
        [
            {"longValue": 1},
            {"booleanValue": True},
            {"doubleValue": 1.5},
            {"stringValue": "2.50"},
            {"stringValue": "x"},
            {"isNull": True},
        ]
    ]
    assert answer["TotalNumRows"] == 1


def test_the_same_token_submits_once(sql: Sql) -> None:
    sql.run('CREATE TABLE "once" (a int)')
    first = sql.submit('INSERT INTO "once" (a) VALUES (1)', ClientToken="t1")
    assert sql.submit('INSERT INTO "once" (a) VALUES (1)', ClientToken="t1") == first
    sql.ended(first)
    assert sql.run('SELECT count(*) FROM "once"') == [[1]]
    with pytest.raises(ClientError, match="ClientToken"):
        sql.submit('INSERT INTO "once" (a) VALUES (2)', ClientToken="t1")


def test_a_running_statement_is_cancelled(sql: Sql) -> None:
    sql.run('CREATE TABLE "many" (a int)')
    sql.run(f'INSERT INTO "many" (a) VALUES {", ".join(["(1)"] * 3000)}')  # noqa: S608
    identifier = sql.submit('SELECT count(*) FROM "many" a, "many" b, "many" c WHERE a.a + b.a + c.a < 0')

    assert sql.client.cancel_statement(Id=identifier)["Status"] is True
    assert sql.client.describe_statement(Id=identifier)["Status"] == "ABORTED"


def test_statements_run_as_the_named_user(sql: Sql) -> None:
    sql.run('CREATE USER "ana" PASSWORD DISABLE')
    assert sql.run("SELECT current_user", user="ana") == [["ana"]]
    assert "permission denied" in sql.error('CREATE SCHEMA "mine"', user="ana")
    assert 'user "nobody"' in sql.error("SELECT 1", user="nobody")


def test_a_caller_needs_the_login_of_the_user_and_of_the_database(tmp_path: Path, start_engine: StartEngine) -> None:
    run = allow(["redshift-data:*"], "*")
    login = allow(["redshift:GetClusterCredentials"], f"{ARN}:dbuser:{CLUSTER}/{ADMIN}")
    database = allow(["redshift:GetClusterCredentials"], f"{ARN}:dbname:{CLUSTER}/{DATABASE}")
    engine = started_warehouse(
        tmp_path,
        start_engine,
        Run=managed_policy(run),
        Half=managed_policy(run, login),
        Full=managed_policy(run, login, database),
    )
    for name in ("Run", "Half"):
        caller = engine.principal(name, [engine.resource("App", name).physical_id])
        with pytest.raises(ClientError, match="redshift:GetClusterCredentials"):
            Sql(engine, caller).submit("SELECT 1")
    full = Sql(engine, engine.principal("Full", [engine.resource("App", "Full").physical_id]))
    assert full.run("SELECT 1") == [[1]]
    with pytest.raises(ClientError, match="dbuser:analytics/ana"):
        full.submit("SELECT 1", user="ana")


# --- Redshift's own statements ------------------------------------------------------------------------------


def test_rights_go_through_roles_and_are_shown(sql: Sql) -> None:
    sql.run(
        'CREATE SCHEMA "reports"',
        'CREATE TABLE "reports"."sales" ("id" bigint ENCODE az64, "who" varchar(20)) DISTSTYLE KEY DISTKEY ("id") '
        'SORTKEY ("id")',
        'CREATE TABLE "reports"."costs" ("id" bigint, "secret" varchar(max))',
        'CREATE ROLE "reader"',
        'CREATE ROLE "analyst"',
        'CREATE USER "ana" PASSWORD DISABLE CONNECTION LIMIT 5',
        'GRANT ROLE "reader" TO ROLE "analyst"',
        'GRANT ROLE "analyst" TO "ana"',
        'GRANT USAGE ON SCHEMA "reports" TO ROLE "reader"',
        'GRANT SELECT ON TABLE "reports"."sales" TO ROLE "reader"',
        'GRANT SELECT ("id") ON "reports"."costs" TO ROLE "analyst"',
        'ALTER DEFAULT PRIVILEGES FOR USER "amp_admin" IN SCHEMA "reports" GRANT SELECT ON TABLES TO ROLE "analyst"',
    )
    sql.run('CREATE TABLE "reports"."later" ("id" bigint)')

    assert sql.run('SELECT "id" FROM "reports"."sales"', user="ana") == []
    assert sql.run('SELECT "id" FROM "reports"."costs"', user="ana") == []
    assert sql.run('SELECT "id" FROM "reports"."later"', user="ana") == []
    assert "permission denied" in sql.error('SELECT "secret" FROM "reports"."costs"', user="ana")
    assert sql.run(
        "SELECT namespace_name, privilege_type, identity_name, identity_type FROM svv_schema_privileges"
    ) == [
        ["public", "USAGE", "public", "public"],
        ["public", "CREATE", "public", "public"],
        ["reports", "USAGE", "reader", "role"],
    ]
    assert sql.run(
        "SELECT relation_name, privilege_type, identity_name FROM svv_relation_privileges ORDER BY relation_name"
    ) == [["later", "SELECT", "analyst"], ["sales", "SELECT", "reader"]]
    assert sql.run("SELECT relation_name, column_name, privilege_type, identity_name FROM svv_column_privileges") == [
        ["costs", "id", "SELECT", "analyst"]
    ]
    assert sql.run(
        "SELECT schema_name, object_type, owner_name, privilege_type, grantee_name, grantee_type "
        "FROM svv_default_privileges"
    ) == [["reports", "RELATION", "amp_admin", "SELECT", "analyst", "role"]]
    assert sql.run("SELECT user_name, role_name FROM svv_user_grants") == [["ana", "analyst"]]
    assert sql.run("SELECT role_name, granted_role_name FROM svv_role_grants") == [["analyst", "reader"]]
    assert sql.run("SELECT user_name, connection_limit, superuser FROM svv_user_info ORDER BY user_name") == [
        ["amp_admin", "UNLIMITED", True],
        ["ana", "5", False],
        ["rdsdb", "UNLIMITED", True],
    ]
    assert [row[0] for row in sql.run("SELECT role_name FROM svv_roles WHERE role_owner = 'amp_admin'")] == [
        "reader",
        "analyst",
    ]

    sql.run('REVOKE SELECT ON TABLE "reports"."sales" FROM ROLE "reader"')
    assert "permission denied" in sql.error('SELECT "id" FROM "reports"."sales"', user="ana")


def test_several_row_policies_are_joined_by_and(sql: Sql) -> None:
    sql.run(
        'CREATE TABLE "plays" ("country" varchar(2), "who" varchar(20))',
        "INSERT INTO \"plays\" (country, who) VALUES ('de', 'ana'), ('de', 'bo'), ('fr', 'ana')",
        'CREATE ROLE "german"',
        'CREATE ROLE "own"',
        'CREATE USER "ana" PASSWORD DISABLE',
        'CREATE USER "bo" PASSWORD DISABLE',
        'GRANT ROLE "german", ROLE "own" TO "ana"',
        'GRANT SELECT ON TABLE "plays" TO ROLE "german"',
        'GRANT SELECT ON TABLE "plays" TO "bo"',
        """CREATE RLS POLICY "only_de" WITH ("country" varchar(256)) USING ("country" IN ('de'))""",
        'CREATE RLS POLICY "only_own" WITH ("who" varchar(256)) USING ("who" = current_user)',
        'ATTACH RLS POLICY "only_de" ON "public"."plays" TO ROLE "german"',
        'ATTACH RLS POLICY "only_own" ON "public"."plays" TO ROLE "own"',
        'ALTER TABLE "public"."plays" ROW LEVEL SECURITY ON',
    )
    assert sql.run('SELECT * FROM "plays"', user="ana") == [["de", "ana"]]
    assert sql.run('SELECT * FROM "plays"', user="bo") == []
    assert len(sql.run('SELECT * FROM "plays"')) == 3
    assert sql.run(
        "SELECT relschema, relname, polname, grantee, granteekind FROM svv_rls_attached_policy ORDER BY polname"
    ) == [["public", "plays", "only_de", "german", "role"], ["public", "plays", "only_own", "own", "role"]]
    assert sql.run("SELECT relname, is_rls_on FROM svv_rls_relation") == [["plays", True]]
    assert sql.run("SELECT polname FROM svv_rls_policy ORDER BY polname") == [["only_de"], ["only_own"]]

    assert "it is attached" in sql.error('DROP RLS POLICY "only_de"')
    sql.run(
        'DETACH RLS POLICY "only_de" ON "public"."plays" FROM ROLE "german"',
        'DETACH RLS POLICY "only_own" ON "public"."plays" FROM ROLE "own"',
        'DROP RLS POLICY "only_de"',
        'ALTER TABLE "public"."plays" ROW LEVEL SECURITY OFF',
    )
    assert len(sql.run('SELECT * FROM "plays"', user="bo")) == 3


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("VACUUM", "a statement expected"),
        ("SELECT 1; DROP SCHEMA public", "several statements"),
        ("SELECT pg_sleep(1)", "pg_sleep is not among"),
        ("SELECT getdate()", "getdate is Redshift's alone"),
        ("SELECT 1 -- or more", "'-- or more'"),
        ("SELECT $$x$$", "'$$x$$'"),
        ("GRANT SELECT ON TABLE t TO GROUP g", "groups are not played"),
        ("GRANT DROP ON TABLE t TO ROLE r", "the privilege DROP on a table"),
        ("CREATE USER u PASSWORD 'Clear1234'", "clear text"),
        ("CREATE USER u PASSWORD 'sha256|abc'", "sha256"),
        ("CREATE USER u", "needs PASSWORD"),
        ("CREATE ROLE \"sys:mine\"", "sys:"),
        ("DROP USER u CASCADE", "the end expected"),
        ("COPY t FROM 's3://b' IAM_ROLE default", "a statement expected"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_an_error_that_says_so(statement: str, said: str) -> None:
    from rehearsal.engine.redshift.reading import UnknownStatement
    from rehearsal.engine.redshift.statements import read_statement

    with pytest.raises(UnknownStatement) as refused:
        read_statement(statement)
    assert said in str(refused.value)


def test_users_and_roles_are_told_apart(sql: Sql) -> None:
    sql.run('CREATE ROLE "r"', 'CREATE USER "u" PASSWORD DISABLE', 'CREATE SCHEMA "s"')
    assert sql.error('GRANT USAGE ON SCHEMA "s" TO "r"') == 'ERROR: user "r" does not exist'
    assert sql.error('GRANT USAGE ON SCHEMA "s" TO ROLE "u"') == 'ERROR: role "u" does not exist'
    assert "already exists" in sql.error('CREATE ROLE "u"')
    sql.run('GRANT ROLE "r" TO "u"')
    assert sql.error('DROP ROLE "r"') == "ERROR: cannot drop this role since it has been granted on a user"
    sql.run('DROP ROLE "r" FORCE')


def test_roles_cannot_be_members_of_each_other(sql: Sql) -> None:
    sql.run('CREATE ROLE "a"', 'CREATE ROLE "b"', 'GRANT ROLE "a" TO ROLE "b"')
    assert "member of role" in sql.error('GRANT ROLE "b" TO ROLE "a"')


# --- external schemas --------------------------------------------------------------------------------------


def external(engine: Engine, database: str = "lake") -> str:
    role_arn = engine.resource("App", "SpectrumRole").arn
    return f"CREATE EXTERNAL SCHEMA \"lake\" FROM DATA CATALOG DATABASE '{database}' IAM_ROLE '{role_arn}'"


def test_usage_on_an_external_schema_is_the_right_to_its_tables(engine: Engine, sql: Sql) -> None:
    sql.run(external(engine), 'CREATE ROLE "r"', 'CREATE USER "ana" PASSWORD DISABLE', 'GRANT ROLE "r" TO "ana"')
    assert "permission denied for schema lake" in sql.error("SELECT id FROM lake.plays", user="ana")

    sql.run('GRANT USAGE ON SCHEMA "lake" TO ROLE "r"')
    assert sql.run("SELECT id, tags FROM lake.plays", user="ana") == []
    assert sql.run("SELECT relation_name FROM svv_relation_privileges") == []
    assert sql.run("SELECT schemaname, databasename, esoptions FROM svv_external_schemas") == [
        ["lake", "lake", json.dumps({"IAM_ROLE": engine.resource("App", "SpectrumRole").arn}).replace(":", " :", 1)]
    ]
    assert "not supported on external tables" in sql.error('GRANT SELECT ON TABLE "lake"."plays" TO ROLE "r"')

    engine.client("glue").delete_table(DatabaseName="lake", Name="plays")
    assert "does not exist" in sql.error("SELECT id FROM lake.plays", user="ana")
    sql.run("SELECT id FROM lake.likes", user="ana")
    sql.run('DROP SCHEMA "lake"')
    assert sql.run("SELECT schemaname FROM svv_external_schemas") == []


def test_an_external_schema_needs_the_database_and_a_role_that_may_read_it(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(one_stack(tmp_path, warehouse_resources("glue:GetDatabase")))
    engine.deploy()
    sql = Sql(engine)

    assert "glue:GetTables" in sql.error(external(engine))
    assert "other" in sql.error(external(engine, "other"))
    stranger = external(engine).replace("role/", "role/other-")
    assert "is not associated with the cluster" in sql.error(stranger)
    assert sql.run("SELECT nspname FROM pg_namespace WHERE nspname = 'lake'") == []


def test_what_is_modelled_is_counted(engine: Engine, sql: Sql) -> None:
    sql.run('CREATE ROLE "r"', "SELECT 1")

    assert engine.modelled_statements(CLUSTER) == {("CREATE ROLE", "a role of PostgreSQL that cannot log in"): 1}


# --- functions ------------------------------------------------------------------------------------------------


def test_a_function_is_given_the_certificate_authority_and_still_calls_aws(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    from tests.rehearsal.engine.assemblies import AssemblyWriter

    writer = AssemblyWriter(tmp_path)
    code = (
        "import os, boto3\n"
        "def handle(event, context):\n"
        "    found = boto3.client('redshift').describe_clusters()['Clusters'][0]['Endpoint']\n"
        "    return [found['Address'], open(os.environ['AWS_CA_BUNDLE']).readline().strip()]\n"
    )
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "asks",
            "Runtime": "python3.11",
            "Handler": "index.handle",
            "Code": writer.asset({"index.py": code}),
            "Role": att("Role"),
            "Timeout": 30,
        },
    }
    asking = role("lambda.amazonaws.com", LOGS, allow(["redshift:DescribeClusters"], "*"))
    writer.stack("App", {"Resources": {**warehouse_resources(), "Role": asking, "Function": function}})
    engine = start_engine(writer.write())
    engine.deploy()

    answer = engine.client("lambda").invoke(FunctionName="asks")
    address, first_line = json.loads(answer["Payload"].read())
    assert address.startswith("127.")
    assert first_line == "-----BEGIN CERTIFICATE-----"
