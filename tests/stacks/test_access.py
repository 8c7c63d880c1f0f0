"""Encryption, transport and least privilege over every template."""

import re
from typing import Any

from contracts.datasets import DATASETS, Dataset
from tests.stacks.assembly import DEPLOYER, Assembly, Resource, as_list, flat

CMK_PROPERTY = {
    "AWS::S3::Bucket": (
        *("BucketEncryption", "ServerSideEncryptionConfiguration", 0),
        *("ServerSideEncryptionByDefault", "KMSMasterKeyID"),
    ),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::Kinesis::Stream": ("StreamEncryption", "KeyId"),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::Glue::SecurityConfiguration": ("EncryptionConfiguration", "CloudWatchEncryption", "KmsKeyArn"),
    "AWS::EKS::Cluster": ("EncryptionConfig", 0, "Provider", "KeyArn"),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::MWAA::Environment": ("KmsKey",),
    "AWS::Redshift::Cluster": ("KmsKeyId",),
    "AWS::Athena::WorkGroup": (
        *("WorkGroupConfiguration", "ResultConfiguration"),
        *("EncryptionConfiguration", "KmsKey"),
    ),
}
"""Where each type that holds data names its key."""

HOLDS_NO_DATA = {
    "AWS::CloudWatch::Alarm",
    "AWS::CDK::Metadata",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EKS::AccessEntry",
    "AWS::EKS::Addon",
    "AWS::EKS::FargateProfile",
    "AWS::EKS::PodIdentityAssociation",
    "AWS::EMRContainers::JobTemplate",
    "AWS::EMRContainers::VirtualCluster",
    "AWS::Events::Rule",
    "AWS::Glue::Classifier",
    "AWS::Glue::Crawler",
    "AWS::Glue::Database",
    "AWS::Glue::Job",
    "AWS::Glue::Table",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::OIDCProvider",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogStream",
    "AWS::Redshift::ClusterParameterGroup",
    "AWS::Redshift::ClusterSubnetGroup",
    "AWS::Redshift::ScheduledAction",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Parameter",  # the construct library's mark that manifests can be applied
    "Custom::AWSCDK-EKS-HelmChart",
    "Custom::AWSCDK-EKS-KubernetesResource",
    "Custom::PublishedCode",
}
"""Types without a key of their own; a new type must be put here or above."""


USERS_SECRETS = r"arn:[^/]+:secret:amp/[a-z]+/warehouse/analytics/\*"


def _construct(dataset: Dataset) -> str:
    return "Crawler" + "".join(word.title() for word in dataset.name.split("_"))


