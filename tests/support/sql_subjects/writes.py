"""INSERT from queries, UPDATE with FROM, DELETE with USING: what they read is the state before them."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["DELETE_USING", "INSERT_SELECT", "UPDATE_FROM"]

_INSERT: Final = """
INSERT INTO nobody SELECT id, name FROM people
INSERT INTO nobody SELECT id FROM people
INSERT INTO nobody (name, id) SELECT name, id FROM people WHERE city = 'Rome' RETURNING id, name
INSERT INTO nobody SELECT id, name, city FROM people
INSERT INTO nobody (id) SELECT id, name FROM people
INSERT INTO nobody (id, name) SELECT id FROM people
INSERT INTO nobody (id, id) SELECT id, id FROM people
INSERT INTO nobody (id, nothing) SELECT id, id FROM people
INSERT INTO people SELECT id + 100, name, boss, city FROM people RETURNING id
INSERT INTO people (id, name) SELECT id + 1, name FROM people
INSERT INTO people (id) SELECT max(id) + 1 FROM people RETURNING *
INSERT INTO people (id) SELECT id FROM people WHERE false
INSERT INTO nobody (id) SELECT DISTINCT person FROM visits ORDER BY person LIMIT 2
INSERT INTO nobody (id) SELECT person FROM visits
INSERT INTO nobody (id) SELECT person FROM orders WHERE person IS NULL
INSERT INTO nobody (id, name) SELECT a, 'x' FROM edges UNION SELECT b, 'x' FROM edges
INSERT INTO nobody (id, name) SELECT count(*), city FROM people GROUP BY city HAVING count(*) = 1 AND city > ''
INSERT INTO nobody (id, name) SELECT person, item FROM orders o JOIN people p ON p.id = o.person WHERE o.id IN (10, 12, 15)
INSERT INTO nobody (id, name) VALUES ((SELECT max(id) FROM people), (SELECT name FROM people WHERE id = 1)), (2, 'b') RETURNING *
INSERT INTO nobody (id, name) VALUES (1, (SELECT name FROM people))
INSERT INTO nobody (id, name) VALUES (1, (SELECT 'a' WHERE false)) RETURNING name
INSERT INTO nobody (id, name) SELECT * FROM (VALUES (1, 'a'), (2, null)) t RETURNING name, id
INSERT INTO nobody (id, name) SELECT n, s FROM numbers WHERE n < 3
INSERT INTO nobody (id, name) SELECT n, t FROM numbers WHERE n < 3
INSERT INTO nobody (id) SELECT b FROM numbers WHERE n < 3
INSERT INTO nobody (id) SELECT b FROM numbers WHERE n = 6
INSERT INTO nobody (id) SELECT d FROM numbers WHERE n IN (1, 2)
INSERT INTO nobody (id) SELECT d FROM numbers WHERE n IN (2, 3)
INSERT INTO nobody (id) SELECT t FROM numbers
INSERT INTO nobody (id) SELECT '1'
INSERT INTO nobody (id) SELECT 'x'
INSERT INTO nobody (id) SELECT '1' UNION SELECT '2'
INSERT INTO nobody (id) VALUES ('1'), (2)
INSERT INTO nobody (id) SELECT null
INSERT INTO numbers (n, s, f) SELECT n + 10, n * 10000, f FROM numbers WHERE n < 4
INSERT INTO numbers (n, s, f) SELECT n + 10, n * 10000, f FROM numbers
INSERT INTO numbers (n, f) SELECT id, 'true' FROM people WHERE id = 10 UNION SELECT 11, 'f' RETURNING f
INSERT INTO numbers (n, f) SELECT 11, 'true'::text
INSERT INTO numbers (n, d) SELECT 12, n FROM numbers WHERE n = 3 RETURNING d
INSERT INTO orders (id, placed) SELECT 20, '2024-05-05' RETURNING placed
INSERT INTO orders (id, placed) SELECT 20, '2024-05-05' UNION SELECT 21, '2024-05-06'
INSERT INTO nobody (SELECT id, name FROM people WHERE id = 1)
INSERT INTO nobody TABLE nobody
INSERT INTO nobody AS n (id) SELECT 5 RETURNING n.id
INSERT INTO nobody AS n (id) SELECT 5 RETURNING nobody.id
INSERT INTO nobody (id) SELECT id FROM nobody
INSERT INTO nobody (id, name) SELECT p.id, p.name FROM people p WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.person = p.id)
INSERT INTO nobody (id) SELECT 1 RETURNING (SELECT count(*) FROM nobody)
INSERT INTO nobody (id) SELECT 1 RETURNING (SELECT name FROM people WHERE people.id = nobody.id)
INSERT INTO nobody (id) SELECT id FROM people RETURNING count(*)
INSERT INTO nobody (id, name) SELECT 1, DEFAULT
INSERT INTO nobody (id, name) VALUES (1, DEFAULT), (2, 'b') RETURNING name
INSERT INTO nobody VALUES (1), (2) RETURNING *
INSERT INTO nobody VALUES (1, 'a'), (2)
INSERT INTO nobody (name) SELECT 'a'
INSERT INTO nobody SELECT 1, 'a' ORDER BY 3
"""
_UPDATE: Final = """
UPDATE orders SET item = p.name FROM people p WHERE p.id = orders.person
UPDATE orders o SET item = p.name FROM people p WHERE p.id = o.person RETURNING o.id, p.id, o.item
UPDATE orders AS o SET amount = o.amount + i.size FROM items AS i WHERE i.name = o.item RETURNING o.id, o.amount
UPDATE orders SET amount = 0 FROM people WHERE people.id = person AND city = 'Rome' RETURNING orders.id, city
UPDATE orders SET amount = 0 FROM people WHERE id = person
UPDATE orders SET amount = 0 FROM orders WHERE true
UPDATE orders SET amount = 0 FROM orders o WHERE o.id = orders.id AND o.amount = 2
UPDATE people p SET city = b.city FROM people b WHERE b.id = p.boss RETURNING p.id, p.city, b.city
UPDATE people p SET boss = b.boss FROM people b WHERE b.id = p.boss
UPDATE people p SET name = q.n FROM (SELECT person, count(*)::text AS n FROM orders GROUP BY person) q WHERE q.person = p.id
UPDATE people p SET name = v.x FROM (VALUES (1, 'one'), (2, 'two')) v (id, x) WHERE v.id = p.id RETURNING p.id, name
UPDATE people SET name = o.item FROM orders o JOIN items i ON i.name = o.item WHERE o.person = people.id AND i.kind = 'tool'
UPDATE people SET name = o.item FROM orders o LEFT JOIN items i ON i.name = o.item WHERE o.person = people.id AND i.kind IS NULL
UPDATE people SET name = i.name FROM orders o, items i WHERE o.person = people.id AND i.name = o.item AND o.amount > 2
UPDATE people SET name = 'x' FROM nobody
UPDATE people SET name = 'x' FROM (SELECT 1 AS one) t WHERE people.id = one RETURNING *
UPDATE people SET name = 'x' FROM (SELECT people.id) t
UPDATE people SET people.name = 'x' WHERE id = 1
UPDATE people p SET p.name = 'x' WHERE id = 1
UPDATE people p SET name = 'x' WHERE people.id = 1
UPDATE people SET nothing = 1
UPDATE people SET name = 'a', name = 'b'
UPDATE people SET id = id + 100 RETURNING id
UPDATE people SET id = 7 - id
UPDATE people SET id = 1
UPDATE people SET boss = id, id = boss WHERE id = 6 RETURNING id, boss
UPDATE people SET name = city, city = name WHERE id = 2
UPDATE people SET (name, city) = ('x', 'y') WHERE id = 1
UPDATE people SET (name, city) = (city, name) WHERE id = 1
UPDATE people SET (name, city) = (SELECT item, 'z' FROM orders WHERE id = 10) WHERE id = 1
UPDATE people SET (name, city) = (SELECT item, 'z' FROM orders WHERE id = 99) WHERE id = 1
UPDATE people SET (name, city) = (SELECT item FROM orders WHERE id = 10) WHERE id = 1
UPDATE people SET name = (SELECT item FROM orders WHERE person = people.id)
UPDATE people SET name = (SELECT item FROM orders WHERE person = people.id ORDER BY id LIMIT 1)
UPDATE people SET name = (SELECT max(name) FROM people)
UPDATE people SET boss = (SELECT count(*) FROM people q WHERE q.boss = people.id)
UPDATE people SET city = DEFAULT WHERE id = 1
UPDATE people SET id = DEFAULT WHERE id = 1
UPDATE people SET id = null WHERE id = 1
UPDATE people SET name = 'x' WHERE id IN (SELECT person FROM orders) RETURNING id
UPDATE people SET name = 'x' WHERE id NOT IN (SELECT person FROM orders) RETURNING id
UPDATE people SET name = 'x' WHERE EXISTS (SELECT 1 FROM visits v WHERE v.person = people.id AND v.city = people.city)
UPDATE people p SET name = 'x' WHERE NOT EXISTS (SELECT 1 FROM visits WHERE person = p.id) RETURNING p.id
UPDATE people SET name = name || '!' WHERE city = (SELECT city FROM people WHERE id = 1)
UPDATE people SET boss = max(id)
UPDATE numbers SET s = b FROM (SELECT 1) t WHERE n < 3 RETURNING n, s
UPDATE numbers SET s = b WHERE n = 6
UPDATE numbers SET s = d WHERE n IN (1, 2, 3) RETURNING n, s
UPDATE numbers SET t = n WHERE n = 1 RETURNING t
UPDATE numbers SET n = t
UPDATE numbers SET f = 'no' WHERE n = 1 RETURNING f
UPDATE numbers SET f = 1 WHERE n = 1
UPDATE numbers SET b = n / (n - 1) WHERE n > 1 RETURNING b
UPDATE numbers SET b = n / (n - 1)
UPDATE visits SET day = day + 10 WHERE person = 1
UPDATE visits SET person = 1 WHERE day = '2024-01-05' RETURNING *
UPDATE people SET name = 'x' ORDER BY id LIMIT 1
UPDATE people SET name = 'x' FROM orders o WHERE o.person = people.id AND o.id = 10 RETURNING *
UPDATE people SET name = 'x' RETURNING nothing
"""
_DELETE: Final = """
DELETE FROM orders USING people p WHERE p.id = orders.person AND p.city = 'Rome'
DELETE FROM orders USING people p WHERE p.id = orders.person RETURNING orders.id, p.name
DELETE FROM orders o USING people p WHERE p.id = o.person RETURNING *
DELETE FROM orders o USING people p, items i WHERE p.id = o.person AND i.name = o.item RETURNING o.id, p.id, i.kind
DELETE FROM orders o USING people p JOIN visits v ON v.person = p.id WHERE p.id = o.person AND v.minutes = 30 RETURNING o.id
DELETE FROM orders o USING items i LEFT JOIN people p ON p.name = i.name WHERE i.name = o.item AND p.id IS NULL
DELETE FROM orders USING people
DELETE FROM orders USING nobody
DELETE FROM orders USING people WHERE id = person
DELETE FROM people p USING people q WHERE q.boss = p.id
DELETE FROM people USING people WHERE true
DELETE FROM people p USING people q WHERE p.city = q.city AND p.id > q.id RETURNING p.id
DELETE FROM people p USING (VALUES (1), (3)) v (id) WHERE v.id = p.id RETURNING p.id
DELETE FROM people p USING (SELECT p.id) q
DELETE FROM people WHERE id IN (SELECT person FROM orders)
DELETE FROM people WHERE id NOT IN (SELECT person FROM orders)
DELETE FROM people WHERE id = (SELECT person FROM orders)
DELETE FROM people WHERE NOT EXISTS (SELECT 1 FROM orders WHERE person = people.id) RETURNING name
DELETE FROM people p WHERE people.id = 1
DELETE FROM people WHERE id > (SELECT avg(id) FROM people)::float8 RETURNING id
DELETE FROM people WHERE count(*) > 1
DELETE FROM people WHERE city = city
DELETE FROM people WHERE null
DELETE FROM people WHERE 1
DELETE FROM people RETURNING id, (SELECT count(*) FROM people)
DELETE FROM people RETURNING count(*)
DELETE FROM people ORDER BY id LIMIT 1
DELETE people WHERE id = 1
DELETE FROM nothing
DELETE FROM edges e WHERE EXISTS (SELECT 1 FROM edges f WHERE f.a = e.b AND f.b = e.a) RETURNING a, b
DELETE FROM orders WHERE (person, item) IN (SELECT id, 'pen' FROM people) RETURNING id
"""
_UPDATE_CASES: Final = (
    Case("UPDATE orders SET amount = $1 FROM people p WHERE p.id = orders.person AND p.city = $2", [9, "Rome"]),
    Case("UPDATE people SET name = (SELECT item FROM orders WHERE id = $1) WHERE id = $2 RETURNING name", [11, 3]),
)
_DELETE_CASES: Final = (Case("DELETE FROM orders USING people p WHERE p.id = person AND p.name = $1", ["Ann"]),)

INSERT_SELECT: Final = Subject("insert_select", SHOP, tuple(statements(_INSERT)))
UPDATE_FROM: Final = Subject("update_from", SHOP, (*statements(_UPDATE), *_UPDATE_CASES))
DELETE_USING: Final = Subject("delete_using", SHOP, (*statements(_DELETE), *_DELETE_CASES))
