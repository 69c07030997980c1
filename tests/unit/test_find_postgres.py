"""Which PostgreSQL the comparison takes, and what it says where there is none."""

from pathlib import Path

import pytest

from support.postgres import NoPostgresError, find_binaries


def install(place: Path, version: str, *, config: bool = False) -> Path:
    """Programs that say their version, and nothing else."""
    place.mkdir(parents=True)
    scripts = {"initdb": "", "pg_ctl": "", "postgres": f"echo 'postgres (PostgreSQL) {version}'"}
    if config:
        scripts["pg_config"] = f"echo {place}"
    for name, line in scripts.items():
        (place / name).write_text(f"#!/bin/sh\n{line}\n")
        (place / name).chmod(0o755)
    return place


def test_the_one_of_pg_config_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "debian" / "16" / "bin", "16.1")
    ours = install(tmp_path / "ours", "13.22", config=True)
    monkeypatch.setenv("PATH", str(ours))
    assert find_binaries(tmp_path / "debian") == ours


def test_debians_newest_of_those_that_the_cases_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    install(tmp_path / "9.6" / "bin", "9.6.24")
    install(tmp_path / "13" / "bin", "13.22")
    newest = install(tmp_path / "17" / "bin", "17rc1")
    install(tmp_path / "18" / "bin", "18.0")
    (tmp_path / "16" / "bin").mkdir(parents=True)  # a client only
    assert find_binaries(tmp_path) == newest


def test_none_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPostgresError, match="apt install postgresql"):
        find_binaries(tmp_path)
