"""The page about the design draws the house that is there."""

import re
import tomllib
from typing import Any

from support.pages import ROOT, blocks, read_page, table_rows

PAGE = read_page("docs/explanation/design.md")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_layers_are_those_of_the_contract_in_its_order() -> None:
    contract = next(one for one in PROJECT["tool"]["importlinter"]["contracts"] if one["id"] == "layers")
    drawn = re.findall(r"[a-z_]+", " ".join(line[:36] for line in blocks(PAGE, "text")[0].splitlines()))
    built = [module for layer in contract["layers"] for module in re.findall(r"[a-z_]+", layer)]
    assert drawn == built


def test_every_dependency_has_a_line() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"], *extras["server"], *extras["dev"]]
    needed = {re.split(r"[\[><=; ]", line)[0] for line in lines} - {"watchword"}
    named = {name.strip("` ") for cells in table_rows(PAGE, "package") for name in cells[0].split(",")}
    assert named == needed
