"""Who holds the data directory, and the secret in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchword_server.adapters.sqlite.data_directory import DataDirectory, DataUnusable, read_dev_secret


def test_it_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "some" / "data"
    with DataDirectory(path) as directory:
        directory.dev_secret()
        assert path.stat().st_mode & 0o777 == 0o700
        assert {file.name: file.stat().st_mode & 0o777 for file in path.iterdir()} == {
            "lock": 0o600,
            "dev-secret": 0o600,
        }
        assert directory.database == path / "watchword.db"


def test_a_second_holder_is_told_who_the_first_is(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as directory:
        with pytest.raises(DataUnusable) as refusal:
            DataDirectory(tmp_path)
        assert f"{tmp_path} is in use by another Watchword process (pid {os.getpid()})" in str(refusal.value)
        directory.announce("ws://127.0.0.1:65535/v1/ws")
        directory.announce("ws://127.0.0.1:8080/v1/ws")
        with pytest.raises(DataUnusable) as refusal:
            DataDirectory(tmp_path)
        expected = f"{tmp_path} is in use by the server at ws://127.0.0.1:8080/v1/ws (pid {os.getpid()}); stop it first"
        assert str(refusal.value) == expected
        assert json.loads((tmp_path / "lock").read_text()) == {
            "pid": os.getpid(),
            "address": "ws://127.0.0.1:8080/v1/ws",
        }


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]", '{"pid": null, "address": null}', "\udcff"])
def test_an_unreadable_lock_file_still_gives_a_sentence(tmp_path: Path, content: str) -> None:
    with DataDirectory(tmp_path):
        (tmp_path / "lock").write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(DataUnusable, match="in use by another Watchword process; stop it first"):
            DataDirectory(tmp_path)


def test_after_release_the_next_one_may_hold_it(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path)
    for _ in range(2):
        first.release()
    with DataDirectory(tmp_path), pytest.raises(DataUnusable):
        DataDirectory(tmp_path)
    with pytest.raises(ValueError, match="released"):
        first.announce(None)


def test_the_lock_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    source = (
        "import sys, pathlib; from watchword_server.adapters.sqlite.data_directory import DataDirectory\n"
        "held = DataDirectory(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataUnusable, match=rf"\(pid {holder.pid}\)"):
            DataDirectory(tmp_path)
        holder.kill()
        holder.wait()
        DataDirectory(tmp_path).release()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DataUnusable, match="data is not a directory"):
        DataDirectory(tmp_path / "data")
    with pytest.raises(DataUnusable, match="cannot be used as the data directory: Not a directory"):
        DataDirectory(tmp_path / "data" / "deeper")


def test_the_secret_is_made_once_and_read_from_then_on(tmp_path: Path) -> None:
    assert read_dev_secret(tmp_path) is None
    with DataDirectory(tmp_path) as directory:
        secret = directory.dev_secret()
        assert directory.dev_secret() == secret
    assert read_dev_secret(tmp_path) == secret
    assert len(secret.encode()) >= 32
    with DataDirectory(tmp_path / "other") as other:
        assert other.dev_secret() != secret


def test_an_interrupted_making_of_the_secret_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "dev-secret.new").write_text("half")
    with DataDirectory(tmp_path) as directory:
        assert len(directory.dev_secret()) >= 32


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40, b"change-me-" * 4])
def test_a_spoiled_secret_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "dev-secret"
    file.write_bytes(content)
    with DataDirectory(tmp_path) as directory, pytest.raises(DataUnusable) as refusal:
        directory.dev_secret()
    assert str(refusal.value).startswith(f"{file} holds no secret, or one that is short or well known; delete it")
    assert (tmp_path / "dev-secret").read_bytes() == content


@pytest.mark.parametrize("full", [Path("/dev/full")] if Path("/dev/full").exists() else [])
def test_a_full_disk_is_told_as_that(tmp_path: Path, full: Path) -> None:
    (tmp_path / "lock").symlink_to(full)
    with pytest.raises(DataUnusable) as refusal:
        DataDirectory(tmp_path)
    assert str(refusal.value) == f"{tmp_path / 'lock'} cannot be written: No space left on device"
    (tmp_path / "lock").unlink()
    with DataDirectory(tmp_path) as directory:
        assert directory.path == tmp_path
