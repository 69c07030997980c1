"""Rows as values of Python."""

import copy
import pickle
from collections.abc import Callable

import pytest

from watchword.rows import Row, Rows


def make_row() -> Row:
    return Row({"id": 0, "title": 1}, [7, ["x"]])


def test_a_row_is_a_mapping_and_by_place_and_attribute() -> None:
    row = make_row()
    assert dict(row) == {"id": 7, "title": ["x"]}
    assert (row["id"], row[0], row.id, row.title) == (7, 7, 7, ["x"])


@pytest.mark.parametrize("name", ["body", "__len_hint__"])
def test_a_row_has_no_other_attribute(name: str) -> None:
    assert not hasattr(make_row(), name)


def pickled(row: object) -> object:
    return pickle.loads(pickle.dumps(row))  # noqa: S301  # our own


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_row_can_be_copied(copied: Callable[[object], object]) -> None:
    found = copied(make_row())
    assert isinstance(found, Row)
    assert found == make_row()
    assert found.title == ["x"]
    rows = copied(Rows(["id", "title"], ["Int", "Json"], [make_row()], 1, "ada"))
    assert isinstance(rows, Rows)
    assert (list(rows), rows.columns, rows.as_user) == ([make_row()], ("id", "title"), "ada")
