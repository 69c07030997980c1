"""The queries of one connection: started in order as `Work` allows, each in a task of its own, answered as they end.

Made with a connection's first query. An answer that the peer has no room for waits here and keeps its place among those
that run, so that who asks without reading is asked to wait, and costs no more than `in_flight` results.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchword_protocol.codec import encode
from watchword_protocol.messages import ErrorMessage, Query
from watchword_server.connection import Connection
from watchword_server.gateway.frames import text_frame
from watchword_server.gateway.outbox import Outbox
from watchword_server.gateway.service import Service
from watchword_server.handlers import Answer
from watchword_server.query.preparation import Prepared
from watchword_server.query.work import Access, Work
from watchword_server.user import AuthenticatedUser

if TYPE_CHECKING:
    from watchword_server.query.places import Place
    from watchword_server.steps import Steps

__all__ = ["QueryQueue"]


class QueryQueue:
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
        "_is_waiting",
        "_on_answer",
        "_on_failure",
        "_outbox",
        "_prepared",
        "_reads",
        "_service",
        "_steps",
        "_untaken",
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
        self._steps: Steps[Prepared | ErrorMessage] | None = None  # of the query in front, as it is prepared
        self._prepared: Prepared | ErrorMessage | None = None  # the query in front, from then on
        self._is_waiting = False  # for a turn of the loop
        self._reads: set[asyncio.Task[None]] = set()
        self._answers: deque[tuple[Access, Answer]] = deque()
        self._untaken: list[Place] = []  # of answers that lie in a full transport
        self._is_over = False

    def __repr__(self) -> str:
        return f"<QueryQueue of {self._connection!r}: {self._work!r}, {len(self._answers)} answers wait>"

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
        outbox = self._outbox
        while outbox.stalled_at is None:
            self._leave_places()
            if not self._answers:
                break
            access, (message, place) = self._answers.popleft()
            outbox.push(text_frame(message))
            outbox.flush()
            self._work.end(access)
            if place is not None:
                self._untaken.append(place)
        self._start()

    @property
    def _user(self) -> AuthenticatedUser:
        user = self._connection.user
        assert user is not None  # noqa: S101  # queries come from authenticated connections only
        return user

    def _leave_places(self) -> None:
        """The client has taken what it was sent, or will take nothing more."""
        for place in self._untaken:
            place.leave()
        self._untaken.clear()

    def stop(self) -> None:
        """Start nothing more, and stop what only reads. Writes run to their end and are answered."""
        self._work.forget()
        self._steps = self._prepared = None
        for task in self._reads:
            task.cancel()

    def abandon(self) -> None:
        """The connection is over: as `stop`, and nobody is answered any more. A second time is harmless."""
        self._is_over = True
        self._untaken += [place for _, (_, place) in self._answers if place is not None]
        self._answers.clear()
        self._leave_places()
        self.stop()

    def _start(self) -> None:
        """Prepare and start what may start, a step after another while it is our turn."""
        work, pace = self._work, self._service.pace
        while (query := work.front) is not None:
            if self._prepared is None:
                if self._is_waiting:
                    return
                if not pace.begin():
                    self._is_waiting = True
                    pace.wait(self._user.id, self._go_on, has_begun=self._steps is not None)
                    return
                self._prepare(query)
                pace.end()
            elif not isinstance(self._prepared, Prepared):
                error, self._prepared = self._prepared, None
                work.skip()
                self._outbox.push(text_frame(encode(error)))
            elif work.may_start(self._prepared.access):
                prepared, self._prepared = self._prepared, None
                work.start(prepared.access)
                self._begin(prepared)
            else:
                return

    def _prepare(self, query: Query) -> None:
        """A step of it."""
        if self._steps is None:
            self._steps = self._service.handlers.prepare(query, self._user)
        try:
            next(self._steps)
        except StopIteration as done:
            self._steps, self._prepared = None, done.value
        except Exception as error:  # noqa: BLE001  # the end of the ladder, as for every handler
            self._steps, self._prepared = None, self._service.internal_error(error, query, self._connection)

    def _go_on(self) -> None:
        """It is our turn."""
        self._is_waiting = False
        try:
            self.deliver()
            self._on_answer()
        except Exception as error:  # noqa: BLE001  # as in `_run`
            self._on_failure(error)

    def _begin(self, prepared: Prepared) -> None:
        task = asyncio.get_running_loop().create_task(self._run(prepared))
        running = self._service.running
        running.add(task)
        task.add_done_callback(running.discard)
        if prepared.access is Access.READ:
            self._reads.add(task)
            task.add_done_callback(self._reads.discard)

    async def _run(self, prepared: Prepared) -> None:
        try:
            answer = await self._service.handlers.run(prepared)
        except Exception as error:  # noqa: BLE001  # the end of the ladder: the unexpected is logged, the client gets its id
            answer = Answer(encode(self._service.internal_error(error, prepared.query, self._connection)))
        if self._is_over:
            if answer.place is not None:
                answer.place.leave()
            return
        self._answers.append((prepared.access, answer))
        try:
            self.deliver()
            self._on_answer()
        except Exception as error:  # noqa: BLE001  # what a callback raises ends its connection: so must what a task does
            self._on_failure(error)
