"""The warehouse: who may log in and by what, what is kept, when it runs, and that one person cannot starve the rest."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from config import STAGES
from config.model import ConfigurationError, Part, Stage
from config.warehouse import STANDARD_QUEUES, Cluster, Deferral, QueryQueue, Warehouse
from contracts.lake import Zone
from contracts.warehouse.declaration import declaration_of
from contracts.warehouse.model import DeclarationError
from lambdas.configure_warehouse.history import KEPT_DAYS, History
from stacks import warehouse
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ANALYTICS = "amp-dev-analytics"
SECRETS = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:amp/dev/warehouse/analytics"


def _stage(*clusters: Cluster, **settings: Any) -> Stage:
    return replace(
        STAGES["dev"],
        parts=frozenset({Part.DATA_LAKE, Part.NETWORK, Part.WAREHOUSE}),
        warehouse=Warehouse(clusters=clusters or (Cluster(name="analytics"),), **settings),
    )


def _role(assembly: Assembly, prefix: str) -> Resource:
    (role,) = (
        each
        for each in assembly.resources("AWS::IAM::Role")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    return role


def _policy(assembly: Assembly, prefix: str) -> list[dict[str, Any]]:
    (policy,) = (
        each
        for each in assembly.resources("AWS::IAM::ManagedPolicy")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    statements: list[dict[str, Any]] = rendered(assembly, "Warehouse", policy.properties["PolicyDocument"]["Statement"])
    return statements


def _allowing(assembly: Assembly, prefix: str) -> list[dict[str, Any]]:
    return [each for each in statements_of(assembly, _role(assembly, prefix)) if each["Effect"] == "Allow"]


def _function(assembly: Assembly, prefix: str) -> Resource:
    (function,) = (
        each
        for each in assembly.resources("AWS::Lambda::Function")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    return function


# The cluster


def test_a_cluster_is_reached_from_its_network_alone_over_tls(assembly: Assembly) -> None:
    for cluster in assembly.resources("AWS::Redshift::Cluster"):
        properties = cluster.properties
        assert properties["PubliclyAccessible"] is False
        assert properties["EnhancedVpcRouting"] is True
        assert _parameters(assembly, cluster)["require_ssl"] == "true"
        (group,) = (assembly.target("Warehouse", each) for each in properties["VpcSecurityGroupIds"])
        assert group is not None
        assert "SecurityGroupIngress" not in group.properties
    for rule in assembly.resources("AWS::EC2::SecurityGroupIngress"):
        source = assembly.target(rule.stack, rule.properties["SourceSecurityGroupId"])
        assert source is not None
        assert source.id.startswith("RotationSecurityGroup")
        assert rule.properties["FromPort"] == rule.properties["ToPort"] == 5439


def _parameters(assembly: Assembly, cluster: Resource) -> dict[str, str]:
    group = assembly.target(cluster.stack, cluster.properties["ClusterParameterGroupName"])
    assert group is not None
    return {each["ParameterName"]: each["ParameterValue"] for each in group.properties["Parameters"]}


def test_clients_of_configured_networks_may_connect(tmp_path: Path) -> None:
    assembly = synthesize(_stage(client_cidrs=("10.9.0.0/16",)), tmp_path, judged=True)
    (group,) = (
        each for each in assembly.resources("AWS::EC2::SecurityGroup") if each.id.startswith("ClusterAnalytics")
    )
    (rule,) = group.properties["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.9.0.0/16", 5439, 5439)


def test_nobody_knows_the_admin_s_password(assembly: Assembly) -> None:
    for cluster in assembly.resources("AWS::Redshift::Cluster"):
        assert "MasterUserPassword" not in cluster.properties
        assert cluster.properties["ManageMasterPassword"] is True
        key = assembly.target(cluster.stack, cluster.properties["MasterPasswordSecretKmsKeyId"])
        assert key is not None
        assert key.type == "AWS::KMS::Key"


def test_what_is_done_on_a_cluster_is_written_down_under_our_key(assembly: Assembly) -> None:
    for cluster in assembly.resources("AWS::Redshift::Cluster"):
        logging = cluster.properties["LoggingProperties"]
        assert logging["LogDestinationType"] == "cloudwatch"
        assert _parameters(assembly, cluster)["enable_user_activity_logging"] == "true"
        groups = {
            group.properties["LogGroupName"]: group
            for group in assembly.resources("AWS::Logs::LogGroup")
            if group.id in cluster.body["DependsOn"]
        }
        identifier = cluster.properties["ClusterIdentifier"]
        assert set(groups) == {f"/aws/redshift/cluster/{identifier}/{name}" for name in logging["LogExports"]}
        for group in groups.values():
            assert "KmsKeyId" in group.properties
        used = [
            flat(statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])
            for holder, statement in assembly.statements()
            if holder.id.startswith("WarehouseKey") and "ArnLike" in statement.get("Condition", {})
        ]
        assert any(each.endswith(f":log-group:/aws/redshift/cluster/{identifier}/*") for each in used)


def test_a_cluster_leaves_a_snapshot_unless_its_data_are_to_go(dev: Assembly, tmp_path: Path) -> None:
    (cluster,) = dev.resources("AWS::Redshift::Cluster")
    assert (cluster.body["DeletionPolicy"], cluster.body["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    assert cluster.properties["AutomatedSnapshotRetentionPeriod"] >= 1
    (gone,) = synthesize(_stage(), tmp_path, destroy_data=True).resources("AWS::Redshift::Cluster")
    assert gone.body["DeletionPolicy"] == "Delete"


def test_size_window_and_deferral_follow_configuration(tmp_path: Path) -> None:
    several = Cluster(
        name="reports",
        node_type="ra3.4xlarge",
        nodes=3,
        maintenance_window="sat:22:00-sat:23:00",
        deferral=Deferral(start="2026-12-01T00:00:00Z", days=30),
    )
    assembly = synthesize(_stage(Cluster(name="analytics"), several), tmp_path, judged=True)
    one, three = (each.properties for each in assembly.resources("AWS::Redshift::Cluster"))
    assert one["ClusterType"] == "single-node"
    assert "NumberOfNodes" not in one
    assert (three["ClusterType"], three["NumberOfNodes"], three["NodeType"]) == ("multi-node", 3, "ra3.4xlarge")
    assert three["PreferredMaintenanceWindow"] == "sat:22:00-sat:23:00"
    assert three["DeferMaintenanceDuration"] == 30
    assert "DeferMaintenance" not in one
    registry = json.loads(_registry(assembly, "Configuration"))
    assert set(registry) == {"analytics", "reports"}


def test_development_sleeps_at_night_and_production_never(assemblies: dict[str, Assembly]) -> None:
    def actions(name: str) -> dict[str, str]:
        found = assemblies[name].resources("AWS::Redshift::ScheduledAction")
        return {next(iter(each.properties["TargetAction"])): each.properties["Schedule"] for each in found}

    assert actions("dev") == {"PauseCluster": "cron(0 19 ? * MON-FRI *)", "ResumeCluster": "cron(0 6 ? * MON-FRI *)"}
    assert actions("prod") == {}


def test_the_schedule_s_role_reaches_this_cluster_alone(dev: Assembly) -> None:
    statements = _allowing(dev, "ClusterAnalyticsScheduleRole")
    cluster = f"arn:{PARTITION}:redshift:{REGION}:{ACCOUNT}:cluster"
    for action in ("redshift:PauseCluster", "redshift:ResumeCluster"):
        assert allowed(statements, action, f"{cluster}:{ANALYTICS}")
        assert not allowed(statements, action, f"{cluster}:amp-prod-analytics")


def test_a_limit_of_what_is_read_from_the_lake_is_made_when_asked_for(dev: Assembly, tmp_path: Path) -> None:
    assert not dev.resources("AWS::Redshift::UsageLimit"), "part of the Regions do not know the type"
    limit = synthesize(_stage(spectrum_terabytes_per_day=2), tmp_path, judged=True).one("AWS::Redshift::UsageLimit")
    assert limit.properties["Amount"] == 2
    assert (limit.properties["FeatureType"], limit.properties["BreachAction"]) == ("spectrum", "disable")


# Queues


def _queues(assembly: Assembly) -> list[dict[str, Any]]:
    (cluster,) = assembly.resources("AWS::Redshift::Cluster")
    queues: list[dict[str, Any]] = json.loads(_parameters(assembly, cluster)["wlm_json_configuration"])
    return queues


def test_every_query_has_a_queue_in_which_rules_end_it(assembly: Assembly) -> None:
    *queues, short = _queues(assembly)
    assert short == {"short_query_queue": True}
    assert "user_role" not in queues[-1], "the last queue is everybody's"
    for queue in queues:
        assert (queue["auto_wlm"], queue["queue_type"]) == (True, "auto")
        ended = {
            rule["predicate"][0]["metric_name"]: rule["predicate"][0]["value"]
            for rule in queue["rules"]
            if rule["action"] == "abort"
        }
        assert 0 < ended["query_execution_time"] < 86_400
        assert ended["spectrum_scan_size_mb"] > 0
        (lowered,) = (rule for rule in queue["rules"] if rule["action"] == "change_query_priority")
        assert lowered["value"] == "lowest"


def test_rules_are_as_many_and_as_named_as_redshift_takes(assembly: Assembly) -> None:
    names = [rule["rule_name"] for queue in _queues(assembly)[:-1] for rule in queue["rules"]]
    assert len(set(names)) == len(names) <= 25
    assert all(len(name) <= 32 for name in names)


def test_people_s_queries_give_way_to_reports_and_dashboards(dev: Assembly) -> None:
    order = ["lowest", "low", "normal", "high", "highest"]
    rank = {queue["name"]: order.index(queue["priority"]) for queue in _queues(dev)[:-1]}
    assert rank["everybody"] < rank["analysts"] < rank["reports"] < rank["dashboards"]
    assert next(iter(rank)) == "analysts", "analysts read reports too, and the first queue that fits takes a query"


def test_a_queue_for_a_role_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    cluster = Cluster(name="analytics", queues=(*STANDARD_QUEUES, QueryQueue(name="typo", roles=("analist",))))
    with pytest.raises(ConfigurationError, match=r"roles that its declaration does not have; given: \['analist'\]"):
        synthesize(_stage(cluster), tmp_path)


# What reads the lake


def _reads(assembly: Assembly, zone: str) -> bool:
    statements = _allowing(assembly, "SpectrumAnalytics")
    bucket = "raw" if zone == "raw" else "transformed"
    key = "events/type=like/a.json.gz" if zone == "raw" else f"{zone}/a/data/b.parquet"
    objects = f"arn:{PARTITION}:s3:::amp-dev-{bucket}-{ACCOUNT}-{REGION}/{key}"
    glue = f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}"
    seen = [
        allowed(statements, "s3:GetObject", objects),
        all(
            allowed(statements, "glue:GetTable", f"{glue}:{place}")
            for place in ("catalog", f"database/amp_dev_{zone}", f"table/amp_dev_{zone}/a")
        ),
    ]
    assert len(set(seen)) == 1, "files and catalog go together"
    return seen[0]


def test_the_cluster_reads_the_zones_that_external_schemas_show(dev: Assembly) -> None:
    assert {zone for zone in Zone if _reads(dev, zone)} == set(Zone)


def test_a_declaration_without_a_zone_gives_no_right_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shared:
        """A declaration that shows nothing personal or raw."""

        def __init__(self, name: str) -> None:
            items: dict[str, dict[str, object]] = {"external_schemas.lake": {"zone": "transformed", "format": 1}}
            self.declaration = declaration_of(items)
            self.packaged = (f"declarations/{name}.json", json.dumps(items))

    monkeypatch.setattr(warehouse, "DeclarationFile", Shared)
    assembly = synthesize(_stage(Cluster(name="analytics", queues=())), tmp_path, judged=True)
    assert {zone for zone in Zone if _reads(assembly, zone)} == {Zone.TRANSFORMED}


def test_the_lake_s_role_is_for_users_of_this_cluster_and_writes_nothing(dev: Assembly) -> None:
    role = _role(dev, "SpectrumAnalytics")
    (trust,) = rendered(dev, "Warehouse", role.properties["AssumeRolePolicyDocument"]["Statement"])
    users = f"arn:{PARTITION}:redshift:{REGION}:{ACCOUNT}:dbuser:{ANALYTICS}/*"
    assert trust["Condition"] == {"StringLike": {"sts:ExternalId": users}}
    for statement in statements_of(dev, role):
        for action in as_list(statement["Action"]):
            assert action.partition(":")[2].startswith(("Get", "List")) or action == "kms:Decrypt"


# The functions


def _registry(assembly: Assembly, prefix: str) -> str:
    return flat(_function(assembly, prefix).properties["Environment"]["Variables"]["CLUSTERS"])


def test_both_functions_are_told_the_same_clusters(assembly: Assembly) -> None:
    assert _registry(assembly, "Configuration") == _registry(assembly, "Rotation")
    for name, cluster in json.loads(_registry(assembly, "Rotation")).items():
        assert set(cluster) == {
            *("cluster_identifier", "database", "admin_user", "declaration", "host", "port", "spectrum_role_arn"),
            *("secret_prefix", "databases"),
        }
        assert cluster["secret_prefix"].endswith(f"/warehouse/{name}/")
        assert set(cluster["databases"]) == {"raw", "transformed", "personal"}
        assert cluster["port"] == 5439


@pytest.mark.parametrize("function", ["ConfigurationExecutionRole", "RotationExecutionRole"])
def test_functions_get_credentials_of_the_admin_of_their_clusters_alone(function: str, dev: Assembly) -> None:
    statements = _allowing(dev, function)
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
    statements = _allowing(dev, "ConfigurationExecutionRole")
    assert allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS.replace('analytics', 'other')}/ana")
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:PutSecretValue", f"{SECRETS}/ana")


def test_the_rotation_function_makes_and_deletes_no_secret_and_reads_those_of_users_alone(dev: Assembly) -> None:
    statements = _allowing(dev, "RotationExecutionRole")
    assert allowed(statements, "secretsmanager:GetSecretValue", f"{SECRETS}/ana-AbCdEf")
    other = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret"
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{other}:redshift!{ANALYTICS}-amp_admin-AbCdEf")
    assert not allowed(statements, "secretsmanager:GetSecretValue", f"{other}:PersonKey")
    assert not allowed(statements, "secretsmanager:CreateSecret", f"{SECRETS}/ana")
    assert not allowed(statements, "secretsmanager:DeleteSecret", f"{SECRETS}/ana-AbCdEf")


def test_a_function_asks_about_its_own_statements_alone(dev: Assembly) -> None:
    statements = _allowing(dev, "ConfigurationExecutionRole")
    for action in ("redshift-data:DescribeStatement", "redshift-data:GetStatementResult"):
        own = "${aws:userid}"
        assert allowed(statements, action, "*", **{"statement-owner-iam-userid": own})
        assert not allowed(statements, action, "*", **{"statement-owner-iam-userid": "AROAOTHER:session"})


def test_the_rotation_function_stands_in_the_network_and_its_code_cannot_change_it(dev: Assembly) -> None:
    placed = _function(dev, "Rotation").properties["VpcConfig"]
    assert len(placed["SubnetIds"]) == STAGES["dev"].network.zones
    assert "VpcConfig" not in _function(dev, "Configuration").properties
    (denied,) = (each for each in statements_of(dev, _role(dev, "RotationExecutionRole")) if each["Effect"] == "Deny")
    (key,) = denied["Condition"]["ArnLike"]
    assert key == "lambda:SourceFunctionArn"
    used = {
        action
        for each in _allowing(dev, "RotationExecutionRole")
        for action in as_list(each["Action"])
        if action.startswith("ec2:")
    }
    assert used == set(denied["Action"])


def test_secrets_manager_may_call_the_rotation_function_for_this_account(dev: Assembly) -> None:
    permission = dev.one("AWS::Lambda::Permission")
    assert permission.properties["Principal"] == "secretsmanager.amazonaws.com"
    assert permission.properties["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert dev.target("Warehouse", permission.properties["FunctionName"]) == _function(dev, "Rotation")


def test_declarations_are_packed_with_the_function_that_seeds_them(dev: Assembly) -> None:
    items = json.loads((_package(dev, "Configuration") / "declarations" / "standard.json").read_text())
    assert declaration_of(items).roles
    assert not (_package(dev, "Rotation") / "declarations").exists()


def _package(assembly: Assembly, prefix: str) -> Path:
    """The files of a function, as they will be zipped."""
    key = flat(_function(assembly, prefix).properties["Code"]["S3Key"]).removesuffix(".zip")
    files = json.loads((assembly.folder / "Warehouse.assets.json").read_text())["files"]
    return assembly.folder / str(files[key]["source"]["path"])


def test_a_declaration_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"declaration that there is not; given: 'nightly'; allowed: .*standard"
    ):
        synthesize(_stage(Cluster(name="analytics", declaration="nightly")), tmp_path)


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


# People


def test_a_person_reads_the_secret_that_bears_their_name_and_no_other(dev: Assembly) -> None:
    statements = _policy(dev, "PersonPolicy")
    own = {"ResourceTag/amp:warehouse-user": "${aws:PrincipalTag/amp:warehouse-user}"}
    (statement,) = (each for each in statements if "secretsmanager:GetSecretValue" in as_list(each["Action"]))
    assert statement["Condition"] == {
        "StringEquals": {"secretsmanager:ResourceTag/amp:warehouse-user": own["ResourceTag/amp:warehouse-user"]}
    }
    assert as_list(statement["Resource"]) == [f"{SECRETS}/*"]
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert not {each for each in actions if each.startswith("redshift:")}, "temporary credentials would be another's"


def test_an_operator_plans_applies_and_redrives_and_reads_no_password(dev: Assembly) -> None:
    statements = _policy(dev, "OperatorPolicy")
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert {"lambda:InvokeFunction", "sqs:StartMessageMoveTask", "redshift:ResumeCluster"} <= actions
    assert not actions & {"secretsmanager:GetSecretValue", "redshift:GetClusterCredentials", "redshift:DeleteCluster"}


def test_the_shared_zone_can_be_queried_without_a_cluster_and_the_raw_one_by_a_policy_of_its_own(
    dev: Assembly,
) -> None:
    def reads(policy: str, bucket: str, key: str) -> bool:
        arn = f"arn:{PARTITION}:s3:::amp-dev-{bucket}-{ACCOUNT}-{REGION}/{key}"
        return allowed(_policy(dev, policy), "s3:GetObject", arn)

    assert reads("QueryPolicy", "transformed", "transformed/sessions/data/a.parquet")
    assert not reads("QueryPolicy", "transformed", "personal/event_details/data/a.parquet")
    assert not reads("QueryPolicy", "raw", "events/type=like/a.json.gz")
    assert reads("RawQueryPolicy", "raw", "events/type=like/a.json.gz")
    assert not reads("RawQueryPolicy", "raw", "quarantine/type=like/a.json.gz")
    workgroup = f"arn:{PARTITION}:athena:{REGION}:{ACCOUNT}:workgroup"
    assert allowed(_policy(dev, "QueryPolicy"), "athena:StartQueryExecution", f"{workgroup}/amp-dev")
    assert not allowed(_policy(dev, "QueryPolicy"), "athena:StartQueryExecution", f"{workgroup}/primary")


def test_a_query_ends_at_its_limit_and_its_result_is_encrypted_whatever_a_client_asks(assembly: Assembly) -> None:
    settings = assembly.one("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] >= 10_000_000
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    (bucket,) = (each for each in assembly.resources("AWS::S3::Bucket") if each.id.startswith("AthenaResults"))
    expiring = [rule for rule in bucket.properties["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == ["results/"]


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
