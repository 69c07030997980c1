"""The first wall: which rows a statement may look at, and what of the user's own is judged before that is decided.

A USER table is read as `(SELECT ... WHERE "_owner" = ? AND <safe>) AS "t"`. Engines reorder predicates, and an error,
or a delay, on a hidden row tells its content: so only conjuncts that can neither fail nor take long stand beside the
owner, where they can use an index. Where anything else is judged, the subquery ends in a fence (`LIMIT -1`): SQLite's
query flattener (its rule 19) and its push-down of predicates both stop at a LIMIT.
"""

from collections.abc import Iterable
from typing import NamedTuple

from watchword_server.sql.catalog import Table, TableType
from watchword_server.sql.tree import Aggregate, Apply, Chain, Expression, walk_expressions

__all__ = ["OWNER", "Scope", "can_raise", "is_safe", "physical_name", "scope_of"]

OWNER = "_owner"
"""The hidden first column of a USER table: the id of the user whose row it is. Users' columns never begin with `_`."""


class Scope(NamedTuple):
    """Where the conjuncts of a WHERE go, and whether a fence stands between."""

    inside: tuple[Expression, ...]
    outside: tuple[Expression, ...]
    is_fenced: bool


def physical_name(table: Table) -> str:
    """The table's name in the engine."""
    return f"{table.namespace}.{table.name}"


def is_safe(expression: Expression) -> bool:
    """Whether the expression can neither fail nor take long, whatever the row holds."""
    return all(each.template.safe for each in walk_expressions(expression) if isinstance(each, (Apply, Aggregate)))


def can_raise(expression: Expression) -> bool:
    """Whether the expression fails on some row."""
    return any(each.template.raises for each in walk_expressions(expression) if isinstance(each, (Apply, Aggregate)))


def scope_of(table: Table, where: Expression | None, others: Iterable[Expression]) -> Scope:
    """Decide for one table.

    Args:
        table: What is read.
        where: The user's own predicate.
        others: All that is computed from the rows it leaves.
    """
    conjuncts = _conjuncts(where)
    if table.type is TableType.SHARED:
        return Scope(conjuncts, (), is_fenced=False)
    inside = tuple(each for each in conjuncts if is_safe(each))
    outside = tuple(each for each in conjuncts if not is_safe(each))
    return Scope(inside, outside, bool(outside) or any(map(can_raise, others)))


def _conjuncts(where: Expression | None) -> tuple[Expression, ...]:
    if where is None:
        return ()
    if isinstance(where, Chain) and where.word == "AND":
        return tuple(each for item in where.items for each in _conjuncts(item))
    return (where,)
