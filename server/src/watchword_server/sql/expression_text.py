"""Expressions to the engine's text, with one rule for each class and none for anything else.

Everything stands in brackets, so that no precedence is relied on; every column is bound to its source; whatever is
bound is `?n`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from watchword_server.sql.ledger import Ledger
from watchword_server.sql.nesting import CHAIN_LINKS, spine
from watchword_server.sql.plan import Bind, BindKind
from watchword_server.sql.query_tree import EXCLUDED, RowsTree
from watchword_server.sql.quoting import quoted_name, quoted_text
from watchword_server.sql.tree import (
    Aggregate,
    Apply,
    Bound,
    Case,
    Chain,
    ColumnValue,
    Constant,
    Exists,
    Expression,
    FrameBound,
    FrameTree,
    InList,
    InRows,
    Key,
    Quantified,
    Scalar,
    Template,
    WindowCall,
    WindowTree,
)

__all__ = ["ExpressionText"]

_MAX_PLAIN: Final = 2**53
_LOWEST: Final = -(2**63)
_MAX_WRITTEN: Final = 64
"""Of a text or bytes; longer ones are bound, once however often they stand there (a DEFAULT may in every row)."""
_SINGLE: Final = Template("ww_single({0}, {at})", raises=True)
# Of no row, of one that is true or false, of one that is unknown; `r` is what the comparison gave.
_ANY: Final = 'CASE WHEN max("r") = 1 THEN 1 WHEN count(*) > count("r") THEN NULL ELSE 0 END'
_ALL: Final = 'CASE WHEN min("r") = 0 THEN 0 WHEN count(*) > count("r") THEN NULL ELSE 1 END'


class ExpressionText(ABC):
    """The expressions of one statement.

    Args:
        ledger: What they touch goes there.

    `is_returning`: they are of RETURNING.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.is_returning = False

    @abstractmethod
    def rows(self, tree: RowsTree) -> str:
        """The text of a query, whose columns are c1, c2, ..."""

    def write(self, expression: Expression) -> str:
        """The text of one."""
        return self._RULES[type(expression)](self, expression)

    def joined(self, expressions: Iterable[Expression]) -> str:
        """The texts of several, with commas between."""
        return ", ".join(map(self.write, expressions))

    def each(self, conditions: Iterable[Expression]) -> list[str]:
        """The texts of conditions."""
        return list(map(self.write, conditions))

    def chain(self, word: str, texts: list[str]) -> str:
        """In groups, so that neither the engine's tree nor its parser's stack grows with the chain."""
        while len(texts) > CHAIN_LINKS:
            groups = (texts[place : place + CHAIN_LINKS] for place in range(0, len(texts), CHAIN_LINKS))
            texts = [self.chain(word, group) for group in groups]
        return texts[0] if len(texts) == 1 else f"({f' {word} '.join(texts)})"

    def key(self, key: Key, named: str | None = None) -> str:
        """One key of ORDER BY. `named`: what it is called there; else its value."""
        what = self.value(key.expression) if named is None else named
        direction = "DESC" if key.descending else "ASC"
        return f"{what} {direction} NULLS {'FIRST' if key.nulls_first else 'LAST'}"

    def value(self, expression: Expression) -> str:
        """A key that is computed; what comes down to a number would be that of an output (SQLite folds `0 AND ...`)."""
        text = self.write(expression)
        if isinstance(expression, ColumnValue) or expression.type.storage != "INTEGER":
            return text
        return f"CAST({text} AS INTEGER)"

    # --- the rules ----------------------------------------------------------------------------------------

    def _constant(self, constant: Constant) -> str:
        value = constant.value
        match value:
            case None:
                return "NULL"
            case int():
                return str(value) if value != _LOWEST else f"({_LOWEST + 1} - 1)"
            case str() if len(value) <= _MAX_WRITTEN:
                return quoted_text(value)
            case bytes() if len(value) <= _MAX_WRITTEN:
                return f"X'{value.hex()}'"
            case float() if value.is_integer() and abs(value) < _MAX_PLAIN:
                return repr(value)
            case _:  # SQLite's reading of decimal digits may be a bit off
                return self._ledger.bind(Bind(BindKind.CONSTANT, type=constant.type, value=value))

    def _bound(self, bound: Bound) -> str:
        return self._ledger.bind(Bind(bound.kind, bound.number, bound.type))

    def _column(self, value: ColumnValue) -> str:
        name = quoted_name(value.column.name)
        self._ledger.read(value.source, value.column.name)
        if value.source == EXCLUDED:
            return f"excluded.{name}"
        if self.is_returning:
            # In RETURNING, SQLite takes `"c" IS NULL` for false on any column, and shows whole doubles as integers.
            return f"CAST({name} AS {value.type.storage})"
        return f'"t{value.source}".{name}'

    def _apply(self, apply: Apply) -> str:
        template = apply.template
        if template.links:
            self._ledger.call(*template.functions)
            return template.fill_links([self.write(each) for each in spine(apply)])
        return self._ledger.fill(template, [self.write(each) for each in apply.arguments], apply.at)

    def _case(self, case: Case) -> str:
        operand = f" {self.write(case.operand)}" if case.operand is not None else ""
        whens = "".join(f" WHEN {self.write(test)} THEN {self.write(value)}" for test, value in case.whens)
        otherwise = f" ELSE {self.write(case.otherwise)}" if case.otherwise is not None else ""
        return f"(CASE{operand}{whens}{otherwise} END)"

    def _aggregate(self, aggregate: Aggregate) -> str:
        template = aggregate.template
        distinct = "DISTINCT " if aggregate.distinct else ""
        texts = [] if aggregate.argument is None else [distinct + self.write(aggregate.argument)]
        text = self._ledger.fill(template, texts, aggregate.at, self._filter(aggregate.condition))
        if "sum" in template.functions:
            self._ledger.sum(text, aggregate.at)
        return text

    def _filter(self, condition: Expression | None) -> str:
        return "" if condition is None else f" FILTER (WHERE {self.write(condition)})"

    # --- windows ------------------------------------------------------------------------------------------

    def _window_call(self, call: WindowCall) -> str:
        tail = f"{self._filter(call.condition)} OVER ({self.window(call.window)})"
        text = self._ledger.fill(call.template, [self.write(each) for each in call.arguments], call.at, tail)
        if "sum" in call.template.functions:
            self._ledger.sum(text, call.at)
        return text

    def window(self, window: WindowTree) -> str:
        """What stands in the brackets of OVER."""
        parts = []
        if window.partition:
            parts.append(f"PARTITION BY {self.joined(window.partition)}")
        if window.order:
            parts.append(f"ORDER BY {', '.join(self.key(key) for key in window.order)}")
        if window.frame is not None:
            parts.append(self._frame(window.frame))
        return " ".join(parts)

    def _frame(self, frame: FrameTree) -> str:
        exclude = f" EXCLUDE {frame.exclude.upper()}" if frame.exclude else ""
        return f"{frame.mode.upper()} BETWEEN {self._bound_of(frame.start)} AND {self._bound_of(frame.end)}{exclude}"

    def _bound_of(self, bound: FrameBound) -> str:
        word = bound.kind.upper()
        if bound.kind == "current row":
            return word
        return f"UNBOUNDED {word}" if bound.offset is None else f"{self.write(bound.offset)} {word}"

    # --- queries ------------------------------------------------------------------------------------------

    def _scalar(self, scalar: Scalar) -> str:
        rows = self.rows(scalar.query)
        if scalar.is_single:
            return f"({rows})"
        self._ledger.call("count")
        failure = self._ledger.fill(_SINGLE, ["count(*)"], scalar.at)
        two = f'SELECT "c1" FROM ({rows}) LIMIT 2'  # noqa: S608  # of this module's parts only
        return f'(SELECT CASE WHEN count(*) > 1 THEN {failure} ELSE "c1" END FROM ({two}))'  # noqa: S608  # as above

    def _quantified(self, test: Quantified) -> str:
        self._ledger.call("count", "max" if test.quantifier == "any" else "min")
        rows = self.rows(test.query)
        compared = f'SELECT {self.write(test.condition)} AS "r" FROM ({rows}) AS "t{test.source}"'  # noqa: S608  # as above
        return f"(SELECT {_ANY if test.quantifier == 'any' else _ALL} FROM ({compared}))"  # noqa: S608  # as above

    _RULES: ClassVar[Mapping[type, Callable[["ExpressionText", Any], str]]] = {
        Constant: _constant,
        Bound: _bound,
        ColumnValue: _column,
        Apply: _apply,
        Chain: lambda self, chain: self.chain(chain.word, self.each(chain.items)),
        InList: lambda self, test: f"({self.write(test.operand)} IN ({self.joined(test.items)}))",
        Case: _case,
        Aggregate: _aggregate,
        WindowCall: _window_call,
        Scalar: _scalar,
        Exists: lambda self, test: f"EXISTS ({self.rows(test.query)})",
        InRows: lambda self, test: f"({self.write(test.operand)} IN ({self.rows(test.query)}))",
        Quantified: _quantified,
    }
