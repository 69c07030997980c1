"""Coming in: every way to present a credential, and what the server's answer becomes."""

import asyncio
import base64
import json
import ssl
import sys
from typing import Any

import pytest

import watchword
from support.scripted_server import (
    HttpRefusal,
    Life,
    Peer,
    auth_error,
    auth_success,
    play,
    refuse,
    refuse_by_http,
    welcome,
)
from watchword import ErrorCode, State
from watchword_protocol.errors import Ends

DOOR = [code for code in ErrorCode if code.close is not None and code.ends is not Ends.NEVER]


async def test_a_token_goes_into_the_header_and_the_context_comes_back() -> None:
    async with play(welcome()) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert server.authorizations == ["Bearer a.b.c"]
        assert server.requests[0].path == "/v1/ws"
        assert server.requests[0].headers["Sec-WebSocket-Protocol"] == "watchword.v1"
        assert (db.user.name, db.user.id, db.user.role, db.user.connection_id) == ("ada", "u_ada", "user", "c_1")
        assert db.user.lifetime_s == 900
        assert db.user.limits == watchword.Limits(max_message_bytes=4096, heartbeat_s=25)
        assert repr(db) == f"<watchword.Client open {server.url} as ada>"
        assert await db.ping() > 0
    assert db.state is State.CLOSED
    assert (db.status.reason, db.status.advice) == (None, None)


async def test_a_bare_host_reaches_the_same_place() -> None:
    async with play(welcome()) as server, watchword.connect(f"ws://127.0.0.1:{server.port}", token="a.b.c") as db:
        assert server.requests[0].path == "/v1/ws"
        assert db.url == server.url


async def test_user_and_password_go_into_the_header() -> None:
    async with (
        play(welcome(lifetime_s=None)) as server,
        watchword.connect(server.url, user="ada", password="pässword") as db,
    ):
        scheme, _, value = (server.authorizations[0] or "").partition(" ")
        assert (scheme, base64.b64decode(value).decode()) == ("Basic", "ada:pässword")
        assert db.user.expires_at is None


async def test_a_token_may_be_offered_as_a_subprotocol() -> None:
    async with play(welcome()) as server, watchword.connect(server.url, token="a.b.c", present="subprotocol"):
        assert server.requests[0].headers["Sec-WebSocket-Protocol"] == "watchword.v1, watchword.jwt.a.b.c"
        assert server.authorizations == [None]


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        ({"token": "a.b.c"}, {"type": "authenticate", "method": "jwt", "token": "a.b.c"}),
        (
            {"user": "ada", "password": "pw"},
            {"type": "authenticate", "method": "basic", "user": "ada", "password": "pw"},
        ),
    ],
)
async def test_a_credential_may_be_the_first_message(credential: dict[str, str], expected: dict[str, str]) -> None:
    async def live(peer: Peer) -> None:
        await peer.hear()
        await peer.say(auth_success())
        await peer.wait_gone()

    async with (
        play(live) as server,
        watchword.connect(server.url, present="first_message", **credential),  # type: ignore[arg-type]  # a table of them
    ):
        assert server.peers[0].heard == [expected]
        assert server.authorizations == [None]


async def test_a_client_may_be_opened_by_await_and_closed_twice() -> None:
    async with play(welcome()) as server:
        db = await watchword.connect(server.url, token="a.b.c")
        await asyncio.gather(db.close(), db.close())
        await db.close()
        assert db.state is State.CLOSED
        with pytest.raises(watchword.Closed, match="closed"):
            await db.ping()


async def test_a_client_connects_once() -> None:
    async with play(welcome()) as server:
        db = watchword.connect(server.url, token="a.b.c")
        with pytest.raises(watchword.Closed, match="not open yet"):
            await db.ping()
        with pytest.raises(watchword.Closed, match="never open"):
            db.user  # noqa: B018  # looking is what raises
        async with db:
            with pytest.raises(RuntimeError, match="make another"):
                await db
            assert await db.ping() > 0


