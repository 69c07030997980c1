"""Tokens to the items of FROM: tables, queries, joins.

Source: PostgreSQL, 7.2.1 "The FROM Clause"; the rules `table_ref` and `joined_table` of its grammar.
"""

from typing import Final
from typing import Literal as Word

from watchword_server.sql.cursor import Cursor
from watchword_server.sql.keywords import NOT_A_NAME
from watchword_server.sql.lex import TokenKind
from watchword_server.sql.nodes import DerivedTable, Expression, FromItem, Join, Name, Rows, TableName

__all__ = [
    "CONTINUES_QUERY",
    "begins_query",
    "column_name",
    "column_names",
    "from_items",
    "qualified_name",
    "table_name",
]

CONTINUES_QUERY: Final = frozenset({"union", "intersect", "except", "order", "limit", "offset", "for", "fetch"})
"""Behind a bracket with a query in it: it was an operand."""

_Kind = Word["inner", "left", "right", "full"]
_KINDS: Final[dict[str, _Kind]] = {
    "join": "inner",
    "inner": "inner",
    "left": "left",
    "right": "right",
    "full": "full",
    "cross": "inner",
}


def from_items(cursor: Cursor) -> tuple[FromItem, ...]:
    """What stands between the commas of FROM, or of USING in DELETE."""
    return cursor.listed(_joined)


def begins_query(cursor: Cursor) -> bool:
    """Whether a query begins here, without a bracket before it."""
    key = cursor.here.key
    return key in ("select", "with", "table") or (key == "values" and cursor.peek().key == "(")


# --- joins ------------------------------------------------------------------------------------------------


def _joined(cursor: Cursor) -> FromItem:
    cursor.descend()
    found = _joins(cursor, _item(cursor))
    cursor.ascend()
    return found


def _joins(cursor: Cursor, left: FromItem) -> FromItem:
    while _begins_join(cursor):
        left = _join(cursor, left)
    return left


def _begins_join(cursor: Cursor) -> bool:
    if cursor.here.key == "natural":
        raise cursor.unsupported("NATURAL JOIN")
    return cursor.here.key in _KINDS


def _join(cursor: Cursor, left: FromItem) -> Join:
    token = cursor.here
    cursor.links += 1
    kind = _KINDS[token.key]
    if not cursor.take("join"):
        cursor.advance()
        if token.key in ("left", "right", "full"):
            cursor.take("outer")
        cursor.expect("join")
    right = _item(cursor)
    if token.key == "cross":
        return Join(kind, left, right, at=token.at)
    while _begins_join(cursor):  # the right side is a join itself, whose condition comes first
        cursor.descend()
        right = _join(cursor, right)
        cursor.ascend()
    condition: Expression | None = None
    using: tuple[Name, ...] = ()
    if cursor.take("on"):
        condition = cursor.grammar.expression(cursor)
    elif cursor.take("using"):
        using = column_names(cursor)
        if cursor.here.key == "as":
            raise cursor.unsupported("An alias of USING")
    else:
        raise cursor.unexpected('"ON" or "USING"')
    return Join(kind, left, right, condition, using, token.at)


# --- items ------------------------------------------------------------------------------------------------


def _item(cursor: Cursor) -> FromItem:
    key = cursor.here.key
    if key == "lateral":
        raise cursor.unsupported("LATERAL")
    if key == "rows" and cursor.peek().key == "from":
        raise cursor.unsupported("ROWS FROM")
    if key == "(":
        found, at = _bracket(cursor), cursor.here.at
        if not isinstance(found, Join):
            return _derived(cursor, found)
        if cursor.here.key == "as" or begins_alias(cursor):
            raise cursor.unsupported("An alias of a join", at)
        return found
    table = table_name(cursor)
    if cursor.here.key == "tablesample":
        raise cursor.unsupported("TABLESAMPLE")
    return table


def _bracket(cursor: Cursor) -> Rows | Join:
    """A bracket with a query in it, or a join."""
    start = cursor.here
    cursor.expect("(")
    cursor.descend()
    found: Rows | FromItem
    if begins_query(cursor):
        found = cursor.grammar.rows(cursor, None)
    elif cursor.here.key == "(":
        inner = _bracket(cursor)
        if isinstance(inner, Join):
            found = _joins(cursor, inner)
        elif cursor.here.key == ")":
            found = inner
        elif cursor.here.key in CONTINUES_QUERY:
            found = cursor.grammar.rows(cursor, inner)
        else:
            found = _joins(cursor, _derived(cursor, inner))
    else:
        found = _joined(cursor)
    cursor.ascend()
    cursor.expect(")")
    if isinstance(found, (TableName, DerivedTable)):
        raise cursor.invalid("A table stands in no brackets: they are for joins and queries.", start.at)
    return found


def _derived(cursor: Cursor, query: Rows) -> DerivedTable:
    if cursor.take("as") or begins_alias(cursor):
        alias = cursor.name("an alias")
    else:
        raise cursor.invalid("A query in FROM needs a name: (SELECT ...) AS name.", query.at)
    columns = cursor.names_in_brackets() if cursor.here.key == "(" else ()
    return DerivedTable(query, alias, columns, query.at)


def column_name(cursor: Cursor) -> Name:
    """A column's name, without its table's."""
    at = cursor.here.at
    return Name(None, cursor.name("a column"), at)


def column_names(cursor: Cursor) -> tuple[Name, ...]:
    """Such names in brackets."""
    cursor.expect("(")
    names = cursor.listed(column_name)
    cursor.expect(")")
    return names


def qualified_name(cursor: Cursor) -> TableName:
    """`[namespace.]name`, without alias."""
    token = cursor.here
    name, namespace = cursor.name("a table"), None
    if cursor.take("."):
        namespace, name = name, cursor.label("a table")
        if cursor.here.key == ".":
            raise cursor.unsupported("A table's name of three parts", token.at)
    return TableName(namespace, name, None, (), token.at)


def table_name(cursor: Cursor, alias: str = "bare") -> TableName:
    """A table and its alias: `after AS` only, `bare` too, or bare but never the word SET (`before SET`)."""
    if cursor.here.key == "only":
        raise cursor.unsupported("ONLY")
    table = qualified_name(cursor)
    if cursor.here.key == "(" and alias == "bare":
        raise cursor.unsupported("A function in FROM", table.at)
    if cursor.here.key == "*" and alias != "after AS":
        raise cursor.unsupported("A star behind a table")
    name = None
    columns: tuple[str, ...] = ()
    if cursor.take("as") or (alias != "after AS" and begins_alias(cursor, alias)):
        name = cursor.name("an alias")
        if cursor.here.key == "(" and alias == "bare":
            columns = cursor.names_in_brackets()
    return table if name is None else TableName(table.namespace, table.name, name, columns, table.at)


def begins_alias(cursor: Cursor, alias: str = "bare") -> bool:
    """Whether a name without AS is here."""
    token = cursor.here
    if token.kind is TokenKind.QUOTED:
        return True
    return token.kind is TokenKind.WORD and token.key not in NOT_A_NAME and (alias == "bare" or token.key != "set")
