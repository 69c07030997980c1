"""Keys, defaults, checks and references: what breaks them, and ON CONFLICT, which goes round them."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Schema, Subject, Table, statements

__all__ = ["CONSTRAINTS", "SET_NULL", "UPSERT", "UPSERT_UNIQUE"]

_KEYS: Final = Schema(
    "keys",
    (
        Table(
            "accounts",
            "id INT PRIMARY KEY, mail TEXT UNIQUE, name TEXT NOT NULL DEFAULT 'new', age INT CHECK (age >= 0),"
            " level SMALLINT DEFAULT 1, CHECK (level < 10 OR name = 'boss'), UNIQUE (name, level)",
            (
                "(1, 'a@x', 'ann', 30, 1)",
                "(2, 'b@x', 'ben', NULL, 2)",
                "(3, NULL, 'cat', 0, 3)",
                "(4, NULL, 'cat', 5, NULL)",
            ),
            ("(1, 'b@x', 'other', 99, 9)", "(5, 'new@x', 'ann', 1, 2)"),
        ),
        Table(
            "posts",
            "id INT PRIMARY KEY, author INT REFERENCES accounts (id) ON DELETE CASCADE, title TEXT",
            ("(10, 1, 'one')", "(11, 1, 'two')", "(12, 2, 'three')", "(13, NULL, 'four')"),
            ("(10, 5, 'theirs')",),
        ),
        Table(
            "notes",
            "id INT PRIMARY KEY, post INT REFERENCES posts (id) ON DELETE CASCADE, note TEXT",
            ("(20, 10, 'x')", "(21, 12, 'y')", "(22, NULL, 'z')"),
            ("(20, 10, 'theirs')",),
        ),
        Table(
            "seals",
            "id INT PRIMARY KEY, account INT NOT NULL REFERENCES accounts (id)",
            ("(30, 3)",),
            ("(30, 1)",),
        ),
    ),
)
_SHELVES: Final = Schema(
    "shelves",
    (
        Table("shelves", "id INT PRIMARY KEY, place TEXT", ("(1, 'left')", "(2, 'right')", "(3, 'cellar')")),
        Table(
            "books",
            "id INT PRIMARY KEY, title TEXT, shelf INT REFERENCES shelves (id) ON DELETE SET NULL,"
            " former INT DEFAULT 1 REFERENCES shelves (id) ON DELETE SET DEFAULT",
            ("(10, 'a', 1, 2)", "(11, 'b', 2, 3)", "(12, 'c', NULL, NULL)", "(13, 'd', 3, 1)"),
        ),
    ),
    kinds=("SHARED",),  # neither can keep the hidden owner of a row
)
_SET_NULL: Final = """
DELETE FROM shelves WHERE id = 3
DELETE FROM shelves WHERE id = 2 RETURNING place
DELETE FROM shelves WHERE id = 1
DELETE FROM shelves
DELETE FROM shelves WHERE id > 1
UPDATE shelves SET id = 4 WHERE id = 3
UPDATE shelves SET id = 3 WHERE id = 3 RETURNING *
DELETE FROM books
"""
_CONSTRAINTS: Final = """
INSERT INTO accounts (id, mail) VALUES (9, 'new@x') RETURNING *
INSERT INTO accounts (id, mail) VALUES (9, 'a@x')
INSERT INTO accounts (id, mail) VALUES (9, 'A@X') RETURNING mail
INSERT INTO accounts (id, mail) VALUES (9, NULL) RETURNING mail
INSERT INTO accounts (id, mail, name) VALUES (8, NULL, 'dan'), (9, NULL, 'eve')
INSERT INTO accounts (id, name, level) VALUES (9, 'ann', 1)
INSERT INTO accounts (id, name, level) VALUES (9, 'ann', 2)
INSERT INTO accounts (id, name, level) VALUES (9, 'cat', NULL)
INSERT INTO accounts (id, name) VALUES (9, NULL)
INSERT INTO accounts (id, age) VALUES (9, -1)
INSERT INTO accounts (id, age) VALUES (9, NULL) RETURNING age
INSERT INTO accounts (id, level) VALUES (9, 10)
INSERT INTO accounts (id, level, name) VALUES (9, 10, 'boss') RETURNING level
INSERT INTO accounts (id, level) VALUES (9, NULL) RETURNING level
INSERT INTO accounts (id, level) VALUES (9, DEFAULT) RETURNING level, name
INSERT INTO accounts (id) VALUES (1)
INSERT INTO accounts (id) VALUES (8), (8)
INSERT INTO accounts (id, name) VALUES (8, 'x'), (9, 'x')
INSERT INTO accounts DEFAULT VALUES
UPDATE accounts SET id = id + 1 WHERE id = 4
UPDATE accounts SET id = 9 WHERE id = 3
UPDATE accounts SET id = 9 WHERE id = 4
UPDATE accounts SET mail = 'b@x' WHERE id = 1
UPDATE accounts SET mail = 'a@x' WHERE id = 1 RETURNING mail
UPDATE accounts SET mail = 'c@x' WHERE id > 2
UPDATE accounts SET mail = NULL RETURNING id
UPDATE accounts SET name = NULL WHERE id = 1
UPDATE accounts SET name = DEFAULT WHERE id = 1 RETURNING name
UPDATE accounts SET level = 20 WHERE id = 1
UPDATE accounts SET level = 20, name = 'boss' WHERE id = 1 RETURNING level
UPDATE accounts SET name = 'cat', level = 3 WHERE id = 1
UPDATE accounts SET age = age - 1
UPDATE accounts SET age = age - 1 WHERE age > 0 RETURNING id, age
INSERT INTO posts VALUES (14, 1, 'x') RETURNING id
INSERT INTO posts VALUES (14, 5, 'x')
INSERT INTO posts VALUES (14, 99, 'x')
INSERT INTO posts VALUES (14, NULL, 'x') RETURNING author
INSERT INTO posts SELECT id + 10, id, name FROM accounts WHERE id > 2
UPDATE posts SET author = 4 WHERE id = 10 RETURNING author
UPDATE posts SET author = 99 WHERE id = 10
UPDATE posts SET author = NULL RETURNING id
UPDATE posts SET id = 15 WHERE id = 11
UPDATE posts SET id = 15 WHERE id = 10
DELETE FROM accounts WHERE id = 1
DELETE FROM accounts WHERE id = 2 RETURNING id
DELETE FROM accounts WHERE id = 3
DELETE FROM accounts WHERE id = 4
DELETE FROM accounts
DELETE FROM posts WHERE id = 12
DELETE FROM posts
DELETE FROM seals
DELETE FROM seals WHERE account = 3 RETURNING *
INSERT INTO seals VALUES (31, 1), (32, 99)
INSERT INTO seals VALUES (31, NULL)
SELECT a.name, p.title FROM accounts a JOIN posts p ON p.author = a.id ORDER BY p.id
"""
_UNIQUE: Final = """
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT DO NOTHING
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT (mail) DO NOTHING
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT (id) DO NOTHING
INSERT INTO accounts (id, mail) VALUES (1, 'new@x') ON CONFLICT (mail) DO NOTHING
INSERT INTO accounts (id, mail) VALUES (1, 'new@x') ON CONFLICT (id) DO UPDATE SET mail = excluded.mail RETURNING *
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT (mail) DO UPDATE SET age = 1 RETURNING id, mail, age
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT (mail) DO UPDATE SET id = excluded.id WHERE accounts.age < 30
INSERT INTO accounts (id, mail) VALUES (2, 'a@x') ON CONFLICT (mail) DO UPDATE SET id = excluded.id
INSERT INTO accounts (id, mail) VALUES (9, NULL) ON CONFLICT (mail) DO UPDATE SET age = 1 RETURNING id, age
INSERT INTO accounts (id, name, level) VALUES (9, 'ann', 1) ON CONFLICT (name, level) DO UPDATE SET age = 7 RETURNING id, age
INSERT INTO accounts (id, name, level) VALUES (9, 'ann', 1) ON CONFLICT (level, name) DO UPDATE SET age = 7 RETURNING id, age
INSERT INTO accounts (id, name, level) VALUES (9, 'cat', NULL) ON CONFLICT (name, level) DO NOTHING RETURNING id
INSERT INTO accounts (id, name) VALUES (9, 'ann') ON CONFLICT (name) DO NOTHING
INSERT INTO accounts (id, name) VALUES (1, 'ann') ON CONFLICT DO NOTHING RETURNING id
INSERT INTO accounts (id, age) VALUES (1, -1) ON CONFLICT (id) DO NOTHING
INSERT INTO accounts (id, age) VALUES (9, -1) ON CONFLICT DO NOTHING
INSERT INTO accounts (id, name) VALUES (1, NULL) ON CONFLICT (id) DO NOTHING
INSERT INTO accounts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET age = -1
INSERT INTO accounts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET level = DEFAULT, name = DEFAULT RETURNING level, name
INSERT INTO accounts (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET mail = 'b@x'
INSERT INTO accounts (id) VALUES (1), (9) ON CONFLICT (id) DO UPDATE SET name = excluded.name || '2' RETURNING id, name
INSERT INTO posts VALUES (10, 99, 'x') ON CONFLICT (id) DO NOTHING
INSERT INTO posts VALUES (10, 99, 'x') ON CONFLICT (id) DO UPDATE SET title = 'changed' RETURNING *
INSERT INTO posts VALUES (10, 99, 'x') ON CONFLICT (id) DO UPDATE SET author = excluded.author
INSERT INTO posts VALUES (14, 99, 'x') ON CONFLICT DO NOTHING
INSERT INTO accounts (id, mail) VALUES (9, 'a@x') ON CONFLICT ON CONSTRAINT accounts_mail_key DO NOTHING
"""
_UPSERT: Final = """
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT DO NOTHING
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT DO NOTHING RETURNING id
INSERT INTO people (id, name) VALUES (1, 'Zed'), (7, 'Yan') ON CONFLICT DO NOTHING RETURNING id, name
INSERT INTO people (id, name) VALUES (7, 'a'), (7, 'b') ON CONFLICT DO NOTHING RETURNING name
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id) DO NOTHING
INSERT INTO people (id, name) VALUES (9, 'Zed') ON CONFLICT (id) DO NOTHING RETURNING *
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (name) DO NOTHING
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id, name) DO NOTHING
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (nothing) DO NOTHING
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id + 0) DO NOTHING
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT DO UPDATE SET name = excluded.name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = people.name || excluded.name, boss = 5 RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = name || '!' RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET city = excluded.city RETURNING *
INSERT INTO people AS p VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = p.city || excluded.name RETURNING p.name
INSERT INTO people AS p VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = people.city
INSERT INTO people VALUES (1, 'Zed'), (1, 'Yan') ON CONFLICT (id) DO UPDATE SET name = excluded.name
INSERT INTO people VALUES (7, 'Zed'), (7, 'Yan') ON CONFLICT (id) DO UPDATE SET name = excluded.name
INSERT INTO people VALUES (1, 'Zed'), (7, 'Yan') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name
INSERT INTO people VALUES (1, 'Zed'), (2, 'Yan') ON CONFLICT (id) DO UPDATE SET name = excluded.name
  WHERE people.city = 'Rome' RETURNING id, name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE excluded.name < 'M'
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE null
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name = 'Ann' RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET id = 50 RETURNING id, name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET id = 2
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET id = excluded.id + 100 RETURNING id, name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = DEFAULT RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = (SELECT item FROM orders WHERE id = 10) RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = (SELECT max(name) FROM people) RETURNING name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET (name, city) = (excluded.name, 'x') RETURNING name, city
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET nothing = 1
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.nothing
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = 5, name = 6
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET boss = 'x'
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET boss = excluded.name
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING excluded.name
INSERT INTO people (id, name) VALUES (1, 'Zed') ON CONFLICT (id) DO UPDATE SET boss = people.id + excluded.id RETURNING boss
INSERT INTO people (id, boss) VALUES (2, 5) ON CONFLICT (id) DO UPDATE SET boss = people.boss + excluded.boss RETURNING boss
INSERT INTO people (id, boss) VALUES (2, 0) ON CONFLICT (id) DO UPDATE SET boss = 1 / excluded.boss
INSERT INTO people (id, boss) VALUES (7, 0) ON CONFLICT (id) DO UPDATE SET boss = 1 / excluded.boss RETURNING id
INSERT INTO people (id, name) SELECT id, item FROM orders WHERE id < 12 ON CONFLICT (id) DO NOTHING
INSERT INTO people (id, name) SELECT person, max(item) FROM orders WHERE person > 0 GROUP BY person ON CONFLICT (id) DO UPDATE
  SET name = excluded.name RETURNING id, name
