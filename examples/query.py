"""A small notes application: every user has notes of their own, with the same SQL.

    python examples/query.py init                   once, with the token of a dba
    python examples/query.py add "Buy milk"
    python examples/query.py list
    python examples/query.py search milk
    python examples/query.py delete 1

WATCHWORD_URL (default: ws://127.0.0.1:8080) says where, WATCHWORD_TOKEN as whom. With another user's token the same
commands meet other notes: nothing in the SQL says whose, the server does.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import watchword


async def init(db: watchword.Client) -> None:
    """Make the table. Definitions stand alone in their request."""
    await db.query("CREATE NAMESPACE IF NOT EXISTS app")
    await db.query(
        """
        CREATE TABLE IF NOT EXISTS app.jottings (
            id BIGINT PRIMARY KEY,
            body TEXT NOT NULL,
            written TIMESTAMP NOT NULL
        ) WITH (TYPE = 'USER')
        """
    )
    print("ready")


async def add(db: watchword.Client, body: str) -> None:
    """Add a note under the next free number of this user's. Where another of the user's programs is quicker, go on."""
    while True:
        number = await db.query_value("SELECT coalesce(max(id), 0) + 1 FROM app.jottings")
        with suppress(watchword.ConstraintViolation):
            await db.query("INSERT INTO app.jottings VALUES ($1, $2, now())", number, body)
            print(f"added {number}")
            return


async def show_all(db: watchword.Client) -> None:
    """All notes, oldest first."""
    show(await db.query("SELECT id, body, written FROM app.jottings ORDER BY id"))


async def search(db: watchword.Client, word: str) -> None:
    """The notes with a word in them, in capitals or not."""
    show(
        await db.query(
            "SELECT id, body, written FROM app.jottings WHERE strpos(lower(body), lower($1)) > 0 ORDER BY id", word
        )
    )


async def delete(db: watchword.Client, number: str) -> None:
    """Delete one note."""
    gone = await db.query_one("DELETE FROM app.jottings WHERE id = $1 RETURNING body", int(number))
    print(f"deleted {number}: {gone.body}" if gone else f"there is no note {number}")


def show(notes: Iterable[watchword.Row]) -> None:
    """One line for each."""
    for note in notes:
        print(f"{note.id:>4}  {note.written:%Y-%m-%d %H:%M}  {note.body}")


COMMANDS: dict[str, Callable[..., Awaitable[None]]] = {
    "init": init,
    "add": add,
    "list": show_all,
    "search": search,
    "delete": delete,
}


async def run(name: str, *arguments: str) -> None:
    """Connect, and run one command."""
    url = os.environ.get("WATCHWORD_URL", "ws://127.0.0.1:8080")
    async with watchword.connect(url, token=os.environ.get("WATCHWORD_TOKEN", "")) as db:
        await COMMANDS[name](db, *arguments)


def main() -> None:
    """Read the arguments; an error is one sentence."""
    match sys.argv[1:]:
        case ["init" | "list"] | ["add" | "search" | "delete", _]:
            try:
                asyncio.run(run(*sys.argv[1:]))
            except (watchword.WatchwordError, ValueError) as error:
                sys.exit(f"query: {error}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
