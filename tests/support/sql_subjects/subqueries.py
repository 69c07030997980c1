"""Queries within queries: as a value, in IN, EXISTS, ANY and ALL, in FROM, and with names of those around them."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["SUBQUERIES"]

_TEXT: Final = """
# As a value
SELECT (SELECT 1)
SELECT (SELECT name FROM people WHERE id = 2)
SELECT (SELECT name FROM people WHERE id = 99)
SELECT (SELECT name FROM people WHERE id = 99) IS NULL AS x
SELECT (SELECT name FROM people)
SELECT (SELECT name FROM people WHERE city = 'Rome')
SELECT (SELECT name FROM people ORDER BY id DESC LIMIT 1)
SELECT (SELECT name FROM people ORDER BY id LIMIT 1 OFFSET 1)
SELECT (SELECT name, id FROM people WHERE id = 1)
SELECT (SELECT FROM people WHERE id = 1)
SELECT (SELECT max(amount) FROM orders), (SELECT count(*) FROM nobody) AS n, (SELECT max(id) FROM nobody)
SELECT (SELECT amount AS much FROM orders WHERE id = 10)
SELECT (SELECT amount AS much FROM orders WHERE id = 10) AS more
SELECT (SELECT amount FROM orders WHERE id = 10) + 1
SELECT id, (SELECT name FROM people WHERE id = person) FROM orders ORDER BY id
SELECT id, (SELECT name FROM people p WHERE p.id = o.person) AS who FROM orders o ORDER BY id
SELECT id, (SELECT item FROM orders WHERE person = p.id) FROM people p ORDER BY id
SELECT id, (SELECT item FROM orders WHERE person = p.id) FROM people p WHERE id > 2 ORDER BY id
SELECT id, (SELECT count(*) FROM orders WHERE person = p.id) FROM people p ORDER BY id
SELECT id, (SELECT sum(amount) FROM orders WHERE person = p.id) AS s FROM people p ORDER BY s, id
SELECT id FROM people p ORDER BY (SELECT count(*) FROM orders WHERE person = p.id) DESC, id
SELECT id FROM people p WHERE (SELECT count(*) FROM orders WHERE person = p.id) = 2 ORDER BY id
SELECT id FROM people WHERE id = (SELECT min(person) FROM visits)
SELECT id FROM people WHERE id = (SELECT person FROM visits)
SELECT id FROM people WHERE boss = (SELECT boss FROM people WHERE id = 1) ORDER BY id
SELECT id FROM people WHERE (SELECT true) ORDER BY id
SELECT id FROM people WHERE (SELECT 1) ORDER BY id
SELECT id FROM people WHERE (SELECT f FROM numbers WHERE n = 3) ORDER BY id
SELECT id, CASE WHEN id > 2 THEN (SELECT name FROM people WHERE city = 'Rome') END FROM people WHERE id < 3 ORDER BY id
SELECT coalesce((SELECT name FROM people WHERE id = 6), 'none')
SELECT id FROM orders WHERE amount > (SELECT avg(amount) FROM orders)::float8 ORDER BY id
SELECT (SELECT (SELECT (SELECT 7)))
SELECT (SELECT p.name) FROM people p ORDER BY p.id
SELECT (SELECT p.id + q.id FROM people q WHERE q.id = 3) FROM people p ORDER BY p.id
SELECT p.id, (SELECT (SELECT count(*) FROM orders o WHERE o.person = p.id AND o.id > v.person) FROM visits v
  WHERE v.person = 7) FROM people p ORDER BY p.id
SELECT p.id, (SELECT max((SELECT count(*) FROM orders o WHERE o.person = p.id AND o.amount < v.minutes)) FROM visits v)
  FROM people p ORDER BY p.id
