"""Random statements on `app.v` (see `sql_cases`): mostly well typed, of every operator, function and clause."""

from random import Random
from typing import Final

__all__ = ["RandomSql"]

_COLUMNS: Final = {
    "b": ("b",),
    "s": ("s",),
    "i": ("i", "id"),
    "l": ("l",),
    "d": ("d",),
    "t": ("t", "u"),
    "da": ("da",),
    "ts": ("ts",),
    "uu": ("uu",),
    "by": ("by",),
}
_CONSTANTS: Final = {
    "b": ("true", "false", "'t'"),
    "s": ("5::smallint", "'7'::int2"),
    "i": ("0", "1", "2", "-3", "2147483647", "'5'"),
    "l": ("3000000000", "2::bigint", "-9223372036854775808"),
    "d": ("1.5::float8", "-2.5::float8", "'1e300'::float8", "3::float8"),
    "t": ("'abc'", "''", "'Ä'", "'a%'", "' x '", "'10'::text", "'ß'"),
    "da": ("'2020-02-29'::date", "'1970-01-01'::date"),
    "ts": ("'2020-02-03 04:05:06.7'::timestamptz", "'1970-01-01T00:00:00+02:00'::timestamptz"),
    "uu": ("'AAAAAAAA-0000-0000-0000-000000000001'::uuid",),
    "by": ("'\\x00ff'::bytea", "'a\\001'::bytea"),
}
# `{x}` is an expression of the kind x; the kinds are the short names of the columns, and * is any of them.
_SHAPES: Final = {
    "*": (
        "CASE WHEN {b} THEN {*} ELSE {*} END",
        "CASE {i} WHEN {i} THEN {*} END",
        "coalesce({*}, {*})",
        "nullif({*}, {*})",
        "greatest({*}, {*})",
        "least({*}, null, {*})",
    ),
    "b": (
        *(f"({{{kind}}} {sign} {{{kind}}})" for kind in ("i", "t", "d", "da") for sign in ("=", "<", ">=", "<>")),
        "({i} = {l})",
        "({d} > {i})",
        "({b} AND {b})",
        "({b} OR {b})",
        "(NOT {b})",
        "({t} IS NULL)",
        "({b} IS NOT TRUE)",
        "({i} IS DISTINCT FROM {s})",
        "({i} BETWEEN {i} AND {i})",
        "({i} NOT IN ({i}, {i}, null))",
        "({t} IN ({t}, u))",
        "({t} LIKE 'a%')",
        "({t} ILIKE {t})",
        "({t} NOT LIKE '\\_%')",
        "({i})::boolean",
        "({t})::boolean",
    ),
    "s": ("({s} + {s})", "({s} / {s})", "(- {s})", "abs({s})", "({i})::smallint", "mod({s}, {s})"),
    "i": (
        *(f"({{i}} {sign} {{{kind}}})" for sign in "+-*/%" for kind in ("i", "s")),
        "(- {i})",
        "({d})::int",
        "({t})::int",
        "length({t})",
        "length({by})",
        "strpos({t}, {t})",
        "({b})::int",
        "({da} - {da})",
    ),
    "l": ("({l} + {i})", "({l} * {l})", "({l} / {s})", "abs({l})", "({i})::bigint", "({d})::bigint"),
    "d": ("({d} + {i})", "({d} * {d})", "({d} / {l})", "(- {d})", "round({d})", "floor({d})", "({l})::float8"),
    "t": (
        "({t} || {*})",
        "lower({t})",
        "upper({t})",
        "trim({t})",
        "ltrim({t}, {t})",
        "replace({t}, {t}, {t})",
        "substr({t}, {i})",
        "substr({t}, 2, {s})",
        "left({t}, 2)",
        "right({t}, {i})",
        "concat({*}, {*})",
        "({*})::text",
    ),
    "da": ("({da} + {s})", "({da} - 1)", "({ts})::date", "({t})::date"),
    "ts": ("({da})::timestamptz",),
    "uu": ("(({uu})::text)::uuid",),
    "by": ("({by} || {by})", "({t})::bytea", "substr({by}, {i})", "substr({by}, {s}, 2)"),
}
_AGGREGATES: Final = (
    "count(*)",
    "count({*})",
    "count(DISTINCT {i})",
    "sum({i})",
    "sum({d})",
    "avg({s})",
    "avg({l})::float8",
    "avg(DISTINCT {l})::float8",
    "min({t})",
    "max({da})",
    "max({l})",
    "bool_or({b})",
)
_KINDS: Final = tuple(_COLUMNS)


