"""One value against its type, range and shape: the value, or a sentence that says what was expected."""

import json
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

__all__ = ["Check", "ConfigError", "Problem", "Secret", "checked", "expected", "shown"]

_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the configuration: `where` it stands (None: built in code), the `key`, and a sentence.

    `beside`: another key on whose value the sentence depends.
    """

    key: str
    sentence: str
    where: str | None = None
    beside: str | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.sentence) if part)


class ConfigError(ValueError):
    """The configuration cannot be used. `problems` holds all that was found, and the text has one line for each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Check:
    """Part of an annotation: what a type cannot say. `fault` gives a sentence for a value that is wrong, else None."""

    fault: Callable[[Any], str | None]


class Secret:
    """Part of an annotation: the value is never shown, in no message and no repr."""


def checked(kind: Any, value: object) -> Any:
    """The value as `kind`: lists become tuples, integers floats where a float is meant.

    Raises:
        ValueError: What was expected and what was found, in one sentence.
    """
    try:
        found = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        got = "something else" if _is_secret(kind) else shown(value)
        raise ValueError(f"expected {expected(kind)}, got {got}") from None
    for check in _metadata(kind):
        if isinstance(check, Check) and (fault := check.fault(found)) is not None:
            raise ValueError(fault)
    return found


def expected(kind: Any) -> str:
    """A type in words: `an integer from 0 to 3600`."""
    if get_origin(kind) in (Union, types.UnionType):
        return expected(get_args(kind)[0])
    words = _plain(kind)
    for meta in _metadata(kind):
        if isinstance(meta, msgspec.Meta):
            if meta.ge is not None and meta.le is not None:
                words += f" from {_number(meta.ge)} to {_number(meta.le)}"
            if meta.min_length:
                words += ", not empty"
    return words


def shown(value: object) -> str:
    """A value as it would be written in the file, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."


def _plain(kind: Any) -> str:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(bare) in (Union, types.UnionType):
        bare = get_args(bare)[0]
    if get_origin(bare) is Literal:
        words = [json.dumps(word) for word in get_args(bare)]
        return " or ".join([", ".join(words[:-1]), words[-1]])
    if get_origin(bare) is tuple:
        return "a list of text" if _plain(get_args(bare)[0]) == "text" else "a list of tables"
    return {bool: "true or false", int: "an integer", float: "a number", str: "text"}.get(bare, "a table")


def _metadata(kind: Any) -> tuple[Any, ...]:
    return kind.__metadata__ if get_origin(kind) is Annotated else ()


def _is_secret(kind: Any) -> bool:
    return any(isinstance(part, Secret) for part in _metadata(kind))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
