"""How batch files are catalogued and who may read the lake's tables: the settings of the Catalog stack.

It must not hold any stage's values, nor know which tables there are: the contracts do, and the stack holds one
against the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.checks import ConfigurationError, check_between

SHARED_ZONE = "transformed"
"""The zone without personal values."""

PERSONAL_ZONE = "personal"
"""The zone with personal values, granted only by name and with `personal=True`."""

_GRANT_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ACCOUNT = re.compile(r"\d{12}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_OWN_ROLE = re.compile(r"role/[\w+=,.@/-]{1,512}", re.ASCII)
_TABLE = re.compile(r"[a-z]+\.[a-z][a-z0-9_]{0,126}")


@dataclass(frozen=True, kw_only=True)
class ReadGrant:
    """Read access for another team: a role of this account that the team's principals may assume.

    Everything of a zone is granted by ``databases``, single tables by ``tables``.
    """

    name: str
    """Part of the role's name, `amp-<stage>-reader-<name>`."""

    principals: tuple[str, ...]
    """Who may assume the role: a role's ARN, `role/<name>` for a role of this account, or the 12 digits of an
    account, whose administrators then decide which of their principals may."""

    databases: tuple[str, ...] = ()
    """Zones granted whole, tables that are made later among them: `transformed`, `personal`."""

    tables: tuple[str, ...] = ()
    """Single lake tables by their full names, such as `transformed.sessions`."""

    personal: bool = False
    """Says that this grant is meant to show personal values."""

    def __post_init__(self) -> None:
        if not _GRANT_NAME.fullmatch(self.name):
            raise ConfigurationError(
                what="a grant's name would not fit into its role's name",
                given=self.name,
                allowed="lower-case letters, digits and hyphens, a letter first, at most 31 characters",
                fix="choose another name, such as analysts",
            )
        patterns = (_ACCOUNT, _ROLE_ARN, _OWN_ROLE)
        bad = [each for each in self.principals if not any(pattern.fullmatch(each) for pattern in patterns)]
        if bad or not self.principals:
            raise ConfigurationError(
                what=f"grant {self.name} names nobody who could assume a role",
                given=bad or self.principals,
                allowed="ARNs of roles, role/<name> for a role of this account, 12 digits of an account",
                fix="name the team's role, or its account",
            )
        self._check_zones()

    def _check_zones(self) -> None:
        zones = (SHARED_ZONE, PERSONAL_ZONE)
        bad = [database for database in self.databases if database not in zones]
        bad += [table for table in self.tables if not _TABLE.fullmatch(table) or _zone_of(table) not in zones]
        if bad or not (self.databases or self.tables):
            raise ConfigurationError(
                what=f"grant {self.name} is about nothing that is shared",
                given=bad or (self.databases, self.tables),
                allowed=f"databases {', '.join(zones)}; tables as {SHARED_ZONE}.<table> or {PERSONAL_ZONE}.<table>; "
                "the raw zone is granted to nobody",
                fix="name a database or tables of those zones",
            )
        granted = {*self.databases, *(_zone_of(table) for table in self.tables)}
        if (PERSONAL_ZONE in granted) != self.personal:
            raise ConfigurationError(
                what=f"grant {self.name} and its word on personal values disagree",
                given=(sorted(granted), f"personal={self.personal}"),
                allowed=f"personal=True with something of the {PERSONAL_ZONE} zone, and only then",
                fix=f"set personal to {PERSONAL_ZONE in granted}, if that is what is meant",
            )


def _zone_of(table: str) -> str:
    return table.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Crawling of batch files, and sharing."""

    gather_seconds: int = 60
    """Seconds for which notices of files are gathered before crawlers are started (1 to 300): files that arrive
    together cost one crawl."""

    crawl_wait_seconds: int = 7_200
    """Seconds that a batch file may wait for its crawl before an alarm is raised."""

    grants: tuple[ReadGrant, ...] = ()
    """Who may read which tables."""

    lake_formation: bool = False
    """Grant by Lake Formation as well. Needs a deploying role that is one of its administrators; whoever they are
    is never changed from here."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("gather_seconds", 1, 300, "Lambda's batching window"),
            ("crawl_wait_seconds", 600, 345_600, "longer than a postponed message is away, within a queue's retention"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        names = [grant.name for grant in self.grants]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigurationError(
                what="two grants have one name, and so one role",
                given=twice,
                allowed="a name of its own for each grant",
                fix="rename one, or make them one grant",
            )
