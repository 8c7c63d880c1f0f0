"""Which names a warehouse's objects may have; what is allowed needs no escape, and is quoted all the same."""

import re

LONGEST = 63
"""Characters of a name: Redshift takes 127 bytes ("Names and identifiers" page), PostgreSQL's tools 63."""

_NAME = re.compile(r"[a-z_][a-z0-9_]*")

_RESERVED_WORDS = """
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between
    binary blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross
    current_date current_time current_timestamp current_user current_user_id default deferrable deflate defrag
    delta delta32k desc disable distinct do else emptyasnull enable encode encrypt encryption end except
    explicit false for foreign freeze from full globaldict256 globaldict64k grant group gzip having identity
    ignore ilike in initially inner intersect interval into is isnull join leading left like limit localtime
    localtimestamp lun luns lzo lzop minus mostly16 mostly32 mostly8 natural new not notnull null nulls off
    offline offset oid old on only open or order outer overlaps parallel partition percent permissions pivot
    placing primary public raw readratio recover references rejectlog resort respect restore right select
    session_user similar snapshot some sysdate system table tag tdes text255 text32k then timestamp to top
    trailing true truncatecolumns union unique unnest unpivot user using verbose wallet when where with without
"""

RESERVED = frozenset(_RESERVED_WORDS.split())
"""Words that name no schema, role or user ("Reserved words" page), and PUBLIC, which means everybody."""


_TAKEN = frozenset({"catalog_history", "information_schema", "rdsdb"})
"""Schemas and a user that every cluster has; ``public`` is a reserved word here."""


def problem_with(name: object, *, longest: int = LONGEST, reserved: frozenset[str] = RESERVED) -> str:
    """What is wrong with a name, as a sentence that tells it and what is allowed; empty when nothing is."""
    if not isinstance(name, str):
        return f"the name {name!r} is no text"
    if len(name) > longest:
        return f"the name {name[:longest]!r}… is too long; allowed are {longest} characters"
    if not _NAME.fullmatch(name):
        return f"the name {name!r} is not allowed; allowed are a-z, 0-9 and _, no digit first"
    if name in reserved:
        return f"the name {name!r} is a reserved word of Redshift; take another"
    if name in _TAKEN:
        return f"the name {name!r} is the database's own; take another"
    if name.startswith("pg_"):
        return f"the name {name!r} begins with pg_, which the database keeps for itself"
    return ""
