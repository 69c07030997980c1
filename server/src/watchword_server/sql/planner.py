"""Text to plans: the whole way, and the memory of it."""

import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.account_statements import hushed
from watchword_server.sql.budget import Budget, budget_of
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.definition_nodes import Definition, Standalone, Statement
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.generate import generate
from watchword_server.sql.lex import lex
from watchword_server.sql.parser import parse_tokens
from watchword_server.sql.plan import Plan
from watchword_server.sql.references import with_references
from watchword_server.sql.resolve import resolve
from watchword_server.steps import Steps
from watchword_server.user import Role

__all__ = ["DIFFERENCES", "Planner", "not_alone"]

DIFFERENCES: Final = (
    "There is no numeric: a literal with a point or an exponent is DOUBLE; one beyond BIGINT is refused.",
    "avg of integers is the DOUBLE nearest to their mean; sum of any integers is BIGINT and is refused when it "
    "overflows, even on the way.",
    "avg of doubles is answered where PostgreSQL's sum of squares overflows.",
    "What is computed first is not defined, and CASE and COALESCE alone hold back what they do not come to. What "
    "would fail need not fail where the answer does not depend on it: a constant that no row comes to, the far end of "
    "a BETWEEN whose near end is NULL. And it may fail where PostgreSQL stops before it: the rest of an OR behind "
    "what is true, rows behind a LIMIT, what NULL makes NULL.",
    "Sums and averages of doubles are added up in the order in which rows come, with DISTINCT too, where PostgreSQL "
    "sorts first: where large numbers cancel out, the answers differ.",
    "DOUBLE has no infinity, no NaN and no negative zero, and no hexadecimal input.",
    "TIMESTAMP means an instant (timestamptz), with UTC as the session's zone; years are 1 to 9999.",
    "Dates and times are written as under Types, and in no other form: 20200101, 2020-001, 24:00, or a seventh digit "
    "of a second is refused.",
    "Text compares by its bytes (collation C); lower, upper and ILIKE go letter by letter, and leave a letter "
    "as it is whose other case is more than one in Unicode. LIKE and ILIKE take U+FFFD, U+FFFE and U+FFFF for one.",
    "LIKE patterns and what strpos, replace and trim look for have at most 256 bytes; a text of more than 65,536 "
    "characters is searched for a constant LIKE pattern of at most 16 bytes only.",
    "A pattern that ends in a lone backslash is refused even where PostgreSQL would not come to it.",
    "JSON with half a character (a lone surrogate), or a number that is no double, is refused.",
    "current_role is the role of the user (user, service, dba, system).",
    "A parameter whose place gives it no type (an output, IS NULL) has that of another place, and is text if there is "
    "none; count and concat take it as text.",
    "Names of columns of one table, and of tables, that differ in the case of letters only are refused.",
    "A CHECK is asked of the rows that are written: a new row that ON CONFLICT puts aside is not asked.",
    "What nests deeper than about 20 calls or links of arithmetic is refused, and so is the 201st || of a chain; "
    "chains of AND and OR are not.",
)
"""Where an answer differs from PostgreSQL's on purpose. Everything else is PostgreSQL's answer or a refusal."""

_BYTES_OF_PART: Final = 8  # of a long constant, which is read too
_PARTS_OF_COLUMN: Final = 2

_MAX_KEPT: Final = 262_144
"""Bytes of what is remembered of one text: what takes more is rare, and planned anew."""
_BYTES_OF_BIND: Final = 192
_BYTES_OF_COLUMN: Final = 192
_BYTES_OF_PLACE: Final = 128
_BYTES_OF_PLAN: Final = 1_024

_Key = tuple[str, str, Role, int]


def not_alone(statement: Standalone) -> str:
    """What is said where there is more in the request."""
    if isinstance(statement, Definition):
        return "CREATE, ALTER and DROP stand alone in their request."
    return "A statement about a user stands alone in its request."


class _Known(NamedTuple):
    """A text that was planned. `parts`: what that took of the budget. `size`: about how many bytes it is."""

    plans: tuple[Plan, ...]
    parts: int
    size: int


