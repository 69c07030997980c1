"""One write for one burst, and a bound on what lies unsent."""

from typing import TYPE_CHECKING, cast

from watchword_server.gateway.outbox import Outbox

if TYPE_CHECKING:
    from asyncio import Transport


class FakeTransport:
    """Takes what it is given; a test says how much of it is still unsent."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent


def make(max_unsent_bytes: int = 1_000_000) -> tuple[Outbox, FakeTransport]:
    transport = FakeTransport()
    return Outbox(cast("Transport", transport), max_unsent_bytes), transport


def test_a_burst_leaves_in_one_write() -> None:
    outbox, transport = make()
    for chunk in (b"a", b"bc", b"d"):
        outbox.push(chunk)
    assert transport.writes == []
    outbox.flush()
    outbox.flush()
    assert transport.writes == [b"abcd"]


def test_nothing_is_written_while_the_transport_is_full() -> None:
    outbox, transport = make()
    transport.unsent = 70_000
    outbox.pause(5.0)
    outbox.push(b"later")
    outbox.flush()
    assert (transport.writes, outbox.unsent_bytes) == ([], 70_005)
    outbox.resume()
    assert transport.writes == [b"later"]
    assert outbox.stalled_at is None


def test_who_takes_next_to_nothing_in_the_time_is_stuck() -> None:
    outbox, transport = make()
    transport.unsent = 100_000
    outbox.pause(10.0)
    assert not outbox.is_stuck(69.9, 60.0)
    transport.unsent = 100_000 - 65_535
    assert outbox.is_stuck(70.0, 60.0)


def test_who_takes_64_kib_in_the_time_gets_it_again() -> None:
    outbox, transport = make()
    transport.unsent = 200_000
    outbox.pause(10.0)
    transport.unsent -= 65_536
    assert not outbox.is_stuck(70.0, 60.0)
    assert not outbox.is_stuck(129.9, 60.0)
    assert outbox.is_stuck(130.0, 60.0)


def test_who_lets_too_much_wait_is_stuck_at_once() -> None:
    outbox, transport = make(max_unsent_bytes=100)
    transport.unsent = 90
    outbox.push(b"x" * 200)  # while it flows, the transport may take all
    assert not outbox.is_stuck(0.0, 60.0)
    outbox.flush()
    outbox.pause(0.0)
    outbox.push(b"x" * 10)
    assert not outbox.is_stuck(0.0, 60.0)
    outbox.push(b"x")
    assert outbox.is_stuck(0.0, 60.0)
