"""Trees to plans: the engine's text, with one rule for each class of tree and none for anything else.

Everything stands in brackets, so that no precedence is relied on; columns are bound to their source or stand where
there is only one; whatever is bound is `?n`. The rules note what they touch: that is the plan's permissions, exactly.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Column, Table, TableType
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.nesting import CHAIN_LINKS, check_nesting, spine
from watchword_server.sql.plan import Bind, BindKind, OutputColumn, Permissions, Place, Plan
from watchword_server.sql.scope import OWNER, physical_name, scope_of
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Bound,
    Case,
    Chain,
    ColumnValue,
    Constant,
    DeleteTree,
    Expression,
    InList,
    InsertTree,
    Key,
    OutputTree,
    RowTest,
    SelectTree,
    Template,
    Tree,
    UpdateTree,
    walk_expressions,
)
from watchword_server.sql.types import OF_ANY_SIZE

__all__ = ["MAX_TEXT_BYTES", "generate"]

_MAX_PLAIN: Final = 2**53
_LOWEST: Final = -(2**63)
_MAX_WRITTEN: Final = 64
"""Of a text or bytes; longer ones are bound, once however often they stand there (a DEFAULT may in every row)."""
MAX_TEXT_BYTES: Final = 1_000_000
"""Of the engine's text; the store gives its engine a little more."""
_ROW: Final = "ROWID"  # as the authorizer calls it


def generate(tree: Tree) -> Plan:
    """The plan of a statement."""
    return _Generator().plan(tree)


def quoted(name: str) -> str:
    """A name for the engine."""
    return '"' + name.replace('"', '""') + '"'


