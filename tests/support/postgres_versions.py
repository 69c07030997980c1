"""Where PostgreSQL's versions answer differently: what is recorded is version 15's.

Other messages are no difference: they are kept for their readers, and never compared.
"""

from typing import Final

__all__ = ["FIRST_WITH_THIS_ANSWER", "LAST_WITH_THIS_ANSWER", "is_of_version"]

FIRST_WITH_THIS_ANSWER: Final[dict[str, int]] = {}
"""Statement to version: earlier ones answer otherwise."""

LAST_WITH_THIS_ANSWER: Final = {
    "SELECT x.c FROM (SELECT 1 AS c) x FULL JOIN (SELECT 'a' AS c) y USING (c)": 15,  # another SQLSTATE
}
"""Statement to version: later ones answer otherwise."""


def is_of_version(sql: str, version: int) -> bool:
    """Whether a PostgreSQL of this version gives the recorded answer."""
    return FIRST_WITH_THIS_ANSWER.get(sql, version) <= version <= LAST_WITH_THIS_ANSWER.get(sql, version)
