"""A wrong call: values read from arguments, and what the parser refuses, in plain words."""

from typing import Any, Final, cast

import typer

from watchword_server.user import Role

__all__ = ["ROLES", "WRONG_CALL", "describe_wrong_call", "read_lifetime", "read_port", "read_role"]

ROLES: Final = "|".join(role.value for role in Role)
"""The roles, as help shows a choice."""

# All wrong calls have one class, of which typer exports a descendant only: of click's in older releases, its own since.
WRONG_CALL: Final = cast("type[Exception]", typer.BadParameter.__bases__[0])
"""What is raised for arguments that are no call of a command."""

_LIFETIMES_S: Final = (1, 315_360_000)
_PORTS: Final = (0, 65_535)


def read_role(text: str) -> Role:
    """A role by its name. Raises: typer.BadParameter."""
    try:
        return Role(text)
    except ValueError:
        raise typer.BadParameter(f"expected {_one_of(ROLES)}, got {text!r}") from None


def read_port(text: str) -> int:
    """A TCP port, or 0. Raises: typer.BadParameter."""
    return _read_integer(text, *_PORTS)


def read_lifetime(text: str) -> int:
    """Seconds up to ten years. Raises: typer.BadParameter."""
    return _read_integer(text, *_LIFETIMES_S)


def describe_wrong_call(error: Exception) -> list[str]:
    """The lines for the person at the terminal: what is wrong, and where help is; or the help that was missed."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    text = str(getattr(error, "message", error))
    if text.startswith("Usage: "):  # a command without arguments
        return [text]
    name = "" if parameter is None else _name_of(parameter)
    if isinstance(error, typer.BadParameter) and text and name:
        text = f"{name}: {text}"
    elif parameter is not None:
        choices = f": give {_one_of(parameter.metavar)}" if "|" in (parameter.metavar or "") else ""
        text = f"{name} is missing{choices}"
    else:
        text = " ".join(cast("typer.BadParameter", error).format_message().split()).removesuffix(".")
        text = text[:1].lower() + text[1:]
    command = "watchword" if context is None else context.command_path
    return [f"watchword: {text}", f"Help: {command} --help"]


def _name_of(parameter: Any) -> str:
    """`NAME` or `--option`."""
    name = str(parameter.opts[0])
    return name.upper() if parameter.param_type_name == "argument" else name


def _one_of(choice: str) -> str:
    """`a|b|c` in words."""
    *others, last = choice.split("|")
    return f"{', '.join(others)} or {last}"


def _read_integer(text: str, least: int, most: int) -> int:
    # Digits alone: int() would also take 1_000, blanks and the digits of other scripts.
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    raise typer.BadParameter(f"expected an integer from {least} to {most}, got {text!r}")
