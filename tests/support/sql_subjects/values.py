"""VALUES as a query, the types of its columns, and names and types of what is computed."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["VALUES"]

_TEXT: Final = """
VALUES (1)
VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC
VALUES (1), (2), (3) ORDER BY column1 DESC LIMIT 2
VALUES (1), (2), (3) ORDER BY 1 OFFSET 1
VALUES (1), (null) ORDER BY 1
VALUES (null), (1) ORDER BY 1 DESC
VALUES (1), (2.5::float8) ORDER BY 1
VALUES (1), (9007199254740993) ORDER BY 1
VALUES (1), ('2') ORDER BY 1
VALUES (1), ('a')
VALUES ('a'), (1)
VALUES (1), (true)
VALUES (null), (null)
VALUES (1, 2), (3)
VALUES (), ()
VALUES (DEFAULT)
VALUES (1) ORDER BY 2
VALUES (1) ORDER BY nothing
VALUES ((SELECT max(id) FROM people), 1 + 1)
VALUES (count(*))
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t ORDER BY 1
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, s) ORDER BY n
SELECT t.s FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, s) WHERE n > 1
SELECT t.n, column2 FROM (VALUES (1, 'a')) AS t (n)
SELECT n FROM (VALUES (1)) AS t (n, m)
SELECT column1 + 1 FROM (VALUES ('1')) AS t
SELECT column1 || 'x' FROM (VALUES ('1'), (null)) AS t ORDER BY 1
SELECT sum(x) FROM (VALUES (1), (2), (null)) AS t (x)
SELECT p.name, t.w FROM people p JOIN (VALUES (1, 'x'), (3, 'y')) AS t (id, w) ON t.id = p.id ORDER BY p.id
SELECT p.name, t.w FROM people p LEFT JOIN (VALUES (1, 'x'), (3, 'y')) AS t (id, w) USING (id) ORDER BY p.id
SELECT p.name FROM people p JOIN (VALUES (1), (p.id)) AS t (id) ON true
SELECT * FROM (VALUES (1), (2) ORDER BY 1 DESC LIMIT 1) AS t
SELECT * FROM (VALUES (1)) AS t, (VALUES (2)) AS u
SELECT x IN (VALUES (1), (2)) AS i FROM (VALUES (1), (3), (null)) AS t (x) ORDER BY i
VALUES (1) UNION ALL VALUES (1) ORDER BY 1
VALUES (1), (2) EXCEPT VALUES (2)
# What an output is called
SELECT 1, 'a', null, true, name, p.id, id + 1, (id), -id, id::bigint, CAST(id AS bigint) FROM people p WHERE id = 1
SELECT lower(name), "lower"(name), coalesce(name, ''), nullif(id, 2), greatest(id, 2), least(1, id) FROM people WHERE id = 1
SELECT CASE WHEN true THEN 1 END, CASE WHEN true THEN 1 ELSE id END, CASE id WHEN 1 THEN 2 ELSE p.boss END FROM people p
  WHERE id = 1
SELECT count(*), sum(id), max(name) AS m, count(*) FILTER (WHERE true), min(id) OVER () FROM people GROUP BY id HAVING id = 1
SELECT EXISTS (SELECT 1), (SELECT 1), (SELECT id FROM people WHERE id = 1)
SELECT ARRAY[1]
SELECT ROW(1, 2)
SELECT 1 IN (1), 1 BETWEEN 0 AND 2, null IS NULL, NOT true, 'a' LIKE 'a', 1 = 1
SELECT current_date IS NOT NULL, now() IS NOT NULL AS n, trim(' a '), substring('abc' FROM 2), 'abc'::text, 1::int::text
SELECT name "Name", id AS "ID", id id2 FROM people WHERE id = 1
SELECT id AS select FROM people WHERE id = 1
SELECT (SELECT name FROM people WHERE id = 1)::text, (SELECT 1) + 0, -(SELECT 1), (CASE WHEN true THEN id END)::int FROM people
  WHERE id = 1
# Types of what is chosen
SELECT CASE WHEN id = 1 THEN 1 ELSE 2.5::float8 END FROM people ORDER BY id
SELECT CASE WHEN id = 1 THEN '1' ELSE 2 END FROM people ORDER BY id
SELECT CASE WHEN id = 1 THEN 'a' ELSE 2 END FROM people ORDER BY id
SELECT CASE WHEN id = 1 THEN name ELSE id END FROM people
SELECT CASE WHEN id = 1 THEN null ELSE 'x' END FROM people ORDER BY id
SELECT coalesce(s, n), coalesce(s, b), coalesce(n, d), coalesce(s, null, 1) FROM numbers ORDER BY n
SELECT coalesce(t, n) FROM numbers
SELECT nullif(n, s), nullif(s, n), nullif(t, 'a') FROM numbers ORDER BY n
SELECT greatest(n, b, s), least(n, d), greatest(null, n), least(null, null) FROM numbers ORDER BY n
SELECT greatest(t, 1) FROM numbers
SELECT 7 / 2, -7 / 2, 7 % -2, -7 % 2, 7 / 2.0::float8, 7 / '2', 1 / 2 * 2
SELECT n / s FROM numbers ORDER BY n
SELECT n / 0 FROM nobody, numbers
SELECT n, t || n FROM numbers ORDER BY n
SELECT n, n || t FROM numbers ORDER BY n
SELECT n = t FROM numbers
SELECT n IS DISTINCT FROM s, s IS NOT DISTINCT FROM null, f IS NOT TRUE, f IS UNKNOWN FROM numbers ORDER BY n
SELECT id FROM people ORDER BY city, name
SELECT id FROM people ORDER BY city DESC, name DESC
SELECT id FROM people ORDER BY city NULLS FIRST, name DESC NULLS LAST
SELECT id FROM people ORDER BY (boss IS NULL), boss DESC, id
SELECT n FROM numbers ORDER BY f, s DESC, n
SELECT n FROM numbers ORDER BY t COLLATE "C", n
SELECT n FROM numbers ORDER BY n FETCH FIRST 2 ROWS ONLY
SELECT n FROM numbers ORDER BY s FETCH FIRST 1 ROW WITH TIES
SELECT n FROM numbers ORDER BY n USING >
SELECT n FROM numbers FOR UPDATE
TABLE nobody
SELECT n INTO made FROM numbers
SELECT (people).name FROM people
SELECT * FROM people TABLESAMPLE SYSTEM (100)
SELECT id FROM ONLY people ORDER BY id
SELECT * FROM LATERAL (SELECT 1 AS x) t
SELECT p.id, t.n FROM people p, LATERAL (SELECT count(*) AS n FROM orders o WHERE o.person = p.id) t ORDER BY p.id
SELECT * FROM generate_series(1, 2) g
"""
_CASES: Final = (
    Case("VALUES ($1::int), (2) ORDER BY 1", [3]),
    Case("VALUES ($1), ('b') ORDER BY 1", ["a"]),
    Case("VALUES (1), ($1) ORDER BY 1", [2]),
    Case("SELECT t.x FROM (VALUES ($1::int, $2::text)) AS t (n, x) WHERE n = 4", [4, "four"]),
)

VALUES: Final = Subject("values", SHOP, (*statements(_TEXT), *_CASES))
