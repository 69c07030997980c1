"""Counts that go up and down again."""

from watchword_protocol.errors import ErrorCode
from watchword_server.gateway.quota import Quota


def test_one_address_may_not_take_all() -> None:
    quota = Quota(limit=3, limit_per_address=2)
    for _ in range(2):
        assert quota.passed_by("a") is None
        quota.enter("a")
    assert (quota.passed_by("a"), quota.passed_by("b")) == (ErrorCode.TOO_MANY_CONNECTIONS, None)
    quota.enter("b")
    assert (quota.passed_by("a"), quota.passed_by("c")) == (ErrorCode.OVERLOADED, ErrorCode.OVERLOADED)


def test_who_leaves_makes_room_and_leaves_no_trace() -> None:
    quota = Quota(limit=2, limit_per_address=1)
    quota.enter("a")
    quota.enter("b")
    quota.leave("a")
    assert (len(quota), quota.passed_by("a"), quota.passed_by("b")) == (1, None, ErrorCode.TOO_MANY_CONNECTIONS)
    quota.leave("b")
    assert (len(quota), quota._by_address) == (0, {})
