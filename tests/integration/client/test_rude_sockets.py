"""What answers on the port is no WebSocket, or speaks it wrongly, or stops: one clear reason, and nothing left."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from websockets.utils import accept_key

import watchword
from support.scripted_server import auth_success
from watchword import State
from watchword_protocol.messages import Authenticate

HUGE = 10**400  # as an integer; as a float it is none


@pytest.fixture(autouse=True)
async def _no_fault_goes_unseen() -> Any:
    """A task that nobody looked after would fail silently otherwise."""
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    yield
    assert faults == []


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


def serve_raw(answer: Answer) -> AbstractAsyncContextManager[str]:
    """A TCP server that answers each connection so, after the client's header block; its url."""

    @asynccontextmanager
    async def serve() -> Any:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            await answer(reader, writer)

        writers: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for writer in writers:
                writer.transport.abort()

    return serve()


def answer_with(make: Callable[[bytes], bytes], *, and_leave: bool = False) -> Answer:
    """These bytes, made from the key that the right answer to the client's would hold."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line[19:] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        writer.write(make(accept_key(key).encode()))
        if and_leave:
            writer.close()

    return answer


def frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + payload


WELCOME = frame(1, json.dumps(auth_success()).encode())
WELCOME_ANY_SIZE = frame(1, json.dumps(auth_success(limits={"max_message_bytes": 10**9, "heartbeat_s": 25})).encode())


async def close_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None: ...


async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX-")
    while not writer.transport.is_closing():
        writer.write(b"a")
        await asyncio.sleep(0.01)


NO_HANDSHAKES: dict[str, Answer] = {
    "closes at once": close_at_once,
    "resets at once": reset_at_once,
    "accepts and never answers": say_nothing,
    "dribbles for ever": dribble,
    "closes within the header": answer_with(lambda _: HEAD[:50], and_leave=True),
    "closes behind the 101": answer_with(lambda key: HEAD + key + b"\r\n\r\n", and_leave=True),
    "is silent behind the 101": answer_with(lambda key: HEAD + key + b"\r\n\r\n"),
    "has the wrong key": answer_with(lambda _: HEAD + accept_key("a" * 24).encode() + b"\r\n\r\n" + WELCOME),
    "has no key": answer_with(lambda _: b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    "upgrades to something else": answer_with(
        lambda key: HEAD.replace(b"websocket", b"h2c") + key + b"\r\n\r\n" + WELCOME
    ),
    "selects what was not offered": answer_with(
        lambda key: HEAD + key + b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n" + WELCOME
    ),
    "compresses unasked": answer_with(
        lambda key: HEAD + key + b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n" + WELCOME
    ),
    "speaks another protocol": answer_with(lambda _: b"SSH-2.0-OpenSSH_9.2\r\n"),
    "speaks no protocol": answer_with(lambda _: bytes(range(256)) * 8 + b"\r\n\r\n", and_leave=True),
    "has endless headers": answer_with(lambda _: HEAD + b"X: y\r\n" * 5_000),
    "has a line without an end": answer_with(lambda _: HEAD + b"y" * 100_000),
    "promises a body that does not come": answer_with(
        lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\n{"
    ),
    "promises a body of no length": answer_with(lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: x\r\n\r\n"),
    "promises a body that is endless": answer_with(
        lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % HUGE
    ),
    "masks its frames": answer_with(lambda key: HEAD + key + b"\r\n\r\n" + b"\x81\x82abcdXY"),
    "closes with a frame of one byte": answer_with(lambda key: HEAD + key + b"\r\n\r\n" + frame(8, b"\x03")),
    "announces a frame of 2^63 bytes": answer_with(
        lambda key: HEAD + key + b"\r\n\r\n" + b"\x81\x7f\x7f" + b"\xff" * 7
    ),
}


@pytest.mark.parametrize("answer", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES)
async def test_what_is_no_handshake_is_a_failed_connection(answer: Answer) -> None:
    async with serve_raw(answer) as url:
        with pytest.raises(watchword.ConnectFailed) as caught:
            await watchword.connect(url, token="a.b.c", open_timeout_s=0.1, close_timeout_s=0.05)
    assert str(caught.value).endswith(".")
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("watchword")] == []


NO_FRAMES = {
    "a reserved bit": b"\xc1\x00",
    "a reserved opcode": frame(3, b""),
    "a continuation of nothing": frame(0, b"a"),
    "a mask": b"\x81\x82abcdXY",
    "text that is none": frame(1, b"\xff\xfe"),
    "a long ping": frame(9, b"p" * 126),
    "a close frame of one byte": frame(8, b"\x03"),
    "a close code that is none": frame(8, b"\x00\x01"),
    "a close reason that is no text": frame(8, b"\x0f\xa4\xff"),
}


@pytest.mark.parametrize("garbage", NO_FRAMES.values(), ids=NO_FRAMES)
async def test_what_is_no_frame_ends_an_open_connection_as_a_broken_link(garbage: bytes) -> None:
    async with (
        serve_raw(answer_with(lambda key: HEAD + key + b"\r\n\r\n" + WELCOME + garbage)) as url,
        watchword.connect(url, token="a.b.c", reconnect=False, close_timeout_s=0.05) as db,
    ):
        status = await db.wait_for(State.CLOSED, timeout_s=2)
        assert isinstance(status.reason, watchword.ConnectionLost)
        assert status.advice is watchword.Advice.RECONNECT


async def test_pings_and_pongs_of_the_servers_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    noise = frame(9, b"are you there") * 500 + frame(10, b"what you did not ask") * 500
    async with (
        serve_raw(answer_with(lambda key: HEAD + key + b"\r\n\r\n" + WELCOME + noise)) as url,
        watchword.connect(url, token="a.b.c", close_timeout_s=0.05) as db,
    ):
        with pytest.raises(TimeoutError):
            await db.ping(timeout_s=0.02)
        assert db.state is State.OPEN
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_server_that_takes_nothing_more_is_given_up() -> None:
    """The library's heartbeat waits behind what is unsent; without a guard of ours nobody would ever notice."""

    async def stop_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_with(lambda key: HEAD + key + b"\r\n\r\n" + WELCOME_ANY_SIZE)(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a WriteTransport that is a socket's

    async with (
        serve_raw(stop_reading) as url,
        watchword.connect(url, token="a.b.c", reconnect=False, heartbeat_s=0.05, close_timeout_s=0.05) as db,
    ):
        with pytest.raises(watchword.ConnectionLost):
            await db._link.connection.authenticate(Authenticate("jwt", token="x" * 20_000_000), 2)
        assert (await db.wait_for(State.CLOSED, timeout_s=2)).advice is watchword.Advice.RECONNECT


async def test_a_server_that_reads_slowly_is_not_given_up() -> None:
    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_with(lambda key: HEAD + key + b"\r\n\r\n" + WELCOME_ANY_SIZE)(reader, writer)
        while await reader.read(400_000):  # noqa: ASYNC110  # it is slow on purpose
            await asyncio.sleep(0.01)

    async with (
        serve_raw(read_slowly) as url,
        watchword.connect(url, token="a.b.c", reconnect=False, heartbeat_s=0.25, close_timeout_s=0.05) as db,
    ):
        began = asyncio.get_running_loop().time()
        await db._link.connection._send(Authenticate("jwt", token="x" * 24_000_000))
        assert asyncio.get_running_loop().time() - began > 0.3
        assert db.state is State.OPEN
