"""The documented cases of authentication by token, through every way that has them."""

from collections.abc import Mapping

import pytest

from support.doors import DOORS, Door, assert_refused, knock, read_answer
from support.presenting import by_message
from support.raw_socket import text, upgrade
from support.tokens import ABSENT, NOW, SECRET, TRUSTED, make_token
from watchword_protocol.errors import ErrorCode
from watchword_server.app import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Servers = Mapping[str, RunningServer]

every_door = pytest.mark.parametrize("door", DOORS, ids=str)

# RFC 6750 3.1.
INVALID_TOKEN = ['Bearer realm="watchword", error="invalid_token"']
INVALID_REQUEST = ['Bearer realm="watchword", error="invalid_request"']


async def assert_told(
    servers: Servers, door: Door, token: bytes, code: ErrorCode, status: int, close: int, challenges: list[str]
) -> None:
    """The refusal in full: `status` and `challenges` where it is told by status, `close` where by close code."""
    answer = await read_answer(servers, door, token)
    assert_refused(answer, door, code)
    assert (code.http, code.close) == (status, close)
    if door.tells_by_status:
        told = answer.http.headers["www-authenticate"]
        assert [value.partition(", error_description")[0] for value in told] == challenges


@every_door
@pytest.mark.parametrize("issuer", ["watchword", TRUSTED])
async def test_jwt_auth_success(servers: Servers, door: Door, issuer: str) -> None:
    answer = await read_answer(servers, door, make_token(iss=issuer))
    assert answer.http.status == 101
    assert answer.message == {
        "type": "auth_success",
        "user": "ada",
        "user_id": "u_ada",
        "role": "user",
        "connection_id": answer.message["connection_id"],
        "expires_at": "2027-01-15T08:10:00.000000Z",
        "server_time": "2027-01-15T08:00:00.000000Z",
        "limits": {"max_message_bytes": 1_048_576, "heartbeat_s": 25.0},
        "protocol": {"version": 1, "serialization": "json", "compression": "none"},
    }
    assert answer.http.headers.get("sec-websocket-protocol") == (
        ["watchword.v1"] if door.way == "subprotocol" else None
    )


@every_door
async def test_jwt_auth_expired_token(servers: Servers, door: Door) -> None:
    token = make_token(exp=NOW - 31)
    await assert_told(servers, door, token, ErrorCode.TOKEN_EXPIRED, 401, 4100, INVALID_TOKEN)


@every_door
@pytest.mark.parametrize("exp", [NOW + 600, NOW - 31], ids=["in time", "expired too"])
async def test_jwt_auth_invalid_signature(servers: Servers, door: Door, exp: float) -> None:
    token = make_token(secret=SECRET + "!", exp=exp)
    await assert_told(servers, door, token, ErrorCode.INVALID_SIGNATURE, 401, 4203, INVALID_TOKEN)


@every_door
@pytest.mark.parametrize("secret", [SECRET, SECRET + "!"], ids=["our secret", "their secret"])
async def test_jwt_auth_untrusted_issuer(servers: Servers, door: Door, secret: str) -> None:
    token = make_token(iss="https://evil.example", secret=secret)
    await assert_told(servers, door, token, ErrorCode.UNTRUSTED_ISSUER, 401, 4204, INVALID_TOKEN)


@every_door
async def test_jwt_auth_missing_sub_claim(servers: Servers, door: Door) -> None:
    token = make_token(sub=ABSENT)
    await assert_told(servers, door, token, ErrorCode.MISSING_CLAIM, 400, 4201, INVALID_REQUEST)


GOOD = make_token().decode()
PROTOCOL = "Sec-WebSocket-Protocol: watchword.v1, watchword.jwt."

