"""Types that CDK adds to templates: its metadata and its custom resources."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType


def _nothing(account: Account, declaration: Declaration) -> Created:
    del account
    return Created(ref=declaration.name())


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::CDK::Metadata",
        create=_nothing,
        ignored={"Analytics": "it tells AWS which constructs are in use"},
        modelled_only="it has no effect in AWS either",
    ),
    ResourceType(
        name="Custom::S3AutoDeleteObjects",
        create=_nothing,
        ignored={
            "BucketName": "it empties the bucket when its stack is deleted, which no rehearsal does",
            "ServiceToken": "the function behind it does nothing at creation",
        },
        modelled_only="it acts when its stack is deleted",
    ),
)
