"""Messages as structs: what cannot be built, and what is never shown."""

from typing import Any

import pytest

from watchword_protocol import messages
from watchword_protocol.codec import CLIENT_TYPES, SERVER_TYPES, Fault, decode_client, encode
from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Authenticate, Ping, Query


def test_both_sides_types_are_those_of_the_contract() -> None:
    assert sorted(CLIENT_TYPES) == ["authenticate", "next_batch", "ping", "query", "subscribe", "unsubscribe"]
    assert sorted(SERVER_TYPES) == [
        "auth_error",
        "auth_success",
        "change",
        "draining",
        "error",
        "initial_data_batch",
        "pong",
        "result",
        "subscription_ack",
        "token_expiring",
        "unsubscribed",
    ]


def test_every_message_is_exported_and_documented() -> None:
    structs = {name for name, each in vars(messages).items() if hasattr(each, "__struct_fields__") and name != "Struct"}
    assert structs <= set(messages.__all__)
    assert all(getattr(messages, name).__doc__ for name in structs)


@pytest.mark.parametrize(
    "members",
    [{"method": "jwt"}, {"method": "jwt", "token": ""}, {"method": "basic", "user": "ada"}],
    ids=str,
)
def test_credential_without_its_members_cannot_be_built(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="missing required field"):
        Authenticate(**members)


@pytest.mark.parametrize("members", [{}, {"sql": "a", "statements": []}], ids=str)
def test_query_needs_exactly_one_form(members: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Query(**members)


def test_credential_never_shows_what_is_secret() -> None:
    shown = repr(Authenticate(method="jwt", token="the-token")) + repr(
        Authenticate(method="basic", user="ada", password="the-password")
    )
    assert "the-token" not in shown
    assert "the-password" not in shown


def test_message_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Ping(id=1).id = 2  # type: ignore[misc]  # frozen: that is what is tested


def test_message_without_id_is_written_without_id() -> None:
    assert encode(Ping()) == b'{"type":"ping"}'


@pytest.mark.parametrize(
    "secret",
    [
        b'{"type":"authenticate","method":"jwt","token":["s3cr3t"]}',
        b'{"type":"authenticate","method":"basic","user":"a","password":{"s3cr3t":1}}',
    ],
)
def test_fault_of_a_credential_does_not_repeat_it(secret: bytes) -> None:
    fault = decode_client(secret)
    assert isinstance(fault, Fault)
    assert fault.code is ErrorCode.MALFORMED_AUTHORIZATION
    assert "s3cr3t" not in fault.message


def test_fault_holds_no_control_characters_of_the_peer() -> None:
    """They would reach a log line."""
    fault = decode_client(b'{"type":"a\\nb\\u001b[2J"}')
    assert isinstance(fault, Fault)
    assert fault.message.isprintable()
