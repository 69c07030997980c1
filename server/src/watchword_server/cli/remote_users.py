"""`watchword user ... --url`: the same on a running server, as statements."""

from typing import Annotated

import typer

from watchword_server.cli.credential import authorization
from watchword_server.cli.endpoint import Endpoint, Refusal
from watchword_server.cli.failure import Failure
from watchword_server.sql.quoting import quoted_text
from watchword_server.user import Role

__all__ = ["RemoteUsers", "Url", "remote_users"]

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Of a running server, like ws://127.0.0.1:8080, in place of a data directory; as whom, say --token or "
        "--user.",
        show_default=False,
    ),
]


class RemoteUsers:
    """The users of a server, for somebody who may administer them. Raises Failure: what the server refuses."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def add(self, name: str, role: Role, email: str | None, password: str) -> None:
        """CREATE USER."""
        clause = "" if email is None else f" EMAIL {quoted_text(email)}"
        self._run(f"CREATE USER {quoted_text(name)} WITH PASSWORD {quoted_text(password)} ROLE {role.value}{clause}")

    def set_password(self, name: str, password: str) -> None:
        """ALTER USER."""
        self._run(f"ALTER USER {quoted_text(name)} SET PASSWORD {quoted_text(password)}")

    def drop(self, name: str) -> None:
        """DROP USER."""
        self._run(f"DROP USER {quoted_text(name)}")

    def _run(self, sql: str) -> None:
        try:
            self._endpoint.ask({"sql": sql})
        except Refusal as refusal:
            raise Failure(f"{refusal.error.get('code')}: {refusal.error.get('message')}") from None


def remote_users(
    url: str | None, *, data: str | None, config: str | None, token: str | None, user: str | None, password: str | None
) -> RemoteUsers | None:
    """The users of the server at this address; None where none is given: then those of a data directory are meant.

    Raises:
        Failure: Both are given, or no credential.
    """
    if url is None:
        return None
    if data is not None or config is not None:
        raise Failure("give --url for a running server, or --data and --config for the directory of a stopped one")
    return RemoteUsers(Endpoint(url, authorization(token, user, password)))