WILDCARDS = {
    ("Delivery", "AWS::IAM::Role"): (
        r"<[^>]+>/(events|quarantine|firehose-errors)/\*",
        "Firehose names each object that it writes.",
    ),
    **{
        (_construct(dataset), "AWS::IAM::Role"): (
            rf"<[^>]+>/{dataset.prefix}\*"
            rf"|arn:[^/]+:table/<[^>]+>/{dataset.table_name}_\*"
            r"|arn:[^/]+:log-group:/aws-glue/crawlers\*",
            "Producers name the files of their dataset, Glue completes the names of tables and log groups.",
        )
        for dataset in DATASETS
    },
    ("OperatorPolicy", "AWS::IAM::ManagedPolicy"): (
        r"<[^>]+>/(quarantine|firehose-errors|operations)/\*"
        r"|arn:[^/]+:table/<[^>]+>/\*"
        r"|arn:[^/]+:stack/Amp-[a-z]+-\*/\*"
        r"|<[^>]+>/jobruns/\*"
        rf"|{USERS_SECRETS}"
        r"|\*",
        "Failed records and notes by their prefixes, tables, stacks, users and runs that are to come, calls that "
        "know no resource.",
    ),
    ("NetworkFlowLogRole", "AWS::IAM::Role"): (r"\*", "Log groups are listed by a call that knows no resource."),
    ("KubernetesDeployerRole", "AWS::IAM::Role"): (
        r"arn:[^/]+:log-group:/amp/[a-z]+/EmrOnEks/deployer:\*|\*",
        "Lambda names streams and network interfaces; a registry's log-in knows no resource.",
    ),
    (DEPLOYER, "AWS::IAM::Policy"): (r"<[^>]+>:\*", "Any version of the one function that works."),
    ("AutoscalerControllerRole", "AWS::IAM::Role"): (
        r"arn:[^/]+:ec2:<AWS::Region>:(<AWS::AccountId>)?:[a-z-]+/\*|arn:[^/]+:parameter/aws/service/eks/optimized-ami/\*|\*",
        "EC2 names what is made, held to tags of this cluster; calls that describe know no resource.",
    ),
    ("SubmitterPolicy", "AWS::IAM::ManagedPolicy"): (r"<[^>]+>/jobruns/\*", "EMR names each run."),
    ("FilesPublishingExecutionRole", "AWS::IAM::Role"): (
        r"<[^>]+>/airflow/dags/\*",
        "Files of DAGs come and go with the folder that is published.",
    ),
    ("AirflowExecutionRole", "AWS::IAM::Role"): (
        r"<[^>]+>/(airflow|canary|jobs)/\*|arn:[^/]+:log-group:airflow-amp-[a-z]+-\*|arn:[^/]+:airflow-celery-\*|\*",
        "Published files, proofs and versions of code by their prefixes; MWAA names groups, streams and its queue.",
    ),
    ("SpectrumAnalyticsRole", "AWS::IAM::Role"): (
        r"<[^>]+>/(events|batch|transformed|personal)/\*|arn:[^/]+:table/<[^>]*Database[^>]*>/\*",
        "External schemas show whole zones, with the tables that are made later.",
    ),
    ("RotationExecutionRole", "AWS::IAM::Role"): (
        rf"{USERS_SECRETS}|arn:[^/]+:network-interface/\*|\*",
        "Users come and go without a deployment; Lambda names network interfaces; calls that know no resource.",
    ),
    ("ConfigurationExecutionRole", "AWS::IAM::Role"): (
        rf"{USERS_SECRETS}|\*",
        "Users come and go without a deployment; ListSecrets and calls about its own statements know no resource.",
    ),
    ("PersonPolicy", "AWS::IAM::ManagedPolicy"): (
        rf"{USERS_SECRETS}|\*",
        "Whose secret it is says its tag; calls about one's own statements know no resource.",
    ),
    ("QueryPolicy", "AWS::IAM::ManagedPolicy"): (
        r"<[^>]+>/(results|transformed)/\*|arn:[^/]+:table/<[^>]*TransformedDatabase[^>]*>/\*",
        "The shared zone as a whole; Athena names the files of results.",
    ),
    ("RawQueryPolicy", "AWS::IAM::ManagedPolicy"): (
        r"<[^>]+>/(events|batch)/\*|arn:[^/]+:table/<[^>]*RawDatabase[^>]*>/\*",
        "The raw zone as a whole.",
    ),
    ("Readeranalysts", "AWS::IAM::Role"): (
        r"<[^>]+>/transformed/\*|arn:[^/]+:table/<[^>]*TransformedDatabase[^>]*>/\*",
        "The whole zone is granted, with the tables that are made later.",
    ),
    ("Readerrecommendations", "AWS::IAM::Role"): (
        r"<[^>]+>/transformed/(sessions|shows)/\*",
        "Iceberg names the files of the two tables that are granted.",
    ),
}
"""Wildcards in the resources of identity policies: id prefix and type, the only form allowed, and why."""


def _of_a_job(holder: Resource) -> bool:
    """Roles that follow from the jobs' entries: test_lake_jobs.py and test_emr_jobs.py hold each against its entry."""
    return holder.stack == "LakeJobs" or (holder.stack == "EmrOnEks" and holder.id.startswith("Job"))


def test_everything_that_holds_data_is_encrypted_with_a_key_of_ours(assembly: Assembly) -> None:
    for resource in assembly.resources():
        assert resource.type in CMK_PROPERTY or resource.type in HOLDS_NO_DATA, resource
        if resource.type not in CMK_PROPERTY or _takes_access_logs(assembly, resource):
            continue
        value: Any = resource.properties
        for step in CMK_PROPERTY[resource.type]:
            value = value[step]
        key = assembly.target(resource.stack, value)
        assert key is not None, resource
        assert key.type == "AWS::KMS::Key", resource


