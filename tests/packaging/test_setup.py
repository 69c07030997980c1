"""scripts/setup.sh on machines of every kind, with interpreters that are played by small scripts."""

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cksum", "dirname", "head", "mkdir", "mv", "rm", "rmdir", "sh", "sleep", "cp", "chmod")

# An interpreter as far as the set-up knows one. FITS: new enough; VENV: has ensurepip; the environment it makes holds a
# copy of it; its pip notes each call, waits at `pip-gate` where there is that pipe, and ends as `pip-status` says.
PYTHON = """\
#!/bin/sh
fits={fits} venv={venv}
case "$*" in
    *version_info*\\<*) exit $((1 - fits)) ;;
    *'import ensurepip, venv'*) exit $((1 - venv)) ;;
    *'import pip'*) exit 0 ;;
    *version_info*) echo 3.12 ;;
    -V) echo 'Python 3.9.2' ;;
    '-m venv '*) [ "{makes}" = 1 ] || {{ echo 'ensurepip failed' >&2; exit 1; }}
        mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    '-m pip install '*) echo "{name}: $*" >>pip-calls
        [ ! -p pip-gate ] || cat pip-gate
        [ ! -f pip-status ] || exit "$(cat pip-status)" ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


class Machine:
    """A checkout with the set-up in it, and a PATH on which only chosen interpreters are."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a checkout"
        self.path = folder / "bin"
        self.path.mkdir(parents=True)
        (self.checkout / "scripts").mkdir(parents=True)
        for name in ("scripts/setup.sh", "pyproject.toml", "requirements-dev.txt"):
            shutil.copy(ROOT / name, self.checkout / name)
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    def add_python(self, name: str, *, fits: bool = True, venv: bool = True, makes: bool = True) -> None:
        """Put an interpreter on the PATH."""
        text = PYTHON.format(fits=int(fits), venv=int(venv), makes=int(makes), name=name)
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    @contextmanager
    def begin(self) -> Iterator[subprocess.Popen[str]]:
        """Start the script, from somewhere else; with its children it is gone at the end of the block."""
        with subprocess.Popen(
            [self.path / "sh", self.checkout / "scripts/setup.sh"],
            cwd=self.path,
            env={"PATH": str(self.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        with self.begin() as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def pip_calls(self) -> list[str]:
        """The name of the interpreter and the arguments of each call of pip so far."""
        file = self.checkout / "pip-calls"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def environment(self) -> Path:
        return self.checkout / ".venv"

    @property
    def lock(self) -> Path:
        return self.checkout / ".setup-lock"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_new_machine_is_set_up_with_the_lock(machine: Machine) -> None:
    machine.add_python("python3")
    done = machine.set_up()
    assert (done.returncode, done.stderr) == (0, "")
    [call] = machine.pip_calls
    assert call == "python3: -m pip install --quiet --constraint requirements-dev.txt --editable .[dev]"


def test_second_run_does_nothing(machine: Machine) -> None:
    machine.add_python("python3")
    machine.set_up()
    again = machine.set_up()
    assert (again.returncode, again.stdout, again.stderr, len(machine.pip_calls)) == (0, "", "", 1)


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements-dev.txt"])
def test_changed_requirements_bring_it_up_to_date(machine: Machine, name: str) -> None:
    machine.add_python("python3")
    machine.set_up()
    with (machine.checkout / name).open("a") as file:
        file.write("# changed\n")
    machine.set_up()
    assert len(machine.pip_calls) == 2
    machine.set_up()
    assert len(machine.pip_calls) == 2


@pytest.mark.parametrize("newer", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_newer_interpreter_is_found_when_the_usual_one_is_too_old(machine: Machine, newer: str) -> None:
    machine.add_python("python3", fits=False)
    machine.add_python(newer)
    assert machine.set_up().returncode == 0
    assert machine.pip_calls[0].startswith(f"{newer}: ")


def test_interpreter_with_venv_is_preferred_to_one_without(machine: Machine) -> None:
    machine.add_python("python3", venv=False)
    machine.add_python("python3.13")
    assert machine.set_up().returncode == 0
    assert machine.pip_calls[0].startswith("python3.13: ")


@pytest.mark.parametrize(
    ("pythons", "words"),
    [
        ({}, ("there is none", "apt install python3 python3-venv")),
        ({"python3": {"fits": False}}, ("3.11 or newer is needed and python3 is Python 3.9.2", "apt install")),
        ({"python3": {"venv": False}}, ("Python 3.12 has no venv module", "apt install python3.12-venv")),
        ({"python3": {"makes": False}}, ("cannot make a virtual environment", "apt install python3-venv")),
    ],
)
def test_what_is_missing_is_told_in_one_sentence(
    machine: Machine, pythons: dict[str, dict[str, bool]], words: tuple[str, ...]
) -> None:
    for name, what in pythons.items():
        machine.add_python(name, **what)
    done = machine.set_up()
    assert done.returncode == 1
    [sentence] = [line for line in done.stderr.splitlines() if line.startswith("watchword: ")]
    assert all(each in sentence for each in words)
    assert "then run this again" in sentence
    assert not machine.environment.exists()
    assert not machine.pip_calls


def test_failed_installation_is_told_and_begun_anew(machine: Machine) -> None:
    machine.add_python("python3")
    (machine.checkout / "pip-status").write_text("1")
    done = machine.set_up()
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    (machine.checkout / "pip-status").unlink()
    (machine.environment / "leftover").write_text("")
    assert machine.set_up().returncode == 0
    assert not (machine.environment / "leftover").exists()


def test_interrupted_setup_is_not_taken_for_a_finished_one(machine: Machine) -> None:
    machine.add_python("python3")
    machine.environment.mkdir()
    (machine.environment / "unfinished").write_text("")
    (machine.environment / "leftover").write_text("")
    assert machine.set_up().returncode == 0
    assert not (machine.environment / "leftover").exists()
    assert not (machine.environment / "unfinished").exists()


def test_environment_of_a_moved_checkout_is_made_anew(machine: Machine) -> None:
    machine.add_python("python3")
    machine.set_up()
    (machine.environment / "leftover").write_text("")
    moved = machine.checkout.with_name("moved")
    machine.checkout.rename(moved)
    machine.checkout = moved
    assert machine.set_up().returncode == 0
    assert len(machine.pip_calls) == 2
    assert not (machine.environment / "leftover").exists()


def test_environment_whose_interpreter_is_gone_is_made_anew(machine: Machine) -> None:
    machine.add_python("python3")
    machine.set_up()
    (machine.environment / "bin/python").unlink()
    assert machine.set_up().returncode == 0
    assert os.access(machine.environment / "bin/python", os.X_OK)


def test_environment_of_somebodys_own_making_is_kept(machine: Machine) -> None:
    machine.add_python("python3")
    subprocess.run(
        [machine.path / "python3", "-m", "venv", machine.environment], env={"PATH": str(machine.path)}, check=True
    )
    (machine.environment / "mine").write_text("")
    assert machine.set_up().returncode == 0
    assert (machine.environment / "mine").exists()


def first_line(process: subprocess.Popen[str]) -> str:
    """What it says first."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 10)[0]
    return process.stdout.readline()


def test_two_at_once_wait_for_each_other_and_the_second_finds_it_done(machine: Machine) -> None:
    machine.add_python("python3")
    gate = machine.checkout / "pip-gate"
    os.mkfifo(gate)
    with machine.begin() as first:
        gate_opened = os.open(gate, os.O_WRONLY)  # returns once the first one's pip waits at it
        with machine.begin() as second:
            assert first_line(second).startswith(f"Another set-up is at work (process {first.pid}): waiting for it.")
            os.close(gate_opened)
            assert (first.wait(10), second.wait(10)) == (0, 0)
    assert len(machine.pip_calls) == 1
    assert (machine.environment / "ready").exists()
    assert not list(machine.checkout.glob(".setup-lock*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_one_that_was_ended_in_the_middle_stands_in_nobodys_way(machine: Machine, number: int) -> None:
    machine.add_python("python3")
    gate = machine.checkout / "pip-gate"
    os.mkfifo(gate)
    with machine.begin() as first:
        gate_opened = os.open(gate, os.O_WRONLY)
        first.send_signal(number)
        os.close(gate_opened)  # a shell that was told to end does so after its child
        assert first.wait(10) != 0
    gate.unlink()
    assert machine.lock.exists() == (number == signal.SIGKILL)
    assert machine.set_up().returncode == 0
    assert not list(machine.checkout.glob(".setup-lock*"))


def test_a_lock_whose_owner_is_gone_is_taken_over_by_one_alone(machine: Machine) -> None:
    machine.add_python("python3")
    with subprocess.Popen(["/bin/sh", "-c", ":"]) as gone:
        pass
    machine.lock.mkdir()
    (machine.lock / "pid").write_text(f"{gone.pid}\n")
    with ExitStack() as stack:
        for each in [stack.enter_context(machine.begin()) for _ in range(4)]:
            out, err = each.communicate(timeout=20)
            assert (each.returncode, err) == (0, ""), out
    assert len(machine.pip_calls) == 1
    assert not list(machine.checkout.glob(".setup-lock*"))


def test_a_failed_setup_gives_the_lock_back(machine: Machine) -> None:
    assert machine.set_up().returncode == 1
    assert not list(machine.checkout.glob(".setup-lock*"))


def test_a_folder_that_cannot_be_written_is_told(machine: Machine) -> None:
    """A link to nowhere keeps root from making a directory, too."""
    machine.add_python("python3")
    machine.lock.symlink_to("/nowhere/at/all")
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr.startswith("watchword: a set-up cannot begin here (mkdir: ")
