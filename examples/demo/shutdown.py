"""A server that stops tells everyone who reads."""

import asyncio
from functools import partial

from examples.demo.case import Case, Outcome, run_case
from examples.demo.credentials import by_subprotocol
from examples.demo.servers import Server
from examples.demo.tokens import mint
from examples.demo.verdict import Expected
from examples.demo.wire import Seen, dial, upgrade_request
from watchword_protocol.errors import ErrorCode

__all__ = ["stop_server"]


async def stop_server(server: Server) -> Outcome:
    """SIGTERM under an open connection."""
    faults: list[str] = []
    expected = Expected(ErrorCode.SERVER_SHUTDOWN, says="")
    case = Case("SIGTERM, with a client connected", "open", expected, partial(_stop, server, faults))
    outcome = await run_case(case, server)
    return outcome._replace(differences=outcome.differences + faults)


async def _stop(server: Server, faults: list[str], port: int) -> Seen:
    async with await dial(port, upgrade_request(*by_subprotocol(mint())[0])) as wire:
        await wire.hear()
        stopping = asyncio.ensure_future(server.stop())
        seen = await wire.see()
    if "draining" not in [message.get("type") for message in seen.messages]:
        faults.append("no message `draining` came before the close frame")
    if status := await stopping:
        faults.append(f"the server's exit status is {status}, and should be 0")
    return seen
