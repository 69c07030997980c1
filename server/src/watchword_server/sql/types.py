"""The types of SQL values: PostgreSQL's, with SQLite's storage.

No numeric: a literal with a point is DOUBLE. UNKNOWN is PostgreSQL's type of a quoted literal and of a parameter until
their place gives them one.
"""

from enum import Enum, unique
from typing import Final, NamedTuple

__all__ = ["INTEGERS", "NUMBERS", "OF_ANY_SIZE", "SqlType", "TypeRow"]


class TypeRow(NamedTuple):
    """One type: its word on the wire (`data_type`), PostgreSQL's name, SQLite's storage class, the CHECK on a column.

    `check` holds `{}` where the column's quoted name goes; None: the storage class of a STRICT table says it all.
    """

    wire: str
    name: str
    storage: str
    check: str | None


_INT2 = 2**15
_INT4 = 2**31


@unique
class SqlType(Enum):
    """Every type of a column, and UNKNOWN."""

    BOOLEAN = TypeRow("Boolean", "boolean", "INTEGER", "{} IN (0, 1)")
    SMALLINT = TypeRow("SmallInt", "smallint", "INTEGER", f"{{}} BETWEEN {-_INT2} AND {_INT2 - 1}")
    INT = TypeRow("Int", "integer", "INTEGER", f"{{}} BETWEEN {-_INT4} AND {_INT4 - 1}")
    BIGINT = TypeRow("BigInt", "bigint", "INTEGER", None)
    DOUBLE = TypeRow("Double", "double precision", "REAL", "abs({}) <= 1.7976931348623157e308")
    TEXT = TypeRow("Text", "text", "TEXT", "instr({}, char(0)) = 0")
    # Not json_valid: before 3.41 SQLite refuses it in a schema that is not trusted. What gets here was read as JSON.
    JSON = TypeRow("Json", "json", "TEXT", "instr({}, char(0)) = 0")
    TIMESTAMP = TypeRow("Timestamp", "timestamp with time zone", "INTEGER", None)
    DATE = TypeRow("Date", "date", "INTEGER", None)
    UUID = TypeRow("Uuid", "uuid", "TEXT", "length({}) = 36")
    BYTES = TypeRow("Bytes", "bytea", "BLOB", None)
    UNKNOWN = TypeRow("Text", "unknown", "TEXT", None)

    @property
    def wire(self) -> str:
        """The word in a result's `data_type`."""
        return self.value.wire

    @property
    def title(self) -> str:
        """PostgreSQL's name, as it stands in error messages."""
        return self.value.name

    @property
    def storage(self) -> str:
        """The type of a column in a STRICT table of SQLite."""
        return self.value.storage

    @property
    def check(self) -> str | None:
        """The CHECK that holds a column to the type's range; None where its storage class does."""
        return self.value.check


INTEGERS: Final = (SqlType.SMALLINT, SqlType.INT, SqlType.BIGINT)
NUMBERS: Final = (*INTEGERS, SqlType.DOUBLE)
"""In the order of PostgreSQL's implicit casts: each goes into every later one."""
OF_ANY_SIZE: Final = frozenset({SqlType.TEXT, SqlType.JSON, SqlType.BYTES, SqlType.UNKNOWN})
"""What a value can be large of."""
