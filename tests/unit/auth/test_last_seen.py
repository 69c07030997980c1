"""When users were last seen."""

from watchword_server.auth.last_seen import LastSeen


def test_who_was_seen_is_written_once() -> None:
    seen = LastSeen()
    seen.note("u_ada", 100.0)
    seen.note("u_bob", 101.0)
    assert seen.take(105.0) == {"u_ada": 100.0, "u_bob": 101.0}
    assert seen.take(106.0) == {}


def test_a_user_is_written_at_most_once_a_minute() -> None:
    seen = LastSeen()
    written: list[float] = []
    for second in range(0, 181, 5):
        seen.note("u_ada", float(second))
        written += seen.take(float(second)).values()
    assert written == [0.0, 60.0, 120.0, 180.0]


def test_what_is_older_than_a_minute_is_not_kept() -> None:
    seen = LastSeen()
    for number in range(1_000):
        seen.note(f"u_{number}", 100.0)
    seen.take(160.0)
    assert seen._noted == seen._unwritten == {}


def test_a_clock_that_jumps_back_writes_nothing_wrong() -> None:
    seen = LastSeen()
    seen.note("u_ada", 100.0)
    seen.note("u_ada", 50.0)
    assert seen.take(50.0) == {"u_ada": 100.0}


def test_what_could_not_be_written_is_taken_again() -> None:
    seen = LastSeen()
    seen.note("u_ada", 100.0)
    seen.note("u_bob", 101.0)
    taken = seen.take(105.0)
    seen.note("u_ada", 160.0)
    seen.give_back(taken)
    assert seen.take(165.0) == {"u_ada": 160.0, "u_bob": 101.0}
