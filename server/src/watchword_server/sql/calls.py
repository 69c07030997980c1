"""Nodes to trees, calls of functions and aggregates.

Source: PostgreSQL, 10.3 "Functions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.casts import CASTS, Ease
from watchword_server.sql.coercion import mismatch
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.functions import (
    AGGREGATES,
    COUNT_ROWS,
    FUNCTIONS,
    GREATEST,
    NULLIF,
    SNOWFLAKE_ID,
    UUID_V7,
    Signature,
)
from watchword_server.sql.operators import COMPARABLE
from watchword_server.sql.plan import BindKind
from watchword_server.sql.query_tree import columns_in
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Bound,
    Constant,
    Expression,
    Template,
    WindowCall,
    walk_expressions,
)
from watchword_server.sql.types import INTEGERS, SqlType
from watchword_server.sql.window_functions import WINDOW_FUNCTIONS

if TYPE_CHECKING:
    from watchword_server.sql.nodes import Call
    from watchword_server.sql.resolve_expressions import ExpressionResolver

__all__ = ["CALLS", "MAX_ARGUMENTS", "aggregate_parts", "choose", "fit", "resolve_call"]

MAX_ARGUMENTS: Final = 100
"""Of a function that takes any number; the engine's own limit is 127."""

_T = SqlType
_CONCAT: Final = Template("ww_concat({0}, {at})", raises=True, variadic=True)
_BOOLEAN_OUTPUT: Final = Template("CASE {0} WHEN 1 THEN 't' WHEN 0 THEN 'f' END", safe=True)
# PostgreSQL does not know which sum of a quoted literal is meant.
_NOT_UNIQUE: Final = frozenset({"sum", "avg", "mod", "trunc"})


def resolve_call(resolver: ExpressionResolver, node: Call) -> Expression:
    """The call's tree.

    Raises:
        SqlFault: UNSUPPORTED_SQL: no such function here. TYPE_MISMATCH: not with these arguments. INVALID_SQL.
    """
    if node.name in WINDOW_FUNCTIONS:
        message = f"{node.name} is a window function: it stands with OVER (...)."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if node.name in AGGREGATES:
        return _aggregate(resolver, node)
    if node.condition is not None:
        message = f"{node.name} is no aggregate: it takes no FILTER."
        raise SqlFault(ErrorCode.INVALID_SQL, message, node.at)
    if node.star or node.distinct:
        word = "*" if node.star else "DISTINCT"
        raise SqlFault(ErrorCode.INVALID_SQL, f"{node.name} is no aggregate: it takes no {word}.", node.at)
    rule = _RULES.get(node.name)
    if rule is None and node.name not in FUNCTIONS:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"The function {node.name} is not supported.", node.at)
    if len(node.arguments) > MAX_ARGUMENTS:
        message = f"{node.name} has more than {MAX_ARGUMENTS} arguments (arguments)."
        raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message, node.at)
    arguments = [resolver.resolve(each) for each in node.arguments]
    if rule is not None:
        return rule(resolver, node, arguments)
    signature = choose(node, FUNCTIONS[node.name], [each.type for each in arguments])
    return Apply(signature.result, signature.template, fit(resolver, node, signature, arguments), node.at)


def choose(node: Call, signatures: Sequence[Signature], types: list[SqlType]) -> Signature:
    """The way to call that fits best."""
    known = set(types) - {_T.UNKNOWN}
    fitting = [each for each in signatures if len(each.arguments) == len(types) and _fits(each, types)]
    unknown = [place for place, type_ in enumerate(types) if type_ is _T.UNKNOWN]
    if fitting and unknown:
        same = [each for each in fitting if len(known) == 1 and set(each.arguments) == known]
        if not same and node.name in _NOT_UNIQUE:
            raise mismatch(f"Which {node.name} is meant is not clear: write a cast.", node.at)
        liked = [each for each in fitting if all(each.arguments[place] in (_T.TEXT, _T.DOUBLE) for place in unknown)]
        fitting = same or liked or fitting
    if not fitting:
        titles = ", ".join(type_.title for type_ in types)
        raise mismatch(f"There is no function {node.name}({titles}): write a cast.", node.at)
    return min(fitting, key=lambda each: sum(a is not b for a, b in zip(each.arguments, types, strict=True)))


def _fits(signature: Signature, types: list[SqlType]) -> bool:
    return all(
        type_ in (wanted, _T.UNKNOWN) or ((type_, wanted) in CASTS and CASTS[type_, wanted].ease is Ease.IMPLICIT)
        for type_, wanted in zip(types, signature.arguments, strict=True)
    )


def fit(
    resolver: ExpressionResolver, node: Call, signature: Signature, arguments: list[Expression]
) -> tuple[Expression, ...]:
    """The arguments, as this way to call takes them."""
    what = f"An argument of {node.name}"
    return tuple(
        resolver.coercion.must(value, wanted, what, node.at)
        for value, wanted in zip(arguments, signature.arguments, strict=True)
    )


def _aggregate(resolver: ExpressionResolver, node: Call) -> Expression:
    clause = resolver.no_aggregates
    type_, template, argument = aggregate_parts(resolver, node)
    condition = resolver.filter_of(node)
    _check_level(resolver, node, argument, condition)
    if clause:
        raise SqlFault(ErrorCode.INVALID_SQL, f"The aggregate {node.name} may not stand in {clause}.", node.at)
    for each in walk_expressions(argument, condition):
        if isinstance(each, Aggregate):
            raise SqlFault(ErrorCode.INVALID_SQL, "An aggregate stands inside another.", node.at)
        if isinstance(each, WindowCall):
            raise SqlFault(ErrorCode.INVALID_SQL, "A window function stands inside an aggregate.", node.at)
    return Aggregate(type_, template, argument, node.distinct, condition, node.at)


