"""Generated files are fresh, a stale one is noticed, and config.toml is what the server runs with anyway."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.exceptions import ServerError
from watchword_server.config import Config, ConfigError, load_config

ROOT = Path(__file__).resolve().parents[2]
GENERATED = ("config.toml", "docs/reference/config.md", "docs/reference/errors.md")


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "scripts/generate.py", "--check"], capture_output=True, text=True, check=False
    )


def test_generated_files_are_fresh() -> None:
    done = check(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", GENERATED)
def test_stale_file_fails_and_is_named(tmp_path: Path, name: str) -> None:
    for each in ("scripts/generate.py", *GENERATED):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, tmp_path / each)
    with (tmp_path / name).open("a") as file:
        file.write("by hand\n")
    done = check(tmp_path)
    assert (done.returncode, done.stderr) == (1, f"stale: {name}. Run `make generate` and commit the result.\n")


def test_config_file_says_the_defaults() -> None:
    assert load_config(ROOT / "config.toml", environ={}, flags={}) == Config()


def examples() -> list[str]:
    """The commented-out tables of config.toml, uncommented."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^#   .*\n)+", text, re.MULTILINE)
    return [
        re.sub(r"^#   ", "", block, flags=re.MULTILINE)
        for block in blocks
        if "=" in block and "WATCHWORD_" not in block
    ]


def test_config_file_shows_google_and_github_and_several_issuers() -> None:
    text = "".join(examples())
    assert 'issuer = "https://accounts.google.com"' in text
    assert 'issuer = "https://github.com"' in text
    assert 'jwt_trusted_issuers = ["https://login.example", "https://scripts.example"]' in text


@pytest.mark.parametrize("example", examples())
def test_example_has_the_right_shape(tmp_path: Path, example: str) -> None:
    """What works today loads; what is built later is refused for that alone."""
    file = tmp_path / "config.toml"
    file.write_text(example if example.startswith("[") else f"[auth]\n{example}")
    if "[[auth.issuers]]" not in example:
        load_config(file, environ={}, flags={})
        return
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ={}, flags={})
    [problem] = caught.value.problems
    assert "not possible yet" in problem.sentence


def test_page_of_errors_names_the_exceptions_that_the_client_raises() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|.* \| `(\w+)` \|$", page, re.MULTILINE))
    assert rows == {name: each.__name__ for name, each in ServerError._classes.items()}