def _takes_access_logs(assembly: Assembly, resource: Resource) -> bool:
    """S3 writes access logs only into buckets encrypted with its own key."""
    return any(
        assembly.target(bucket.stack, bucket.properties.get("LoggingConfiguration", {}).get("DestinationBucketName"))
        == resource
        for bucket in assembly.resources("AWS::S3::Bucket")
    )


def test_keys_rotate_and_let_services_in_only_under_a_condition(assembly: Assembly) -> None:
    for key in assembly.resources("AWS::KMS::Key"):
        assert key.properties["EnableKeyRotation"] is True
        for statement in key.properties["KeyPolicy"]["Statement"]:
            assert "Service" not in statement["Principal"] or statement["Condition"], key


def test_identity_policies_name_actions_and_resources_exactly(assemblies: dict[str, Assembly]) -> None:
    used = set()
    for holder, statement in (each for assembly in assemblies.values() for each in assembly.statements()):
        if (
            holder.type not in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
            or "Resource" not in statement
            or _of_a_job(holder)
        ):
            continue
        assert not [action for action in as_list(statement["Action"]) if "*" in action], holder
        for resource in as_list(statement["Resource"]):
            text = flat(resource)
            if "*" not in text:
                continue
            explained = [
                place
                for place, (pattern, _) in WILDCARDS.items()
                if holder.id.startswith(place[0]) and holder.type == place[1] and re.fullmatch(pattern, text)
            ]
            assert explained, f"{holder}: {text}"
            used |= set(explained)
    assert used == set(WILDCARDS), "an explained wildcard that nothing uses any more"


def test_resource_policies_open_to_everyone_only_to_deny(assembly: Assembly) -> None:
    for holder, statement in assembly.statements():
        if statement.get("Principal") not in ("*", {"AWS": "*"}):
            continue
        if holder.type == "AWS::EC2::VPCEndpoint":  # knows an account as a condition only
            assert (
                _of_this_account(statement)
                or {(statement["Action"], flat(each)) for each in as_list(statement["Resource"])} <= FOR_ANYBODY
            )
        elif holder.type == "AWS::KMS::Key" and statement["Effect"] == "Allow":  # a role that need not be there yet
            who = statement["Condition"]["StringEquals"]
            assert flat(who["aws:PrincipalArn"]).endswith("/spot.amazonaws.com/AWSServiceRoleForEC2Spot"), holder
            assert flat(who["kms:ViaService"]) == "ec2.<AWS::Region>.amazonaws.com", holder
        else:
            assert statement["Effect"] == "Deny", holder


FOR_ANYBODY = {
    ("s3:GetObject", "arn:<AWS::Partition>:s3:::prod-<AWS::Region>-starport-layer-bucket/*"),
    ("s3:PutObject", "arn:<AWS::Partition>:s3:::prod.<AWS::Region>.appinfo.src/*"),
    ("s3:PutObject", "arn:<AWS::Partition>:s3:::cloudformation-custom-resource-response-*/*"),
}
"""What passes an endpoint by an address that a service of AWS signed: layers of images, histories of Spark, and what
custom resources answer CloudFormation."""


def _of_this_account(statement: dict[str, Any]) -> bool:
    return bool(statement.get("Condition") == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}})


def test_services_are_let_in_for_named_resources_only(assembly: Assembly) -> None:
    for holder, statement in assembly.statements():
        principal = statement.get("Principal", {})
        if "Service" not in principal or holder.type == "AWS::IAM::Role":
            continue
        conditions = {key for operator in statement["Condition"].values() for key in operator}
        assert conditions & {"aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}, (holder, statement)


def test_buckets_queues_and_topics_refuse_plain_transport(assembly: Assembly) -> None:
    for type, policy_type, owner in (
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ):
        protected = [
            assembly.target(policy.stack, reference)
            for policy in assembly.resources(policy_type)
            if any(
                statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                for statement in policy.properties["PolicyDocument"]["Statement"]
            )
            for reference in as_list(policy.properties[owner])
        ]
        for resource in assembly.resources(type):
            assert resource in protected, resource


def test_buckets_are_closed_to_the_public_and_keep_versions(assembly: Assembly) -> None:
    for bucket in assembly.resources("AWS::S3::Bucket"):
        assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}, bucket
        if not _takes_access_logs(assembly, bucket):
            assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket
            assert "LoggingConfiguration" in bucket.properties, bucket


