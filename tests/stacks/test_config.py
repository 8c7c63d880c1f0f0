"""Configuration refuses nonsense when it is built, and says what, given, allowed and fix."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config import STAGES, stage_named
from config.catalog import Catalog, ReadGrant
from config.emr_on_eks import EmrOnEks
from config.model import (
    LOG_RETENTION_DAYS,
    ConfigurationError,
    DataLake,
    EventStream,
    Operations,
    ShowCatalog,
)
from config.network import Egress, ExistingVpc, Network
from config.warehouse import Cluster, Deferral, QueryQueue, Warehouse

URL = "https://catalog.amp.example"


def _grant(**given: Any) -> ReadGrant:
    return ReadGrant(**{"name": "analysts", "principals": ("role/analyst",), "databases": ("transformed",), **given})


def _existing(**given: Any) -> ExistingVpc:
    fields = {"vpc_id": "vpc-0a1b2c3d", "cidr": "10.0.0.0/16", "subnet_ids": ("subnet-0a1b2c3d",)}
    return ExistingVpc(**{**fields, "zones": ("eu-west-1a",), **given})


def _paused(schedule: str) -> Cluster:
    return Cluster(name="a", pause_at=schedule, resume_at="cron(0 6 ? * MON-FRI *)")


_REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-public"

NONSENSE: dict[str, Callable[[], object]] = {
    "a_raw_zone_that_keeps_nothing": lambda: DataLake(raw_retention_days=0),
    "a_move_to_cheaper_storage_too_early": lambda: DataLake(raw_infrequent_access_after_days=7),
    "a_move_to_cheaper_storage_just_before_the_end": lambda: DataLake(
        raw_retention_days=61, raw_infrequent_access_after_days=60
    ),
    "an_hour_that_does_not_exist": lambda: DataLake(first_arrival_hour="2026-01-01-24"),
    "a_stream_that_forgets_within_a_day": lambda: EventStream(retention_hours=23),
    "no_shards": lambda: EventStream(provisioned_shards=0),
    "a_delivery_faster_than_partitioning_allows": lambda: EventStream(delivery_buffer_seconds=30),
    "a_delivery_buffer_smaller_than_partitioning_allows": lambda: EventStream(delivery_buffer_mebibytes=5),
    "a_transform_buffer_that_overflows_the_answer": lambda: EventStream(transform_buffer_megabytes=5),
    "a_transform_that_firehose_does_not_wait_for": lambda: EventStream(flatten_timeout_seconds=301),
    "a_large_batch_without_a_window": lambda: ShowCatalog(api_base_url=URL, batch_size=11, batch_window_seconds=0),
    "a_concurrency_that_lambda_does_not_take": lambda: ShowCatalog(api_base_url=URL, max_concurrency=1),
    "a_plain_http_api": lambda: ShowCatalog(api_base_url="http://catalog.amp.example"),
    "a_base_url_with_a_trailing_slash": lambda: ShowCatalog(api_base_url="https://catalog.amp.example/"),
    "a_base_url_with_a_query": lambda: ShowCatalog(api_base_url="https://catalog.amp.example?x=1"),
    "a_topic_that_is_no_arn": lambda: ShowCatalog(api_base_url=URL, existing_topic_arn="show-changes"),
    "a_first_in_first_out_topic": lambda: ShowCatalog(
        api_base_url=URL, existing_topic_arn="arn:aws:sns:eu-west-1:210987654321:shows.fifo"
    ),
    "a_filtered_field_with_a_comma": lambda: ShowCatalog(api_base_url=URL, filtered_fields=("a,b",)),
    "an_alarm_address_that_is_none": lambda: Operations(alarm_emails=("on-call",)),
    "a_log_retention_that_cloudwatch_does_not_take": lambda: Operations(log_retention_days=15),
    "an_unknown_log_level": lambda: Operations(log_level="LOUD"),
    "more_than_all_events_in_quarantine": lambda: Operations(quarantined_percent=101),
    "a_stage_name_that_no_bucket_could_bear": lambda: replace(STAGES["dev"], name="Development"),
    "a_stage_without_parts": lambda: replace(STAGES["dev"], parts=frozenset()),
    "files_gathered_for_longer_than_lambda_allows": lambda: Catalog(gather_seconds=301),
    "two_grants_of_one_name": lambda: Catalog(grants=(_grant(), _grant())),
    "a_grant_whose_role_could_not_be_named": lambda: _grant(name="Analysts"),
    "a_grant_to_nobody": lambda: _grant(principals=()),
    "a_grant_to_everybody": lambda: _grant(principals=("*",)),
    "a_grant_to_a_user": lambda: _grant(principals=("arn:aws:iam::123456789012:user/anna",)),
    "a_grant_of_nothing": lambda: _grant(databases=()),
    "a_grant_of_the_raw_zone": lambda: _grant(databases=("raw",)),
    "a_grant_of_a_raw_table": lambda: _grant(tables=("raw.like",)),
    "a_grant_of_a_table_without_its_zone": lambda: _grant(tables=("sessions",)),
    "a_grant_of_personal_values_that_does_not_say_so": lambda: _grant(databases=("personal",)),
    "a_grant_of_a_personal_table_that_does_not_say_so": lambda: _grant(tables=("personal.event_details",)),
    "a_grant_that_says_personal_and_is_not": lambda: _grant(personal=True),
    "a_network_of_public_addresses": lambda: Network(cidr="8.8.0.0/16"),
    "a_network_larger_than_a_vpc": lambda: Network(cidr="10.0.0.0/8"),
    "a_network_with_bits_behind_its_prefix": lambda: Network(cidr="10.40.1.0/16"),
    "a_network_in_one_zone": lambda: Network(zones=1),
    "endpoints_in_more_zones_than_there_are": lambda: Network(zones=2, endpoint_zones=3),
    "an_existing_vpc_without_zones": lambda: _existing(zones=()),
    "an_existing_vpc_by_its_name": lambda: _existing(vpc_id="main"),
    "a_kubernetes_api_open_to_the_world": lambda: EmrOnEks(public_cidrs=("0.0.0.0/0",)),
    "a_kubernetes_api_open_to_half_of_it": lambda: EmrOnEks(public_cidrs=("128.0.0.0/1",)),
    "a_kubernetes_api_open_to_no_range": lambda: EmrOnEks(public_cidrs=("office",)),
    "an_administrator_who_is_no_role": lambda: EmrOnEks(admin_roles=("arn:aws:iam::123456789012:user/ana",)),
    "an_administrator_by_a_session": lambda: EmrOnEks(admin_roles=("arn:aws:sts::123456789012:assumed-role/x/ana",)),
    "no_way_out_and_a_public_registry": lambda: EmrOnEks(egress=Egress.ENDPOINTS),
    "a_private_registry_that_nobody_needs": lambda: EmrOnEks(registry=_REGISTRY),
    "a_registry_of_somebody_else": lambda: EmrOnEks(egress=Egress.ENDPOINTS, registry="docker.io/karpenter"),
    "more_ways_out_than_zones": lambda: EmrOnEks(nat_gateways=4),
    "three_autoscalers": lambda: EmrOnEks(controller_replicas=3),
    "a_cluster_of_a_few_addresses": lambda: EmrOnEks(network=Network(cidr="10.41.0.0/24")),
    "a_cluster_in_one_zone_of_an_existing_vpc": lambda: EmrOnEks(network=Network(existing=_existing())),
    "nodes_without_room_for_an_image": lambda: EmrOnEks(node_volume_gibibytes=8),
    "a_node_type_that_is_gone": lambda: Cluster(name="a", node_type="dc2.large"),
    "one_node_of_a_type_that_needs_two": lambda: Cluster(name="a", node_type="ra3.4xlarge", nodes=1),
    "a_cluster_whose_identifier_no_cluster_takes": lambda: Cluster(name="a--b"),
    "an_admin_whom_everybody_guesses": lambda: Cluster(name="a", admin_user="awsuser"),
    "a_pause_without_an_end": lambda: Cluster(name="a", pause_at="cron(0 20 ? * MON-FRI *)"),
    "a_pause_each_minute": lambda: _paused("cron(* 20 ? * MON-FRI *)"),
    "a_pause_on_both_kinds_of_days": lambda: _paused("cron(0 20 1 * MON *)"),
    "a_pause_on_no_day": lambda: _paused("cron(0 20 ? * ? *)"),
    "a_pause_at_an_hour_that_does_not_exist": lambda: _paused("cron(0 24 ? * MON *)"),
    "a_pause_by_a_rate": lambda: _paused("rate(1 day)"),
    "a_cluster_without_snapshots": lambda: Cluster(name="a", snapshot_retention_days=0),
    "a_maintenance_window_without_days": lambda: Cluster(name="a", maintenance_window="03:00-04:00"),
    "maintenance_deferred_for_ever": lambda: Deferral(start="2026-12-01T00:00:00Z", days=46),
    "a_queue_for_nobody": lambda: Cluster(name="a", queues=(QueryQueue(name="empty"),)),
    "a_default_queue_for_somebody": lambda: Cluster(name="a", everybody=QueryQueue(name="e", roles=("analyst",))),
    "two_queues_of_one_name": lambda: Cluster(name="a", everybody=QueryQueue(name="analysts")),
    "a_queue_of_unknown_priority": lambda: QueryQueue(name="a", priority="critical"),
    "a_query_of_a_day": lambda: QueryQueue(name="a", longest_minutes=1_440),
    "two_clusters_of_one_name": lambda: Warehouse(clusters=(Cluster(name="a"), Cluster(name="a"))),
    "clients_from_everywhere": lambda: Warehouse(client_cidrs=("0.0.0.0/0",)),
    "a_password_for_ever": lambda: Warehouse(person_rotation_days=1_001),
    "a_warehouse_without_a_cluster": lambda: replace(STAGES["dev"], warehouse=Warehouse()),
    "an_unknown_stage": lambda: stage_named("production"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_refused_and_explained(case: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        NONSENSE[case]()
    for word in ("given:", "allowed:", "fix:"):
        assert word in str(refused.value)


@pytest.mark.parametrize("days", LOG_RETENTION_DAYS)
def test_every_retention_of_cloudwatch_logs_is_taken(days: int) -> None:
    assert Operations(log_retention_days=days).log_retention_days == days


@pytest.mark.parametrize("url", [URL, f"{URL}/api/v2", "http://127.0.0.1", "http://127.0.0.1:40123/api"])
def test_a_safe_base_url_is_taken(url: str) -> None:
    assert ShowCatalog(api_base_url=url).api_base_url == url


def test_configuration_cannot_be_changed_after_it_is_built() -> None:
    with pytest.raises(AttributeError):
        STAGES["prod"].data_lake.keep_data = False  # type: ignore[misc]


@pytest.mark.parametrize(
    "schedule",
    ["cron(0 20 ? * MON-FRI *)", "cron(30 6 * * ? *)", "cron(0 22 L * ? *)", "cron(5 1,13 ? 1-6 SUN,SAT 2027)"],
)
def test_schedules_of_redshift_are_taken(schedule: str) -> None:
    assert _paused(schedule).pause_at == schedule


def test_subnets_of_zones_do_not_overlap_and_leave_room() -> None:
    assert Network(cidr="10.40.0.0/16", zones=3).subnet_cidrs == ["10.40.0.0/20", "10.40.16.0/20", "10.40.32.0/20"]


def test_public_subnets_lie_apart_from_those_of_nodes() -> None:
    network = Network(cidr="10.41.0.0/16", zones=3)
    assert network.public_subnet_cidrs == ["10.41.240.0/24", "10.41.241.0/24", "10.41.242.0/24"]
    assert network.subnet_cidrs[-1] == "10.41.32.0/20"
