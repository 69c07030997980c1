"""WITH: names for queries, what they hide, queries that read themselves, and WITH before a write."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["CTES"]

_TEXT: Final = """
WITH t AS (SELECT id FROM people) SELECT * FROM t ORDER BY id
WITH t AS (SELECT id, name FROM people) SELECT t.name FROM t WHERE t.id = 2
WITH t (a, b) AS (SELECT id, name FROM people) SELECT b FROM t WHERE a = 2
WITH t (a) AS (SELECT id, name FROM people) SELECT a, name FROM t WHERE a = 2
WITH t (a, b, c) AS (SELECT id, name FROM people) SELECT * FROM t
WITH t (a, a) AS (SELECT id, name FROM people) SELECT 1 FROM t
WITH t AS (SELECT 1 AS x), u AS (SELECT x + 1 AS y FROM t) SELECT x, y FROM t, u
WITH t AS (SELECT 1 AS x), u AS (SELECT 2 AS y) SELECT y FROM u
WITH u AS (SELECT x FROM t), t AS (SELECT 1 AS x) SELECT x FROM u
WITH t AS (SELECT 1), t AS (SELECT 2) SELECT * FROM t
WITH people AS (SELECT 7 AS id) SELECT id FROM people
WITH people AS (SELECT id FROM people WHERE id < 3) SELECT id FROM people ORDER BY id
WITH people AS (SELECT 7 AS id) SELECT id FROM "default".people ORDER BY id
WITH t AS (SELECT 1 AS x) SELECT (WITH t AS (SELECT 2 AS x) SELECT x FROM t), x FROM t
WITH t AS (SELECT 1 AS x) SELECT (SELECT x FROM t)
WITH t AS (SELECT 1 AS x) SELECT * FROM (WITH u AS (SELECT x + 1 AS y FROM t) SELECT y FROM u) s
WITH t AS (SELECT id FROM people) SELECT a.id, b.id FROM t a JOIN t b ON a.id = b.id + 1 ORDER BY a.id
WITH t AS (SELECT id FROM people WHERE city = 'Rome') SELECT id FROM people WHERE id IN (SELECT id FROM t) ORDER BY id
WITH t AS (SELECT id FROM people WHERE city = 'Rome') SELECT id FROM people WHERE id NOT IN (SELECT id FROM t) ORDER BY id
WITH t AS (SELECT count(*) AS n FROM orders) SELECT p.id FROM people p, t WHERE p.id = t.n - 2
WITH t AS (SELECT id FROM people ORDER BY id DESC LIMIT 2) SELECT * FROM t ORDER BY id
WITH t AS (SELECT id FROM people UNION SELECT id FROM orders) SELECT count(*) FROM t
WITH t AS (SELECT 1) SELECT * FROM t
WITH t AS (SELECT 1) SELECT "?column?" FROM t
WITH t AS (SELECT 'a' AS x) SELECT x || 'b' FROM t
WITH t AS (SELECT '1' AS x) SELECT x + 1 FROM t
WITH t AS (SELECT null AS x) SELECT x FROM t
WITH t AS (VALUES (1, 'a'), (2, 'b')) SELECT column2 FROM t WHERE column1 = 2
WITH t (n, s) AS (VALUES (1, 'a'), (2, 'b')) SELECT s FROM t WHERE n = 2
WITH t AS (SELECT 1 / 0 AS x) SELECT 1 AS one
WITH t AS (SELECT nothing FROM people) SELECT 1
WITH t AS (SELECT 1 AS x) SELECT y FROM t
WITH t AS (SELECT 1 AS x) SELECT x FROM t AS s WHERE t.x = 1
WITH t AS (SELECT 1 AS x) SELECT s.y FROM t AS s (y)
WITH t AS (SELECT p.id) SELECT * FROM people p, t
SELECT id, (WITH t AS (SELECT p.id * 2 AS d) SELECT d FROM t) AS d FROM people p ORDER BY id
SELECT id FROM people p WHERE EXISTS (WITH t AS (SELECT person FROM orders) SELECT 1 FROM t WHERE person = p.id) ORDER BY id
WITH t AS MATERIALIZED (SELECT id FROM people) SELECT count(*) FROM t
WITH t AS NOT MATERIALIZED (SELECT id FROM people) SELECT count(*) FROM t
WITH t AS (SELECT 1 AS x) SELECT x FROM t UNION ALL SELECT x FROM t
WITH t AS (SELECT 1 AS x) (SELECT x FROM t) ORDER BY x
(WITH t AS (SELECT 1 AS x) SELECT x FROM t) UNION SELECT 2 ORDER BY 1
SELECT 0 AS x UNION (WITH t AS (SELECT 1 AS x) SELECT x FROM t) ORDER BY 1
SELECT 0 AS x UNION WITH t AS (SELECT 1 AS x) SELECT x FROM t
WITH t AS (SELECT 1 AS x) VALUES (2), ((SELECT x FROM t))
WITH t AS (SELECT city, count(*) AS n FROM people GROUP BY city), m AS (SELECT max(n) AS n FROM t)
  SELECT city FROM t, m WHERE t.n = m.n ORDER BY city
