"""Work in steps, without a loop."""

from typing import TypeVar

from watchword_server.steps import Steps

__all__ = ["steps_of", "to_end"]

T = TypeVar("T")


def to_end(steps: Steps[T]) -> T:
    """What the work was for, all of its steps done at once."""
    return steps_of(steps)[1]


def steps_of(steps: Steps[T]) -> tuple[int, T]:
    """How many steps it took, and what it was for."""
    count = 1
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return count, done.value
        count += 1
