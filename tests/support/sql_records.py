"""What is kept about the subjects in `tests/conformance/sql`: PostgreSQL's answers, and the cases that we refuse."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from support.sql_subjects.subject import Subject

__all__ = ["keep_answers", "keep_refused", "kept_answers", "kept_refused"]

_FOLDER: Final = Path(__file__).resolve().parents[1] / "conformance" / "sql"
_REFUSED: Final = _FOLDER / "refused.json"


def kept_answers(subject: Subject) -> list[dict[str, Any]]:
    """The recorded answers, one for each case."""
    found: list[dict[str, Any]] = json.loads(_file(subject).read_text(encoding="utf-8"))
    return found


def keep_answers(subject: Subject, answers: Iterable[Mapping[str, Any]]) -> None:
    """Write them anew, a line for each."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in answers)
    _file(subject).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def kept_refused() -> dict[str, list[str]]:
    """The ids of cases that are UNSUPPORTED_SQL here, by the names of their subjects and types of table."""
    found: dict[str, list[str]] = json.loads(_REFUSED.read_text(encoding="utf-8"))
    return found


def keep_refused(refused: Mapping[str, Sequence[str]]) -> None:
    """Write them anew; a subject of which nothing is refused does not stand there."""
    some = {name: list(ids) for name, ids in refused.items() if ids}
    _REFUSED.write_text(json.dumps(some, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _file(subject: Subject) -> Path:
    return _FOLDER / f"{subject.name}.json"