INSERT INTO people (id, name) SELECT person, item FROM orders WHERE person > 0 ON CONFLICT (id) DO UPDATE SET name = excluded.name
INSERT INTO people (id, name) SELECT id, name FROM people WHERE true ON CONFLICT (id) DO UPDATE SET name = excluded.name || '+'
INSERT INTO people (id) VALUES (NULL) ON CONFLICT DO NOTHING
INSERT INTO visits VALUES (1, '2024-01-01', 5) ON CONFLICT (person, day) DO UPDATE SET minutes = visits.minutes + excluded.minutes
  RETURNING *
INSERT INTO visits VALUES (1, '2024-01-01', 5) ON CONFLICT (day, person) DO UPDATE SET minutes = 0 RETURNING minutes
INSERT INTO visits VALUES (1, '2024-01-01', 5) ON CONFLICT (person) DO NOTHING
INSERT INTO visits VALUES (1, '2024-01-02', 5) ON CONFLICT (person, day) DO UPDATE SET minutes = visits.minutes + 1 RETURNING minutes
INSERT INTO visits VALUES (1, '2024-01-09', 5) ON CONFLICT (person, day) DO UPDATE SET minutes = 1 RETURNING minutes
INSERT INTO edges VALUES (1, 2), (1, 3) ON CONFLICT DO NOTHING RETURNING a, b
INSERT INTO edges VALUES (1, 2) ON CONFLICT (a, b) DO UPDATE SET b = 9 RETURNING a, b
INSERT INTO items VALUES ('pen', 'x', 40000) ON CONFLICT DO NOTHING
INSERT INTO items VALUES ('pen', 'x', 9) ON CONFLICT (name) DO UPDATE SET size = items.size + excluded.size, kind = DEFAULT RETURNING *
INSERT INTO items VALUES ('pen', 'x', 9) ON CONFLICT (name) DO UPDATE SET size = 40000
INSERT INTO items VALUES ('PEN', 'x', 9) ON CONFLICT (name) DO UPDATE SET size = 0 RETURNING *
INSERT INTO items DEFAULT VALUES ON CONFLICT DO NOTHING
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT ON CONSTRAINT people_pkey DO NOTHING
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) WHERE id > 0 DO NOTHING
INSERT INTO people VALUES (1, 'Zed') ON CONFLICT (id) DO NOTHING ON CONFLICT (name) DO NOTHING
INSERT OR REPLACE INTO people VALUES (1, 'Zed')
REPLACE INTO people VALUES (1, 'Zed')
"""
_UPSERT_CASES: Final = (
    Case(
        "INSERT INTO people (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = $2 RETURNING id, name",
        [2, "Q"],
    ),
    Case(
        "INSERT INTO people (id, boss) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET boss = excluded.boss + $3 RETURNING boss",
        [2, 10, 1],
    ),
    Case("INSERT INTO people (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id", [2]),
)

CONSTRAINTS: Final = Subject("constraints", _KEYS, tuple(statements(_CONSTRAINTS)))
SET_NULL: Final = Subject("set_null", _SHELVES, tuple(statements(_SET_NULL)))
UPSERT: Final = Subject("upsert", SHOP, (*statements(_UPSERT), *_UPSERT_CASES))
UPSERT_UNIQUE: Final = Subject("upsert_unique", _KEYS, tuple(statements(_UNIQUE)))
