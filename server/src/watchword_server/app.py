"""Every part of the server from one Config; the one module that knows the concrete adapters.

config -> data directory (locked) -> users -> authenticator -> gateway and site -> listener
                                  -> store -> queries ------->
"""

import asyncio
import random
import resource
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from watchword_protocol.limits import PATH
from watchword_server.adapters.clock import SystemClock
from watchword_server.adapters.sqlite.accounts import SqliteAccounts
from watchword_server.adapters.sqlite.audit import SqliteAudit
from watchword_server.adapters.sqlite.data_directory import DataDirectory
from watchword_server.adapters.sqlite.database import open_database
from watchword_server.adapters.sqlite.row_ids import RowIds
from watchword_server.adapters.sqlite.store import open_store
from watchword_server.auth.account import Accounts
from watchword_server.auth.administration import Administration
from watchword_server.auth.attempts import Attempts
from watchword_server.auth.audit_trail import AuditTrail
from watchword_server.auth.authenticator import Authenticator
from watchword_server.auth.directory import Directory
from watchword_server.auth.last_seen import LastSeen
from watchword_server.auth.logins import Logins
from watchword_server.auth.passwords import Passwords
from watchword_server.auth.proxies import TrustedProxies
from watchword_server.auth.revocations import Revocations
from watchword_server.auth.tokens import TokenRules, Verifier, shared_secret_issuers
from watchword_server.config import Config
from watchword_server.connection import ConnectionRules
from watchword_server.gateway.listener import Listener, make_listener
from watchword_server.gateway.quota import Quota
from watchword_server.gateway.registry import Registry
from watchword_server.gateway.service import GatewayRules, Service
from watchword_server.gateway.sweep import sweep_forever
from watchword_server.handlers import Handlers
from watchword_server.handshake import OriginRules
from watchword_server.housekeeping import Housekeeping
from watchword_server.http.api import Api
from watchword_server.http.ops import Ops
from watchword_server.http.site import make_site
from watchword_server.identifiers import Identifiers
from watchword_server.journal import Journal
from watchword_server.log import configure_log
from watchword_server.pace import Pace
from watchword_server.ports import Clock
from watchword_server.query.acts import Acts
from watchword_server.query.queries import Queries
from watchword_server.sql.engine_functions import ENGINE_FUNCTIONS
from watchword_server.sql.store import Store
from watchword_server.sql.values import WIRE_FORMS
from watchword_server.user import Role

__all__ = ["RunningServer", "run", "serve"]

