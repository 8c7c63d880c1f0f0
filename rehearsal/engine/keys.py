"""Lets KMS keys be disabled for a while: permissions alone cannot say that, and moto does not ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rehearsal.engine import iam

# What works on a disabled key as well (AWS KMS Developer Guide, "Key states of AWS KMS keys").
_MANAGEMENT = ("kms:Describe", "kms:List", "kms:Enable", "kms:Disable", "kms:Put", "kms:Tag", "kms:GetKeyPolicy")


class KeyAwareAuthorizer(iam.Authorizer):
    """An authorizer that refuses uses of disabled keys, after the policies have allowed them."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.disabled_keys: set[str] = set()
        self.refused_for_key: list[str] = []

    def authorize(self, principal: iam.Principal, needs: Sequence[iam.Need]) -> None:
        """Decide and record every need, then refuse the use of a disabled key.

        Raises:
            rehearsal.engine.iam.AccessDenied: a policy refuses, or a key is disabled.
        """
        super().authorize(principal, needs)
        for need in needs:
            if need.resource in self.disabled_keys and not need.action.startswith(_MANAGEMENT):
                refused = iam.AccessDenied(
                    principal=principal, need=need, reason="because the key is disabled (KMS.DisabledException)"
                )
                self.refused_for_key.append(str(refused))
                raise refused
