"""The public names."""

import inspect
import subprocess
import sys

import pytest

import watchword
from watchword import exceptions
from watchword.client import ConnectOptions


def test_all_names_exist_once() -> None:
    assert len(set(watchword.__all__)) == len(watchword.__all__)
    assert [name for name in watchword.__all__ if not hasattr(watchword, name)] == []


def test_every_exception_that_is_defined_is_public() -> None:
    defined = {
        name for name, kind in vars(exceptions).items() if inspect.isclass(kind) and issubclass(kind, BaseException)
    }
    assert defined == set(exceptions.__all__)


@pytest.mark.parametrize("name", [name for name in watchword.__all__ if inspect.isclass(getattr(watchword, name))])
def test_every_public_class_says_what_it_is(name: str) -> None:
    assert getattr(watchword, name).__doc__


def test_what_passes_options_on_knows_all_of_them() -> None:
    assert {"url", "token", *ConnectOptions.__annotations__} == set(inspect.signature(watchword.connect).parameters)


def test_importing_the_client_loads_neither_the_server_nor_its_libraries() -> None:
    script = "import sys, watchword; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"watchword_server", "uvicorn", "starlette", "jwt", "sqlite3", "typer", "structlog"} & set(loaded)