MALFORMED = {
    "header: no credential": upgrade("Authorization: Bearer"),
    "header: nothing at all": upgrade("Authorization:"),
    "header: no scheme": upgrade(f"Authorization: {GOOD}"),
    "header: unknown scheme": upgrade(f"Authorization: Token {GOOD}"),
    "header: two credentials": upgrade(f"Authorization: Bearer {GOOD} {GOOD}"),
    "header: two in a list": upgrade(f"Authorization: Bearer {GOOD}, Bearer {GOOD}"),
    "header: twice": upgrade(f"Authorization: Bearer {GOOD}", f"Authorization: Bearer {GOOD}"),
    "header: quoted": upgrade(f'Authorization: Bearer "{GOOD}"'),
    "header: an equals sign inside": upgrade(f"Authorization: Bearer ={GOOD}"),
    "header: a tab for a blank": upgrade(f"Authorization: Bearer\t{GOOD}"),
    "header: letters outside ASCII": upgrade("Authorization: Bearer caf\u00e9"),
    "header: a parameter": upgrade(f"Authorization: Bearer token={GOOD}"),
    "header: Basic without base64": upgrade("Authorization: Basic ada:secret"),
    "header: Basic without padding": upgrade("Authorization: Basic YWRhOg"),
    "header: Basic without a colon": upgrade("Authorization: Basic YWRh"),
    "header: Basic that is not UTF-8": upgrade("Authorization: Basic /zr/"),
    "header: bad, and a good subprotocol": upgrade("Authorization: Bearer", PROTOCOL + GOOD),
    "subprotocol: no token": upgrade(PROTOCOL),
    "subprotocol: twice": upgrade(f"{PROTOCOL}{GOOD}, watchword.jwt.{GOOD}"),
    "subprotocol: twice, on two lines": upgrade(PROTOCOL + GOOD, PROTOCOL + GOOD),
    "first message: no method": upgrade() + text({"type": "authenticate", "token": GOOD}),
    "first message: unknown method": upgrade() + text({"type": "authenticate", "method": "key", "token": GOOD}),
    "first message: no token": upgrade() + text({"type": "authenticate", "method": "jwt"}),
    "first message: null": upgrade() + text({"type": "authenticate", "method": "jwt", "token": None}),
    "first message: empty": upgrade() + by_message(""),
    "first message: a number": upgrade() + text({"type": "authenticate", "method": "jwt", "token": 7}),
    "first message: a list": upgrade() + text({"type": "authenticate", "method": "jwt", "token": [GOOD]}),
    "first message: no password": upgrade() + text({"type": "authenticate", "method": "basic", "user": "ada"}),
    "first message: empty user": upgrade()
    + text({"type": "authenticate", "method": "basic", "user": "", "password": "correct horse 1"}),
}


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize("what", MALFORMED)
async def test_jwt_auth_malformed_header(servers: Servers, mode: str, what: str) -> None:
    """And what is malformed where a header is not the way."""
    door = Door(mode, what.partition(":")[0])
    answer = await knock(servers[mode], MALFORMED[what])
    assert_refused(answer, door, ErrorCode.MALFORMED_AUTHORIZATION)
    assert (ErrorCode.MALFORMED_AUTHORIZATION.http, ErrorCode.MALFORMED_AUTHORIZATION.close) == (400, 4200)
    if door.tells_by_status:
        bearer, basic = answer.http.headers["www-authenticate"]
        assert bearer.startswith('Bearer realm="watchword", error="invalid_request"')
        assert basic == 'Basic realm="watchword", charset="UTF-8"'


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize(
    "field",
    ["Sec-WebSocket-Protocol: watchword.jwt.x", "Sec-WebSocket-Protocol: a b", f"{PROTOCOL}a@b", f"{PROTOCOL}a/b"],
)
async def test_subprotocols_that_are_no_list_of_tokens_are_a_status_in_both_modes(
    servers: Servers, mode: str, field: str
) -> None:
    for fields in ([field], [field, f"Authorization: Bearer {GOOD}"]):
        answer = await knock(servers[mode], upgrade(*fields))
        assert (answer.http.status, answer.code) == (400, "MALFORMED_AUTHORIZATION")


@pytest.mark.parametrize("mode", ["close", "http"])
@pytest.mark.parametrize(
    "field",
    [
        f"Authorization: bearer {GOOD}",
        f"Authorization: BEARER {GOOD}",
        f"authorization: Bearer   {GOOD}",
        f"AUTHORIZATION:Bearer {GOOD}  ",
        "Authorization: basic YWRhOmNvcnJlY3QgaG9yc2UgMQ==",
        f"Sec-WebSocket-Protocol: chat ,watchword.jwt.{GOOD},, watchword.v1",
    ],
)
async def test_what_looks_odd_and_is_right_comes_in(servers: Servers, mode: str, field: str) -> None:
    assert (await knock(servers[mode], upgrade(field))).message["user"] == "ada"
