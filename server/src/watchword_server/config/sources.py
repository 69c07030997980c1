"""Flags, environment, file, defaults: one `Config`, or every problem at once with the place where it stands.

Each source becomes a flat list of `Given`; all are checked alike against the table of keys; the first source that names
a key decides it. What a weaker source says is checked all the same, since it would surprise later.
"""

import difflib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_origin

from watchword_server.config.lines import line_of
from watchword_server.config.settings import ROLES, Config, Issuer, Section, StatementLimits, field_types
from watchword_server.config.values import ConfigError, Problem, checked, shown

__all__ = ["FLAGS", "KEYS", "load_config"]

Key = tuple[str, ...]

FLAGS: Final = {"server.host": "--host", "server.port": "--port", "storage.path": "--data"}
"""Keys that the command line sets, and the flag that does."""

_PREFIX: Final = "WATCHWORD_"
_LEVEL: Final = "__"
_ISSUERS: Final = ("auth", "issuers")

_TABLES: Final[Mapping[Key, type[Section]]] = {
    **{(name,): section for name, section in field_types(Config).items()},
    **{("limits", "role", role): StatementLimits for role in ROLES},
}

KEYS: Final[Mapping[Key, Any]] = {
    (*table, name): kind
    for table, section in _TABLES.items()
    for name, kind in field_types(section).items()
    if (*table, name) != ("limits", "role")
}
"""Every key that can be set, and its type."""


class Given(NamedTuple):
    """A value that somebody gave: `where` in words for people."""

    key: Key
    value: object
    where: str


