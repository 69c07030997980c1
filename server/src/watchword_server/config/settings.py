"""The settings: one frozen dataclass for each section of the file. The docstring under a field is its documentation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, ClassVar, Final, Literal, get_type_hints

from msgspec import Meta

from watchword_protocol.limits import DEFAULT_MESSAGE_BYTES
from watchword_server.config.shapes import (
    HOW_TO_MAKE_ONE,
    host_fault,
    issuers_fault,
    listen_fault,
    one_worker_fault,
    origins_fault,
    proxies_fault,
    secret_fault,
    text_fault,
)
from watchword_server.config.values import Check, ConfigError, Problem, Secret, checked

__all__ = [
    "ROLES",
    "Audit",
    "Auth",
    "Config",
    "Handshake",
    "Heartbeat",
    "Issuer",
    "Limits",
    "Live",
    "Ops",
    "RoleName",
    "Section",
    "Server",
    "StatementLimits",
    "Storage",
    "field_types",
]

RoleName = Literal["user", "service", "dba", "system"]
ROLES: Final[tuple[RoleName, ...]] = ("user", "service", "dba", "system")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

Text = Annotated[str, Check(text_fault)]
FilledText = Annotated[str, Meta(min_length=1), Check(text_fault)]

_DAY_S: Final = 86_400
_YEAR_S: Final = 31_536_000
_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * 1024 * 1024
_TIB: Final = 1024 * _GIB


def field_types(section: type) -> Mapping[str, Any]:
    """The annotations of a section's fields, ranges and checks included."""
    hints = get_type_hints(section, include_extras=True)
    return {each.name: hints[each.name] for each in fields(section)}


class Section:
    """A group of settings, checked when it is made, by whatever way.

    Raises:
        ConfigError: On construction, with every value that is wrong.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, *, name: str) -> None:
        cls.name = name

    def __post_init__(self) -> None:
        problems = []
        for key, kind in field_types(type(self)).items():
            try:
                object.__setattr__(self, key, checked(kind, getattr(self, key)))
            except ValueError as error:
                problems.append(Problem(f"{self.name}.{key}", str(error)))
        if problems or (problems := list(self.conflicts())):
            raise ConfigError(tuple(problems))

    def conflicts(self) -> Iterator[Problem]:
        """What is wrong between values that are each right."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Server(Section, name="server"):
    """Where the server listens, and who may reach it."""

    host: Annotated[FilledText, Check(host_fault)] = "127.0.0.1"
    """Address or host name to listen on; `0.0.0.0` is every IPv4 address of the machine."""
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    """TCP port for WebSocket and HTTP alike; 0 lets the system choose one."""
    origins: Annotated[tuple[str, ...], Check(origins_fault)] = ()
    """Origins of the browser pages that may connect, as `scheme://host[:port]`, with `:*` for any port. Empty: the
    server's own origin.
    """
    trusted_proxies: Annotated[tuple[str, ...], Check(proxies_fault)] = ()
    """Addresses and networks of reverse proxies whose `X-Forwarded-For` is believed. Empty: nobody's."""
    tls_certificate: Text = ""
    """PEM file with the certificate chain. Empty: no TLS. Goes together with `tls_key`."""
    tls_key: Text = ""
    """PEM file with the private key of `tls_certificate`."""
    workers: Annotated[int, Meta(ge=1, le=1024), Check(one_worker_fault)] = 1
    """Processes. Only 1 is possible yet."""

    def conflicts(self) -> Iterator[Problem]:
        """A certificate needs its key, and a key its certificate."""
        for given, missing in (("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")):
            if getattr(self, given) and not getattr(self, missing):
                yield Problem(f"server.{given}", f"needs server.{missing} too", beside=f"server.{missing}")


@dataclass(frozen=True, kw_only=True)
class Handshake(Section, name="handshake"):
    """The request that opens a connection."""

    reject: Literal["close", "http"] = "close"
    """How a refused credential looks: `close` accepts the upgrade, sends `auth_error` and closes with the error's code,
    which browsers can read; `http` refuses the upgrade with the error's HTTP status.
    """
    header_timeout_s: Annotated[float, Meta(ge=0.05, le=300)] = 5.0
    """Seconds within which a request's whole header block must arrive."""
    max_header_bytes: Annotated[int, Meta(ge=1024, le=_MIB)] = 32_768
    """Bytes of one request's header block; more is HTTP 431."""


