"""What is shipped: the wheel in a clean environment that has the client's dependencies and nothing else."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"watchword", "watchword_protocol", "watchword_server"}
CLIENT_NEEDS = ("msgspec", "websockets")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """The finished command, outside of the repository, with no setting of ours in its environment."""
    return subprocess.run(
        command, cwd=Path(sys.prefix), env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and source archive."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's folder of programs: the wheel, and the client's dependencies copied from ours."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    programs = environment / "bin"
    [packages] = environment.glob("lib/python*/site-packages")
    for name in CLIENT_NEEDS:
        for file in distribution(name).files or ():
            if ".." not in file.parts:
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), packages / file)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    return programs


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [PurePosixPath(name) for name in archive.namelist()]
    assert {name.parts[0] for name in names if not name.parts[0].endswith(".dist-info")} == PACKAGES
    assert {name.suffix for name in names if name.parts[0] in PACKAGES} == {".py", ".typed"}
    assert {str(name.parent) for name in names if name.name == "py.typed"} == PACKAGES
    assert [name for name in names if name.name == "LICENSE"]


def test_wheel_needs_the_clients_two_packages_and_keeps_the_server_in_an_extra(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = archive.read(name).decode().splitlines()
    needs = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    bare = {need.split(">=")[0] for need in needs if "extra ==" not in need}
    assert bare == set(CLIENT_NEEDS)
    assert any(need.startswith("uvicorn") and "extra == 'server'" in need for need in needs)


def test_source_archive_holds_sources_and_no_leftovers(built: Path) -> None:
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = [PurePosixPath(name).relative_to(PurePosixPath(name).parts[0]) for name in archive.getnames()]
    top = {name.parts[0] for name in names}
    assert top >= {"client_sdk", "server", "config.toml", "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml"}
    assert top <= {
        "client_sdk",
        "server",
        "config.toml",
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "PKG-INFO",
        ".gitignore",
    }
    assert not [name for name in names if "__pycache__" in name.parts or name.suffix in (".db", ".pyc")]


def test_client_imports_without_the_server(clean: Path) -> None:
    done = run(clean / "python", "-W", "error", "-c", "import sys, watchword; print('watchword_server' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_every_module_of_the_client_imports(clean: Path) -> None:
    script = (
        "import importlib, pkgutil, watchword, watchword_protocol\n"
        "for package in (watchword, watchword_protocol):\n"
        "    for module in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
    )
    done = run(clean / "python", "-W", "error", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")


def test_installed_version_is_the_protocol_packages(clean: Path) -> None:
    script = "import importlib.metadata as m, watchword_protocol as p; print(m.version('watchword') == p.__version__)"
    assert run(clean / "python", "-c", script).stdout == "True\n"


@pytest.mark.parametrize("command", [("watchword",), ("watchword", "serve"), ("python", "-m", "watchword_server")])
def test_command_without_the_extra_names_it_in_one_sentence(clean: Path, command: tuple[str, ...]) -> None:
    done = run(clean / command[0], *command[1:])
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "watchword[server]" in done.stderr
