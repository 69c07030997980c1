"""The tables that SQL is measured on, made over the socket of a server that runs.

`app.notes` (USER): each user has the notes 1 to 1,000. `app.log` (USER): what is inserted goes there, and it begins
empty.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

from benchmarks.client import come_in, read_until, upgrade_request
from benchmarks.population import OPERATOR_ID, token

__all__ = ["ROWS", "make_tables"]

ROWS: Final = 1_000
"""Notes of each user."""

_ROWS_AT_ONCE: Final = 100
_DEFINITIONS: Final = (
    "CREATE NAMESPACE IF NOT EXISTS app",
    "DROP TABLE IF EXISTS app.notes",
    "DROP TABLE IF EXISTS app.log",
    "CREATE TABLE app.notes (id BIGINT PRIMARY KEY, body TEXT NOT NULL, done BOOLEAN NOT NULL, at TIMESTAMP) "
    "WITH (TYPE = 'USER')",
    "CREATE TABLE app.log (id BIGINT PRIMARY KEY, body TEXT NOT NULL) WITH (TYPE = 'USER')",
)


def make_tables(port: int, users: Sequence[str]) -> None:
    """Make both tables anew, with the notes of these users (names).

    Raises:
        SystemExit: The server refused a statement.
    """
    header = b"Authorization: Bearer " + token(OPERATOR_ID, role="dba", name="tables")
    client = come_in(port, upgrade_request(header))
    try:
        for query in _queries(users):
            client.sendall(_text_frame(json.dumps({"type": "query", **query}).encode()))
            answer = read_until(client, b"}")
            if b'"type":"result"' not in answer:
                raise SystemExit(f"the server refused {query}: {answer!r}")
    finally:
        client.close()


def _queries(users: Sequence[str]) -> Iterator[dict[str, Any]]:
    for definition in _DEFINITIONS:
        yield {"sql": definition}
    places = ", ".join(f"(${2 * row + 1}, ${2 * row + 2}, FALSE, NOW())" for row in range(_ROWS_AT_ONCE))
    insert = "INSERT INTO app.notes (id, body, done, at) VALUES PLACES".replace("PLACES", places)
    for user in users:
        for first in range(1, ROWS + 1, _ROWS_AT_ONCE):
            rows = range(first, first + _ROWS_AT_ONCE)
            params = [value for row in rows for value in (row, f"the body of note {row}, some forty characters")]
            yield {"sql": insert, "params": params, "as_user": user}


def _text_frame(payload: bytes) -> bytes:
    """One whole frame, masked with zeros, which leave the payload as it is (RFC 6455 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BBI", 0x81, 0x80 | size, 0) + payload
    if size < 65_536:
        return struct.pack("!BBHI", 0x81, 0x80 | 126, size, 0) + payload
    return struct.pack("!BBQI", 0x81, 0x80 | 127, size, 0) + payload