@dataclass(frozen=True, kw_only=True)
class Issuer(Section, name="auth.issuers"):
    """An identity provider that signs with a key of its own. The shape is fixed; the server does not use it yet."""

    issuer: FilledText
    """The exact text of the token's `iss`."""
    algorithms: Annotated[tuple[str, ...], Meta(min_length=1)] = ("RS256",)
    """Signature algorithms that this issuer uses, all of one kind of key."""
    audience: Text = ""
    """The token's `aud` must hold it. Empty: the token must have none."""
    secret: Annotated[str | None, Secret()] = field(default=None, repr=False)
    """Key source: a shared secret of at least 32 bytes, for HS256."""
    public_key_file: str | None = None
    """Key source: a PEM file with the public key."""
    jwks_url: str | None = None
    """Key source: where the issuer publishes its keys (RFC 7517)."""
    discovery: bool = False
    """Key source: find `jwks_url` by OpenID Connect Discovery."""
    claims: Mapping[Literal["user", "role", "email"], str] = field(default_factory=dict)
    """Which claim holds the user's name, role and email."""
    provision: bool = False
    """Whether an unknown subject becomes a new user."""
    default_role: RoleName = "user"
    """Role of a user made by `provision`."""

    def conflicts(self) -> Iterator[Problem]:
        """There is exactly one source of keys."""
        sources = (self.secret, self.public_key_file, self.jwks_url, self.discovery or None)
        if sum(source is not None for source in sources) != 1:
            yield Problem(self.name, "needs exactly one of secret, public_key_file, jwks_url and discovery = true")


@dataclass(frozen=True, kw_only=True)
class Auth(Section, name="auth"):
    """Who is let in, and for how long."""

    jwt_secret: Annotated[str, Secret(), Check(secret_fault)] = field(default="", repr=False)
    """Secret that signs and verifies HS256 tokens, at least 32 bytes. Required, except with `--dev`. Best set as
    WATCHWORD_AUTH__JWT_SECRET, so that it is in no file.
    """
    jwt_trusted_issuers: Annotated[tuple[str, ...], Check(issuers_fault)] = ()
    """Further issuers that sign with `jwt_secret`: the exact `iss` of their tokens. Empty: only the server's own tokens
    are trusted.
    """
    issuer: FilledText = "watchword"
    """The `iss` of the server's own tokens."""
    audience: Text = ""
    """The `aud` that tokens must hold. Empty: a token that has one is refused."""
    leeway_s: Annotated[int, Meta(ge=0, le=3600)] = 30
    """Seconds that clocks may differ, for `exp`, `nbf` and `iat`."""
    auth_timeout_s: Annotated[float, Meta(ge=0.05, le=300)] = 5.0
    """Seconds after the upgrade within which `authenticate` must arrive where the request brought no credential."""
    expiry_notice_s: Annotated[float, Meta(ge=0, le=_DAY_S)] = 60.0
    """Seconds before a connection's end at which `token_expiring` is sent."""
    max_token_bytes: Annotated[int, Meta(ge=128, le=8_000)] = 8_000
    """Bytes of one token. A header line has room for 8,192, of which a longer token would leave too little."""
    token_s: Annotated[int, Meta(ge=1, le=_YEAR_S)] = 900
    """Seconds for which the server's own access tokens are valid."""
    refresh_s: Annotated[int, Meta(ge=1, le=10 * _YEAR_S)] = 30 * _DAY_S
    """Seconds for which a refresh token is valid."""
    max_failures: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    """Failed passwords of one name from one address, after which further ones are not looked at for `lock_s`."""
    lock_s: Annotated[int, Meta(ge=1, le=_YEAR_S)] = 900
    """Seconds for which passwords are not looked at after `max_failures`."""
    system_from_anywhere: bool = False
    """Whether users of role `system` may connect from other machines."""
    replace_connections: bool = False
    """Whether a new connection of a user ends that user's older one."""
    issuers: Annotated[tuple[Issuer, ...], Secret()] = ()
    """Identity providers that sign with keys of their own. Not possible yet."""

    def conflicts(self) -> Iterator[Problem]:
        """An issuer speaks of our users or of its own subjects, never of both; and the latter is not built yet."""
        shared = {self.issuer, *self.jwt_trusted_issuers}
        for each in self.issuers:
            if each.issuer in shared:
                sentence = f"{each.issuer} is also auth.issuer or in auth.jwt_trusted_issuers: remove one"
                yield Problem("auth.issuers", sentence)
        if self.issuers:
            yield Problem(
                "auth.issuers",
                "issuers with keys of their own are built later and not possible yet: remove the entry;"
                " an issuer that signs with auth.jwt_secret goes into auth.jwt_trusted_issuers",
            )


