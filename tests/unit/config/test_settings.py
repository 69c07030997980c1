"""The settings as they are made in code: defaults, ranges, what is never shown."""

import ast
import inspect
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from watchword_server.config import Auth, Config, ConfigError, Issuer, Limits, Ops, Server, StatementLimits, settings
from watchword_server.config.settings import ROLES, Section, field_types
from watchword_server.config.values import expected
from watchword_server.user import Role

SECTIONS = dict(field_types(Config))
SECRET = "correct horse battery staple, and more"

# The contract: sections, names, defaults. Written out a second time, so that a change is a decision.
DEFAULTS: dict[str, dict[str, Any]] = {
    "server": {
        "host": "127.0.0.1",
        "port": 8080,
        "origins": (),
        "trusted_proxies": (),
        "tls_certificate": "",
        "tls_key": "",
        "workers": 1,
    },
    "handshake": {"reject": "close", "header_timeout_s": 5, "max_header_bytes": 32768},
    "auth": {
        "jwt_secret": "",
        "jwt_trusted_issuers": (),
        "issuer": "watchword",
        "audience": "",
        "leeway_s": 30,
        "auth_timeout_s": 5,
        "expiry_notice_s": 60,
        "max_token_bytes": 8000,
        "token_s": 900,
        "refresh_s": 2592000,
        "max_failures": 10,
        "lock_s": 900,
        "system_from_anywhere": False,
        "replace_connections": False,
        "issuers": (),
    },
    "limits": {
        "connections": 20000,
        "connections_per_address": 200,
        "connections_per_user": 100,
        "messages_per_s": 200,
        "max_message_bytes": 1048576,
        "sql_bytes": 16384,
        "params": 1000,
        "statements": 100,
        "statements_per_user": 16,
        "value_bytes": 1048576,
        "rows": 10000,
        "result_bytes": 8388608,
        "read_time_ms": 2000,
        "write_time_ms": 100,
        "kept_bytes": 67_108_864,
        "in_flight": 16,
        "subscriptions": 100,
        "role": {},
    },
    "heartbeat": {"interval_s": 25, "timeout_s": 10},
    "storage": {"path": "data", "synchronous": "full", "retention_s": 86400, "retention_bytes": 1073741824},
    "live": {
        "max_snapshot_bytes": 8388608,
        "snapshots_at_once": 16,
        "min_interval_ms": 50,
        "unsent_bytes": 1048576,
        "slow_consumer_timeout_s": 60,
    },
    "audit": {"retention_s": 7776000},
    "ops": {"listen": "", "log": "human", "log_level": "info"},
}


def test_sections_keys_and_defaults_are_those_of_the_contract() -> None:
    config = Config()
    assert {
        section: {each.name: getattr(getattr(config, section), each.name) for each in fields(kind)}
        for section, kind in SECTIONS.items()
    } == DEFAULTS


def test_roles_of_the_settings_are_the_roles_of_users() -> None:
    """They are written twice, since settings lie below users."""
    assert list(ROLES) == [role.value for role in Role]


def test_every_setting_has_a_docstring_and_a_described_type() -> None:
    tree = ast.parse(inspect.getsource(settings))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name not in ("Config", "Section")]
    for node in classes:
        documented = [
            isinstance(below, ast.Expr)
            for above, below in zip(node.body, node.body[1:], strict=False)
            if isinstance(above, ast.AnnAssign)
        ]
        assert all(documented) or node.name == "StatementLimits", node.name
    for kind in SECTIONS.values():
        for each in field_types(kind).values():
            assert expected(each)


@pytest.mark.parametrize("name", list(SECTIONS))
def test_section_cannot_be_changed(name: str) -> None:
    section = getattr(Config(), name)
    with pytest.raises(FrozenInstanceError):
        setattr(section, fields(section)[0].name, None)


@pytest.mark.parametrize("size", [1, 31])
def test_short_secret_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=rf"^auth.jwt_secret: needs at least 32 bytes, has {size}; make one with"):
        Auth(jwt_secret="x" * size)


def test_secret_is_measured_in_bytes() -> None:
    assert Auth(jwt_secret="é" * 16).jwt_secret == "é" * 16


