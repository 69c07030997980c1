"""Logs on standard error: for people or as JSON lines, one form for ours and for the libraries'."""

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

__all__ = ["configure_log"]

# The libraries' own chatter: what matters of it is told by us.
_QUIET: Final = ("uvicorn.access", "websockets", "asyncio", "aiosqlite")


def configure_log(form: Literal["human", "json"], level: str) -> FilteringBoundLogger:
    """Send every log line of the process to standard error; the logger for ours.

    Args:
        form: `human` for a terminal, `json` for one object a line.
        level: The least important lines that are logged.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _escape,
    ]
    if form == "json":
        last: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # The plain traceback: the pretty ones show local variables, which may hold tokens and passwords.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    # Bound at once: the lazy logger would be put together anew for every line, also for those below the level.
    return structlog.get_logger("watchword").bind()  # type: ignore[no-any-return]  # what wrapper_class makes


def _escape(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """No value that a stranger chose may end a line or move a cursor."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode("ascii")
    return event
