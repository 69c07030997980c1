"""The four ways in: what the server makes of a good credential, told to the Python client and to raw frames alike."""

import json
from functools import partial
from typing import Any, NamedTuple

import watchword
from examples.demo.credentials import PASSWORD, Attempt, by_header, by_message, by_subprotocol
from examples.demo.servers import Server
from examples.demo.tokens import mint
from examples.demo.wire import dial, upgrade_request

__all__ = ["Guest", "ask_who_am_i", "welcome_all"]


class Guest(NamedTuple):
    """Who came in, and what is wrong with that (empty: nothing)."""

    way: str
    client: watchword.User
    raw: dict[str, Any]
    differences: list[str]


async def welcome_all(server: Server) -> list[Guest]:
    """Come in by each way, twice: with the Python client, and frame by frame."""
    token, password = mint("ada"), ("grace", PASSWORD)
    connect = partial(watchword.connect, server.url)
    table = [
        ("header", "ada", connect(token=token), by_header(token)),
        ("subprotocol", "ada", connect(token=token, present="subprotocol"), by_subprotocol(token)),
        ("first message", "ada", connect(token=token, present="first_message"), by_message(token)),
        ("Basic", "grace", connect(user="grace", password=PASSWORD), by_header(password)),
    ]
    return [await _welcome(server, *row) for row in table]


async def _welcome(server: Server, way: str, name: str, client: watchword.Client, attempt: Attempt) -> Guest:
    async with client as db:
        user = db.user
        await db.ping()
    headers, message = attempt
    async with await dial(server.port, upgrade_request(*headers)) as wire:
        if message is not None:
            wire.say(**message)
        raw = await wire.hear()
    context = (user.name, user.id, user.role)
    told = (raw.get("user"), raw.get("user_id"), raw.get("role"))
    differences = [] if user.name == name else [f"by {way} came {user.name}, and should have come {name}"]
    if context != told:
        differences.append(f"by {way} the client saw {context}, and the raw frames {told}")
    if (user.expires_at is None) != (way == "Basic"):
        differences.append(f"by {way} the connection ends at {user.expires_at}")
    return Guest(way, user, raw, differences)


async def ask_who_am_i(server: Server) -> dict[str, Any]:
    """The whole user context, over HTTP. Raises: ValueError: The answer is none."""
    request = upgrade_request(*by_header(mint(email_verified=True))[0], path="/v1/api/auth/me", upgrade=())
    async with await dial(server.port, request) as wire:
        seen = await wire.see()
    context = json.loads(seen.body)
    if seen.status != 200 or context.get("user", {}).get("name") != "ada":
        raise ValueError(f"GET /v1/api/auth/me answered {seen.status} {seen.body.decode(errors='replace')}")
    assert isinstance(context, dict)  # noqa: S101  # it has a user
    return context
