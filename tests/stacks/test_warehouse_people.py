"""What people may do in a warehouse: read their own secret, operate it, and query without a cluster."""

from tests.stacks.assembly import Assembly, as_list
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed
from tests.stacks.warehouse import SECRETS, policy_of


def test_a_person_reads_the_secret_that_bears_their_name_and_no_other(dev: Assembly) -> None:
    statements = policy_of(dev, "PersonPolicy")
    own = {"ResourceTag/amp:warehouse-user": "${aws:PrincipalTag/amp:warehouse-user}"}
    (statement,) = (each for each in statements if "secretsmanager:GetSecretValue" in as_list(each["Action"]))
    assert statement["Condition"] == {
        "StringEquals": {"secretsmanager:ResourceTag/amp:warehouse-user": own["ResourceTag/amp:warehouse-user"]}
    }
    assert as_list(statement["Resource"]) == [f"{SECRETS}/*"]
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert not {each for each in actions if each.startswith("redshift:")}, "temporary credentials would be another's"


def test_an_operator_plans_applies_and_redrives_and_reads_no_password(dev: Assembly) -> None:
    statements = policy_of(dev, "OperatorPolicy")
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert {"lambda:InvokeFunction", "sqs:StartMessageMoveTask", "redshift:ResumeCluster"} <= actions
    assert not actions & {"secretsmanager:GetSecretValue", "redshift:GetClusterCredentials", "redshift:DeleteCluster"}


def test_the_shared_zone_can_be_queried_without_a_cluster_and_the_raw_one_by_a_policy_of_its_own(
    dev: Assembly,
) -> None:
    def reads(policy: str, bucket: str, key: str) -> bool:
        arn = f"arn:{PARTITION}:s3:::amp-dev-{bucket}-{ACCOUNT}-{REGION}/{key}"
        return allowed(policy_of(dev, policy), "s3:GetObject", arn)

    assert reads("QueryPolicy", "transformed", "transformed/sessions/data/a.parquet")
    assert not reads("QueryPolicy", "transformed", "personal/event_details/data/a.parquet")
    assert not reads("QueryPolicy", "raw", "events/type=like/a.json.gz")
    assert reads("RawQueryPolicy", "raw", "events/type=like/a.json.gz")
    assert not reads("RawQueryPolicy", "raw", "quarantine/type=like/a.json.gz")
    workgroup = f"arn:{PARTITION}:athena:{REGION}:{ACCOUNT}:workgroup"
    assert allowed(policy_of(dev, "QueryPolicy"), "athena:StartQueryExecution", f"{workgroup}/amp-dev")
    assert not allowed(policy_of(dev, "QueryPolicy"), "athena:StartQueryExecution", f"{workgroup}/primary")


def test_a_query_ends_at_its_limit_and_its_result_is_encrypted_whatever_a_client_asks(assembly: Assembly) -> None:
    settings = assembly.one("AWS::Athena::WorkGroup").properties["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] >= 10_000_000
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    (bucket,) = (each for each in assembly.resources("AWS::S3::Bucket") if each.id.startswith("AthenaResults"))
    expiring = [rule for rule in bucket.properties["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]
    assert [rule["Prefix"] for rule in expiring] == ["results/"]
