"""Every setting reaches the part that obeys it; what that part does with it is tested beside the part."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio

from support.server import SECRET, running_server
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.app import RunningServer
from watchword_server.config import Config

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Reach(NamedTuple):
    """A value that is not the default, and what it has become, in every part that has it."""

    value: Any
    parts: Callable[[RunningServer], Any]


REACHES: Final[Mapping[str, Reach]] = {
    "server.origins": Reach(("https://app.example",), lambda it: tuple(it.service.rules.origins.exact)),
    "server.trusted_proxies": Reach(
        ("192.0.2.0/24",), lambda it: tuple(str(each) for each in it.service.rules.proxies._networks)
    ),
    "handshake.reject": Reach("http", lambda it: "http" if it.service.rules.refuses_over_http else "close"),
    "handshake.header_timeout_s": Reach(7.0, lambda it: it.service.rules.header_timeout_s),
    "handshake.max_header_bytes": Reach(9_001, lambda it: it.service.rules.max_header_bytes),
    "auth.jwt_trusted_issuers": Reach(
        ("https://idp.example",),
        lambda it: tuple(each.name for each in token_rules(it).issuers.values() if not each.is_own),
    ),
    "auth.issuer": Reach(
        "https://own.example", lambda it: next(each.name for each in token_rules(it).issuers.values() if each.is_own)
    ),
    "auth.audience": Reach("https://db.example", lambda it: token_rules(it).audience),
    "auth.leeway_s": Reach(11, lambda it: both(it.service.connection_rules.leeway_s, token_rules(it).leeway_s)),
    "auth.auth_timeout_s": Reach(6.0, lambda it: it.service.connection_rules.auth_timeout_s),
    "auth.expiry_notice_s": Reach(61.0, lambda it: it.service.connection_rules.expiry_notice_s),
    "auth.max_token_bytes": Reach(1_234, lambda it: token_rules(it).max_token_bytes),
    "auth.max_failures": Reach(3, lambda it: it.service.authenticator._attempts._max_failures),
    "auth.lock_s": Reach(17, lambda it: it.service.authenticator._attempts._lock_s),
    "auth.system_from_anywhere": Reach(True, lambda it: it.service.authenticator._system_from_anywhere),
    "auth.replace_connections": Reach(True, lambda it: it.service.rules.replaces_connections),
    "limits.connections": Reach(
        321,
        lambda it: both(
            it.service.connections._limit,
            it.service.sockets._limit // 2,
            it.service.authenticator._directory._remember,
            it.service.authenticator._verifier._remember,
        ),
    ),
    "limits.connections_per_address": Reach(
        32, lambda it: both(it.service.connections._limit_per_address, it.service.sockets._limit_per_address // 2)
    ),
    "limits.connections_per_user": Reach(5, lambda it: it.service.rules.connections_per_user),
    "limits.messages_per_s": Reach(201, lambda it: it.service.connection_rules.messages_per_s),
    "limits.max_message_bytes": Reach(54_321, lambda it: it.service.connection_rules.max_message_bytes),
    "heartbeat.interval_s": Reach(24.0, lambda it: it.service.connection_rules.heartbeat_interval_s),
    "heartbeat.timeout_s": Reach(9.0, lambda it: it.service.connection_rules.heartbeat_timeout_s),
    "live.unsent_bytes": Reach(65_432, lambda it: it.service.rules.max_unsent_bytes),
    "live.slow_consumer_timeout_s": Reach(59.0, lambda it: it.service.rules.stall_timeout_s),
}

# Those without which no server runs here, or none that tests can reach; each has tests of its own.
ELSEWHERE: Final = frozenset(
    {
        *("server.host", "server.port", "server.tls_certificate", "server.tls_key", "server.workers"),
        *("auth.jwt_secret", "auth.token_s", "auth.issuers", "storage.path", "storage.synchronous"),
        *("ops.log", "ops.log_level", "ops.listen"),
    }
)

# What there is nothing yet to obey.
LATER: Final = frozenset(
    {
        *("auth.refresh_s", "audit.retention_s", "storage.retention_s", "storage.retention_bytes"),
        *("live.max_snapshot_bytes", "live.snapshots_at_once", "live.min_interval_ms"),
        *("limits.sql_bytes", "limits.params", "limits.statements", "limits.statements_per_user", "limits.value_bytes"),
        *("limits.rows", "limits.result_bytes", "limits.read_time_ms", "limits.write_time_ms", "limits.in_flight"),
        "limits.kept_bytes",
        *("limits.subscriptions", "limits.role"),
    }
)


def token_rules(server: RunningServer) -> Any:
    return server.service.authenticator._verifier.rules


def both(*values: Any) -> Any:
    """The one value of several parts."""
    assert len(set(values)) == 1, values
    return values[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[RunningServer]:
    """One with every value of the table."""
    directory = tmp_path_factory.mktemp("settings")
    sections: dict[str, Any] = {
        "server": {"port": 0},
        "auth": {"jwt_secret": SECRET},
        "storage": {"path": str(directory), "synchronous": "normal"},
    }
    for name, reach in REACHES.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = reach.value
    async with running_server(directory, **sections) as server:
        yield server


@pytest.mark.parametrize("name", REACHES)
async def test_a_setting_reaches_the_part_that_obeys_it(server: RunningServer, name: str) -> None:
    section, _, key = name.partition(".")
    assert REACHES[name].value != getattr(getattr(Config(), section), key), "the test would say nothing"
    assert REACHES[name].parts(server) == REACHES[name].value


async def test_how_safe_a_write_is_reaches_the_database(server: RunningServer) -> None:
    assert isinstance(server.accounts, SqliteAccounts)
    database = server.accounts._database
    assert await database.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0]) == 1


async def test_the_servers_own_pages_may_connect_only_where_no_origin_is_listed(server: RunningServer) -> None:
    assert not server.service.rules.origins.is_own_allowed


async def test_no_setting_is_left_out() -> None:
    config = Config()
    names = {
        f"{section.name}.{key.name}" for section in fields(config) for key in fields(getattr(config, section.name))
    }
    assert names == REACHES.keys() | ELSEWHERE | LATER
