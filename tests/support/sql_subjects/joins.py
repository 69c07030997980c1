"""Joins: which rows they keep, what USING makes one column of, and whose names are seen where."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Subject, statements

__all__ = ["JOINS"]

_TEXT: Final = """
SELECT p.name, o.item FROM people p JOIN orders o ON o.person = p.id ORDER BY o.id
SELECT p.name, o.item FROM people AS p INNER JOIN orders AS o ON o.person = p.id AND o.amount > 1 ORDER BY o.id
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON o.person = p.id ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p LEFT OUTER JOIN orders o ON o.person = p.id AND o.amount > 1 ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON o.person = p.id WHERE o.amount > 1 ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON o.person = p.id AND p.city = 'Rome' ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p RIGHT JOIN orders o ON o.person = p.id ORDER BY o.id
SELECT p.id, o.id FROM people p RIGHT JOIN orders o ON o.person = p.id AND p.id = 2 ORDER BY o.id
SELECT p.id, o.id FROM people p FULL JOIN orders o ON o.person = p.id ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p FULL OUTER JOIN orders o ON o.person = p.id ORDER BY p.id NULLS FIRST, o.id DESC
SELECT p.id, o.id FROM people p FULL JOIN orders o ON o.person = p.id AND o.amount > 4 ORDER BY p.id, o.id
SELECT p.id, o.id FROM people p FULL JOIN orders o ON o.person > p.id
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON false ORDER BY p.id
SELECT count(*), count(o.id) FROM people p LEFT JOIN orders o ON null
SELECT count(*) FROM people p JOIN orders o ON true
SELECT count(*) FROM people CROSS JOIN orders
SELECT count(*) FROM people, orders
SELECT count(*) FROM people, orders, items WHERE people.id = orders.person AND items.name = orders.item
SELECT p.name, o.id FROM people p, orders o WHERE p.id = o.person ORDER BY o.id DESC
SELECT p.name, b.name FROM people p LEFT JOIN people b ON b.id = p.boss ORDER BY p.id
SELECT p.name, b.name, c.name FROM people p JOIN people b ON b.id = p.boss JOIN people c ON c.id = b.boss ORDER BY p.id
SELECT p.name, b.name AS boss, g.name AS grand FROM people p LEFT JOIN people b ON b.id = p.boss
  LEFT JOIN people g ON g.id = b.boss ORDER BY p.id
SELECT p.id, o.id, i.kind FROM people p LEFT JOIN orders o ON o.person = p.id LEFT JOIN items i ON i.name = o.item
  ORDER BY p.id, o.id
SELECT p.id, o.id, i.kind FROM people p LEFT JOIN (orders o JOIN items i ON i.name = o.item) ON o.person = p.id
  ORDER BY p.id, o.id
SELECT p.id, o.id, i.kind FROM people p LEFT JOIN orders o JOIN items i ON i.name = o.item ON o.person = p.id
  ORDER BY p.id, o.id
SELECT p.id, o.id, i.name FROM people p JOIN orders o ON o.person = p.id RIGHT JOIN items i ON i.name = o.item
  ORDER BY i.name, o.id
SELECT p.id, o.id, i.name FROM (people p FULL JOIN orders o ON o.person = p.id) FULL JOIN items i ON i.name = o.item
  ORDER BY 1, 2, 3
