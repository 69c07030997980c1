"""Where a cold handshake's time goes: the server's own code, without sockets, loop and kernel.

The first numbers are whole and undisturbed. Then the functions of the table below are wrapped with a clock, and each
step's own time is what its function takes without the steps inside it; the clock's cost is measured and taken off, and
the median over all handshakes is told, so that the machine's other work does not count.
"""

import importlib
import time
from collections.abc import Callable, Iterable
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.client import CLOSE_FRAME
from benchmarks.inside import Wire, run, serve_users

from watchword_server.app import RunningServer
from watchword_server.auth.credentials import Bearer, Peer
from watchword_server.gateway.gateway import Gateway

_HANDSHAKES: Final = 4_000
_NO_HTTP: Any = None  # nobody here is handed to the HTTP server

# Step, module, and the function as it is reached from there.
_STEPS: Final = (
    ("accept the socket", "gateway.gateway", "Gateway.connection_made"),
    ("read the header block", "gateway.gateway", "read_head"),
    ("path, method", "gateway.gateway", "check_path"),
    ("RFC 6455 4.2.1, accept key", "gateway.gateway", "accept_key"),
    ("subprotocols", "gateway.gateway", "read_subprotocols"),
    ("peer, proxies", "auth.proxies", "TrustedProxies.peer"),
    ("limits", "gateway.quota", "Quota.enter"),
    ("origin", "gateway.gateway", "check_origin"),
    ("credential of the header", "gateway.gateway", "_credential"),
    ("the 101", "gateway.gateway", "switching_protocols"),
    ("make WebSocket and Connection", "gateway.websocket", "WebSocket.__init__"),
    ("token: shape, JSON, types", "auth.tokens", "_check_shape"),
    ("token: signature", "auth.tokens", "_check_signature"),
    ("token: digest, other checks, remember", "auth.tokens", "Verifier.verify"),
    ("account: look up", "auth.directory", "Directory.known"),
    ("account: checks, user context", "auth.authenticator", "Authenticator._admit"),
    ("authenticate: the rest", "auth.authenticator", "Authenticator.try_now"),
    ("connection opens, auth_success", "connection", "Connection.admitted"),
    ("registry", "gateway.registry", "Registry.add"),
    ("journal: opened", "journal", "Journal.opened"),
    ("perform: encode, frame", "gateway.websocket", "WebSocket._perform"),
    ("one write", "gateway.outbox", "Outbox.flush"),
    ("start: the rest", "gateway.websocket", "WebSocket.start"),
    ("receive", "gateway.websocket", "WebSocket.receive"),
    ("read one frame", "gateway.incoming", "Incoming.next_event"),
    ("take one frame", "gateway.websocket", "WebSocket._take"),
    ("journal: ended", "journal", "Journal.ended"),
    ("connection lost: leave all lists", "gateway.websocket", "WebSocket.connection_lost"),
    ("gateway: the rest", "gateway.gateway", "Gateway.receive"),
)
_CHECKS_OF_TOKENS: Final = {"_check_shape", "_check_signature"}  # reached through the table of checks


