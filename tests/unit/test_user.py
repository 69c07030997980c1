"""Who a connection speaks for."""

from support.lives import make_user
from watchword_server.user import Role


def test_roles_ascend() -> None:
    assert list(Role) == [Role.USER, Role.SERVICE, Role.DBA, Role.SYSTEM]
    ranks = list(Role)
    for lower, first in enumerate(ranks):
        for higher, second in enumerate(ranks):
            assert second.includes(first) is (higher >= lower)


def test_roles_are_words_of_the_wire() -> None:
    assert [role.value for role in Role] == ["user", "service", "dba", "system"]


def test_a_user_is_printed_without_claims() -> None:
    user = make_user(role=Role.DBA, email="ada@example.org", claims={"ssn": "123"})
    assert repr(user) == "<AuthenticatedUser ada (u_ada) dba by jwt>"
