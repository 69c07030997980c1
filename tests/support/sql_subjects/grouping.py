"""Groups and aggregates: what may stand beside them, FILTER and DISTINCT, empty groups, names and the key's columns."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["GROUPING"]

_TEXT: Final = """
SELECT city, count(*) FROM people GROUP BY city ORDER BY city
SELECT count(*) FROM people GROUP BY city ORDER BY count(*), 1
SELECT city FROM people GROUP BY city ORDER BY count(*) DESC, city
SELECT city, count(boss), count(*), min(id), max(name) FROM people GROUP BY city ORDER BY city NULLS FIRST
SELECT p.city, count(o.id), sum(o.amount), max(o.price) FROM people p LEFT JOIN orders o ON o.person = p.id GROUP BY p.city
  ORDER BY p.city
SELECT p.id, p.name, count(o.id) FROM people p LEFT JOIN orders o ON o.person = p.id GROUP BY p.id ORDER BY p.id
SELECT p.*, count(o.id) FROM people p LEFT JOIN orders o ON o.person = p.id GROUP BY p.id ORDER BY p.id
SELECT p.name, o.item, count(*) FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id
SELECT p.name, o.item, count(*) FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id, o.item ORDER BY 1, 2
SELECT p.name, o.item FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id, o.id ORDER BY o.id
SELECT city, minutes FROM visits GROUP BY person, day ORDER BY person, day
SELECT city, minutes FROM visits GROUP BY person
SELECT name FROM people GROUP BY id HAVING id > 4 ORDER BY id
SELECT name FROM people GROUP BY id + 0
SELECT name FROM (SELECT id, name FROM people) t GROUP BY id
SELECT t.name FROM (SELECT * FROM people) t GROUP BY t.id
SELECT name || city FROM people GROUP BY id ORDER BY id
SELECT id FROM people GROUP BY name
SELECT name FROM people GROUP BY city
SELECT city FROM people GROUP BY city, name ORDER BY city, name
SELECT upper(city) FROM people GROUP BY city ORDER BY city
SELECT upper(city) FROM people GROUP BY upper(city) ORDER BY 1
SELECT upper(city) || '!' FROM people GROUP BY upper(city) ORDER BY upper(city)
SELECT city FROM people GROUP BY upper(city)
SELECT upper(city) AS city FROM people GROUP BY city ORDER BY city
SELECT id % 2 AS odd, count(*) FROM people GROUP BY odd ORDER BY odd
SELECT id % 2 AS name, count(*) FROM people GROUP BY name
SELECT id % 2, count(*) FROM people GROUP BY 1 ORDER BY 1
SELECT id % 2, id % 3, count(*) FROM people GROUP BY 2, 1 ORDER BY 1, 2
SELECT count(*) FROM people GROUP BY 1
SELECT id FROM people GROUP BY 2
SELECT id FROM people GROUP BY 0
SELECT count(*) FROM people GROUP BY 'a'
SELECT count(*) FROM people GROUP BY null::int
SELECT count(*) FROM people GROUP BY ()
SELECT count(*) FROM nobody GROUP BY ()
SELECT count(*) FROM nobody GROUP BY id
SELECT count(*), sum(id), min(name) FROM nobody
SELECT count(*) FROM nobody HAVING count(*) = 0
SELECT 1 FROM nobody HAVING true
SELECT 1 FROM people HAVING true
SELECT 1 FROM people HAVING false
SELECT 1 FROM people HAVING 1 > 0
SELECT count(*) FROM people HAVING count(*) > 100
SELECT id FROM people HAVING count(*) > 1
SELECT city FROM people GROUP BY city HAVING count(*) > 1 ORDER BY city
SELECT city FROM people GROUP BY city HAVING city > 'B' ORDER BY city
SELECT city FROM people GROUP BY city HAVING id > 1
SELECT city, count(*) AS n FROM people GROUP BY city HAVING n > 1
SELECT city FROM people WHERE count(*) > 1 GROUP BY city
SELECT city FROM people GROUP BY city HAVING max(id) = 5
SELECT city FROM people GROUP BY city HAVING null
SELECT count(*) FROM people GROUP BY count(*)
SELECT count(count(*)) FROM people
SELECT max(count(*)) FROM people GROUP BY city
SELECT city, count(*) + 1 AS n, count(*) * 2 FROM people GROUP BY city ORDER BY n, city
SELECT count(*) FROM people ORDER BY count(*)
SELECT count(*) FROM people ORDER BY id
SELECT city FROM people GROUP BY city ORDER BY id
SELECT city FROM people GROUP BY city ORDER BY max(id) DESC
SELECT DISTINCT count(*) FROM people GROUP BY city ORDER BY 1
SELECT DISTINCT count(*) FROM people GROUP BY city ORDER BY count(*) DESC
SELECT DISTINCT city FROM people GROUP BY city, id ORDER BY city
SELECT DISTINCT city FROM people GROUP BY city ORDER BY count(*)
# FILTER, DISTINCT
SELECT count(*) FILTER (WHERE city = 'Rome'), count(*) FILTER (WHERE city <> 'Rome') AS o FROM people
SELECT city, count(*) FILTER (WHERE id > 2), sum(id) FILTER (WHERE id > 2) FROM people GROUP BY city ORDER BY city
SELECT sum(id) FILTER (WHERE false), max(id) FILTER (WHERE null) FROM people
SELECT count(*) FILTER (WHERE count(*) > 1) FROM people
SELECT count(*) FILTER (WHERE id) FROM people
SELECT count(*) FILTER (WHERE true) FROM people HAVING count(*) FILTER (WHERE id > 5) = 1
SELECT id FROM people ORDER BY count(*) FILTER (WHERE true)
SELECT lower(name) FILTER (WHERE true) FROM people
SELECT count(DISTINCT city), count(city), count(DISTINCT boss) FROM people
SELECT count(DISTINCT city) FILTER (WHERE id < 5) FROM people
SELECT item, count(DISTINCT amount), sum(DISTINCT amount) FROM orders GROUP BY item ORDER BY item
SELECT sum(DISTINCT s), min(DISTINCT s), max(DISTINCT s), count(DISTINCT s) FROM numbers
SELECT sum(DISTINCT d), avg(DISTINCT d) FROM numbers
SELECT count(DISTINCT f), bool_and(DISTINCT f), bool_or(f) FROM numbers
SELECT f, bool_and(n > 2), bool_or(n > 6), every(s > 0) FROM numbers GROUP BY f ORDER BY f
SELECT count(DISTINCT *) FROM people
SELECT count(DISTINCT (city, boss)) FROM people
SELECT count(DISTINCT city, boss) FROM people
SELECT sum(s), sum(n), sum(d) FROM numbers
SELECT avg(n)::float8, avg(s)::float8, avg(d) FROM numbers
SELECT avg(s)::float8 FROM numbers WHERE false
SELECT sum(n) / count(*), sum(n) % 5 FROM numbers
SELECT sum(n)::float8 / count(*) FROM numbers
SELECT min(t), max(t), min(d), max(d), max(f::int) FROM numbers
SELECT max(placed), min(placed) FROM orders
SELECT sum(t) FROM numbers
SELECT sum(f) FROM numbers
SELECT max(f) FROM numbers
SELECT s, t, count(*) FROM numbers GROUP BY s, t ORDER BY s, t
SELECT d, count(*) FROM numbers GROUP BY d ORDER BY d
SELECT f, count(*) FROM numbers GROUP BY f ORDER BY f DESC
SELECT CASE WHEN n < 4 THEN 'low' ELSE 'high' END AS half, count(*) FROM numbers GROUP BY half ORDER BY half
SELECT CASE WHEN n < 4 THEN 'low' ELSE 'high' END, count(*) FROM numbers GROUP BY CASE WHEN n < 4 THEN 'low' ELSE 'high' END
  ORDER BY 1
