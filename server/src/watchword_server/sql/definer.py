"""Who changes the catalog, and which of its tables that user may change."""

from typing import NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import DEFAULT_NAMESPACE, Catalog, Table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lookup import readable_table, writable_table
from watchword_server.sql.nodes import TableName
from watchword_server.user import Role

__all__ = ["Definer"]


class Definer(NamedTuple):
    """The user whose definition it is. Below dba a user changes the tables that this user has created, and no others.

    The role that a kind of definition takes at all is asked before (`query.preparation`).
    """

    user_id: str
    role: Role

    def table(self, catalog: Catalog, name: TableName) -> Table:
        """The table of this name, to be changed.

        Raises:
            SqlFault: NOT_FOUND: there is none, or the user may not see it. PERMISSION_DENIED.
        """
        table = readable_table(catalog, name, DEFAULT_NAMESPACE, self.role)
        if table.creator != self.user_id and not self.role.includes(Role.DBA):
            message = (
                f"The role {self.role.value} may change the tables that it created, and {table.title} is not one of "
                f"them: that takes the role {Role.DBA.value}."
            )
            raise SqlFault(ErrorCode.PERMISSION_DENIED, message, name.at)
        return table

    def referred_table(self, catalog: Catalog, name: TableName) -> Table:
        """The table of this name, for a foreign key to it, which bars changes of its rows: so one that may be written.

        Raises:
            SqlFault: NOT_FOUND, PERMISSION_DENIED.
        """
        return writable_table(catalog, name, DEFAULT_NAMESPACE, self.role)