# Refusals


@pytest.mark.parametrize("code", DOOR, ids=lambda code: code.name)
@pytest.mark.parametrize("mode", ["close", "http", "first_message"])
async def test_a_refusal_is_the_same_exception_in_every_mode(code: ErrorCode, mode: str) -> None:
    lives: dict[str, Life] = {
        "close": refuse(code.name),
        "http": refuse_by_http(code),
        "first_message": refuse(code.name, hear_first=True),
    }
    async with play(lives[mode]) as server:
        with pytest.raises(watchword.ServerError) as caught:
            async with watchword.connect(
                server.url, token="a.b.c", present="first_message" if mode == "first_message" else "header"
            ):
                pass
    error = caught.value
    assert type(error).row is code
    assert (error.close_code, error.advice, error.request_id) == (code.close, code.advice, "r_7")
    assert error.http_status == (code.http if mode == "http" else None)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("close_code", "advice"),
    [(4077, watchword.Advice.RECONNECT), (4177, watchword.Advice.NEW_TOKEN), (4277, watchword.Advice.STOP)],
)
async def test_a_code_from_the_future_is_readable_and_judged_by_its_range(
    close_code: int, advice: watchword.Advice
) -> None:
    async with play(refuse("MOON_PHASE", close_code, retry_after_ms=1500)) as server:
        with pytest.raises(watchword.ServerError, match=r"MOON_PHASE: A reason from the future\.") as caught:
            await watchword.connect(server.url, token="a.b.c")
    assert (caught.value.code, caught.value.advice, caught.value.retry_after_ms) == ("MOON_PHASE", advice, 1500)


async def test_a_refusal_without_a_close_frame_is_not_waited_on_for_ever() -> None:
    left = asyncio.Event()

    async def live(peer: Peer) -> None:
        await peer.say(auth_error("INVALID_SIGNATURE"))
        await peer.wait_gone()
        left.set()

    async with play(live) as server:
        with pytest.raises(watchword.InvalidSignature):
            await watchword.connect(server.url, token="a.b.c", close_timeout_s=0.05)
        assert [task for task in asyncio.all_tasks() if task.get_name().startswith("watchword")] == []
        await asyncio.wait_for(left.wait(), 2)


async def test_a_refusal_that_is_cut_off_is_still_the_refusal() -> None:
    async def live(peer: Peer) -> None:
        await peer.say(auth_error("UNTRUSTED_ISSUER"))
        peer.socket.transport.close()

    async with play(live) as server:
        with pytest.raises(watchword.UntrustedIssuer):
            await watchword.connect(server.url, token="a.b.c")


async def test_a_refusal_by_close_frame_alone_is_the_refusal() -> None:
    async def live(peer: Peer) -> None:
        await peer.close(4002, "AUTH_TIMEOUT")

    async with play(live) as server:
        with pytest.raises(watchword.AuthTimeout):
            await watchword.connect(server.url, token="a.b.c")


async def test_a_hint_of_an_http_refusal_is_kept() -> None:
    async with play(refuse_by_http(ErrorCode.OVERLOADED, Retry_After="12")) as server:
        with pytest.raises(watchword.Overloaded) as caught:
            await watchword.connect(server.url, token="a.b.c")
    assert caught.value.retry_after_ms == 12_000


async def say_html(peer: Peer) -> None:
    await peer.say("<html>")
    await peer.wait_gone()


async def say_binary_nonsense(peer: Peer) -> None:
    await peer.say(b"\xff\xfe")
    await peer.wait_gone()


async def say_a_success_without_a_user(peer: Peer) -> None:
    await peer.say({"type": "auth_success", "user": "ada"})
    await peer.wait_gone()


async def say_a_time_that_is_none(peer: Peer) -> None:
    await peer.say({**auth_success(), "expires_at": "soon"})
    await peer.wait_gone()


