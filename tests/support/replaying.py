"""A case of `support.sql_cases` on our engine, held against PostgreSQL's answer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from support.engine import Engine
from support.sql_cases import COLUMNS, POSTGRES_TYPES, STATE, SqlCase
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.literals import read_literal
from watchword_server.sql.types import SqlType

__all__ = ["replay"]

_TYPES: Final = {title: type_ for type_, title in POSTGRES_TYPES.items()} | {"character varying": SqlType.TEXT}


def replay(engine: Engine, case: SqlCase, answer: Mapping[str, Any]) -> None:
    """Run it, compare, and roll it back; Bob's rows must neither be seen nor changed."""
    bob = _everything_of_bob(engine)
    engine.connection.execute("BEGIN")
    try:
        if "error" in answer or case.refused:
            with pytest.raises(SqlFault) as caught:
                engine.run(case.sql, case.parameters)
            assert case.refused in (None, caught.value.code.name)
            return
        plan, rows = engine.run(case.sql, case.parameters)
        types = [_TYPES[title] for title in answer["types"]]
        assert [column.name for column in plan.columns] == answer["names"]
        assert [column.type for column in plan.columns] == types
        expected = _stored(answer["rows"], types)
        if "ORDER BY" not in case.sql:
            expected, rows = sorted(expected, key=repr), sorted(rows, key=repr)
        assert repr(rows) == repr(expected)  # 1, 1.0 and True are different answers
        if "after" in answer:
            _, after = engine.run(STATE)
            assert repr(after) == repr(_stored(answer["after"], [type_ for _, type_ in COLUMNS]))
    finally:
        engine.connection.execute("ROLLBACK")
    assert _everything_of_bob(engine) == bob


def _stored(rows: Sequence[Sequence[str | None]], types: Sequence[SqlType]) -> list[tuple[Any, ...]]:
    """PostgreSQL's texts in stored form."""
    return [
        tuple(None if text is None else read_literal(text, type_) for text, type_ in zip(row, types, strict=True))
        for row in rows
    ]


def _everything_of_bob(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.connection.execute("SELECT * FROM \"app.v\" WHERE _owner = 'bob' ORDER BY id").fetchall()
