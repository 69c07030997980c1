"""Tokens to SELECT, INSERT, UPDATE and DELETE.

Source: PostgreSQL's pages on these statements, and the rules behind them in its grammar.
"""

from collections.abc import Callable
from typing import Final

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.expressions import expression
from watchword_server.sql.keywords import NOT_A_NAME
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import (
    Default,
    Delete,
    Expression,
    Insert,
    Name,
    Order,
    Query,
    Select,
    Star,
    TableName,
    Target,
    Update,
)

__all__ = ["QUERIES", "order_of", "qualified_name"]

_NO_TARGETS: Final = frozenset({"", "from", "where", "group", "having", "order", "limit", "offset", ";", ")"})
_TRAILERS: Final = frozenset({"order", "limit", "offset"})


def _select(cursor: Cursor) -> Select:
    at = cursor.advance().at
    distinct = cursor.take("distinct")
    if distinct:
        if cursor.here.key == "on":
            raise cursor.unsupported("DISTINCT ON")
    else:
        cursor.take("all")  # the default
    if cursor.here.key in _NO_TARGETS and cursor.here.kind in (TokenKind.WORD, TokenKind.MARK, TokenKind.END):
        if distinct:
            raise cursor.unexpected("an expression")
        raise cursor.unsupported("SELECT without columns")
    targets = cursor.listed(_target)
    table = _source(cursor) if cursor.take("from") else None
    where = _where(cursor)
    group: tuple[Expression, ...] = ()
    if cursor.here.key == "group":
        cursor.advance()
        cursor.expect("by")
        if cursor.here.key in ("all", "distinct"):
            raise cursor.unsupported(f"GROUP BY {cursor.here.key.upper()}")
        group = cursor.listed(_group)
    having = expression(cursor) if cursor.take("having") else None
    order: tuple[Order, ...] = ()
    if cursor.here.key == "order":
        cursor.advance()
        cursor.expect("by")
        order = cursor.listed(_order)
    limit, offset = _limits(cursor)
    return Select(targets, table, where, group, having, order, limit, offset, distinct, at)


def _target(cursor: Cursor) -> Target:
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


def _source(cursor: Cursor) -> TableName:
    """The one table behind FROM."""
    if cursor.here.key == "(":
        raise cursor.unsupported("A query or a join in brackets")
    if cursor.here.key == "rows" and cursor.peek().key == "from":
        raise cursor.unsupported("ROWS FROM")
    table = _table(cursor)
    if cursor.here.key == ",":
        raise cursor.unsupported("A join")
    return table


def _group(cursor: Cursor) -> Expression:
    key, follower = cursor.here.key, cursor.peek().key
    if key in ("rollup", "cube") and follower == "(":
        raise cursor.unsupported(key.upper())
    if key == "grouping" and follower == "sets":
        raise cursor.unsupported("GROUPING SETS")
    if key == "(" and follower == ")":
        raise cursor.unsupported("An empty grouping set")
    return expression(cursor)


def _order(cursor: Cursor) -> Order:
    value = expression(cursor)
    if cursor.here.key == "using":
        raise cursor.unsupported("ORDER BY ... USING")
    descending, nulls_first = order_of(cursor)
    return Order(value, descending, nulls_first)


def order_of(cursor: Cursor) -> tuple[bool, bool | None]:
    """[ASC | DESC] [NULLS FIRST | LAST]: whether it descends, and whether NULL comes first."""
    descending = cursor.take("desc")
    if not descending:
        cursor.take("asc")
    nulls_first = None
    if cursor.take("nulls"):
        nulls_first = cursor.take("first")
        if not nulls_first:
            cursor.expect("last")
    return descending, nulls_first


def _limits(cursor: Cursor) -> tuple[Expression | None, Expression | None]:
    """LIMIT and OFFSET, each once, in either order."""
    limit = offset = None
    has_limit = has_offset = False
    while True:
        if not has_limit and cursor.take("limit"):
            has_limit = True
            limit = None if cursor.take("all") else expression(cursor)
            if cursor.here.key == ",":
                raise cursor.invalid("LIMIT takes one number: write LIMIT ... OFFSET ...")
        elif not has_offset and cursor.take("offset"):
            has_offset = True
            offset = expression(cursor)
            if cursor.here.key in ("row", "rows"):
                raise cursor.unsupported("OFFSET ... ROWS")
        else:
            return limit, offset


