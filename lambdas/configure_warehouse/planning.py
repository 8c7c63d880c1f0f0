"""Compares what must be so with what was made so and what is so, and says what to do; it must not do it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from contracts.warehouse.model import RowPolicy
from lambdas.configure_warehouse.facts import Fact, Kind, Wanted

KEPT_KINDS = frozenset({Kind.SCHEMA, Kind.EXTERNAL_SCHEMA, Kind.ROLE, Kind.USER})
"""What is dropped only when the caller says so: with a schema go its tables, with a user what only they could reach."""

CLOSED = frozenset({Fact(Kind.SCHEMA_GRANT, ("public", "create", "public"))})
"""What every cluster begins with and no declared one keeps: everybody could make tables in `public`, and have others
take them for their own (PostgreSQL, "CVE-2018-1058"; Redshift, "Schemas" page)."""


class Plan(NamedTuple):
    """What to create and remove, and what else there is to tell.

    ``missing`` and ``extra`` are changes made by hand: what had been made and is gone, and what nobody declared. They
    are put right only when the caller says so. ``kept`` is not declared any more and stays until the caller allows its
    drop. ``adopted`` is declared and was there already, ``forgotten`` was made once and is neither declared nor there.
    ``replaced`` are external schemas that are dropped and made again, ``users`` those whom the database knows.
    """

    create: frozenset[Fact]
    remove: frozenset[Fact]
    missing: frozenset[Fact]
    extra: frozenset[Fact]
    kept: frozenset[Fact]
    adopted: frozenset[Fact]
    forgotten: frozenset[Fact]
    waiting: tuple[str, ...]
    open: tuple[str, ...]
    replaced: frozenset[str]
    users: frozenset[str]
    policies: Mapping[str, RowPolicy]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.create and not self.remove

    def lines(self) -> list[str]:
        """The plan as a person reads it: + is made, - is removed, ! differs by hand, = is kept, … waits."""
        marked = (
            ("+", self.create),
            ("-", self.remove),
            ("! gone by hand:", self.missing),
            ("! made by hand:", self.extra),
            ("= kept, not declared any more:", self.kept),
        )
        told = [f"{mark} {fact}" for mark, facts in marked for fact in in_order(facts)]
        return told + [f"… {text}" for text in self.waiting]


def plan(
    wanted: Wanted,
    *,
    applied: Collection[Fact],
    actual: Collection[Fact],
    repair: bool = False,
    drop: bool = False,
) -> Plan:
    """The plan that makes a warehouse what is wanted.

    Args:
        wanted: what must be so.
        applied: what earlier runs made so.
        actual: what is so.
        repair: put right what was changed by hand.
        drop: drop schemas, roles and users that are not declared any more (with ``repair``, those made by hand too).
    """
    declared, before, there = wanted.facts, frozenset(applied), frozenset(actual)
    missing = (declared & before) - there
    extra = there - declared - before
    create = declared - there - before
    # A secret that is gone already may leave a login behind: it counts until that is disabled.
    secrets = frozenset(fact for fact in before if fact.kind is Kind.SECRET)
    remove = ((there & (before | CLOSED)) | secrets) - declared
    if repair:
        create, remove = create | missing, remove | extra
        missing = frozenset()
    # An external schema holds nothing of its own: a changed one is dropped, with its rights, and made again.
    replaced = _external(create) & _external(remove)
    lost = frozenset(fact for fact in there if fact.kind is Kind.SCHEMA_GRANT and fact.parts[0] in replaced)
    create, remove = create | (lost & declared), remove | lost
    kept = frozenset(
        fact for fact in remove if fact.kind in KEPT_KINDS and not drop and not _external({fact}) & replaced
    )
    return Plan(
        create=create,
        remove=remove - kept,
        missing=missing,
        extra=extra - remove,
        kept=kept,
        adopted=declared & there,
        forgotten=before - declared - there - secrets,
        waiting=wanted.waiting,
        open=wanted.open,
        replaced=replaced,
        users=frozenset(fact.parts[0] for fact in there if fact.kind is Kind.USER),
        policies=wanted.policies,
    )


def _external(facts: Iterable[Fact]) -> frozenset[str]:
    return frozenset(fact.parts[0] for fact in facts if fact.kind is Kind.EXTERNAL_SCHEMA)


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """By kind, then by texts."""
    kinds = list(Kind)
    return sorted(facts, key=lambda fact: (kinds.index(fact.kind), fact.parts))
