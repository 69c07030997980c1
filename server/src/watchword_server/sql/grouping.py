"""Whether a grouped query has one value for everything that it names.

Source: PostgreSQL, 7.2.3 "The GROUP BY and HAVING Clauses": also where the group has a table's primary key.
"""

from collections.abc import Sequence

from watchword_protocol.errors import ErrorCode
from watchword_server.sql import nodes
from watchword_server.sql.context import Context
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.identity import Identities
from watchword_server.sql.names import Names
from watchword_server.sql.query_tree import OutputTree
from watchword_server.sql.tree import Aggregate, ColumnValue, Expression, walk_expressions

__all__ = ["check_grouping"]


def check_grouping(
    context: Context,
    names: Names,
    identities: Identities,
    query: nodes.Select,
    outputs: Sequence[OutputTree],
    values: Sequence[Expression | None],
    group: Sequence[Expression],
) -> None:
    """Hold what is computed for each group to its keys.

    Args:
        context: Of the statement.
        names: Of the query.
        identities: Of its expressions.
        query: For its place.
        outputs: Of the query.
        values: All that is computed for a group.
        group: Its keys.

    Raises:
        SqlFault: INVALID_SQL: a column has many values in a group. UNSUPPORTED_SQL: an aggregate that shows nowhere.
    """
    named = {(each.source, each.column.name) for each in group if isinstance(each, ColumnValue)}
    own = names.own_numbers()
    whole = {
        number
        for number in own
        if (table := context.tables.get(number)) and named.issuperset((number, key) for key in table.primary_key)
    }
    keys = frozenset(map(identities.number, group))
    for value in values:
        if value is None:
            continue
        loose = identities.ungrouped(value, keys, lambda column: column.source not in own or column.source in whole)
        if loose is not None:
            message = (
                f'The column "{loose.title}" must stand in GROUP BY or in an aggregate: a group has many of its values.'
            )
            raise SqlFault(ErrorCode.INVALID_SQL, message, loose.at)
    aggregated = any(isinstance(each, Aggregate) for output in outputs for each in walk_expressions(output.expression))
    if not group and not aggregated:
        construct = "An aggregate in HAVING or ORDER BY alone, without one in the result,"
        raise SqlFault(ErrorCode.UNSUPPORTED_SQL, f"{construct} is not supported.", query.at)
