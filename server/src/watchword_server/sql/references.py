"""What the foreign keys of a table add to a plan that writes it: what the engine touches to hold them, and the words.

The engine asks for the rows referred to when one is written, and for those that refer when one goes or its key changes;
what a key does to these is a write of its own, with keys of its own. SQLite does not say which key did not hold: the
plan says it, as far as its role may know of the table that has the key.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from watchword_server.sql.catalog import Catalog, Column, Table, TableId, TableType
from watchword_server.sql.constraints import ForeignKey, ForeignKeyAction
from watchword_server.sql.physical import physical_columns, physical_name
from watchword_server.sql.plan import Plan
from watchword_server.sql.query_tree import DeleteTree, InsertTree, Tree, UpdateTree
from watchword_server.user import Role

__all__ = ["with_references"]

_WRITING = frozenset({ForeignKeyAction.SET_NULL, ForeignKeyAction.SET_DEFAULT})


def with_references(plan: Plan, tree: Tree, catalog: Catalog, role: Role) -> Plan:
    """The plan, with what the foreign keys need."""
    if not isinstance(tree, (InsertTree, UpdateTree, DeleteTree)):
        return plan
    reach = _Reach(catalog)
    table = tree.target.table
    match tree:
        case InsertTree():
            reach.insert(table)
            keys = [(table, key) for key in table.foreign_keys]
            if tree.conflict is not None and tree.conflict.sets:
                keys += _update(reach, catalog, table, tree.conflict.sets)
        case UpdateTree():
            keys = [(table, key) for key in table.foreign_keys] + _update(reach, catalog, table, tree.sets)
        case DeleteTree():
            reach.remove(table)
            keys = list(catalog.referring(table.id))
    if not reach.tables:
        return plan
    permissions = replace(
        plan.permissions,
        reads=plan.permissions.reads | reach.reads,
        updates=plan.permissions.updates | reach.updates,
        deletes=plan.permissions.deletes | reach.deletes,
    )
    return replace(
        plan,
        permissions=permissions,
        tables=plan.tables | reach.tables,
        target=physical_name(table),
        reference=_sentence({(table.id, key.name): (table, key) for table, key in keys if table.is_visible_to(role)}),
    )


def _update(
    reach: "_Reach", catalog: Catalog, table: Table, sets: Iterable[tuple[Column, object]]
) -> list[tuple[Table, ForeignKey]]:
    """Take in what setting these columns reaches; the keys that refer to the table."""
    columns = [column.name for column, _ in sets]
    reach.write(table, columns)
    reach.change(table, columns)
    return list(catalog.referring(table.id))


class _Reach:
    """What is touched, as it grows. Each of its methods goes on with what the actions of keys do."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._removed: set[TableId] = set()
        self._changed: set[tuple[TableId, frozenset[str]]] = set()
        self.reads: set[tuple[str, str]] = set()
        self.updates: set[tuple[str, str]] = set()
        self.deletes: set[str] = set()
        self.tables: set[TableId] = set()

    def insert(self, table: Table) -> None:
        """A row comes. Of those that refer to it the engine asks where more than one may come, or is returned."""
        self.write(table, [column.name for column in table.columns])
        for other, key in self._catalog.referring(table.id):
            self._read(other, key.columns)

    def write(self, table: Table, columns: Collection[str]) -> None:
        """A row gets values for these columns: those that refer must find what they refer to."""
        keys = table.foreign_keys
        is_met = any(
            _meets(columns, key.columns) or (key.table == table.id and _meets(columns, key.key)) for key in keys
        )
        for key in keys:
            other = self._catalog.of_id(key.table)
            is_own = key.table == table.id and is_met  # then the engine looks in any case
            if other is not None and (is_own or _meets(columns, key.columns)):
                self._read(other, key.key)

    def remove(self, table: Table) -> None:
        """A row goes."""
        if table.id in self._removed:
            return
        self._removed.add(table.id)
        for key in table.foreign_keys:  # where it stood, the engine counts, too
            other = self._catalog.of_id(key.table)
            if other is not None:
                self._read(other, key.key)
        for other, key in self._catalog.referring(table.id):
            self._read(other, key.columns)
            if key.on_delete is not ForeignKeyAction.NO_ACTION:
                self._read(table, key.key)
            if key.on_delete is ForeignKeyAction.CASCADE:
                self.deletes.add(physical_name(other))
                self.remove(other)
            elif key.on_delete in _WRITING:
                self._update(other, key)

    def change(self, table: Table, columns: Collection[str]) -> None:
        """A row gets other values in these columns."""
        known = (table.id, frozenset(columns))
        if known in self._changed:
            return
        self._changed.add(known)
        for other, key in self._catalog.referring(table.id):
            if not _meets(columns, key.key):
                continue
            self._read(other, key.columns)
            if key.on_update is not ForeignKeyAction.NO_ACTION:
                self._read(table, key.key)
            if key.on_update is ForeignKeyAction.CASCADE:
                self._update(other, key)

    def _update(self, table: Table, key: ForeignKey) -> None:
        self.updates |= {(physical_name(table), column) for column in physical_columns(table, key.columns)}
        # The owner is written with the key, to what it was, and is a part of every other key, too.
        is_owned = table.type is TableType.USER
        columns = [column.name for column in table.columns] if is_owned else key.columns
        self.write(table, columns)
        self.change(table, columns)

    def _read(self, table: Table, columns: Iterable[str]) -> None:
        self.tables.add(table.id)
        self.reads |= {(physical_name(table), column) for column in physical_columns(table, columns)}


def _meets(some: Iterable[str], others: Iterable[str]) -> bool:
    return not set(some).isdisjoint(others)


def _sentence(keys: Mapping[tuple[TableId, str], tuple[Table, ForeignKey]]) -> str:
    """What is told where one of these, or one that may not be told of, does not hold."""
    match [*keys.values()]:
        case []:
            return "A row that others refer to must stay as it is."
        case [(table, key)]:
            return f'The foreign key "{key.name}" of {table.title} does not hold.'
        case several:
            names = ", ".join(f'"{key.name}" of {table.title}' for table, key in several)
            return f"A foreign key does not hold: {names}."