class RandomSql:
    """A stream of statements, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  # the same on every run is the point

    def statement(self) -> str:
        """One SELECT, INSERT, UPDATE or DELETE; INSERT without columns in its values."""
        draw = self._random.random()
        if draw < 0.5:
            return self._select()
        if draw < 0.65:
            return self._insert()
        return self._update() if draw < 0.9 else self._delete()

    def expression(self, kind: str = "*", depth: int = 0) -> str:
        """An expression of a kind."""
        if self._random.random() < 0.02:
            kind = "*"
        if kind == "*":
            kind = self._one(_KINDS)
        if depth > 3 or self._random.random() < 0.3 + 0.1 * depth:
            return self._leaf(kind)
        shapes = _SHAPES[kind] if self._random.random() < 0.8 else _SHAPES["*"]
        return self._fill(self._one(shapes), kind, depth + 1)

    def _fill(self, shape: str, kind: str, depth: int) -> str:
        parts = shape.split("{")
        filled = [parts[0]]
        for part in parts[1:]:
            hole, rest = part.split("}", 1)
            own = shape in _SHAPES["*"] and hole == "*"
            filled += [self.expression(kind if own else hole, depth), rest]
        return "".join(filled)

    def _leaf(self, kind: str) -> str:
        if self._random.random() < 0.05:
            return "null"
        return self._one(_COLUMNS[kind] if self._random.random() < 0.6 else _CONSTANTS[kind])

    def _one(self, choices: tuple[str, ...]) -> str:
        return self._random.choice(choices)

    def _where(self) -> str:
        condition = self.expression("b")
        number = self._random.randrange(12)
        return self._one(
            ("", f" WHERE {condition}", f" WHERE id = {number}", f" WHERE id > {number} AND i < 100 AND {condition}")
        )

    def _returning(self) -> str:
        return self._one(("", " RETURNING *", f" RETURNING id, {self.expression(depth=2)} AS x"))

    def _select(self) -> str:
        if self._random.random() < 0.3:
            first, second = (self._fill(self._one(_AGGREGATES), "*", 2) for _ in range(2))
            key = self.expression(depth=2)
            having = self._one(("", f" HAVING {first} IS NOT NULL"))
            grouped = f"SELECT {key} AS k, {first}, {second} FROM v{self._where()} GROUP BY k{having} ORDER BY 2, 1, 3"
            return self._one((grouped, f"SELECT {first}, {second} FROM v{self._where()}{having}"))
        distinct = self._one(("", "", "DISTINCT "))
        order = self._one((" ORDER BY 1, 2", " ORDER BY x DESC, id", " ORDER BY x NULLS FIRST, id LIMIT 3 OFFSET 1"))
        return f"SELECT {distinct}id, {self.expression(depth=1)} AS x FROM v{self._where()}{order}"

    def _insert(self) -> str:
        columns = self._random.sample([kind for kind in _KINDS if kind != "j"], self._random.randrange(0, 4))
        rows = (
            ", ".join(
                [str(self._random.randrange(1, 15)), *(self._one((*_CONSTANTS[kind], "DEFAULT")) for kind in columns)]
            )
            for _ in range(self._random.randrange(1, 3))
        )
        values = ", ".join(f"({row})" for row in rows)
        return f"INSERT INTO v ({', '.join(['id', *columns])}) VALUES {values}{self._returning()}"

    def _update(self) -> str:
        kinds = self._random.sample(_KINDS, self._random.randrange(1, 3))
        sets = ", ".join(f"{kind} = {self._one((self.expression(kind, 1), 'DEFAULT'))}" for kind in kinds)
        return f"UPDATE v SET {sets}{self._where()}{self._returning()}"

    def _delete(self) -> str:
        number = self._random.randrange(15)
        where = self._one((f" WHERE id = {number}", f" WHERE id = {number} AND {self.expression('b')}"))
        return f"DELETE FROM v{where}{self._returning()}"