SqlBytes = Annotated[int, Meta(ge=64, le=_MIB)]
Params = Annotated[int, Meta(ge=1, le=32_766)]
Statements = Annotated[int, Meta(ge=1, le=10_000)]
StatementsPerUser = Annotated[int, Meta(ge=1, le=10_000)]
ValueBytes = Annotated[int, Meta(ge=_KIB, le=256 * _MIB)]
Rows = Annotated[int, Meta(ge=1, le=10_000_000)]
ResultBytes = Annotated[int, Meta(ge=_KIB, le=_GIB)]
ReadTimeMs = Annotated[int, Meta(ge=1, le=3_600_000)]
WriteTimeMs = Annotated[int, Meta(ge=1, le=60_000)]
KeptBytes = Annotated[int, Meta(ge=_KIB, le=_TIB)]


@dataclass(frozen=True, kw_only=True)
class StatementLimits(Section, name="limits.role"):
    """Limits of statements for one role; what is None is as in `[limits]`."""

    sql_bytes: SqlBytes | None = None
    params: Params | None = None
    statements: Statements | None = None
    statements_per_user: StatementsPerUser | None = None
    value_bytes: ValueBytes | None = None
    rows: Rows | None = None
    result_bytes: ResultBytes | None = None
    read_time_ms: ReadTimeMs | None = None
    write_time_ms: WriteTimeMs | None = None
    kept_bytes: KeptBytes | None = None


