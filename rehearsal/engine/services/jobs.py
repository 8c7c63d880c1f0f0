"""Lets the runs of jobs take part, whichever service starts them."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.engine.account import Account
from rehearsal.engine.jobs.executions import Executions


def attach(account: Account) -> Callable[[], None]:
    """Execute job runs; gives what ends those that go on."""
    executions = Executions(account)
    account.register(executions)
    account.scheduler.add(executions)
    account.authorizer.watchers.append(executions.watch)
    return executions.close
