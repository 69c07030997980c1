"""The id that a client is told finds the line in the log, and the line says who it was and from where."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from support.presenting import basic, by_message, sign_in
from support.raw_socket import RawSocket, frame, get, raw_socket, upgrade
from support.server import running_server, token, until
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ELSEWHERE = "127.0.0.9"


@dataclass(frozen=True)
class Told:
    """A server for each mode, and what it logs."""

    servers: dict[str, RunningServer] = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind, without the kind."""
        return [{key: line[key] for key in line if key != "event"} for line in self.lines if line["event"] == event]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Told]:
    directory, told = tmp_path_factory.mktemp("log"), Told()
    async with (
        running_server(directory / "close", lines=told.lines) as close,
        running_server(directory / "http", lines=told.lines, handshake={"reject": "http"}) as http,
    ):
        told.servers.update(close=close, http=http)
        yield told


@pytest.fixture
def told(everything: Told) -> Told:
    everything.lines.clear()
    return everything


async def read_id(socket: RawSocket) -> str:
    """The request id of whatever refusal comes."""
    answer = await socket.read_http()
    if answer.status == 101:
        message = await socket.read_message()
        return str(message["request_id"])
    return str(answer.error["request_id"])


# What is refused, by the code that it is refused with.
REFUSALS: dict[str, Callable[[RunningServer], bytes]] = {
    "INVALID_TOKEN": lambda _: upgrade("Authorization: Bearer x.y.z"),
    "TOKEN_EXPIRED": lambda server: upgrade() + by_message(token(server, lifetime_s=-60)),
    "ORIGIN_NOT_ALLOWED": lambda _: upgrade("Origin: https://evil.example"),
    "MALFORMED_MESSAGE": lambda _: upgrade(drop="Sec-WebSocket-Key"),
    "AUTH_REQUIRED": lambda _: get("/v1/api/auth/me"),
    "MALFORMED_AUTHORIZATION": lambda _: get("/v1/api/auth/me", "Authorization: x"),
    "NOT_FOUND": lambda _: get("/nothing"),
}


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize("code", REFUSALS)
async def test_a_refusal_is_found_by_the_id_that_it_was_told_with(told: Told, mode: str, code: str) -> None:
    server = told.servers[mode]
    async with raw_socket(server.port, REFUSALS[code](server), local=ELSEWHERE) as socket:
        request_id = await read_id(socket)
    assert told.of("refused") == [{"code": code, "request_id": request_id, "address": ELSEWHERE, "user": None}]


async def test_a_life_is_told_from_its_beginning_to_its_end(told: Told) -> None:
    server = told.servers["close"]
    async with raw_socket(server.port, sign_in(token(server, jti="t-1")), local=ELSEWHERE) as socket:
        await socket.read_http()
        success = await socket.read_message()
        who = {
            "connection": success["connection_id"],
            "user": "ada",
            "user_id": success["user_id"],
            "role": "user",
            "method": "jwt",
            "address": ELSEWHERE,
        }
        assert told.of("opened") == [who | {"token": "t-1"}]
        socket.send(by_message(token(server, jti="t-2")))
        await socket.read_message()
        assert told.of("opened")[1:] == [who | {"token": "t-2"}]
        socket.send(frame("close"))
        await socket.read_end()
    await until(lambda: told.of("ended"))
    (end,) = told.of("ended")
    assert end.pop("duration_s") >= 0
    assert end == who | {"code": "by the client"}


async def test_a_refused_renewal_names_the_user(told: Told) -> None:
    server = told.servers["close"]
    async with raw_socket(server.port, sign_in(token(server))) as socket:
        await socket.read_http()
        await socket.read_message()
        socket.send(by_message("x.y.z"))
        error, _ = await socket.read_refusal()
    assert [(line["request_id"], line["user"]) for line in told.of("refused")] == [(error["request_id"], "ada")]
    await until(lambda: told.of("ended"))
    assert [line["code"] for line in told.of("ended")] == ["INVALID_TOKEN"]


async def test_an_internal_error_over_http_is_found_by_its_id(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    server = told.servers["close"]
    monkeypatch.setattr(type(server.service.authenticator), "try_now", fail)
    async with raw_socket(server.port, get("/v1/api/auth/me", basic("ada", "wrong horse 1"))) as socket:
        answer = await socket.read_http()
        assert (answer.status, answer.error["code"], "planted" in str(answer.body)) == (500, "INTERNAL_ERROR", False)
    (line,) = told.of("internal error")
    assert (line["request_id"], str(line["exc_info"])) == (answer.error["request_id"], "planted")
    told.lines.clear()