def test_no_template_holds_a_secret(assembly: Assembly) -> None:
    for secret in assembly.resources("AWS::SecretsManager::Secret"):
        assert "SecretString" not in secret.properties, secret
        assert "GenerateSecretString" in secret.properties, secret
    for function in assembly.functions():
        for name, value in function.properties["Environment"]["Variables"].items():
            holds_one = re.search(r"TOKEN|SECRET|PASSWORD|CREDENTIAL", name) is not None
            assert not holds_one or (name.endswith("_ARN") and isinstance(value, dict)), (function, name)
    assert not any("{{resolve:secretsmanager" in file.read_text() for file in assembly.folder.glob("*.template.json"))


def test_no_resource_of_the_construct_library_s_own_functions_slips_in(assembly: Assembly) -> None:
    ours = "Custom::PublishedCode"
    custom = [each for each in assembly.resources() if each.type.startswith("Custom::") and each.type != ours]
    for each in assembly.resources(ours):
        assert assembly.target(each.stack, each.properties["ServiceToken"]) in assembly.functions(), each
    assert {(each.stack, each.type.rpartition("-")[0]) for each in custom} == {("EmrOnEks", "Custom::AWSCDK-EKS")}
    assert len(assembly.resources("AWS::Lambda::Function")) == len(assembly.functions()) + 2
    for function in assembly.functions():
        assert function.properties["Handler"].startswith("lambdas."), function