class Planner:
    """Plans requests and remembers the plans: by text, namespace, role and version of the catalog.

    Args:
        max_bytes: Of a text (`limits.sql_bytes`).
        max_parameters: The highest n of a `$n` (`limits.params`).
        max_statements: Of a request (`limits.statements`).
        capacity: Requests remembered; the one not asked for the longest is forgotten first.
        max_memory_bytes: What they may take together, about.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        max_parameters: int,
        max_statements: int,
        capacity: int = 1000,
        max_memory_bytes: int = 33_554_432,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_parameters = max_parameters
        self._max_statements = max_statements
        self._capacity = capacity
        self._max_memory_bytes = max_memory_bytes
        self._memory_bytes = 0
        self._plans: OrderedDict[_Key, _Known] = OrderedDict()

    def budget(self) -> Budget:
        """What all texts of one message may take together."""
        return budget_of(self._max_bytes)

    def plan(
        self, text: str, *, catalog: Catalog, namespace: str, role: Role, budget: Budget | None = None
    ) -> Steps[tuple[Plan, ...] | Standalone]:
        """The request's plans, one a statement; or the one definition, or statement about a user, that it is, which are
        not remembered. What is known takes one step.

        Args:
            text: Of any content.
            catalog: The tables there are.
            namespace: Where a table's name without one is looked up.
            role: Whose plans.
            budget: Of the message, if the text is not all of it. What is known takes as much as what is not: whether
                a message is refused does not depend on what is remembered.

        Raises:
            SqlFault: With the index of the statement, where it came that far. INVALID_SQL, UNSUPPORTED_SQL, NOT_FOUND,
                PERMISSION_DENIED, TYPE_MISMATCH, INVALID_PARAMS, LIMIT_EXCEEDED.
        """
        key = (text, namespace, role, catalog.version)
        known = self._plans.get(key)
        if known is not None:
            if budget is not None:
                budget.take(known.parts)
            self._plans.move_to_end(key)
            return known.plans
        budget = budget or self.budget()
        before = budget.left
        try:
            statements = yield from self._parse(text, budget)
        except SqlFault as fault:
            raise hushed(fault, text) from None
        first = statements[0]
        if len(statements) == 1 and isinstance(first, Standalone):
            return first
        plans: list[Plan] = []
        for index, statement in enumerate(statements):
            yield
            plans.append((yield from self._plan(statement, index, catalog, namespace, role, budget)))
        known = _Known(tuple(plans), before - budget.left, _size(text, plans))
        self._keep(key, known)
        return known.plans

    def _parse(self, text: str, budget: Budget) -> Steps[tuple[Statement, ...]]:
        tokens = lex(text, max_bytes=self._max_bytes, max_parameters=self._max_parameters)
        budget.take(max(len(tokens) - 1, len(text) // _BYTES_OF_PART))
        yield
        return parse_tokens(tokens, max_statements=self._max_statements)

    def _keep(self, key: _Key, known: _Known) -> None:
        """Remember it, and forget what does not fit beside it any more."""
        if known.size > _MAX_KEPT or key in self._plans:
            return
        self._plans[key] = known
        self._memory_bytes += known.size
        while len(self._plans) > self._capacity or self._memory_bytes > self._max_memory_bytes:
            _, forgotten = self._plans.popitem(last=False)
            self._memory_bytes -= forgotten.size

    def _plan(
        self, statement: Statement, index: int, catalog: Catalog, namespace: str, role: Role, budget: Budget
    ) -> Steps[Plan]:
        try:
            if isinstance(statement, Standalone):
                raise SqlFault(ErrorCode.UNSUPPORTED_SQL, not_alone(statement), statement.at)
            tree = resolve(statement, catalog, namespace, role)
            yield
            plan = replace(with_references(generate(tree), tree, catalog, role), version=catalog.version)
            budget.take(_PARTS_OF_COLUMN * len(plan.columns))
            return plan
        except SqlFault as fault:
            fault.statement = index
            if fault.at is None:
                fault.at = statement.at
            raise
        except RecursionError:
            message = "The statement is nested too deeply (nesting)."
            too_deep = SqlFault(ErrorCode.LIMIT_EXCEEDED, message, statement.at)
            too_deep.statement = index
            raise too_deep from None


def _size(text: str, plans: Sequence[Plan]) -> int:
    """About how many bytes a text and its plans are."""
    return sys.getsizeof(text) + sum(
        _BYTES_OF_PLAN
        + sys.getsizeof(plan.text)
        + sum(_BYTES_OF_BIND + sys.getsizeof(bind.value) for bind in plan.binds)
        + _BYTES_OF_COLUMN * len(plan.columns)
        + _BYTES_OF_PLACE * len(plan.places)
        for plan in plans
    )
