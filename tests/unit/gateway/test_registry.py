"""Connections by user; how they are ended over real sockets: tests/integration/gateway/test_token_life.py."""

from msgspec.structs import replace

from watchword_protocol.errors import ErrorCode
from watchword_server.gateway.registry import Registry
from watchword_server.user import AuthenticatedUser, Role

ADA = AuthenticatedUser(
    id="u_ada",
    name="ada",
    role=Role.USER,
    email=None,
    auth_method="jwt",
    issuer="watchword",
    token_id="t1",
    session_id="s1",
    claims={},
    expires_at=None,
)


class FakeConnection:
    """Remembers how it was ended, and leaves at once."""

    def __init__(self, registry: Registry, user: AuthenticatedUser) -> None:
        self.user: AuthenticatedUser | None = user
        self.ended_with: list[ErrorCode] = []
        self._registry = registry
        registry.add(user.id, self)

    def end(self, code: ErrorCode) -> None:
        self.ended_with.append(code)
        assert self.user is not None
        self._registry.remove(self.user.id, self)


def test_ending_a_user_reaches_all_even_when_each_leaves_at_once() -> None:
    registry = Registry()
    connections = [FakeConnection(registry, ADA) for _ in range(3)]
    other = FakeConnection(registry, replace(ADA, id="u_bob"))
    assert (len(registry), registry.count("u_ada")) == (4, 3)
    assert registry.end_user("u_ada", ErrorCode.TOKEN_REVOKED) == 3
    assert [each.ended_with for each in connections] == [[ErrorCode.TOKEN_REVOKED]] * 3
    assert (list(registry), registry.count("u_ada"), other.ended_with) == ([other], 0, [])


def test_a_token_is_known_by_issuer_and_id_together() -> None:
    registry = Registry()
    foreign = FakeConnection(registry, replace(ADA, issuer="another"))
    assert registry.end_token("watchword", "t1", ErrorCode.TOKEN_REVOKED) == 0
    assert registry.end_session("watchword", "s1", ErrorCode.TOKEN_REVOKED) == 0
    assert registry.end_token("another", "t1", ErrorCode.TOKEN_REVOKED) == 1
    assert foreign.ended_with == [ErrorCode.TOKEN_REVOKED]


def test_leaving_twice_is_harmless_and_nothing_stays() -> None:
    registry = Registry()
    connection = FakeConnection(registry, ADA)
    registry.remove("u_ada", connection)
    registry.remove("u_ada", connection)
    assert (len(registry), registry._by_user) == (0, {})
