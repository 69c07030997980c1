"""Bytes to messages and back. Total: any bytes give a message or a named fault, never a stray exception."""

import json
import re
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct
from msgspec.inspect import StructType, type_info

from watchword_protocol.errors import ErrorCode
from watchword_protocol.messages import Authenticate, ClientMessage, MessageId, Query, ServerMessage

__all__ = ["CLIENT_TYPES", "SERVER_TYPES", "Fault", "decode_client", "decode_query", "decode_server", "encode"]


_T = TypeVar("_T")

_SENTENCE_CHARACTERS: Final = 200
_TYPE_CHARACTERS: Final = 64  # longer than any known type


class Fault(Struct, frozen=True):
    """Why bytes are not a message. `type` and `id` where they can be read, so that the answer can be matched."""

    code: ErrorCode
    message: str
    type: str | None = None
    id: MessageId = None


def _structs(union: Any) -> list[StructType]:
    members = type_info(union).types  # type: ignore[attr-defined]  # a UnionType, which the stub does not narrow to
    return [member for member in members if isinstance(member, StructType)]


CLIENT_TYPES: Final = frozenset(str(struct.tag) for struct in _structs(ClientMessage))
SERVER_TYPES: Final = frozenset(str(struct.tag) for struct in _structs(ServerMessage))
_NAMES: Final = frozenset(
    field.encode_name for struct in _structs(ClientMessage | ServerMessage) for field in struct.fields
) | {"type"}
"""Of all members of messages."""

# What a decoder raises besides its own errors: bytes that are not UTF-8, nesting beyond the interpreter's stack,
# and integers beyond what Python converts (CVE-2020-10735).
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError)

_client: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_server: Final[msgspec.json.Decoder[ServerMessage]] = msgspec.json.Decoder(ServerMessage)
_query: Final = msgspec.json.Decoder(Query)
# Members that hold objects of ours, or arrays of them. Longer arrays than any that is accepted are left as they are.
_OBJECTS: Final = frozenset(
    ("statements", "subscription", "options", "deliver", "protocol", "limits", "results", "schema", "batch_control")
)
_MAX_ITEMS: Final = 10_000

# Half of a pair of escapes (RFC 8259 7).
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF_SENTENCE: Final = "Message is not valid: a text in it has half a character (a lone surrogate)"

_members: Final = msgspec.json.Decoder(dict[str, Raw])
_array: Final = msgspec.json.Decoder(list[Raw])
_id: Final[msgspec.json.Decoder[MessageId]] = msgspec.json.Decoder(MessageId)
_text: Final = msgspec.json.Decoder(str)
encode: Final = msgspec.json.Encoder().encode
"""Message to bytes, UTF-8."""


def decode_client(data: bytes) -> ClientMessage | Fault:
    """What a client sent. A known type with wrong members keeps its `type` in the fault."""
    try:
        return _client.decode(data)
    except _FAULTS as error:
        return _decode_again(_client, data, error)


def decode_query(data: bytes) -> Query | Fault:
    """What a client sent as the body of an HTTP request, where the `type` may be left out."""
    try:
        return _query.decode(data)
    except _FAULTS as error:
        return _decode_again(_query, data, error)


def decode_server(data: bytes) -> ServerMessage | Fault:
    """What a server sent.

    An unknown type is a fault whose `type` is not in SERVER_TYPES: a newer server's, to be ignored.
    """
    try:
        return _server.decode(data)
    except _FAULTS as error:
        return _decode_again(_server, data, error)


def _decode_again(decoder: msgspec.json.Decoder[_T], data: bytes, error: Exception) -> _T | Fault:
    """The slow way, for what the fast way refused: of duplicate members the last counts, in every object of ours."""
    try:
        members = _members.decode(data)
    except _FAULTS:
        halves = _members_beside_halves(data)
        return _fault({}, _sentence(error)) if halves is None else _fault(halves, _HALF_SENTENCE)
    members = {name: member for name, member in members.items() if name in _NAMES}
    try:
        return decoder.decode(encode(_last_in_each(members)))
    except _FAULTS:
        return _fault(members, _sentence(error))


def _members_beside_halves(data: bytes) -> dict[str, Raw] | None:
    """Type and id of an object that only half a character in it (a lone surrogate) keeps from being decoded."""
    try:
        members = json.loads(data) if _HALF.search(data) else None
        if not isinstance(members, dict):
            return None
        return {name: Raw(encode(members[name])) for name in ("type", "id") if name in members}
    except _FAULTS:
        return None


def _last_in_each(members: dict[str, Raw]) -> dict[str, Any]:
    """The objects among the members with one member of each name; values of columns and parameters as they are."""
    return {name: _last_in(member) if name in _OBJECTS else member for name, member in members.items()}


def _last_in(value: Raw) -> Any:
    match bytes(memoryview(value)[:1]):
        case b"{":
            return _last_in_each(_members.decode(value))
        case b"[" if len(items := _array.decode(value)) <= _MAX_ITEMS:
            return [_last_in(item) for item in items]
    return value


def _fault(members: dict[str, Raw], sentence: str) -> Fault:
    kind = _read(_text, members.get("type"))
    # A credential that cannot be read is the credential's fault, whichever way it came.
    identity = (kind and kind[:_TYPE_CHARACTERS], _read(_id, members.get("id")))
    is_credential = kind == Authenticate.__struct_config__.tag
    code = ErrorCode.MALFORMED_AUTHORIZATION if is_credential else ErrorCode.MALFORMED_MESSAGE
    return Fault(code, sentence, *identity)


def _read(decoder: msgspec.json.Decoder[_T], raw: Raw | None) -> _T | None:
    """One member by itself, whatever is wrong with the others."""
    try:
        return None if raw is None else decoder.decode(raw)
    except _FAULTS:
        return None


def _sentence(error: Exception) -> str:
    """The decoder's words, which name the member by its path at their end; of a peer's text they repeat little."""
    match error:
        case UnicodeDecodeError():
            return "Message is not valid UTF-8"
        case RecursionError():
            return "Message is nested too deeply"
        case _:
            words = "".join(character if character.isprintable() else "?" for character in str(error))
    if len(words) > _SENTENCE_CHARACTERS:
        words = f"{words[: _SENTENCE_CHARACTERS // 2]}...{words[-_SENTENCE_CHARACTERS // 2 :]}"
    return f"Message is not valid: {words}"
