"""The parser is held against PostgreSQL's own grammar on random statements and on spoiled ones.

Where both take a text, they read the same in it; where ours takes it, PostgreSQL does; and whatever the text, the
answer is statements or a named refusal.
"""

import re
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import pytest

from support.pg_nodes import NoSuchNode, PgRefusal, canonical, pg_nodes
from watchword_protocol.errors import ErrorCode
from watchword_server.sql.definition_nodes import CreateNamespace, Statement
from watchword_server.sql.fault import SqlFault
from watchword_server.sql.parser import parse_request

_CODES: Final = (ErrorCode.INVALID_SQL, ErrorCode.UNSUPPORTED_SQL, ErrorCode.LIMIT_EXCEEDED)

_OURS: Final = re.compile(r"(?i)current_(user|role)\s*\(|create\s+(user|shared)\s+table")
"""What PostgreSQL has not."""

_ATOMS: Final = (
    "1", "0", "007", "2.5", "1e3", ".5", "1.", "1E-2", "9999999999", "2147483648", "-1", "- -1", "-(1)", "+3",
    "-(+3)",
    "-9223372036854775808", "99999999999999999999", "''", "'it''s'", "'x'", "E'a\\nb'", "e'\\x41\\101\\u00e9'",
    "$$d$$",
    "$q$ $$ ' $q$", "a", "b.c", '"Q"', '"it""s"', '"a"."B"', "A.b", "b.select", "ünïcode", "a$b", "$1", "$22", "null",
    "TRUE", "false", "current_user", "CURRENT_TIMESTAMP", "user", "localtime", "current_schema", "current_schema()",
    "f()", "f(a)", "F(a, 1, 'b')", "count(*)", "count(distinct a)", "sum(all a)", "coalesce(a,b)", "nullif(a, 1)",
    "greatest(a, 1)", "LEAST(1)", "substring(a, 1, 2)", "trim(a)", "trim(both 'x' from a)", "trim(leading from a)",
    "trim(trailing 'x' FROM a, b)", "trim(a, b)", "left(a, 1)", "replace(a, b, c)", '"lower"(a)', "cast(a as text)",
    "CAST('1' AS double precision)", "a::int", "'1'::int8", "x.y::bool", "-1::int", "a::timestamp with time zone",
    "a::character varying::text", "case when a then b end", "case a when 1 then 2 when 3 then 4 else 5 end",
    "coalesce",
    "int", "values", "year", "date", "between",
)  # fmt: skip
_INFIX: Final = (
    "+", "-", "*", "/", "%", "||", "=", "<>", "!=", "<", ">", "<=", ">=", " and ", " or ", " AND ", " OR ", " like ",
    " ILIKE ", " not like ", " NOT ilike ", " is distinct from ", " is not distinct from ",
)  # fmt: skip
_POSTFIX: Final = (
    " is null", " IS NOT NULL", " is true", " is not false", " is unknown", " isnull", " NOTNULL", "::text",
    "::INTEGER",
    " in (1, 2)", " not in (a)", " in (1) in (2)", " between 1 and 2", " not between a and b", " between a < b and c",
    " between asymmetric 1 + 2 and 3", " between 1 and 2 = 3",
)  # fmt: skip
_ALIASES: Final = ("", "", " x", " as y", ' "Z"', " as select", " desc", " end", ' as "a b"', " is", " not", " value")
_SPACES: Final = ("", " ", " ", "\n", "/*c*/", "/* /* n */ */", " --x\n", "\t")
# Put into statements at random, and what replaces their parts.
_SHARDS: Final = (
    *_ATOMS, *_INFIX, *_POSTFIX, *_ALIASES, "(", ")", "((", "[", "]", "[1]", ",", ";", ".", "..", "::", ":",
    ":a", "'", '"',
    "$", "$$", "$a$", "/*", "*/", "--", "\n", "\\", "@", "?", "->", "->>", "~", "!~*", "^", "&", "|", "#",
    "=>", "<<", "%%",
    "+-", "-+", "=-", "<=-", "@-", "|| -", "\x0b", "\x00", "\ud800", "\u00a0", "U&'a'", "B'1'", "x'f'", "n'a'",
    "E'\\u00'",
    "0x1f", "1_000", "1a", "1e", "1.5.5", "$0", "$1a", "$99999999999", "any", "some (1)", "all", "array[1]", "row(1)",
    "(1,2)", "exists (select 1)", "(select 1)", "interval '1 day'", "date '2026-01-01'", "collate \"C\"",
    " at time zone 'utc'", " similar to 'a'", " escape 'x'", " operator(+) 1", " overlaps ", "over ()",
    "filter (where a)", "within group (order by a)", "variadic a", " union select 1", " intersect ", " except ",
    " join u on true", " left join u using (a)", " natural join u", ", u", " lateral ", " tablesample ", " only ",
    " for update", " fetch first 1 row only", " limit all", " limit 1, 2", " offset 1 rows", " window w as ()",
    " distinct on (a)", " group by rollup (a)", " group by ()", " order by a using <", " nulls first",
    " on conflict do nothing", " on conflict (a) do update set b = 1", "= any (select 1)", " > all (values (1))",
    " in (select 1)", " in ((select 1), 2)", "exists (values (1))", " union all (select 1)", "((select 1) + 1)",
    " cross join u", " full outer join u using (a, b)", "(t join u on a)", " materialized ", " recursive ",
    " over w", " over (w rows 1 preceding)", " using u", " from u", "range", "groups", "partition",
    " default", " default values", " overriding user value", " set (a, b) = (1, 2)", " set a.b = 1",
    " where current of c",
    " returning *", " with x as (select 1) ", "select", "from", "where", "insert into t values (1)", "update",
    "delete", "set",
    "not", "is", "in", "like", "between", "case", "when", "then", "else", "end", "cast", "as", "distinct",
    "asc", "nulls",
    " into x ", "explain ", "table t", "values (1)", "create", "create table t (a int)", "drop", "begin", "vacuum",
)  # fmt: skip


