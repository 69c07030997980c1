"""Tokens to the queries that only read: SELECT, VALUES, what joins them, WITH, ORDER BY and LIMIT.

Source: PostgreSQL's page on SELECT; the rules `select_no_parens`, `simple_select` and `select_clause` of its grammar.
"""

from dataclasses import replace
from typing import Final
from typing import Literal as Word

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.expressions import expression, order_keys
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import (
    CommonTable,
    Default,
    Expression,
    Literal,
    LiteralKind,
    Rows,
    Select,
    SetOperation,
    Star,
    Target,
    Values,
    Window,
    With,
)
from watchword_server.sql.sources import from_items
from watchword_server.sql.window_clauses import window_in_brackets

__all__ = ["MAX_OPERANDS", "rows", "target", "values_rows", "with_clause"]

MAX_OPERANDS: Final = 20
"""Of one chain of UNION, INTERSECT and EXCEPT; the engine's limit."""

_NO_TARGETS: Final = frozenset({"", "from", "where", "group", "having", "order", "limit", "offset", ";", ")"})
_SETS: Final[dict[str, Word["union", "except"]]] = {"union": "union", "except": "except"}
_TRAILERS: Final = frozenset({"order", "limit", "offset"})
_LOCKS: Final = frozenset({"for", "fetch"})


def rows(cursor: Cursor, first: Rows | None = None, common: With | None = None) -> Rows:
    """A query, up to what cannot belong to it.

    Args:
        cursor: At its first word, or behind `first` or `common`.
        first: What was read of it already: an operand in brackets.
        common: What was read of it already: its WITH.

    Raises:
        SqlFault: INVALID_SQL, UNSUPPORTED_SQL, LIMIT_EXCEEDED.
    """
    if first is None and common is None and cursor.here.key == "with":
        common = with_clause(cursor)
    at = cursor.here.at
    is_bracketed = first is not None or cursor.here.key == "("
    operand = first if first is not None else _operand(cursor)
    found = _union(cursor, operand)
    if found is not operand:
        is_bracketed = False
    found = _trailed(cursor, found, is_bracketed)
    if common is not None:
        if found.common is not None:
            raise cursor.invalid("A query has one WITH.", at)
        found = replace(found, common=common)
    return found


def rows_in_brackets(cursor: Cursor) -> Rows:
    """A query in brackets."""
    cursor.expect("(")
    cursor.descend()
    found = rows(cursor)
    cursor.ascend()
    cursor.expect(")")
    return found


def _trailed(cursor: Cursor, query: Rows, is_bracketed: bool) -> Rows:
    """The query with the ORDER BY, LIMIT and OFFSET that follow it."""
    start = cursor.here
    if start.key in _TRAILERS:
        order = order_keys(cursor) if cursor.here.key == "order" else ()
        limit, offset = _limits(cursor)
        if is_bracketed and ((order and query.order) or (limit is not None and query.limit is not None)):
            raise cursor.invalid("ORDER BY and LIMIT stand once at a query.", start.at)
        if is_bracketed and offset is not None and query.offset is not None:
            raise cursor.invalid("OFFSET stands once at a query.", start.at)
        query = replace(
            query,
            order=order or query.order,
            limit=query.limit if limit is None else limit,
            offset=query.offset if offset is None else offset,
        )
    if cursor.here.key in _LOCKS:
        raise cursor.unexpected("the end of the query")
    return query


# --- set operations ---------------------------------------------------------------------------------------


def _union(cursor: Cursor, first: Rows) -> Rows:
    """UNION and EXCEPT, from left to right."""
    left = _intersect(cursor, first)
    count = 1
    while operator := _SETS.get(cursor.here.key):
        at = cursor.advance().at
        count += 1
        is_all = _all(cursor, count)
        left = SetOperation(operator, is_all, left, _intersect(cursor, _operand(cursor)), at=at)
    return left


def _intersect(cursor: Cursor, first: Rows) -> Rows:
    """INTERSECT, which binds stronger."""
    left = first
    count = 1
    while cursor.here.key == "intersect":
        at = cursor.advance().at
        count += 1
        is_all = _all(cursor, count)
        left = SetOperation("intersect", is_all, left, _operand(cursor), at=at)
    return left


def _all(cursor: Cursor, count: int) -> bool:
    cursor.links += 1
    if count > MAX_OPERANDS:
        raise cursor.exceeded(f"A chain of UNION, INTERSECT or EXCEPT has at most {MAX_OPERANDS} operands (operands).")
    if cursor.take("all"):
        return True
    cursor.take("distinct")  # the default
    return False


def _operand(cursor: Cursor) -> Rows:
    key = cursor.here.key
    if key == "select":
        return _select(cursor)
    if key == "values":
        return _values(cursor)
    if key == "(":
        return rows_in_brackets(cursor)
    if key in ("table", "merge"):
        raise cursor.unsupported(key.upper())
    raise cursor.unexpected("a query")


# --- SELECT -----------------------------------------------------------------------------------------------