SELECT id, (SELECT id FROM orders LIMIT 1) = id FROM people WHERE id = 1
SELECT (SELECT id FROM nobody WHERE nobody.id = people.id) FROM people WHERE id = 1
SELECT id FROM people WHERE (SELECT item FROM orders o WHERE o.person = people.nothing) = 'pen'
SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM orders p WHERE p.person = 1) AND p.name = 'Ann'
SELECT (SELECT 1 UNION ALL SELECT 2)
SELECT (SELECT 1 UNION SELECT 1)
SELECT (VALUES (3))
SELECT (SELECT '1') + 1
SELECT (SELECT null) + 1
SELECT 'x' || (SELECT 'y')
SELECT (SELECT 1.5::float8) = 1.5::float8
# Aggregates that belong outside
SELECT (SELECT count(people.id)) FROM people
SELECT (SELECT count(p.id) FROM orders WHERE id = 10) FROM people p
SELECT (SELECT max(o.id) FROM orders) FROM orders o
SELECT city, (SELECT max(p.id)) FROM people p GROUP BY city ORDER BY city
SELECT city, (SELECT count(*) FROM orders WHERE id > max(p.id) + 8) FROM people p GROUP BY city ORDER BY city
SELECT city, (SELECT o.item FROM orders o WHERE o.id = min(p.id) + 9) FROM people p GROUP BY city ORDER BY city
SELECT city, (SELECT o.item FROM orders o WHERE o.id = p.id) FROM people p GROUP BY city
SELECT city, (SELECT count(*) FROM visits v WHERE v.city = p.city) FROM people p GROUP BY city ORDER BY city
SELECT (SELECT sum(p.id + o.id) FROM orders o) FROM people p WHERE p.id = 1
SELECT id FROM people p WHERE (SELECT count(p.id)) = 1
SELECT id FROM people WHERE id = (SELECT max(id)) ORDER BY id
SELECT city FROM people p GROUP BY city HAVING count(*) = (SELECT count(*) FROM visits v WHERE v.city = p.city)
SELECT city FROM people p GROUP BY city HAVING EXISTS (SELECT 1 FROM orders o WHERE o.person = count(*)) ORDER BY city
SELECT sum((SELECT count(*) FROM orders o WHERE o.person = p.id))::bigint FROM people p WHERE p.id < 3
SELECT count((SELECT name FROM people q WHERE q.id = p.boss)) FROM people p
# IN
SELECT id FROM people WHERE id IN (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id NOT IN (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id NOT IN (SELECT person FROM orders WHERE person IS NOT NULL) ORDER BY id
SELECT id FROM people WHERE id NOT IN (SELECT person FROM visits) ORDER BY id
SELECT id FROM people WHERE boss IN (SELECT id FROM people) ORDER BY id
SELECT id FROM people WHERE boss NOT IN (SELECT id FROM people) ORDER BY id
SELECT id FROM people WHERE boss NOT IN (SELECT id FROM nobody) ORDER BY id
SELECT id FROM people WHERE boss IN (SELECT id FROM nobody) ORDER BY id
SELECT id, boss IN (SELECT person FROM orders) FROM people ORDER BY id
SELECT id, boss NOT IN (SELECT person FROM orders) AS x FROM people ORDER BY id
SELECT id, boss IN (SELECT id FROM nobody) AS x, boss NOT IN (SELECT id FROM nobody) AS y FROM people ORDER BY id
SELECT null IN (SELECT id FROM nobody), null IN (SELECT id FROM people), 1 IN (SELECT null), 1 IN (SELECT null::int)
SELECT id FROM people WHERE id IN (SELECT person, id FROM orders)
SELECT id FROM people WHERE (id, city) IN (SELECT person, city FROM visits) ORDER BY id
SELECT id FROM people WHERE (id, city) NOT IN (SELECT person, city FROM visits) ORDER BY id
SELECT id FROM people WHERE (id, city) IN (SELECT person FROM visits)
SELECT id FROM people WHERE (id, city) = (SELECT person, city FROM visits WHERE minutes = 30)
SELECT id FROM people WHERE (id, city) = (SELECT person, city FROM visits)
SELECT id FROM people WHERE id IN (SELECT name FROM people)
SELECT id FROM people WHERE name IN (SELECT item FROM orders)
SELECT id FROM people WHERE id IN (SELECT '1')
SELECT id FROM people WHERE name IN (SELECT 'Ann') ORDER BY id
SELECT n FROM numbers WHERE s IN (SELECT b FROM edges) ORDER BY n
SELECT n FROM numbers WHERE d IN (SELECT 1.5::float8 UNION SELECT 8.25::float8) ORDER BY n
SELECT n FROM numbers WHERE b IN (SELECT s * 10 FROM numbers) ORDER BY n
SELECT n FROM numbers WHERE n IN (SELECT n FROM numbers ORDER BY n DESC LIMIT 2) ORDER BY n
SELECT n FROM numbers WHERE n IN (SELECT DISTINCT s FROM numbers) ORDER BY n
SELECT n FROM numbers WHERE n IN (SELECT count(*) FROM numbers GROUP BY f) ORDER BY n
SELECT n FROM numbers o WHERE n IN (SELECT s FROM numbers i WHERE i.n <> o.n) ORDER BY n
SELECT n FROM numbers WHERE n IN ((SELECT min(n) FROM numbers), 5) ORDER BY n
SELECT n FROM numbers WHERE n IN ((SELECT s FROM numbers WHERE s IS NOT NULL)) ORDER BY n
SELECT n FROM numbers WHERE n IN (VALUES (1), (5), (null)) ORDER BY n
SELECT n FROM numbers WHERE n NOT IN (VALUES (1), (5), (null)) ORDER BY n
SELECT n FROM numbers WHERE n IN (SELECT 1 UNION ALL SELECT 2) ORDER BY n
SELECT n FROM numbers WHERE n IN (SELECT)
# EXISTS
SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.person = p.id) ORDER BY id
SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.person = p.id) ORDER BY id
SELECT id FROM people p WHERE EXISTS (SELECT * FROM orders o WHERE o.person = p.id AND o.amount IS NULL) ORDER BY id
SELECT EXISTS (SELECT 1 FROM nobody), EXISTS (SELECT null), NOT EXISTS (SELECT 1 WHERE false) AS n
SELECT EXISTS (SELECT count(*) FROM nobody) AS x, EXISTS (SELECT id FROM nobody GROUP BY id) AS y
SELECT EXISTS (SELECT 1 / 0)
SELECT EXISTS (SELECT nothing FROM people)
SELECT EXISTS (SELECT 1 FROM people LIMIT 0) AS x, EXISTS (SELECT 1 FROM people OFFSET 6) AS y
SELECT EXISTS (SELECT FROM people)
SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.person = p.id AND EXISTS
  (SELECT 1 FROM items i WHERE i.name = o.item AND i.size = p.id)) ORDER BY id
SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM items i WHERE NOT EXISTS
  (SELECT 1 FROM orders o WHERE o.person = p.id AND o.item = i.name)) ORDER BY id
# ANY, ALL, SOME
SELECT id FROM people WHERE id = ANY (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id = SOME (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id <> ALL (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id <> ALL (SELECT person FROM visits) ORDER BY id
SELECT id FROM people WHERE id > ALL (SELECT person FROM visits WHERE person < 4) ORDER BY id
SELECT id FROM people WHERE id >= ANY (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id < ANY (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id < ALL (SELECT person FROM orders) ORDER BY id
SELECT id FROM people WHERE id < ALL (SELECT id FROM nobody) ORDER BY id
SELECT id FROM people WHERE id < ANY (SELECT id FROM nobody) ORDER BY id
SELECT id, boss > ANY (SELECT person FROM orders) AS a, boss > ALL (SELECT person FROM orders) AS b FROM people ORDER BY id
SELECT id, boss <> ANY (SELECT person FROM visits) AS a, boss = ALL (SELECT person FROM visits) AS b FROM people ORDER BY id
SELECT id, boss = ALL (SELECT id FROM nobody) AS a, boss <> ANY (SELECT id FROM nobody) AS b FROM people ORDER BY id
SELECT n FROM numbers WHERE t > ALL (SELECT t FROM numbers WHERE n < 3) ORDER BY n
SELECT n FROM numbers WHERE f = ANY (SELECT f FROM numbers WHERE n IN (1, 3)) ORDER BY n
SELECT n FROM numbers WHERE t LIKE ANY (SELECT 'a%') ORDER BY n
SELECT n FROM numbers WHERE n = ANY (SELECT t FROM numbers)
SELECT n FROM numbers WHERE n = ANY (SELECT n, s FROM numbers)
SELECT n FROM numbers WHERE n + ANY (SELECT n FROM numbers)
SELECT NOT 1 = ANY (SELECT 1) AS x, NOT (1 <> ALL (SELECT 2)) AS y
# In FROM
SELECT * FROM (SELECT id, name FROM people) AS p ORDER BY id
SELECT p.n FROM (SELECT id * 2 AS n FROM people) p WHERE n > 4 ORDER BY n
SELECT * FROM (SELECT id, name FROM people) AS p (a, b) ORDER BY a
SELECT * FROM (SELECT id, name FROM people) AS p (a) ORDER BY a
SELECT * FROM (SELECT id, name FROM people) AS p (a, b, c)
SELECT id FROM (SELECT id AS n FROM people) p
SELECT p.id FROM (SELECT id FROM people p WHERE p.id < 3) q
SELECT * FROM (SELECT 1, 2) t
SELECT "?column?" FROM (SELECT 1) t
SELECT "?column?" FROM (SELECT 1, 2) t
SELECT a FROM (SELECT 1 AS a, 2 AS a) t
SELECT * FROM (SELECT 1 AS a, 2 AS a) t
SELECT count(*) FROM (SELECT * FROM people ORDER BY id LIMIT 3) t
SELECT * FROM (SELECT id FROM people ORDER BY id DESC LIMIT 3) t ORDER BY id
SELECT max(n) FROM (SELECT count(*) AS n FROM people GROUP BY city) t
SELECT t.city, t.n, o.id FROM (SELECT city, count(*) AS n FROM people GROUP BY city) t LEFT JOIN orders o ON o.amount = t.n
  ORDER BY t.city, o.id
SELECT t.x FROM (SELECT null AS x) t
SELECT t.x || 'b' FROM (SELECT 'a' AS x) t
SELECT t.x + 1 FROM (SELECT '1' AS x) t
SELECT t.x + 1 FROM (SELECT null AS x) t
SELECT * FROM (SELECT FROM people) t
SELECT count(*) FROM (SELECT DISTINCT city FROM people) t
SELECT t.id FROM (SELECT p.id, o.id AS o FROM people p JOIN orders o ON o.person = p.id) t WHERE t.o > 11 ORDER BY t.o
SELECT * FROM (SELECT count(*) FROM people) t
SELECT count FROM (SELECT count(*) FROM people) t
SELECT lower FROM (SELECT lower(name) FROM people WHERE id = 1) t
SELECT t FROM (SELECT 1 AS t) AS x
SELECT x.a FROM (SELECT 1 AS a) AS x, (SELECT 2 AS a) AS y ORDER BY x.a
SELECT a FROM (SELECT 1 AS a) AS x, (SELECT 2 AS a) AS y
SELECT 1 FROM (SELECT 1) x, (SELECT 2) x
SELECT o.id FROM (((SELECT id FROM orders))) o ORDER BY id LIMIT 1
SELECT f FROM (SELECT f, count(*) AS c FROM numbers GROUP BY f) t WHERE c > 2 ORDER BY f
SELECT id FROM people LIMIT (SELECT 1)
SELECT id FROM people ORDER BY id LIMIT (SELECT min(id) + 1 FROM people)
SELECT id FROM people ORDER BY id OFFSET (SELECT count(*) - 2 FROM people)
SELECT id FROM people ORDER BY id LIMIT (SELECT id)
"""
_CASES: Final = (
    Case("SELECT id FROM people WHERE id = (SELECT person FROM orders WHERE id = $1) ORDER BY id", [11]),
    Case("SELECT id, $1 FROM people WHERE id IN (SELECT person FROM orders WHERE item = $2) ORDER BY id", ["7", "pen"]),
    Case("SELECT (SELECT $1)", ["a"]),
    Case("SELECT (SELECT $1::int) + 1", [4]),
    Case(
        "SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM orders WHERE person = p.id AND amount > $1) ORDER BY id",
        [2],
    ),
    Case("SELECT id FROM people WHERE $1 IN (SELECT item FROM orders WHERE person = people.id) ORDER BY id", ["ink"]),
    Case("SELECT n FROM numbers WHERE $1 = ANY (SELECT b FROM edges WHERE a = n) ORDER BY n", [4]),
    Case("SELECT x.v FROM (SELECT $1 AS v) x", ["b"]),
    Case("SELECT x.v + 1 FROM (SELECT $1::bigint AS v) x", [9007199254740993]),
)

SUBQUERIES: Final = Subject("subqueries", SHOP, (*statements(_TEXT), *_CASES))
