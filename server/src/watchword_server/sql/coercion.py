"""How an expression comes to the type that its place asks for: PostgreSQL's implicit and assignment casts.

Literals are read and parameters typed here, at planning time. Every `$n` is a node of its own, of the type that the
parameter has when the node is made. One without a type gets that of its place as soon as the place asks for one, and if
the parameter has a type by then, it must be the same. So places are read, and asked, in PostgreSQL's order.
Source: PostgreSQL, chapter 10 "Type Conversion"; its parse_param.c.
"""

from collections.abc import Sequence
from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.casts import CASTS, Ease
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import INTEGER_RANGES, read_literal
from watchword_server.sql.nodes import Literal, LiteralKind
from watchword_server.sql.plan import BindKind, StoredValue
from watchword_server.sql.tree import Apply, Bound, Constant, Expression
from watchword_server.sql.types import NUMBERS, SqlType

__all__ = ["Coercion", "constant", "mismatch"]

_UNKNOWN: Final = SqlType.UNKNOWN
# Each type goes into every later one of its row without being asked.
_LADDERS: Final = (NUMBERS, (SqlType.DATE, SqlType.TIMESTAMP))
_ROUND: Final = next(each.function for each in ENGINE_FUNCTIONS if each.name == "ww_double_integer")


def mismatch(message: str, at: int) -> SqlFault:
    """A value or an expression has not the type of its place."""
    return SqlFault(ErrorCode.TYPE_MISMATCH, message, at)


def constant(literal: Literal) -> Constant:
    """What a literal says before its place is known.

    Raises:
        SqlFault: TYPE_MISMATCH: a number out of range.
    """
    match literal.kind:
        case LiteralKind.TEXT:
            return Constant(_UNKNOWN, literal.text)
        case LiteralKind.NULL:
            return Constant(_UNKNOWN, None)
        case LiteralKind.BOOLEAN:
            return Constant(SqlType.BOOLEAN, int(literal.text == "true"))
        case LiteralKind.DECIMAL:
            return Constant(SqlType.DOUBLE, _read(literal.text, SqlType.DOUBLE, literal.at))
        case LiteralKind.INTEGER:
            value = _read(literal.text, SqlType.BIGINT, literal.at, "{} is out of range for {}.")
            low, high = INTEGER_RANGES[SqlType.INT]
            is_int = isinstance(value, int) and low <= value <= high
            return Constant(SqlType.INT if is_int else SqlType.BIGINT, value)


def _read(text: str, type_: SqlType, at: int, message: str = "{!r} is no valid input for {}.") -> StoredValue:
    try:
        return read_literal(text, type_)
    except ValueError:
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise mismatch(message.format(shown, type_.title), at) from None


