"""Rows of the audit log on their way to it: gathered in memory, written in the background, and never too many.

Who logs in over and over, or fails to, must not fill the disk, nor the memory. So each kind of row has a bound for one
source of it and one for all of them, an hour at a time. What is beyond is counted, and the counts become rows when the
hour is over: nothing is left out in silence.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from enum import Enum, unique
from typing import Final, NamedTuple

from msgspec.structs import replace

from watchword_server.auth.audit import OK, AuditRow

__all__ = ["AuditTrail", "Kind"]

_WINDOW_S: Final = 3_600.0
_ROWS: Final = 50_000


class Bound(NamedTuple):
    """Rows an hour. `each`: of one source. `together`: of all of them, and how many sources are told apart."""

    each: int
    together: int


@unique
class Kind(Enum):
    """What a row is about, and from which source there may be how many."""

    LOGIN = ("logins of one user from one address", Bound(60, 10_000))
    FAILED_LOGIN = ("failed logins from one address", Bound(60, 1_000))
    AS_USER = ("requests of one user for another", Bound(60, 10_000))
    REFUSED_ACT = ("refused acts of one user", Bound(60, 1_000))

    __hash__ = object.__hash__

    @property
    def bound(self) -> Bound:
        """The rows that are kept."""
        return self.value[1]

    @property
    def is_of_a_user(self) -> bool:
        """Whether one source is one user; else it is an address, where anybody may be named."""
        return self is not Kind.FAILED_LOGIN


class _Hour:
    """One kind's rows in this hour: how many were kept, by source, and what was left out, with the first such row."""

    def __init__(self) -> None:
        self.kept: Counter[Hashable] = Counter()
        self.count = 0
        self.left_out: Counter[Hashable] = Counter()
        self.first: dict[Hashable, AuditRow] = {}


class AuditTrail:
    """Rows that wait to be written.

    A row that there is no room for is counted by its source, and of sources beyond those that are told apart, for all
    of them together. While the log cannot be written, at most `max_rows` wait; of more, the oldest go, and are counted.

    Args:
        max_rows: That wait.
    """

    def __init__(self, *, max_rows: int = _ROWS) -> None:
        self._max_rows = max_rows
        self._rows: list[AuditRow] = []
        self._hours = {kind: _Hour() for kind in Kind}
        self._until = 0.0
        self._lost = 0
        self._telling: tuple[AuditRow, int] | None = None  # the row of what was lost, while it is being written

    def __len__(self) -> int:
        return len(self._rows)

    def note(self, kind: Kind, source: Hashable, row: AuditRow) -> bool:
        """Something happened. False: there are so many of its kind that it is counted only."""
        self._turn(row.at)
        hour, bound = self._hours[kind], kind.bound
        if hour.kept[source] < bound.each and hour.count < bound.together:
            hour.kept[source] += 1
            hour.count += 1
            self._rows.append(row)
            return True
        # A source of which nothing was kept is one of very many.
        key = source if hour.kept.get(source) else None
        hour.left_out[key] += 1
        hour.first.setdefault(key, row)
        return False

    def add(self, row: AuditRow) -> None:
        """One that must not be left out, and could not be written at once."""
        self._rows.append(row)

    def take(self, now: float, *, all_of_it: bool = False) -> list[AuditRow]:
        """What is to be written now; `all_of_it`: the counts of the hour that is not over as well."""
        self._turn(now, is_over=all_of_it)
        taken, self._rows, self._telling = self._rows, [], None
        if self._lost:
            detail = f"{self._lost} rows are lost: the log could not be written"
            row = AuditRow(at=now, actor="", action="left_out", source="", detail=detail)
            self._telling, self._lost = (row, self._lost), 0
            taken.append(row)
        return taken

    def give_back(self, rows: Sequence[AuditRow]) -> None:
        """What was taken could not be written: it is taken again."""
        if self._telling is not None and rows and rows[-1] is self._telling[0]:
            rows, self._lost = rows[:-1], self._lost + self._telling[1]
        kept = [*rows, *self._rows]
        self._lost += max(0, len(kept) - self._max_rows)
        self._rows = kept[-self._max_rows :]

    def _turn(self, now: float, *, is_over: bool = False) -> None:
        """A new hour, if the last one is over: tell what was left out in it. A clock that was set back begins one."""
        if self._until - _WINDOW_S <= now < self._until and not is_over:
            return
        self._until = now + _WINDOW_S
        for kind, hour in self._hours.items():
            for source, count in hour.left_out.items():
                self._rows.append(_left_out(hour.first[source], count, kind, now, is_one=source is not None))
            self._hours[kind] = _Hour()


def _left_out(first: AuditRow, count: int, kind: Kind, now: float, *, is_one: bool) -> AuditRow:
    """The row in place of those that are not there: of one source with what they have in common."""
    if not is_one:
        detail = f"{count} more: {kind.value[0]}, of more such than are told apart"
        return AuditRow(at=now, actor="", action="left_out", source="", detail=detail)
    left_out = replace(
        first, at=now, action="left_out", result=OK, request_id=None, detail=f"{count} more: {kind.value[0]}"
    )
    return left_out if kind.is_of_a_user else replace(left_out, actor="", actor_id=None, role=None)
