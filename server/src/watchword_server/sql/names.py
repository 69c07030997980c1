"""What the names in a query mean: the sources of its FROM, those of the queries around it, the queries of WITH.

Source: PostgreSQL, 7.2.1 "The FROM Clause" and 7.8 "WITH Queries"; its parse_relation.c for what hides what.
"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Column, Table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.tree import ColumnValue, Expression
from watchword_server.sql.types import SqlType

__all__ = ["Common", "Named", "Names", "Relation", "made_columns", "nearest"]

# Comparing names costs some microseconds each, and this runs on the loop.
_MOST_LETTERS_APART: Final = 4
_MOST_COMPARED: Final = 200


def nearest(name: str, names: Sequence[str]) -> str:
    """A sentence that names the most similar of the names; empty where none is."""
    near = [each for each in names if abs(len(each) - len(name)) <= _MOST_LETTERS_APART][:_MOST_COMPARED]
    found = get_close_matches(name, near, n=1)
    return f' Did you mean "{found[0]}"?' if found else ""


class Named(NamedTuple):
    """A column as FROM shows it: of a source, or of two that USING makes one."""

    name: str
    value: Expression


class Relation(NamedTuple):
    """A source by its name. `table`: None for a query."""

    alias: str
    number: int
    columns: Sequence[Named]
    table: Table | None = None
    title: str = ""


class Common(NamedTuple):
    """A query of WITH. `columns`: names and types."""

    number: int
    columns: Sequence[tuple[str, SqlType]]


def made_columns(number: int, columns: Iterable[tuple[str, SqlType]]) -> list[Named]:
    """The columns of a query with this number: c1, c2, ... for the engine, whatever they are called."""
    return [
        Named(name, ColumnValue(Column(f"c{place}", type_), number, label=name))
        for place, (name, type_) in enumerate(columns, 1)
    ]


class Names:
    """The names of one query.

    Args:
        outer: Of the query around it.

    `columns`: what `*` stands for, in order.
    """

    __slots__ = ("_by_name", "columns", "commons", "outer", "relations")

    def __init__(self, outer: "Names | None" = None) -> None:
        self.outer = outer
        self.relations: dict[str, Relation] = {}
        self.columns: list[Named] = []
        self.commons: dict[str, Common] = {}
        self._by_name: dict[str, list[Expression]] = {}

    def add(self, relations: Iterable[Relation], columns: Iterable[Named], at: int) -> None:
        """Take in what an item of FROM brings.

        Raises:
            SqlFault: INVALID_SQL: two sources of one name.
        """
        for relation in relations:
            if relation.alias in self.relations:
                message = f'"{relation.alias}" is there twice in FROM: give one of them another name with AS.'
                raise SqlFault(ErrorCode.INVALID_SQL, message, at)
            self.relations[relation.alias] = relation
        for column in columns:
            self.columns.append(column)
            self._by_name.setdefault(column.name, []).append(column.value)

    def own_numbers(self) -> frozenset[int]:
        """The numbers of the sources of this query itself."""
        return frozenset(relation.number for relation in self.relations.values())

    def common(self, name: str) -> Common | None:
        """The query of WITH that has this name here."""
        return next((each.commons[name] for each in self._outwards() if name in each.commons), None)

    def column(self, qualifier: str | None, name: str, at: int) -> Expression:
        """The column of this name: the innermost query that has one says which.

        Raises:
            SqlFault: NOT_FOUND; INVALID_SQL: more than one.
        """
        if qualifier is None:
            own = (each.own(name, at) for each in self._outwards())
            found = next((each for each in own if each is not None), None)
        else:
            values = [each.value for each in self.relation(qualifier, at).columns if each.name == name]
            found = _only(values, f"{qualifier}.{name}", at) if values else None
        if found is None:
            raise self._unknown(qualifier, name, at)
        return found

    def own(self, name: str, at: int) -> Expression | None:
        """The column of this name in this query itself."""
        return _only(self._by_name[name], name, at) if name in self._by_name else None

    def relation(self, alias: str, at: int) -> Relation:
        """The source of this name.

        Raises:
            SqlFault: NOT_FOUND.
        """
        found = next((each.relations[alias] for each in self._outwards() if alias in each.relations), None)
        if found is None:
            hint = nearest(alias, list(self.relations))
            raise SqlFault(ErrorCode.NOT_FOUND, f'There is no table "{alias}" in this statement.{hint}', at)
        return found

    def _outwards(self) -> Iterator["Names"]:
        here: Names | None = self
        while here is not None:
            yield here
            here = here.outer

    def _unknown(self, qualifier: str | None, name: str, at: int) -> SqlFault:
        relations = list(self.relations.values()) if qualifier is None else [self.relation(qualifier, at)]
        where = f" in {relations[0].title or relations[0].alias}" if len(relations) == 1 else ""
        known = dict.fromkeys(column.name for relation in relations for column in relation.columns)
        return SqlFault(ErrorCode.NOT_FOUND, f'There is no column "{name}"{where}.{nearest(name, list(known))}', at)


def _only(values: Sequence[Expression], name: str, at: int) -> Expression:
    if len(values) > 1:
        message = f'There is more than one column "{name}": write the name of its table before it.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)
    return values[0]