class Clock:
    """Own time by step, less what the clock costs.

    Args:
        inside_s: What a call's own measurement adds to the step itself.
        outside_s: What it adds to the step around it.
    """

    def __init__(self, inside_s: float = 0.0, outside_s: float = 0.0) -> None:
        self.own_s: dict[str, float] = {}
        self._inside_s = inside_s
        self._outside_s = outside_s
        self._inner_s = [0.0]

    def wrap(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""
        now, inner = time.perf_counter, self._inner_s
        inside_s, outside_s = self._inside_s, self._outside_s

        def timed(*args: Any, **kwargs: Any) -> Any:
            inner.append(0.0)
            begin = now()
            try:
                return function(*args, **kwargs)
            finally:
                whole_s = now() - begin
                self.own_s[step] = self.own_s.get(step, 0.0) + whole_s - inner.pop() - inside_s
                inner[-1] += whole_s + outside_s

        return timed


def _calibrate() -> Clock:
    """A clock that knows its cost."""

    def nothing(_: int) -> None:
        pass

    calls, clock = 100_000, Clock()
    timed = clock.wrap("nothing", nothing)
    begin = time.perf_counter()
    for number in range(calls):
        nothing(number)
    plain_s = time.perf_counter() - begin
    begin = time.perf_counter()
    for number in range(calls):
        timed(number)
    timed_s = time.perf_counter() - begin
    inside_s = clock.own_s["nothing"] / calls - plain_s / calls / 2  # a call costs about half of such a turn
    return Clock(inside_s, (timed_s - plain_s) / calls - inside_s)


def _install(clock: Clock) -> None:
    tokens: Any = importlib.import_module("watchword_server.auth.tokens")
    for step, module_name, path in _STEPS:
        owner: Any = importlib.import_module(f"watchword_server.{module_name}")
        *classes, name = path.split(".")
        for cls in classes:
            owner = getattr(owner, cls)
        original = getattr(owner, name, None)
        if original is None:
            continue  # an older or newer tree: its time is counted where it is called
        timed = clock.wrap(step, original)
        setattr(owner, name, timed)
        if name in _CHECKS_OF_TOKENS:
            checks = tuple(c._replace(judge=timed) if c.judge is original else c for c in tokens.CHECKS)
            tokens.CHECKS = checks


def _open(server: RunningServer, request: bytes, number: int) -> Wire:
    """A connection from accept to the answer."""
    wire = Wire(f"127.0.0.{number % 200 + 2}")
    wire.protocol = Gateway(server.service, _NO_HTTP)
    wire.protocol.connection_made(wire)
    wire.arrived_at = time.perf_counter()
    wire.protocol.receive(request)
    return wire


def _end(wire: Wire) -> None:
    """The client's close frame, our answer, the end."""
    wire.protocol.receive(CLOSE_FRAME)
    wire.protocol.connection_lost(None)
    wire.protocol = None


def _handshake(server: RunningServer, request: bytes, number: int) -> float:
    """One connection; seconds from the request's arrival to the answer written."""
    wire = _open(server, request, number)
    taken_s = time.perf_counter() - wire.arrived_at
    assert b"auth_success" in wire.written, wire.written  # noqa: S101  # else something else is measured
    _end(wire)
    return taken_s


def _percentiles(samples_s: Iterable[float]) -> tuple[float, float]:
    """p50 and p95 in microseconds."""
    cuts = quantiles(samples_s, n=20)
    return cuts[9] * 1e6, cuts[18] * 1e6


async def measure() -> dict[str, float]:
    """Values by name and unit."""
    found: dict[str, float] = {}
    async with serve_users(users=1_000, tokens=3 * _HANDSHAKES) as (server, requests):
        warm, cold, timed = (requests[i * _HANDSHAKES : (i + 1) * _HANDSHAKES] for i in range(3))
        for number, request in enumerate(warm):
            _handshake(server, request, number)
        for name, some in (("cold", cold), ("cached", cold)):
            begin = time.process_time()
            samples_s = [_handshake(server, request, number) for number, request in enumerate(some)]
            whole_s = time.process_time() - begin
            found[f"handshake and close, {name} (us)"] = whole_s / len(some) * 1e6
            found[f"request to answer, {name}, p50 (us)"], found[f"request to answer, {name}, p95 (us)"] = _percentiles(
                samples_s
            )
        found |= _try_now(server, timed)
        server.service.authenticator._verifier._good.clear()  # noqa: SLF001  # so that `timed` is cold again
        clock = _calibrate()
        _install(clock)
        opening: list[dict[str, float]] = []
        ending: list[dict[str, float]] = []
        for number, request in enumerate(timed):
            clock.own_s = {}
            wire = _open(server, request, number)
            opening.append(clock.own_s)
            clock.own_s = {}
            _end(wire)
            ending.append(clock.own_s)
        for step in opening[-1]:
            found[f"  {step} (us)"] = median(own_s.get(step, 0.0) for own_s in opening) * 1e6
        for step in ending[-1]:
            found[f"  at the end: {step} (us)"] = median(own_s.get(step, 0.0) for own_s in ending) * 1e6
    return found


def _try_now(server: RunningServer, cold: list[bytes]) -> dict[str, float]:
    """The authenticator alone."""
    found: dict[str, float] = {}
    peer = Peer("127.0.0.1", True)
    for name, some in (("cold", cold), ("cached", cold)):
        samples_s = []
        for request in some:
            credential = Bearer(request.partition(b"Bearer ")[2].rstrip())
            begin = time.perf_counter()
            server.service.authenticator.try_now(credential, peer)
            samples_s.append(time.perf_counter() - begin)
        found[f"authenticate, {name}, p50 (us)"], found[f"authenticate, {name}, p95 (us)"] = _percentiles(samples_s)
    return found


if __name__ == "__main__":
    run(measure())
