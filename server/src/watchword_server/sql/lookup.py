"""The table that a statement names, as far as its role may know of it, and the columns of it that it names."""

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Catalog, Column, Table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.names import nearest
from watchword_server.sql.nodes import Name, TableName
from watchword_server.user import Role

__all__ = ["column_of", "readable_table", "writable_table"]


def readable_table(catalog: Catalog, name: TableName, namespace: str, role: Role) -> Table:
    """The table.

    Raises:
        SqlFault: NOT_FOUND: there is none, or the role may not see it; nothing tells which.
    """
    where = namespace if name.namespace is None else name.namespace
    table = catalog.find(where, name.name)
    if table is None or not table.is_visible_to(role):
        visible = sorted(each.title for each in catalog.tables.values() if each.is_visible_to(role))
        title = f"{where}.{name.name}"
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no table "{title}".{nearest(title, visible)}', name.at)
    return table


def writable_table(catalog: Catalog, name: TableName, namespace: str, role: Role) -> Table:
    """The table, for a statement that changes its rows.

    Raises:
        SqlFault: NOT_FOUND; PERMISSION_DENIED, with the role that would be needed.
    """
    table = readable_table(catalog, name, namespace, role)
    if not table.is_writable_by(role):
        needed = next(each for each in Role if table.is_writable_by(each))
        message = f"The role {role.value} may read {table.title} but not write it: that takes the role {needed.value}."
        raise SqlFault(ErrorCode.PERMISSION_DENIED, message, name.at)
    return table


def column_of(table: Table, name: Name) -> Column:
    """The column.

    Raises:
        SqlFault: NOT_FOUND.
    """
    column = table.column(name.name)
    if column is None:
        hint = nearest(name.name, [each.name for each in table.columns])
        raise SqlFault(ErrorCode.NOT_FOUND, f'There is no column "{name.name}" in {table.title}.{hint}', name.at)
    return column
