"""Work that may rest: what takes long on the loop is done step by step, with others' work in between."""

from collections.abc import Generator
from typing import TypeVar

__all__ = ["Steps"]

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Each `next` is a step; it returns what the work was for."""
