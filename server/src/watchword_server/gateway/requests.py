"""The queries of one connection: started in order as `Work` allows, each in a task of its own, answered as they end.

Made with a connection's first query. An answer that the peer has no room for waits here and keeps its place among those
that run, so that who asks without reading is asked to wait, and costs no more than `in_flight` results.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from watchword_protocol.codec import encode
from watchword_protocol.messages import Query
from watchword_server.connection import Connection
from watchword_server.gateway.frames import text_frame
from watchword_server.gateway.outbox import Outbox
from watchword_server.gateway.service import Service
from watchword_server.preparation import Prepared
from watchword_server.work import Kind, Work

__all__ = ["Requests"]


class Requests:
    """What one connection has asked.

    Args:
        service: What all connections share.
        connection: Whose user context counts, as it is when a query starts.
        outbox: Where answers go.
        on_answer: Called after a task has brought answers forward; raising ends the connection.
        on_failure: Told of what should not happen there.
    """

    __slots__ = (
        "_answers",
        "_connection",
        "_is_over",
        "_on_answer",
        "_on_failure",
        "_outbox",
        "_reads",
        "_service",
        "_work",
    )

    def __init__(
        self,
        service: Service,
        connection: Connection,
        outbox: Outbox,
        *,
        on_answer: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        rules = service.rules
        self._service = service
        self._connection = connection
        self._outbox = outbox
        self._on_answer = on_answer
        self._on_failure = on_failure
        self._work: Work[Query] = Work(
            at_once=rules.requests_at_once, max_waiting_bytes=service.connection_rules.max_message_bytes
        )
        self._reads: set[asyncio.Task[None]] = set()
        self._answers: deque[tuple[Kind, bytes]] = deque()
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Requests of {self._connection!r}: {self._work!r}, {len(self._answers)} answers wait>"

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be read from the peer."""
        return self._work.is_full

    @property
    def is_writing(self) -> bool:
        """Whether a write has started and is not answered."""
        return self._work.is_writing

    def add(self, query: Query, size_bytes: int) -> None:
        """A query came, in a message of this size: start it if it may."""
        self._work.add(query, size_bytes)
        self._start()

    def deliver(self) -> None:
        """Hand over the answers for which there is room, and start what may start then."""
        while self._answers and self._outbox.stalled_at is None:
            kind, answer = self._answers.popleft()
            self._outbox.push(text_frame(answer))
            self._outbox.flush()
            self._work.end(kind)
        self._start()

    def stop(self) -> None:
        """Start nothing more, and stop what only reads. Writes run to their end and are answered."""
        self._work.forget()
        for task in self._reads:
            task.cancel()

    def abandon(self) -> None:
        """The connection is over: as `stop`, and nobody is answered any more. A second time is harmless."""
        self._is_over = True
        self._answers.clear()
        self.stop()

    def _start(self) -> None:
        work = self._work
        while (query := work.front) is not None:
            user = self._connection.user
            assert user is not None  # noqa: S101  # queries come from authenticated connections only
            try:
                prepared = self._service.handlers.prepare(query, user)
            except Exception as error:  # noqa: BLE001  # the end of the ladder, as for every handler
                prepared = self._service.internal_error(error, query, self._connection)
            if not isinstance(prepared, Prepared):
                work.skip()
                self._outbox.push(text_frame(encode(prepared)))
            elif work.may_start(prepared.kind):
                work.start(prepared.kind)
                self._begin(prepared)
            else:
                return

    def _begin(self, prepared: Prepared) -> None:
        task = asyncio.get_running_loop().create_task(self._run(prepared))
        running = self._service.running
        running.add(task)
        task.add_done_callback(running.discard)
        if prepared.kind is Kind.READ:
            self._reads.add(task)
            task.add_done_callback(self._reads.discard)

    async def _run(self, prepared: Prepared) -> None:
        try:
            answer = await self._service.handlers.run(prepared)
        except Exception as error:  # noqa: BLE001  # the end of the ladder: the unexpected is logged, the client gets its id
            answer = encode(self._service.internal_error(error, prepared.query, self._connection))
        if self._is_over:
            return
        self._answers.append((prepared.kind, answer))
        try:
            self.deliver()
            self._on_answer()
        except Exception as error:  # noqa: BLE001  # what a callback raises ends its connection: so must what a task does
            self._on_failure(error)
