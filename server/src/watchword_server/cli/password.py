"""A new password, from standard input or from a person."""

import sys

import typer

from watchword_server.auth.passwords import MAX_PASSWORD_BYTES, check_password
from watchword_server.cli.failure import Failure

__all__ = ["read_password"]


def read_password(*, from_stdin: bool) -> str:
    """A password that may be set: all of standard input but one newline at its end, or typed twice.

    Raises:
        Failure: It may not be set, or there is nobody to type it.
    """
    if sys.stdin is None:
        raise Failure("standard input is closed: write the password to it, with --password-stdin")
    if from_stdin:
        # Two bytes more than fit: one for the newline, one to see that it is too long.
        given = sys.stdin.buffer.read(MAX_PASSWORD_BYTES + 2)
        try:
            password = given.decode().removesuffix("\n")
        except UnicodeDecodeError:
            raise Failure("the password on standard input is not UTF-8 text") from None
    elif sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        raise Failure("standard input is not a terminal: give --password-stdin and write the password to it")
    try:
        return check_password(password)
    except ValueError as error:
        raise Failure(str(error)) from None