# That read themselves
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t ORDER BY n
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t
WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t ORDER BY n
WITH RECURSIVE t (n) AS (SELECT 1 UNION SELECT n % 3 + 1 FROM t) SELECT n FROM t ORDER BY n
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t LIMIT 3
WITH RECURSIVE up (id, boss, depth) AS (SELECT id, boss, 0 FROM people WHERE id = 5 UNION ALL
  SELECT p.id, p.boss, up.depth + 1 FROM up JOIN people p ON p.id = up.boss) SELECT * FROM up ORDER BY depth
WITH RECURSIVE reach (x) AS (SELECT 1 UNION SELECT b FROM edges JOIN reach ON a = x) SELECT x FROM reach ORDER BY x
WITH RECURSIVE reach (x, y) AS (SELECT a, b FROM edges UNION SELECT r.x, e.b FROM reach r JOIN edges e ON e.a = r.y)
  SELECT x, count(*) FROM reach GROUP BY x ORDER BY x
WITH RECURSIVE t (x) AS (SELECT null::int UNION SELECT x FROM t) SELECT count(*) FROM t
WITH RECURSIVE t (s) AS (SELECT 'a' UNION ALL SELECT s || 'b' FROM t WHERE length(s) < 4) SELECT s FROM t ORDER BY s
WITH RECURSIVE t (s) AS (SELECT 'a'::text UNION ALL SELECT s || 'b' FROM t WHERE length(s) < 4) SELECT s FROM t ORDER BY s
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1::bigint FROM t WHERE n < 3) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1::bigint UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t ORDER BY n
WITH RECURSIVE t (n) AS (SELECT 1) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT n FROM t) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 EXCEPT SELECT n FROM t) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT n + 1 FROM t UNION ALL SELECT 1) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT a.n + b.n FROM t a, t b) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT count(*)::int FROM t) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3 ORDER BY n) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 3) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT p.id FROM people p LEFT JOIN t ON t.n = p.id) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT id FROM people WHERE id IN (SELECT n + 1 FROM t)) SELECT n FROM t
WITH RECURSIVE a (n) AS (SELECT n FROM b), b (n) AS (SELECT 1) SELECT n FROM a
WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n FROM b), b (n) AS (SELECT n FROM a) SELECT n FROM a
WITH t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3), u AS (SELECT n * 10 AS m FROM t)
  SELECT m FROM u ORDER BY m
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT a.n, b.n FROM t a, t b
  WHERE a.n + b.n = 5 ORDER BY 1
WITH RECURSIVE t (n) AS ((SELECT 1 UNION ALL SELECT 2) UNION ALL SELECT n + 10 FROM t WHERE n < 20) SELECT n FROM t ORDER BY n
WITH RECURSIVE people (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM people WHERE n < 3) SELECT n FROM people ORDER BY n
# Before a write
WITH t AS (SELECT 20 AS id, 'Zoe' AS name) INSERT INTO people (id, name) SELECT id, name FROM t RETURNING id, name, city
WITH t AS (SELECT max(id) + 1 AS id FROM people) INSERT INTO people (id) VALUES ((SELECT id FROM t)) RETURNING id
WITH t AS (SELECT id FROM people WHERE city = 'Rome') UPDATE orders SET amount = 0 WHERE person IN (SELECT id FROM t)
WITH t AS (SELECT id FROM people WHERE city = 'Rome') DELETE FROM orders WHERE person IN (SELECT id FROM t) RETURNING id
WITH t AS (SELECT 1 AS id) UPDATE people SET city = 'Paris' FROM t WHERE people.id = t.id RETURNING people.id, city
WITH t AS (SELECT 1 AS id) DELETE FROM people USING t WHERE people.id = t.id RETURNING people.name
WITH people AS (SELECT 1 AS id) UPDATE people SET city = 'Paris' WHERE id = 2 RETURNING id
WITH RECURSIVE t (n) AS (SELECT 30 UNION ALL SELECT n + 1 FROM t WHERE n < 32) INSERT INTO people (id, name)
  SELECT n, 'made' FROM t
INSERT INTO people (id) WITH t AS (SELECT 21 AS id) SELECT id FROM t
WITH gone AS (DELETE FROM orders WHERE person = 1 RETURNING id) SELECT id FROM gone ORDER BY id
WITH made AS (INSERT INTO people (id) VALUES (40) RETURNING id) SELECT id FROM made
"""
_CASES: Final = (
    Case("WITH t AS (SELECT id FROM people WHERE city = $1) SELECT id FROM t WHERE id > $2 ORDER BY id", ["Rome", 2]),
    Case("WITH t (x) AS (SELECT $1::int) SELECT x + 1 FROM t", [3]),
    Case(
        "WITH RECURSIVE t (n) AS (SELECT $1::int UNION ALL SELECT n + 1 FROM t WHERE n < $2) SELECT n FROM t ORDER BY n",
        [2, 4],
    ),
    Case("WITH t AS (SELECT $1 AS name) INSERT INTO people (id, name) SELECT 50, name FROM t", ["Yan"]),
)

CTES: Final = Subject("ctes", SHOP, (*statements(_TEXT), *_CASES))
