"""Tokens to an expression: precedence climbing.

Source: PostgreSQL, 4.1.6 "Operator Precedence", and the rules `a_expr`, `b_expr`, `c_expr` of its grammar. Comparisons,
LIKE, BETWEEN and IS DISTINCT do not associate: `a < b < c` is an error.
"""

from collections.abc import Callable
from typing import Final
from typing import Literal as Word

from watchword_server.sql.cursor import MAX_LINKS, OPERATORS, Cursor
from watchword_server.sql.keywords import COLUMN_WORDS, NOT_A_FUNCTION
from watchword_server.sql.lex import Token, TokenKind
from watchword_server.sql.nodes import (
    And,
    Between,
    Call,
    Case,
    Cast,
    Exists,
    Expression,
    Infix,
    InList,
    InQuery,
    IsDistinct,
    IsTest,
    Like,
    Literal,
    LiteralKind,
    Name,
    Not,
    Or,
    Order,
    Parameter,
    Prefix,
    Quantified,
    Rows,
    Select,
    SetOperation,
    Subquery,
    Values,
)
from watchword_server.sql.sources import CONTINUES_QUERY, begins_query
from watchword_server.sql.type_names import type_name
from watchword_server.sql.window_clauses import over

__all__ = ["expression", "operand", "order_keys", "order_of"]

# From weak to strong.
_OR, _AND, _NOT, _IS, _COMPARISON, _MATCH, _OTHER, _SUM, _PRODUCT, _SIGN, _CAST = range(1, 12)

_LEVELS: Final = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("is", "isnull", "notnull"), _IS),
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), _COMPARISON),
    **dict.fromkeys(("like", "ilike", "in", "between", "not"), _MATCH),
    "||": _OTHER,
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "%": _PRODUCT,
    "::": _CAST,
    # Known only to be refused: at the level of the strongest, so that nothing takes them for an alias.
    **dict.fromkeys(("collate", "similar", "at", "operator"), _CAST),
}
_REFUSED: Final = {
    "collate": (None, "COLLATE"),
    "similar": ("to", "SIMILAR TO"),
    "at": ("time", "AT TIME ZONE"),
    "operator": ("(", "OPERATOR()"),
}
_TESTS: Final[dict[str, Word["null", "true", "false", "unknown"]]] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "unknown": "unknown",
}
_MATCHES: Final = frozenset({"like", "ilike", "in", "between"})
_NUMBERS: Final = (LiteralKind.INTEGER, LiteralKind.DECIMAL)
_COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
_QUANTIFIERS: Final[dict[str, Word["any", "all"]]] = {"any": "any", "some": "any", "all": "all"}
_MAY_HAVE_BRACKETS: Final = frozenset({"current_user", "current_role"})  # ours; PostgreSQL's grammar has none there


def expression(cursor: Cursor) -> Expression:
    """Any expression.

    Raises:
        SqlFault: INVALID_SQL, UNSUPPORTED_SQL, LIMIT_EXCEEDED.
    """
    cursor.descend()
    found = _climb(cursor, _OR)
    cursor.ascend()
    return found


def operand(cursor: Cursor) -> Expression:
    """An expression without the operators that are words (PostgreSQL's `b_expr`), as in `DEFAULT 1 NOT NULL`."""
    cursor.descend()
    found = _climb(cursor, _OR, True)
    cursor.ascend()
    return found


def order_keys(cursor: Cursor) -> tuple[Order, ...]:
    """ORDER BY and its keys, of a query and of a window."""
    cursor.expect("order", "by")
    return cursor.listed(_order)


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


