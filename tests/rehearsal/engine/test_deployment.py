"""Templates are taken literally: order, parameters, conditions, outputs, and an error for all that is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine.errors import DeploymentFailed, RehearsalError, Unsupported
from tests.rehearsal.engine.assemblies import NEEDS, AssemblyWriter, StartEngine, att, one_stack

pytest.importorskip("time_machine", reason=NEEDS)

QUEUE = {"Type": "AWS::SQS::Queue"}


def test_resources_are_created_after_what_they_refer_to(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {
        "Last": {"Type": "AWS::SQS::Queue", "DependsOn": "First"},
        "Middle": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"RedrivePolicy": {"deadLetterTargetArn": att("Letters"), "maxReceiveCount": 2}},
        },
        "First": {"Type": "AWS::SQS::Queue", "DependsOn": ["Middle"]},
        "Letters": QUEUE,
    }
    engine = start_engine(one_stack(tmp_path, resources))
    engine.deploy()
    assert [resource.logical_id for resource in engine.resources()] == ["Letters", "Middle", "First", "Last"]


def test_a_circular_dependency_is_named(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {"A": {**QUEUE, "DependsOn": "B"}, "B": {**QUEUE, "DependsOn": "A"}}
    with pytest.raises(DeploymentFailed, match="A → B → A"):
        start_engine(one_stack(tmp_path, resources)).deploy()


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"It": {"Type": "AWS::Nothing::Known"}}, "App/It: type AWS::Nothing::Known is not played"),
        (
            {"It": {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}},
            "App/It: property Colour of AWS::SQS::Queue is neither honoured nor ignored. Add it to one of the two "
            "lists of AWS::SQS::Queue in rehearsal/engine/services/sqs.py",
        ),
        (
            {"It": {"Type": "AWS::Kinesis::Stream", "Properties": {"StreamEncryption": {"Cipher": 1}}}},
            "property StreamEncryption.Cipher of AWS::Kinesis::Stream",
        ),
        (
            {
                "It": {
                    "Type": "AWS::S3::Bucket",
                    "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": [{"Strength": "high"}]}},
                }
            },
            "property BucketEncryption.ServerSideEncryptionConfiguration.Strength",
        ),
        ({"It": {**QUEUE, "UpdatePolicy": {}}}, "resource attribute UpdatePolicy is not read"),
        ({"It": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}}, "FifoQueue is not played"),
    ],
)
def test_what_the_engine_does_not_know_is_an_error_with_its_place(
    tmp_path: Path, start_engine: StartEngine, resources: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unsupported) as caught:
        start_engine(one_stack(tmp_path, resources)).deploy()
    assert message in str(caught.value)


def test_a_required_property_that_is_absent_is_named(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {"It": {"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "sqs"}}}
    with pytest.raises(DeploymentFailed, match=r"App/It .AWS::SNS::Subscription.: property Endpoint is missing"):
        start_engine(one_stack(tmp_path, resources)).deploy()


def test_an_unknown_section_is_an_error(tmp_path: Path, start_engine: StartEngine) -> None:
    with pytest.raises(Unsupported, match="section Transform is not read"):
        start_engine(one_stack(tmp_path, {}, Transform="AWS::Serverless")).deploy()


def test_exports_reach_later_stacks_and_the_order_follows_the_dependencies(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    writer = AssemblyWriter(tmp_path)
    letters = {"deadLetterTargetArn": {"Fn::ImportValue": "Base:Letters"}, "maxReceiveCount": 2}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": letters}}
    writer.stack("Consumer", {"Resources": {"Queue": queue}}, after=("Base",))
    output = {"Value": att("Letters"), "Export": {"Name": "Base:Letters"}}
    writer.stack("Base", {"Resources": {"Letters": QUEUE}, "Outputs": {"Arn": output}})
    engine = start_engine(writer.write())
    engine.deploy()
    assert [stack.name for stack in engine.assembly.stacks] == ["Base", "Consumer"]
    assert engine.outputs("Base")["Arn"] == engine.resource("Base", "Letters").arn


def test_parameters_take_given_values_and_defaults_and_keep_their_constraints(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    parameters = {
        "BaseUrl": {"Type": "String", "Default": "https://a", "AllowedPattern": "https?://.+"},
        "BootstrapVersion": {
            "Type": "AWS::SSM::Parameter::Value<String>",
            "Default": "/cdk-bootstrap/hnb659fds/version",
        },
    }
    rules = {
        "Recent": {
            "Assertions": [
                {
                    "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "BootstrapVersion"}]}]},
                    "AssertDescription": "bootstrap again",
                }
            ]
        }
    }
    outputs = {"Url": {"Value": {"Ref": "BaseUrl"}}}
    folder = one_stack(tmp_path, {}, Parameters=parameters, Rules=rules, Outputs=outputs)
    engine = start_engine(folder)
    with pytest.raises(DeploymentFailed, match=r"BaseUrl given 'ftp://x', allowed is a match"):
        engine.deploy(parameters={"App": {"BaseUrl": "ftp://x"}})
    with pytest.raises(DeploymentFailed, match="'Bse' given; the template has"):
        engine.deploy(parameters={"App": {"Bse": "x"}})
    engine.deploy(parameters={"App": {"BaseUrl": "http://127.0.0.1:1"}})
    assert engine.outputs("App") == {"Url": "http://127.0.0.1:1"}


def test_a_resource_whose_condition_does_not_hold_is_not_created(tmp_path: Path, start_engine: StartEngine) -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    resources = {"Kept": QUEUE, "Left": {**QUEUE, "Condition": "Never"}}
    engine = start_engine(one_stack(tmp_path, resources, Conditions=conditions))
    engine.deploy()
    assert [resource.logical_id for resource in engine.resources()] == ["Kept"]


def test_a_dynamic_reference_gives_the_value_of_the_secret(tmp_path: Path, start_engine: StartEngine) -> None:
    generate = {"SecretStringTemplate": '{"user": "amp"}', "GenerateStringKey": "token", "PasswordLength": 20}
    resources = {
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": generate}},
        "Shown": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": "/shown",
                "Value": {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Secret"}, ":SecretString:user}}"]]},
            },
        },
    }
    engine = start_engine(one_stack(tmp_path, resources))
    engine.deploy()
    assert engine.client("ssm").get_parameter(Name="/shown")["Parameter"]["Value"] == "amp"


def test_a_mutation_changes_what_is_deployed_and_not_the_assembly(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, {"Keep": QUEUE, "Drop": QUEUE}))

    def without_drop(template: dict[str, Any]) -> dict[str, Any]:
        del template["Resources"]["Drop"]
        return template

    engine.deploy(mutate={"App": without_drop})
    assert [resource.logical_id for resource in engine.resources()] == ["Keep"]
    assert "Drop" in engine.assembly.stacks[0].template["Resources"]


def test_the_coverage_lists_honoured_and_ignored_properties_with_their_reasons(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Threshold": 1}}
    engine = start_engine(one_stack(tmp_path, {"Queue": QUEUE, "Other": QUEUE, "Alarm": alarm}))
    engine.deploy()
    queues, alarms = engine.coverage()
    assert (queues.type, queues.count, queues.modelled_only) == ("AWS::SQS::Queue", 2, "")
    assert "RedrivePolicy" in queues.honoured
    assert queues.ignored["Tags"]
    assert alarms.modelled_only
    assert all(reason for row in engine.coverage() for reason in row.ignored.values())


def test_a_name_is_the_same_in_every_rehearsal_and_fits_the_service(tmp_path: Path, start_engine: StartEngine) -> None:
    logical_id = "AVeryLongLogicalIdOfABucketThatWouldNotFitIntoSixtyThreeCharacters"
    engine = start_engine(one_stack(tmp_path, {logical_id: {"Type": "AWS::S3::Bucket"}}))
    engine.deploy()
    name = engine.resources()[0].physical_id
    assert len(name) <= 63
    assert name == name.lower()
    assert name.startswith("app-averylonglogicalid")


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path, start_engine: StartEngine) -> None:
    with pytest.raises(RehearsalError, match=r"holds no manifest\.json"):
        start_engine(tmp_path)


def test_a_key_policy_that_locks_logs_out_fails_the_log_group(tmp_path: Path, start_engine: StartEngine) -> None:
    root = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    statement = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": att("Key")}},
    }
    with pytest.raises(DeploymentFailed, match="does not let CloudWatch Logs use the key"):
        start_engine(one_stack(tmp_path, resources)).deploy()
