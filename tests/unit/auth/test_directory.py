"""Accounts in memory."""

import pytest

from support.accounts import MemoryAccounts, make_account
from watchword_server.auth.directory import Directory

ADA = make_account("ada")
ZOE = make_account("zo\u00eb", id="u_zoe")
DORA = make_account("dora", deleted_at=1_700_000_009.0)


@pytest.fixture
def directory() -> Directory:
    return Directory(MemoryAccounts(ADA, ZOE, DORA), remember=2)


@pytest.mark.parametrize("subject", ["u_ada", "ada"])
async def test_who_was_found_is_known(directory: Directory, subject: str) -> None:
    assert directory.known(subject) is None
    assert await directory.find(subject) is ADA
    assert directory.known(subject) is ADA
    assert len(directory) == 1


@pytest.mark.parametrize(("subject", "account"), [("u_dora", DORA), ("dora", DORA), ("u_nobody", None), ("", None)])
async def test_the_deleted_and_the_unknown_are_never_known(directory: Directory, subject: str, account: object) -> None:
    assert await directory.find(subject) is account
    assert directory.known(subject) is None
    assert len(directory) == 0


async def test_an_account_is_known_by_its_own_spelling_only(directory: Directory) -> None:
    """So that forgetting it forgets it wholly."""
    assert await directory.find("zoe\u0308") is ZOE
    assert (directory.known("zoe\u0308"), directory.known("zo\u00eb")) == (None, ZOE)
    directory.forget("u_zoe", "zo\u00eb")
    assert len(directory) == 0


async def test_a_change_forgets_id_and_name_and_nobody_else(directory: Directory) -> None:
    for subject in ("u_ada", "u_zoe"):
        await directory.find(subject)
    before = directory.generation
    directory.forget("u_ada", "ada")
    assert (directory.known("u_ada"), directory.known("u_zoe")) == (None, ZOE)
    assert directory.generation == before + 1


async def test_memory_is_bounded_and_the_oldest_goes_first(directory: Directory) -> None:
    for subject in ("u_ada", "ada", "u_zoe"):
        await directory.find(subject)
    assert [directory.known(subject) for subject in ("u_ada", "ada", "u_zoe")] == [None, ADA, ZOE]
    assert len(directory) == 2