async def say_nothing(peer: Peer) -> None:
    await peer.wait_gone()


async def cut_at_once(peer: Peer) -> None:
    peer.cut()


async def close_as_a_proxy(peer: Peer) -> None:
    await peer.close(1008, "policy")


@pytest.mark.parametrize(
    ("life", "words"),
    [
        (say_html, "not a message of Watchword"),
        (say_binary_nonsense, "not a message of Watchword"),
        (say_a_success_without_a_user, "not a message of Watchword"),
        (say_a_time_that_is_none, "not a message of Watchword"),
        (say_nothing, r"No answer from ws://.* within 0\.2 s"),
        (cut_at_once, "broke without a word"),
        (close_as_a_proxy, "'policy'"),
        (HttpRefusal(502, b"<html>"), "HTTP 502"),
        (HttpRefusal(307, b"", {"Location": "ws://127.0.0.1:1/elsewhere"}), "credential would go along"),
    ],
)
async def test_a_server_that_is_none_of_ours_is_a_failed_connection(life: Life, words: str) -> None:
    async with play(life) as server:
        with pytest.raises(watchword.ConnectFailed, match=words):
            await watchword.connect(server.url, token="a.b.c", open_timeout_s=0.2)
    assert len(server.requests) == 1


async def test_nobody_there_is_a_failed_connection() -> None:
    async with play(welcome()) as server:
        pass
    with pytest.raises(watchword.ConnectFailed, match=f"Cannot connect to {server.url}"):
        await watchword.connect(server.url, token="a.b.c")


async def test_a_host_that_is_no_name_is_a_failed_connection() -> None:
    with pytest.raises(watchword.ConnectFailed, match="Cannot connect"):
        await watchword.connect("ws://a..b", token="a.b.c", open_timeout_s=2)


async def test_a_proxy_that_needs_a_package_more_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_socks", None)  # not installed, whatever is
    monkeypatch.setenv("socks_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(watchword.ConnectFailed, match="requires python-socks"):
        await watchword.connect("ws://db.invalid", token="a.b.c", open_timeout_s=2)


@pytest.mark.parametrize("first", ["unknown_of_the_future", "pong", "draining"])
async def test_messages_before_the_answer_change_nothing(first: str) -> None:
    async def live(peer: Peer) -> None:
        await peer.say({"type": first, "reconnect_after_ms": 5, "id": 9}, auth_success())
        await peer.answer_pings()

    async with play(live) as server, watchword.connect(server.url, token="a.b.c") as db:
        assert await db.ping() > 0


# Arguments


@pytest.mark.parametrize(
    ("url", "arguments", "words"),
    [
        ("http://h", {"token": "t"}, "ws:// or wss://"),
        ("ws://h", {}, "give either token="),
        ("ws://h", {"token": "t", "user": "ada", "password": "pw"}, "give either token="),
        ("ws://h", {"token": "t", "ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}, "wss:// url"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_opened(url: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        watchword.connect(url, **arguments)


async def test_no_log_line_of_any_level_holds_the_credential(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with play(refuse("TOKEN_EXPIRED"), welcome()) as server:
        tokens = iter(["secret.one.x", "secret.two.x"])

        async def fetch() -> str:
            return next(tokens)

        async with watchword.connect(server.url, token=fetch, present="first_message", sleep=_no_wait) as db:
            await db.ping()
            said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("watchword"))
            assert "secret" not in said + repr(db) + str(db.status)


async def _no_wait(_seconds: float) -> None: ...


async def test_the_body_of_a_refusal_is_read_also_when_it_is_long() -> None:
    error = {"code": "ACCESS_DENIED", "message": "x" * 100_000, "close_code": 4209, "request_id": "r_1"}
    async with play(HttpRefusal(403, json.dumps({"status": "error", "error": error}).encode())) as server:
        with pytest.raises(watchword.AccessDenied):
            await watchword.connect(server.url, token="a.b.c")