def _climb(cursor: Cursor, floor: int, bare: bool = False, first: Expression | None = None) -> Expression:
    """An expression whose operators are at least of the level `floor`.

    `bare`: as for `operand`. `first`: what was read of it already.
    """
    left = _primary(cursor, bare) if first is None else first
    links = 0
    spent = 0  # the level that does not associate with one more operator of its own
    while True:
        token = cursor.here
        key = token.key
        level = _LEVELS.get(key)
        if level is None or level < floor:
            return left
        if level == spent and (key != "not" or cursor.peek().key in _MATCHES):
            raise cursor.invalid(f"Operators like {key.upper()} stand in no chain: write brackets.")
        links += 1
        cursor.links += 1
        if links > MAX_LINKS:
            raise cursor.exceeded(f"A chain of operators has more than {MAX_LINKS} links (nesting).")
        if key in OPERATORS:
            cursor.advance()
            spent = level if level == _COMPARISON else 0
            if cursor.here.key in _QUANTIFIERS and cursor.peek().key == "(":
                left, spent = _quantified(cursor, left, token), 0
            else:
                left = Infix(key, left, _climb(cursor, level + 1, bare), token.at)
        elif level == _CAST:
            if key == "::":
                cursor.advance()
                left = Cast(left, type_name(cursor), token.at)
            elif _refuse(cursor):
                return left
        elif level == _IS:
            if bare and not _is_distinct(cursor):
                return left
            left, spent = _is(cursor, left, bare)
        elif bare:
            return left
        elif level == _MATCH:
            if key == "not" and cursor.peek().key not in _MATCHES:
                if cursor.peek().key == "similar":
                    raise cursor.unsupported("SIMILAR TO")
                return left
            left, spent = _match(cursor, left)
        else:
            left = _chain(cursor, left, level)


def _right(cursor: Cursor, floor: int, bare: bool = False) -> Expression:
    """The right side of an operator."""
    if cursor.here.key in ("any", "some", "all") and cursor.peek().key == "(":
        raise cursor.unsupported(cursor.here.key.upper())
    return _climb(cursor, floor, bare)


def _quantified(cursor: Cursor, left: Expression, operator: Token) -> Expression:
    """`left operator ANY | ALL (query)`."""
    word = cursor.advance()
    found = _inside(cursor)
    if not isinstance(found, _ROWS):
        raise cursor.unsupported(f"{word.key.upper()} of an array", word.at)
    if operator.key not in _COMPARISONS:
        raise cursor.unsupported(f"{operator.key} {word.key.upper()}", operator.at)
    cursor.expect(")")
    return Quantified(left, operator.key, _QUANTIFIERS[word.key], found, operator.at)


def _refuse(cursor: Cursor) -> bool:
    """Refuse the construct that begins here; true where none does."""
    follower, construct = _REFUSED[cursor.here.key]
    if follower is None or cursor.peek().key == follower:
        raise cursor.unsupported(construct)
    return True


def _chain(cursor: Cursor, left: Expression, level: int) -> Expression:
    """AND or OR: one node for all links; brackets around the left side leave no trace, as with PostgreSQL."""
    token = cursor.here
    node = And if level == _AND else Or
    items = list(left.items) if isinstance(left, node) else [left]
    while cursor.take(token.key):
        items.append(_climb(cursor, level + 1))
    return node(tuple(items), token.at)


def _is_distinct(cursor: Cursor) -> bool:
    return cursor.here.key == "is" and (
        cursor.peek().key == "distinct" or (cursor.peek().key == "not" and cursor.peek(2).key == "distinct")
    )


def _is(cursor: Cursor, left: Expression, bare: bool) -> tuple[Expression, int]:
    """IS and what follows it, and the level that it spends."""
    token = cursor.advance()
    if token.key != "is":
        return IsTest(left, "null", token.key == "notnull", token.at), 0
    negated = cursor.take("not")
    if cursor.take("distinct"):
        cursor.expect("from")
        return IsDistinct(left, _right(cursor, _IS + 1, bare), negated, token.at), _IS
    what = cursor.here.key
    if test := _TESTS.get(what):
        cursor.advance()
        return IsTest(left, test, negated, token.at), 0
    if what in ("document", "json", "normalized", "nfc", "nfd", "nfkc", "nfkd", "of"):
        raise cursor.unsupported(f"IS {what.upper()}")
    raise cursor.unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM")


