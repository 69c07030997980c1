"""The table of window functions: argument types, result, the engine's text. Aggregates are window functions too.

Source: PostgreSQL, 9.22 "Window Functions".
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from watchword_server.sql.tree import Template
from watchword_server.sql.types import SqlType

__all__ = ["WINDOW_AGGREGATES", "WINDOW_FUNCTIONS", "WindowFunction"]

_T = SqlType


class WindowFunction(NamedTuple):
    """One window function.

    `templates`: by how many arguments it has. `result` None: the type of the first argument. `least`, `most`: how many
    it takes. `constant`: which of them, from 0, is a whole number that is written out, of at least `low`.
    """

    templates: Mapping[int, Template]
    result: SqlType | None
    least: int
    most: int
    constant: int | None
    low: int


def _row(
    name: str, result: SqlType | None, least: int = 0, most: int = 0, constant: int | None = None, low: int = 0
) -> WindowFunction:
    holders = [f"{{{place}}}" for place in range(most)]
    templates = {
        count: Template(f"{name}({', '.join(holders[:count])}){{tail}}", also=(name,))
        for count in range(least, most + 1)
    }
    return WindowFunction(templates, result, least, most, constant, low)


WINDOW_FUNCTIONS: Final = {
    name: _row(name, *rest)
    for name, *rest in (
        ("row_number", _T.BIGINT),
        ("rank", _T.BIGINT),
        ("dense_rank", _T.BIGINT),
        ("percent_rank", _T.DOUBLE),
        ("cume_dist", _T.DOUBLE),
        ("ntile", _T.INT, 1, 1, 0, 1),
        ("lag", None, 1, 3, 1),
        ("lead", None, 1, 3, 1),
        ("first_value", None, 1, 1),
        ("last_value", None, 1, 1),
        ("nth_value", None, 2, 2, 1, 1),
    )
}
"""Those that are no aggregates."""

WINDOW_AGGREGATES: Final = {
    ("sum", _T.DOUBLE): Template("ww_finite(ww_window_sum({0}){tail}, {at})", raises=True),
    ("avg", _T.DOUBLE): Template("ww_finite(ww_window_mean({0}){tail}, {at})", raises=True),
}
"""What an aggregate with OVER is where that is another function: SQLite subtracts what leaves a frame, which is not the
sum of what is left. By name and argument type."""
