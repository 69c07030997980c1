"""Every row of the table of checks, and every hostile token, through the doors of a real server."""

import asyncio
from collections.abc import Mapping

import pytest

from support.breakers import BREAKERS, Breaker, make_attempt
from support.doors import DOORS, Door, assert_refused, knock, read_answer
from support.hostile_tokens import HOSTILE_TOKENS
from support.presenting import by_message
from support.raw_socket import upgrade
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


@pytest.mark.parametrize("breaker", BREAKERS, ids=repr)
async def test_each_row_answers_at_every_door(servers: Servers, breaker: Breaker) -> None:
    attempt = make_attempt(f"row{BREAKERS.index(breaker)}")
    breaker.apply(attempt)
    for server in servers.values():
        if attempt.account is not None:
            await server.accounts.add(attempt.account)
        for revoked in attempt.revoked:
            server.service.authenticator._verifier.rules.revocations.add(revoked)
    fields = [] if attempt.peer.is_local else [f"X-Forwarded-For: {attempt.peer.address}"]
    for door in DOORS:
        assert_refused(await read_answer(servers, door, attempt.token, *fields), door, breaker.code)


@pytest.mark.parametrize("door", DOORS, ids=str)
async def test_an_attempt_that_breaks_no_row_comes_in_at_every_door(servers: Servers, door: Door) -> None:
    attempt = make_attempt(f"good{DOORS.index(door)}")
    assert attempt.account is not None
    await servers[door.mode].accounts.add(attempt.account)
    assert (await read_answer(servers, door, attempt.token)).message["user"] == attempt.account.name


async def test_every_hostile_token_is_refused_by_first_message(servers: Servers) -> None:
    """Whatever text it is; the empty one is no credential."""
    tokens = [token for token in HOSTILE_TOKENS if token.text and len(token.text) < 16_000]
    for token in tokens:
        answer = await knock(servers["close"], upgrade() + by_message(token.text.decode("utf-8", "replace")))
        assert answer.code == (token.code and token.code.name), token.name


async def test_every_hostile_token_is_refused_by_header(servers: Servers) -> None:
    """What fits into a header line; what is no token68 is malformed, and what is no header at all has no answer."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
    for token in HOSTILE_TOKENS:
        if len(token.text) > 8_100 or any(byte in token.text for byte in b"\r\n\0") or token.text.strip() != token.text:
            continue
        is_token68 = not token.text.rstrip(b"=").translate(None, letters) and token.text.rstrip(b"=")
        code = token.code if is_token68 else ErrorCode.MALFORMED_AUTHORIZATION
        sent = upgrade("Authorization: Bearer ?").replace(b"?", token.text, 1)
        async with asyncio.timeout(5.0):
            answer = await knock(servers["close"], sent)
        assert answer.code == (code and code.name), token.name
