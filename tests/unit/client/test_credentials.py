"""What is presented, and by which way; what is refused before it is sent."""

import asyncio
from typing import Any

import pytest

from watchword.credentials import Credential, Present, present_credential
from watchword.exceptions import AuthenticationStopped, TokenUnavailable
from watchword_protocol.messages import Authenticate

JWT = Authenticate("jwt", token="a.b.c")
BASIC = Authenticate("basic", user="ada", password="pass:wörd")


@pytest.mark.parametrize(
    ("credential", "way", "headers", "subprotocols", "message"),
    [
        (JWT, "header", {"Authorization": "Bearer a.b.c"}, ("watchword.v1",), None),
        (BASIC, "header", {"Authorization": "Basic YWRhOnBhc3M6d8O2cmQ="}, ("watchword.v1",), None),
        (JWT, "subprotocol", {}, ("watchword.v1", "watchword.jwt.a.b.c"), None),
        (JWT, "first_message", {}, ("watchword.v1",), JWT),
        (BASIC, "first_message", {}, ("watchword.v1",), BASIC),
    ],
)
def test_each_way_puts_the_credential_in_one_place(
    credential: Authenticate,
    way: Present,
    headers: dict[str, str],
    subprotocols: tuple[str, ...],
    message: Authenticate | None,
) -> None:
    presented = present_credential(credential, way)
    assert (presented.headers, presented.subprotocols, presented.message) == (headers, subprotocols, message)
    assert not {"a.b.c", "wörd", "YWRh"} & set(repr(presented).split("'"))


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ((None, None, None, "header"), ValueError, "give either token=, or user= and password="),
        (("t", "ada", "pw", "header"), ValueError, "give either"),
        ((None, "ada", None, "header"), ValueError, "together, neither empty"),
        ((None, None, "pw", "header"), ValueError, "together, neither empty"),
        ((None, "ada", "", "header"), ValueError, "together, neither empty"),
        ((None, "a:da", "pw", "header"), ValueError, "colon"),
        ((None, "ada", "pw\ud800", "header"), ValueError, "password must be text that has a UTF-8 form"),
        ((None, "\udfff", "pw", "first_message"), ValueError, "user must be text that has a UTF-8 form"),
        ((None, "ada", b"pw", "header"), TypeError, "password must be a string, not bytes"),
        ((None, 7, "pw", "header"), TypeError, "user must be a string, not int"),
        ((None, "ada", "pw", "subprotocol"), ValueError, "only a token"),
        (("t", None, None, "cookie"), ValueError, "header, first_message, subprotocol"),
        ((7, None, None, "header"), TypeError, "a string or an async function, not int"),
        (("", None, None, "header"), ValueError, "not empty"),
        (("a b", None, None, "header"), ValueError, "visible ASCII"),
        (("a\r\nX-Evil: 1", None, None, "header"), ValueError, "visible ASCII"),
        (("a\x00", None, None, "header"), ValueError, "visible ASCII"),
        (("ä", None, None, "header"), ValueError, "visible ASCII"),
    ],
)
def test_a_credential_that_cannot_be_sent_is_one_sentence(
    arguments: tuple[Any, ...], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Credential(*arguments)


async def test_a_token_read_from_a_file_loses_its_line_feed() -> None:
    assert await Credential("a.b.c\n", None, None, "header").fetch(1) == JWT


async def test_the_function_is_asked_each_time() -> None:
    tokens = iter(["one", "two"])

    async def fetch() -> str:
        return next(tokens)

    credential = Credential(fetch, None, None, "header")
    assert [(await credential.fetch(1)).token, (await credential.fetch(1)).token] == ["one", "two"]


async def test_a_failing_function_is_named_with_its_cause() -> None:
    async def fetch() -> str:
        raise LookupError("no vault")

    with pytest.raises(TokenUnavailable, match="LookupError: no vault") as caught:
        await Credential(fetch, None, None, "header").fetch(1)
    assert isinstance(caught.value.__cause__, LookupError)


async def test_a_function_that_never_answers_is_given_up() -> None:
    async def fetch() -> str:
        await asyncio.Event().wait()
        return "late"

    with pytest.raises(TokenUnavailable, match=r"no token within 0\.01 s"):
        await Credential(fetch, None, None, "header").fetch(0.01)


async def test_a_timeout_of_the_functions_own_is_not_taken_for_ours() -> None:
    async def fetch() -> str:
        raise TimeoutError("the vault is slow")

    with pytest.raises(TokenUnavailable, match="the vault is slow"):
        await Credential(fetch, None, None, "header").fetch(1)


async def test_a_cancellation_of_the_functions_own_is_a_failure_of_it() -> None:
    async def fetch() -> str:
        vault = asyncio.create_task(asyncio.Event().wait())
        vault.cancel()
        await vault
        return "never"

    with pytest.raises(TokenUnavailable, match="cancelled, and not by this client"):
        await Credential(fetch, None, None, "header").fetch(1)


async def test_a_function_that_goes_on_when_it_is_cancelled_changes_nothing() -> None:
    async def fetch() -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "a.b.c"
        return "never"

    asked = asyncio.Event()
    fetching = asyncio.create_task(Credential(fetch, None, None, "header").fetch(1))
    await asked.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching


@pytest.mark.parametrize("token", ["", "a\nb", None, b"a.b.c"])
async def test_a_function_that_gives_no_token_stops(token: Any) -> None:
    async def fetch() -> str:
        return token  # type: ignore[no-any-return]  # the very mistake

    with pytest.raises(AuthenticationStopped, match="cannot be sent"):
        await Credential(fetch, None, None, "header").fetch(1)


async def test_a_plain_function_is_told_to_be_async() -> None:
    with pytest.raises(AuthenticationStopped, match="must be async"):
        await Credential(lambda: "a.b.c", None, None, "header").fetch(1)  # type: ignore[arg-type]  # the very mistake


def test_a_refused_token_is_remembered_and_an_accepted_one_is_not_new() -> None:
    one, two = Authenticate("jwt", token="one"), Authenticate("jwt", token="two")
    credential = Credential("one", None, None, "header")
    credential.offer(one)
    credential.accept()
    assert (credential.is_new(one), credential.is_new(two)) == (False, True)
    credential.offer(two)
    credential.refuse(is_offered=True)
    assert (credential.is_refused(one), credential.is_refused(two)) == (False, True)
    credential.refuse(is_offered=False)
    assert credential.is_refused(one)


def test_user_and_password_are_never_refused_for_good() -> None:
    credential = Credential(None, "ada", "pw", "header")
    credential.offer(BASIC)
    credential.refuse(is_offered=True)
    assert not credential.is_refused(BASIC)
