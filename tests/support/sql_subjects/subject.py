"""What a file of this folder says: a subject, the tables that its statements meet, and the statements.

Everything is written once, in words that PostgreSQL and we read alike; `support.recording` asks the one, and
`support.placing` the other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Case", "Schema", "Subject", "Table", "statements"]

_QUOTED = re.compile(r"'[^']*'")
_IN_BRACKETS = re.compile(r"\([^()]*\)")


class Table(NamedTuple):
    """A table: what stands in the brackets of CREATE TABLE, its rows, and those of another user.

    The others' rows have the same keys where they can: what mixes up the two shows. There are none in a SHARED table.
    """

    name: str
    columns: str
    rows: Sequence[str] = ()
    others: Sequence[str] = ()


@dataclass(frozen=True)
class Schema:
    """Tables, each after those that it refers to, and the statements that follow: indexes and policies.

    `words`: what stands in braces in those statements, for PostgreSQL and for us. `has_policies`: users meet the tables
    as themselves. `kinds`: the types of tables in which it stands.
    """

    name: str
    tables: tuple[Table, ...]
    further: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, str]] | None = None
    has_policies: bool = False
    kinds: tuple[str, ...] = ("USER", "SHARED")


class Case(NamedTuple):
    """One statement. `user`: who sends it, where there are policies."""

    sql: str
    parameters: Sequence[Any] = ()
    user: str = ""

    @property
    def id(self) -> str:
        """It, among those of its subject."""
        who = f"{self.user}: " if self.user else ""
        values = f" <- {list(self.parameters)}" if self.parameters else ""
        return f"{who}{self.sql}{values}"

    @property
    def is_write(self) -> bool:
        """Whether the tables may be others afterwards."""
        return re.search(r"\b(INSERT|UPDATE|DELETE)\b", _QUOTED.sub("", self.sql)) is not None

    @property
    def is_ordered(self) -> bool:
        """Whether its rows come in an order: an ORDER BY outside of all brackets."""
        outside, found = _QUOTED.sub("", self.sql), 1
        while found:
            outside, found = _IN_BRACKETS.subn("", outside)
        return "ORDER BY" in outside


@dataclass(frozen=True)
class Subject:
    """Cases about one thing, on one schema."""

    name: str
    schema: Schema
    cases: tuple[Case, ...]


def statements(text: str, *, user: str = "") -> Iterable[Case]:
    """One statement a line; an indented line goes on with the one before, and # begins a comment."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return (Case(sql, (), user) for sql in re.sub(r"\n +", " ", "\n".join(lines)).splitlines())
