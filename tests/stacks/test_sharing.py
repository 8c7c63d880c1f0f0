"""What a read grant gives: the tables that it names, to the principals that it names, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import STAGES
from config.catalog import Catalog, ReadGrant
from config.model import ConfigurationError, Part, Stage
from contracts.lake import Zone
from contracts.lake_tables import LAKE_TABLES
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of

READER_PREFIX = "amp-dev-reader-"


def _stage(*grants: ReadGrant, lake_formation: bool = False) -> Stage:
    return replace(
        STAGES["dev"],
        parts=frozenset({Part.DATA_LAKE, Part.CATALOG}),
        catalog=Catalog(grants=grants, lake_formation=lake_formation),
    )


def _reader(assembly: Assembly, name: str) -> Resource:
    (role,) = (
        each
        for each in assembly.resources("AWS::IAM::Role")
        if each.properties.get("RoleName") == f"{READER_PREFIX}{name}"
    )
    return role


class Reader:
    """A grant's role, asked what it may do."""

    def __init__(self, assembly: Assembly, name: str) -> None:
        self._statements = statements_of(assembly, _reader(assembly, name))

    def reads_table(self, zone: str, table: str) -> bool:
        """Whether a `GetTable` is let through, which asks for catalog, database and table."""
        glue = f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}"
        places = ("catalog", f"database/amp_dev_{zone}", f"table/amp_dev_{zone}/{table}")
        return all(allowed(self._statements, "glue:GetTable", f"{glue}:{place}") for place in places)

    def reads_object(self, bucket: str, key: str) -> bool:
        name = f"amp-dev-{bucket}-{ACCOUNT}-{REGION}"
        return allowed(self._statements, "s3:GetObject", f"arn:{PARTITION}:s3:::{name}/{key}")

    def lists(self, bucket: str, prefix: str) -> bool:
        name = f"amp-dev-{bucket}-{ACCOUNT}-{REGION}"
        return allowed(self._statements, "s3:ListBucket", f"arn:{PARTITION}:s3:::{name}", prefix=prefix)


def test_a_grant_of_tables_reads_these_and_nothing_else(dev: Assembly) -> None:
    reader = Reader(dev, "recommendations")
    granted = {"transformed.sessions", "transformed.shows"}
    for table in LAKE_TABLES:
        expected = table.full_name in granted
        assert reader.reads_table(table.zone, table.name) == expected, table.full_name
        assert reader.reads_object("transformed", f"{table.prefix}data/a.parquet") == expected, table.full_name
        assert reader.lists("transformed", f"{table.prefix}metadata/") == expected, table.full_name
    assert not reader.lists("transformed", "")
    assert not reader.lists("transformed", "transformed/")


def test_a_grant_of_the_shared_zone_reads_all_of_it_and_nothing_personal(dev: Assembly) -> None:
    reader = Reader(dev, "analysts")
    for table in LAKE_TABLES:
        expected = table.zone is Zone.TRANSFORMED
        assert reader.reads_table(table.zone, table.name) == expected, table.full_name
        assert reader.reads_object("transformed", f"{table.prefix}data/a.parquet") == expected, table.full_name
        assert reader.lists("transformed", table.prefix) == expected, table.full_name


@pytest.mark.parametrize("name", ["analysts", "recommendations"])
def test_no_reader_sees_what_is_raw(name: str, dev: Assembly) -> None:
    reader = Reader(dev, name)
    assert not reader.reads_table("raw", "like")
    assert not reader.reads_table("raw", "batch_shows")
    assert not reader.reads_object("raw", "batch/shows/a.json")
    assert not reader.lists("raw", "batch/")


def test_readers_only_read_and_may_hear_what_is_withdrawn(assembly: Assembly) -> None:
    for role in assembly.resources("AWS::IAM::Role"):
        if "-reader-" not in str(role.properties.get("RoleName", "")):
            continue
        for statement in statements_of(assembly, role):
            for action in as_list(statement["Action"]):
                word = action.partition(":")[2]
                assert word.startswith(("Get", "BatchGet", "List")) or action in ("kms:Decrypt", "sns:Subscribe")
            if as_list(statement["Action"]) == ["sns:Subscribe"]:
                assert flat(statement["Resource"]).startswith("<Readers")


def test_no_stage_grants_personal_values_without_saying_so(assembly: Assembly) -> None:
    for role in assembly.resources("AWS::IAM::Role"):
        if "-reader-" in str(role.properties.get("RoleName", "")):
            reached = [each for s in statements_of(assembly, role) for each in as_list(s["Resource"])]
            assert not [each for each in reached if "personal" in each]


def test_a_personal_grant_says_so_and_reads_the_personal_table(tmp_path: Path) -> None:
    grant = ReadGrant(
        name="privacy-desk", principals=("123456789012",), tables=("personal.event_details",), personal=True
    )
    reader = Reader(synthesize(_stage(grant), tmp_path, judged=True), "privacy-desk")
    assert reader.reads_table("personal", "event_details")
    assert reader.reads_object("transformed", "personal/event_details/data/a.parquet")
    assert not reader.reads_table("personal", "rejected_rows")
    assert not reader.reads_table("transformed", "sessions")