@pytest.mark.parametrize(
    "secret",
    [
        "change-me-please-change-me-please-change-me",
        "CHANGE_ME_IN_PRODUCTION_0123456789abcdef",
        "your-secret-key-that-is-very-very-long-indeed",
        "a-string-secret-at-least-256-bits-long",
        "super-secret-jwt-token-with-at-least-32-characters-long",
    ],
)
def test_known_example_is_refused_as_secret(secret: str) -> None:
    with pytest.raises(ConfigError, match=r"^auth.jwt_secret: is a known example") as caught:
        Auth(jwt_secret=secret)
    assert secret not in str(caught.value)


def test_missing_secret_is_told_with_a_way_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"WATCHWORD_AUTH__JWT_SECRET; make one with: python3 -c"):
        Config().check_secret()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_loopback(host: str) -> None:
    Config(server=Server(host=host)).check_loopback()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "db.example"])  # noqa: S104  # to be refused, nobody listens
def test_host_that_can_be_reached_is_not_loopback(host: str) -> None:
    with pytest.raises(ConfigError, match=r"^server.host: is .*, but --dev listens on loopback only: 127"):
        Config(server=Server(host=host)).check_loopback()


def test_token_fits_into_a_header_line() -> None:
    """Else the longest would come in by the first message only."""
    assert Auth(max_token_bytes=8_000).max_token_bytes == 8_000
    with pytest.raises(ConfigError, match=r"^auth.max_token_bytes: expected an integer from 128 to 8000"):
        Auth(max_token_bytes=8_001)


def test_secret_can_be_supplied_later() -> None:
    config = Config(server=Server(port=0)).with_secret(SECRET)
    config.check_secret()
    assert (config.auth.jwt_secret, config.server.port) == (SECRET, 0)


def test_secret_shows_in_no_repr() -> None:
    issuer = Issuer(issuer="https://a", secret=SECRET)
    assert SECRET not in repr(Config().with_secret(SECRET)) + repr(issuer)


def test_wrong_kind_of_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        Auth(jwt_secret=[SECRET])  # type: ignore[arg-type]  # what is tested
    assert SECRET not in str(caught.value)


def test_every_wrong_value_of_a_section_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Server(port=-1, workers=0, host="")
    assert [problem.key for problem in caught.value.problems] == ["server.host", "server.port", "server.workers"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Server(tls_key="k.pem"), "server.tls_key: needs server.tls_certificate too"),
        (lambda: Server(tls_certificate="c.pem"), "server.tls_certificate: needs server.tls_key too"),
        (lambda: Server(workers=2), "server.workers: 2 processes are not possible yet: leave it at 1"),
        (lambda: Issuer(issuer="https://a"), "auth.issuers: needs exactly one of secret"),
        (lambda: Issuer(issuer="https://a", discovery=True, jwks_url="https://a/k"), "auth.issuers: needs exactly one"),
        (lambda: Auth(issuers=(Issuer(issuer="https://a", discovery=True),)), "not possible yet"),
        (lambda: Auth(issuers=(Issuer(issuer="watchword", discovery=True),)), "watchword is also auth.issuer"),
        (
            lambda: Auth(jwt_trusted_issuers=("https://b",), issuers=(Issuer(issuer="https://b", discovery=True),)),
            "https://b is also auth.issuer or in auth.jwt_trusted_issuers: remove one",
        ),
        (lambda: Ops(listen="9090"), 'ops.listen: "9090" is not a place to listen'),
    ],
)
def test_values_that_do_not_go_together_are_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert sentence in str(caught.value)


def test_limits_of_a_role_replace_only_what_they_name() -> None:
    limits = Limits(rows=7, sql_bytes=100, role={"service": StatementLimits(rows=9)})
    assert (limits.of("service").rows, limits.of("service").sql_bytes, limits.of("user").rows) == (9, 100, 7)


def test_role_limits_are_limits_with_the_same_types() -> None:
    types = field_types(Limits)
    for name, kind in field_types(StatementLimits).items():
        assert kind == types[name] | None


def test_lists_become_tuples_and_whole_seconds_floats() -> None:
    server = Server(origins=["https://a"])  # type: ignore[arg-type]  # as it comes from a file
    assert server.origins == ("https://a",)
    assert isinstance(Config().handshake.header_timeout_s, float)


def test_every_section_is_a_section() -> None:
    assert all(issubclass(kind, Section) and kind.name == name for name, kind in SECTIONS.items())