def _match(cursor: Cursor, left: Expression) -> tuple[Expression, int]:
    """[NOT] LIKE, ILIKE, IN or BETWEEN, and the level that it spends."""
    at = cursor.here.at
    negated = cursor.take("not")
    key = cursor.advance().key
    if key == "in":
        return _in(cursor, left, negated, at), 0
    if key == "between":
        if cursor.here.key == "symmetric":
            raise cursor.unsupported("BETWEEN SYMMETRIC")
        cursor.take("asymmetric")
        low = operand(cursor)
        cursor.expect("and")
        return Between(left, low, _climb(cursor, _MATCH + 1), negated, at), _MATCH
    pattern = _right(cursor, _MATCH + 1)
    if cursor.here.key == "escape":
        raise cursor.unsupported("ESCAPE")
    return Like(left, pattern, key == "ilike", negated, at), _MATCH


def _in(cursor: Cursor, left: Expression, negated: bool, at: int) -> Expression:
    found = _inside(cursor)
    if isinstance(found, _ROWS):
        cursor.expect(")")
        return InQuery(left, found, negated, at)
    items = [found]
    while cursor.take(","):
        items.append(expression(cursor))
    cursor.expect(")")
    return InList(left, tuple(items), negated, at)


def _inside(cursor: Cursor) -> Expression | Rows:
    """What a bracket holds, up to the one that closes it: a query, or an expression; each may begin with brackets."""
    cursor.expect("(")
    if cursor.here.key != "(" and not begins_query(cursor):
        return expression(cursor)
    cursor.descend()
    found: Expression | Rows
    if begins_query(cursor):
        found = cursor.grammar.rows(cursor, None)
    else:
        at = cursor.here.at
        found = _inside(cursor)
        if isinstance(found, _ROWS) and cursor.here.key == ")" and cursor.peek().key in CONTINUES_QUERY:
            cursor.expect(")")
            found = cursor.grammar.rows(cursor, found)
        elif isinstance(found, _ROWS) and cursor.here.key == ")" and cursor.peek().key == ")":
            cursor.expect(")")
        else:
            found = _climb(cursor, _OR, first=_closed(cursor, found, at))
    cursor.ascend()
    return found


def _closed(cursor: Cursor, found: Expression | Rows, at: int) -> Expression:
    """What a bracket holds, as a value; the bracket is closed here."""
    if cursor.here.key == ",":
        raise cursor.unsupported("A row value")
    cursor.expect(")")
    if cursor.here.key == ".":
        raise cursor.unsupported("A field of a value")
    return Subquery(found, at) if isinstance(found, _ROWS) else found


# --- what stands between operators ------------------------------------------------------------------------


def _primary(cursor: Cursor, bare: bool) -> Expression:
    token = cursor.here
    kind = token.kind
    if kind is TokenKind.WORD:
        if rule := _WORDS.get(token.key):
            return rule(cursor, token)
        if rule := _FUNCTIONS.get(token.key):
            if cursor.peek().key == "(":
                cursor.advance()
                cursor.advance()
                return rule(cursor, token)
        elif token.key == "not" and not bare:
            cursor.advance()
            cursor.descend()
            negated = Not(_climb(cursor, _NOT), token.at)
            cursor.ascend()
            return negated
        return _named(cursor, token)
    if kind is TokenKind.PARAMETER:
        cursor.advance()
        return Parameter(int(token.value), token.at)
    if kind is TokenKind.NUMBER:
        cursor.advance()
        return Literal(LiteralKind.INTEGER if token.value.isdigit() else LiteralKind.DECIMAL, token.value, token.at)
    if kind is TokenKind.TEXT:
        cursor.advance()
        return Literal(LiteralKind.TEXT, token.value, token.at)
    if kind is TokenKind.QUOTED:
        return _named(cursor, token)
    if token.key == "(":
        return _bracket(cursor)
    if token.key == "-" or token.key == "+":
        return _signed(cursor, token, bare)
    raise cursor.unexpected("an expression")


def _bracket(cursor: Cursor) -> Expression:
    at = cursor.here.at
    return _closed(cursor, _inside(cursor), at)


