"""The page about SQL: its examples give the answers that stand under them, and its lists are the code's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from support.asking import asking
from support.server import running_server
from watchword_server.sql.casts import TYPE_WORDS
from watchword_server.sql.functions import AGGREGATES, FUNCTIONS, GREATEST
from watchword_server.sql.planner import DIFFERENCES

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "sql.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sql (\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
NAMES = {"dba": "cleo"}


def cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def as_text(answer: dict[str, Any]) -> str:
    """An answer as the page writes it."""
    if answer["type"] == "error":
        return f"{answer['code']}: {answer['message']}"
    result = answer["results"][-1]
    if not result["schema"]:
        return f"{result['row_count']} row{'' if result['row_count'] == 1 else 's'}"
    lines = [[column["name"] for column in result["schema"]], *result["rows"]]
    return "\n".join(" | ".join(cell(value) for value in line) for line in lines)


async def test_every_example_gives_the_answer_under_it(tmp_path: Path) -> None:
    assert len(EXAMPLES) > 12
    async with running_server(tmp_path) as server:
        for name, sql, expected in EXAMPLES:
            async with asking(server, NAMES.get(name, name)) as each:
                answer = await each.ask(sql)
            if expected:
                assert as_text(answer) == expected.rstrip("\n"), sql
            else:
                assert answer["type"] == "result", (sql, answer)


def test_the_differences_are_those_of_the_planner() -> None:
    section = PAGE.split("## Differences from PostgreSQL\n")[1].split("\n## ")[0]
    items = [" ".join(item.split()) for item in section.strip().removeprefix("- ").split("\n- ")]
    assert tuple(items) == DIFFERENCES


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *AGGREGATES}))
def test_every_function_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_type_and_choice_is_on_the_page() -> None:
    words = {word.upper() for word in TYPE_WORDS} | {word.upper() for word in GREATEST}
    assert {word for word in words if f"`{word}`" not in PAGE} <= {"CHARACTER VARYING"}