def _pick(random: Random, *rules: Callable[[Random], str]) -> str:
    return random.choice(rules)(random)


def _window(random: Random, depth: int) -> str:
    key = _expression(random, depth + 2)
    order = _maybe(random, 0.7, f"order by {key}", f"order by {key} desc nulls first, a")
    frame = _maybe(
        random, 0.5, "rows 1 preceding", "range unbounded preceding", "groups between current row and 2 following",
        "rows between unbounded preceding and 1 + 1 following exclude ties", "range current row exclude no others",
        "rows between 1 preceding and current row exclude group", "groups 1 preceding exclude current row",
    )  # fmt: skip
    return f"({_maybe(random, 0.3, 'w ')}{_maybe(random, 0.5, f'partition by {key}, b ')}{order} {frame})"


def _with_query(random: Random, depth: int) -> str:
    """An expression with a query, a window or a filter in it."""
    inner = _expression(random, depth + 1)
    match random.randrange(8):
        case 0:
            return f"({_rows(random, depth + 2)})"
        case 1:
            return f"{inner} {_maybe(random, 0.5, 'not ')}in ({_rows(random, depth + 2)})"
        case 2:
            return f"exists ({_rows(random, depth + 2)})"
        case 3:
            quantifier = random.choice(("any", "some", "all"))
            return f"{inner} {random.choice(('=', '<>', '<', '>='))} {quantifier} ({_rows(random, depth + 2)})"
        case 4:
            return f"sum({inner}) filter (where {_expression(random, depth + 1)})"
        case 5:
            return f"f({inner}){_maybe(random, 0.3, ' filter (where a)')} over {_window(random, depth)}"
        case 6:
            return "rank() over w"
    return f"(({_rows(random, depth + 3)}) + {inner})"


def _expression(random: Random, depth: int = 0) -> str:
    kind = random.randrange(13)
    if depth < 4 and random.random() < 0.08:
        return _with_query(random, depth)
    if depth > 4 or kind < 3:
        return random.choice(_ATOMS)
    inner = _expression(random, depth + 1)
    if kind < 8:
        space = random.choice(_SPACES)
        return inner + space + random.choice(_INFIX) + space + _expression(random, depth + 1)
    match kind:
        case 8:
            return f"({inner})"
        case 9:
            return f"not {inner}"
        case 10 | 11:
            return inner + random.choice(_POSTFIX)
    return random.choice(("- ", "+ ", "-")) + inner


def _target(random: Random) -> str:
    return random.choice(("*", "t.*", _expression(random, 1) + random.choice(_ALIASES)))


def _targets(random: Random) -> str:
    return ", ".join(_target(random) for _ in range(random.randrange(1, 4)))


def _maybe(random: Random, chance: float, *parts: str) -> str:
    return random.choice(parts) if random.random() < chance else ""


def _where(random: Random) -> str:
    return _maybe(random, 0.6, " where " + _expression(random))


def _returning(random: Random) -> str:
    return _maybe(random, 0.4, " returning " + _targets(random))


