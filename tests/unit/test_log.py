"""The log on standard error: one line for one event, whatever a stranger put into it, and no local variables."""

import json
import logging
from collections.abc import Generator
from typing import Any, Final, Literal

import pytest
import structlog

from watchword_server.log import configure_log

Form = Literal["human", "json"]

FORMS: Final[tuple[Form, Form]] = ("human", "json")
# What ends a line or moves a cursor: in ASCII, in C1, as Unicode's line separators, as a change of direction.
HOSTILE: Final = ["a\nb", "a\r\nb", "\x1b[2Ja", "a\x00", "a\x9b2J", "a\u2028b", "a\u0085b", "a\u202eb", "a\x7f"]
_LOGGERS: Final = (None, "uvicorn.access", "uvicorn.error", "websockets", "asyncio", "aiosqlite")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Generator[None]:
    """Logging belongs to the whole process: what a test sets up is taken back."""
    root, before = logging.getLogger(), structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    handlers, root.handlers = root.handlers, []
    yield
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(**before)


def fail_with(_password: str) -> None:
    raise ZeroDivisionError("planted")


def caught(password: str) -> Exception:
    try:
        fail_with(password)
    except ZeroDivisionError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_ends_a_line_or_moves_a_cursor(capsys: pytest.CaptureFixture[str], form: Form, hostile: str) -> None:
    log = configure_log(form, "info")
    log.info("refused", user=hostile)
    logging.getLogger("uvicorn.error").warning("of a library: %s", hostile)
    out, err = capsys.readouterr()
    first, second, end = err.split("\n")
    assert (out, end) == ("", "")
    assert first.isprintable()
    assert second.isprintable()
    assert "refused" in first
    assert "of a library" in second


@pytest.mark.parametrize("form", FORMS)
def test_what_can_be_printed_stays_as_it_is(capsys: pytest.CaptureFixture[str], form: Form) -> None:
    configure_log(form, "info").info("refused", user="zo\u00eb", address="192.0.2.7")
    err = capsys.readouterr().err
    assert ("zo\u00eb" if form == "human" else "zo\\u00eb") in err
    assert "192.0.2.7" in err


def test_a_line_of_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    log = configure_log("json", "info")
    log.info("refused", code="INVALID_TOKEN", user="a\nb", number=7)
    logging.getLogger("uvicorn.error").warning("of a library")
    ours, foreign = map(json.loads, capsys.readouterr().err.splitlines())
    time: Any = ours.pop("timestamp")
    assert time.endswith("Z")
    assert ours == {"event": "refused", "level": "info", "code": "INVALID_TOKEN", "user": "a\\nb", "number": 7}
    assert (foreign["event"], foreign["level"]) == ("of a library", "warning")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_traceback_shows_where_and_never_with_what(
    capsys: pytest.CaptureFixture[str], form: Form, *, is_ours: bool
) -> None:
    log, password = configure_log(form, "info"), "correct horse 1"
    if is_ours:
        log.error("internal error", exc_info=caught(password))
    else:
        logging.getLogger("uvicorn.error").error("of a library", exc_info=caught(password))
    err = capsys.readouterr().err
    assert "ZeroDivisionError: planted" in err
    assert "in fail_with" in err
    assert password not in err


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("level", "told"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_what_is_less_important_is_left_out(
    capsys: pytest.CaptureFixture[str], form: Form, level: str, told: int
) -> None:
    log = configure_log(form, level)
    for say in (log.debug, log.info, log.warning):
        say("something")
    assert len(capsys.readouterr().err.splitlines()) == told


@pytest.mark.parametrize("name", [name for name in _LOGGERS if name])
def test_the_libraries_own_chatter_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    configure_log("human", "debug")
    logger = logging.getLogger(name)
    # uvicorn cuts its own off for good in a process that has had a server, as ours has when all tests run.
    monkeypatch.setattr(logger, "propagate", True)
    logger.info("chatter")
    logger.warning("trouble")
    (line,) = capsys.readouterr().err.splitlines()
    assert "trouble" in line
