"""Which expressions are the same: by number, so that many can be compared with many in linear time."""

from collections.abc import Hashable

from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Bound,
    Case,
    Chain,
    ColumnValue,
    Constant,
    Expression,
    InList,
    children,
)

__all__ = ["Identities"]


class Identities:
    """Numbers for the expressions of one statement: equal for equal ones, whatever their size."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, expression: Expression) -> int:
        """The expression's number."""
        return self._number(expression, [self.number(each) for each in children(expression)])

    def ungrouped(self, expression: Expression, group: frozenset[int]) -> ColumnValue | None:
        """A column in the expression that a group with these keys has no single value of."""
        return self._ungrouped(expression, group)[1]

    def _ungrouped(self, expression: Expression, group: frozenset[int]) -> tuple[int, ColumnValue | None]:
        inner = [self._ungrouped(each, group) for each in children(expression)]
        number = self._number(expression, [each for each, _ in inner])
        if number in group or isinstance(expression, Aggregate):
            return number, None
        if isinstance(expression, ColumnValue):
            return number, expression
        return number, next((loose for _, loose in inner if loose is not None), None)

    def _number(self, expression: Expression, inner: list[int]) -> int:
        key = (type(expression), _head(expression), *inner)
        return self._numbers.setdefault(key, len(self._numbers))


def _head(expression: Expression) -> Hashable:
    """What tells an expression from others with the same parts."""
    match expression:
        case ColumnValue():
            return expression.column.name
        case Constant():
            return expression.type, expression.value
        case Bound():
            return expression.kind, expression.number
        case Apply():
            return expression.type, expression.template
        case Chain():
            return expression.word
        case InList():
            return None
        case Case():
            return expression.type, expression.operand is None, len(expression.whens)
        case Aggregate():
            return expression.template, expression.distinct
