"""Where a client comes from: origins of pages, addresses of peers, the word of proxies."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.raw_socket import raw_socket, upgrade
from support.server import SECRET, running_server, token
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]


# Which server: its own origin only, or a list; the origin; whether it may connect.
ORIGINS = [
    ("close", "http://test.example", True),
    ("close", "https://test.example", True),
    ("close", "HTTPS://TEST.example", True),
    ("close", "https://test.example:8443", False),
    ("close", "https://test.example.evil.example", False),
    ("close", "ftp://test.example", False),
    ("close", "null", False),
    ("close", "", False),
    ("listed", "https://app.example", True),
    ("listed", "https://app.example:444", False),
    ("listed", "http://app.example", False),
    ("listed", "https://test.example", False),
    ("listed", "https://any.example:444", True),
    ("listed", "https://any.example", True),
    ("listed", "http://any.example:444", False),
    ("listed", "https://any.example:444/", False),
    ("listed", "https://any.example:x", False),
    ("listed", "https://any.example:444@evil.example", False),
    ("listed", "null", False),
]


@pytest.mark.parametrize(("which", "origin", "is_allowed"), ORIGINS)
async def test_origins(servers: Servers, which: str, origin: str, *, is_allowed: bool) -> None:
    server = servers[which]
    sent = upgrade(f"Origin: {origin}", f"Authorization: Bearer {token(server)}")
    async with raw_socket(server.port, sent) as socket:
        await socket.read_http()
        message = await socket.read_message()
    assert message.get("code") == (None if is_allowed else "ORIGIN_NOT_ALLOWED")


async def test_dev_lets_pages_from_localhost_in(tmp_path: Path) -> None:
    async with running_server(tmp_path, dev=True) as server:
        sent = upgrade("Origin: http://localhost:5173", f"Authorization: Bearer {token(server)}")
        async with raw_socket(server.port, sent) as socket:
            await socket.read_http()
            assert (await socket.read_message())["type"] == "auth_success"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([], None),
        (["X-Forwarded-For: 127.0.0.1"], "ACCESS_DENIED"),
        (["Forwarded: for=127.0.0.1"], "ACCESS_DENIED"),
        (["X-Forwarded-For: "], "ACCESS_DENIED"),
    ],
)
async def test_the_role_system_comes_from_the_peers_own_loopback_address_only(
    server: RunningServer, fields: list[str], code: str | None
) -> None:
    async with raw_socket(server.port, upgrade(f"Authorization: Bearer {token(server, 'sys')}", *fields)) as socket:
        await socket.read_http()
        assert (await socket.read_message()).get("code") == code


async def test_the_role_system_comes_from_anywhere_where_that_is_allowed(tmp_path: Path) -> None:
    auth = {"jwt_secret": SECRET, "system_from_anywhere": True}
    async with running_server(tmp_path, auth=auth) as server:
        fields = [f"Authorization: Bearer {token(server, 'sys')}", "X-Forwarded-For: 192.0.2.9"]
        async with raw_socket(server.port, upgrade(*fields)) as socket:
            await socket.read_http()
            assert (await socket.read_message())["role"] == "system"


@pytest.mark.parametrize(
    ("proxies", "fields", "address"),
    [
        ((), ["X-Forwarded-For: 192.0.2.9"], "127.0.0.1"),
        (("127.0.0.1",), ["X-Forwarded-For: 192.0.2.9"], "192.0.2.9"),
        (("127.0.0.0/8",), ["X-Forwarded-For: 198.51.100.1, 192.0.2.9, 127.0.0.5"], "192.0.2.9"),
        (("127.0.0.1",), ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.9"], "192.0.2.9"),
        (("127.0.0.1",), ["X-Forwarded-For: nonsense"], "127.0.0.1"),
        (("10.0.0.1",), ["X-Forwarded-For: 192.0.2.9"], "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxys_word_about_the_address_counts(
    tmp_path: Path, proxies: tuple[str, ...], fields: list[str], address: str
) -> None:
    lines: list[Any] = []
    async with running_server(tmp_path, lines=lines, server={"port": 0, "trusted_proxies": proxies}) as server:
        sent = upgrade(f"Authorization: Bearer {token(server)}", *fields)
        async with raw_socket(server.port, sent) as socket:
            await socket.read_http()
            await socket.read_message()
    assert [line["address"] for line in lines if line["event"] == "ended"] == [address]
