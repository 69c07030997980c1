"""Two users, one text: each statement is sent by both, and each meets only what is their own."""

from typing import Final, NamedTuple

import watchword
from examples.demo.servers import Server
from examples.demo.tokens import mint

__all__ = ["OWNERS", "SharedText", "compare", "define_tables", "send_same_texts"]

OWNERS: Final = ("ada", "erin")
"""Both of the role user."""

_DEFINITIONS: Final = (
    "CREATE NAMESPACE app",
    "CREATE TABLE app.notes (id BIGINT PRIMARY KEY, body TEXT NOT NULL) WITH (TYPE = 'USER')",
    "CREATE TABLE app.prices (item TEXT PRIMARY KEY, cents INT NOT NULL) WITH (TYPE = 'SHARED')",
)
_PRICES: Final = "INSERT INTO app.prices VALUES ('tea', 250)"

# Statement, and what ada and erin are to be told. The parameters differ, the texts do not.
_INSERT: Final = "INSERT INTO app.notes VALUES (1, $1), (2, 'second') RETURNING id"
_STATEMENTS: Final = (
    ("SELECT id, body FROM app.notes ORDER BY id", "1 ada's, 2 second", "1 erin's, 2 second"),
    ("SELECT count(*) FROM app.notes WHERE TRUE OR 1 = 1", "2", "2"),
    ("UPDATE app.notes SET body = body || '!' RETURNING body", "ada's!, second!", "erin's!, second!"),
    ("SELECT body FROM app.notes WHERE body = 'erin''s!'", "no rows", "erin's!"),
    ("DELETE FROM app.notes WHERE body = 'erin''s!'", "0 affected", "1 affected"),
    ("SELECT count(*), max(id) FROM app.notes", "2 2", "1 2"),
)


class SharedText(NamedTuple):
    """A statement, what it gave each of the two, and where that is wrong."""

    text: str
    given: tuple[str, str]
    differences: list[str]


async def define_tables(server: Server) -> None:
    """A table in which each user sees their own rows, and one that is not theirs.

    Raises:
        watchword.ServerError: A definition was refused.
    """
    async with watchword.connect(server.url, token=mint("root")) as db:
        for definition in _DEFINITIONS:
            await db.query(definition)
        await db.query(_PRICES)


async def send_same_texts(server: Server) -> list[SharedText]:
    """Each statement by both, one after the other."""
    shared: list[SharedText] = []
    first, second = OWNERS
    async with (
        watchword.connect(server.url, token=mint(first)) as ada,
        watchword.connect(server.url, token=mint(second)) as erin,
    ):
        given = tuple([_tell(await db.query(_INSERT, f"{name}'s")) for db, name in ((ada, first), (erin, second))])
        shared.append(compare(_INSERT, given, ("1, 2", "1, 2")))
        for text, *expected in _STATEMENTS:
            given = tuple([_tell(await db.query(text)) for db in (ada, erin)])
            shared.append(compare(text, given, tuple(expected)))
    return shared


def _tell(rows: watchword.Rows) -> str:
    """What was given, in a line."""
    if not rows.columns:
        return f"{rows.row_count} affected"
    return ", ".join(" ".join(str(value) for value in row.values()) for row in rows) or "no rows"


def compare(text: str, given: tuple[str, ...], expected: tuple[str, ...]) -> SharedText:
    """What each of the two was given, held against what each had to be."""
    differences = [
        f"{name} was given {seen}, and should have been given {wanted}"
        for name, seen, wanted in zip(OWNERS, given, expected, strict=True)
        if seen != wanted
    ]
    return SharedText(text, (given[0], given[1]), differences)
