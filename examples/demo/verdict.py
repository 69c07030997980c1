"""What was seen, held against the error table. Pure."""

import json
from typing import Any, NamedTuple

from examples.demo.wire import Seen
from watchword_protocol.errors import ErrorCode, advice_for_close

__all__ = ["Expected", "Told", "find_differences", "read_told"]


class Expected(NamedTuple):
    """What the error table promises.

    `status`: of the HTTP answer, where the refusal is one; None: it is told by a close frame. `says`: the type of the
    message right before that frame, empty where it comes alone.
    """

    code: ErrorCode
    status: int | None = None
    says: str = "auth_error"


class Told(NamedTuple):
    """What the server told, whichever way. `says`: the type of the message that told it; empty: none did."""

    code: str
    message: str = ""
    status: int | None = None
    close: int | None = None
    reason: str = ""
    advice: str = ""
    says: str = ""
    is_challenged: bool = False


def read_told(seen: Seen) -> Told:
    """The refusal in what was seen. Total: what is no refusal has a code that is in no table."""
    if seen.status != 101:
        error = _read_error(seen.body)
        code, message = str(error.get("code", "no error")), str(error.get("message", ""))
        return Told(code, message, seen.status, error.get("close_code"), is_challenged=bool(seen.challenges))
    advice = "" if seen.close is None else advice_for_close(seen.close).value
    last = seen.messages[-1] if seen.messages else {}
    says = str(last.get("type", ""))
    if says not in ("auth_error", "error"):
        return Told(
            seen.reason or ("came in" if says == "auth_success" else "no error"),
            "",
            None,
            seen.close,
            seen.reason,
            advice,
        )
    told_advice = str(last.get("advice", advice))
    return Told(str(last.get("code")), str(last.get("message")), None, seen.close, seen.reason, told_advice, says)


def _read_error(body: bytes) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def find_differences(expected: Expected, told: Told) -> list[str]:
    """Where the server's answer and the table disagree, one sentence each; empty: nowhere."""
    row = expected.code
    pairs: list[tuple[str, object, object]] = [("error code", told.code, row.name)]
    pairs.append(("HTTP status", told.status or "none", expected.status or "none"))
    pairs.append(("close code", told.close or "none", row.close or "none"))
    if expected.status is None:
        pairs.append(("close reason", told.reason, row.name))
        pairs.append(("advice", told.advice, row.advice.value if row.advice else ""))
        pairs.append(("message before the close frame", told.says or "none", expected.says or "none"))
        if expected.says == "auth_error" and row is not ErrorCode.MALFORMED_MESSAGE:  # whose text names the member
            pairs.append(("sentence", told.message, row.message))
    elif expected.status == 401:  # RFC 9110 15.5.2
        pairs.append(("WWW-Authenticate", "present" if told.is_challenged else "missing", "present"))
    return [f"the {what} is {seen}, and should be {wanted}" for what, seen, wanted in pairs if seen != wanted]