def aggregate_parts(resolver: ExpressionResolver, node: Call) -> tuple[SqlType, Template, Expression | None]:
    """Of an aggregate, with OVER or without: the result's type, the template, the argument."""
    if node.star:
        if node.name != "count":
            raise SqlFault(ErrorCode.INVALID_SQL, f"{node.name}(*) does not exist: name a column.", node.at)
        return _T.BIGINT, COUNT_ROWS, None
    arguments = [resolver.resolve(each) for each in node.arguments]
    if len(arguments) == 1 and node.name in ("count", "min", "max"):
        arguments = [resolver.coercion.settle(arguments[0], node.at)]
    signature = choose(node, AGGREGATES[node.name], [each.type for each in arguments])
    [argument] = fit(resolver, node, signature, arguments)
    if node.distinct and argument.type not in COMPARABLE:
        raise mismatch(f"DISTINCT needs values that can be equal, and {argument.type.title} cannot.", node.at)
    return signature.result, signature.template, argument


def _check_level(resolver: ExpressionResolver, node: Call, *parts: Expression | None) -> None:
    """An aggregate of columns of a query around this one is that query's, and not supported."""
    numbers = {column.source for column in columns_in(*parts)}
    if numbers and numbers.isdisjoint(resolver.names.own_numbers()):
        message = f"An aggregate of columns of the query around it ({node.name}) is not supported."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)


# --- functions with rules of their own --------------------------------------------------------------------

_Rule = Callable[["ExpressionResolver", "Call", list[Expression]], Expression]


def _one_type(resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
    """COALESCE, GREATEST, LEAST."""
    if not arguments:
        raise SqlFault(ErrorCode.INVALID_SQL, f"{node.name} takes at least one argument.", node.at)
    type_, values = resolver.coercion.unify(arguments, node.name.upper(), node.at)
    if node.name != "coalesce" and type_ not in COMPARABLE:
        raise mismatch(f"{node.name} needs values that compare, and {type_.title} does not.", node.at)
    if len(values) == 1:
        return values[0]
    return Apply(type_, GREATEST[node.name], tuple(values), node.at)


def _nullif(resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
    if len(arguments) != 2:
        raise SqlFault(ErrorCode.INVALID_SQL, "nullif takes two arguments.", node.at)
    left, right = resolver.operate("=", arguments[0], arguments[1], node.at).arguments
    if arguments[0].type in INTEGERS and left.type in INTEGERS:
        left = arguments[0]  # PostgreSQL compares integers of all widths as they are
    elif arguments[0].type is _T.DATE and left.type is not _T.DATE:
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, "nullif of a date and a timestamp is not supported.", node.at)
    return Apply(left.type, NULLIF, (left, right), node.at)


def _concat(resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
    """Output forms one after the other; NULL is nothing."""
    if not arguments:
        raise mismatch("There is no function concat(): it takes at least one argument.", node.at)
    texts = (
        Apply(_T.TEXT, _BOOLEAN_OUTPUT, (value,))
        if value.type is _T.BOOLEAN
        else resolver.coercion.must(value, _T.TEXT, "An argument of concat", node.at, Ease.ASSIGNMENT)
        for value in arguments
    )
    return Apply(_T.TEXT, _CONCAT, tuple(texts), node.at)


def _substring(resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
    """By places only: with a text as its second argument PostgreSQL's is a search for a pattern."""
    types = [each.type for each in arguments]
    if any(type_ in (_T.TEXT, _T.UNKNOWN) for type_ in types[1:]):
        message = "substring with a pattern is not supported: for a place write a cast, as in $1::int."
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)
    signature = choose(node, FUNCTIONS["substring"], types)
    return Apply(signature.result, signature.template, fit(resolver, node, signature, arguments), node.at)


def _fixed(make: Callable[[ExpressionResolver], Expression]) -> _Rule:
    """A function without arguments."""

    def rule(resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
        if arguments:
            raise mismatch(f"{node.name} takes no arguments.", node.at)
        return make(resolver)

    return rule


def _made(type_: SqlType, template: Template) -> _Rule:
    """A function without arguments that makes another value with every call."""

    def rule(_resolver: ExpressionResolver, node: Call, arguments: list[Expression]) -> Expression:
        if arguments:
            raise mismatch(f"{node.name} takes no arguments.", node.at)
        return Apply(type_, template, (), node.at)

    return rule


_NOW: Final = Bound(_T.TIMESTAMP, BindKind.NOW)
_NAME: Final = _fixed(lambda _: Bound(_T.TEXT, BindKind.NAME))

_RULES: Final[dict[str, _Rule]] = {
    "coalesce": _one_type,
    "greatest": _one_type,
    "least": _one_type,
    "nullif": _nullif,
    "concat": _concat,
    "substring": _substring,
    "now": _fixed(lambda _: _NOW),
    "current_timestamp": _fixed(lambda _: _NOW),
    "current_date": _fixed(lambda _: Apply(_T.DATE, CASTS[_T.TIMESTAMP, _T.DATE].template, (_NOW,))),
    "current_user": _NAME,
    "user": _NAME,
    "current_user_id": _fixed(lambda _: Bound(_T.TEXT, BindKind.USER)),
    "snowflake_id": _made(_T.BIGINT, SNOWFLAKE_ID),
    "uuid_v7": _made(_T.UUID, UUID_V7),
    # The role is part of the plan's key, not of what is bound.
    "current_role": _fixed(lambda resolver: Constant(_T.TEXT, resolver.role.value)),
}

CALLS: Final = frozenset({*_RULES, *FUNCTIONS, *AGGREGATES, *WINDOW_FUNCTIONS})
"""The name of every function there is."""
