"""Whether to connect again, with what, and after how long. Pure: facts and a random number in, a decision out.

The close code's range is the advice, so that this client obeys codes it does not know (docs/reference/protocol.md,
"What a client does"). The vectors in tests/conformance/backoff.json bind every client to the same decisions.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from watchword_protocol.errors import Advice, ErrorCode, advice_for_close

__all__ = ["Attempts", "CredentialKind", "Ending", "Retry", "Stop", "decide"]

FLOOR_S: Final = 0.5
CEILING_S: Final = 20.0
RESET_AFTER_S: Final = 10.0
"""Authenticated for this long, a connection was a success, and what failed before it is forgotten."""

POLICY_RETRIES: Final = 3
"""A refusal by something between us and the server may be a passing state of it; it is not asked for ever."""

_POLICY_CLOSE: Final = 1008
_NO_CLOSE: Final = frozenset({1005, 1006})
# Statuses of 4xx which say "later" (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4).
_PASSING_STATUSES: Final = frozenset({408, 425, 429})
_FLOORS_S: Final = {ErrorCode.TOO_MANY_CONNECTIONS.name: 30.0}


class CredentialKind(Enum):
    """What the client has to present, and so what it can present next."""

    TOKEN = "token"
    TOKEN_FUNCTION = "token_function"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Ending:
    """What ended a connection, or kept one from opening."""

    close_code: int = 1006
    """Of the close frame or of the error; 1006 where there is neither (RFC 6455 7.1.5)."""
    code: str | None = None
    """The error's name, known here or not."""
    advice: Advice | None = None
    """The server's own word, which counts where there is no close code."""
    http_status: int | None = None
    """Of a refused upgrade."""
    retry_after_ms: int = 0
    """The server's hint; 0 is none."""
    authenticated_s: float = 0.0
    """How long the connection was authenticated."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What the client remembers from one attempt to the next."""

    failures: int = 0
    """Since the last success; the back-off grows with it."""
    policy_refusals: int = 0
    credential_refusals: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    """Connect again."""

    after_s: float
    is_anew: bool = False
    """The credential was refused: present a fresh one (a token that was refused is never sent again)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not connect again. `why` is the end of a sentence; empty where the error says it all."""

    why: str = ""


def decide(
    ending: Ending, attempts: Attempts, credential: CredentialKind, jitter: float
) -> tuple[Retry | Stop, Attempts]:
    """What to do after an ending, and what to remember.

    Args:
        jitter: A fresh random number, 0 to 1 (1 excluded).
    """
    if ending.authenticated_s >= RESET_AFTER_S:
        attempts = Attempts()
    advice = _judge(ending)
    is_policy = advice is Advice.RECONNECT and _is_policy(ending)
    counted = replace(
        attempts,
        failures=attempts.failures + 1,
        policy_refusals=attempts.policy_refusals + is_policy,
        credential_refusals=attempts.credential_refusals + (advice is Advice.NEW_TOKEN),
    )
    if (why := _reason_to_stop(advice, counted, credential)) is not None:
        return Stop(why), counted
    return Retry(_delay_s(ending, attempts.failures, jitter), is_anew=advice is Advice.NEW_TOKEN), counted


def _judge(ending: Ending) -> Advice:
    if ending.advice is not None and ending.close_code in _NO_CLOSE:
        return ending.advice
    return advice_for_close(ending.close_code)


def _is_policy(ending: Ending) -> bool:
    """A proxy's 1008, or an upgrade refused by a status that is likely to come again (431, "too large", among them)."""
    if ending.http_status is None:
        return ending.close_code == _POLICY_CLOSE
    is_final = 300 <= ending.http_status < 500 and ending.http_status not in _PASSING_STATUSES
    return is_final and ending.close_code in (*_NO_CLOSE, ErrorCode.MESSAGE_TOO_LARGE.close)


def _reason_to_stop(advice: Advice, counted: Attempts, credential: CredentialKind) -> str | None:
    match advice, credential:
        case Advice.STOP, _:
            return ""
        case Advice.NEW_TOKEN, CredentialKind.TOKEN:
            return "a refused token is not sent again, and there is no function to ask for another"
        case Advice.NEW_TOKEN, CredentialKind.PASSWORD if counted.credential_refusals > 1:
            return "user and password were presented again and refused again"
        case _ if counted.policy_refusals > POLICY_RETRIES:
            return f"refused {counted.policy_refusals} times in a row"
        case _:
            return None


def _delay_s(ending: Ending, failures: int, jitter: float) -> float:
    """Full jitter: between the floor and a ceiling that doubles, so that clients cut off together come back apart."""
    floor_s = max(FLOOR_S, ending.retry_after_ms / 1000, _FLOORS_S.get(ending.code or "", 0.0))
    ceiling_s = min(CEILING_S, 2.0 * FLOOR_S * 2.0 ** min(failures, 16))
    return floor_s + jitter * max(0.0, ceiling_s - floor_s)
