"""An error of the table on its way from where it was found to the edge that tells it."""

from watchword_protocol.errors import ErrorCode

__all__ = ["Refused"]


class Refused(Exception):  # noqa: N818  # a verdict, named as it reads: raise Refused(...)
    """Something is refused by a row of the error table.

    Args:
        code: The row.
        message: A sentence in place of the row's own. It must not tell more than the caller may know.
        retry_after_ms: When it makes sense to try again; 0 if nothing is known.
        request_id: Under which the log already has it; None: whoever tells it gives it one.

    `statement`: the index of the statement in its request, where it is one statement's. `line`, `column`: of the place
    in its text, both from 1, where one is meant.
    """

    statement: int | None = None
    line: int | None = None
    column: int | None = None

    def __init__(
        self, code: ErrorCode, message: str | None = None, *, retry_after_ms: int = 0, request_id: str | None = None
    ) -> None:
        super().__init__(code, message, retry_after_ms)
        self.code = code
        self.message = message or code.message
        self.retry_after_ms = retry_after_ms
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"
