"""What a client presents, and by which way."""

import asyncio
import inspect
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal, get_args

from watchword.exceptions import AuthenticationStopped, TokenUnavailable
from watchword.reconnect import CredentialKind
from watchword_protocol.limits import SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIX
from watchword_protocol.messages import Authenticate

__all__ = ["Credential", "Present", "Presented", "Token", "TokenFunction", "present_credential"]

TokenFunction = Callable[[], Awaitable[str]]
Token = str | TokenFunction
Present = Literal["header", "first_message", "subprotocol"]

_REMEMBERED_REFUSALS: Final = 256


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential made ready for one handshake. Its repr holds no secret."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    subprotocols: tuple[str, ...] = field(default=(SUBPROTOCOL,), repr=False)
    message: Authenticate | None = None
    """To be sent first, once the connection is open."""


def present_credential(credential: Authenticate, way: Present) -> Presented:
    """A credential for the header, the subprotocols or the first message (docs/reference/protocol.md, section 2)."""
    match way:
        case "first_message":
            return Presented(message=credential)
        case "subprotocol":
            return Presented(subprotocols=(SUBPROTOCOL, f"{TOKEN_SUBPROTOCOL_PREFIX}{credential.token}"))
        case "header":
            return Presented(headers={"Authorization": _header(credential)})


def _header(credential: Authenticate) -> str:
    if credential.method == "jwt":
        return f"Bearer {credential.token}"
    return f"Basic {b64encode(f'{credential.user}:{credential.password}'.encode()).decode()}"  # RFC 7617 2, UTF-8


class Credential:
    """A token, a function that fetches one, or user and password; and which tokens were refused.

    Raises:
        ValueError, TypeError: Not exactly one of them, or not presentable; the sentence says what to give.
    """

    def __init__(self, token: Token | None, user: str | None, password: str | None, way: Present) -> None:
        if way not in get_args(Present):
            raise ValueError(f"present must be one of {', '.join(get_args(Present))}, not {way!r}")
        if (token is None) == (user is None and password is None):
            raise ValueError("give either token=, or user= and password=")
        self._function: TokenFunction | None = None
        self._fixed: Authenticate | None = None
        self._offered: Authenticate | None = None
        self._accepted: Authenticate | None = None
        self._refused: deque[bytes] = deque(maxlen=_REMEMBERED_REFUSALS)
        if token is None:
            self.kind = CredentialKind.PASSWORD
            self._fixed = _read_password(user, password, way)
        elif isinstance(token, str):
            self.kind = CredentialKind.TOKEN
            self._fixed = _read_token(token)
        elif callable(token):
            self.kind = CredentialKind.TOKEN_FUNCTION
            self._function = token
        else:
            raise TypeError(f"token must be a string or an async function, not {type(token).__name__}")

    @property
    def can_renew(self) -> bool:
        """Whether there may be another token later."""
        return self._function is not None

    async def fetch(self, timeout_s: float) -> Authenticate:
        """The credential to present now; a token function is asked each time.

        Raises:
            TokenUnavailable: The function raised, or took longer than `timeout_s`.
            AuthenticationStopped: The function said so, or returned something that is not a token.
        """
        if self._function is None:
            assert self._fixed is not None  # noqa: S101  # one of the two is set above
            return self._fixed
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                pending = self._function()
                if not inspect.isawaitable(pending):
                    raise AuthenticationStopped("The token function must be async (`async def`).")
                token = await pending
        except AuthenticationStopped:
            raise
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise TokenUnavailable("The token function was cancelled, and not by this client.") from error
        except Exception as error:
            if deadline.expired():
                raise TokenUnavailable(f"The token function gave no token within {timeout_s:g} s.") from error
            # Anything may come out of a foreign function; it is kept as the cause, and asked again after a wait.
            raise TokenUnavailable(f"The token function failed: {type(error).__name__}: {error}") from error
        if _is_cancelled():  # and the function went on nevertheless
            raise asyncio.CancelledError
        try:
            return _read_token(token)
        except (TypeError, ValueError) as error:
            raise AuthenticationStopped(f"The token function gave something that cannot be sent: {error}.") from None

    def offer(self, credential: Authenticate) -> None:
        """It is about to be presented; the server's next word is about it."""
        self._offered = credential

    def accept(self) -> None:
        """The server took what was offered."""
        self._accepted = self._offered

    def refuse(self, *, is_offered: bool) -> None:
        """Never send this token again: the one just offered, or the one that was valid until now.

        User and password may be sent again: the account behind them can change back.
        """
        credential = self._offered if is_offered else self._accepted
        if credential is not None and credential.token is not None:
            self._refused.append(_digest(credential.token))

    def is_refused(self, credential: Authenticate) -> bool:
        """Whether the server refused this very token before."""
        return credential.token is not None and _digest(credential.token) in self._refused

    def is_new(self, credential: Authenticate) -> bool:
        """Whether presenting it could change anything."""
        return credential != self._accepted and not self.is_refused(credential)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()  # refused tokens need not stay in memory


def _read_password(user: str | None, password: str | None, way: Present) -> Authenticate:
    if not user or not password:
        raise ValueError("give user= and password= together, neither empty")
    for name, value in (("user", user), ("password", password)):
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string, not {type(value).__name__}")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} must be text that has a UTF-8 form, without lone surrogates")
    if ":" in user:
        raise ValueError("user must not contain a colon (RFC 7617 2)")
    if way == "subprotocol":
        raise ValueError('only a token can be presented as a subprotocol; use present="header" or "first_message"')
    return Authenticate("basic", user=user, password=password)


def _read_token(token: str) -> Authenticate:
    if not isinstance(token, str):
        raise TypeError(f"a token is a string, not {type(token).__name__}")
    token = token.strip()  # read from a file, it ends with a line feed
    # Anything else could end the header line and begin another.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("a token is not empty and consists of visible ASCII characters")
    return Authenticate("jwt", token=token)