_RECONNECT_SPREAD_MS: Final = 2_000
_STORAGE_PATIENCE_S: Final = 2.0
_DEFINITION_BYTES: Final = 131_072
"""The definition of a table of 500 columns is a value, too, which every connection of the store has to read; so
is a result that is kept."""
_DEV_ORIGINS: Final = ("http://localhost:*", "http://127.0.0.1:*")
# A socket of a client that was told so many times to go away is not even answered.
_SOCKETS_PER_CONNECTION: Final = 2


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens."""

    host: str
    port: int
    scheme: str
    accounts: Accounts
    service: Service
    listener: Listener

    def __repr__(self) -> str:
        return f"<RunningServer {self.url}>"

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"{self.scheme}://{authority(self.host, self.port)}{PATH}"


@asynccontextmanager
async def serve(
    config: Config, *, dev: bool = False, clock: Clock | None = None, log: FilteringBoundLogger | None = None
) -> AsyncGenerator[RunningServer]:
    """A server in the running loop, from before its first connection to after its last.

    Args:
        config: The settings; `server.port` 0 lets the system pick the port.
        dev: Loopback only, pages from localhost may connect, and a missing secret is made and kept.
        clock: The machine's, unless a test moves its own.
        log: Where it tells what happens; configured from the settings by default.

    Raises:
        ConfigError: A setting that is missing or does not go with `dev`.
        DataUnusable: The data directory is held by somebody else, or its database cannot be used.
        OSError: It cannot listen there.
    """
    if dev:
        config.check_loopback()
    log = log or configure_log(config.ops.log, config.ops.log_level)
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(DataDirectory(Path(config.storage.path)))
        if dev and not config.auth.jwt_secret:
            config = config.with_secret(directory.dev_secret())
        config.check_secret()
        database = await stack.enter_async_context(
            await open_database(directory.database, synchronous=config.storage.synchronous)
        )
        role_limits = {role: config.limits.of(role.value) for role in Role}
        row_ids = RowIds(lambda: round(clock.wall() * 1_000), secrets.randbits)
        store = await open_store(
            database,
            converters=WIRE_FORMS,
            functions=(*ENGINE_FUNCTIONS, *row_ids.functions),
            value_bytes=max(_DEFINITION_BYTES, *(limits.value_bytes for limits in role_limits.values())),
        )
        stack.push_async_callback(store.close)
        accounts = SqliteAccounts(database)
        passwords = Passwords(clock)
        stack.callback(passwords.close)
        keeping = Housekeeping(
            accounts=accounts,
            # With the leeway within which their tokens would still be good.
            verifier=_make_verifier(config, Revocations(await accounts.revoked(clock.wall() - config.auth.leeway_s))),
            last_seen=LastSeen(),
            store=store,
            audit_log=SqliteAudit(database),
            audit_trail=AuditTrail(),
            retention_s=config.audit.retention_s,
            clock=clock,
        )
        directory_of_users = Directory(accounts, remember=config.limits.connections)
        pace = Pace(clock.monotonic)
        identifiers = Identifiers(secrets.token_hex(4))
        authenticator = Authenticator(
            verifier=keeping.verifier,
            directory=directory_of_users,
            passwords=passwords,
            attempts=Attempts(max_failures=config.auth.max_failures, lock_s=config.auth.lock_s),
            last_seen=keeping.last_seen,
            clock=clock,
            system_from_anywhere=config.auth.system_from_anywhere,
        )
        registry = Registry()
        administration = Administration(
            accounts,
            passwords,
            clock,
            new_id=lambda: secrets.token_hex(10),
            shared_issuers=frozenset({config.auth.issuer, *config.auth.jwt_trusted_issuers}),
            forget=authenticator.forget,
            end=registry.end_user,
        )
        acts = Acts(administration, keeping.audit_log, keeping.audit_trail, identifiers, clock)
        queries = Queries(store, directory_of_users, role_limits, clock, pace, acts)
        service = _make_service(
            config, keeping, authenticator, registry, identifiers, queries, pace=pace, log=log, dev=dev
        )
        listener = _make_listener(config, service, accounts, store, queries)
        bound = _bind(config.server.host, config.server.port)
        stack.callback(bound.close)
        host, port = bound.getsockname()[:2]
        scheme = "wss" if config.server.tls_certificate else "ws"
        server = RunningServer(host, port, scheme, accounts, service, listener)
        directory.announce(server.url)

        def on_error(error: Exception) -> None:
            service.journal.failed(service.identifiers.next_request(), error)

        chores = [
            asyncio.create_task(sweep_forever(service.open, service.now, on_error)),
            asyncio.create_task(keeping.keep_forever(on_error)),
            listening := asyncio.create_task(listener.serve([bound])),
        ]
        try:
            ready = asyncio.create_task(listener.ready.wait())
            await asyncio.wait([ready, listening], return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                ready.cancel()
                listening.result()  # raises what kept it from listening
            yield server
        finally:
            listener.stop()
            await asyncio.wait([listening])
            for chore in chores:
                chore.cancel()
            await asyncio.wait(chores)
            await store.close()
            if service.running:  # queries that outlived their connections
                await asyncio.wait(service.running)
            await keeping.keep(on_error, at_last=True)


def run(config: Config, *, dev: bool, announce: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second SIGINT waits for nobody.

    Args:
        config: The settings.
        dev: As for `serve`.
        announce: Called with host and port once connections are accepted.

    Raises:
        ConfigError, DataUnusable, OSError: As for `serve`.
    """
    _raise_file_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(config, dev=dev, announce=announce))


async def _run(config: Config, *, dev: bool, announce: Callable[[str, int], None]) -> None:
    loop = asyncio.get_running_loop()
    async with serve(config, dev=dev) as server:
        stopping = asyncio.Event()

        def stop() -> None:
            server.listener.stop(at_once=stopping.is_set())
            stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        announce(server.host, server.port)
        await stopping.wait()


