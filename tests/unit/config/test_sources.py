"""Flags, environment, file, default: which wins, and every problem with its key and place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from watchword_server.config import Config, ConfigError, load_config


def problems(path: Path | None = None, environ: Mapping[str, str] | None = None, **flags: object) -> list[str]:
    """What is wrong, a line each; flags with `__` for the dot."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    with pytest.raises(ConfigError) as caught:
        load_config(path, environ=environ or {}, flags=dotted)
    return str(caught.value).split("\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_nothing_given_is_all_defaults() -> None:
    assert load_config(None, environ={}, flags={}) == Config()


@pytest.mark.parametrize(
    ("flag", "variable", "port"),
    [(1, "2", 1), (None, "2", 2), (0, "2", 0), (None, None, 3)],
)
def test_flag_comes_before_environment_before_file(
    file: Path, flag: int | None, variable: str | None, port: int
) -> None:
    file.write_text("[server]\nport = 3\n")
    environ = {} if variable is None else {"WATCHWORD_SERVER__PORT": variable}
    assert load_config(file, environ=environ, flags={"server.port": flag}).server.port == port


def test_every_form_of_a_variable_is_read() -> None:
    config = load_config(
        None,
        environ={
            "WATCHWORD_SERVER__HOST": "0.0.0.0",  # noqa: S104  # a value to be read, nobody listens
            "WATCHWORD_SERVER__ORIGINS": '["https://a", "https://b:*"]',
            "WATCHWORD_AUTH__SYSTEM_FROM_ANYWHERE": "true",
            "WATCHWORD_AUTH__ISSUER": "5",
            "WATCHWORD_HANDSHAKE__HEADER_TIMEOUT_S": "0.5",
            "WATCHWORD_HANDSHAKE__REJECT": "http",
            "WATCHWORD_LIMITS__ROLE__SERVICE__ROWS": "12",
        },
        flags={},
    )
    assert config.server.host == "0.0.0.0"  # noqa: S104  # see above
    assert config.server.origins == ("https://a", "https://b:*")
    assert config.auth.system_from_anywhere is True
    assert config.auth.issuer == "5"
    assert config.handshake.header_timeout_s == 0.5
    assert config.handshake.reject == "http"
    assert config.limits.of("service").rows == 12


@pytest.mark.parametrize(
    "variable", ["WATCHWORD_URL", "WATCHWORD_TOKEN", "WATCHWORD_PORT", "PATH", "OTHER__THING", "watchword_server__port"]
)
def test_variable_that_is_no_setting_is_ignored(variable: str) -> None:
    assert load_config(None, environ={variable: "tcp://10.0.0.1:1"}, flags={}) == Config()


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("SERVER__PORT", "80 80", 'server.port: expected an integer from 0 to 65535, got "80 80"'),
        ("SERVER__PORT", "1.5", "server.port: expected an integer from 0 to 65535, got 1.5"),
        ("SERVER__PORT", "", 'server.port: expected an integer from 0 to 65535, got ""'),
        ("SERVER__ORIGINS", "https://a", 'server.origins: expected a list of text, got "https://a"'),
        ("SERVER__ORIGINS", '["https://a", 5]', 'server.origins: expected a list of text, got ["https://a", 5]'),
        ("AUTH__SYSTEM_FROM_ANYWHERE", "yes", 'auth.system_from_anywhere: expected true or false, got "yes"'),
        ("AUTH__SYSTEM_FROM_ANYWHERE", "True", 'auth.system_from_anywhere: expected true or false, got "True"'),
        ("HANDSHAKE__REJECT", "no", 'handshake.reject: expected "close" or "http", got "no"'),
        ("HEARTBEAT__INTERVAL_S", "NaN", "heartbeat.interval_s: expected a number from 0.05 to 3600, got NaN"),
        ("HEARTBEAT__INTERVAL_S", "1e999", "heartbeat.interval_s: expected a number from 0.05 to 3600, got Infinity"),
        ("LIMITS__ROWS", "9" * 5000, 'limits.rows: expected an integer from 1 to 10000000, got "99999999999999999'),
        (
            "LIMITS__ROLE__ADMIN__ROWS",
            "1",
            "limits.role.admin.rows: unknown role; roles are user, service, dba, system",
        ),
        ("SERVER__PORTT", "1", "server.portt: unknown setting; did you mean server.port?"),
        ("SERVER__port", "1", "server.port: unknown setting; did you mean server.port?"),
        ("WEATHER__SUN", "1", "weather.sun: unknown setting"),
        ("AUTH__JWT_SECRET", "short", "auth.jwt_secret: needs at least 32 bytes, has 5"),
    ],
)
def test_wrong_variable_is_named(variable: str, text: str, problem: str) -> None:
    [line] = problems(environ={f"WATCHWORD_{variable}": text})
    assert line.startswith(f"environment WATCHWORD_{variable}: {problem}")
    assert len(line) < 300


@pytest.mark.parametrize(
    "table",
    ["secret = ['s3cr3t']", "secret = 's3cr3t'\nkey = 1", "secret = 's3cr3t'\nprovision = 1", "secret = 's3cr3t'"],
)
def test_secret_of_an_issuer_is_not_repeated(file: Path, table: str) -> None:
    file.write_text(f"[[auth.issuers]]\nissuer = 'https://a'\n{table}\n")
    assert "s3cr3t" not in "".join(problems(file))


