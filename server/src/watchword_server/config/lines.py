"""Where a key stands in a TOML file. The parser of the standard library does not say."""

import re
from typing import Final

__all__ = ["line_of"]

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_DOTTED: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_ASSIGNMENT: Final = re.compile(rf"\s*({_DOTTED})\s*=")


def line_of(text: str, key: tuple[str, ...]) -> int:
    """The line, from 1, where the key is set: its own, else that of the nearest table or value around it.

    A scan, for messages only: a line inside a multi-line string that looks like a key may be taken for one.
    """
    best, depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = found = _parts(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            found = (*table, *_parts(assignment[1]))
        else:
            continue
        if len(found) > depth and key[: len(found)] == found:
            best, depth = number, len(found)
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
