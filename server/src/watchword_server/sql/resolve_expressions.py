"""Nodes to trees, expressions: names are bound, types found, and what is not in a table is refused.

Source: PostgreSQL, chapter 10 "Type Conversion", and chapter 4.2 "Value Expressions".
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.calls import resolve_call
from watchword_server.sql.casts import TYPE_WORDS, Ease
from watchword_server.sql.coercion import Coercion, constant, mismatch
from watchword_server.sql.context import Context
from watchword_server.sql.engine_functions import check_pattern, is_short_needle
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Names
from watchword_server.sql.operators import (
    BETWEEN,
    ILIKE,
    IS_DISTINCT,
    IS_TESTS,
    LIKE,
    LIKE_CONSTANT,
    NEGATIONS,
    NOT,
    OPERATORS,
    UNSUPPORTED_OPERATORS,
    OperatorRow,
)
from watchword_server.sql.subqueries import resolve_exists, resolve_in, resolve_quantified, resolve_scalar
from watchword_server.sql.tree import (
    Apply,
    Bound,
    Case,
    Chain,
    ColumnValue,
    Constant,
    Expression,
    InList,
    walk_expressions,
)
from watchword_server.sql.types import NUMBERS, SqlType
from watchword_server.sql.volatile import refuse_volatile
from watchword_server.sql.windows import resolve_window_call
from watchword_server.user import Role

__all__ = ["ExpressionResolver"]

_T = SqlType
_MAKES_VALUES: Final = frozenset({"VALUES", "UPDATE", "ON CONFLICT", "DEFAULT"})


class ExpressionResolver:
    """Expressions of one query.

    Args:
        context: Of the statement.
        names: What names mean.

    `no_aggregates`: the clause in which aggregates may not stand, for the message; None where they may. `no_windows`:
    as that, for window functions. `windows`: those of WINDOW, by name.
    """

    __slots__ = ("context", "names", "no_aggregates", "no_windows", "windows")

    def __init__(self, context: Context, names: Names) -> None:
        self.context = context
        self.names = names
        self.no_aggregates: str | None = None
        self.no_windows: str | None = None
        self.windows: dict[str, nodes.Window] = {}

    @property
    def coercion(self) -> Coercion:
        """Of the statement."""
        return self.context.coercion

    @property
    def role(self) -> Role:
        """Whose statement it is."""
        return self.context.role

    def within(self, clause: str, node: nodes.Expression, what: str | None = None) -> Expression:
        """The expression, in a clause where no aggregates stand; a condition if `what` says so, for the message."""
        before = self.no_aggregates, self.no_windows
        self.no_aggregates = self.no_windows = clause
        found = self.resolve(node) if what is None else self.boolean(node, what, node.at)
        self.no_aggregates, self.no_windows = before
        if clause not in _MAKES_VALUES:
            refuse_volatile(clause, found)
        return found

    def resolve(self, node: nodes.Expression) -> Expression:
        """The expression; of type UNKNOWN still, if nothing in it says more.

        Raises:
            SqlFault: NOT_FOUND, TYPE_MISMATCH, INVALID_SQL, UNSUPPORTED_SQL, INVALID_PARAMS, LIMIT_EXCEEDED.
        """
        return self._RULES[type(node)](self, node)

    def boolean(self, node: nodes.Expression, what: str, at: int) -> Expression:
        """A condition; `what` it is, for the message."""
        return self.coercion.must(self.resolve(node), _T.BOOLEAN, what, at)

    def filter_of(self, node: nodes.Call) -> Expression | None:
        """The condition of a call's FILTER."""
        return None if node.condition is None else self.within("FILTER", node.condition, "FILTER")

    def column(self, node: nodes.Name) -> Expression:
        """The column of this name."""
        found = self.names.column(node.table, node.name, node.at)
        return replace(found, at=node.at) if isinstance(found, ColumnValue) else found

    # --- operators ----------------------------------------------------------------------------------------

    def operate(self, operator: str, left: Expression, right: Expression, at: int) -> Apply:
        """`left operator right`, with the casts that PostgreSQL makes unasked."""
        row, left, right = self.operands(operator, left, right, at)
        return Apply(row.result, row.template, (left, right), at)

    def operands(
        self, operator: str, left: Expression, right: Expression, at: int
    ) -> tuple[OperatorRow, Expression, Expression]:
        """The operator between two types, and both sides as these."""
        types = self._operand_types(operator, left.type, right.type, at)
        row = OPERATORS.get((operator, *types))
        if row is None:
            if (operator, left.type, right.type) not in UNSUPPORTED_OPERATORS:
                self.coercion.check_parameter(left, right.type, at)
                self.coercion.check_parameter(right, left.type, at)
            raise _no_operator(operator, left.type, right.type, at)
        new = []
        for value, type_ in zip((left, right), types, strict=True):
            ease = Ease.ASSIGNMENT if operator == "||" else Ease.IMPLICIT  # text || anything: by its output form
            found = self.coercion.coerce(value, type_, at, ease)
            if found is None:
                raise _no_operator(operator, left.type, right.type, at)
            new.append(found)
        return row, new[0], new[1]

    def _operand_types(self, operator: str, left: SqlType, right: SqlType, at: int) -> tuple[SqlType, SqlType]:
        """The types that the operator takes them as."""
        if left is _T.UNKNOWN and right is _T.UNKNOWN:
            if operator in "+-*/%":
                raise mismatch(f"The types of both sides of {operator} are not known: write a cast.", at)
            return _T.TEXT, _T.TEXT
        if _T.UNKNOWN in (left, right):
            known = right if left is _T.UNKNOWN else left
            if (operator, known, known) in OPERATORS:
                return known, known
            if operator == "||" and known is not _T.BYTES:
                return _T.TEXT, _T.TEXT
            raise mismatch(f"What {known.title} {operator} this is, is not clear: write a cast.", at)
        if (operator, left, right) in OPERATORS:
            return left, right
        if operator == "||" and _T.TEXT in (left, right):
            return _T.TEXT, _T.TEXT
        if left in NUMBERS and right in NUMBERS:
            wider = max(left, right, key=NUMBERS.index)
            return wider, wider
        if {left, right} == {_T.DATE, _T.TIMESTAMP}:
            return (
                (_T.TIMESTAMP, _T.TIMESTAMP) if (operator, left, right) not in UNSUPPORTED_OPERATORS else (left, right)
            )
        if _T.DATE in (left, right) and _T.SMALLINT in (left, right):
            return (_T.DATE, _T.INT) if left is _T.DATE else (_T.INT, _T.DATE)
        return left, right

    def _prefix(self, node: nodes.Prefix) -> Expression:
        value = self.resolve(node.operand)
        template = NEGATIONS.get(value.type)
        if template is None:
            raise mismatch(f"There is no operator - before {value.type.title}.", node.at)
        return Apply(value.type, template, (value,), node.at)

    def _chain(self, word: Any, node: nodes.And | nodes.Or) -> Chain:
        what = f"An operand of {word}"
        return Chain(word, tuple(self.boolean(item, what, item.at) for item in node.items))

    def _not(self, value: Expression) -> Apply:
        return Apply(_T.BOOLEAN, NOT, (value,))

    def _is_test(self, node: nodes.IsTest) -> Expression:
        if node.what == "null":
            return self._is_null(node.operand, node.at, negated=node.negated)
        value = self.boolean(node.operand, f"The operand of IS {node.what.upper()}", node.at)
        return Apply(_T.BOOLEAN, IS_TESTS[node.what, node.negated], (value,))

    def _is_null(self, operand: nodes.Expression, at: int, *, negated: bool) -> Expression:
        value = self.coercion.leave_open(self.resolve(operand), at)
        return Apply(_T.BOOLEAN, IS_TESTS["null", negated], (value,))

    def _is_distinct(self, node: nodes.IsDistinct) -> Expression:
        for one, other in ((node.right, node.left), (node.left, node.right)):
            if isinstance(one, nodes.Literal) and one.kind is nodes.LiteralKind.NULL:
                return self._is_null(other, node.at, negated=not node.negated)  # of any type, as in PostgreSQL
        _, left, right = self.operands("=", self.resolve(node.left), self.resolve(node.right), node.at)
        return Apply(_T.BOOLEAN, IS_DISTINCT[node.negated], (left, right))

    def _between(self, node: nodes.Between) -> Expression:
        value = self.resolve(node.operand)
        _, first, low = self.operands(">=", value, self.resolve(node.low), node.at)
        _, second, high = self.operands("<=", value, self.resolve(node.high), node.at)
        if first != second:
            raise _two_types("BETWEEN", node.at)
        found = Apply(_T.BOOLEAN, BETWEEN, (first, low, high))
        return self._not(found) if node.negated else found

    def _in_list(self, node: nodes.InList) -> Expression:
        value = self.resolve(node.operand)
        items = [self.resolve(item) for item in node.items]
        places = [item.at for item in node.items]
        # PostgreSQL first gives the items without columns one type, and then compares the others one by one.
        fixed = [not any(isinstance(each, ColumnValue) for each in walk_expressions(item)) for item in items]
        alike = [item for item, is_fixed in zip(items, fixed, strict=True) if is_fixed]
        common = self.coercion.common([value, *alike]) if len(alike) > 1 else None
        operand: Expression | None = None
        found: list[Expression] = []
        listed = list(zip(items, fixed, places, strict=True))
        if common is not None:
            listed.sort(key=lambda each: not each[1])
        for item, is_fixed, at in listed:
            here = value
            if is_fixed and common is not None:
                item = self.coercion.must(item, common, "An item of IN", at)
                if operand is not None and operand.type is common:
                    found.append(item)  # as the one before
                    continue
            elif isinstance(value, Bound):
                here = replace(value)  # it stands anew in each comparison, and gets a type of its own there
            _, one, item = self.operands("=", here, item, at)
            found.append(item)
            if operand is not None and one != operand:
                raise _two_types("IN", node.at)
            operand = one
        if operand is None:
            raise _two_types("IN", node.at)
        test = InList(operand, tuple(found))
        return self._not(test) if node.negated else test

    def _like(self, node: nodes.Like) -> Expression:
        word = "ILIKE" if node.ignores_case else "LIKE"
        text, pattern = (
            self.coercion.must(each, _T.TEXT, f"An operand of {word}", node.at)
            for each in (self.resolve(node.operand), self.resolve(node.pattern))
        )
        template = ILIKE if node.ignores_case else LIKE
        if isinstance(pattern, Constant) and isinstance(pattern.value, str):
            try:
                check_pattern(pattern.value)
            except SqlFault as fault:
                raise SqlFault(fault.code, fault.message, node.at) from None
            if not node.ignores_case and is_short_needle(pattern.value):
                template = LIKE_CONSTANT
        found = Apply(_T.BOOLEAN, template, (text, pattern), node.at)
        return self._not(found) if node.negated else found

    # --- casts and CASE -----------------------------------------------------------------------------------

    def _cast(self, node: nodes.Cast) -> Expression:
        word = TYPE_WORDS.get(node.type)
        if word is None:
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"The type {node.type} is not supported.", node.at)
        value = self.resolve(node.operand)
        found = self.coercion.coerce(value, word.type, node.at, Ease.EXPLICIT)
        if found is None:
            raise mismatch(f"There is no cast from {value.type.title} to {word.type.title}.", node.at)
        return replace(found, is_cast=True) if isinstance(found, Bound) else found

    def _case(self, node: nodes.Case) -> Expression:
        compared = None if node.operand is None else self.coercion.settle(self.resolve(node.operand), node.at)
        operands: list[Expression | None] = []
        tests: list[Expression] = []
        values: list[Expression] = []
        for test, value in node.whens:  # a value before the next test: PostgreSQL types parameters in this order
            operand, condition = self._test(compared, test)
            operands.append(operand)
            tests.append(condition)
            values.append(self.resolve(value))
        if any(each != operands[0] for each in operands):
            raise _two_types("CASE", node.at)
        if node.otherwise is not None:
            values.append(self.resolve(node.otherwise))
        type_, values = self.coercion.unify(values, "CASE", node.at)
        otherwise = values.pop() if node.otherwise is not None else None
        return Case(type_, operands[0], tuple(zip(tests, values, strict=True)), otherwise)

    def _test(self, compared: Expression | None, test: nodes.Expression) -> tuple[Expression | None, Expression]:
        """A condition of CASE: what is compared and with what, or no more than the condition."""
        if compared is None:
            return None, self.boolean(test, "A condition of CASE", test.at)
        _, operand, other = self.operands("=", compared, self.resolve(test), test.at)
        return operand, other

    _RULES: ClassVar[Mapping[type, Callable[["ExpressionResolver", Any], Expression]]] = {
        nodes.Literal: lambda self, node: constant(node),
        nodes.Parameter: lambda self, node: self.coercion.parameter(node.number),
        nodes.Name: column,
        nodes.Infix: lambda self, node: self.operate(
            node.operator, self.resolve(node.left), self.resolve(node.right), node.at
        ),
        nodes.Prefix: _prefix,
        nodes.And: lambda self, node: self._chain("AND", node),
        nodes.Or: lambda self, node: self._chain("OR", node),
        nodes.Not: lambda self, node: self._not(self.boolean(node.operand, "The operand of NOT", node.at)),
        nodes.IsTest: _is_test,
        nodes.IsDistinct: _is_distinct,
        nodes.Between: _between,
        nodes.InList: _in_list,
        nodes.Like: _like,
        nodes.Cast: _cast,
        nodes.Call: lambda self, node: (
            resolve_call(self, node) if node.over is None else resolve_window_call(self, node)
        ),
        nodes.Case: _case,
        nodes.Subquery: lambda self, node: resolve_scalar(self, node),
        nodes.Exists: lambda self, node: resolve_exists(self, node),
        nodes.InQuery: lambda self, node: resolve_in(self, node),
        nodes.Quantified: lambda self, node: resolve_quantified(self, node),
    }


def _no_operator(operator: str, left: SqlType, right: SqlType, at: int) -> SqlFault:
    if (operator, left, right) in UNSUPPORTED_OPERATORS:
        message = f"{left.title} {operator} {right.title} is not supported: its result is an interval."
        return SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)
    message = f"There is no operator {left.title} {operator} {right.title}: write a cast."
    return mismatch(message, at)


def _two_types(construct: str, at: int) -> SqlFault:
    message = f"{construct} that compares one value as two types is not supported: write casts."
    return SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)
