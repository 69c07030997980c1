"""Client of Watchword, a realtime SQL server behind a token handshake.

    async with watchword.connect("wss://db.example", token=fetch_token) as db:
        for note in await db.query("SELECT id, body FROM app.notes WHERE stars > $1", 3):
            print(note.id, note.body)

`watchword.sync` is the same for scripts without an event loop.
"""

from watchword import exceptions, sync
from watchword.client import Client, connect
from watchword.credentials import Present, Token, TokenFunction
from watchword.exceptions import *  # noqa: F403  # its __all__, which is a part of ours
from watchword.rows import Row, Rows
from watchword.state import State, Status
from watchword.user import Limits, User
from watchword_protocol import __version__
from watchword_protocol.errors import Advice, ErrorCode

__all__ = [
    "Advice",
    "Client",
    "ErrorCode",
    "Limits",
    "Present",
    "Row",
    "Rows",
    "State",
    "Status",
    "Token",
    "TokenFunction",
    "User",
    "__version__",
    "connect",
    "sync",
]
__all__ += exceptions.__all__
