"""User and password: who comes in, and that nothing tells one refusal from another."""

import asyncio
import json
import math
import re
import statistics
import time
from pathlib import Path

import pytest

from support.accounts import make_account
from support.clock import FakeClock
from support.doors import knock
from support.presenting import basic
from support.raw_socket import RawSocket, raw_socket, text, upgrade
from support.server import PASSWORD, USERS, running_server, token

HASH = USERS["ada"].password_hash


def by_message(user: str, password: str) -> bytes:
    return upgrade() + text({"type": "authenticate", "method": "basic", "user": user, "password": password})


WAYS = {
    "header": lambda user, password: upgrade(basic(user, password)),
    "first message": by_message,
}


async def read_all(socket: RawSocket) -> bytes:
    """Head, frames or body, with what differs each time taken out."""
    answer = await socket.read_http()
    if answer.status == 101:
        frames = [await socket.read_frame() for _ in range(2)]
        content = repr((sorted(answer.headers.items()), frames)).encode()
    else:
        content = repr(sorted(answer.headers.items())).encode() + answer.body
    return re.sub(rb'"(request_id|server_time)": ?"[^"]*"', rb'"\1"', content)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["close", "http"])
async def test_refused_passwords_are_alike_byte_for_byte(tmp_path: Path, mode: str, way: str) -> None:
    async with running_server(tmp_path, clock=FakeClock(), handshake={"reject": mode}) as server:
        await server.accounts.add(make_account("lock", password_hash=HASH, locked=True))
        await server.accounts.add(make_account("oauth", auth_type="oauth", issuer="https://id.example", subject="7"))
        refused = [
            ("ada", "wrong horse 1"),
            ("nobody", PASSWORD),
            ("dora", PASSWORD),
            ("dora", "wrong horse 1"),
            ("lock", "wrong horse 1"),
            ("oauth", PASSWORD),
            ("u_ada", PASSWORD),
            ("bob", PASSWORD),
        ]
        answers = {}
        for user, password in refused:
            async with raw_socket(server.port, WAYS[way](user, password)) as socket:
                answers[user, password] = await read_all(socket)
        assert len(set(answers.values())) == 1, answers
        assert b"INVALID_CREDENTIALS" in answers["nobody", PASSWORD]


@pytest.mark.parametrize("way", WAYS)
async def test_right_passwords_come_in(tmp_path: Path, way: str) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server:
        composed, decomposed = "zo\u00eb", "zoe\u0308"
        await server.accounts.add(make_account(composed, id="u_zoe", password_hash=HASH))
        for user in ("ada", composed, decomposed):
            answer = await knock(server, WAYS[way](user, PASSWORD))
            assert (answer.code, answer.message["expires_at"]) == (None, None)
        assert answer.message["user"] == composed


