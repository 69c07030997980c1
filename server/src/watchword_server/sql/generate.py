"""Trees to plans: the engine's text of a statement, with one rule for each class and none for anything else."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Column, Table, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.ledger import ROW, Ledger
from watchword_server.sql.nesting import check_nesting
from watchword_server.sql.physical import physical_columns, physical_name
from watchword_server.sql.plan import Bind, BindKind, OutputColumn, Permissions, Plan
from watchword_server.sql.query_text import QueryText
from watchword_server.sql.query_tree import (
    ConflictTree,
    DeleteTree,
    InsertTree,
    OutputTree,
    RowTest,
    SelectTree,
    TableSource,
    Tree,
    UpdateTree,
    ValuesTree,
    all_queries,
    roots,
)
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.scope import Scopes, is_scoped
from watchword_server.sql.tree import QUERIES, ColumnValue, Expression, Template, walk_expressions
from watchword_server.sql.types import OF_ANY_SIZE

__all__ = ["MAX_TEXT_BYTES", "generate"]

MAX_TEXT_BYTES: Final = 1_000_000
"""Of the engine's text; the store gives its engine a little more."""
_TWICE: Final = Template("ww_twice({0}, {at})", raises=True)
_WRITES: Final = (InsertTree, UpdateTree, DeleteTree)


def generate(tree: Tree) -> Plan:
    """The plan of a statement."""
    return _Generator(tree).plan()


