"""What the Python client makes of a refusal: the exception of its row, whichever way and mode."""

import watchword
from examples.demo.credentials import PASSWORD
from examples.demo.servers import Server
from examples.demo.tokens import bad_tokens
from watchword_protocol.errors import ErrorCode

__all__ = ["count_exceptions"]

_WAYS: tuple[watchword.Present, ...] = ("header", "subprotocol", "first_message")


async def count_exceptions(stale: str, closing: Server, refusing: Server) -> tuple[int, list[str]]:
    """Connect with every bad token by every way to both servers; how often, and where the exception was a wrong one."""
    differences: list[str] = []
    count = 0
    for server, is_over_http in ((closing, False), (refusing, True)):
        for way in _WAYS:
            status = is_over_http and way != "first_message"
            for sent, code, token in bad_tokens(stale):
                client = watchword.connect(server.url, token=token, present=way)
                differences += await _refuse(f"{sent}, by {way}", client, code, code.http if status else None)
                count += 1
        by_password = watchword.connect(server.url, user="nobody", password=PASSWORD)
        code = ErrorCode.INVALID_CREDENTIALS
        differences += await _refuse("unknown user, by Basic", by_password, code, code.http if is_over_http else None)
        count += 1
    return count, differences


async def _refuse(sent: str, client: watchword.Client, code: ErrorCode, status: int | None) -> list[str]:
    try:
        async with client:
            return [f"{sent}: the client came in"]
    except watchword.ServerError as error:
        seen = (error.row, error.code, error.close_code, error.advice, error.http_status)
        wanted = (code, code.name, code.close, code.advice, status)
        is_right = seen == wanted and type(error) is not watchword.ServerError
        return [] if is_right else [f"{sent}: the client raised {error!r}, and should have raised {code.name}"]
