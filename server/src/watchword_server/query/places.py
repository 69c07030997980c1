"""How much one user may have under way: queries that run, that wait, or whose answer the client has not taken."""

from watchword_protocol.errors import ErrorCode
from watchword_server.refusal import Refused

__all__ = ["Place", "Places"]


class Place:
    """One query's. `leave` it when its answer is taken, or nobody will take it; a second time is harmless."""

    __slots__ = ("_places", "_user_id")

    def __init__(self, places: dict[str, int], user_id: str) -> None:
        self._places: dict[str, int] | None = places
        self._user_id = user_id

    def leave(self) -> None:
        """Somebody else's query may have it."""
        places, self._places = self._places, None
        if places is None:
            return
        if left := places[self._user_id] - 1:
            places[self._user_id] = left
        else:
            del places[self._user_id]


class Places:
    """The places taken, by user id; of whichever connection."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(self._taken.values())

    def take(self, user_id: str, at_most: int) -> Place:
        """A place for a query.

        Args:
            user_id: Whose.
            at_most: Places of one user (`limits.statements_per_user`).

        Raises:
            Refused: LIMIT_EXCEEDED.
        """
        taken = self._taken.get(user_id, 0)
        if taken >= at_most:
            message = (
                f"More than {at_most} queries of one user run, wait, or have answers that were not read yet "
                "(statements_per_user)."
            )
            raise Refused(ErrorCode.LIMIT_EXCEEDED, message)
        self._taken[user_id] = taken + 1
        return Place(self._taken, user_id)
