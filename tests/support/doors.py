"""Every way to the server and every way it says no, in one form."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from support.presenting import WAYS
from support.raw_socket import HttpAnswer, raw_socket
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

__all__ = ["DOORS", "Answer", "Door", "assert_refused", "knock", "read_answer"]


class Door(NamedTuple):
    """A mode of `handshake.reject`, and a way to present a token."""

    mode: str
    way: str

    def __str__(self) -> str:
        return f"{self.way}, {self.mode} mode"

    @property
    def tells_by_status(self) -> bool:
        """Whether a refusal of the credential is an HTTP status here."""
        return self.mode == "http" and self.way != "first message"


DOORS: Final = tuple(Door(mode, way) for mode in ("close", "http") for way in WAYS)


class Answer(NamedTuple):
    """What came back: `message` is `auth_success` or `auth_error`; by HTTP, its body's `error`."""

    http: HttpAnswer
    message: dict[str, Any]
    close: int | None

    @property
    def code(self) -> str | None:
        """The error's; None: it was let in."""
        return self.message.get("code")


async def knock(server: RunningServer, sent: bytes) -> Answer:
    """Present something, and read the answer to its end."""
    async with raw_socket(server.port, sent) as socket:
        http = await socket.read_http()
        if http.status != 101:
            assert await socket.read_end() == b""
            return Answer(http, dict(http.error), None)
        message = await socket.read_message()
        if message["type"] == "auth_success":
            return Answer(http, message, None)
        close, reason = await socket.read_close()
        assert reason == message["code"]
        return Answer(http, message, close)


async def read_answer(servers: Mapping[str, RunningServer], door: Door, token: bytes, *fields: str) -> Answer:
    """Present a token at this door; `fields`: further header lines."""
    sent = WAYS[door.way](token.decode())
    for line in fields:
        sent = sent.replace(b"\r\n\r\n", b"\r\n" + line.encode() + b"\r\n\r\n", 1)
    return await knock(servers[door.mode], sent)


def assert_refused(answer: Answer, door: Door, code: ErrorCode) -> None:
    """By this row: its code, and its close code or its status, as the door wants it."""
    assert answer.code == code.name, answer.message
    if not door.tells_by_status:
        assert answer.http.status == 101
        assert answer.close == code.close
        assert code.advice is not None
        assert answer.message["advice"] == code.advice.value
        assert answer.message["message"] == code.message
        return
    assert answer.http.status == code.http
    assert answer.message["close_code"] == code.close
    assert answer.http.headers["content-type"] == ["application/json"]
    assert answer.http.headers["cache-control"] == ["no-store"]
    assert json.loads(answer.http.body)["error"]["message"] == code.message