class Coercion:
    """The types of one statement's parameters, as they become known, and the casts that nobody wrote."""

    __slots__ = ("_nodes", "_types")

    def __init__(self) -> None:
        self._types: dict[int, SqlType] = {}
        self._nodes: list[Bound] = []

    def parameter(self, number: int) -> Bound:
        """`$number`, with its type if another place gave it one."""
        node = Bound(self._types.get(number, _UNKNOWN), number=number)
        self._nodes.append(node)
        return node

    def decide(self, value: Expression) -> None:
        """A parameter that no place has given a type has the one it has elsewhere, or is text."""
        if isinstance(value, Bound) and value.type is _UNKNOWN:
            value.type = self._types.setdefault(value.number, SqlType.TEXT)

    def finish(self) -> None:
        """No place asks any more: decide all that is open."""
        for node in self._nodes:
            self.decide(node)

    def coerce(self, value: Expression, type_: SqlType, at: int, ease: Ease = Ease.IMPLICIT) -> Expression | None:
        """The expression as one of this type; None where no cast of this ease leads there.

        Raises:
            SqlFault: TYPE_MISMATCH: a literal is no input for the type. INVALID_PARAMS: a parameter has another one.
        """
        if value.type is type_:
            return value
        if value.type is _UNKNOWN:
            return self._give(value, type_, at)
        row = CASTS.get((value.type, type_))
        if row is None or row.ease < ease:
            if ease is not Ease.EXPLICIT:
                self.check_parameter(value, type_, at)
            return None
        if isinstance(value, Constant) and type_ in NUMBERS and value.type in NUMBERS:
            return Constant(type_, _convert(value.value, type_, at))
        return Apply(type_, row.template, (value,), at)

    def _give(self, value: Expression, type_: SqlType, at: int) -> Expression:
        """The unknown gets its type."""
        if isinstance(value, Bound):
            known = self._types.setdefault(value.number, type_)
            if known is not type_:
                raise _two_types(value.number, known, type_, at)
            value.type = type_
            return value
        if isinstance(value, Constant) and isinstance(value.value, str):
            return Constant(type_, _read(value.value, type_, at))
        return Constant(type_, None)

    def check_parameter(self, value: Expression, type_: SqlType, at: int) -> None:
        """Refuse a parameter that another place, and no cast in this one, has given another type.

        Raises:
            SqlFault: INVALID_PARAMS.
        """
        if not isinstance(value, Bound) or value.kind is not BindKind.PARAMETER:
            return
        if not value.is_cast and value.type is not type_:
            raise _two_types(value.number, value.type, type_, at)

    def settle(self, value: Expression, at: int) -> Expression:
        """The expression, as text if it has no type yet.

        Raises:
            SqlFault: INVALID_PARAMS.
        """
        return value if value.type is not _UNKNOWN else self._give(value, SqlType.TEXT, at)

    def leave_open(self, value: Expression, at: int) -> Expression:
        """The expression in a place that needs no type: a parameter without one may get it from another."""
        return value if isinstance(value, Bound) else self.settle(value, at)

    def assign(self, value: Expression, type_: SqlType, column: str, at: int) -> Expression:
        """The expression as a value of this column.

        Raises:
            SqlFault: TYPE_MISMATCH, naming the column; INVALID_PARAMS.
        """
        try:
            found = self.coerce(value, type_, at, Ease.ASSIGNMENT)
        except SqlFault as fault:
            if fault.code is not ErrorCode.TYPE_MISMATCH:
                raise
            raise mismatch(f'Column "{column}": {fault.message}', at) from None
        if found is None:
            message = f'Column "{column}" is {type_.title}, and the expression is {value.type.title}: write a cast.'
            raise mismatch(message, at)
        return found

    def common(self, values: Sequence[Expression]) -> SqlType | None:
        """The one type that all of them go into unasked: TEXT if none has a type, None if there is none."""
        types = {value.type for value in values} - {_UNKNOWN}
        if not types:
            return SqlType.TEXT
        if len(types) == 1:
            return types.pop()
        for ladder in _LADDERS:
            if types <= set(ladder):
                return max(types, key=ladder.index)
        return None

    def unify(self, values: Sequence[Expression], what: str, at: int) -> tuple[SqlType, list[Expression]]:
        """All of them as their common type.

        Raises:
            SqlFault: TYPE_MISMATCH: they have none. INVALID_PARAMS.
        """
        type_ = self.unified_type(values, what, at)
        return type_, [self.must(value, type_, what, at) for value in values]

    def unified_type(self, values: Sequence[Expression], what: str, at: int) -> SqlType:
        """Their common type.

        Raises:
            SqlFault: TYPE_MISMATCH: they have none.
        """
        type_ = self.common(values)
        if type_ is None:
            titles = " and ".join(sorted({value.type.title for value in values} - {_UNKNOWN.title}))
            raise mismatch(f"{what} has values of types that do not go together: {titles}.", at)
        return type_

    def must(self, value: Expression, type_: SqlType, what: str, at: int, ease: Ease = Ease.IMPLICIT) -> Expression:
        """The expression as one of this type.

        Raises:
            SqlFault: TYPE_MISMATCH: it is of another. INVALID_PARAMS.
        """
        found = self.coerce(value, type_, at, ease)
        if found is None:
            raise mismatch(f"{what} is {value.type.title}, not {type_.title}.", at)
        return found


def _two_types(number: int, known: SqlType, type_: SqlType, at: int) -> SqlFault:
    """The cast that the fault names is to the type that becomes the other more easily."""
    there, back = CASTS.get((known, type_)), CASTS.get((type_, known))
    cast = type_ if back and (there is None or there.ease < back.ease) else known
    message = (
        f"${number} is {known.title} in one place and {type_.title} in another: "
        f"write a cast wherever it stands, as in ${number}::{cast.title}."
    )
    return SqlFault(ErrorCode.INVALID_PARAMS, message, at)


def _convert(value: StoredValue, type_: SqlType, at: int) -> int | float | None:
    """A number, or NULL, as one of another type."""
    if not isinstance(value, (int, float)):
        return None
    if type_ is SqlType.DOUBLE:
        return float(value)
    low, high = INTEGER_RANGES[type_]
    try:
        number = _ROUND(value) if isinstance(value, float) else value
    except SqlFault:
        number = high + 1
    if not low <= number <= high:
        raise mismatch(f"{value} is out of range for {type_.title}.", at)
    return int(number)