def _signed(cursor: Cursor, token: Token, bare: bool) -> Expression:
    """A sign: it binds weaker than `::`, and one before a number is part of the number, through brackets too."""
    cursor.advance()
    cursor.descend()
    found = _climb(cursor, _SIGN, bare)
    cursor.ascend()
    if isinstance(found, Literal) and found.kind in _NUMBERS:
        if token.key == "+":
            return found
        return Literal(found.kind, found.text[1:] if found.text[0] == "-" else "-" + found.text, token.at)
    if token.key == "+":  # PostgreSQL would check here that it is a number, and leave it as it is
        raise cursor.unsupported("A plus sign before anything but a number", token.at)
    return Prefix("-", found, token.at)


def _named(cursor: Cursor, token: Token) -> Expression:
    """A column or a function."""
    follower = cursor.peek()
    if follower.key == "(":
        return _call(cursor, token)
    name = cursor.name("an expression")
    if follower.kind is TokenKind.TEXT:
        raise cursor.unsupported(f"A typed literal ({name[:20]} '...')", token.at)
    if follower.key != ".":
        return Name(None, name, token.at)
    cursor.advance()
    if cursor.here.key == "*":
        raise cursor.unsupported("A star inside an expression", token.at)
    column = cursor.label("a column")
    if cursor.here.key == ".":
        raise cursor.unsupported("A column's name of three parts", token.at)
    if cursor.here.key == "(":
        raise cursor.unsupported("A function's name with a namespace", token.at)
    return Name(name, column, token.at)


# --- functions --------------------------------------------------------------------------------------------


def _call(cursor: Cursor, token: Token) -> Call:
    # In quotes such a word would be another function than the one with the grammar of its own.
    if token.value in NOT_A_FUNCTION or token.key == "operator":
        if token.kind is TokenKind.QUOTED or token.value in COLUMN_WORDS or token.value == "operator":
            raise cursor.unsupported(f"{token.value.upper()}(...)")
        raise cursor.unexpected("an expression")
    cursor.advance()
    cursor.advance()
    distinct = False
    arguments: tuple[Expression, ...] = ()
    star = cursor.take("*")
    if not star and cursor.here.key != ")":
        distinct = cursor.take("distinct")
        if not distinct:
            cursor.take("all")  # the default
        arguments = cursor.listed(expression)
        if cursor.here.key == "order":
            raise cursor.unsupported("ORDER BY inside a function")
    if cursor.here.key in (":", "=>"):
        raise cursor.unsupported("An argument by name")
    cursor.expect(")")
    if cursor.here.key == "within":
        raise cursor.unsupported("WITHIN GROUP")
    condition = _filter(cursor) if cursor.here.key == "filter" and cursor.peek().key == "(" else None
    if cursor.here.key in ("ignore", "respect") and cursor.peek().key == "nulls":
        raise cursor.unsupported(f"{cursor.here.key.upper()} NULLS")
    window = over(cursor) if cursor.take("over") else None
    return Call(token.value, arguments, star, distinct, condition, window, token.at)


def _filter(cursor: Cursor) -> Expression:
    cursor.expect("filter", "(", "where")
    condition = expression(cursor)
    cursor.expect(")")
    return condition


def _close_call(cursor: Cursor) -> None:
    if cursor.here.key in (":", "=>"):
        raise cursor.unsupported("An argument by name")
    cursor.expect(")")
    if cursor.here.key in ("filter", "over", "within"):
        raise cursor.unexpected("an operator")


def _plain(low: int, high: int | None = None, name: str | None = None) -> "_Rule":
    """A function that is a key word: so many arguments, and nothing else between its brackets."""

    def rule(cursor: Cursor, token: Token) -> Call:
        if cursor.here.key == ")" and low == 0:
            arguments: tuple[Expression, ...] = ()
        else:
            arguments = cursor.listed(expression)
        if cursor.here.key in ("from", "for", "in", "placing", "similar"):
            raise cursor.unsupported(f"{token.key.upper()}(... {cursor.here.key.upper()} ...)")
        if len(arguments) < low or (high is not None and len(arguments) > high):
            raise cursor.invalid(f"{token.key.upper()} takes {low} arguments.", token.at)
        _close_call(cursor)
        return Call(name or token.key, arguments, at=token.at)

    return rule