@pytest.mark.parametrize("table", ["transformed.sesions", "personal.batch_uploads_gigs"])
def test_a_table_that_no_contract_declares_is_refused(table: str, tmp_path: Path) -> None:
    personal = table.startswith("personal")
    grant = ReadGrant(name="typo", principals=("role/a",), tables=(table,), personal=personal)
    with pytest.raises(ConfigurationError, match=rf"no contract declares; given: \['{table}'\]; allowed: .*; fix:"):
        synthesize(_stage(grant), tmp_path)


def _trust(assembly: Assembly, name: str) -> list[dict[str, Any]]:
    role = _reader(assembly, name)
    statements: list[dict[str, Any]] = rendered(
        assembly, role.stack, role.properties["AssumeRolePolicyDocument"]["Statement"]
    )
    assert {statement["Action"] for statement in statements} == {"sts:AssumeRole"}
    return statements


def test_roles_are_let_in_by_their_arn_within_their_account(tmp_path: Path) -> None:
    other = "arn:aws:iam::111111111111:role/team/recommender"
    grant = ReadGrant(name="mixed", principals=("role/analyst", other, "222222222222"), databases=("transformed",))
    statements = _trust(synthesize(_stage(grant), tmp_path, judged=True), "mixed")
    let_in = {
        statement["Principal"]["AWS"]: statement.get("Condition", {}).get("ArnEquals", {}).get("aws:PrincipalArn")
        for statement in statements
    }
    assert let_in == {
        f"arn:{PARTITION}:iam::{ACCOUNT}:root": [f"arn:{PARTITION}:iam::{ACCOUNT}:role/analyst"],
        f"arn:{PARTITION}:iam::111111111111:root": [other],
        f"arn:{PARTITION}:iam::222222222222:root": None,
    }


def test_the_account_of_a_role_that_is_granted_whole_is_named_once(tmp_path: Path) -> None:
    principals = ("111111111111", "arn:aws:iam::111111111111:role/recommender")
    grant = ReadGrant(name="both", principals=principals, databases=("transformed",))
    (statement,) = _trust(synthesize(_stage(grant), tmp_path), "both")
    assert "Condition" not in statement


def test_lake_formation_is_off_everywhere(assembly: Assembly) -> None:
    assert not [each for each in assembly.resources() if each.type.startswith("AWS::LakeFormation::")]


def test_lake_formation_grants_what_iam_does_and_leaves_the_account_s_administrators_alone(tmp_path: Path) -> None:
    grants = STAGES["dev"].catalog.grants
    assembly = synthesize(_stage(*grants, lake_formation=True), tmp_path, judged=True)
    assert not assembly.resources("AWS::LakeFormation::DataLakeSettings")

    locations = assembly.resources("AWS::LakeFormation::Resource")
    assert sorted(flat(each.properties["ResourceArn"]).rpartition("/")[2] for each in locations) == [
        "personal",
        "transformed",
    ]
    for location in locations:
        assert location.properties["HybridAccessEnabled"] is True, "jobs and readers go on under IAM"
        assert location.properties["UseServiceLinkedRole"] is False

    given = set()
    for each in assembly.resources("AWS::LakeFormation::PrincipalPermissions"):
        reader = assembly.target("Catalog", each.properties["Principal"]["DataLakePrincipalIdentifier"])
        assert reader is not None
        assert each.properties["PermissionsWithGrantOption"] == []
        resource = rendered(assembly, "Catalog", each.properties["Resource"])
        table = resource.get("Table", {})
        name = table.get("Name") or ("*" if "TableWildcard" in table else "")
        database = (table or resource["Database"]).get("DatabaseName") or resource["Database"]["Name"]
        permissions = ",".join(each.properties["Permissions"])
        given.add((reader.properties["RoleName"].removeprefix(READER_PREFIX), database, name, permissions))
    assert given == {
        ("analysts", "amp_dev_transformed", "", "DESCRIBE"),
        ("analysts", "amp_dev_transformed", "*", "DESCRIBE,SELECT"),
        ("recommendations", "amp_dev_transformed", "", "DESCRIBE"),
        ("recommendations", "amp_dev_transformed", "sessions", "DESCRIBE,SELECT"),
        ("recommendations", "amp_dev_transformed", "shows", "DESCRIBE,SELECT"),
    }


def test_the_secret_of_persons_keys_is_hexadecimal_generated_and_never_rotated(assembly: Assembly) -> None:
    (secret,) = (each for each in assembly.resources("AWS::SecretsManager::Secret") if each.stack == "DataLake")
    generated = secret.properties["GenerateSecretString"]
    letters = set("abcdefghijklmnopqrstuvwxyz") - set(generated["ExcludeCharacters"])
    assert letters == set("abcdef")
    assert generated["PasswordLength"] == 64
    assert generated["ExcludeUppercase"] is True
    assert generated["ExcludePunctuation"] is True
    assert not assembly.resources("AWS::SecretsManager::RotationSchedule")
