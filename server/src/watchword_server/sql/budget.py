"""How much planning one message may take, counted before it is done."""

from typing import Final

from watchword_protocol.errors import ErrorCode
from watchword_server.sql.fault import SqlFault

__all__ = ["Budget", "budget_of"]

_LEAST: Final = 1_000
"""So that a single result may have all the columns that one has."""


class Budget:
    """What is left of a message's parts: words, signs and values of its different texts, columns of its results.

    Planning holds the loop, and the time that it takes grows with these, wherever they stand.

    Args:
        parts: For all of the message.

    `left`: of them.
    """

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self.left = parts

    def take(self, parts: int) -> None:
        """Use so many.

        Raises:
            SqlFault: LIMIT_EXCEEDED.
        """
        self.left -= parts
        if self.left < 0:
            message = (
                f"The request has more than {self._parts} parts: words, signs and values of its texts, columns of its "
                "results (parts). Send less at once, and values as parameters."
            )
            raise SqlFault(ErrorCode.LIMIT_EXCEEDED, message)


def budget_of(max_bytes: int) -> Budget:
    """The budget of a message whose texts have at most so many bytes each (`limits.sql_bytes`).

    Three parts for four bytes: more than a text of that size has, unless it is of single digits and signs. 12,288 of
    them, at 16 KiB, are planned in about 50 ms.
    """
    return Budget(max(_LEAST, max_bytes * 3 // 4))
