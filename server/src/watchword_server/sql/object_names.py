"""The names of tables, columns, indexes and constraints: which are possible, and which are chosen.

Source: PostgreSQL's `makeObjectName` and `ChooseRelationName` (indexcmds.c) for those that nobody wrote.
"""

from collections.abc import Collection, Iterable
from itertools import count

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.catalog import Catalog, Table
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lex import MAX_NAME_BYTES

__all__ = ["check_case", "check_name", "check_new_relation", "chosen_name", "relation_names"]


def check_name(what: str, name: str, at: int) -> None:
    """A dot would make two names one in the store; what begins with an underscore is the server's own.

    Raises:
        SqlFault: INVALID_SQL.
    """
    if "." in name or name.startswith("_"):
        message = f'The name of a {what} has no dot and does not begin with an underscore: "{name}" is not possible.'
        raise SqlFault(ErrorCode.INVALID_SQL, message, at)


def check_case(name: str, others: Iterable[str], at: int) -> None:
    """For the engine, names that differ in the case of ASCII letters are one.

    Raises:
        SqlFault: UNSUPPORTED_SQL.
    """
    folded = name.encode().lower()
    for other in others:
        if other.encode().lower() == folded:
            message = f'The name "{name}" differs from "{other}" in the case of letters only, which is not supported.'
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, at)


def relation_names(catalog: Catalog, namespace: str) -> dict[str, str]:
    """The names in a namespace that no two tables or indexes share, and what each is."""
    found: dict[str, str] = {}
    for table in catalog.tables.values():
        if table.namespace == namespace:
            found[table.name] = "table"
            found |= dict.fromkeys((each.name for each in table.indexes), "index")
    return found


def check_new_relation(what: str, name: str, namespace: str, catalog: Catalog, at: int) -> None:
    """Whether a table or an index may have this name.

    Raises:
        SqlFault: INVALID_SQL, ALREADY_EXISTS, UNSUPPORTED_SQL.
    """
    check_name(what, name, at)
    taken = relation_names(catalog, namespace)
    if name in taken:
        message = f'The {taken[name]} "{namespace}.{name}" exists.'
        raise SqlFault(ErrorCode.ALREADY_EXISTS, message, at)
    check_case(name, taken, at)
    # Namespaces that differ in case only meet here: one name of the engine has both.
    titles = (f"{table.namespace}.{each}" for table in catalog.tables.values() for each in _own_names(table))
    check_case(f"{namespace}.{name}", titles, at)


def _own_names(table: Table) -> list[str]:
    return [table.name, *(each.name for each in table.indexes)]


def chosen_name(table: str, columns: Iterable[str], label: str, taken: Collection[str]) -> str:
    """`table_columns_label`, with a number behind it where that is taken; of at most `MAX_NAME_BYTES`."""
    addition = "_".join(columns)
    folded = {each.encode().lower() for each in taken}
    for number in count():
        name = _joined(table, addition, label + (str(number) if number else ""))
        if name.encode().lower() not in folded:
            return name
    raise AssertionError("numbers have an end")


def _joined(first: str, second: str, label: str) -> str:
    """The longer of the two parts is cut until all fit."""
    one, two = first.encode(), second.encode()
    room = MAX_NAME_BYTES - len(label.encode()) - (2 if two else 1)
    while len(one) + len(two) > room:
        if len(one) > len(two):
            one = one[:-1]
        else:
            two = two[:-1]
    parts = [one.decode(errors="ignore"), *([two.decode(errors="ignore")] if two else []), label]
    return "_".join(parts)
