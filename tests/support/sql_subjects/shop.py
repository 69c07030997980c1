"""People, what they order and where they go: names that several tables share, keys that lead nowhere, and NULLs."""

from typing import Final

from support.sql_subjects.subject import Schema, Table

__all__ = ["SHOP"]

SHOP: Final = Schema(
    "shop",
    (
        Table(
            "people",
            "id INT PRIMARY KEY, name TEXT, boss INT, city TEXT",
            (
                "(1, 'Ann', NULL, 'Oslo')",
                "(2, 'Ben', 1, 'Rome')",
                "(3, 'Cat', 1, NULL)",
                "(4, 'Dan', 2, 'Rome')",
                "(5, 'Eve', 4, 'Oslo')",
                "(6, NULL, 9, 'Bern')",
            ),
            ("(1, 'Xan', 2, 'Rome')", "(2, 'Xen', NULL, NULL)", "(6, 'Xon', 1, 'Oslo')", "(9, 'Xun', 1, 'Rome')"),
        ),
        Table(
            "orders",
            "id INT PRIMARY KEY, person INT, item TEXT, amount INT, price DOUBLE PRECISION, placed DATE",
            (
                "(10, 1, 'pen', 3, 1.5, '2024-01-01')",
                "(11, 1, 'ink', 1, 4, '2024-01-02')",
                "(12, 2, 'pen', NULL, 1.5, '2024-01-02')",
                "(13, NULL, 'cap', 2, 7.25, NULL)",
                "(14, 8, 'pen', 5, 1.25, '2024-03-01')",
                "(15, 4, 'map', 2, NULL, '2024-02-29')",
                "(16, 2, 'ink', 7, 4, '2024-01-05')",
            ),
            ("(10, 3, 'map', 300, 100.5, '2024-01-01')", "(15, 1, 'jar', 200, 50, NULL)", "(17, 5, 'pen', 9, 9, NULL)"),
        ),
        Table(
            "items",
            "name TEXT PRIMARY KEY, kind TEXT, size SMALLINT",
            ("('pen', 'tool', 1)", "('ink', 'fluid', 2)", "('cap', 'cloth', NULL)", "('jar', NULL, 2)"),
            ("('pen', 'weapon', 7)", "('map', 'paper', 8)"),
        ),
        Table(
            "visits",
            "person INT, day DATE, minutes BIGINT, city TEXT, PRIMARY KEY (person, day)",
            (
                "(1, '2024-01-01', 30, 'Oslo')",
                "(1, '2024-01-02', NULL, 'Rome')",
                "(2, '2024-01-01', 45, NULL)",
                "(4, '2024-01-01', 45, 'Rome')",
                "(7, '2024-01-05', 10, 'Bern')",
            ),
            ("(1, '2024-01-01', 999, 'Rome')", "(3, '2024-01-03', 888, 'Bern')"),
        ),
        Table(
            "numbers",
            "n INT PRIMARY KEY, s SMALLINT, b BIGINT, d DOUBLE PRECISION, t TEXT, f BOOLEAN",
            (
                "(1, 1, 10, 0.5, 'a', true)",
                "(2, 1, 20, 1.5, 'b', false)",
                "(3, 2, NULL, 2.5, 'a', NULL)",
                "(4, NULL, 40, NULL, 'c', true)",
                "(5, 3, 50, 1.5, NULL, false)",
                "(6, 3, 9007199254740993, -2.5, 'b', true)",
                "(7, NULL, 20, 0.5, 'a', NULL)",
                "(8, 5, 10, 8.25, '', false)",
            ),
            ("(1, 100, 100, 100.5, 'z', false)", "(2, 200, 200, 200.5, 'y', NULL)", "(9, 9, 9, 9, 'x', true)"),
        ),
        Table(
            "edges",
            "a INT, b INT, PRIMARY KEY (a, b)",
            ("(1, 2)", "(2, 3)", "(3, 1)", "(3, 4)", "(4, 6)", "(5, 5)"),
            ("(1, 2)", "(2, 7)", "(6, 8)"),
        ),
        Table("nobody", "id INT PRIMARY KEY, name TEXT", (), ("(1, 'Somebody')",)),
    ),
)