def _trim(cursor: Cursor, token: Token) -> Expression:
    """TRIM([BOTH | LEADING | TRAILING] [[characters] FROM] text): PostgreSQL makes other functions of it."""
    name = {"leading": "ltrim", "trailing": "rtrim"}.get(cursor.here.key, "btrim")
    if cursor.here.key in ("both", "leading", "trailing"):
        cursor.advance()
    characters: tuple[Expression, ...] = ()
    if not cursor.take("from"):
        characters = (expression(cursor),)
        if not cursor.take("from"):
            more = tuple(_rest(cursor))
            _close_call(cursor)
            return Call(name, characters + more, at=token.at)
    arguments = cursor.listed(expression)
    _close_call(cursor)
    return Call(name, arguments + characters, at=token.at)


def _rest(cursor: Cursor) -> list[Expression]:
    found: list[Expression] = []
    while cursor.take(","):
        found.append(expression(cursor))
    return found


def _exists(cursor: Cursor, token: Token) -> Expression:
    cursor.descend()
    found = cursor.grammar.rows(cursor, None)
    cursor.ascend()
    cursor.expect(")")
    return Exists(found, token.at)


# --- words with a grammar of their own --------------------------------------------------------------------


def _constant(kind: LiteralKind, text: str) -> "_Rule":
    def rule(cursor: Cursor, token: Token) -> Literal:
        cursor.advance()
        return Literal(kind, text, token.at)

    return rule


def _cast(cursor: Cursor, token: Token) -> Expression:
    cursor.advance()
    cursor.expect("(")
    found = expression(cursor)
    cursor.expect("as")
    type_ = type_name(cursor)
    cursor.expect(")")
    return Cast(found, type_, token.at)


def _case(cursor: Cursor, token: Token) -> Expression:
    cursor.advance()
    subject = None if cursor.here.key == "when" else expression(cursor)
    whens: list[tuple[Expression, Expression]] = []
    cursor.expect("when")
    while not whens or cursor.take("when"):
        test = expression(cursor)
        cursor.expect("then")
        whens.append((test, expression(cursor)))
    otherwise = expression(cursor) if cursor.take("else") else None
    cursor.expect("end")
    return Case(subject, tuple(whens), otherwise, token.at)


def _without_brackets(cursor: Cursor, token: Token) -> Expression:
    cursor.advance()
    if cursor.here.key == "(":
        if token.key not in _MAY_HAVE_BRACKETS or cursor.peek().key != ")":
            raise cursor.unsupported(f"{token.key.upper()} with brackets")
        cursor.expect("(", ")")
    return Call(token.key, at=token.at)


def _current_schema(cursor: Cursor, token: Token) -> Expression:
    return _call(cursor, token) if cursor.peek().key == "(" else _without_brackets(cursor, token)


def _refused(construct: str) -> "_Rule":
    def rule(cursor: Cursor, token: Token) -> Expression:
        raise cursor.unsupported(construct, token.at)

    return rule


_Rule = Callable[[Cursor, Token], Expression]
_ROWS: Final = (Select, Values, SetOperation)

_WORDS: Final[dict[str, _Rule]] = {
    "null": _constant(LiteralKind.NULL, ""),
    "true": _constant(LiteralKind.BOOLEAN, "true"),
    "false": _constant(LiteralKind.BOOLEAN, "false"),
    "case": _case,
    "cast": _cast,
    "current_schema": _current_schema,
    "array": _refused("An array"),
    **dict.fromkeys(
        (
            "current_user",
            "current_role",
            "session_user",
            "user",
            "current_catalog",
            "current_date",
            "current_time",
            "current_timestamp",
            "localtime",
            "localtimestamp",
        ),
        _without_brackets,
    ),
}
# Words that are a name where no bracket follows.
_FUNCTIONS: Final[dict[str, _Rule]] = {
    "coalesce": _plain(1),
    "greatest": _plain(1),
    "least": _plain(1),
    "nullif": _plain(2, 2),
    "substring": _plain(0),
    "trim": _trim,
    "exists": _exists,
    "row": _refused("A row value"),
}
