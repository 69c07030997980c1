"""What is told of connections: one line for each refusal and each end, never a flood, never a secret."""

import logging

from structlog.typing import FilteringBoundLogger

from watchword_protocol.errors import ErrorCode
from watchword_server.connection import Connection
from watchword_server.ports import Clock

__all__ = ["Journal"]


class Journal:
    """The log of one gateway, at most `lines_per_s` lines a second; what is left out is counted in the next line.

    Ten thousand clients that vanish at once must not become ten thousand lines.
    """

    def __init__(self, log: FilteringBoundLogger, clock: Clock, lines_per_s: int = 50) -> None:
        self._log = log
        self._clock = clock
        self._lines_per_s = lines_per_s
        self._tells_all = log.is_enabled_for(logging.DEBUG)
        self._second = 0
        self._lines = 0
        self._left_out = 0

    def refused(self, code: ErrorCode, request_id: str, address: str, *, user: str | None = None) -> None:
        """A request or a credential was refused."""
        if (line := self._line()) is not None:
            line.info("refused", code=code.name, request_id=request_id, address=address, user=user)

    def opened(self, connection: Connection, address: str) -> None:
        """A connection was authenticated, or renewed."""
        user = connection.user
        if user is not None and self._tells_all:
            self._log.debug(
                "opened",
                connection=connection.id,
                user=user.name,
                user_id=user.id,
                role=user.role,
                method=user.auth_method,
                token=user.token_id,
                address=address,
            )

    def ended(self, connection: Connection, address: str) -> None:
        """An authenticated connection is gone: its story in one line."""
        if connection.user is not None and (line := self._line()) is not None:
            line.info(
                "ended",
                connection=connection.id,
                user=connection.user.name,
                user_id=connection.user.id,
                role=connection.user.role,
                method=connection.user.auth_method,
                address=address,
                code=connection.ends_with.name if connection.ends_with else "by the client",
                duration_s=round(self._clock.monotonic() - connection.opened_at, 3),
            )

    def failed(self, request_id: str, error: BaseException, *, connection: Connection | None = None) -> None:
        """Something that should not happen: the whole story; the client gets the request id only."""
        if (line := self._line()) is None:
            return
        line.error(
            "internal error",
            request_id=request_id,
            connection=connection.id if connection else None,
            user=connection.user.name if connection and connection.user else None,
            exc_info=error,
        )

    def _line(self) -> FilteringBoundLogger | None:
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= self._lines_per_s:
            self._left_out += 1
            return None
        self._lines += 1
        if not self._left_out:
            return self._log
        left_out, self._left_out = self._left_out, 0
        return self._log.bind(lines_left_out=left_out)
