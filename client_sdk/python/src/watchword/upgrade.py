"""Opening a WebSocket. The border to the `websockets` library's opening handshake: its exceptions become ours here."""

import logging
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from watchword.address import is_loopback
from watchword.argument import check_bytes, check_seconds
from watchword.credentials import Presented
from watchword.ending import explain_status
from watchword.exceptions import ConnectFailed
from watchword.guarded_socket import GuardedSocket
from watchword_protocol import __version__

__all__ = ["SocketOptions", "upgrade"]

# The library logs headers and frames at level DEBUG, and with them the credential: never below INFO.
_log = logging.getLogger("watchword.socket")
_log.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """How sockets are opened and closed."""

    open_timeout_s: float
    close_timeout_s: float
    heartbeat_s: float
    max_message_bytes: int
    ssl: SSLContext | None = None

    def __post_init__(self) -> None:
        check_seconds("open_timeout_s", self.open_timeout_s)
        check_seconds("close_timeout_s", self.close_timeout_s, may_be_zero=True)
        check_seconds("heartbeat_s", self.heartbeat_s)
        check_bytes("max_message_bytes", self.max_message_bytes)
        if self.ssl is not None and not isinstance(self.ssl, SSLContext):
            raise TypeError(f"ssl must be an ssl.SSLContext, not {self.ssl!r}")


class _Dial(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Never follow: the credential is for this server, and would go along in a subprotocol or message."""
        return exc


async def upgrade(url: str, presented: Presented, options: SocketOptions) -> ClientConnection:
    """A WebSocket that is open, and nothing received on it yet.

    Raises:
        ServerError: The server refused the upgrade with an error of its table.
        ConnectFailed: Anything else that prevents it. The caller bounds the time.
    """
    tls: dict[str, Any] = {"ssl": options.ssl} if options.ssl is not None else {}
    try:
        return await _Dial(
            url,
            subprotocols=[Subprotocol(name) for name in presented.subprotocols],
            additional_headers=presented.headers,
            create_connection=GuardedSocket,
            user_agent_header=f"watchword-python/{__version__}",
            compression=None,  # the server offers none
            proxy=None if is_loopback(url) else True,
            open_timeout=None,
            close_timeout=options.close_timeout_s,
            ping_interval=options.heartbeat_s,
            ping_timeout=options.heartbeat_s,
            max_size=options.max_message_bytes,
            logger=_log,
            **tls,
        )
    except InvalidStatus as error:
        response = error.response
        raise explain_status(
            response.status_code, bytes(response.body or b""), response.headers.get("Retry-After")
        ) from None
    except (OSError, WebSocketException, UnicodeError, EOFError, ImportError) as error:
        # UnicodeError: a host name that is none (its IDNA encoding fails). ImportError: the environment names a SOCKS
        # proxy, for which the library wants a package more.
        raise ConnectFailed(f"Cannot connect to {url}: {error or type(error).__name__}.") from error
