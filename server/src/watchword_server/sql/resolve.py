"""Nodes to trees, statements: the second allow-list.

The order in which the clauses are resolved is PostgreSQL's, since a parameter takes the type of its first place. It is

    SELECT  WITH, FROM, outputs, WHERE, HAVING, ORDER BY, GROUP BY, DISTINCT, OFFSET, LIMIT
    INSERT  WITH, the rows, ON CONFLICT, RETURNING
    UPDATE  WITH, FROM, WHERE, RETURNING, SET
    DELETE  WITH, USING, WHERE, RETURNING

and of a row, as of SET, all values are read before the first gets its column's type.
Source: PostgreSQL's pages on SELECT, INSERT, UPDATE and DELETE; its analyze.c where they are silent.
"""

from watchword_server.sql import nodes
from watchword_server.sql.catalog import Catalog
from watchword_server.sql.context import Context
from watchword_server.sql.query_tree import Tree
from watchword_server.sql.resolve_rows import resolve_query, resolve_rows
from watchword_server.sql.resolve_writes import resolve_delete, resolve_insert, resolve_truncate, resolve_update
from watchword_server.user import Role

__all__ = ["resolve"]


def resolve(query: nodes.Query, catalog: Catalog, namespace: str, role: Role) -> Tree:
    """The statement's tree for a user of this role.

    Args:
        query: From the parser.
        catalog: The tables there are.
        namespace: Where a table's name without one is looked up.
        role: Decides what exists and what may be written.

    Raises:
        SqlFault: NOT_FOUND, PERMISSION_DENIED, TYPE_MISMATCH, INVALID_SQL, UNSUPPORTED_SQL, INVALID_PARAMS,
            LIMIT_EXCEEDED.
    """
    context = Context(catalog, namespace, role, resolve_query)
    tree = _tree(query, context)
    context.coercion.finish()
    return tree


def _tree(query: nodes.Query, context: Context) -> Tree:
    match query:
        case nodes.Insert():
            return resolve_insert(query, context)
        case nodes.Update():
            return resolve_update(query, context)
        case nodes.Delete():
            return resolve_delete(query, context)
        case nodes.Truncate():
            return resolve_truncate(query, context)
        case _:
            return resolve_rows(query, context)