class _Generator:
    """One statement's text as it grows."""

    def __init__(self) -> None:
        self._binds: dict[Bind, int] = {}
        self._reads: set[tuple[str, str]] = set()
        self._functions: set[str] = set()
        self._places: dict[tuple[object, ...], tuple[int, Place]] = {}
        self._sums: dict[str, Place] = {}
        self._assigned: str | None = None  # the column that the value is for
        self._physical = ""
        self._source = ""  # what stands before a column's name
        self._is_returning = False
        self._is_of_definition = False  # what is written stands in the table's definition, not in the statement

    def plan(self, tree: Tree) -> Plan:
        table = tree.table
        for root in _roots(tree):
            check_nesting(root)
        self._physical = name = physical_name(table) if table else ""
        text = self._STATEMENTS[type(tree)](self, tree)
        if len(text.encode()) > MAX_TEXT_BYTES:
            message = f"The statement takes more than {MAX_TEXT_BYTES} bytes in the engine (engine_bytes)."
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)
        outputs = tree.outputs if isinstance(tree, SelectTree) else tree.returning
        updated = tree.sets if isinstance(tree, UpdateTree) else ()
        permissions = Permissions(
            reads=frozenset(self._reads),
            inserts=frozenset({name} if isinstance(tree, InsertTree) else ()),
            updates=frozenset((name, column.name) for column, _ in updated),
            deletes=frozenset({name} if isinstance(tree, DeleteTree) else ()),
            functions=frozenset(self._functions),
        )
        numbers = [bind.number for bind in self._binds if bind.kind is BindKind.PARAMETER]
        return Plan(
            text=text,
            binds=tuple(self._binds),
            columns=tuple(_output_column(each, table) for each in outputs),
            permissions=permissions,
            tables=frozenset({table.id} if table else ()),
            parameters=max(numbers, default=0),
            is_write=not isinstance(tree, SelectTree),
            made_values=_made_values(outputs),
            places=tuple(place for _, place in self._places.values()),
            sums=tuple(self._sums.values()),
            checks=tuple(each.check for each in tree.tests) if isinstance(tree, (InsertTree, UpdateTree)) else (),
        )

    # --- expressions --------------------------------------------------------------------------------------

    def _text(self, expression: Expression) -> str:
        return self._RULES[type(expression)](self, expression)

    def _texts(self, expressions: Iterable[Expression]) -> str:
        return ", ".join(map(self._text, expressions))

    def _constant(self, constant: Constant) -> str:
        value = constant.value
        match value:
            case None:
                return "NULL"
            case int():
                return str(value) if value != _LOWEST else f"({_LOWEST + 1} - 1)"
            case str() if len(value) <= _MAX_WRITTEN:
                return "'" + value.replace("'", "''") + "'"
            case bytes() if len(value) <= _MAX_WRITTEN:
                return f"X'{value.hex()}'"
            case str() | bytes():
                return self._bind(Bind(BindKind.CONSTANT, type=constant.type, value=value))
            case float():
                if value.is_integer() and abs(value) < _MAX_PLAIN:
                    return repr(value)
                # SQLite's reading of decimal digits may be a bit off.
                return self._bind(Bind(BindKind.CONSTANT, type=constant.type, value=value))

    def _bound(self, bound: Bound) -> str:
        return self._bind(Bind(bound.kind, bound.number, bound.type))

    def _bind(self, bind: Bind) -> str:
        return f"?{self._binds.setdefault(bind, len(self._binds) + 1)}"

    def _column(self, value: ColumnValue) -> str:
        self._reads.add((self._physical, value.column.name))
        name = self._source + quoted(value.column.name)
        if self._is_returning:
            # In RETURNING, SQLite takes `"c" IS NULL` for false on any column, and shows whole doubles as integers.
            return f"CAST({name} AS {value.type.storage})"
        return name

    def _apply(self, apply: Apply) -> str:
        template = apply.template
        if template.links:
            self._functions |= template.functions
            return template.fill_links([self._text(each) for each in spine(apply)])
        return self._filled(template, [self._text(each) for each in apply.arguments], apply.at)

    def _filled(self, template: Template, texts: list[str], at: int) -> str:
        """The template's text. Equal expressions have one place: SQLite must see in GROUP BY that they are equal."""
        self._functions |= template.functions
        if not template.has_place:
            return template.fill(texts)
        new = len(self._places), Place(None if self._is_of_definition else at, self._assigned)
        number, _ = self._places.setdefault((template, self._assigned, *texts), new)
        return template.fill(texts, number)

    def _chain(self, word: str, texts: list[str]) -> str:
        """In groups, so that neither the engine's tree nor its parser's stack grows with the chain."""
        while len(texts) > CHAIN_LINKS:
            groups = (texts[place : place + CHAIN_LINKS] for place in range(0, len(texts), CHAIN_LINKS))
            texts = [self._chain(word, group) for group in groups]
        return texts[0] if len(texts) == 1 else f"({f' {word} '.join(texts)})"

    def _case(self, case: Case) -> str:
        operand = f" {self._text(case.operand)}" if case.operand is not None else ""
        whens = "".join(f" WHEN {self._text(test)} THEN {self._text(value)}" for test, value in case.whens)
        otherwise = f" ELSE {self._text(case.otherwise)}" if case.otherwise is not None else ""
        return f"(CASE{operand}{whens}{otherwise} END)"

    def _aggregate(self, aggregate: Aggregate) -> str:
        template = aggregate.template
        distinct = "DISTINCT " if aggregate.distinct else ""
        texts = [] if aggregate.argument is None else [distinct + self._text(aggregate.argument)]
        text = self._filled(template, texts, aggregate.at)
        if "sum" in template.functions:
            self._sums.setdefault(text, Place(aggregate.at, None))
        return text

    # --- SELECT -------------------------------------------------------------------------------------------

    def _select(self, tree: SelectTree) -> str:
        outside = _all_of(tree.where)
        source = ""
        if tree.table is not None:
            source, outside = self._scoped(tree.table, tree.where, _used(tree), "")
            self._source = '"t".'
        distinct = "DISTINCT " if tree.distinct else ""
        text = f"SELECT {distinct}{self._texts(each.expression for each in tree.outputs)}{source}"
        text += self._where(outside)
        if tree.group:
            text += f" GROUP BY {', '.join(map(self._value, tree.group))}"
        if tree.having is not None:
            text += f" HAVING {self._text(tree.having)}"
        if tree.order:
            text += f" ORDER BY {', '.join(map(self._key, tree.order))}"
        if tree.limit is not None or tree.offset is not None:
            text += f" LIMIT {self._count(tree.limit, '-1')}"
        if tree.offset is not None:
            text += f" OFFSET {self._count(tree.offset, '0')}"
        return text

    def _scoped(
        self, table: Table, where: Expression | None, used: tuple[Expression, ...], row: str
    ) -> tuple[str, tuple[Expression, ...]]:
        """FROM with the rows that may be looked at; and what is left to judge of them. `row`: names the row's id."""
        scope = scope_of(table, where, used)
        columns = {
            each.column.name: None for each in walk_expressions(*scope.outside, *used) if isinstance(each, ColumnValue)
        }
        name = physical_name(table)
        self._reads |= {(name, column) for column in columns}
        listed = [*([row] if row else []), *map(quoted, columns)] or ["1"]
        self._source = ""
        inside = self._where(scope.inside, table)
        if not columns and not row and not inside:
            self._reads.add((name, ""))
        fence = " LIMIT -1" if scope.is_fenced else ""
        return f' FROM (SELECT {", ".join(listed)} FROM main.{quoted(name)}{inside}{fence}) AS "t"', scope.outside  # noqa: S608  # of this module's parts only

    def _where(self, conjuncts: tuple[Expression, ...], table: Table | None = None) -> str:
        """WHERE; with a table, its owner's first."""
        texts = [] if table is None else self._owned(table)
        texts += map(self._text, conjuncts)
        return f" WHERE {self._chain('AND', texts)}" if texts else ""

    def _owned(self, table: Table) -> list[str]:
        if table.type is TableType.SHARED:
            return []
        self._reads.add((physical_name(table), OWNER))
        return [f"({quoted(OWNER)} = {self._user()})"]

    def _user(self) -> str:
        return self._bind(Bind(BindKind.USER))

    def _key(self, key: Key) -> str:
        what = str(key.output) if key.output is not None else self._value(key.expression)
        direction = "DESC" if key.descending else "ASC"
        return f"{what} {direction} NULLS {'FIRST' if key.nulls_first else 'LAST'}"

    def _value(self, expression: Expression) -> str:
        """A key that is computed; what comes down to a number would be that of an output (SQLite folds `0 AND ...`)."""
        text = self._text(expression)
        if isinstance(expression, ColumnValue) or expression.type.storage != "INTEGER":
            return text
        return f"CAST({text} AS INTEGER)"

    def _count(self, value: Expression | None, missing: str) -> str:
        if value is None or (isinstance(value, Constant) and value.value is None):
            return missing
        return self._text(value)

    # --- writes -------------------------------------------------------------------------------------------

    def _insert(self, tree: InsertTree) -> str:
        names = [quoted(column.name) for column in tree.columns]
        owner = []
        if tree.table.type is TableType.USER:
            names.insert(0, quoted(OWNER))
            owner.append(self._user())
        head = f"INSERT INTO main.{quoted(physical_name(tree.table))}"
        if names:
            rows = (f"({', '.join([*owner, *map(self._value_of, tree.columns, row)])})" for row in tree.rows)
            head += f" ({', '.join(names)}) VALUES {', '.join(rows)}"
        else:
            head += " DEFAULT VALUES"
        return head + self._returning(tree.returning, tree.tests)

    def _update(self, tree: UpdateTree) -> str:
        sets = ", ".join(f"{quoted(column.name)} = {self._value_of(column, value)}" for column, value in tree.sets)
        rows = self._chosen(tree.table, tree.where)
        returning = self._returning(tree.returning, tree.tests)
        return f"UPDATE main.{quoted(physical_name(tree.table))} SET {sets}{rows}{returning}"  # noqa: S608  # of this module's parts only

    def _delete(self, tree: DeleteTree) -> str:
        rows = self._chosen(tree.table, tree.where)
        return f"DELETE FROM main.{quoted(physical_name(tree.table))}{rows}{self._returning(tree.returning)}"  # noqa: S608  # of this module's parts only

    def _value_of(self, column: Column, value: Expression) -> str:
        self._assigned = column.name
        text = self._text(value)
        self._assigned = None
        return text

    def _chosen(self, table: Table, where: Expression | None) -> str:
        """The WHERE of a write: behind a fence, if it judges anything that the owner's rows alone may show."""
        scope = scope_of(table, where, ())
        if not scope.is_fenced:
            return self._where(scope.inside, table)
        self._reads.add((physical_name(table), _ROW))
        source, outside = self._scoped(table, where, (), '_rowid_ AS "_row"')
        self._source = '"t".'
        rows = f'SELECT "t"."_row"{source}{self._where(outside)}'
        self._source = ""
        return f" WHERE _rowid_ IN ({rows})"

    def _returning(self, outputs: tuple[OutputTree, ...], tests: tuple[RowTest, ...] = ()) -> str:
        """RETURNING with the outputs and, behind them, a column for each test."""
        self._is_returning = True
        texts = [self._text(each.expression) for each in outputs]
        self._is_of_definition = True
        texts += map(self._test, tests)
        self._is_of_definition = False
        return f" RETURNING {', '.join(texts)}" if texts else ""

    def _test(self, test: RowTest) -> str:
        """1 where the row is as it must be, else 0."""
        condition = self._text(test.condition)
        return f"({condition} IS 1)" if test.is_strict else f"({condition} IS NOT 0)"

    _RULES: ClassVar[Mapping[type, Callable[["_Generator", Any], str]]] = {
        Constant: _constant,
        Bound: _bound,
        ColumnValue: _column,
        Apply: _apply,
        Chain: lambda self, chain: self._chain(chain.word, [self._text(item) for item in chain.items]),
        InList: lambda self, test: f"({self._text(test.operand)} IN ({self._texts(test.items)}))",
        Case: _case,
        Aggregate: _aggregate,
    }
    _STATEMENTS: ClassVar[Mapping[type, Callable[["_Generator", Any], str]]] = {
        SelectTree: _select,
        InsertTree: _insert,
        UpdateTree: _update,
        DeleteTree: _delete,
    }