def _insert(cursor: Cursor) -> Insert:
    at = cursor.advance().at
    if cursor.here.key == "or":
        raise cursor.unsupported("INSERT OR")
    cursor.expect("into")
    table = _table(cursor, alias="after AS")
    columns: tuple[Name, ...] = ()
    if cursor.here.key == "(":
        follower = cursor.peek()
        if follower.key in ("(", "select", "with", "table") or (follower.key == "values" and cursor.peek(2).key == "("):
            raise cursor.unsupported("INSERT with a query")
        cursor.advance()
        columns = cursor.listed(_column)
        cursor.expect(")")
    rows: tuple[tuple[Expression | Default, ...], ...] = ()
    if cursor.here.key == "default":
        if columns:
            raise cursor.invalid("DEFAULT VALUES stands without a list of columns.")
        cursor.expect("default", "values")
    else:
        if cursor.here.key == "overriding":
            raise cursor.unsupported("OVERRIDING")
        if cursor.here.key in ("(", "select", "with", "table"):
            raise cursor.unsupported("INSERT with a query")
        cursor.expect("values")
        rows = cursor.listed(_row)
        if cursor.here.key in _TRAILERS:
            raise cursor.unsupported(f"VALUES with {cursor.here.key.upper()}")
    if cursor.here.key == "on" and cursor.peek().key == "conflict":
        raise cursor.unsupported("ON CONFLICT")
    return Insert(table, columns, rows, _returning(cursor), at)


def _column(cursor: Cursor) -> Name:
    """The name of a column to write into."""
    at = cursor.here.at
    name = cursor.name("a column")
    if cursor.here.key == "." or cursor.here.key == "[":
        raise cursor.unsupported("A part of a column")
    return Name(None, name, at)


def _row(cursor: Cursor) -> tuple[Expression | Default, ...]:
    cursor.expect("(")
    values = cursor.listed(_value)
    cursor.expect(")")
    return values


def _value(cursor: Cursor) -> Expression | Default:
    token = cursor.here
    if token.key == "default":
        cursor.advance()
        return Default(token.at)
    return expression(cursor)


def _update(cursor: Cursor) -> Update:
    at = cursor.advance().at
    if cursor.here.key == "or":
        raise cursor.unsupported("UPDATE OR")
    table = _table(cursor, alias="before SET")
    cursor.expect("set")
    sets = cursor.listed(_set)
    if cursor.here.key == "from":
        raise cursor.unsupported("UPDATE ... FROM")
    return Update(table, sets, _where(cursor), _returning(cursor), at)


def _set(cursor: Cursor) -> tuple[Name, Expression | Default]:
    if cursor.here.key == "(":
        raise cursor.unsupported("SET of several columns at once")
    name = _column(cursor)
    cursor.expect("=")
    return name, _value(cursor)


def _delete(cursor: Cursor) -> Delete:
    at = cursor.advance().at
    cursor.expect("from")
    table = _table(cursor, alias="before SET")
    if cursor.here.key == "using":
        raise cursor.unsupported("DELETE ... USING")
    return Delete(table, _where(cursor), _returning(cursor), at)


def _where(cursor: Cursor) -> Expression | None:
    if not cursor.take("where"):
        return None
    if cursor.here.key == "current" and cursor.peek().key == "of":
        raise cursor.unsupported("WHERE CURRENT OF")
    return expression(cursor)


def _returning(cursor: Cursor) -> tuple[Target, ...]:
    return cursor.listed(_target) if cursor.take("returning") else ()


def qualified_name(cursor: Cursor) -> TableName:
    """`[namespace.]name`, without alias."""
    token = cursor.here
    name, namespace = cursor.name("a table"), None
    if cursor.take("."):
        namespace, name = name, cursor.label("a table")
        if cursor.here.key == ".":
            raise cursor.unsupported("A table's name of three parts", token.at)
    return TableName(namespace, name, None, token.at)


def _table(cursor: Cursor, alias: str = "bare") -> TableName:
    """A table and its alias: `after AS` only, `bare` too, or bare but never the word SET (`before SET`)."""
    if cursor.here.key == "only":
        raise cursor.unsupported("ONLY")
    table = qualified_name(cursor)
    if cursor.here.key == "(" and alias == "bare":
        raise cursor.unsupported("A function in FROM", table.at)
    if cursor.here.key == "*" and alias != "after AS":
        raise cursor.unsupported("A star behind a table")
    name = None
    if cursor.take("as") or (alias != "after AS" and _begins_alias(cursor, alias)):
        name = cursor.name("an alias")
        if cursor.here.key == "(" and alias == "bare":
            raise cursor.unsupported("A list of columns behind an alias")
    return table if name is None else TableName(table.namespace, table.name, name, table.at)


def _begins_alias(cursor: Cursor, alias: str) -> bool:
    token = cursor.here
    if token.kind is TokenKind.QUOTED:
        return True
    return token.kind is TokenKind.WORD and token.key not in NOT_A_NAME and (alias == "bare" or token.key != "set")


QUERIES: Final[dict[str, Callable[[Cursor], Query]]] = {
    "select": _select,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
}
"""The rule of each statement, by its first word, which is not yet taken."""