class _Generator:
    """One statement's text."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._ledger = Ledger()
        self._scopes = Scopes(tree)
        self._queries = QueryText(self._ledger, self._scopes)

    def plan(self) -> Plan:
        tree, ledger = self._tree, self._ledger
        for query in all_queries(tree):
            for root in roots(query):
                check_nesting(root)
        text = self._text()
        if len(text.encode()) > MAX_TEXT_BYTES:
            message = f"The statement takes more than {MAX_TEXT_BYTES} bytes in the engine (engine_bytes)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
        outputs = tree.returning if isinstance(tree, _WRITES) else tree.outputs
        numbers = [bind.number for bind in ledger.binds if bind.kind is BindKind.PARAMETER]
        return Plan(
            text=text,
            binds=ledger.binds,
            columns=tuple(_output_columns(outputs, tree)),
            permissions=self._permissions(),
            tables=ledger.tables,
            parameters=max(numbers, default=0),
            is_write=isinstance(tree, _WRITES),
            made_values=_made_values(outputs),
            places=ledger.places,
            sums=ledger.sums,
            checks=tuple(each.check for each in tree.tests) if isinstance(tree, (InsertTree, UpdateTree)) else (),
        )

    def _text(self) -> str:
        rule = self._STATEMENTS.get(type(self._tree))
        return self._queries.statement(self._tree) if rule is None else rule(self, self._tree)  # type: ignore[arg-type]  # a query

    def _permissions(self) -> Permissions:
        tree = self._tree
        if not isinstance(tree, _WRITES):
            return self._ledger.permissions()
        name = physical_name(tree.target.table)
        written = frozenset({name})
        match tree:
            case InsertTree():
                sets = tree.conflict.sets or () if tree.conflict else ()
                return self._ledger.permissions(written, frozenset((name, column.name) for column, _ in sets))
            case UpdateTree():
                return self._ledger.permissions(updates=frozenset((name, column.name) for column, _ in tree.sets))
            case DeleteTree():
                return self._ledger.permissions(deletes=written)

    # --- INSERT -------------------------------------------------------------------------------------------

    def _insert(self, tree: InsertTree) -> str:
        table = tree.target.table
        head = f"{self._queries.commons(tree.commons)}INSERT INTO {self._named(tree.target)}"
        if tree.rows is None and table.type is not TableType.USER:
            return f"{head} DEFAULT VALUES{self._conflict(tree)}{self._returning(tree.returning, tree.tests)}"
        names = ", ".join(map(quoted_name, physical_columns(table, [column.name for column in tree.columns])))
        rows = self._rows(tree)
        return f"{head} ({names}) {rows}{self._conflict(tree)}{self._returning(tree.returning, tree.tests)}"

    def _rows(self, tree: InsertTree) -> str:
        owner = [self._user()] if tree.target.table.type is TableType.USER else []
        rows = tree.rows
        may_repeat = tree.conflict is not None and tree.conflict.sets is not None
        if rows is None or (isinstance(rows, ValuesTree) and not (may_repeat and len(rows.rows) > 1)):
            listed = (
                f"({', '.join([*owner, *map(self._value_of, tree.columns, row)])})"
                for row in (rows.rows if rows else ((),))
            )
            return f"VALUES {', '.join(listed)}"
        columns = [f'"s"."c{place}"' for place in range(1, len(tree.columns) + 1)]
        if may_repeat and tree.conflict is not None:
            columns = self._once(columns, tree, tree.conflict)
        return f'SELECT {", ".join([*owner, *columns])} FROM ({self._queries.rows(rows)}) AS "s" WHERE 1'  # noqa: S608  # of this module's parts only

    def _once(self, columns: list[str], tree: InsertTree, conflict: ConflictTree) -> list[str]:
        """Two new rows of one key are refused: the engine would update the first by the second."""
        places = [place for place, column in enumerate(tree.columns) if column.name in conflict.key]
        if len(places) < len(conflict.key):
            return columns  # what is left out has its default: the same in all rows, or never the same
        keys = [columns[place] for place in places]
        self._ledger.call("count")
        known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        times = f"count(*) OVER (PARTITION BY {', '.join(keys)})"
        twice = self._ledger.fill(_TWICE, [times], conflict.at)
        first = places[0]
        columns[first] = f"CASE WHEN {times} > 1 AND {known} THEN {twice} ELSE {columns[first]} END"
        return columns

    def _conflict(self, tree: InsertTree) -> str:
        conflict = tree.conflict
        if conflict is None:
            return ""
        names = physical_columns(tree.target.table, conflict.key) if conflict.key else ()
        for name in names:
            self._ledger.read(tree.target.number, name)
        key = f" ({', '.join(map(quoted_name, names))})" if names else ""
        if conflict.sets is None:
            return f" ON CONFLICT{key} DO NOTHING"
        where = "" if conflict.where is None else f" WHERE {self._queries.write(conflict.where)}"
        return f" ON CONFLICT{key} DO UPDATE SET {self._sets(conflict.sets)}{where}"

    # --- UPDATE and DELETE --------------------------------------------------------------------------------

    def _update(self, tree: UpdateTree) -> str:
        head = f"{self._queries.commons(tree.commons)}UPDATE {self._named(tree.target)} SET "  # noqa: S608  # of this module's parts only
        has_query = any(isinstance(each, QUERIES) for _, value in tree.sets for each in walk_expressions(value))
        if tree.sources or has_query:
            # The rows and their new values are there before the first is written, as in PostgreSQL.
            found = self._found(tree, tree.sets)
            sets = ", ".join(
                f'{quoted_name(column.name)} = "s"."c{place}"' for place, (column, _) in enumerate(tree.sets, 1)
            )
            rows = f' FROM ({found}) AS "s" WHERE "t{tree.target.number}"._rowid_ = "s"."_row"'
            self._ledger.read(tree.target.number, ROW)
            return f"{head}{sets}{rows}{self._returning(tree.returning, tree.tests)}"
        return f"{head}{self._sets(tree.sets)}{self._chosen(tree)}{self._returning(tree.returning, tree.tests)}"

    def _delete(self, tree: DeleteTree) -> str:
        head = f"{self._queries.commons(tree.commons)}DELETE FROM {self._named(tree.target)}"  # noqa: S608  # as above
        return f"{head}{self._chosen(tree)}{self._returning(tree.returning)}"

    def _named(self, target: TableSource) -> str:
        return f'{self._ledger.table(target.number, target.table)} AS "t{target.number}"'

    def _chosen(self, tree: UpdateTree | DeleteTree) -> str:
        """The WHERE of a write: the rows are chosen first, where a fence is needed, or other rows are looked at."""
        has_query = any(isinstance(each, QUERIES) for each in walk_expressions(tree.where))
        is_fenced = self._scopes.is_fenced and is_scoped(tree.target.table)
        if not (tree.sources or is_fenced or has_query):
            conditions = self._queries.owned(tree.target)
            conditions += self._queries.each(self._scopes.inside(tree.target.number))
            conditions += self._queries.each(self._scopes.outside(tree.where))
            return f" WHERE {self._queries.chain('AND', conditions)}" if conditions else ""
        self._ledger.read(tree.target.number, ROW)
        return f" WHERE _rowid_ IN ({self._found(tree)})"

    def _found(self, tree: UpdateTree | DeleteTree, sets: tuple[tuple[Column, Expression], ...] = ()) -> str:
        """The rows that are written, by their number, with the values for these columns."""
        rows = self._queries.source((tree.target, *tree.sources), tree.where)
        columns = [f'{self._value_of(column, value)} AS "c{place}"' for place, (column, value) in enumerate(sets, 1)]
        return f"SELECT {', '.join([self._queries.row_of(tree.target), *columns])}{rows}"

    # --- parts --------------------------------------------------------------------------------------------

    def _user(self) -> str:
        return self._ledger.bind(Bind(BindKind.USER))

    def _sets(self, sets: tuple[tuple[Column, Expression], ...]) -> str:
        return ", ".join(f"{quoted_name(column.name)} = {self._value_of(column, value)}" for column, value in sets)

    def _value_of(self, column: Column, value: Expression) -> str:
        self._ledger.assigned = column.name
        text = self._queries.write(value)
        self._ledger.assigned = None
        return text

    def _returning(self, outputs: tuple[OutputTree, ...], tests: tuple[RowTest, ...] = ()) -> str:
        """RETURNING with the outputs and, behind them, a column for each test."""
        self._queries.is_returning = True
        texts = [self._queries.write(each.expression) for each in outputs]
        self._ledger.is_of_definition = True
        texts += map(self._test, tests)
        self._ledger.is_of_definition = False
        return f" RETURNING {', '.join(texts)}" if texts else ""

    def _test(self, test: RowTest) -> str:
        """1 where the row is as it must be, else 0."""
        condition = self._queries.write(test.condition)
        return f"({condition} IS 1)" if test.is_strict else f"({condition} IS NOT 0)"

    _STATEMENTS: ClassVar[Mapping[type, Callable[["_Generator", Any], str]]] = {
        InsertTree: _insert,
        UpdateTree: _update,
        DeleteTree: _delete,
    }


def _made_values(outputs: tuple[OutputTree, ...]) -> int:
    """How many outputs of any size there are beside the columns of a row, which are no larger together than a row."""
    sized = [each.expression for each in outputs if each.expression.type in OF_ANY_SIZE]
    rows = {each.source for each in sized if isinstance(each, ColumnValue)}
    columns = {(each.source, each.column.name) for each in sized if isinstance(each, ColumnValue)}
    return len(sized) - len(columns) + max(0, len(rows) - 1)


def _output_columns(outputs: tuple[OutputTree, ...], tree: Tree) -> Iterator[OutputColumn]:
    """Flags are those of the one table whose rows the result has."""
    table = _only_table(tree)
    for output in outputs:
        value = output.expression
        is_plain = table is not None and isinstance(value, ColumnValue) and value.source == table.number
        flags = _flags(table.table, value.column) if table and is_plain and isinstance(value, ColumnValue) else ()
        yield OutputColumn(output.name, value.type, flags)


def _only_table(tree: Tree) -> TableSource | None:
    if isinstance(tree, _WRITES):
        return tree.target
    sources = tree.sources if isinstance(tree, SelectTree) else ()
    return sources[0] if len(sources) == 1 and isinstance(sources[0], TableSource) else None


def _flags(table: Table, column: Column) -> tuple[str, ...]:
    is_key = column.name in table.primary_key
    return (
        *(("pk",) if is_key else ()),
        *(("nn",) if column.not_null or is_key else ()),
        *(("uq",) if (column.name,) in table.unique_keys[1:] else ()),
    )