SELECT coalesce(t, '?') AS x, count(*) FROM numbers GROUP BY coalesce(t, '?') ORDER BY x
SELECT n / 3, count(*) FROM numbers GROUP BY n / 3 ORDER BY n / 3
SELECT n / 3 + 1, count(*) FROM numbers GROUP BY n / 3 ORDER BY 1
SELECT n / 3 FROM numbers GROUP BY n / 4
SELECT t FROM numbers x GROUP BY x.t ORDER BY t
SELECT x.t FROM numbers x GROUP BY t ORDER BY x.t
SELECT string_agg(name, ',' ORDER BY id) FROM people
SELECT count(*) FROM (SELECT city FROM people GROUP BY city) t
SELECT t.n, count(*) FROM (SELECT city, count(*) AS n FROM people GROUP BY city) t GROUP BY t.n ORDER BY t.n
SELECT grouping(city), city, count(*) FROM people GROUP BY ROLLUP (city)
SELECT city, boss, count(*) FROM people GROUP BY GROUPING SETS ((city), (boss))
SELECT city, boss, count(*) FROM people GROUP BY CUBE (city, boss)
SELECT sum(b)::bigint FROM numbers WHERE n < 3 GROUP BY ()
SELECT count(*), count(1), count(null), count('a') FROM people
SELECT count() FROM people
SELECT count(id, name) FROM people
SELECT sum(*) FROM people
SELECT max() FROM people
# DISTINCT ON
SELECT DISTINCT ON (city) city, id FROM people ORDER BY city, id
SELECT DISTINCT ON (city) city, id FROM people ORDER BY city, id DESC
SELECT DISTINCT ON (city) id FROM people ORDER BY city NULLS FIRST, id DESC
SELECT DISTINCT ON (city) id FROM people ORDER BY city DESC, name
SELECT DISTINCT ON (city) city FROM people
SELECT DISTINCT ON (city) city, id FROM people ORDER BY id
SELECT DISTINCT ON (city, boss) city, boss, id FROM people ORDER BY boss, city, id
SELECT DISTINCT ON (city, boss) city, boss, id FROM people ORDER BY boss, id
SELECT DISTINCT ON (id % 2) id % 2 AS odd, id FROM people ORDER BY id % 2, id DESC
SELECT DISTINCT ON (odd) id % 2 AS odd, id FROM people ORDER BY odd, id DESC
SELECT DISTINCT ON (1) id % 2 AS odd, id FROM people ORDER BY 1, 2
SELECT DISTINCT ON (3) id, name FROM people
SELECT DISTINCT ON (nothing) id FROM people
SELECT DISTINCT ON () id FROM people
SELECT DISTINCT ON (null) count(*) FROM people
SELECT DISTINCT ON (city) city, count(*) FROM people GROUP BY city ORDER BY city
SELECT DISTINCT ON (count(*)) count(*), city FROM people GROUP BY city ORDER BY count(*), city
SELECT DISTINCT ON (p.city) p.city, o.id FROM people p JOIN orders o ON o.person = p.id ORDER BY p.city, o.amount, o.id
SELECT DISTINCT ON (item) item, amount FROM orders ORDER BY item, amount NULLS FIRST
SELECT DISTINCT ON (item) item, amount FROM orders ORDER BY item, amount DESC NULLS LAST LIMIT 2
SELECT DISTINCT ON (item) item, amount FROM orders ORDER BY item, amount LIMIT 2 OFFSET 1
SELECT * FROM (SELECT DISTINCT ON (item) * FROM orders ORDER BY item, id DESC) t ORDER BY id
SELECT DISTINCT ON (d) d, n FROM numbers ORDER BY d, n
(SELECT DISTINCT ON (city) id FROM people ORDER BY city, id) UNION SELECT 7 ORDER BY id
SELECT id FROM people WHERE id IN (SELECT DISTINCT ON (city) id FROM people ORDER BY city, id) ORDER BY id
"""
_CASES: Final = (
    Case("SELECT city, count(*) FROM people GROUP BY city HAVING count(*) > $1 ORDER BY city", [1]),
    Case("SELECT id % $1, count(*) FROM people GROUP BY 1 ORDER BY 1", [2]),
    Case("SELECT id % $1::int, count(*) FROM people GROUP BY id % $1::int ORDER BY 1", [2]),
    Case("SELECT count(*) FILTER (WHERE city = $1) FROM people", ["Rome"]),
    Case("SELECT DISTINCT ON (id % $1::int) id FROM people ORDER BY id % $1::int, id", [3]),
)

GROUPING: Final = Subject("grouping", SHOP, (*statements(_TEXT), *_CASES))
