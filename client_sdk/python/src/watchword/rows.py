"""What a statement gave: rows, each a mapping and by attribute."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from watchword.values import Value, to_value_functions
from watchword_protocol.messages import StatementResult

__all__ = ["Row", "Rows", "read_rows"]


class Row(Mapping[str, Value]):
    """One row: `row["title"]`, `row.title`, `row[0]`. Of columns of one name, the name means the first.

    By attribute a column is found unless a mapping has a member of that name (`keys`, `items`, `values`, `get`).
    """

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: Sequence[Value]) -> None:
        self._places = places
        self._values = tuple(values)

    def __getitem__(self, name: str | int) -> Value:
        return self._values[name if isinstance(name, int) else self._places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getattr__(self, name: str) -> Value:
        if name.startswith("__"):  # Python asks for these while it makes a copy, which has no columns yet
            raise AttributeError(f"A row has no {name}")
        if name not in self._places:
            raise AttributeError(f"The row has no column {name!r}; it has {', '.join(self._places)}")
        return self._values[self._places[name]]

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={self[name]!r}' for name in self)})"


class Rows(Sequence[Row]):
    """The rows of one statement, in their order.

    Attributes:
        columns: Names, in order.
        data_types: The types of the columns, as the protocol names them.
        row_count: How many rows; where none are returned, how many were affected.
        as_user: Whose rows they are.
    """

    __slots__ = ("_rows", "as_user", "columns", "data_types", "row_count")

    def __init__(
        self, columns: Sequence[str], data_types: Sequence[str], rows: Sequence[Row], row_count: int, as_user: str
    ) -> None:
        self.columns = tuple(columns)
        self.data_types = tuple(data_types)
        self.row_count = row_count
        self.as_user = as_user
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<Rows {len(self._rows)} of ({', '.join(self.columns)}), row_count {self.row_count}>"


def read_rows(result: StatementResult) -> Rows:
    """What the server sent, in Python's types."""
    names = [column.name for column in result.schema]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    data_types = [column.data_type for column in result.schema]
    functions = to_value_functions(data_types)

    def read(values: list[Any]) -> Row:
        return Row(
            places,
            [None if value is None else function(value) for function, value in zip(functions, values, strict=True)],
        )

    return Rows(names, data_types, [read(values) for values in result.rows], result.row_count, result.as_user)
