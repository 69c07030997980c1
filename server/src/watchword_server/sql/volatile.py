"""Functions that give another value with every call, and where they may not stand.

The engine computes what it likes as often as it likes, but for the columns of a result and the values of a write.
"""

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.tree import Apply, Expression, walk_expressions

__all__ = ["refuse_volatile"]


def refuse_volatile(clause: str, *expressions: Expression | None) -> None:
    """Refuse them in this clause.

    Raises:
        SqlFault: UNSUPPORTED_SQL.
    """
    for each in walk_expressions(*expressions):
        if isinstance(each, Apply) and each.template.volatile is not None:
            message = f"{each.template.volatile} in {clause} is not supported: it is for VALUES, SET and outputs."
            raise SqlFault(ErrorCode.UNSUPPORTED_SQL, message, each.at)
