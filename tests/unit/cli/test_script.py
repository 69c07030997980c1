"""Scripts are split where PostgreSQL's rules end a statement, and places lead back to the script."""

import pytest

from watchword_server.cli.script import Piece, split_script


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" ;; -- nothing\n;", []),
        ("SELECT 1", [Piece("SELECT 1", 1, 1)]),
        ("SELECT 1;", [Piece("SELECT 1", 1, 1)]),
        ("SELECT 1;SELECT 2;", [Piece("SELECT 1", 1, 1), Piece("SELECT 2", 1, 10)]),
        (
            "-- first\nSELECT 'a;b';\n\n  SELECT \"c;d\" -- ;\n, 1 /* ; */ ;",
            [Piece("SELECT 'a;b'", 2, 1), Piece('SELECT "c;d" -- ;\n, 1 /* ; */', 4, 3)],
        ),
        ("SELECT 'it''s;'", [Piece("SELECT 'it''s;'", 1, 1)]),
        ("SELECT [1;2]", [Piece("SELECT [1", 1, 1), Piece("2]", 1, 11)]),
    ],
)
def test_statements_end_at_semicolons_outside_strings_names_and_comments(text: str, pieces: list[Piece]) -> None:
    assert split_script(text) == pieces


@pytest.mark.parametrize(("place", "expected"), [((1, 1), (4, 3)), ((1, 8), (4, 10)), ((2, 5), (5, 5))])
def test_a_place_in_a_statement_is_one_in_the_script(place: tuple[int, int], expected: tuple[int, int]) -> None:
    assert Piece("SELECT\n  1", 4, 3).place(*place) == expected


def test_a_text_that_cannot_be_split_is_refused_with_the_place() -> None:
    with pytest.raises(ValueError, match=r"\(line 2, column 8\)$"):
        split_script("SELECT 1;\nSELECT 'open")


def test_the_size_of_a_script_is_not_limited_here() -> None:
    assert len(split_script("SELECT 1;" * 20_000)) == 20_000
