"""SNOWFLAKE_ID() and UUID_V7(): a new id with every call, larger than all before it in this process.

A snowflake has 53 bits, so that JSON's readers take it for what it is: 41 of milliseconds since 2024, which last until
2093, and 12 of a counter. A UUID is RFC 9562's version 7: 48 bits of milliseconds, 12 of a counter that begins anywhere
in its lower half (6.2, method 1), 62 of randomness. Where a counter is full, or the clock stands still or goes back,
the next number is taken, and so perhaps a millisecond before it comes.
"""

from collections.abc import Callable
from threading import Lock
from typing import Final

from watchword_server.sql.engine_functions import EngineFunction

__all__ = ["RowIds"]

_EPOCH_MS: Final = 1_704_067_200_000  # 2024-01-01
_COUNTER_BITS: Final = 12
_RANDOM_BITS: Final = 62


class RowIds:
    """What makes them, for all connections of a process.

    Args:
        now_ms: Milliseconds since 1970.
        random_bits: So many bits of randomness, as an integer; for secrets.
    """

    def __init__(self, now_ms: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._lock = Lock()  # the writer's thread and the readers' call
        self._last_snowflake = 0
        self._last_uuid = 0

    def snowflake(self) -> int:
        """The next of SNOWFLAKE_ID()."""
        with self._lock:
            moment = (self._now_ms() - _EPOCH_MS) << _COUNTER_BITS
            self._last_snowflake = max(moment, self._last_snowflake + 1)
            return self._last_snowflake

    def uuid(self) -> str:
        """The next of UUID_V7()."""
        with self._lock:
            moment = self._now_ms() << _COUNTER_BITS | self._random_bits(_COUNTER_BITS - 1)
            self._last_uuid = max(moment, self._last_uuid + 1)
            time_ms, counter = divmod(self._last_uuid, 1 << _COUNTER_BITS)
        low = 0b10 << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)
        digits = f"{time_ms:012x}7{counter:03x}{low:016x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    @property
    def functions(self) -> tuple[EngineFunction, ...]:
        """As the engine calls them."""
        return (
            EngineFunction("ww_snowflake_id", 0, self.snowflake, is_deterministic=False),
            EngineFunction("ww_uuid_v7", 0, self.uuid, is_deterministic=False),
        )
