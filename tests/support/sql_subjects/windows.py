"""Window functions: partitions, peers, frames of every kind, and where a window may not stand."""

from typing import Final

from support.sql_subjects.shop import SHOP
from support.sql_subjects.subject import Case, Subject, statements

__all__ = ["WINDOWS"]

_TEXT: Final = """
SELECT n, row_number() OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, row_number() OVER (ORDER BY n DESC) FROM numbers ORDER BY n
SELECT n, row_number() OVER (PARTITION BY f ORDER BY n) FROM numbers ORDER BY n
SELECT n, s, rank() OVER (ORDER BY s), dense_rank() OVER (ORDER BY s) FROM numbers ORDER BY n
SELECT n, s, rank() OVER (ORDER BY s DESC) FROM numbers ORDER BY n
SELECT n, s, rank() OVER (ORDER BY s NULLS FIRST), rank() OVER (ORDER BY s DESC NULLS LAST) FROM numbers ORDER BY n
SELECT n, percent_rank() OVER (ORDER BY s), cume_dist() OVER (ORDER BY s) FROM numbers ORDER BY n
SELECT n, percent_rank() OVER (PARTITION BY s ORDER BY n) FROM numbers ORDER BY n
SELECT n, ntile(3) OVER (ORDER BY n), ntile(10) OVER (ORDER BY n DESC) FROM numbers ORDER BY n
SELECT n, ntile(0) OVER (ORDER BY n) FROM numbers
SELECT n, ntile(null) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, rank() OVER (), dense_rank() OVER (), percent_rank() OVER (), cume_dist() OVER () FROM numbers ORDER BY n
SELECT n, lag(n) OVER (ORDER BY n), lead(n) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, lag(t) OVER (ORDER BY n), lag(t, 2) OVER (ORDER BY n), lag(t, 2, 'none') OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, lag(n, 0) OVER (ORDER BY n), lag(n, -1) OVER (ORDER BY n), lag(n, null) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, lead(s, 1, 0::smallint) OVER (PARTITION BY f ORDER BY n) FROM numbers ORDER BY n
SELECT n, lead(s, 1, 0) OVER (PARTITION BY f ORDER BY n) FROM numbers ORDER BY n
SELECT n, lag(n, 1, 'x') OVER (ORDER BY n) FROM numbers
SELECT n, lag(n, s) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, first_value(t) OVER (ORDER BY n), last_value(t) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, first_value(t) OVER (ORDER BY s, n), last_value(n) OVER (ORDER BY s) FROM numbers WHERE n < 5 ORDER BY n
SELECT n, last_value(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM numbers ORDER BY n
SELECT n, nth_value(n, 2) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, nth_value(n, 2) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM numbers ORDER BY n
SELECT n, nth_value(n, 0) OVER (ORDER BY n) FROM numbers
SELECT n, nth_value(n, null) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, first_value(n) IGNORE NULLS OVER (ORDER BY n) FROM numbers
# Aggregates as windows
SELECT n, count(*) OVER () FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s DESC) FROM numbers ORDER BY n
SELECT n, sum(s) OVER (PARTITION BY f) FROM numbers ORDER BY n
SELECT n, sum(s) OVER (PARTITION BY f ORDER BY n) FROM numbers ORDER BY n
SELECT n, avg(n) OVER (PARTITION BY t)::float8 AS m FROM numbers ORDER BY n
SELECT n, min(t) OVER (ORDER BY n), max(d) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, count(s) OVER (ORDER BY n), count(t) OVER (ORDER BY n DESC) FROM numbers ORDER BY n
SELECT n, bool_and(f) OVER (ORDER BY n), bool_or(f) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, sum(d) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, count(*) FILTER (WHERE f) OVER (ORDER BY n) FROM numbers ORDER BY n
SELECT n, sum(n) FILTER (WHERE s > 1) OVER (PARTITION BY f ORDER BY n) FROM numbers ORDER BY n
SELECT n, row_number() FILTER (WHERE f) OVER (ORDER BY n) FROM numbers
SELECT n, count(DISTINCT s) OVER () FROM numbers
SELECT n, sum(n) OVER (PARTITION BY n % 2, f) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (PARTITION BY null) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (PARTITION BY 1) FROM numbers ORDER BY n
SELECT n, row_number() OVER (PARTITION BY 'a' ORDER BY n) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY 1) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n) - n AS before FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n) % 4 = 0 AS x FROM numbers ORDER BY n
SELECT n, sum(n) OVER (PARTITION BY d) FROM numbers ORDER BY n
# Frames
SELECT n, sum(n) OVER (ORDER BY n ROWS UNBOUNDED PRECEDING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS 1 PRECEDING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 2 PRECEDING AND 3 PRECEDING) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 0 PRECEDING AND 0 FOLLOWING) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN null PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN n PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 1 + 1 PRECEDING AND CURRENT ROW) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN '1' PRECEDING AND CURRENT ROW) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 'a' PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 1.5::float8 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n ROWS 1 FOLLOWING) FROM numbers
SELECT n, count(*) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s RANGE UNBOUNDED PRECEDING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s RANGE CURRENT ROW) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s DESC RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers ORDER BY n
SELECT n, b, count(*) OVER (ORDER BY b RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING) FROM numbers ORDER BY n
SELECT n, d, count(*) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND 0.5::float8 FOLLOWING) FROM numbers ORDER BY n
SELECT n, s, count(*) OVER (ORDER BY s NULLS FIRST RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers ORDER BY n
SELECT n, count(*) OVER (ORDER BY s, n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY t RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (ORDER BY n RANGE BETWEEN -1 PRECEDING AND CURRENT ROW) FROM numbers
SELECT n, count(*) OVER (RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s GROUPS 1 PRECEDING) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (GROUPS 1 PRECEDING) FROM numbers
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP) FROM numbers
  ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s RANGE UNBOUNDED PRECEDING EXCLUDE TIES) FROM numbers ORDER BY n
SELECT n, s, sum(n) OVER (ORDER BY s GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP) FROM numbers ORDER BY n
SELECT n, sum(n) OVER (ORDER BY n ROWS 1 PRECEDING EXCLUDE NO OTHERS) FROM numbers ORDER BY n
SELECT n, first_value(n) OVER (ORDER BY n ROWS 2 PRECEDING EXCLUDE CURRENT ROW) FROM numbers ORDER BY n
SELECT id, count(*) OVER (ORDER BY placed RANGE BETWEEN '1 day' PRECEDING AND CURRENT ROW) FROM orders ORDER BY id
SELECT n, row_number() OVER (ORDER BY n ROWS 1 PRECEDING), rank() OVER (ORDER BY s ROWS CURRENT ROW) FROM numbers ORDER BY n
SELECT n, lag(n) OVER (ORDER BY n ROWS CURRENT ROW) FROM numbers ORDER BY n
# Named windows
SELECT n, sum(n) OVER w FROM numbers WINDOW w AS (ORDER BY n) ORDER BY n
SELECT n, sum(n) OVER w, count(*) OVER w FROM numbers WINDOW w AS (PARTITION BY f ORDER BY n) ORDER BY n
SELECT n, sum(n) OVER (w) FROM numbers WINDOW w AS (ORDER BY n) ORDER BY n
SELECT n, sum(n) OVER (w ORDER BY n) FROM numbers WINDOW w AS (PARTITION BY f) ORDER BY n
SELECT n, sum(n) OVER (w ROWS 1 PRECEDING) FROM numbers WINDOW w AS (ORDER BY n) ORDER BY n
SELECT n, sum(n) OVER (w ORDER BY n) FROM numbers WINDOW w AS (ORDER BY s)
SELECT n, sum(n) OVER (w PARTITION BY f) FROM numbers WINDOW w AS (ORDER BY s)
SELECT n, sum(n) OVER (w) FROM numbers WINDOW w AS (ORDER BY n ROWS 1 PRECEDING)
SELECT n, sum(n) OVER w FROM numbers WINDOW w AS (ORDER BY n ROWS 1 PRECEDING) ORDER BY n
SELECT n, sum(n) OVER v FROM numbers WINDOW w AS (PARTITION BY f), v AS (w ORDER BY n) ORDER BY n
SELECT n, sum(n) OVER v FROM numbers WINDOW v AS (w ORDER BY n), w AS (PARTITION BY f)
SELECT n, sum(n) OVER x FROM numbers WINDOW w AS (ORDER BY n)
SELECT n FROM numbers WINDOW w AS (ORDER BY n), w AS (ORDER BY s)
SELECT n FROM numbers WINDOW w AS (ORDER BY nothing)
SELECT n FROM numbers WINDOW w AS (ORDER BY s) ORDER BY n
# Where they stand
SELECT n FROM numbers WHERE row_number() OVER (ORDER BY n) = 1
SELECT f FROM numbers GROUP BY f HAVING row_number() OVER (ORDER BY f) = 1
SELECT count(*) FROM numbers GROUP BY row_number() OVER (ORDER BY n)
SELECT sum(row_number() OVER (ORDER BY n)) FROM numbers
SELECT sum(sum(n) OVER ()) OVER () FROM numbers
SELECT n FROM numbers ORDER BY row_number() OVER (ORDER BY n DESC)
SELECT n FROM numbers ORDER BY count(*) OVER (PARTITION BY f), n
SELECT DISTINCT count(*) OVER (PARTITION BY f) AS c FROM numbers ORDER BY c
SELECT DISTINCT f, sum(n) OVER (PARTITION BY f) FROM numbers ORDER BY f
SELECT n, row_number() OVER (ORDER BY n) FROM numbers ORDER BY n LIMIT 3
SELECT n, row_number() OVER (ORDER BY n) AS r FROM numbers ORDER BY r DESC LIMIT 2 OFFSET 1
SELECT * FROM (SELECT n, row_number() OVER (PARTITION BY f ORDER BY n DESC) AS r FROM numbers) t WHERE r = 1 ORDER BY n
SELECT n, r FROM (SELECT n, f, rank() OVER (ORDER BY s) AS r FROM numbers) t WHERE f ORDER BY n
SELECT f, count(*), rank() OVER (ORDER BY count(*) DESC) FROM numbers GROUP BY f ORDER BY f
SELECT f, sum(n), (sum(sum(n)) OVER (ORDER BY f))::bigint FROM numbers GROUP BY f ORDER BY f
SELECT f, (sum(count(*)) OVER ())::bigint FROM numbers GROUP BY f ORDER BY f
SELECT f, row_number() OVER (ORDER BY n) FROM numbers GROUP BY f
SELECT count(*), count(*) OVER () FROM numbers
SELECT sum(n), row_number() OVER () FROM numbers
SELECT n, max(n) OVER () - min(n) OVER () AS span FROM numbers WHERE n > 5 ORDER BY n
SELECT n, sum(n) OVER (ORDER BY (SELECT 1)) FROM numbers ORDER BY n
SELECT p.id, o.id, row_number() OVER (PARTITION BY p.id ORDER BY o.id) FROM people p LEFT JOIN orders o ON o.person = p.id
  ORDER BY p.id, o.id
SELECT p.id, sum(o.amount) OVER (PARTITION BY p.city) FROM people p JOIN orders o ON o.person = p.id ORDER BY o.id
SELECT id, (SELECT sum(o.amount) OVER () FROM orders o WHERE o.person = p.id LIMIT 1) FROM people p ORDER BY id
SELECT n, CASE WHEN row_number() OVER (ORDER BY n) > 6 THEN 'late' ELSE 'soon' END FROM numbers ORDER BY n
SELECT n, coalesce(lag(s) OVER (ORDER BY n), 0) FROM numbers ORDER BY n
SELECT n, s / count(*) OVER (PARTITION BY f) FROM numbers ORDER BY n
SELECT row_number() FROM numbers
SELECT lower(t) OVER () FROM numbers
SELECT lag(n, 1, 2, 3) OVER () FROM numbers
SELECT ntile() OVER () FROM numbers
SELECT nothing() OVER () FROM numbers
SELECT row_number(n) OVER () FROM numbers
SELECT rank(1) OVER (ORDER BY n) FROM numbers
SELECT first_value() OVER () FROM numbers
UPDATE numbers SET s = row_number() OVER (ORDER BY n)
INSERT INTO people (id, name) SELECT 100 + row_number() OVER (ORDER BY n), t FROM numbers WHERE n < 4
INSERT INTO people (id) VALUES (row_number() OVER ())
DELETE FROM orders WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY item ORDER BY id) AS r FROM orders) t
  WHERE r > 1) RETURNING id
UPDATE numbers SET n = n + 100 RETURNING sum(n) OVER ()
"""
_CASES: Final = (
    Case("SELECT n, lag(n, $1) OVER (ORDER BY n) FROM numbers ORDER BY n", [2]),
    Case("SELECT n, sum(n) OVER (ORDER BY n ROWS $1 PRECEDING) FROM numbers ORDER BY n", [2]),
    Case("SELECT n, ntile($1) OVER (ORDER BY n) FROM numbers ORDER BY n", [3]),
    Case("SELECT n, sum(n + $1) OVER (ORDER BY n) FROM numbers ORDER BY n", [1]),
)

WINDOWS: Final = Subject("windows", SHOP, (*statements(_TEXT), *_CASES))
