"""Bytes to messages and back. Total: any bytes give a message or a named fault, never a stray exception."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.inspect import StructType, type_info

from watchword_protocol.errors import ErrorCode
from watchword_protocol.limits import ID_CHARACTERS, MAX_INTEGER
from watchword_protocol.messages import Authenticate, ClientMessage, MessageId, ServerMessage

__all__ = ["CLIENT_TYPES", "SERVER_TYPES", "Fault", "decode_client", "decode_server", "encode"]


class Fault(Struct, frozen=True):
    """Why bytes are not a message. `type` and `id` where they can be read, so that the answer can be matched."""

    code: ErrorCode
    message: str
    type: str | None = None
    id: MessageId = None


class _Envelope(Struct, frozen=True):
    type: Any = None
    id: Any = None


def _types(union: Any) -> frozenset[str]:
    members = type_info(union).types  # type: ignore[attr-defined]  # a UnionType, which the stub does not narrow to
    return frozenset(str(member.tag) for member in members if isinstance(member, StructType))


CLIENT_TYPES: Final = _types(ClientMessage)
SERVER_TYPES: Final = _types(ServerMessage)

# What a decoder raises besides its own errors: bytes that are not UTF-8, nesting beyond the interpreter's stack,
# and integers beyond what Python converts (CVE-2020-10735).
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, OverflowError)

_client: Final = msgspec.json.Decoder(ClientMessage)
_server: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(ServerMessage)
_envelope: Final = msgspec.json.Decoder(_Envelope)
_members: Final = msgspec.json.Decoder(dict[str, Raw])
encode: Final = msgspec.json.Encoder().encode
"""Message to bytes, UTF-8."""


def decode_client(data: bytes) -> ClientMessage | Fault:
    """What a client sent. A known type with wrong members keeps its `type` in the fault."""
    try:
        return _client.decode(data)
    except _FAULTS as error:
        return _decode_again(_client, data, error)


def decode_server(data: bytes) -> ServerMessage | Fault:
    """What a server sent. An unknown type is a fault whose `type` is not in SERVER_TYPES: a newer server's, to be ignored."""
    try:
        return _server.decode(data)  # type: ignore[no-any-return]
    except _FAULTS as error:
        return _decode_again(_server, data, error)


def _decode_again(decoder: msgspec.json.Decoder[Any], data: bytes, error: Exception) -> Any:
    """The slow way, for what the fast way refused: of duplicate members the last counts, and the tag may be one of them."""
    try:
        members = _members.decode(data)
        if len(plain := encode(members)) < len(data):
            return decoder.decode(plain)
    except _FAULTS as second:
        error = second
    return _fault(data, error)


def _fault(data: bytes, error: Exception) -> Fault:
    try:
        envelope = _envelope.decode(data)
    except _FAULTS:
        return Fault(ErrorCode.MALFORMED_MESSAGE, _sentence(error))
    kind = envelope.type if isinstance(envelope.type, str) else None
    # A credential that cannot be read is the credential's fault, whichever way it came.
    is_credential = kind == Authenticate.__struct_config__.tag
    code = ErrorCode.MALFORMED_AUTHORIZATION if is_credential else ErrorCode.MALFORMED_MESSAGE
    return Fault(code, _sentence(error), kind, _readable_id(envelope.id))


def _readable_id(value: Any) -> MessageId:
    if isinstance(value, str) and 0 < len(value) <= ID_CHARACTERS:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    return None


def _sentence(error: Exception) -> str:
    """The decoder's words, which name the member by its path and never repeat its value."""
    match error:
        case UnicodeDecodeError():
            return "Message is not valid UTF-8"
        case RecursionError():
            return "Message is nested too deeply"
        case _:
            return f"Message is not valid: {error}"