def _item(random: Random, depth: int) -> str:
    table = random.choice(("t", "app.t", "t a", "t as b", '"T" x', "app.select s", "t as q (c, d)"))
    if depth > 3 or random.random() < 0.6:
        return table
    if random.random() < 0.4:
        return f"({_rows(random, depth + 2)}){random.choice((' d', ' as d', ' d (e, f)'))}"
    left, right = _item(random, depth + 1), _item(random, depth + 1)
    if random.random() < 0.2:
        return f"{left} cross join {right}"
    word = random.choice(("join", "inner join", "left join", "left outer join", "right join", "full join"))
    condition = random.choice((f"on {_expression(random, depth + 2)}", "using (a)", 'using (a, "B")'))
    if random.random() < 0.3:
        return f"({left} {word} {right} {condition})"
    return f"{left} {word} {right} {condition}"


def _from(random: Random, depth: int) -> str:
    return ", ".join(_item(random, depth) for _ in range(random.choice((1, 1, 1, 2))))


def _simple_select(random: Random, depth: int) -> str:
    head = _maybe(random, 0.2, "distinct ", "all ", "distinct on (a, b) ")
    text = f"select {head}{_targets(random)}"
    if random.random() < 0.8:
        text += f" from {_from(random, depth)}"
    text += _where(random)
    text += _maybe(random, 0.2, f" group by {_expression(random, 3)}", f" group by a, {_expression(random, 3)}")
    text += _maybe(random, 0.1, f" having {_expression(random, 3)}")
    return text + _maybe(random, 0.1, f" window w as {_window(random, 3)}", " window w as (), v as (w)")


def _operand(random: Random, depth: int) -> str:
    kind = random.random()
    if kind < 0.2:
        return f"values ({_expression(random, depth + 1)}, 1), (2, {_expression(random, 3)})"
    if kind < 0.4 and depth < 4:
        return f"({_rows(random, depth + 1)})"
    return _simple_select(random, depth)


def _trailer(random: Random) -> str:
    key = _expression(random, 3)
    text = _maybe(
        random, 0.3, *(f" order by {key}{rest}" for rest in ("", " desc", " asc nulls first, b", " nulls last"))
    )
    return text + _maybe(
        random, 0.3, " limit 5", " limit $1 offset 2", " offset 1 limit all", " limit 1 + 1", " limit null"
    )


def _rows(random: Random, depth: int = 0) -> str:
    text = _maybe(random, 0.1, _with(random, depth)) if depth < 3 else ""
    text += _operand(random, depth)
    while depth < 4 and random.random() < 0.2:
        operator = random.choice(("union", "union all", "intersect", "except", "except all", "union distinct"))
        text += f" {operator} {_operand(random, depth + 1)}"
    return text + _trailer(random)


def _with(random: Random, depth: int) -> str:
    how = _maybe(random, 0.3, "materialized ", "not materialized ")
    name = random.choice(("x", "y (a, b)", '"Z"', "delete", "insert (a)", "values", "recursive", "materialized"))
    second = _maybe(random, 0.3, f", v as ({_rows(random, depth + 3)})")
    recursive = _maybe(random, 0.3, "recursive ")
    return f"with {recursive}{name} as {how}({_rows(random, depth + 2)}){second} "


def _select(random: Random) -> str:
    return _rows(random)


def _insert(random: Random) -> str:
    rows = f"values ({_expression(random, 2)}, default), (1, {_expression(random, 3)})"
    table = random.choice(("t", "app.t", "t as x", "t (a)", 'app.t (a, B, "c")', "t as values (int)"))
    source = random.choice((rows, rows, "default values", _rows(random, 2), f"({_rows(random, 2)})"))
    conflict = _maybe(
        random, 0.3, "on conflict do nothing", "on conflict (a, b) do nothing",
        f"on conflict (a) do update set b = excluded.b, c = default where {_expression(random, 3)}",
        "on conflict on constraint x do update set b = 1",
    )  # fmt: skip
    return " ".join((_common(random), "insert into", table, source, conflict, _returning(random)))


def _common(random: Random) -> str:
    return _with(random, 2) if random.random() < 0.2 else ""


def _update(random: Random) -> str:
    table = random.choice(("t", "app.t x", "t as set"))
    sets = f"set a = {_expression(random, 2)}, B = default"
    beside = f"from {_from(random, 2)}" if random.random() < 0.3 else ""
    return " ".join((_common(random), "update", table, sets, beside, _where(random), _returning(random)))


def _delete(random: Random) -> str:
    table = random.choice(("t", "app.t", "t x", "t as x"))
    beside = f"using {_from(random, 2)}" if random.random() < 0.3 else ""
    return " ".join((_common(random), "delete from", table, beside, _where(random), _returning(random)))


