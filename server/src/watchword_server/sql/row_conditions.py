"""What is made, or must hold, for each row that is written, by the table's definition: defaults and checks."""

from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.catalog import Catalog, Column
from watchword_server.sql.condition_text import condition_of
from watchword_server.sql.constraints import Check
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import Names
from watchword_server.sql.plan import RowCheck
from watchword_server.sql.query_tree import RowTest, TableSource
from watchword_server.sql.resolve_expressions import ExpressionResolver
from watchword_server.sql.resolve_from import relation_of
from watchword_server.sql.resolve_rows import resolve_query
from watchword_server.sql.tree import Expression
from watchword_server.user import Role

__all__ = ["DEFAULT_CALLS", "check_tests", "default_call", "refuse_impure", "resolved_check"]

DEFAULT_CALLS: Final = frozenset(
    {"now", "current_timestamp", "current_date", "current_user", "user", "current_user_id", "snowflake_id", "uuid_v7"}
)
"""The functions that a DEFAULT may call."""
_IMPURE: Final = DEFAULT_CALLS | {"current_role"}


def default_call(column: Column) -> nodes.Call | None:
    """What makes the column's value where an INSERT has none; None where a constant, or NULL, is it."""
    return None if column.default_call is None else nodes.Call(column.default_call)


def refuse_impure(condition: nodes.Expression) -> None:
    """Refuse what a CHECK must not ask: its answer for a row must be the same tomorrow, and for everybody.

    Raises:
        SqlFault: INVALID_SQL, UNSUPPORTED_SQL.
    """
    for node in nodes.walk(condition):
        if isinstance(node, nodes.Parameter):
            raise SqlFault(ErrorCode.INVALID_SQL, "A CHECK is there for good: it has no parameters.", node.at)
        if isinstance(node, (nodes.Select, nodes.Values)):
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, "A subquery in CHECK is not supported.", node.at)
        if isinstance(node, nodes.Call) and node.name in _IMPURE:
            message = f"{node.name} in CHECK is not supported: a check asks nothing but the row."
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, node.at)


def resolved_check(target: TableSource, condition: nodes.Expression) -> Expression:
    """The condition of a CHECK, bound to the table.

    Raises:
        SqlFault: NOT_FOUND, TYPE_MISMATCH, INVALID_SQL, UNSUPPORTED_SQL, LIMIT_EXCEEDED.
    """
    relation = relation_of(target, target.table.name)
    names = Names()
    names.add([relation], relation.columns, condition.at)
    expressions = ExpressionResolver(Context(Catalog(), "", Role.USER, resolve_query), names)
    return expressions.within("CHECK", condition, "CHECK")


def check_tests(target: TableSource) -> tuple[RowTest, ...]:
    """The checks of the table, as tests of a row that was written."""
    return tuple(_test(target, each) for each in target.table.checks)


def _test(target: TableSource, check: Check) -> RowTest:
    message = f'The check "{check.name}" of {target.table.title} does not hold.'
    condition = resolved_check(target, condition_of(check.text))
    return RowTest(condition, RowCheck(ErrorCode.CONSTRAINT_VIOLATION, message))