def test_secret_in_a_wrong_variable_is_not_repeated() -> None:
    [line] = problems(environ={"WATCHWORD_AUTH__JWT_SECRET": "s3cr3t"})
    assert "s3cr3t" not in line


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"server__port": 70000}, "--port: server.port: expected an integer from 0 to 65535, got 70000"),
        ({"server__host": ""}, '--host: server.host: expected text, not empty, got ""'),
        ({"storage__path": ""}, '--data: storage.path: expected text, not empty, got ""'),
        ({"auth__leeway_s": "x"}, '--leeway-s: auth.leeway_s: expected an integer from 0 to 3600, got "x"'),
        ({"server__prot": 1}, "--prot: server.prot: unknown setting; did you mean server.port?"),
    ],
)
def test_wrong_flag_is_named(flags: dict[str, object], problem: str) -> None:
    assert problems(None, None, **flags) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[auth]\n# why\nleeway_s = 'x'", 'line 3: auth.leeway_s: expected an integer from 0 to 3600, got "x"'),
        ("[auth]\nleeway_s = true", "line 2: auth.leeway_s: expected an integer from 0 to 3600, got true"),
        ("[auth]\nleeway_s = 3601", "line 2: auth.leeway_s: expected an integer from 0 to 3600, got 3601"),
        ("[auth]\nlee = 1", "line 2: auth.lee: unknown setting"),
        ("[weather]\nsun = 1", "line 1: weather: unknown setting"),
        ("auth = 1", "line 1: auth: is a section, not a value: write [auth]"),
        ("server.port = 'x'", 'line 1: server.port: expected an integer from 0 to 65535, got "x"'),
        ("[server]\nport = 1979-05-27", "line 2: server.port: expected an integer from 0 to 65535, got 1979-05-27"),
        ("[server]\nport = { a = 1 }", 'line 2: server.port: expected an integer from 0 to 65535, got {"a": 1}'),
        ("[limits.role.service]\nrows = 0", "line 2: limits.role.service.rows: expected an integer from 1"),
        ("[limits.role.service]\nin_flight = 1", "line 2: limits.role.service.in_flight: unknown setting"),
        ("[limits.role.boss]\nrows = 1", "line 1: limits.role.boss: unknown role"),
        ("[server]\nworkers = 4", "line 2: server.workers: 4 processes are not possible yet"),
        ("[storage]\nsynchronous = 'maybe'", 'line 2: storage.synchronous: expected "full", "normal" or "off"'),
        ("[ops]\nlog_level = 'loud'", 'line 2: ops.log_level: expected "debug", "info", "warning" or "error"'),
        ("[server]\ntls_key = 'k'", "line 2: server.tls_key: needs server.tls_certificate too"),
        (
            "[[auth.issuers]]\nissuer = 'https://a'\ndiscovery = true",
            "line 1: auth.issuers: issuers with keys of their own",
        ),
        ("[[auth.issuers]]\nissuer = 'https://a'\nkey = 1", "line 1: auth.issuers: unknown member key"),
        ("[[auth.issuers]]\nissuer = 'https://a'", "line 1: auth.issuers: needs exactly one of"),
        ("[[auth.issuers]]\ndiscovery = true", "line 1: auth.issuers: needs issuer"),
        ("[auth]\nissuers = [5]", "line 2: auth.issuers: expected a list of tables, one of them is 5"),
        ("[auth]\nissuers = 5", "line 2: auth.issuers: expected a list of tables, got something else"),
    ],
)
def test_wrong_line_of_the_file_is_named(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    [line] = problems(file)
    assert line.startswith(f"{file} {problem}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[server\n", "is not valid TOML: "),
        (b"a = 1\na = 2\n", "is not valid TOML: "),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"a = " + b"9" * 5_000, "is not valid TOML: "),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_file_that_cannot_be_read_is_named(file: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        file.write_bytes(content)
    [line] = problems(file)
    assert line.startswith(f"{file}: {problem}")


def test_byte_order_mark_is_no_fault(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 9\r\n")
    assert load_config(file, environ={}, flags={}).server.port == 9


def test_all_problems_are_told_at_once(file: Path) -> None:
    file.write_text("[server]\nport = 'x'\nhots = 'a'\n[auth]\nleeway_s = -1\n")
    environ = {"WATCHWORD_SERVER__PORT": "y", "WATCHWORD_A__B": "1"}
    places = [line.split(": ")[:2] for line in problems(file, environ, server__port=70000)]
    assert places == [
        ["--port", "server.port"],
        ["environment WATCHWORD_A__B", "a.b"],
        ["environment WATCHWORD_SERVER__PORT", "server.port"],
        [f"{file} line 2", "server.port"],
        [f"{file} line 3", "server.hots"],
        [f"{file} line 5", "auth.leeway_s"],
    ]


def test_key_that_could_not_be_read_is_not_missed_by_another(file: Path) -> None:
    """tls_key is there, only wrong: to say that it is missing would send the reader the wrong way."""
    file.write_text("[server]\ntls_certificate = 'c.pem'\ntls_key = 5\n")
    assert problems(file) == [f"{file} line 3: server.tls_key: expected text, got 5"]


def test_tls_files_must_be_readable(file: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "c.pem"
    certificate.write_text("")
    file.write_text(f"[server]\ntls_certificate = '{certificate}'\ntls_key = '{tmp_path / 'k.pem'}'\n")
    assert problems(file) == [
        f"{file} line 3: server.tls_key: {tmp_path / 'k.pem'} cannot be read: No such file or directory"
    ]


def test_issuer_that_is_also_trusted_with_the_secret_is_named(file: Path) -> None:
    file.write_text(
        "[auth]\njwt_trusted_issuers = ['https://a']\n[[auth.issuers]]\nissuer = 'https://a'\ndiscovery = true\n"
    )
    lines = problems(file)
    assert (
        lines[0]
        == f"{file} line 3: auth.issuers: https://a is also auth.issuer or in auth.jwt_trusted_issuers: remove one"
    )
