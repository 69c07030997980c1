"""A PostgreSQL to ask: one of our own in a directory of its own, and the little of its protocol that asking takes.

Used by `make test-postgres`, and by the scripts that record what `tests/conformance` holds.
Source: PostgreSQL, chapter "Frontend/Backend Protocol".
"""

import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Answer", "NoPostgresError", "Postgres", "find_binaries", "running_postgres"]

DEBIAN: Final = Path("/usr/lib/postgresql")
VERSIONS: Final = range(13, 18)
# PostgreSQL refuses to run as root. Debian's package makes the first of these, the second is there without it.
UNPRIVILEGED: Final = ("postgres", "nobody")


class NoPostgresError(Exception):
    """There is none to start here. The sentence says what to do."""


@dataclass(frozen=True)
class Answer:
    """What PostgreSQL said. `error`: the SQLSTATE, and then `message`; values are in text form."""

    names: tuple[str, ...] = ()
    types: tuple[int, ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    tag: str = ""
    error: str | None = None
    message: str = ""


class Postgres:
    """A connection on a Unix socket, without password. `version`: the server's major one."""

    def __init__(self, directory: Path, user: str = "postgres") -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(directory / ".s.PGSQL.5432"))
        self._stream = self._socket.makefile("rb")
        start = struct.pack("!i", 196608) + f"user\0{user}\0database\0postgres\0\0".encode()
        self._socket.sendall(struct.pack("!i", len(start) + 4) + start)
        self._collect()
        self.version = int(self.ask("SHOW server_version_num").rows[0][0] or 0) // 10_000

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._socket.close()

    def ask(self, sql: str, parameters: Sequence[str | None] = ()) -> Answer:
        """Run one statement; parameters are texts, of the types that PostgreSQL finds for them."""
        values = b"".join(_value(value) for value in parameters)
        counts = struct.pack("!hh", 0, len(parameters)) + values + struct.pack("!h", 0)
        messages = (
            (b"P", b"\0" + sql.encode() + b"\0" + struct.pack("!h", 0)),
            (b"B", b"\0\0" + counts),
            (b"D", b"P\0"),
            (b"E", b"\0" + struct.pack("!i", 0)),
            (b"S", b""),
        )
        self._socket.sendall(b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in messages))
        return self._collect()

    def _collect(self) -> Answer:
        """Everything up to the next ReadyForQuery."""
        names: tuple[str, ...] = ()
        types: tuple[int, ...] = ()
        rows: list[tuple[str | None, ...]] = []
        tag, error, message = "", None, ""
        while True:
            kind = self._stream.read(1)
            if not kind:
                raise ConnectionError("PostgreSQL has gone")
            (length,) = struct.unpack("!i", self._stream.read(4))
            body = self._stream.read(length - 4)
            if kind == b"Z":
                return Answer(names, types, tuple(rows), tag, error, message)
            if kind == b"T":
                names, types = _description(body)
            elif kind == b"D":
                rows.append(_row(body))
            elif kind == b"C":
                tag = body[:-1].decode()
            elif kind == b"E":
                fields = {part[:1]: part[1:].decode() for part in body.split(b"\0") if part}
                error, message = fields[b"C"], fields[b"M"]


def _value(value: str | None) -> bytes:
    if value is None:
        return struct.pack("!i", -1)
    return struct.pack("!i", len(value.encode())) + value.encode()


def _description(body: bytes) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names, types, place = [], [], 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", place)
        names.append(body[place:end].decode())
        types.append(struct.unpack_from("!i", body, end + 7)[0])
        place = end + 19
    return tuple(names), tuple(types)


def _row(body: bytes) -> tuple[str | None, ...]:
    values: list[str | None] = []
    place = 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        (length,) = struct.unpack_from("!i", body, place)
        place += 4
        values.append(None if length < 0 else body[place : place + length].decode())
        place += max(length, 0)
    return tuple(values)


def find_binaries(debian: Path = DEBIAN) -> Path:
    """Where `initdb` and `pg_ctl` are: of the `pg_config` in the path, else of Debian's newest version.

    Raises:
        NoPostgresError: Neither has a server of a version that the cases know.
    """
    candidates = []
    if config := shutil.which("pg_config"):
        said = subprocess.run((config, "--bindir"), check=True, capture_output=True, text=True)
        candidates.append(Path(said.stdout.strip()))
    numbered = [each for each in debian.glob("*/bin") if each.parent.name.isdigit()]
    candidates += sorted(numbered, key=lambda each: int(each.parent.name), reverse=True)
    for candidate in candidates:
        if _version(candidate) in VERSIONS:
            return candidate
    known = f"{VERSIONS.start} to {VERSIONS.stop - 1}"
    raise NoPostgresError(
        f"No PostgreSQL {known} is here: install its server (Debian, Ubuntu: apt install postgresql)."
    )


def _version(binaries: Path) -> int | None:
    """The major version of the server there; None: there is none."""
    if not all((binaries / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    said = subprocess.run((binaries / "postgres", "--version"), check=True, capture_output=True, text=True)
    found = re.search(r"\d+", said.stdout)
    return int(found[0]) if found else None


def _unprivileged() -> pwd.struct_passwd | None:
    """As whom to run it; None: as ourselves."""
    if os.geteuid():
        return None
    names = {each.pw_name: each for each in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in names:
            return names[name]
    raise NoPostgresError(
        f"PostgreSQL does not run as root, and no user {' or '.join(UNPRIVILEGED)} is here: make one."
    )


@contextmanager
def running_postgres(binaries: Path | None = None) -> Iterator[Path]:
    """A server with an empty database, as an unprivileged user; gives the directory of its socket.

    Raises:
        NoPostgresError: There is none, or nobody to run it.
    """
    binaries = binaries or find_binaries()
    user = _unprivileged()
    # Not where TMPDIR says: a socket's path has 107 bytes at most, and that user has to get there.
    with tempfile.TemporaryDirectory(prefix="watchword-postgres-", dir="/tmp") as name:
        directory = Path(name)
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        who = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

        def run(*command: str) -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=directory, **who)  # type: ignore[call-overload]  # as whom

        data = str(directory / "data")
        run(str(binaries / "initdb"), "-D", data, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "-U", "postgres")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={directory} -c timezone=UTC -c fsync=off -c jit=off"
        )
        run(str(binaries / "pg_ctl"), "-D", data, "-o", options, "-l", str(directory / "log"), "-w", "start")
        try:
            yield directory
        finally:
            run(str(binaries / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