# USING and NATURAL
SELECT person, orders.id, visits.minutes FROM orders JOIN visits USING (person) ORDER BY orders.id, minutes
SELECT person, o.id, v.day FROM orders o LEFT JOIN visits v USING (person) ORDER BY o.id, v.day
SELECT person, o.id, v.day FROM orders o RIGHT JOIN visits v USING (person) ORDER BY person, v.day, o.id
SELECT person, o.id, v.day FROM orders o FULL JOIN visits v USING (person) ORDER BY person, v.day, o.id
SELECT person, o.person, v.person FROM orders o FULL JOIN visits v USING (person) ORDER BY 1, 2, 3
SELECT person, o.person, v.person FROM orders o RIGHT JOIN visits v USING (person) ORDER BY 1, 2, 3
SELECT * FROM orders o JOIN visits v USING (person) ORDER BY o.id, v.day
SELECT * FROM visits v LEFT JOIN orders o USING (person) ORDER BY v.person, v.day, o.id
SELECT o.*, v.city FROM orders o JOIN visits v USING (person) ORDER BY o.id, v.day
SELECT * FROM people p JOIN visits v ON v.person = p.id ORDER BY p.id, v.day
SELECT * FROM people p JOIN nobody n USING (id, name)
SELECT * FROM people p FULL JOIN nobody n USING (id, name) ORDER BY id
SELECT id, name FROM people LEFT JOIN nobody USING (name, id) ORDER BY id
SELECT city, p.id, v.person FROM people p JOIN visits v USING (city) ORDER BY p.id, v.person, v.day
SELECT city, p.id, v.person FROM people p FULL JOIN visits v USING (city) ORDER BY city, p.id, v.person, v.day
SELECT count(*) FROM people p FULL JOIN visits v USING (city) WHERE city IS NULL
SELECT person FROM orders JOIN visits USING (person) GROUP BY person ORDER BY person
SELECT person, count(o.id), count(v.day) FROM orders o FULL JOIN visits v USING (person) GROUP BY person ORDER BY person
SELECT a FROM edges JOIN edges e2 USING (a) ORDER BY a
SELECT a, e1.b, e2.b FROM edges e1 JOIN edges e2 USING (a) JOIN edges e3 USING (a) ORDER BY 1, 2, 3
SELECT * FROM edges e1 FULL JOIN edges e2 USING (a, b) ORDER BY 1, 2
SELECT * FROM orders NATURAL JOIN visits ORDER BY id, day
SELECT * FROM orders CROSS JOIN nobody
SELECT * FROM nobody n NATURAL JOIN items i
SELECT id, person FROM orders JOIN visits AS v USING (person) WHERE orders.person = 1 AND v.person = 1 ORDER BY id, day
SELECT o.person FROM orders o FULL JOIN visits v USING (person) WHERE person = 7
SELECT j.person FROM (orders o JOIN visits v USING (person)) AS j ORDER BY 1
SELECT o.id FROM (orders o JOIN visits v USING (person)) AS j
SELECT s, n2.s FROM numbers n1 JOIN numbers n2 USING (n) ORDER BY n
SELECT b FROM numbers JOIN edges ON numbers.n = edges.a
SELECT numbers.b, edges.b FROM numbers JOIN edges ON numbers.n = edges.a ORDER BY a, 2
SELECT b FROM numbers JOIN edges USING (b)
SELECT b FROM edges FULL JOIN numbers USING (b) ORDER BY b
SELECT b FROM edges LEFT JOIN numbers USING (b) ORDER BY b
SELECT b FROM numbers RIGHT JOIN edges USING (b) ORDER BY b
SELECT x.c FROM (SELECT 1 AS c) x FULL JOIN (SELECT 'a' AS c) y USING (c)
SELECT name FROM people JOIN items USING (name)
SELECT city FROM people JOIN orders USING (city)
SELECT id FROM people JOIN orders USING (nothing)
SELECT 1 FROM people p JOIN people q USING (id, id)
SELECT 1 FROM people JOIN visits ON people.id = visits.person JOIN orders USING (person)
SELECT 1 FROM orders JOIN visits ON true JOIN visits v2 USING (person)
# Names
SELECT id FROM people JOIN orders ON person = people.id
SELECT people.id FROM people p JOIN orders o ON o.person = p.id
SELECT name FROM people p JOIN orders o ON o.person = p.id ORDER BY amount, o.id
SELECT name, item FROM people JOIN orders ON person = people.id ORDER BY orders.id
SELECT p.id FROM people p JOIN orders o ON o.person = p.id ORDER BY id
SELECT p.id FROM people p JOIN orders o ON o.person = p.id ORDER BY id + 1
SELECT p.id AS n FROM people p JOIN orders o ON o.person = p.id ORDER BY o.id, n
SELECT 1 FROM people JOIN people ON true
SELECT 1 FROM people p JOIN orders p ON true
SELECT 1 FROM people, people
SELECT count(*) FROM people a, people b WHERE a.id < b.id
SELECT 1 FROM people p JOIN orders o ON o.person = i.size JOIN items i ON true
SELECT 1 FROM people p JOIN orders o ON o.person = p.id AND i.size = 1, items i
SELECT 1 FROM people p, orders o JOIN items i ON p.id = o.person
SELECT count(*) FROM people p CROSS JOIN orders o JOIN items i ON p.id = o.person
SELECT 1 FROM people p JOIN (SELECT p.id) q ON true
SELECT 1 FROM people p, (SELECT id FROM orders WHERE person = p.id) q
SELECT 1 FROM people p, (SELECT name) q
SELECT count(*) FROM people JOIN orders ON count(*) > 1
SELECT 1 FROM people JOIN orders ON people.id
SELECT 1 FROM people JOIN orders ON name = person
SELECT 1 FROM people JOIN orders
SELECT 1 FROM people LEFT JOIN orders WHERE true
SELECT 1 FROM people CROSS JOIN orders ON true
SELECT p.* FROM people p JOIN orders o ON o.person = p.id ORDER BY o.id
SELECT o.*, p.* FROM people p JOIN orders o ON o.person = p.id WHERE o.id < 12 ORDER BY o.id
SELECT x.* FROM people p JOIN orders o ON true
SELECT p.a, p.b, p.name FROM people AS p (a, b) WHERE p.a = 1
SELECT p.id FROM people AS p (a, b)
SELECT * FROM people AS p (a, b, c, d) ORDER BY a
SELECT * FROM people AS p (a, b, c, d, e)
SELECT "default".people.name FROM "default".people WHERE "default".people.id = 1
SELECT people.name FROM "default".people WHERE people.id = 1
SELECT "default".people.name FROM people p
SELECT 1 FROM "default".people JOIN people ON true
SELECT (SELECT count(*) FROM orders o2 WHERE o2.person = o.person), o.id FROM orders o JOIN people p ON p.id = o.person
  ORDER BY 2
