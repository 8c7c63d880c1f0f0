"""What a rehearsal of the warehouse found, as its page shows it; it finds nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from contracts.warehouse.model import Declaration, User
from contracts.warehouse.secrets import ALTERNATING_USERS
from rehearsal.scenario.warehouse_rights import READ, Table, Tried


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One moment of a rotation: after which step, and whose password logs in; None when there is no such version."""

    after: str
    current: bool | None
    pending: bool | None
    previous: bool | None


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """A rotation as it was watched."""

    user: User
    moments: Sequence[Moment]

    @property
    def problems(self) -> list[str]:
        """What is not as the way of rotation promises: that of alternating users, that the current secret logs in at
        every moment; each, that it does at the end."""
        found = []
        if self.user.rotation == ALTERNATING_USERS and not all(moment.current for moment in self.moments):
            found.append(f"the current secret of {self.user.name} did not log in during its rotation")
        if not self.moments or not self.moments[-1].current:
            found.append(f"the secret of {self.user.name} does not log in after its rotation")
        return found


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A part of the rehearsal: what was done, what was told, and whether that is what must be.

    ``left_out`` when the declaration lacks what it takes; then ``said`` is why.
    """

    title: str
    said: str
    lines: Sequence[str]
    well: bool
    left_out: bool = False

    @property
    def verdict(self) -> str:
        """In a word or two."""
        return "left out" if self.left_out else "as it must be" if self.well else "NOT AS IT MUST BE"


@dataclass(frozen=True, kw_only=True)
class Login:
    """How one user of the warehouse logs in, but for the password, which a secret holds."""

    user: str
    secret_id: str
    where: Mapping[str, Any]
    """What a client of PostgreSQL connects by: host, port, database, and whose certificate it takes."""

    @property
    def conninfo(self) -> str:
        """As libpq reads it."""
        return psycopg.conninfo.make_conninfo("", user=self.user, **self.where)


@dataclass(kw_only=True)
class WarehouseFindings:
    """What came of the rehearsal of one cluster."""

    cluster: str
    declaration: Declaration
    login: Login | None = None
    """A person's, for whoever wants to look around; None where nobody is declared."""
    chapters: list[Chapter] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    modelled: list[tuple[str, str, int]] = field(default_factory=list)
    """Form of statement that only Redshift has, what stood for it, and how often."""

    @property
    def readers(self) -> list[str]:
        """Database users, in order."""
        return list(dict.fromkeys(tried.user for tried in self.tried))

    @property
    def reading(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Of each schema's tables, how many each user reads: user to (reads, there are)."""
        counts: dict[str, dict[str, tuple[int, int]]] = {}
        for tried in self.tried:
            if tried.doing == READ:
                reads, there = counts.setdefault(tried.schema, {}).get(tried.user, (0, 0))
                counts[tried.schema][tried.user] = (reads + tried.can, there + 1)
        return counts

    @property
    def problems(self) -> list[str]:
        """What is not as it must be."""
        found = [f"warehouse: {chapter.title}: {chapter.said}" for chapter in self.chapters if not chapter.well]
        for tried in self.tried:
            if tried.may != tried.can:
                wrong = "can, and may not," if tried.can else "may, and cannot,"
                found.append(f"warehouse: {tried.user} {wrong} {tried.what}")
        for rotation in self.rotations:
            found += [f"warehouse: {problem}" for problem in rotation.problems]
        return found
