"""Connections without a socket: one in any state, and effects in words."""

from typing import Any, Final

from msgspec.structs import replace

from watchword_protocol.messages import Authenticate, AuthError, ErrorMessage
from watchword_server.connection import (
    Abort,
    CheckCredential,
    Close,
    Connection,
    ConnectionRules,
    Effect,
    Handle,
    Moment,
    Send,
    SendPing,
    State,
)
from watchword_server.identifiers import Identifiers
from watchword_server.user import AuthenticatedUser, Role

__all__ = ["CREDENTIAL", "START", "after", "make_connection", "make_user", "words"]

START: Final = Moment(1_000.0, 1_800_000_000.0)
CREDENTIAL: Final = Authenticate("jwt", token="a.b.c")


def after(seconds: float, moment: Moment = START) -> Moment:
    """So much later, on both clocks."""
    return Moment(moment.monotonic + seconds, moment.wall + seconds)


def make_user(name: str = "ada", *, lifetime_s: float | None = 600.0, **members: Any) -> AuthenticatedUser:
    """A user context from `START`, by token, or (lifetime None) by password."""
    user = AuthenticatedUser(
        id=f"u_{name}",
        name=name,
        role=Role.USER,
        email=None,
        auth_method="basic" if lifetime_s is None else "jwt",
        issuer=None if lifetime_s is None else "watchword",
        token_id=None if lifetime_s is None else "t-17",
        session_id=None,
        claims={},
        expires_at=None if lifetime_s is None else START.wall + lifetime_s,
    )
    return replace(user, **members)


def make_connection(
    state: State = State.FRESH, *, user: AuthenticatedUser | None = None, is_v1: bool = False, **rules: Any
) -> Connection:
    """A connection in this state, a moment after `START`; `user`: who came in, where somebody did."""
    connection = Connection(
        ConnectionRules(Identifiers("x"), **rules),
        has_credential=state is not State.FRESH,
        is_v1=is_v1,
        now=START,
    )
    if state in (State.OPEN, State.RENEWING):
        connection.admitted(user or make_user(), START)
    if state is State.RENEWING:
        connection.receive(CREDENTIAL, connection.charge(START.monotonic), START)
    if state in (State.CLOSING, State.CLOSED):
        connection.failed(START)
    if state is State.CLOSED:
        connection.peer_closed(START)
    assert connection.state is state
    return connection


def words(effects: list[Effect]) -> list[str]:
    """Each effect in a word or two."""
    return [_word(effect) for effect in effects]


def _word(effect: Effect) -> str:
    match effect:
        case Send(AuthError() as error):
            return f"auth_error {error.code}"
        case Send(ErrorMessage() as error):
            return f"error {error.code}"
        case Send(message):
            return str(message.__struct_config__.tag)
        case Handle(message):
            return f"handle {message.__struct_config__.tag}"
        case Close(code):
            return f"close {code.name}"
        case CheckCredential():
            return "check"
        case SendPing():
            return "ping frame"
        case Abort():
            return "abort"
