"""A text of several statements, one by one: pure."""

from typing import Final, NamedTuple

from watchword_server.sql.fault import SqlFault
from watchword_server.sql.lex import TokenKind, lex

__all__ = ["Piece", "split_script"]

_ANY_SIZE: Final = 2**62  # the server's limits are for each statement, and its own to tell


class Piece(NamedTuple):
    """One statement, and where it begins: line and column, both from 1."""

    text: str
    line: int
    column: int

    def place(self, line: int, column: int) -> tuple[int, int]:
        """A place in the statement as one in the whole text."""
        return self.line + line - 1, column + self.column - 1 if line == 1 else column


def split_script(text: str) -> list[Piece]:
    """The statements of a text, split at `;` outside strings, names and comments.

    Raises:
        ValueError: It cannot be split; the sentence says where and why.
    """
    try:
        tokens = lex(text, max_bytes=_ANY_SIZE, max_parameters=_ANY_SIZE)
    except SqlFault as fault:
        line, column = fault.place(text) or (1, 1)
        raise ValueError(f"{fault.message.removesuffix('.')} (line {line}, column {column})") from None
    pieces: list[Piece] = []
    start: int | None = None
    for token in tokens:
        is_end = token.kind is TokenKind.END or token.key == ";"
        if is_end and start is not None:
            pieces.append(_piece(text, start, token.at))
            start = None
        elif not is_end and start is None:
            start = token.at
    return pieces


def _piece(text: str, start: int, end: int) -> Piece:
    before = text[:start]
    return Piece(text[start:end].rstrip(), before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1)
