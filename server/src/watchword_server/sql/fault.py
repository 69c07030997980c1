"""What is wrong with a statement, and where."""

from watchword_protocol.errors import ErrorCode

__all__ = ["SqlFault"]


class SqlFault(Exception):  # noqa: N818  # a verdict, as Refused is
    """A statement is refused by a row of the error table.

    Args:
        code: INVALID_SQL, UNSUPPORTED_SQL, NOT_FOUND, TYPE_MISMATCH, LIMIT_EXCEEDED, ...
        message: A sentence; nothing of physical names, other users or paths.
        at: Offset in characters from the start of the text; None where no place is meant.

    `statement`: the index of the statement in its request, where it is known.
    """

    statement: int | None = None

    def __init__(self, code: ErrorCode, message: str, at: int | None = None) -> None:
        super().__init__(code, message, at)
        self.code = code
        self.message = message
        self.at = at

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"

    def place(self, text: str) -> tuple[int, int] | None:
        """Line and column, both from 1, of the fault in the text; None where no place is meant."""
        if self.at is None:
            return None
        before = text[: self.at]
        return before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
