"""Which expressions are the same: by number, so that many can be compared with many in linear time."""

from collections.abc import Callable, Hashable

from watchword_server.sql.query_tree import columns_in
from watchword_server.sql.tree import (
    QUERIES,
    Aggregate,
    Apply,
    Bound,
    Case,
    Chain,
    ColumnValue,
    Constant,
    Expression,
    InList,
    WindowCall,
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

    def ungrouped(
        self, expression: Expression, group: frozenset[int], is_single: Callable[[ColumnValue], bool]
    ) -> ColumnValue | None:
        """A column in the expression that a group with these keys has no single value of.

        Args:
            expression: Any.
            group: Numbers of the keys.
            is_single: Whether a column has one value in each group for another reason.
        """
        return self._ungrouped(expression, group, is_single)[1]

    def _ungrouped(
        self, expression: Expression, group: frozenset[int], is_single: Callable[[ColumnValue], bool]
    ) -> tuple[int, ColumnValue | None]:
        inner = [self._ungrouped(each, group, is_single) for each in children(expression)]
        number = self._number(expression, [each for each, _ in inner])
        if number in group or isinstance(expression, Aggregate):
            return number, None
        if isinstance(expression, ColumnValue):
            return number, None if is_single(expression) else expression
        found = [loose for _, loose in inner if loose is not None]
        if isinstance(expression, QUERIES):
            # Inside a query only whole columns are compared with the keys, as in PostgreSQL.
            columns = columns_in(expression)
            found += [each for each in columns if self.number(each) not in group and not is_single(each)]
        return number, found[0] if found else None

    def _number(self, expression: Expression, inner: list[int]) -> int:
        key = (type(expression), _head(expression), *inner)
        return self._numbers.setdefault(key, len(self._numbers))


def _head(expression: Expression) -> Hashable:
    """What tells an expression from others with the same parts."""
    match expression:
        case ColumnValue():
            return expression.source, expression.column.name
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
            return expression.template, expression.distinct, expression.condition is None
        case WindowCall():
            window = expression.window
            keys = tuple((key.descending, key.nulls_first) for key in window.order)
            shape = len(expression.arguments), len(window.partition), keys, expression.condition is None
            return expression.template, shape, window.frame
        case _:
            return id(expression)  # a query is like no other
