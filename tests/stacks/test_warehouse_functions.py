"""The functions that configure a warehouse and rotate its passwords: what they are told, may do, and are called by."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from config import STAGES
from config.model import ConfigurationError
from config.warehouse import Cluster
from contracts.warehouse.declaration import declaration_of
from contracts.warehouse.model import DeclarationError
from lambdas.configure_warehouse.history import KEPT_DAYS, History
from tests.stacks.assembly import Assembly, as_list, flat, synthesize
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, statements_of
from tests.stacks.warehouse import ANALYTICS, SECRETS, allowing, function_of, registry_of, role_of, stage_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


def test_both_functions_are_told_the_same_clusters(assembly: Assembly) -> None:
    assert registry_of(assembly, "Configuration") == registry_of(assembly, "Rotation")
    for name, cluster in json.loads(registry_of(assembly, "Rotation")).items():
        assert set(cluster) == {
            *("cluster_identifier", "database", "admin_user", "declaration", "host", "port", "spectrum_role_arn"),
            *("secret_prefix", "databases"),
        }
        assert cluster["secret_prefix"].endswith(f"/warehouse/{name}/")
        assert set(cluster["databases"]) == {"raw", "transformed", "personal"}
        assert cluster["port"] == 5439


@pytest.mark.parametrize("function", ["ConfigurationExecutionRole", "RotationExecutionRole"])
def test_functions_get_credentials_of_the_admin_of_their_clusters_alone(function: str, dev: Assembly) -> None:
    statements = allowing(dev, function)
    redshift = f"arn:{PARTITION}:redshift:{REGION}:{ACCOUNT}"
    action = "redshift:GetClusterCredentials"
    assert allowed(statements, action, f"{redshift}:dbuser:{ANALYTICS}/amp_admin")
    assert allowed(statements, action, f"{redshift}:dbname:{ANALYTICS}/amp")
    for other in (
        f"dbuser:{ANALYTICS}/ana",
        "dbuser:amp-prod-analytics/amp_admin",
        f"dbname:{ANALYTICS}/dev",
        f"dbgroup:{ANALYTICS}/admins",
    ):
        assert not allowed(statements, action, f"{redshift}:{other}"), other


def test_the_configuration_function_reads_no_secret(dev: Assembly) -> None:
    statements = allowing(dev, "ConfigurationExecutionRole")
    assert allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS.replace('analytics', 'other')}/ana")
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:PutSecretValue", f"{SECRETS}/ana")


def test_the_rotation_function_makes_and_deletes_no_secret_and_reads_those_of_users_alone(dev: Assembly) -> None:
    statements = allowing(dev, "RotationExecutionRole")
    assert allowed(statements, "secretsmanager:GetSecretValue", f"{SECRETS}/ana-AbCdEf")
    other = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret"
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{other}:redshift!{ANALYTICS}-amp_admin-AbCdEf")
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{other}:PersonKey")
    assert not allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:DeleteSecret", f"{SECRETS}/ana-AbCdEf")


def test_a_function_asks_about_its_own_statements_alone(dev: Assembly) -> None:
    statements = allowing(dev, "ConfigurationExecutionRole")
    for action in ("redshift-data:DescribeStatement", "redshift-data:GetStatementResult"):
        own = "${aws:userid}"
        assert allowed(statements, action, "*", **{"statement-owner-iam-userid": own})
        assert not allowed(statements, action, "*", **{"statement-owner-iam-userid": "AROAOTHER:session"})


def test_the_rotation_function_stands_in_the_network_and_its_code_cannot_change_it(dev: Assembly) -> None:
    placed = function_of(dev, "Rotation").properties["VpcConfig"]
    assert len(placed["SubnetIds"]) == STAGES["dev"].network.zones
    assert "VpcConfig" not in function_of(dev, "Configuration").properties
    (denied,) = (each for each in statements_of(dev, role_of(dev, "RotationExecutionRole")) if each["Effect"] == "Deny")
    (key,) = denied["Condition"]["ArnLike"]
    assert key == "lambda:SourceFunctionArn"
    used = {
        action
        for each in allowing(dev, "RotationExecutionRole")
        for action in as_list(each["Action"])
        if action.startswith("ec2:")
    }
    assert used == set(denied["Action"])


def test_secrets_manager_may_call_the_rotation_function_for_this_account(dev: Assembly) -> None:
    permission = dev.one("AWS::Lambda::Permission")
    assert permission.properties["Principal"] == "secretsmanager.amazonaws.com"
    assert permission.properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert dev.target("Warehouse", permission.properties["FunctionName"]) == function_of(dev, "Rotation")


def test_declarations_are_packed_with_the_function_that_seeds_them(dev: Assembly) -> None:
    items = json.loads((_package(dev, "Configuration") / "declarations" / "standard.json").read_text())
    assert declaration_of(items).roles
    assert not (_package(dev, "Rotation") / "declarations").exists()


def _package(assembly: Assembly, prefix: str) -> Path:
    """The files of a function, as they will be zipped."""
    key = flat(function_of(assembly, prefix).properties["Code"]["S3Key"]).removesuffix(".zip")
    files = json.loads((assembly.folder / "Warehouse.assets.json").read_text())["files"]
    return assembly.folder / str(files[key]["source"]["path"])


def test_a_declaration_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"declaration that there is not; given: 'nightly'; allowed: .*standard"
    ):
        synthesize(stage_of(Cluster(name="analytics", declaration="nightly")), tmp_path)


# What has the configuration function run


def test_a_deployment_and_an_hour_ask_for_all_clusters(dev: Assembly) -> None:
    rules = {
        json.loads(target["Input"])["reason"]: (rule, target)
        for rule in dev.resources("AWS::Events::Rule")
        if rule.stack == "Warehouse"
        for target in rule.properties["Targets"]
    }
    assert set(rules) == {"deployment", "schedule"}
    for _, target in rules.values():
        assert json.loads(target["Input"])["cluster"] == "*"
        queue = dev.target("Warehouse", target["Arn"])
        assert queue is not None
        assert "RedrivePolicy" in queue.properties
    pattern = rules["deployment"][0].properties["EventPattern"]
    assert pattern["detail"]["stack-id"] == [{"Ref": "AWS::StackId"}]
    assert pattern["detail"]["status-details"] == {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]}
    assert rules["schedule"][0].properties["ScheduleExpression"] == "rate(1 hour)"


def test_a_changed_declaration_calls_the_function_and_what_fails_is_kept(dev: Assembly) -> None:
    (mapping,) = (
        each for each in dev.resources("AWS::Lambda::EventSourceMapping") if "StartingPosition" in each.properties
    )
    table = dev.target("Warehouse", mapping.properties["EventSourceArn"])
    assert table is not None
    assert table.properties["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert mapping.properties["MaximumRetryAttempts"] < 10, "endless attempts would hold up all later changes"
    kept = dev.target("Warehouse", mapping.properties["DestinationConfig"]["OnFailure"]["Destination"])
    assert kept is not None
    assert kept.type == "AWS::SQS::Queue"


def test_only_one_table_has_a_stream(dev: Assembly) -> None:
    followed = [
        table.properties["KeySchema"][0]["AttributeName"]
        for table in dev.resources("AWS::DynamoDB::Table")
        if "StreamSpecification" in table.properties
    ]
    assert followed == ["declaration"], "a stream on what the function writes itself would call it for ever"


def test_a_declaration_that_no_cluster_could_become_stops_synth(tmp_path: Path) -> None:
    from building_blocks.warehouse_declaration import DeclarationFile

    (tmp_path / "wrong.toml").write_text('format = 1\n[users.ana]\nkind = "person"\nroles = ["nobody"]\n')
    with pytest.raises(DeclarationError, match=r"users\.ana"):
        DeclarationFile("wrong", folder=tmp_path)
    (tmp_path / "broken.toml").write_text("format = = 1\n")
    with pytest.raises(ConfigurationError, match=r"is no TOML; given: .*fix:"):
        DeclarationFile("broken", folder=tmp_path)


def test_records_of_runs_expire_by_the_attribute_that_the_function_writes_and_declarations_stay(
    assembly: Assembly,
) -> None:
    written: dict[str, Any] = {}
    table = SimpleNamespace(put_item=lambda *, Item: written.update(Item))  # noqa: N803 - the service's name
    History(table=cast("Table", table), cluster="analytics", now=lambda: 1_800_000_000.0).record("run", {})
    expires = {
        "configurations" if each.id.startswith("Configurations") else "declarations": each.properties.get(
            "TimeToLiveSpecification"
        )
        for each in assembly.resources("AWS::DynamoDB::Table")
        if each.stack == "Warehouse"
    }
    assert expires == {"declarations": None, "configurations": {"AttributeName": "expires_at", "Enabled": True}}
    assert written["expires_at"] == 1_800_000_000 + KEPT_DAYS * 86_400
