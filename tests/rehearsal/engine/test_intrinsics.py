"""What each intrinsic function stands for, and that an unknown one is an error with its place."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.errors import Unsupported
from rehearsal.engine.intrinsics import Intrinsics, references

VALUES = {
    "AWS::Region": "eu-west-1",
    "Name": "shows",
    "Queue": "https://queue",
    "Zones": ["a", "b"],
    "Answer": 42,
}
ATTRIBUTES = {("Queue", "Arn"): "arn:queue", ("Map", "Outputs.Key"): "nested"}
CONDITIONS = {
    "Always": {"Fn::Equals": ["1", 1]},
    "Never": {"Fn::Not": [{"Condition": "Always"}]},
    "Both": {"Fn::And": [{"Condition": "Always"}, {"Condition": "Never"}]},
    "Either": {"Fn::Or": [{"Condition": "Always"}, {"Condition": "Never"}]},
}


@pytest.fixture
def intrinsics() -> Intrinsics:
    """Functions over a handful of names."""
    return Intrinsics(
        stack="App",
        ref=VALUES.__getitem__,
        attribute=lambda logical_id, name: ATTRIBUTES[logical_id, name],
        imported={"Other:Export": "imported"}.__getitem__,
        conditions=CONDITIONS,
        mappings={"Sizes": {"eu-west-1": {"shards": 4}}},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "shows"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:queue"),
        ({"Fn::GetAtt": "Map.Outputs.Key"}, "nested"),
        ({"Fn::Sub": "${Name}-${AWS::Region}-${Queue.Arn}-${!Literal}"}, "shows-eu-west-1-arn:queue-${Literal}"),
        ({"Fn::Sub": ["${Name}/${Own}", {"Own": {"Ref": "Answer"}}]}, "shows/42"),
        ({"Fn::Join": [":", ["a", {"Ref": "Name"}, 3, True]]}, "a:shows:3:true"),
        ({"Fn::Join": ["", {"Ref": "Zones"}]}, "ab"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "x/y/z"]}]}, "y"),
        ({"Fn::If": ["Always", "yes", {"Ref": "Missing"}]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "shards"]}, 4),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::ImportValue": "Other:Export"}, "imported"),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::Contains": [["1", "2"], "2"]}, True),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
        ({"Keep": 1, "Gone": {"Ref": "AWS::NoValue"}}, {"Keep": 1}),
        ([1, {"Fn::If": ["Never", 2, {"Ref": "AWS::NoValue"}]}], [1]),
    ],
)
def test_a_function_is_replaced_by_what_it_stands_for(intrinsics: Intrinsics, value: Any, expected: Any) -> None:
    assert intrinsics.resolve(value, logical_id="It") == expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Fn::Cidr": ["10.0.0.0/16", 4, 8]}, "Fn::Cidr"),
        ({"Ref": "Missing"}, "'Missing'"),
        ({"Fn::GetAtt": ["Queue", "Colour"]}, "Queue.Colour"),
        ({"Fn::ImportValue": "Nobody"}, "'Nobody'"),
        ({"Fn::FindInMap": ["Sizes", "us-east-1", "shards"]}, "us-east-1"),
        ({"Fn::Select": [5, ["only"]]}, "out of range"),
        ({"Fn::If": ["Unheard", 1, 2]}, "'Unheard'"),
        ({"Fn::Join": ["", [["nested"]]]}, "nested"),
    ],
)
def test_what_cannot_be_evaluated_names_stack_logical_id_and_property(
    intrinsics: Intrinsics, value: Any, named: str
) -> None:
    with pytest.raises(Unsupported) as caught:
        intrinsics.resolve({"Outer": [value]}, logical_id="It")
    assert str(caught.value).startswith("App/It: property Outer[0]")
    assert named in str(caught.value)
    assert "rehearsal/engine/intrinsics.py" in str(caught.value)


def test_references_are_found_wherever_they_hide() -> None:
    value = {
        "a": [{"Ref": "One"}, {"Fn::GetAtt": ["Two", "Arn"]}, {"Fn::GetAtt": "Three.Arn"}],
        "b": {"Fn::Sub": ["${Four} ${Own} ${!Not} ${Five.Arn}", {"Own": {"Ref": "Six"}}]},
    }
    assert list(references(value)) == ["One", "Two", "Three", "Four", "Five", "Six"]