def _select(cursor: Cursor) -> Select:
    at = cursor.advance().at
    distinct, distinct_on = _distinct(cursor)
    if cursor.here.key in _NO_TARGETS and cursor.here.kind in (TokenKind.WORD, TokenKind.MARK, TokenKind.END):
        if distinct or distinct_on:
            raise cursor.unexpected("an expression")
        raise cursor.unsupported("SELECT without columns")
    targets = cursor.listed(target)
    sources = from_items(cursor) if cursor.take("from") else ()
    where = expression(cursor) if cursor.take("where") else None
    group: tuple[Expression, ...] = ()
    if cursor.here.key == "group":
        cursor.advance()
        cursor.expect("by")
        if cursor.here.key in ("all", "distinct"):
            raise cursor.unsupported(f"GROUP BY {cursor.here.key.upper()}")
        group = cursor.listed(_group)
    having = expression(cursor) if cursor.take("having") else None
    windows = cursor.listed(_named_window) if cursor.take("window") else ()
    return Select(targets, sources, where, group, having, windows, (), None, None, distinct, distinct_on, None, at)


def _distinct(cursor: Cursor) -> tuple[bool, tuple[Expression, ...]]:
    if not cursor.take("distinct"):
        cursor.take("all")  # the default
        return False, ()
    if cursor.here.key != "on":
        return True, ()
    cursor.expect("on", "(")
    keys = cursor.listed(expression)
    cursor.expect(")")
    return False, keys


def target(cursor: Cursor) -> Target:
    """An output, of SELECT and RETURNING."""
    token = cursor.here
    if token.key == "*":
        cursor.advance()
        return Target(Star(None, token.at))
    if cursor.peek().key == "." and cursor.peek(2).key == "*":
        table = cursor.name("a table")
        cursor.advance()
        cursor.advance()
        return Target(Star(table, token.at))
    value = expression(cursor)
    return Target(value, cursor.label("an alias") if cursor.take("as") else cursor.bare_label())


def _group(cursor: Cursor) -> Expression:
    key, follower = cursor.here.key, cursor.peek().key
    if key in ("rollup", "cube") and follower == "(":
        raise cursor.unsupported(key.upper())
    if key == "grouping" and follower == "sets":
        raise cursor.unsupported("GROUPING SETS")
    if key == "(" and follower == ")":
        raise cursor.unsupported("An empty grouping set")
    return expression(cursor)


def _named_window(cursor: Cursor) -> tuple[str, Window]:
    name = cursor.name("a window")
    cursor.expect("as")
    return name, window_in_brackets(cursor)


def _limit(cursor: Cursor) -> Expression:
    at = cursor.here.at
    return Literal(LiteralKind.NULL, "", at) if cursor.take("all") else expression(cursor)


def _limits(cursor: Cursor) -> tuple[Expression | None, Expression | None]:
    """LIMIT and OFFSET, each once, in either order."""
    limit = offset = None
    has_limit = has_offset = False
    while True:
        if not has_limit and cursor.take("limit"):
            has_limit = True
            limit = _limit(cursor)
            if cursor.here.key == ",":
                raise cursor.invalid("LIMIT takes one number: write LIMIT ... OFFSET ...")
        elif not has_offset and cursor.take("offset"):
            has_offset = True
            offset = expression(cursor)
            if cursor.here.key in ("row", "rows"):
                raise cursor.unsupported("OFFSET ... ROWS")
        else:
            return limit, offset


# --- VALUES and WITH --------------------------------------------------------------------------------------


def _values(cursor: Cursor) -> Values:
    at = cursor.here.at
    found = values_rows(cursor)
    for row in found:
        for value in row:
            if isinstance(value, Default):
                raise cursor.invalid("DEFAULT stands in the VALUES of an INSERT only.", value.at)
    return Values(found, at=at)  # type: ignore[arg-type]  # without defaults, as was seen


def values_rows(cursor: Cursor) -> tuple[tuple[Expression | Default, ...], ...]:
    """VALUES and its rows."""
    cursor.expect("values")
    return cursor.listed(_row)


def _row(cursor: Cursor) -> tuple[Expression | Default, ...]:
    cursor.expect("(")
    values = cursor.listed(_value)
    cursor.expect(")")
    return values


def _value(cursor: Cursor) -> Expression | Default:
    if cursor.here.key == "default":
        return Default(cursor.advance().at)
    return expression(cursor)


def with_clause(cursor: Cursor) -> With:
    """WITH and its queries."""
    at = cursor.advance().at
    is_name = cursor.peek().key in ("as", "(")  # of a query; the word is not reserved
    recursive = not is_name and cursor.take("recursive")
    return With(cursor.listed(_common_table), recursive, at)


def _common_table(cursor: Cursor) -> CommonTable:
    at = cursor.here.at
    name = cursor.name("a query's name")
    columns = cursor.names_in_brackets() if cursor.here.key == "(" else ()
    cursor.expect("as")
    if cursor.here.key == "not":
        cursor.expect("not", "materialized")
    else:
        cursor.take("materialized")  # how, not what
    if cursor.peek().key in ("insert", "update", "delete"):
        raise cursor.unsupported(f"{cursor.peek().key.upper()} inside WITH")
    query = rows_in_brackets(cursor)
    if cursor.here.key in ("search", "cycle"):
        raise cursor.unsupported(cursor.here.key.upper())
    return CommonTable(name, columns, query, at)
