"""Our answer to a case of a subject, held against PostgreSQL's."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from support.sql_subjects.subject import Case
from watchword_server.sql.literals import read_literal
from watchword_server.sql.types import SqlType
from watchword_server.sql.values import WIRE_FORMS

__all__ = ["UNSUPPORTED", "difference"]

UNSUPPORTED: Final = "UNSUPPORTED_SQL"

_TYPES: Final = {type_.title: type_ for type_ in SqlType}
_WIRED: Final = {type_.wire: type_ for type_ in SqlType if type_ is not SqlType.UNKNOWN}
# What we say where PostgreSQL says this. By its five characters, else by its class, which is the first two.
_CODES: Final[dict[str, set[str]]] = {
    "0A": {"INVALID_SQL", UNSUPPORTED},
    "21": {"CONSTRAINT_VIOLATION", "TYPE_MISMATCH"},
    "22": {"TYPE_MISMATCH"},
    "23": {"CONSTRAINT_VIOLATION"},
    "42501": {"PERMISSION_DENIED"},
    "42601": {"INVALID_SQL"},
    "42701": {"INVALID_SQL"},
    "42702": {"INVALID_SQL"},
    "42703": {"INVALID_SQL", "NOT_FOUND"},
    "42704": {"INVALID_SQL", "NOT_FOUND"},
    "42712": {"INVALID_SQL"},
    "42803": {"INVALID_SQL"},
    "42804": {"INVALID_PARAMS", "TYPE_MISMATCH"},
    "42809": {"INVALID_SQL", "TYPE_MISMATCH"},
    "42846": {"TYPE_MISMATCH"},
    "42883": {"INVALID_PARAMS", "INVALID_SQL", "TYPE_MISMATCH", UNSUPPORTED},
    "42P01": {"INVALID_SQL", "NOT_FOUND"},
    "42P10": {"INVALID_SQL"},
    "42P19": {"INVALID_SQL", UNSUPPORTED},
    "42P20": {"INVALID_SQL", "TYPE_MISMATCH"},
}


# What differs on purpose; each stands in `planner.DIFFERENCES`, too.
_DIFFERS: Final = frozenset(
    {
        # A CHECK is asked of the rows that are written.
        "INSERT INTO accounts (id, age) VALUES (1, -1) ON CONFLICT (id) DO NOTHING",
    }
)


def difference(case: Case, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    """What is otherwise in our answer (`support.placing`) than in theirs (`support.recording`); None: nothing.

    Of a case that differs on purpose it is the other way round.
    """
    found = _difference(case, ours, theirs)
    if case.id not in _DIFFERS or ours.get("code") == UNSUPPORTED:
        return found
    return None if found else "it differs on purpose, and here it does not"


def _difference(case: Case, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    if "error" in theirs:
        state = theirs["error"]
        allowed = _CODES.get(state) or _CODES[state[:2]]
        if ours.get("code") in allowed:
            return None
        said = f"{ours['code']}: {ours['message']}" if "code" in ours else f"an answer: {ours['rows']}"
        return f"{state} ({theirs['message']}) is one of {sorted(allowed)}, and here {said}"
    if "code" in ours:
        return f"PostgreSQL answers, and here {ours['code']}: {ours['message']}"
    types = [_TYPES.get(title) for title in theirs["types"]]
    if None in types:
        return f"we have no type of {theirs['types']}"
    expected = {
        "names": theirs["names"],
        "types": [type_ and type_.wire for type_ in types],
        "rows": [_wired(row, types) for row in theirs["rows"]],
    }
    if not case.is_ordered:
        expected["rows"].sort(key=repr)
    for name, value in expected.items():
        if repr(ours[name]) != repr(value):  # 1, 1.0 and True are different answers
            return f"{name} are {value}, and here {ours[name]}"
    return _difference_afterwards(ours, theirs) if case.is_write else None


def _difference_afterwards(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str | None:
    """The same of the tables that a write left behind."""
    if ours["count"] != theirs["count"]:
        return f"rows written are {theirs['count']}, and here {ours['count']}"
    if set(ours["after"]) != set(theirs["after"]):
        return f"what changed is {sorted(theirs['after'])}, and here {sorted(ours['after'])}"
    for name, rows in theirs["after"].items():
        found = ours["after"][name]
        types = [_WIRED[word] for word in found["types"]]
        expected = sorted((_wired(row, types) for row in rows), key=repr)
        if repr(found["rows"]) != repr(expected):
            return f"afterwards {name} is {expected}, and here {found['rows']}"
    return None


def _wired(row: list[str | None], types: Sequence[SqlType | None]) -> list[Any]:
    """PostgreSQL's texts as they come out of a message of ours."""
    return [None if text is None else _wire(text, type_) for text, type_ in zip(row, types, strict=True)]


def _wire(text: str, type_: SqlType | None) -> Any:
    assert type_ is not None
    value = read_literal(text, type_)
    form = WIRE_FORMS.get(type_)
    return msgspec.json.decode(orjson.dumps(form(value) if form else value))
