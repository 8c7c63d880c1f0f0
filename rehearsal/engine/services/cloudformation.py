"""What CloudFormation tells the default bus of stacks; creating them is `rehearsal.engine.deployment`'s."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.services.events import put_event


def stack_created(account: Account, stack_id: str) -> None:
    """Tell that a stack is complete (CloudFormation User Guide, "Stack Status Change event detail")."""
    put_event(
        account,
        source="aws.cloudformation",
        detail_type="CloudFormation Stack Status Change",
        resources=[stack_id],
        detail={
            "stack-id": stack_id,
            "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""},
            "client-request-token": "",
        },
    )
