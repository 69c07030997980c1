"""The page about SQL: its examples give the answers that stand under them, and its lists are the code's."""

import ast
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from support.asking import asking
from support.server import running_server
from watchword_server.adapters.sqlite import engine
from watchword_server.config import StatementLimits
from watchword_server.sql import (
    budget,
    calls,
    catalog,
    constraint_definitions,
    context,
    cursor,
    engine_functions,
    generate,
    lex,
    literals,
    queries,
    resolve_select,
    store,
)
from watchword_server.sql.calls import CALLS
from watchword_server.sql.casts import CASTS, TYPE_WORDS, Ease
from watchword_server.sql.operators import IS_TESTS, OPERATORS
from watchword_server.sql.planner import DIFFERENCES
from watchword_server.sql.types import SqlType

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "sql.md").read_text(encoding="utf-8")
SOURCES = Path(budget.__file__).parents[1]
EXAMPLES = re.findall(r"^```sql (\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
NAMES = {"dba": "cleo"}


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def table(title: str) -> list[list[set[str]]]:
    """The words in each cell of a section's last table, without its head."""
    lines = re.findall(r"^\|(.*)\|$", section(title).rpartition("| --- |")[2], re.MULTILINE)
    return [[set(re.findall(r"`([^`]+)`", cell)) for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


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
    items = section("Differences from PostgreSQL").strip().removeprefix("- ").split("\n- ")
    assert tuple(" ".join(item.split()) for item in items) == DIFFERENCES


def test_the_page_lists_every_function_and_no_other() -> None:
    words = {each.lower().removesuffix("()") for _, listed in table("Expressions") for each in listed}
    others = {"and", "or", "not", "case", "trim", "bytes"}  # a type, and words with a grammar of their own
    assert {word for word in words if re.fullmatch(r"\w+", word)} - others == CALLS


def test_the_page_lists_every_operator() -> None:
    words = {word.replace("\\", "") for _, listed in table("Expressions") for word in listed}
    days = {each for each in OPERATORS if SqlType.DATE in each and each[0] in "+-"}
    operators = {operator for operator, _, _ in OPERATORS}
    tests = {f"IS [NOT] {word.upper()}" for word, _ in IS_TESTS}
    assert {f"{left.name} {operator} {right.name}" for operator, left, right in days} | operators | tests <= words


def test_the_page_lists_every_cast_and_when_it_happens() -> None:
    listed = {
        (SqlType[source], SqlType[target], ease)
        for [source], *cells in table("Types")
        for ease, targets in zip(sorted(Ease, reverse=True), cells, strict=True)
        for target in targets
    }
    assert listed == {(source, target, row.ease) for (source, target), row in CASTS.items()}


FIXED = {
    ("parts", budget._LEAST),
    ("nesting", cursor.MAX_DEPTH),
    ("nesting", cursor.MAX_LINKS),
    ("name_bytes", lex.MAX_NAME_BYTES),
    ("operator_characters", lex.MAX_OPERATOR_CHARACTERS),
    ("columns", catalog.MAX_COLUMNS),
    ("columns", resolve_select.MAX_OUTPUTS),
    ("key_columns", constraint_definitions.MAX_KEY_COLUMNS),
    ("cascade_levels", engine._MAX_CASCADE),
    ("constraints", constraint_definitions.MAX_CONSTRAINTS),
    ("keys", resolve_select.MAX_KEYS),
    ("tables", context.MAX_SOURCES),
    ("operands", queries.MAX_OPERANDS),
    ("arguments", calls.MAX_ARGUMENTS),
    ("pattern_bytes", engine_functions.MAX_PATTERN_BYTES),
    ("pattern_bytes", engine_functions._MAX_SEARCHED),
    ("json_containers", literals._MAX_CONTAINERS),
    ("json_levels", literals._MAX_LEVELS),
    ("value_bytes", engine_functions._MAX_MADE),
    ("engine_bytes", generate.MAX_TEXT_BYTES),
    ("result_bytes", engine._MADE_BYTES),
    ("kept_result_bytes", store.KEPT_RESULT_BYTES),
}


def test_the_page_lists_every_fixed_limit() -> None:
    """Its name, as the message has it, and the last number of its line."""
    rows = re.findall(r"^\| `(\w+)` \|.* ([\d,]+)(?: if that is more)? \|$", section("Limits"), re.MULTILINE)
    assert sorted((name, int(number.replace(",", ""))) for name, number in rows) == sorted(FIXED)


def test_every_limit_that_a_message_names_is_on_the_page() -> None:
    """Their names stand in brackets at the end of a sentence."""
    folders = [SOURCES / "sql", SOURCES / "query", SOURCES / "adapters" / "sqlite"]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    docstrings = [node.value for node in nodes if isinstance(node, ast.Expr)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and node not in docstrings]
    named = {name for text in texts if isinstance(text, str) for name in re.findall(r"\(([a-z_]+)\)\.", text)}
    settings = set(re.findall(r"`limits\.(\w+)`", section("Limits")))
    assert named <= settings | {name for name, _ in FIXED}
    assert {name for name, _ in FIXED} <= named
    assert settings == {field.name for field in fields(StatementLimits)}


def test_every_type_is_on_the_page() -> None:
    words = {word.upper() for word in TYPE_WORDS}
    assert {word for word in words if f"`{word}`" not in PAGE} <= {"CHARACTER VARYING"}