def authority(host: str, port: int) -> str:
    """`host:port` as it stands in a URL (RFC 3986 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _make_verifier(config: Config, revocations: Revocations) -> Verifier:
    auth = config.auth
    issuers = shared_secret_issuers(auth.jwt_secret, auth.issuer, auth.jwt_trusted_issuers)
    rules = TokenRules(issuers, revocations, auth.audience, auth.leeway_s, auth.max_token_bytes)
    return Verifier(rules, remember=config.limits.connections)


def _make_service(
    config: Config,
    keeping: Housekeeping,
    authenticator: Authenticator,
    registry: Registry,
    identifiers: Identifiers,
    queries: Queries,
    *,
    pace: Pace,
    log: FilteringBoundLogger,
    dev: bool,
) -> Service:
    limits, clock = config.limits, keeping.clock
    spread = random.Random()  # noqa: S311  # spreads returning clients over time, keeps no secret
    return Service(
        clock=clock,
        pace=pace,
        identifiers=identifiers,
        authenticator=authenticator,
        logins=Logins(keeping.audit_trail, clock),
        handlers=Handlers(identifiers, queries),
        registry=registry,
        journal=Journal(log, clock),
        sockets=Quota(
            _SOCKETS_PER_CONNECTION * limits.connections, _SOCKETS_PER_CONNECTION * limits.connections_per_address
        ),
        connections=Quota(limits.connections, limits.connections_per_address),
        rules=GatewayRules(
            origins=OriginRules.from_patterns(
                [*config.server.origins, *(_DEV_ORIGINS if dev else ())], is_own_allowed=not config.server.origins
            ),
            proxies=TrustedProxies(config.server.trusted_proxies),
            refuses_over_http=config.handshake.reject == "http",
            header_timeout_s=config.handshake.header_timeout_s,
            max_header_bytes=config.handshake.max_header_bytes,
            connections_per_user=limits.connections_per_user,
            replaces_connections=config.auth.replace_connections,
            max_unsent_bytes=config.live.unsent_bytes,
            stall_timeout_s=config.live.slow_consumer_timeout_s,
            requests_at_once=limits.in_flight,
        ),
        connection_rules=ConnectionRules(
            identifiers,
            auth_timeout_s=config.auth.auth_timeout_s,
            leeway_s=config.auth.leeway_s,
            expiry_notice_s=config.auth.expiry_notice_s,
            heartbeat_interval_s=config.heartbeat.interval_s,
            heartbeat_timeout_s=config.heartbeat.timeout_s,
            messages_per_s=limits.messages_per_s,
            max_message_bytes=limits.max_message_bytes,
        ),
        reconnect_delays_ms=iter(lambda: spread.randrange(_RECONNECT_SPREAD_MS), None),
    )


def _make_listener(config: Config, service: Service, accounts: Accounts, store: Store, queries: Queries) -> Listener:
    async def find_fault() -> str | None:
        if listener.should_exit:
            return "stopping"
        try:
            async with asyncio.timeout(_STORAGE_PATIENCE_S):
                await accounts.by_id("")
                await store.check()
        except Exception:  # noqa: BLE001  # whatever it is, the server is not ready
            return "storage cannot be used"
        return None

    api = Api(
        service.authenticator,
        service.rules.proxies,
        queries,
        service.pace,
        service.logins,
        service.identifiers,
        max_body_bytes=config.limits.max_message_bytes,
        running=service.running,
    )
    site = make_site(
        [*api.routes(), *Ops(find_fault).routes()],
        origins=service.rules.origins,
        identifiers=service.identifiers,
        journal=service.journal,
    )
    listener = make_listener(
        site, service, tls_certificate=config.server.tls_certificate, tls_key=config.server.tls_key
    )
    return listener


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket. Raises: OSError, with the place in it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server((str(address[0]), port), family=family, backlog=1)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), authority(host, port)) from error


def _raise_file_limit() -> None:
    """A connection is an open file, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return None
    return uvloop.new_event_loop
