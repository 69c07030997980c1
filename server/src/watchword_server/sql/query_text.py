"""Queries to the engine's text. Every query within another calls its columns c1, c2, ..., every source is "t<number>".

Where the rows of a table are not everybody's, the table is a subquery with its scope: see `scope`.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from watchword_server.sql.expression_text import ExpressionText
from watchword_server.sql.ledger import ROW, Ledger
from watchword_server.sql.physical import OWNER
from watchword_server.sql.plan import Bind, BindKind
from watchword_server.sql.query_tree import (
    CommonSource,
    CommonTree,
    JoinTree,
    QuerySource,
    RowsTree,
    SelectTree,
    SetTree,
    SourceTree,
    TableSource,
    ValuesTree,
)
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.scope import Scopes, is_scoped
from watchword_server.sql.tree import Constant, Expression

__all__ = ["QueryText"]

_JOINS: Final = {"inner": "JOIN", "left": "LEFT JOIN", "right": "RIGHT JOIN", "full": "FULL JOIN"}


class QueryText(ExpressionText):
    """The queries of one statement, and its expressions.

    Args:
        ledger: What they touch goes there.
        scopes: What is judged where.
    """

    def __init__(self, ledger: Ledger, scopes: Scopes) -> None:
        super().__init__(ledger)
        self._scopes = scopes

    def rows(self, tree: RowsTree) -> str:
        """A query whose columns are c1, c2, ..."""
        return self._QUERIES[type(tree)](self, tree, True)

    def statement(self, tree: RowsTree) -> str:
        """A query whose columns' names do not matter."""
        return self._QUERIES[type(tree)](self, tree, False)

    def commons(self, commons: tuple[CommonTree, ...]) -> str:
        """WITH, and a space behind it; empty without any."""
        if not commons:
            return ""
        recursive = "RECURSIVE " if any(common.is_recursive for common in commons) else ""
        return f"WITH {recursive}{', '.join(map(self._common, commons))} "

    def _common(self, common: CommonTree) -> str:
        name = f"w{common.number}"
        self._ledger.common(name)
        return f'"{name}" ({_columns(common.query)}) AS ({self.rows(common.query)})'

    # --- SELECT -------------------------------------------------------------------------------------------

    def _select(self, tree: SelectTree, named: bool) -> str:
        head = self.commons(tree.commons)
        if tree.distinct_on:
            return head + self._select_first(tree)
        source = self.source(tree.sources, tree.where)  # first: what is named must be known
        distinct = "DISTINCT " if tree.distinct else ""
        text = f"{head}SELECT {distinct}{self._outputs(tree, named)}{source}{self._groups(tree)}"
        if tree.order:
            keys = (self.key(key, None if key.output is None else str(key.output)) for key in tree.order)
            text += f" ORDER BY {', '.join(keys)}"
        return text + self._limits(tree)

    def _outputs(self, tree: SelectTree, named: bool) -> str:
        texts = map(self.write, (each.expression for each in tree.outputs))
        if not named:
            return ", ".join(texts)
        return ", ".join(f'{text} AS "c{place}"' for place, text in enumerate(texts, 1))

    def _groups(self, tree: SelectTree) -> str:
        """GROUP BY and HAVING."""
        text = ""
        if tree.group:
            text += f" GROUP BY {', '.join(map(self.value, tree.group))}"
        if tree.having is not None:
            text += f" HAVING {self.write(tree.having)}"
        return text

    def _select_first(self, tree: SelectTree) -> str:
        """DISTINCT ON: the first row of each partition, numbered in the order of ORDER BY."""
        self._ledger.call("row_number")
        source = self.source(tree.sources, tree.where)
        order = ", ".join(self.key(key) for key in tree.order)
        partition = ", ".join(map(self.write, tree.distinct_on))
        window = f"PARTITION BY {partition}{f' ORDER BY {order}' if order else ''}"
        columns = [self._outputs(tree, True), f'row_number() OVER ({window}) AS "n"']
        names: list[str] = []
        for place, key in enumerate(tree.order, 1):
            names.append(f'"c{key.output}"' if key.output is not None else f'"o{place}"')
            if key.output is None:
                columns.append(f'{self.value(key.expression)} AS "o{place}"')
        inner = f"SELECT {', '.join(columns)}{source}{self._groups(tree)}"
        text = f'SELECT {_columns(tree)} FROM ({inner}) WHERE "n" = 1'  # noqa: S608  # of this module's parts only
        if tree.order:
            keys = (self.key(key, name) for key, name in zip(tree.order, names, strict=True))
            text += f" ORDER BY {', '.join(keys)}"
        return text + self._limits(tree)

    def _limits(self, tree: SelectTree) -> str:
        text = ""
        if tree.limit is not None or tree.offset is not None:
            text += f" LIMIT {self._count(tree.limit, '-1')}"
        if tree.offset is not None:
            text += f" OFFSET {self._count(tree.offset, '0')}"
        return text

    def _count(self, value: Expression | None, missing: str) -> str:
        if value is None or (isinstance(value, Constant) and value.value is None):
            return missing
        return self.write(value)

    # --- VALUES and set operations ------------------------------------------------------------------------

    def values(self, tree: ValuesTree) -> str:
        """VALUES as it is written; its columns are column1, column2, ..."""
        return f"VALUES {', '.join(f'({self.joined(row)})' for row in tree.rows)}"

    def _values(self, tree: ValuesTree, named: bool) -> str:
        if not named:
            return self.values(tree)
        columns = (f'"column{place}" AS "c{place}"' for place in range(1, len(tree.rows[0]) + 1))
        return f"SELECT {', '.join(columns)} FROM ({self.values(tree)})"  # noqa: S608  # as above

    def _set(self, tree: SetTree, _named: bool) -> str:
        """The engine too goes from left to right, with all operators on one level."""
        left = self._set(tree.left, True) if isinstance(tree.left, SetTree) else self._operand(tree.left)
        return f"{left} {tree.operator} {self._operand(tree.right)}"

    def _operand(self, tree: RowsTree) -> str:
        is_plain = isinstance(tree, SelectTree) and not (
            tree.order or tree.limit or tree.offset or tree.commons or tree.distinct_on
        )
        if is_plain or isinstance(tree, ValuesTree):
            return self.rows(tree)
        return f"SELECT {_columns(tree)} FROM ({self.rows(tree)})"  # noqa: S608  # as above

    # --- FROM ---------------------------------------------------------------------------------------------

    def source(self, sources: tuple[SourceTree, ...], where: Expression | None) -> str:
        """FROM and WHERE, with a space before them; the rows that may be looked at, and what is left to judge."""
        texts = [self._source(source, place > 0) for place, source in enumerate(sources)]
        outside = self.each(self._scopes.outside(where))
        text = f" FROM {', '.join(texts)}" if texts else ""
        return text + (f" WHERE {self.chain('AND', outside)}" if outside else "")

    def _source(self, source: SourceTree, is_right: bool = False, is_bracketed: bool = False) -> str:
        """`is_right`: something stands before it. `is_bracketed`: it is a part of a join in brackets."""
        match source:
            case JoinTree():
                is_bracketed = is_bracketed or is_right
                left = self._source(source.left, False, is_bracketed)
                right = self._source(source.right, True, is_bracketed)
                text = f"{left} {_JOINS[source.kind]} {right}"
                condition = self.each(self._scopes.outside(source.condition))
                if condition or source.kind != "inner":
                    text += f" ON {self.chain('AND', condition) if condition else '1'}"
                return f"({text})" if is_right else text
            case QuerySource():
                return f'({self.rows(source.query)}) AS "t{source.number}"'
            case CommonSource():
                return f'"w{source.common}" AS "t{source.number}"'
            case TableSource():
                return self._table(source, is_bracketed)

    def _table(self, source: TableSource, is_bracketed: bool) -> str:
        number = source.number
        name = self._ledger.table(number, source.table)
        columns = self._scopes.columns(number)
        for column in columns:
            self._ledger.read(number, column)
        if not is_scoped(source.table) and not is_bracketed:  # of what stands in brackets the engine reads all columns
            self._ledger.read_rows(number)
            return f'{name} AS "t{number}"'
        listed = [*map(quoted_name, columns)]
        if self._scopes.is_target(number):
            listed.insert(0, '_rowid_ AS "_row"')
            self._ledger.read(number, ROW)
        if not columns and not is_scoped(source.table):
            self._ledger.read_rows(number)
        fence = " LIMIT -1" if self._scopes.is_fenced and is_scoped(source.table) else ""
        return (
            f'(SELECT {", ".join(listed) or "1"} FROM {name} AS "t{number}"{self.scoped(source)}{fence}) AS "t{number}"'  # noqa: S608  # as above
        )

    def row_of(self, target: TableSource) -> str:
        """The number of the row that is written, in a query whose FROM has it."""
        number = "_row" if is_scoped(target.table) else "_rowid_"
        return f'"t{target.number}".{number} AS "_row"'

    def scoped(self, source: TableSource) -> str:
        """WHERE of a table itself: whose rows first, and then what may be judged beside that."""
        texts = self.owned(source)
        texts += self.each(self._scopes.inside(source.number))
        return f" WHERE {self.chain('AND', texts)}" if texts else ""

    def owned(self, source: TableSource) -> list[str]:
        """Whose rows."""
        if not is_scoped(source.table):
            return []
        self._ledger.read(source.number, OWNER)
        return [f'("t{source.number}".{quoted_name(OWNER)} = {self._ledger.bind(Bind(BindKind.USER))})']

    _QUERIES: ClassVar[Mapping[type, Callable[["QueryText", Any, bool], str]]] = {
        SelectTree: _select,
        ValuesTree: _values,
        SetTree: _set,
    }


def _columns(tree: RowsTree) -> str:
    """The columns of a query within another, by their names."""
    return ", ".join(f'"c{place}"' for place in range(1, len(tree.outputs) + 1))
