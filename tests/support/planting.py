"""Errors planted in a module, to see that a test finds them."""

import importlib.util
import inspect
from types import ModuleType

__all__ = ["planted"]


def planted(module: ModuleType, original: str, replacement: str) -> ModuleType:
    """A copy of a module with one piece of its source replaced.

    Args:
        module: The right one, which stays as it is.
        original: Stands in its source exactly once.
        replacement: What the error makes of it.
    """
    source = inspect.getsource(module)
    assert source.count(original) == 1, f"{module.__name__} has {source.count(original)} times: {original}"
    spec = importlib.util.spec_from_loader(f"{module.__name__}_planted", loader=None)
    assert spec is not None
    copy = importlib.util.module_from_spec(spec)
    exec(compile(source.replace(original, replacement), str(module.__file__), "exec"), copy.__dict__)  # noqa: S102  # our own source
    return copy
