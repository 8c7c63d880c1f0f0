"""The warehouse's clusters: who reaches them, what is kept, when they run, and that one person starves nobody."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.model import ConfigurationError
from config.warehouse import STANDARD_QUEUES, Cluster, Deferral, QueryQueue
from contracts.lake import Zone
from contracts.warehouse.declaration import declaration_of
from stacks import warehouse
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of
from tests.stacks.warehouse import ANALYTICS, allowing, registry_of, role_of, stage_of

if TYPE_CHECKING:
    pass


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
        if rule.stack != "Warehouse":
            continue
        source = assembly.target(rule.stack, rule.properties["SourceSecurityGroupId"])
        assert source is not None
        assert source.id.startswith("RotationSecurityGroup")
        assert rule.properties["FromPort"] == rule.properties["ToPort"] == 5439


def _parameters(assembly: Assembly, cluster: Resource) -> dict[str, str]:
    group = assembly.target(cluster.stack, cluster.properties["ClusterParameterGroupName"])
    assert group is not None
    return {each["ParameterName"]: each["ParameterValue"] for each in group.properties["Parameters"]}


def test_clients_of_configured_networks_may_connect(tmp_path: Path) -> None:
    assembly = synthesize(stage_of(client_cidrs=("10.9.0.0/16",)), tmp_path, judged=True)
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
    (gone,) = synthesize(stage_of(), tmp_path, destroy_data=True).resources("AWS::Redshift::Cluster")
    assert gone.body["DeletionPolicy"] == "Delete"


def test_size_window_and_deferral_follow_configuration(tmp_path: Path) -> None:
    several = Cluster(
        name="reports",
        node_type="ra3.4xlarge",
        nodes=3,
        maintenance_window="sat:22:00-sat:23:00",
        deferral=Deferral(start="2026-12-01T00:00:00Z", days=30),
    )
    assembly = synthesize(stage_of(Cluster(name="analytics"), several), tmp_path, judged=True)
    one, three = (each.properties for each in assembly.resources("AWS::Redshift::Cluster"))
    assert one["ClusterType"] == "single-node"
    assert "NumberOfNodes" not in one
    assert (three["ClusterType"], three["NumberOfNodes"], three["NodeType"]) == ("multi-node", 3, "ra3.4xlarge")
    assert three["PreferredMaintenanceWindow"] == "sat:22:00-sat:23:00"
    assert three["DeferMaintenanceDuration"] == 30
    assert "DeferMaintenance" not in one
    registry = json.loads(registry_of(assembly, "Configuration"))
    assert set(registry) == {"analytics", "reports"}


def test_development_sleeps_at_night_and_production_never(assemblies: dict[str, Assembly]) -> None:
    def actions(name: str) -> dict[str, str]:
        found = assemblies[name].resources("AWS::Redshift::ScheduledAction")
        return {next(iter(each.properties["TargetAction"])): each.properties["Schedule"] for each in found}

    assert actions("dev") == {"PauseCluster": "cron(0 19 ? * MON-FRI *)", "ResumeCluster": "cron(0 6 ? * MON-FRI *)"}
    assert actions("prod") == {}


def test_the_schedule_s_role_reaches_this_cluster_alone(dev: Assembly) -> None:
    statements = allowing(dev, "ClusterAnalyticsScheduleRole")
    cluster = f"arn:{PARTITION}:redshift:{REGION}:{ACCOUNT}:cluster"
    for action in ("redshift:PauseCluster", "redshift:ResumeCluster"):
        assert allowed(statements, action, f"{cluster}:{ANALYTICS}")
        assert not allowed(statements, action, f"{cluster}:amp-prod-analytics")


def test_a_limit_of_what_is_read_from_the_lake_is_made_when_asked_for(dev: Assembly, tmp_path: Path) -> None:
    assert not dev.resources("AWS::Redshift::UsageLimit"), "part of the Regions do not know the type"
    limit = synthesize(stage_of(spectrum_terabytes_per_day=2), tmp_path, judged=True).one("AWS::Redshift::UsageLimit")
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
        synthesize(stage_of(cluster), tmp_path)


# What reads the lake


def _reads(assembly: Assembly, zone: str) -> bool:
    statements = allowing(assembly, "SpectrumAnalytics")
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
    assembly = synthesize(stage_of(Cluster(name="analytics", queues=())), tmp_path, judged=True)
    assert {zone for zone in Zone if _reads(assembly, zone)} == {Zone.TRANSFORMED}


def test_the_lake_s_role_is_for_users_of_this_cluster_and_writes_nothing(dev: Assembly) -> None:
    role = role_of(dev, "SpectrumAnalytics")
    (trust,) = rendered(dev, "Warehouse", role.properties["AssumeRolePolicyDocument"]["Statement"])
    users = f"arn:{PARTITION}:redshift:{REGION}:{ACCOUNT}:dbuser:{ANALYTICS}/*"
    assert trust["Condition"] == {"StringLike": {"sts:ExternalId": users}}
    for statement in statements_of(dev, role):
        for action in as_list(statement["Action"]):
            assert action.partition(":")[2].startswith(("Get", "List")) or action == "kms:Decrypt"
