"""When users were last seen, gathered in memory and written in the background, at most once a minute a user."""

__all__ = ["LastSeen"]

_INTERVAL_S = 60.0


class LastSeen:
    """Times, seconds since 1970, by user id."""

    def __init__(self) -> None:
        self._noted: dict[str, float] = {}
        self._unwritten: dict[str, float] = {}

    def note(self, user_id: str, now: float) -> None:
        """The user was here."""
        if now - self._noted.get(user_id, -_INTERVAL_S) >= _INTERVAL_S:
            self._noted[user_id] = self._unwritten[user_id] = now

    def take(self, now: float) -> dict[str, float]:
        """What is to be written now; what is older than a minute need not be remembered any longer."""
        self._noted = {user_id: time for user_id, time in self._noted.items() if now - time < _INTERVAL_S}
        taken, self._unwritten = self._unwritten, {}
        return taken

    def give_back(self, times: dict[str, float]) -> None:
        """What was taken could not be written: it is taken again, unless something newer is."""
        self._unwritten = times | self._unwritten
