"""An error of the table on its way from where it was found to the edge that tells it."""

from traceback import clear_frames

from watchword_protocol.errors import ErrorCode

__all__ = ["Refused", "let_go"]


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


def let_go(error: BaseException) -> None:
    """Let go of what an error came through, to where it is caught; there, since what it came through is over.

    The frames of its traceback hold the request with its values, and some of them the error itself: a cycle, which
    would keep megabytes until the collector comes by.
    """
    chain: list[BaseException | None] = [error]
    while chain:
        each = chain.pop()
        if each is not None and each.__traceback__ is not None:
            clear_frames(each.__traceback__)
            chain += [each.__cause__, each.__context__]
            each.__traceback__ = each.__cause__ = each.__context__ = None