async def test_a_colon_in_the_password_is_a_part_of_it(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server:
        colons = ":a:b:c:d:"
        stored = await server.service.authenticator._passwords.hash(colons)
        await server.accounts.add(make_account("col", password_hash=stored))
        for way in WAYS.values():
            assert (await knock(server, way("col", colons))).code is None
            assert (await knock(server, way("col", colons[:-1]))).code == "INVALID_CREDENTIALS"


async def test_a_locked_account_is_told_only_to_who_knows_its_password(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server:
        await server.accounts.add(make_account("lock", password_hash=HASH, locked=True))
        answer = await knock(server, upgrade(basic("lock", PASSWORD)))
        assert (answer.code, answer.close, answer.message["retry_after_ms"]) == ("ACCOUNT_LOCKED", 4001, 0)
        assert (await knock(server, upgrade(basic("lock", "wrong horse 1")))).code == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("user", ["ada", "nobody", "dora"])
async def test_after_too_many_failures_passwords_are_refused_and_tokens_are_not(tmp_path: Path, user: str) -> None:
    clock = FakeClock()
    async with running_server(tmp_path, clock=clock, auth={"max_failures": 3, "lock_s": 900}) as server:
        for _ in range(3):
            assert (await knock(server, upgrade(basic(user, "wrong horse 1")))).code == "INVALID_CREDENTIALS"
        for way in WAYS.values():
            for password in ("wrong horse 1", PASSWORD):
                answer = await knock(server, way(user, password))
                assert (answer.code, answer.close) == ("ACCOUNT_LOCKED", 4001)
                assert (answer.message["advice"], answer.message["retry_after_ms"]) == ("reconnect", 900_000)
        if user == "ada":
            assert (await knock(server, upgrade(f"Authorization: Bearer {token(server)}"))).code is None
            clock.advance(900.0)
            assert (await knock(server, upgrade(basic(user, PASSWORD)))).code is None


async def test_a_lock_is_told_over_http_with_its_own_time(tmp_path: Path) -> None:
    auth, handshake = {"max_failures": 1, "lock_s": 700}, {"reject": "http"}
    async with running_server(tmp_path, clock=FakeClock(), auth=auth, handshake=handshake) as server:
        request = f"GET /v1/api/auth/me HTTP/1.1\r\nHost: x\r\n{basic('ada', PASSWORD)}\r\n\r\n".encode()
        assert (await knock(server, upgrade(basic("ada", "wrong horse 1")))).code == "INVALID_CREDENTIALS"
        upgraded = await knock(server, upgrade(basic("ada", PASSWORD)))
        async with raw_socket(server.port, request) as socket:
            plain = await socket.read_http()
        for http in (upgraded.http, plain):
            assert (http.status, http.error["code"]) == (429, "ACCOUNT_LOCKED")
            assert http.headers["retry-after"] == ["700"]


async def test_a_lock_does_not_end_an_open_connection(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, clock=FakeClock(), auth={"max_failures": 1}) as server,
        raw_socket(server.port, upgrade(basic("ada", PASSWORD))) as socket,
    ):
        await socket.read_http()
        assert (await socket.read_message())["type"] == "auth_success"
        await knock(server, upgrade(basic("ada", "wrong horse 1")))
        assert (await knock(server, upgrade(basic("ada", PASSWORD)))).code == "ACCOUNT_LOCKED"
        socket.send(text({"type": "ping", "id": 1}))
        assert await socket.read_message() == {"type": "pong", "id": 1}


async def test_when_too_many_passwords_wait_the_next_is_told_so(tmp_path: Path) -> None:
    async with running_server(tmp_path, clock=FakeClock()) as server:
        passwords = server.service.authenticator._passwords
        passwords._places = 2
        sent = [by_message(f"nobody{number}", PASSWORD) for number in range(5)]
        codes = [answer.code for answer in await asyncio.gather(*[knock(server, each) for each in sent])]
        assert sorted(map(str, codes)) == ["INVALID_CREDENTIALS"] * 2 + ["OVERLOADED"] * 3
        assert (await knock(server, by_message("ada", PASSWORD))).code is None, "the line moves on"


@pytest.mark.long
async def test_nothing_in_the_time_tells_who_exists(tmp_path: Path) -> None:
    """Unknown, deleted, without a password, wrong: 300 of each in turn, by the rank sums of their times."""
    rounds = 300
    kinds = {
        "wrong": ("ada", "wrong horse 1"),
        "unknown": ("nobody", PASSWORD),
        "deleted": ("dora", PASSWORD),
        "no password": ("bob", PASSWORD),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    async with running_server(tmp_path, auth={"max_failures": 1_000}) as server:
        for _ in range(rounds):
            for kind, (user, password) in kinds.items():
                start = time.perf_counter()
                assert (await knock(server, upgrade(basic(user, password)))).code == "INVALID_CREDENTIALS"
                times[kind].append(time.perf_counter() - start)
    print(json.dumps({kind: round(statistics.median(each) * 1_000, 3) for kind, each in times.items()}))
    for kind in ("unknown", "deleted", "no password"):
        z = rank_sum_z(times["wrong"], times[kind])
        print(f"{kind}: z = {z:+.2f}")
        assert abs(z) < 3.3, f"{kind} differs from a wrong password: z = {z:+.2f}"  # one in a thousand by chance


def rank_sum_z(first: list[float], second: list[float]) -> float:
    """How far two samples are apart, in standard deviations (Mann and Whitney)."""
    smaller = sum(one < other for one in first for other in second)
    pairs = len(first) * len(second)
    return (smaller - pairs / 2) / math.sqrt(pairs * (len(first) + len(second) + 1) / 12)
