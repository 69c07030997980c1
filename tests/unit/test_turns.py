"""Whose turn it is."""

from watchword_server.turns import Turns


def turns_of(*items: str) -> Turns[str]:
    """Each item is named after its user: a1, a2, b1."""
    turns: Turns[str] = Turns()
    for item in items:
        turns.add(item[0], item)
    return turns


def names(items: list[tuple[str, str]]) -> list[str]:
    assert all(item.startswith(user) for user, item in items)
    return [item for _, item in items]


def test_all_are_taken_in_rounds_one_of_each_user() -> None:
    turns = turns_of("a1", "a2", "a3", "b1", "c1", "c2")
    assert len(turns) == 6
    assert names(turns.take_all()) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert not turns


def test_who_had_a_turn_is_behind_everybody_else() -> None:
    turns = turns_of("a1", "a2", "b1")
    assert turns.take("a") == "a1"
    assert [user for user, _ in turns] == ["b", "a"]
    assert dict(turns) == {"b": "b1", "a": "a2"}


def test_the_next_is_that_of_the_user_whose_turn_it_is() -> None:
    turns = turns_of("a1", "a2", "b1")
    assert [turns.take_next()[1] for _ in range(3)] == ["a1", "b1", "a2"]


def test_who_was_served_last_is_not_served_again_before_another() -> None:
    turns = turns_of("a1", "a2", "b1", "c1")
    assert turns.take_next("a") == ("b", "b1")
    assert turns.take_next("b") == ("a", "a1")
    assert turns.take_next("c") == ("a", "a2")
    assert turns.take_next("c") == ("c", "c1")


def test_what_is_added_first_comes_before_the_users_others() -> None:
    turns = turns_of("a1", "b1", "a2")
    turns.add_first("a", "a0")
    turns.add_first("c", "c0")
    assert [turns.take_next()[1] for _ in range(5)] == ["a0", "b1", "c0", "a1", "a2"]


def test_what_was_not_served_comes_first_and_who_was_served_last() -> None:
    """The newcomer d waits for b, who waited longer, and not for a, who had a turn."""
    turns = turns_of("a1", "a2", "b1", "c1", "b2")
    taken = turns.take_all()
    assert names(taken) == ["a1", "b1", "c1", "a2", "b2"]
    for item in ("d1", "a3", "c2"):
        turns.add(item[0], item)
    turns.give_back(taken[1:], served=frozenset({"a"}))
    assert names(turns.take_all()) == ["b1", "c1", "d1", "a2", "b2", "c2", "a3"]


def test_what_is_removed_waits_no_longer() -> None:
    turns = turns_of("a1", "a2", "b1")
    assert turns.remove("a", "a1")
    assert not turns.remove("a", "a1")
    assert not turns.remove("z", "z1")
    assert turns.remove("b", "b1")
    assert names(turns.take_all()) == ["a2"]
