"""The same port over TLS: what it lacks (a half-close) and what it adds (a handshake of its own)."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from support.raw_socket import raw_socket
from support.server import running_server, token
from watchword_server.app import RunningServer
from watchword_server.config import ConfigError

pytestmark = pytest.mark.asyncio(loop_scope="module")

TLS = Path(__file__).parents[2] / "support" / "tls"
FILES = {"tls_certificate": str(TLS / "certificate.pem"), "tls_key": str(TLS / "key.pem")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RunningServer]:
    async with running_server(
        tmp_path_factory.mktemp("tls"), server={"port": 0, **FILES}, handshake={"header_timeout_s": 0.2}
    ) as server:
        yield server


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=FILES["tls_certificate"])


async def test_a_user_comes_in_over_tls(server: RunningServer) -> None:
    assert server.url.startswith("wss://")
    headers = {"Authorization": f"Bearer {token(server, 'ada')}"}
    async with connect(server.url, ssl=trusting(), additional_headers=headers, compression=None) as socket:
        assert json.loads(await socket.recv())["user"] == "ada"
        await socket.send('{"type":"ping","id":7}')
        assert json.loads(await socket.recv()) == {"type": "pong", "id": 7}


@pytest.mark.parametrize("padding", ["", " " * 50_000])
async def test_what_comes_in_several_records_arrives_whole(server: RunningServer, padding: str) -> None:
    """Small ones share a read buffer, large ones fill more than one."""
    headers = {"Authorization": f"Bearer {token(server, 'ada')}"}
    async with connect(server.url, ssl=trusting(), additional_headers=headers, compression=None) as socket:
        await socket.recv()
        for number in range(20):
            await socket.send(f'{{"type":"ping",{padding}"id":{number}}}')
        assert [json.loads(await socket.recv())["id"] for _ in range(20)] == [*range(20)]


@pytest.mark.parametrize(
    ("sent", "code"), [("[]", "MALFORMED_MESSAGE"), ("x" * 20_000, "MESSAGE_TOO_LARGE"), (b"\0", "UNSUPPORTED_DATA")]
)
async def test_last_words_arrive_without_a_half_close(server: RunningServer, sent: str | bytes, code: str) -> None:
    async with connect(server.url, ssl=trusting(), compression=None) as socket:
        await socket.send(sent)
        assert json.loads(await socket.recv())["code"] == code
        with pytest.raises(ConnectionClosedError) as ended:
            await socket.recv()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.reason == code


async def test_a_handshake_of_tls_has_the_time_of_a_header_block(server: RunningServer) -> None:
    async with raw_socket(server.port) as socket:
        assert await socket.read_end() == b""


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        ("key.pem", "key.pem", "no certificate"),
        ("certificate.pem", "other-key.pem", "KEY_VALUES_MISMATCH"),
        ("certificate.pem", "encrypted-key.pem", "passphrase"),
    ],
)
async def test_files_that_do_not_serve_are_told_at_the_start(
    tmp_path: Path, certificate: str, key: str, reason: str
) -> None:
    settings = {"port": 0, "tls_certificate": str(TLS / certificate), "tls_key": str(TLS / key)}
    with pytest.raises(ConfigError, match=r"server\.tls_certificate and server\.tls_key: cannot be used") as refused:
        async with asyncio.timeout(10), running_server(tmp_path, server=settings):
            pass
    if reason != "no certificate":  # whose word differs from one OpenSSL to the next
        assert reason in str(refused.value)