SELECT p.id, coalesce(o.amount, 0) + 1 AS n FROM people p LEFT JOIN orders o ON o.person = p.id ORDER BY n DESC, p.id, o.id
SELECT p.id FROM people p LEFT JOIN orders o ON o.person = p.id WHERE o.id IS NULL ORDER BY p.id
SELECT p.id, o.id IS NULL AS none FROM people p LEFT JOIN orders o ON o.person = p.id AND o.item = 'pen' ORDER BY p.id
SELECT DISTINCT p.city FROM people p JOIN orders o ON o.person = p.id ORDER BY p.city
SELECT p.id FROM people p JOIN orders o ON o.person = p.id ORDER BY o.price DESC, o.id LIMIT 2 OFFSET 1
SELECT l.n, r.n FROM numbers l JOIN numbers r ON l.t = r.t AND l.n < r.n ORDER BY 1, 2
SELECT l.n, r.n FROM numbers l JOIN numbers r ON l.f = r.f AND l.n < r.n ORDER BY 1, 2
SELECT l.n, r.n FROM numbers l JOIN numbers r ON l.s IS NOT DISTINCT FROM r.s AND l.n < r.n ORDER BY 1, 2
SELECT l.n, r.n FROM numbers l JOIN numbers r ON l.s = r.b ORDER BY 1, 2
SELECT l.n, r.n FROM numbers l JOIN numbers r ON l.n = r.d * 2 ORDER BY 1, 2
SELECT l.n, r.a FROM numbers l LEFT JOIN edges r ON l.n / 2 = r.a ORDER BY 1, 2, r.b
"""

JOINS: Final = Subject("joins", SHOP, tuple(statements(_TEXT)))
