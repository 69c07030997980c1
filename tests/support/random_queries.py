"""Random statements over three tables, of queries within queries; mostly well typed, and some fail on some rows."""

from collections.abc import Sequence
from random import Random
from typing import Final

__all__ = ["TABLES", "RandomQueries"]

TABLES: Final = {
    "a": (("id", "i"), ("x", "i"), ("t", "t"), ("l", "l")),
    "b": (("id", "i"), ("x", "i"), ("t", "t")),
    "c": (("k", "i"), ("id", "l"), ("b", "b")),
}
"""Columns and their kinds: int, text, bigint, boolean. The first is the key."""

_TYPES: Final = {"i": "int", "t": "text", "l": "bigint", "b": "boolean"}
_CONSTANTS: Final = {
    "i": ("1", "2", "0", "3"),
    "l": ("1::bigint", "20::bigint"),
    "t": ("'x'::text", "'y'::text", "''::text"),
    "b": ("true", "false"),
}
_FRAMES: Final = (
    "",
    "rows between 1 preceding and 1 following",
    "groups between unbounded preceding and current row",
    "rows 1 preceding exclude current row",
)
_DEEPEST: Final = 3

Column = tuple[str, str]
"""Its name with its table's, and its kind."""


class RandomQueries:
    """Makes them.

    Args:
        random: Decides everything.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0

    def statement(self) -> str:
        """A SELECT mostly; else an INSERT, UPDATE or DELETE with queries in it."""
        self._count = 0
        columns = [("a.id", "i"), ("a.x", "i"), ("a.t", "t")]
        match self._random.randrange(10):
            case 0:
                value = self.expression("i", columns, 1)
                return f"update a set x = {value} where {self.condition(columns, 1)} returning id"  # random
            case 1:
                return f"delete from a where {self.condition(columns, 1)} returning id, 12 / x"  # as above
            case 2:
                rows = self.rows(["i"], [], 1)
                update = "update set x = 10 / b.x where 12 / b.x > 0"
                head = f"insert into b (id, x) select o0, 1 from ({rows}) q"  # as above
                return f"{head} on conflict (id) do {update} returning id"
        return self.rows([self._random.choice("iitlb") for _ in range(self._random.choice((1, 2, 3)))], [], 0)

    def rows(self, kinds: Sequence[str], outer: Sequence[Column], depth: int) -> str:
        """A query with columns o0, o1, ... of these kinds, in which columns of queries around it may be named."""
        chance = self._random.random()
        if depth < _DEEPEST and chance < 0.15:
            operator = self._random.choice(("union", "union all", "intersect", "except"))
            return f"({self.rows(kinds, outer, depth + 1)}) {operator} ({self.rows(kinds, outer, depth + 1)})"
        if depth and chance < 0.2:
            values = (f"{self.expression(kind, [], depth + 2)} as o{place}" for place, kind in enumerate(kinds))
            return f"select {', '.join(values)}"
        return self._select(kinds, outer, depth)

    def _select(self, kinds: Sequence[str], outer: Sequence[Column], depth: int) -> str:
        source, columns = self._source(outer, depth)
        scope = [*columns, *outer]
        keys = self._random.sample(columns, self._random.choice((0, 1, 2))) if self._random.random() < 0.25 else None
        if keys is not None:
            values = [self._grouped(kind, keys, columns, depth) for kind in kinds]
        elif self._random.random() < 0.12:
            values = [self._windowed(kind, columns) for kind in kinds]
        else:
            values = [self.expression(kind, scope, depth) for kind in kinds]
        distinct = "distinct " if self._random.random() < 0.15 else ""
        outputs = ", ".join(f"{value} as o{place}" for place, value in enumerate(values))
        text = f"select {distinct}{outputs} from {source}"
        if self._random.random() < 0.5:
            text += f" where {self.condition(scope, depth)}"
        if keys:
            text += f" group by {', '.join(name for name, _ in keys)}"
        return text

    # --- FROM ---------------------------------------------------------------------------------------------

    def _source(self, outer: Sequence[Column], depth: int) -> tuple[str, list[Column]]:
        text, columns = self._item(depth)
        while self._random.random() < 0.4:
            right, more = self._item(depth)
            word = self._random.choice(("join", "left join", "right join", "full join", "cross join"))
            both = [*columns, *more]
            if word == "full join":
                condition = f" on {self._equality(columns, more)}"
            else:
                condition = "" if word == "cross join" else f" on {self.condition([*both, *outer], depth + 2)}"
            text, columns = f"{text} {word} {right}{condition}", both
        return text, columns

    def _item(self, depth: int) -> tuple[str, list[Column]]:
        self._count += 1
        if depth < _DEEPEST and self._random.random() < 0.2:
            kinds = [self._random.choice("itl") for _ in range(2)]
            alias = f"q{self._count}"
            return f"({self.rows(kinds, [], depth + 1)}) {alias}", [
                (f"{alias}.o{place}", kind) for place, kind in enumerate(kinds)
            ]
        table = self._random.choice("abc")
        alias = f"{table}{self._count}"
        return f"{table} {alias}", [(f"{alias}.{name}", kind) for name, kind in TABLES[table]]

    def _equality(self, left: Sequence[Column], right: Sequence[Column]) -> str:
        pairs = [(one, other) for one, kind in left for other, same in right if kind == same]
        return " = ".join(self._random.choice(pairs)) if pairs else "true"

    # --- values -------------------------------------------------------------------------------------------

    def expression(self, kind: str, scope: Sequence[Column], depth: int) -> str:
        """A value of this kind; an int may divide by a column."""
        names = [name for name, own in scope if own == kind]
        chance = self._random.random()
        if depth < _DEEPEST and chance < 0.12:
            rows = self.rows([kind], scope, depth + 1)
            return f"({rows})" if kind == "b" else f"(select max(o0) from ({rows}) m)"  # as above
        if names and kind == "i" and chance < 0.25:
            return f"(12 / {self._random.choice(names)})"
        if names and chance < 0.75:
            return self._random.choice(names)
        if chance < 0.8:
            return f"null::{_TYPES[kind]}"
        return self._random.choice(_CONSTANTS[kind])

    def condition(self, scope: Sequence[Column], depth: int) -> str:
        """True, false or unknown."""
        chance = self._random.random()
        if depth < _DEEPEST and chance < 0.3:
            kind = self._random.choice("iit")
            rows, value = self.rows([kind], scope, depth + 1), self.expression(kind, scope, depth + 2)
            tests = ("{0} in ({1})", "{0} not in ({1})", "exists ({1})", "not exists ({1})", "{0} > all ({1})")
            return self._random.choice((*tests, "{0} <= any ({1})", "{0} <> all ({1})")).format(value, rows)
        if chance < 0.45:
            word = self._random.choice(("and", "or"))
            return f"({self.condition(scope, depth + 1)} {word} {self.condition(scope, depth + 1)})"
        kind = self._random.choice("iitl")
        left, right = (self.expression(kind, scope, depth + 2) for _ in range(2))
        return self._random.choice(
            (f"{left} = {right}", f"{left} < {right}", f"{left} is null", f"{left} is distinct from {right}")
        )

    def _grouped(self, kind: str, keys: Sequence[Column], columns: Sequence[Column], depth: int) -> str:
        own = [name for name, other in keys if other == kind]
        if own and self._random.random() < 0.4:
            return self._random.choice(own)
        condition = self.condition(columns, depth + 2)
        filtered = f" filter (where {condition})" if self._random.random() < 0.3 else ""
        name = self._named(kind, columns)
        aggregate = {"i": f"max({name})", "t": f"min({name})", "l": "count(*)", "b": f"bool_or({condition})"}[kind]
        return aggregate + filtered

    def _windowed(self, kind: str, columns: Sequence[Column]) -> str:
        order = ", ".join(name for name, _ in columns)
        name = self._named(kind, columns)
        call = {
            "i": self._random.choice((f"lag({name})", f"first_value({name})", f"lead({name}, 2, 0)")),
            "l": self._random.choice(("rank()", "count(*)", "dense_rank()")),
            "t": f"max({name})",
            "b": f"bool_and({name})",
        }[kind]
        return f"{call} over (order by {order} {self._random.choice(_FRAMES)})"

    def _named(self, kind: str, columns: Sequence[Column]) -> str:
        names = [name for name, own in columns if own == kind]
        return self._random.choice(names) if names else self._random.choice(_CONSTANTS[kind])
