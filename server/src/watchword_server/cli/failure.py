"""A command that cannot do what it was asked."""

__all__ = ["Failure"]


class Failure(Exception):  # noqa: N818  # it reads as it is meant: raise Failure("there is no user ada")
    """The text is one sentence for the person at the terminal; the exit status is 1."""