def load_config(path: Path | None, *, environ: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """The settings in force. `auth.jwt_secret` may still be missing: `Config.check_secret` is the next step.

    Args:
        path: The file; None reads none.
        environ: Variables like `WATCHWORD_SERVER__PORT`; a list is a JSON array. Others are ignored.
        flags: Values by dotted key (`{"server.port": 8080}`); None counts as not given.
    Raises:
        ConfigError: All that is wrong, each with its key and place.
    """
    problems: list[Problem] = []
    values: dict[Key, object] = {}
    places: dict[Key, str] = {}
    for source in (_from_flags(flags), _from_environment(environ), _from_file(path)):
        for each in source:
            if isinstance(each, Problem):
                problems.append(each)
                continue
            try:
                value = _checked(each)
            except ConfigError as error:
                problems.extend(error.problems)
                continue
            if each.key not in values:
                values[each.key], places[each.key] = value, each.where
    config = _build(values, places, problems)
    problems.extend(_unreadable(config, places))
    if problems:
        raise ConfigError(tuple(dict.fromkeys(problems)))
    return config


def _from_flags(flags: Mapping[str, object]) -> Iterator[Given | Problem]:
    for name, value in flags.items():
        if value is not None:
            key = tuple(name.split("."))
            where = FLAGS.get(name, "--" + key[-1].replace("_", "-"))
            yield Given(key, value, where) if key in KEYS else _unknown(name, where)


def _from_environment(environ: Mapping[str, str]) -> Iterator[Given | Problem]:
    # Names without a level are not settings: WATCHWORD_URL and WATCHWORD_TOKEN are a client's, and a container platform
    # sets WATCHWORD_PORT and its like for a service of this name.
    for variable, text in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or _LEVEL not in variable:
            continue
        where = f"environment {variable}"
        key = tuple(variable.removeprefix(_PREFIX).lower().split(_LEVEL))
        if key in KEYS and variable == variable.upper():
            yield Given(key, _from_text(KEYS[key], text), where)
        else:
            yield _unknown(".".join(key), where)


def _from_text(kind: Any, text: str) -> object:
    """A variable's text as a value; what cannot be read stays text, which its check refuses with the right sentence."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if bare is str or get_origin(bare) is Literal:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _from_file(path: Path | None) -> Iterator[Given | Problem]:
    if path is None:
        return
    place = str(path)
    try:
        # A byte order mark is what some editors write and TOML does not know.
        text = path.read_text(encoding="utf-8-sig")
        tree = tomllib.loads(text)
    except UnicodeDecodeError:
        yield Problem("", "is not UTF-8 text", place)
    except OSError as error:
        yield Problem("", f"cannot be read: {error.strerror}", place)
    except RecursionError:
        yield Problem("", "is nested too deeply", place)
    except ValueError as error:  # not TOML; or an integer of more digits than Python converts
        yield Problem("", f"is not valid TOML: {error}", place)
    else:
        yield from _from_table(tree, (), lambda key: f"{place} line {line_of(text, key)}")


def _from_table(table: Mapping[str, Any], above: Key, where: Callable[[Key], str]) -> Iterator[Given | Problem]:
    for name, value in table.items():
        key = (*above, name)
        if key in KEYS:
            yield Given(key, value, where(key))
        elif not any(known[: len(key)] == key for known in KEYS):
            yield _unknown(".".join(key), where(key))
        elif isinstance(value, Mapping):
            yield from _from_table(value, key, where)
        else:
            yield Problem(".".join(key), "is a section, not a value: write [" + ".".join(key) + "]", where(key))


def _unknown(name: str, where: str) -> Problem:
    if name.startswith("limits.role.") and name.split(".")[2] not in ROLES:
        return Problem(name, f"unknown role; roles are {', '.join(ROLES)}", where)
    near = difflib.get_close_matches(name, [".".join(key) for key in KEYS], n=1)
    return Problem(name, "unknown setting" + (f"; did you mean {near[0]}?" if near else ""), where)


def _checked(given: Given) -> Any:
    """The value as its type. Raises: ConfigError."""
    value = given.value
    try:
        if given.key == _ISSUERS and isinstance(value, list):
            value = [_issuer(table) for table in value]
        return checked(KEYS[given.key], value)
    except ConfigError as error:
        sentences = [each.sentence for each in error.problems]
    except ValueError as error:
        sentences = [str(error)]
    raise ConfigError(tuple(Problem(".".join(given.key), sentence, given.where) for sentence in sentences))


def _issuer(table: object) -> Issuer:
    """One of `[[auth.issuers]]`. It may hold a secret, so no message shows it whole."""
    types = field_types(Issuer)
    if not isinstance(table, Mapping):
        raise ValueError(f"expected a list of tables, one of them is {shown(table)}")
    if unknown := sorted(set(table) - set(types)):
        raise ValueError(f"unknown member {unknown[0]}; members are {', '.join(types)}")
    if "issuer" not in table:
        raise ValueError("needs issuer, the exact text of the token's iss")
    return Issuer(**table)


def _build(values: Mapping[Key, object], places: Mapping[Key, str], problems: list[Problem]) -> Config:
    """The sections from their checked values; what only shows between two values joins the problems."""
    # A key that could not be read may be the very one that another needs, so such a report could be untrue.
    doubtful = {problem.key for problem in problems}
    sections: dict[str, Any] = {}
    roles = {role: StatementLimits(**own) for role in ROLES if (own := _members(values, ("limits", "role", role)))}
    for name, section in field_types(Config).items():
        members = _members(values, (name,))
        if name == "limits":
            members["role"] = roles
        try:
            sections[name] = section(**members)
        except ConfigError as error:
            sections[name] = section()
            for problem in error.problems:
                if problem.beside not in doubtful:
                    where = places.get(tuple(problem.key.split(".")))
                    problems.append(Problem(problem.key, problem.sentence, where))
    return Config(**sections)


def _members(values: Mapping[Key, object], table: Key) -> dict[str, Any]:
    return {key[-1]: value for key, value in values.items() if key[:-1] == table}


def _unreadable(config: Config, places: Mapping[Key, str]) -> Iterator[Problem]:
    """Files that the configuration names and that cannot be opened."""
    for name in ("tls_certificate", "tls_key"):
        if file := getattr(config.server, name):
            try:
                with Path(file).open("rb"):
                    pass
            except OSError as error:
                yield Problem(f"server.{name}", f"{file} cannot be read: {error.strerror}", places[("server", name)])
