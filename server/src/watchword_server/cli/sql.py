"""`watchword sql`: statements to a running server, from the command line."""

import io
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchword_server.cli.credential import Password, Token, User, authorization
from watchword_server.cli.endpoint import Endpoint, Refusal
from watchword_server.cli.failure import Failure
from watchword_server.cli.script import Piece, split_script

__all__ = ["sql"]

_URL: Final = "ws://127.0.0.1:8080"
_STDIN: Final = "-"
_PIPE_CHARACTERS: Final = 10_000  # of a line; what is longer is folded, since short rows are filled up to the longest
_NUMBERS: Final = frozenset({"SmallInt", "Int", "BigInt", "Double"})


def sql(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL] [FILE]",
            help="Where the server is (default: WATCHWORD_URL, else ws://127.0.0.1:8080), and a file of statements; "
            "- is standard input.",
            show_default=False,
        ),
    ] = None,
    command: Annotated[
        str | None, typer.Option("--command", "-c", metavar="SQL", help="The statements.", show_default=False)
    ] = None,
    token: Token = None,
    user: User = None,
    password: Password = None,
    as_user: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Act for a user of role user (service and up).", show_default=False),
    ] = None,
    single_transaction: Annotated[
        bool, typer.Option("--single-transaction", "-1", help="All statements happen together or not at all.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array of objects for each statement with rows.")
    ] = False,
) -> None:
    """Run SQL on a running server and show its rows.

    Statements run one after another, each on its own; the first that fails ends it, with its place in the text.

    Examples:

    \b
      export WATCHWORD_TOKEN=$(watchword token ada --data data)
      watchword sql -c "SELECT id, body FROM app.notes"
      watchword sql wss://db.example schema.sql
      echo "SELECT 1; SELECT 2" | watchword sql --json - | jq
    """
    if sys.stdout is None:  # closed: what cannot be shown is not run
        raise Failure("standard output is closed, so nothing can be shown")
    url, file = _read_source(source or [])
    text = _read_text(command, file)
    endpoint = Endpoint(url or _default_url(), authorization(token, user, password))
    try:
        pieces = split_script(text)
    except ValueError as error:
        raise Failure(str(error)) from None
    if not pieces:
        raise Failure("there is no statement to run")
    if single_transaction:
        pieces = [Piece(text, 1, 1)]
    for piece in pieces:
        request = {"sql": piece.text} | ({"as_user": as_user} if as_user is not None else {})
        try:
            results = endpoint.ask(request)
        except Refusal as refusal:
            raise Failure(_describe(refusal.error, piece)) from None
        for result in results:
            _show(result, as_json=as_json)


def _default_url() -> str:
    return os.environ.get("WATCHWORD_URL") or _URL


def _read_source(source: list[str]) -> tuple[str | None, str | None]:
    """URL and file, each where it is given: a URL has `://` in it."""
    urls = [each for each in source if "://" in each]
    files = [each for each in source if "://" not in each]
    if len(urls) > 1 or len(files) > 1:
        raise Failure("give at most one URL and one file")
    return next(iter(urls), None), next(iter(files), None)


def _read_text(command: str | None, file: str | None) -> str:
    if command is not None:
        if file is not None:
            raise Failure(f"give the statements once: with -c, or in {file}")
        return command
    try:
        if file is not None and file != _STDIN:
            return Path(file).read_text(encoding="utf-8-sig")
        if file == _STDIN or (sys.stdin is not None and not sys.stdin.isatty()):
            return sys.stdin.buffer.read().decode("utf-8-sig") if sys.stdin is not None else ""
    except UnicodeDecodeError:
        raise Failure(f"{'standard input' if file in (None, _STDIN) else file} is not text in UTF-8") from None
    raise Failure('there is nothing to run: give statements with -c "SELECT ...", a file, or standard input')


def _describe(error: Mapping[str, Any], piece: Piece) -> str:
    sentence = f"{error.get('code')}: {error.get('message')}"
    line, column = error.get("line"), error.get("column")
    if not isinstance(line, int) or not isinstance(column, int):
        # Without a place of its own, the statement's; with one statement there is nothing to find.
        return f"{sentence} (statement at line {piece.line})" if piece.line > 1 else sentence
    line, column = piece.place(line, column)
    return f"{sentence} (line {line}, column {column})"


def _show(result: Mapping[str, Any], *, as_json: bool) -> None:
    columns, rows = result["schema"], result["rows"]
    names = [column["name"] for column in columns]
    if as_json:
        if twice := [name for place, name in enumerate(names) if name in names[:place]]:
            raise Failure(f"more than one column has the name {_printable(twice[0])}: for --json rename one with AS")
        if columns:
            typer.echo(_json([dict(zip(names, row, strict=True)) for row in rows]))
        return
    count = result["row_count"]
    counted = f"({count} row{'' if count == 1 else 's'}{'' if columns else ' affected'})"
    if columns:
        table = Table(box=None, pad_edge=False)
        for column in columns:
            is_number = column["data_type"] in _NUMBERS
            table.add_column(
                Text(_printable(column["name"])), overflow="fold", justify="right" if is_number else "left"
            )
        for row in rows:
            table.add_row(*[Text(_cell(value)) for value in row])
        typer.echo(_render(table))
    typer.echo(counted)


def _render(table: Table) -> str:
    """Values are text, never markup; a pipe has no width to fit into, but an end."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_CHARACTERS
    lines = io.StringIO()
    Console(file=lines, markup=False, emoji=False, highlight=False, width=width).print(table)
    return "\n".join(line.rstrip() for line in lines.getvalue().splitlines())


def _cell(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return _printable(value)
    return _json(value)


def _json(value: object) -> str:
    """JSON in which, too, nothing of somebody's data steers the terminal."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _printable(text: str) -> str:
    """Nothing of somebody's data steers the terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
