"""Cuts a statement into words, names, texts and signs, and takes them one after the other.

It must not know a statement of Redshift.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<name>"(?:[^"]|"")+")
    |(?P<text>'(?:[^']|'')*')
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<parameter>(?<!:):[A-Za-z_]\w*)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<sign>::|<>|!=|<=|>=|\|\||[(),.;=<>+\-*/%])""",
    re.VERBOSE,
)
T = TypeVar("T")


class UnknownStatement(Exception):
    """A statement that the rehearsal cannot play, or that Redshift would not take; says what and where."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """``kind``: name (quoted), text, number, parameter (``:x``), word or sign. ``text`` as it is written."""

    kind: str
    text: str
    start: int


def tokens_of(sql: str) -> tuple[Token, ...]:
    """The tokens of one statement; a semicolon at its end is left out.

    Raises:
        UnknownStatement: a character that no form has (comments, dollar quotes, operators of PostgreSQL alone), or
            several statements.
    """
    found, position = [], 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None or sql[position : position + 2] in ("--", "/*") or "\0" in match[0]:
            raise UnknownStatement(f"the rehearsal does not read {sql[position : position + 20]!r} (at {position})")
        if match.lastgroup != "blank":
            found.append(Token(kind=str(match.lastgroup), text=match[0], start=position))
        position = match.end()
    if found and found[-1].text == ";":
        found.pop()
    if any(token.text == ";" and token.kind == "sign" for token in found):
        raise UnknownStatement("there are several statements in one text; give one")
    return tuple(found)


class Reader:
    """Takes tokens from the front; each ``take_`` fails where another thing stands."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens = tokens_of(sql)
        self._next = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._next >= len(self._tokens)

    def peek(self, ahead: int = 0) -> Token | None:
        """A token to come, or None behind the end."""
        position = self._next + ahead
        return self._tokens[position] if position < len(self._tokens) else None

    def fails(self, wanted: str) -> UnknownStatement:
        """The error for what stands here in the place of something else."""
        token = self.peek()
        here = "the end" if token is None else f"{token.text[:40]} (at {token.start})"
        return UnknownStatement(f"{wanted} expected, {here} found; the rehearsal plays no such form")

    def accept(self, *words: str) -> bool:
        """Take the words (upper case) or signs if all of them stand here."""
        for ahead, word in enumerate(words):
            token = self.peek(ahead)
            if token is None or token.kind not in ("word", "sign") or token.text.upper() != word:
                return False
        self._next += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take the words, which must stand here."""
        if not self.accept(*words):
            raise self.fails(" ".join(words))

    def take(self) -> Token:
        """Take whatever stands here."""
        token = self.peek()
        if token is None:
            raise self.fails("more")
        self._next += 1
        return token

    def identifier(self) -> str:
        """Take a name, quoted or plain.

        Amazon Redshift Database Developer Guide, "Names and identifiers": both are folded to lower case.
        """
        token = self.peek()
        if token is None or token.kind not in ("name", "word"):
            raise self.fails("a name")
        self._next += 1
        name = token.text if token.kind == "word" else token.text[1:-1].replace('""', '"')
        return name.lower()

    def text(self) -> str:
        """Take a text literal; gives what it stands for."""
        token = self.peek()
        if token is None or token.kind != "text":
            raise self.fails("a text")
        self._next += 1
        return token.text[1:-1].replace("''", "'")

    def number(self) -> int:
        """Take a whole number."""
        token = self.peek()
        if token is None or not token.text.isdigit():
            raise self.fails("a whole number")
        self._next += 1
        return int(token.text)

    def listed(self, take: Callable[[], T]) -> tuple[T, ...]:
        """Take one or more things with commas between."""
        taken = [take()]
        while self.accept(","):
            taken.append(take())
        return tuple(taken)

    def parenthesised(self) -> tuple[Token, ...]:
        """Take a pair of parentheses with all between; gives what is between."""
        self.expect("(")
        depth, taken = 1, []
        while depth:
            token = self.take()
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
            taken.append(token)
        return tuple(taken[:-1])

    def rest(self) -> tuple[Token, ...]:
        """Take all that is left."""
        left = self._tokens[self._next :]
        self._next = len(self._tokens)
        return left

    def end(self) -> None:
        """Fail if anything is left."""
        if not self.done:
            raise self.fails("the end")


def quoted(name: str) -> str:
    """A name as PostgreSQL takes it whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def written(tokens: Sequence[Token], replace: Callable[[Token], str] = lambda token: token.text) -> str:
    """Tokens as text again."""
    return " ".join(replace(token) for token in tokens)