@dataclass(frozen=True, kw_only=True)
class Limits(Section, name="limits"):
    """How much one client, one user, one statement may take. Limits of statements may be set anew for a role in
    `[limits.role.NAME]`. Those of subscriptions take effect once there are any.
    """

    connections: Annotated[int, Meta(ge=1, le=10_000_000)] = 20_000
    """Open connections of the whole server."""
    connections_per_address: Annotated[int, Meta(ge=1, le=10_000_000)] = 200
    """Open connections from one address."""
    connections_per_user: Annotated[int, Meta(ge=1, le=10_000_000)] = 100
    """Open connections of one user."""
    messages_per_s: Annotated[int, Meta(ge=1, le=1_000_000)] = 200
    """Messages a second of one connection, with a burst of twice as many."""
    max_message_bytes: Annotated[int, Meta(ge=_KIB, le=256 * _MIB)] = DEFAULT_MESSAGE_BYTES
    """Bytes of one message after authentication (before it: 16,384 at most)."""
    sql_bytes: SqlBytes = 16_384
    """Bytes of one SQL text."""
    params: Params = 1_000
    """Parameters of one statement."""
    statements: Statements = 100
    """Statements of one request."""
    statements_per_user: StatementsPerUser = 16
    """Queries of one user that run at once, wait for the database, or have an answer that was not read yet, over all
    connections."""
    value_bytes: ValueBytes = _MIB
    """Bytes of one value, and of one row that is stored or sorted, its key and its owner with it. Parameters are held
    to that of the role; what is computed or stored to the largest of all roles, and to 131072 where all are smaller."""
    rows: Rows = 10_000
    """Rows of one result."""
    result_bytes: ResultBytes = 8 * _MIB
    """Bytes of one result."""
    read_time_ms: ReadTimeMs = 2_000
    """Milliseconds that a reading statement may run."""
    write_time_ms: WriteTimeMs = 100
    """Milliseconds that all writes of a request may run; they hold up everybody else's."""
    kept_bytes: KeptBytes = 64 * _MIB
    """Bytes of the results that are kept for one user's idempotency keys, each with 512 more for its key."""
    in_flight: Annotated[int, Meta(ge=1, le=10_000)] = 16
    """Requests of one connection that run at once; the rest waits."""
    subscriptions: Annotated[int, Meta(ge=1, le=100_000)] = 100
    """Subscriptions of one connection."""
    role: Mapping[RoleName, StatementLimits] = field(default_factory=dict)
    """Limits of statements that differ for a role."""

    def of(self, role: RoleName) -> "Limits":
        """The limits as they are for a role."""
        own = self.role.get(role, StatementLimits())
        given = {each.name: getattr(own, each.name) for each in fields(own)}
        return replace(self, **{key: value for key, value in given.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Section, name="heartbeat"):
    """Pings that find dead connections (RFC 6455 5.5.2)."""

    interval_s: Annotated[float, Meta(ge=0.05, le=3600)] = 25.0
    """Seconds of silence after which a connection is pinged."""
    timeout_s: Annotated[float, Meta(ge=0.05, le=3600)] = 10.0
    """Seconds to wait for the answer before the connection ends."""


@dataclass(frozen=True, kw_only=True)
class Storage(Section, name="storage"):
    """Where the data is, and how safe a confirmed write is."""

    path: FilledText = "data"
    """Directory of the database, its lock and its secrets; made when missing. A relative one begins where the server is
    started.
    """
    synchronous: Literal["full", "normal", "off"] = "full"
    """When a write is confirmed: `full` after it is on the disk, `normal` after it would survive a crash of the process
    but perhaps not of the machine, `off` without waiting.
    """
    retention_s: Annotated[int, Meta(ge=0, le=10 * _YEAR_S)] = _DAY_S
    """Seconds for which changes are kept for subscriptions that resume."""
    retention_bytes: Annotated[int, Meta(ge=_MIB, le=1024 * _TIB)] = _GIB
    """Bytes of changes kept for subscriptions that resume."""


@dataclass(frozen=True, kw_only=True)
class Live(Section, name="live"):
    """Slow readers, and subscriptions, whose settings take effect once there are any."""

    max_snapshot_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = 8 * _MIB
    """Bytes of one snapshot."""
    snapshots_at_once: Annotated[int, Meta(ge=1, le=10_000)] = 16
    """Snapshots that are read and sent at the same time."""
    min_interval_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 50
    """Milliseconds between two evaluations of one query that cannot be followed row by row."""
    unsent_bytes: Annotated[int, Meta(ge=_KIB, le=_GIB)] = _MIB
    """Bytes that wait for a slow reader before its subscriptions pause."""
    slow_consumer_timeout_s: Annotated[float, Meta(ge=0.05, le=86_400)] = 60.0
    """Seconds that a reader may stay stuck before its connection ends."""


@dataclass(frozen=True, kw_only=True)
class Audit(Section, name="audit"):
    """The record of who did what, and who came in."""

    retention_s: Annotated[int, Meta(ge=0, le=100 * _YEAR_S)] = 90 * _DAY_S
    """Seconds for which its rows are kept."""


@dataclass(frozen=True, kw_only=True)
class Ops(Section, name="ops"):
    """Logs and metrics."""

    listen: Annotated[str, Check(listen_fault)] = ""
    """`host:port` of a listener of its own for metrics, without authentication. Empty: none. Not possible yet."""
    log: Literal["human", "json"] = "human"
    """Form of the log lines on standard error."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are logged."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting, by section."""

    server: Server = field(default_factory=Server)
    handshake: Handshake = field(default_factory=Handshake)
    auth: Auth = field(default_factory=Auth)
    limits: Limits = field(default_factory=Limits)
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    storage: Storage = field(default_factory=Storage)
    live: Live = field(default_factory=Live)
    audit: Audit = field(default_factory=Audit)
    ops: Ops = field(default_factory=Ops)

    def with_secret(self, jwt_secret: str) -> "Config":
        """The same with another `auth.jwt_secret`. Raises: ConfigError: It is short or a known example."""
        return replace(self, auth=replace(self.auth, jwt_secret=jwt_secret))

    def check_loopback(self) -> None:
        """What `--dev` demands. Raises: ConfigError: The host can be reached from elsewhere."""
        if self.server.host not in _LOOPBACK:
            sentence = f"is {self.server.host}, but --dev listens on loopback only: {', '.join(_LOOPBACK)}"
            raise ConfigError((Problem("server.host", sentence),))

    def check_secret(self) -> None:
        """A step of its own, so that `--dev` can supply a secret first. Raises: ConfigError: There is none."""
        if not self.auth.jwt_secret:
            sentence = f"is required: set it in the environment as WATCHWORD_AUTH__JWT_SECRET; {HOW_TO_MAKE_ONE}"
            raise ConfigError((Problem("auth.jwt_secret", sentence),))