_CRAWLING = {
    *("glue:BatchCreatePartition", "glue:BatchDeletePartition", "glue:BatchGetPartition", "glue:BatchUpdatePartition"),
    *("glue:CreateTable", "glue:GetDatabase", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"),
    "glue:UpdateTable",
    *("kms:Decrypt", "kms:GenerateDataKey"),
    *("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"),
    *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues"),
    *("sqs:ListQueueTags", "sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:SetQueueAttributes"),
}

_READING = {
    *("glue:GetDatabase", "glue:GetTable"),
    *("glue:GetTables", "kms:Decrypt", "s3:GetObject", "s3:ListBucket", "sns:Subscribe"),
}

_FLOW_LOGS = {"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"}

ACTIONS = {
    "Catalog/StartCrawlersExecutionRole": {
        *("glue:ListCrawls", "glue:StartCrawler"),
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        "sqs:SendMessage",
    },
    "Catalog/FailuresRole": {"kms:Decrypt", "kms:GenerateDataKey", "sns:Publish"},
    "Catalog/ReaderanalystsRole": _READING,
    "Catalog/ReaderrecommendationsRole": _READING,
    **{f"Catalog/{_construct(dataset)}Role": _CRAWLING for dataset in DATASETS},
    "Code/JobsPublishingExecutionRole": {
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:GetObject", "s3:PutObject"),
    },
    "EventStream/FlattenExecutionRole": {
        *("kinesis:PutRecords", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
    },
    "EventStream/DeliveryRole": {
        *("kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"),
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"),
        "logs:PutLogEvents",
        *("s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:GetObject"),
        *("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject"),
    },
    "Network/NetworkFlowLogRole": _FLOW_LOGS,
    "EmrOnEks/NetworkFlowLogRole": _FLOW_LOGS,
    "EmrOnEks/KubernetesDeployerRole": {
        "eks:DescribeCluster",
        *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
        *("ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
    },
    "EmrOnEks/KubernetesSystemPodRole": {
        *("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    },
    "EmrOnEks/InterruptionsRole": {"kms:Decrypt", "kms:GenerateDataKey", "sqs:SendMessage"},
    "EmrOnEks/FailuresRole": {"kms:Decrypt", "kms:GenerateDataKey", "sns:Publish"},
    "EmrOnEks/AutoscalerControllerRole": {
        *("ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:CreateTags", "ec2:DeleteLaunchTemplate"),
        *("ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstanceStatus"),
        *("ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeInstances"),
        *("ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups", "ec2:DescribeSecurityGroups"),
        *("ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets", "ec2:RunInstances", "ec2:TerminateInstances"),
        "eks:DescribeCluster",
        *("iam:GetInstanceProfile", "iam:ListInstanceProfiles", "iam:PassRole"),
        *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"),
        *("pricing:GetProducts", "ssm:GetParameter"),
        *("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"),
    },
    "Orchestration/NetworkFlowLogRole": _FLOW_LOGS,
    "Orchestration/CataloguedRole": {"kms:Decrypt", "kms:GenerateDataKey", "sqs:SendMessage"},
    "Orchestration/FilesPublishingExecutionRole": {
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
    },
    "Orchestration/AirflowExecutionRole": {
        *("airflow:PublishMetrics", "cloudwatch:PutMetricData", "glue:GetTable"),
        *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:GetLogEvents"),
        *("logs:GetLogGroupFields", "logs:GetLogRecord", "logs:GetQueryResults", "logs:PutLogEvents"),
        *("s3:GetAccountPublicAccessBlock", "s3:GetBucketLocation", "s3:GetBucketPublicAccessBlock"),
        *("s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetObject", "s3:GetObjectVersion"),
        *("s3:ListBucket", "s3:ListBucketVersions", "s3:PutObject", "sns:Publish"),
        *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
        *("sqs:ReceiveMessage", "sqs:SendMessage"),
    },
    "Warehouse/SpectrumAnalyticsRole": {
        *("glue:GetDatabase", "glue:GetDatabases", "glue:GetPartition", "glue:GetPartitions"),
        *("glue:GetTable", "glue:GetTables"),
        *("kms:Decrypt", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"),
    },
    "Warehouse/ClusterAnalyticsScheduleRole": {"redshift:PauseCluster", "redshift:ResumeCluster"},
    "Warehouse/RulesRole": {"kms:Decrypt", "kms:GenerateDataKey", "sqs:SendMessage"},
    "Warehouse/RotationExecutionRole": {
        *("ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"),
        *("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"),
        *("kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        "redshift:GetClusterCredentials",
        *("secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetSecretValue"),
        *("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"),
    },
    "Warehouse/ConfigurationExecutionRole": {
        *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:DescribeStream", "dynamodb:GetItem"),
        *("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:PutItem", "dynamodb:Query"),
        "dynamodb:UpdateItem",
        *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        "lambda:InvokeFunction",
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("redshift:DescribeClusters", "redshift:GetClusterCredentials"),
        *("redshift-data:BatchExecuteStatement", "redshift-data:DescribeStatement"),
        *("redshift-data:ExecuteStatement", "redshift-data:GetStatementResult"),
        *("secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"),
        "secretsmanager:ListSecrets",
        *("secretsmanager:RestoreSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource"),
        *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"),
    },
    "ShowCatalog/IngestExecutionRole": {
        *("kinesis:PutRecords", "kms:Decrypt", "kms:GenerateDataKey"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        "secretsmanager:GetSecretValue",
        *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"),
    },
}
"""All that each role may do; a role gains an action by being written here too."""


def test_a_role_may_do_what_is_written_here_and_nothing_else(assemblies: dict[str, Assembly]) -> None:
    found: dict[str, set[str]] = {}
    for holder, statement in (each for assembly in assemblies.values() for each in assembly.statements()):
        if holder.type == "AWS::IAM::Role" and "Resource" in statement and not _of_a_job(holder):
            name = f"{holder.stack}/{holder.id[:-8]}"
            found.setdefault(name, set()).update(as_list(statement["Action"]))
    assert found == ACTIONS


def test_a_key_is_used_through_named_services_and_never_directly(assembly: Assembly) -> None:
    for holder, statement in assembly.statements():
        if holder.type not in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            continue
        if any(action.startswith("kms:") for action in as_list(statement["Action"])):
            for service in map(flat, as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])):
                assert re.fullmatch(
                    r"(dynamodb|ec2|kinesis|s3|secretsmanager|sns|sqs)\.<AWS::Region>\.amazonaws\.com", service
                ), holder
