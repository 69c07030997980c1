"""Writes in groups: what waits is handed to the writer's thread, committed at once, and answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.engine import Engine
from watchword_server.adapters.sqlite.group import Answer, Group
from watchword_server.refusal import Refused
from watchword_server.sql.store import Once, Outcome, Transaction
from watchword_server.turns import Turns

__all__ = ["RunOnWriter", "Writer"]

RunOnWriter = Callable[[Callable[[Engine], list[Answer]]], Awaitable[list[Answer]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: Transaction
    answer: "asyncio.Future[Any]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


_Turn = tuple[str, _Waiting]


class Writer:
    """Lives in one loop. `run`: hands a function to the thread of the connection that writes."""

    def __init__(self, group: Group, run: RunOnWriter) -> None:
        self._group = group
        self._run = run
        self._turns: Turns[_Waiting] = Turns()
        self._suspects: set[str] = set()
        self._is_suspects_turn = False
        self._working: asyncio.Task[None] | None = None
        self._is_closed = False

    async def write(self, request: Transaction) -> list[Outcome]:
        """See `Store.write`."""
        outcomes: list[Outcome] = await self._wait(request)
        return outcomes

    async def write_once(self, once: Once) -> bytes:
        """See `Store.write_once`."""
        results: bytes = await self._wait(once)
        return results

    async def _wait(self, request: Transaction) -> Any:
        """For its answer, which is of its own kind."""
        if self._is_closed:
            raise Refused(ErrorCode.STORAGE_UNAVAILABLE)
        waiting = _Waiting(request)
        self._turns.add(request.user_id, waiting)
        if self._working is None:
            # It begins with the loop's next turn: whoever writes in this one is in the group.
            self._working = asyncio.create_task(self._work())
        return await waiting.answer

    async def close(self) -> None:
        """Let the group that runs finish, refuse what waits; a second time is harmless."""
        self._is_closed = True
        for _, waiting in self._turns.take_all():
            _tell(waiting, Refused(ErrorCode.STORAGE_UNAVAILABLE))
        if self._working is not None:
            await asyncio.wait([self._working])

    async def _work(self) -> None:
        """Group after group, while somebody waits."""
        try:
            while waiting := self._take_waiting():
                chosen, others = self._choose(waiting)
                answers = await self._commit([each.request for _, each in chosen])
                for (user, answered), answer in zip(chosen, answers, strict=False):
                    self._judge(user, answer)
                    _tell(answered, answer)
                self._give_back(chosen[: len(answers)], others + chosen[len(answers) :])
                # Who was answered may write again at once, and is in the next group.
                await asyncio.sleep(0)
        finally:
            self._suspects.clear()
            self._working = None

    def _take_waiting(self) -> list[_Turn]:
        """Without those that were cancelled; one that is waits until then at most, which is the end of a group."""
        return [turn for turn in self._turns.take_all() if not turn[1].answer.done()]

    def _choose(self, taken: list[_Turn]) -> tuple[list[_Turn], list[_Turn]]:
        """Who is in the next group, and who is not.

        Users whose last write took all its time are suspects: one of theirs is a group by itself, between two of
        everybody else's. Nobody shares a group, and with it the wait for its end, with what probably runs away again.
        """
        suspects = [turn for turn in taken if turn[0] in self._suspects]
        others = [turn for turn in taken if turn[0] not in self._suspects]
        if suspects and (self._is_suspects_turn or not others):
            self._is_suspects_turn = False
            return suspects[:1], others + suspects[1:]
        self._is_suspects_turn = bool(suspects)
        return others, suspects

    def _judge(self, user: str, answer: Answer) -> None:
        if isinstance(answer, Refused) and answer.code is ErrorCode.QUERY_TIMEOUT:
            self._suspects.add(user)
        else:
            self._suspects.discard(user)

    async def _commit(self, requests: Sequence[Transaction]) -> list[Answer]:
        try:
            return await self._run(partial(self._group.run, requests=requests))
        except Exception as error:  # noqa: BLE001  # a fault of ours, or the connection is closed: all have to be told
            return [error] * len(requests)

    def _give_back(self, answered: list[_Turn], rest: list[_Turn]) -> None:
        if self._is_closed:
            for _, waiting in rest:
                _tell(waiting, Refused(ErrorCode.STORAGE_UNAVAILABLE))
        else:
            self._turns.give_back(rest, served=frozenset(user for user, _ in answered))


def _tell(waiting: _Waiting, answer: Answer) -> None:
    if waiting.answer.done():
        return  # nobody waits for it any more
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