def _roots(tree: Tree) -> Iterator[Expression]:
    """Every expression that stands on its own in the statement."""
    outputs = tree.outputs if isinstance(tree, SelectTree) else tree.returning
    yield from (each.expression for each in outputs)
    match tree:
        case SelectTree():
            yield from tree.group
            yield from (key.expression for key in tree.order)
            yield from (each for each in (tree.where, tree.having, tree.limit, tree.offset) if each is not None)
        case InsertTree():
            yield from (value for row in tree.rows for value in row)
            yield from (test.condition for test in tree.tests)
        case UpdateTree():
            yield from (value for _, value in tree.sets)
            yield from (test.condition for test in tree.tests)
            yield from _all_of(tree.where)
        case DeleteTree():
            yield from _all_of(tree.where)


def _all_of(where: Expression | None) -> tuple[Expression, ...]:
    return () if where is None else (where,)


def _used(tree: SelectTree) -> tuple[Expression, ...]:
    """All that is computed behind WHERE."""
    values = [each.expression for each in tree.outputs] + list(tree.group)
    values += [key.expression for key in tree.order if key.output is None]
    if tree.having is not None:
        values.append(tree.having)
    return tuple(values)


def _made_values(outputs: tuple[OutputTree, ...]) -> int:
    """How many outputs of any size there are beside the columns of a row, which are no larger together than a row."""
    sized = [each.expression for each in outputs if each.expression.type in OF_ANY_SIZE]
    return len(sized) - len({each.column.name for each in sized if isinstance(each, ColumnValue)})


def _output_column(output: OutputTree, table: Table | None) -> OutputColumn:
    value = output.expression
    if not isinstance(value, ColumnValue) or table is None:
        return OutputColumn(output.name, value.type)
    column = value.column
    key = table.primary_key
    flags = (
        *(("pk",) if column.name in key else ()),
        *(("nn",) if column.not_null or column.name in key else ()),
        *(("uq",) if (column.name,) in table.unique_keys[1:] else ()),
    )
    return OutputColumn(output.name, column.type, flags)
