"""Rows on their way to the audit log: what is kept, what is counted."""

import pytest
from msgspec.structs import replace

from watchword_server.auth.audit import AuditRow, legible
from watchword_server.auth.audit_trail import AuditTrail, Kind
from watchword_server.user import Role

NOW = 1_000_000.0


def row(actor: str = "ada", *, at: float = NOW, source: str = "192.0.2.1", result: str = "ok") -> AuditRow:
    return AuditRow(
        at=at, actor=actor, actor_id=f"u_{actor}", role=Role.USER, action="login", source=source, result=result
    )


def note(trail: AuditTrail, kind: Kind, source: str, count: int, *, at: float = NOW) -> int:
    """How many of so many rows were kept."""
    return sum(trail.note(kind, source, row(source, at=at)) for _ in range(count))


def test_rows_are_taken_once_and_in_order() -> None:
    trail = AuditTrail()
    rows = [row("ada"), row("bob"), row("ada", result="TOKEN_EXPIRED")]
    for each in rows:
        trail.note(Kind.LOGIN, each.actor, each)
    assert trail.take(NOW) == rows
    assert trail.take(NOW) == []


@pytest.mark.parametrize("kind", list(Kind))
def test_of_one_source_a_bound_is_kept_an_hour_and_the_rest_is_counted(kind: Kind) -> None:
    trail = AuditTrail()
    assert note(trail, kind, "ada", kind.bound.each + 7) == kind.bound.each
    assert note(trail, kind, "bob", 1) == 1
    assert len(trail.take(NOW + 3_599)) == kind.bound.each + 1
    (left_out,) = trail.take(NOW + 3_600)
    assert (left_out.action, left_out.at, left_out.source) == ("left_out", NOW + 3_600, "192.0.2.1")
    assert left_out.detail == f"7 more: {kind.value[0]}"
    assert left_out.actor_id == ("u_ada" if kind.is_of_a_user else None)
    assert note(trail, kind, "ada", 1, at=NOW + 3_601) == 1


def test_kinds_do_not_take_each_others_room() -> None:
    trail = AuditTrail()
    for kind in Kind:
        assert note(trail, kind, "ada", 100) == 60


def test_of_very_many_sources_a_bound_is_kept_and_told_together() -> None:
    """The log and the memory grow by no more, however many addresses a stranger has."""
    trail, bound = AuditTrail(), Kind.FAILED_LOGIN.bound
    kept = [note(trail, Kind.FAILED_LOGIN, f"2001:db8::{number}", 1) for number in range(bound.together + 5_000)]
    assert sum(kept) == len(trail) == bound.together
    note(trail, Kind.FAILED_LOGIN, "2001:db8::0", 3)
    trail.take(NOW)
    left_out = trail.take(NOW + 3_600)
    assert sorted((each.detail or "").partition(" ")[0] for each in left_out) == ["3", "5000"]
    assert [each.actor for each in left_out] == ["", ""]


def test_what_is_left_out_is_told_at_the_end_too() -> None:
    trail = AuditTrail()
    note(trail, Kind.LOGIN, "ada", 61)
    assert len(trail.take(NOW, all_of_it=True)) == 61


def test_a_clock_that_is_set_back_loses_no_count() -> None:
    trail = AuditTrail()
    note(trail, Kind.LOGIN, "ada", 61)
    note(trail, Kind.LOGIN, "ada", 1, at=NOW - 10_000)
    assert [each.action for each in trail.take(NOW - 10_000)] == ["login"] * 60 + ["left_out", "login"]


def test_while_the_log_cannot_be_written_the_newest_wait_and_the_others_are_counted() -> None:
    trail = AuditTrail(max_rows=10)
    for _ in range(3):
        for number in range(8):
            trail.add(row(at=NOW + number))
        trail.give_back(trail.take(NOW))
    rows = trail.take(NOW)
    assert len(rows) == 11
    assert rows[0] == row(at=NOW + 6)
    assert rows[-1] == AuditRow(
        at=NOW, actor="", action="left_out", source="", detail="14 rows are lost: the log could not be written"
    )
    assert trail.take(NOW) == []


def test_a_count_that_could_not_be_written_is_not_lost() -> None:
    trail = AuditTrail()
    lost = replace(row(), action="left_out")
    trail.give_back([lost])
    assert trail.take(NOW) == [lost]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("zoë ☃", "zoë ☃"), ("a\nb\x1b[2J", r"a\nb\x1b[2J"), ("\ud800", r"\ud800"), ("\0", r"\x00"),
        ("x" * 1_000, "x" * 1_000), ("x" * 1_001, "x" * 996 + " ..."), ("\u202e", r"\u202e"), ("", ""),
    ],
)  # fmt: skip
def test_what_a_stranger_wrote_is_kept_so_that_it_can_be_read(text: str, kept: str) -> None:
    assert legible(text) == kept
