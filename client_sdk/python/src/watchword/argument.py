"""Arguments, checked where they are given: a sentence that says what to give, before anything is opened."""

import math
from typing import Any

from watchword_protocol.limits import KEY_CHARACTERS

__all__ = ["check_bytes", "check_callable", "check_flag", "check_key", "check_seconds"]


def check_seconds(name: str, value: Any, *, may_be_zero: bool = False) -> None:
    """A finite number of seconds above 0, or from 0.

    Raises:
        ValueError, TypeError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    if not math.isfinite(value) or value < 0 or (value == 0 and not may_be_zero):
        raise ValueError(f"{name} must be a finite number of seconds{'' if may_be_zero else ' above 0'}, not {value!r}")


def check_bytes(name: str, value: Any) -> None:
    """A whole number of bytes, at least 1. Raises as `check_seconds` does."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number of bytes, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1 byte, not {value!r}")


def check_flag(name: str, value: Any) -> None:
    """True or False. Raises TypeError."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {value!r}")


def check_key(name: str, value: Any) -> None:
    """Text of 1 to 128 characters, each of them whole. Raises as `check_seconds` does."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {value!r:.100}")
    if not 1 <= len(value) <= KEY_CHARACTERS:
        raise ValueError(f"{name} must have 1 to {KEY_CHARACTERS} characters, and has {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} has half a character in it (a lone surrogate): {value!r}") from None


def check_callable(name: str, value: Any) -> None:
    """A function. Raises TypeError."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, not {value!r}")
