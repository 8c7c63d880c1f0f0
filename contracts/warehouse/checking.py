"""Checks how the parts of a declaration fit together: what is named exists, nothing stands twice or in a circle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from contracts.warehouse.model import (
    ALL_TABLES,
    EXTERNAL_PRIVILEGES,
    Declaration,
    DeclarationError,
    DefaultGrant,
    Grant,
    Role,
    User,
)
from contracts.warehouse.secrets import CLONE_SUFFIX, SINGLE_USER

Problem = tuple[str, str]


def check(declaration: Declaration, problems: list[Problem]) -> None:
    """Add what does not fit to ``problems``, each with the item that it is about."""
    for found in (_names(declaration), _roles(declaration), _users(declaration), _policies(declaration)):
        problems.extend(found)


def check_admin(declaration: Declaration, admin_user: str) -> None:
    """Refuse what declares a cluster's own administrator.

    Raises:
        DeclarationError: a user has that name.
    """
    for user in declaration.users:
        if admin_user in user.logins:
            raise DeclarationError(
                [(f"users.{user.name}", f"{admin_user} is the cluster's own administrator; give another name")]
            )


def _names(declaration: Declaration) -> Iterator[Problem]:
    """A schema's name is a schema's alone; users' and roles' names are one world ("CREATE ROLE" page)."""
    own = {schema.name for schema in declaration.schemas}
    for schema in declaration.external_schemas:
        if schema.name in own:
            yield f"external_schemas.{schema.name}", f"schemas.{schema.name} has the same name; give one another"
    roles = {role.name for role in declaration.roles}
    logins = Counter(login for user in declaration.users for login in user.logins)
    for user in declaration.users:
        item = f"users.{user.name}"
        for login in user.logins:
            if login in roles:
                yield item, f"roles.{login} has the name of its database user {login}; give one another"
            if logins[login] > 1:
                yield item, f"two users have a database user {login}; a service has a second one, {CLONE_SUFFIX} added"


def _roles(declaration: Declaration) -> Iterator[Problem]:
    roles = {role.name: role for role in declaration.roles}
    own = {schema.name for schema in declaration.schemas}
    external = {schema.name for schema in declaration.external_schemas}
    users = {user.name for user in declaration.users}
    for role in declaration.roles:
        item = f"roles.{role.name}"
        for name in role.member_of:
            if name not in roles:
                yield item, f"member_of names the role {name!r}, which is not declared; {_declared(roles)}"
        circle = _circle(role, roles)
        if circle:
            yield item, f"member_of goes in a circle: {' → '.join(circle)}; take one of them out"
        for number, grant in enumerate(role.grants):
            for text in _grant(grant, own, external):
                yield item, f"grants[{number}]: {text}"
        for text in _twice(role):
            yield item, text
        for number, default in enumerate(role.default_grants):
            for text in _default(default, role, own, users):
                yield item, f"default_grants[{number}]: {text}"


def _default(default: DefaultGrant, role: Role, own: set[str], users: set[str]) -> Iterator[str]:
    if default.schema not in own:
        yield f"schema {default.schema!r} is not declared; {_declared(own)}"
    if default.owner not in users:
        yield f"owner {default.owner!r} is no declared user; {_declared(users)}"
    over_all = [grant for grant in role.grants if (grant.schema, grant.table) == (default.schema, ALL_TABLES)]
    missing = set(default.privileges) - {word for grant in over_all for word in grant.privileges}
    if missing:
        # Each new table would differ from what is declared, and putting right would take the right away again.
        yield (
            f"{', '.join(sorted(missing))} comes with each new table of {default.schema} and is not declared for those "
            f'that there are; grant it on table "{ALL_TABLES}" of {default.schema} too'
        )


def _grant(grant: Grant, own: set[str], external: set[str]) -> Iterator[str]:
    if grant.schema not in own | external:
        yield f"schema {grant.schema!r} is not declared; {_declared(own | external)}"
    if grant.schema in external:
        if grant.table:
            yield (
                f"schema {grant.schema!r} shows the lake, where rights are to a whole schema "
                '("CREATE EXTERNAL SCHEMA" page); leave table out and grant usage'
            )
        elif set(grant.privileges) - set(EXTERNAL_PRIVILEGES):
            yield f"schema {grant.schema!r} shows the lake; allowed is {', '.join(EXTERNAL_PRIVILEGES)}"


def _twice(role: Role) -> Iterator[str]:
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for grant in role.grants:
        for privilege in grant.privileges:
            for column in grant.columns or ("",):
                seen[grant.schema, grant.table, column, privilege] += 1
    for (schema, table, column, privilege), count in seen.items():
        if count > 1:
            what = ".".join(part for part in (schema, table, column) if part)
            yield f"grants {privilege} on {what} twice; take one out"
        if table and table != ALL_TABLES and not column and seen[schema, ALL_TABLES, "", privilege]:
            yield f"grants {privilege} on {schema}.{table} and on all tables of {schema}; take one out"


def _circle(role: Role, roles: Mapping[str, Role]) -> tuple[str, ...]:
    """The way from a role back to itself; empty when there is none."""
    ways: list[tuple[str, ...]] = [(role.name,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in roles[way[-1]].member_of if way[-1] in roles else ():
            if name == role.name:
                return (*way, name)
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()


def _users(declaration: Declaration) -> Iterator[Problem]:
    roles = {role.name for role in declaration.roles}
    for user in declaration.users:
        for name in user.roles:
            if name not in roles:
                yield f"users.{user.name}", f"roles names {name!r}, which is not declared; {_declared(roles)}"


def _policies(declaration: Declaration) -> Iterator[Problem]:
    roles = {role.name: role for role in declaration.roles}
    own = {schema.name for schema in declaration.schemas}
    for policy in declaration.row_policies:
        item = f"row_policies.{policy.name}"
        if not policy.attached:
            yield item, "attached is empty, so that it hides nothing; name a table and who sees it through the policy"
        for number, attachment in enumerate(policy.attached):
            if attachment.schema not in own:
                yield (
                    item,
                    f"attached[{number}]: {attachment.schema!r} is no declared schema of the warehouse's own (a policy "
                    f'cannot be put on the lake\'s tables, "ATTACH RLS POLICY" page); {_declared(own)}',
                )
            for name in attachment.roles:
                if name not in roles:
                    yield item, f"attached[{number}]: role {name!r} is not declared; {_declared(roles)}"
            for role in declaration.roles:
                if any(default.schema == attachment.schema for default in role.default_grants):
                    yield (
                        item,
                        f"attached[{number}]: new tables of {attachment.schema} come with rights of {role.name}, so "
                        f"that {attachment.table} would show every row from when it is made again until the next "
                        "run; keep it in a schema without default_grants, where rights come with the policy",
                    )
                for user in declaration.users if policy.equals_user else ():
                    if len(user.logins) > 1 and name in _roles_of(user, roles):
                        yield (
                            item,
                            f"attached[{number}]: equals_user shows the rows of the database user who asks, and the "
                            f"service {user.name}, which has the role {name}, asks as {' and '.join(user.logins)} in "
                            f"turn; show it rows by values, in a role of its own, or give users.{user.name} "
                            f'rotation = "{SINGLE_USER}"',
                        )


def _roles_of(user: User, roles: Mapping[str, Role]) -> set[str]:
    """A user's roles, and those that these are members of."""
    having: set[str] = set()
    ahead = list(user.roles)
    while ahead:
        name = ahead.pop()
        if name in roles and name not in having:
            having.add(name)
            ahead.extend(roles[name].member_of)
    return having


def _declared(names: Mapping[str, object] | set[str]) -> str:
    return f"declared are {', '.join(sorted(names)) or 'none'}"
