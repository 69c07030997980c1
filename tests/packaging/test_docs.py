"""The documents lead somewhere: every relative link resolves, to the heading where it names one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in page.relative_to(ROOT).parts)
)

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of the headings."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_reference_pages_are_there() -> None:
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert names >= {
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "server/README.md",
        "client_sdk/python/README.md",
        "docs/reference/protocol.md",
        "docs/reference/errors.md",
        "docs/reference/config.md",
    }


def test_readme_leads_to_every_page_for_readers() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    led_to = {(ROOT / link.partition("#")[0]).resolve() for link in _LINK.findall(readme)}
    inside = {"README.md", "benchmarks/README.md"}
    pages = {page for page in PAGES if str(page.relative_to(ROOT)) not in inside}
    assert not pages - led_to


def test_every_target_is_told_by_make_help_and_the_main_ones_by_contributing() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = set(re.findall(r'@echo "make ([a-z-]+) ', makefile))
    parts = {"help", "format-check", "lint", "types", "layers", "generated"}  # of `make check`
    assert told == set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) - parts
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^    make ([a-z-]+) ", contributing, re.MULTILINE)) == told


def test_contributing_explains_every_folder_of_tests() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {f"tests/{each.name}" for each in (ROOT / "tests").iterdir() if list(each.glob("**/*.py"))}
    assert folders - {"tests/conftest.py"} <= set(re.findall(r"^\| `(tests/\w+)`", contributing, re.MULTILINE))
