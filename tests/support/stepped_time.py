"""Time for a client that passes only when a test says so, and a record of every wait."""

import asyncio

__all__ = ["SteppedTime"]


class SteppedTime:
    """Hand `clock`, `sleep` and `random` to a client; let the waits pass one by one."""

    def __init__(self, *, jitter: float = 0.5) -> None:
        self.now = 5_000.0
        self.jitter = jitter
        self._waits: list[tuple[float, asyncio.Future[None]]] = []
        self._began = asyncio.Event()

    def clock(self) -> float:
        return self.now

    def random(self) -> float:
        return self.jitter

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits.append((self.now + seconds, done))
        self._began.set()
        await done

    async def next_wait(self) -> float:
        """Seconds of the shortest wait, once there is one."""
        while not (waits := self._pending()):
            self._began.clear()
            await self._began.wait()
        return min(until for until, _ in waits) - self.now

    async def wait_for(self, seconds: float) -> None:
        """Until the shortest wait is this one, whatever was waited for before."""
        async with asyncio.timeout(2):
            while await self.next_wait() != seconds:
                self._began.clear()
                await self._began.wait()

    async def pass_wait(self) -> float:
        """Let the shortest wait pass, once there is one; its seconds."""
        seconds = await self.next_wait()
        self.advance(seconds)
        return seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for until, done in self._pending():
            if until <= self.now:
                done.set_result(None)

    def _pending(self) -> list[tuple[float, asyncio.Future[None]]]:
        self._waits = [(until, done) for until, done in self._waits if not done.done()]
        return self._waits