def _create(random: Random) -> str:
    columns = (
        "id bigint primary key", "b text not null default 'x'", "c int null",
    'd double precision default -1.5', "primary key (a, b)",
        "e timestamp with time zone default '2026-01-01'::date", "f uuid default 1 not null",
    '"G" json default null::json null', "h int unique check (h > 1 and b <> 'x') references u", "i bigint default f()",
    "constraint c unique (a, b)", "check (a is null)", "foreign key (a) references n.u (x) on delete cascade",
    "j int constraint d references u (x) match simple on update cascade on delete set null",
    )  # fmt: skip
    body = ", ".join(random.choice(columns) for _ in range(random.randrange(1, 5)))
    name = random.choice(("t", "app.t", "if not exists app.t"))
    return f"create table {name} ({body})" + _maybe(random, 0.6, " with (type = 'USER', Access_Level = 'private')")


def _drop(random: Random) -> str:
    return random.choice(("drop table t", "drop table if exists app.t", 'drop table "T"'))


def _alter(random: Random) -> str:
    changes = (
        "add column a int unique default 1", "add if not exists a text check (a like 'x')", "add check (a > 1)",
        "add constraint c foreign key (a, b) references u on delete restrict", "drop a", "rename a to b",
        "drop column if exists a cascade", "rename column a to b", "rename to b", "drop constraint c",
        "drop constraint if exists c restrict",
    )  # fmt: skip
    return f"alter table {random.choice(('t', 'if exists app.t'))} {random.choice(changes)}"


def _index(random: Random) -> str:
    keys = ", ".join(random.choice(("a", "b desc", '"C" asc nulls last', "d nulls first")) for _ in range(2))
    name = random.choice(("", "i", "if not exists i"))
    create = f"create {random.choice(('', 'unique '))}index {name} on app.t ({keys})"
    return random.choice((create, create, "drop index if exists app.i", "truncate t", "truncate table app.t restrict"))


_STATEMENTS: Final = (_select, _select, _select, _insert, _update, _delete, _create, _drop, _alter, _index)


def _statement(random: Random) -> str:
    text = _pick(random, *_STATEMENTS)
    return random.choice((text, text, text.upper(), text + ";", "; " + text, text + random.choice(_SPACES)))


def _spoiled(random: Random) -> str:
    """A statement to which something was done, once or more."""
    text = _statement(random)
    for _ in range(random.choice((1, 1, 1, 3))):
        at = random.randrange(len(text) + 1)
        until = min(len(text), at + random.randrange(1, 8))
        match random.randrange(5):
            case 0:
                text = text[:at] + text[until:]
            case 1:
                text = text[:at] + random.choice(_SHARDS) + text[until:]
            case 2:
                text = text[:at] + text[at:until] * 2 + text[until:]
            case 3:
                words = text.split(" ")
                words[random.randrange(len(words))] = random.choice(_SHARDS)
                text = " ".join(words)
            case _:
                text = text[:at] + random.choice(_SHARDS) + text[at:]
    return text


def _parsed(text: str) -> tuple[Statement, ...] | SqlFault:
    try:
        return parse_request(text, max_bytes=16_384, max_parameters=1_000, max_statements=100)
    except SqlFault as fault:
        return fault


def _verdict(text: str) -> str:
    """How the two parsers stand to each other on this text. `...!`: as they must not."""
    ours = _parsed(text)
    if isinstance(ours, SqlFault):
        assert ours.code in _CODES, text
        assert ours.message.endswith("."), text
        assert ours.at is None or 0 <= ours.at <= len(text), text
        return "refused"
    if any(isinstance(each, CreateNamespace) for each in ours) or _OURS.search(text):
        return "ours alone"
    try:
        theirs = pg_nodes(text)
    except PgRefusal as refusal:
        return f"PostgreSQL refuses: {refusal}!"
    except NoSuchNode as kind:
        return f"PostgreSQL sees {kind}!"
    return "same" if canonical(ours) == theirs else f"different: {theirs}!"


def _judge(make: Callable[[Random], str], count: int, seed: int) -> Counter[str]:
    random = Random(seed)  # noqa: S311  # repeatable, and keeps no secret
    verdicts: Counter[str] = Counter()
    for _ in range(count):
        text = make(random)
        verdict = _verdict(text)
        assert not verdict.endswith("!"), f"{text!r}: {verdict} ours: {_parsed(text)}"
        verdicts[verdict] += 1
    return verdicts


def test_random_statements_read_as_postgresql_reads_them() -> None:
    verdicts = _judge(_statement, 4_000, 1)
    assert verdicts["same"] > 2_000, verdicts


def test_spoiled_statements_are_never_taken_where_postgresql_refuses_them() -> None:
    verdicts = _judge(_spoiled, 8_000, 2)
    assert verdicts["same"] > 400, verdicts


@pytest.mark.long
def test_a_great_many_random_statements_read_as_postgresql_reads_them() -> None:
    _judge(_statement, 100_000, 3)


@pytest.mark.long
def test_a_great_many_spoiled_statements_have_an_answer() -> None:
    _judge(_spoiled, 200_000, 4)
