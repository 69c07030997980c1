"""A new user; names of users: one spelling, and no work for what can be none."""

import pytest

from watchword_server.auth.account import Account, canonical_name, check_name
from watchword_server.user import Role


def test_a_new_user_has_nothing_that_was_not_given() -> None:
    account = Account(id="u_1", name="ada", role=Role.USER, created_at=1.0, updated_at=1.0)
    unset = {name for name in account.__struct_fields__ if getattr(account, name) is None}
    assert unset == {"email", "password_hash", "issuer", "subject", "valid_after", "last_seen_at", "deleted_at"}
    assert (account.auth_type, account.locked) == ("password", False)


@pytest.mark.parametrize("name", ["ada", "Ada-2_x@example.org", "ångström", "李", "a" * 64])
def test_a_name_of_letters_digits_and_a_few_marks_is_taken(name: str) -> None:
    assert check_name(name) == name


def test_a_name_has_one_spelling() -> None:
    assert check_name("a\u030angstro\u0308m") == "ångström"


@pytest.mark.parametrize("name", ["", "a" * 65, "two words", "a/b", "a\n", "u_ada", "a\u0000"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        check_name(name)


def test_a_name_that_is_far_too_long_is_not_normalised() -> None:
    """Each mark heaped on a letter is compared with the others: a hundred thousand would take the loop for seconds."""
    heap = "a" + "\u0301\u0316" * 50_000
    assert canonical_name(heap) is heap
