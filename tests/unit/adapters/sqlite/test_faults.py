"""SQLite's codes as rows of the error table. What statements provoke is in test_store.py."""

import sqlite3

import pytest

from support.plans import NOTES
from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.faults import storage_fault, to_refusal
from watchword_server.refusal import Refused
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.plan import Place


def sqlite_error(code: int, sentence: str = "as SQLite says it: /var/lib/watchword.db") -> sqlite3.Error:
    error = sqlite3.OperationalError(sentence)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), ErrorCode.STORAGE_FULL),
        (sqlite_error(sqlite3.SQLITE_IOERR), ErrorCode.STORAGE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), ErrorCode.STORAGE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), ErrorCode.STORAGE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), ErrorCode.STORAGE_UNAVAILABLE),
        (MemoryError(), ErrorCode.STORAGE_UNAVAILABLE),
    ],
)
def test_the_disk_the_file_and_memory_are_the_storages(error: sqlite3.Error | MemoryError, code: ErrorCode) -> None:
    for refusal in (storage_fault(error), to_refusal(error, NOTES, value_bytes=1)):
        assert refusal is not None
        assert refusal.code is code
        assert refusal.message == code.message


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite_error(sqlite3.SQLITE_AUTH),
        sqlite_error(sqlite3.SQLITE_MISUSE),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY),
        sqlite3.ProgrammingError("Incorrect number of bindings supplied"),
        LookupError("ours"),
    ],
)
def test_what_no_user_can_cause_is_no_users_fault(error: Exception) -> None:
    assert to_refusal(error, NOTES, value_bytes=1) is None


def test_a_verdict_stays_the_verdict_it_is() -> None:
    refused = Refused(ErrorCode.RESULT_TOO_LARGE)
    assert to_refusal(refused, None, value_bytes=1) is refused
    fault = SqlFault(ErrorCode.TYPE_MISMATCH, "Division by zero.", 7)
    assert to_refusal(fault, None, value_bytes=1) is fault


def test_a_sum_that_overflows_has_its_place_where_there_is_one() -> None:
    error = sqlite3.OperationalError("integer overflow")
    places = [Place(7, None), Place(15, None)]
    for sums, at in ((places[:1], 7), (places, None), ([], None)):
        fault = to_refusal(error, None, value_bytes=1, sums=sums)
        assert isinstance(fault, SqlFault)
        assert (fault.code, fault.at) == (ErrorCode.TYPE_MISMATCH, at)
