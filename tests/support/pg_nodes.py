"""PostgreSQL's own tree of a text (libpg_query, by pgparse), in our nodes: the judge of our parser.

Every key of PostgreSQL's tree is asked for, or the statement has no such nodes: nothing is passed over in silence.
Both sides are compared in canonical form, for PostgreSQL's tree forgets how a type or a number was written.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

import pgparse  # type: ignore[import-not-found]  # has no types

from watchword_server.sql.definition_nodes import (
    AddColumn,
    AddConstraint,
    AlterTable,
    Check,
    ColumnDefinition,
    Constraint,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    ForeignKey,
    ForeignKeyAction,
    IndexKey,
    Option,
    RenameColumn,
    RenameTable,
    Statement,
    Unique,
)
from watchword_server.sql.nodes import (
    And,
    Between,
    Call,
    Case,
    Cast,
    CommonTable,
    Default,
    Delete,
    DerivedTable,
    Exists,
    Expression,
    Frame,
    FrameBound,
    FromItem,
    Infix,
    InList,
    InQuery,
    Insert,
    IsDistinct,
    IsTest,
    Join,
    Like,
    Literal,
    LiteralKind,
    Name,
    Not,
    OnConflict,
    Or,
    Order,
    Parameter,
    Prefix,
    Quantified,
    Rows,
    Select,
    SetOperation,
    Star,
    Subquery,
    TableName,
    Target,
    Truncate,
    Update,
    Values,
    Window,
    With,
)

__all__ = ["NoSuchNode", "PgRefusal", "canonical", "pg_nodes"]


class PgRefusal(Exception):  # noqa: N818  # an answer
    """PostgreSQL does not take the text."""


class NoSuchNode(Exception):  # noqa: N818  # an answer
    """PostgreSQL takes the text, and our nodes cannot say it."""


_TYPES: Final = {
    "int": "int4", "integer": "int4", "smallint": "int2", "bigint": "int8", "boolean": "bool", "real": "float4",
    "float": "float8", "double precision": "float8", "decimal": "numeric", "dec": "numeric", "char": "bpchar",
    "character": "bpchar", "char varying": "varchar", "character varying": "varchar",
    "time without time zone": "time", "time with time zone": "timetz", "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}  # fmt: skip
_OPERATORS: Final = frozenset({"+", "-", "*", "/", "%", "||", "=", "<>", "<", "<=", ">", ">="})
_LIKES: Final = {"~~": (False, False), "!~~": (False, True), "~~*": (True, False), "!~~*": (True, True)}
_TRIMS: Final = frozenset({"btrim", "ltrim", "rtrim"})
_TESTS: Final = {"IS_TRUE": "true", "IS_FALSE": "false", "IS_UNKNOWN": "unknown"}


def canonical(value: Any) -> Any:
    """The same, without what PostgreSQL's tree does not keep."""
    if isinstance(value, tuple):
        return tuple(canonical(each) for each in value)
    if not is_dataclass(value):
        return value
    value = replace(value, **{each.name: canonical(getattr(value, each.name)) for each in fields(value)})  # type: ignore[type-var]  # an instance
    match value:
        case Cast():
            return replace(value, type=_TYPES.get(value.type, value.type))
        case ColumnDefinition():
            return replace(value, type=_TYPES.get(value.type, value.type))
        case Literal(kind=LiteralKind.INTEGER):
            return replace(value, text=str(int(value.text)))
        case Select(limit=Literal(kind=LiteralKind.NULL)) | Values(limit=Literal(kind=LiteralKind.NULL)):
            return replace(value, limit=None)
        case SetOperation(limit=Literal(kind=LiteralKind.NULL)):
            return replace(value, limit=None)
        case InQuery(negated=True):
            return Not(replace(value, negated=False))
        case Insert(query=Values(order=(), limit=None, offset=None, common=None) as values):
            return replace(value, rows=values.rows, query=None)
    return value


def pg_nodes(text: str) -> tuple[Statement, ...]:
    """The statements of the text as PostgreSQL reads it, in canonical form.

    Raises:
        PgRefusal: PostgreSQL does not take it.
        NoSuchNode: Our nodes cannot say it.
    """
    try:
        tree = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        raise PgRefusal(str(error)) from None
    found = tuple(_choose(each["stmt"], _STATEMENTS) for each in tree)
    return tuple(canonical(each) for each in found)


class _Bag:
    """A node of PostgreSQL's tree: each of its keys has to be asked for."""

    def __init__(self, kind: str, keys: dict[str, Any]) -> None:
        self.kind = kind
        self.keys = keys
        self.left = set(keys) - {"location"}

    def get(self, key: str, default: Any = None) -> Any:
        self.left.discard(key)
        return self.keys.get(key, default)

    def one_of(self, key: str, *allowed: object) -> Any:
        value = self.get(key)
        if value is not None and value not in allowed:
            raise NoSuchNode(f"{self.kind}.{key} {value}")
        return value

    def done(self) -> None:
        if self.left:
            raise NoSuchNode(f"{self.kind} {self.left}")


def _open(tree: dict[str, Any]) -> _Bag:
    ((kind, keys),) = tree.items()
    return _Bag(kind, keys)


def _choose(tree: dict[str, Any], rules: dict[str, Callable[[_Bag], Any]]) -> Any:
    bag = _open(tree)
    if bag.kind not in rules:
        raise NoSuchNode(bag.kind)
    found = rules[bag.kind](bag)
    bag.done()
    return found


def _string(tree: dict[str, Any]) -> str:
    bag = _open(tree)
    if bag.kind != "String":
        raise NoSuchNode(bag.kind)
    return str(bag.get("sval", ""))


# --- statements -------------------------------------------------------------------------------------------


def _rows(bag: _Bag) -> Rows:
    """Any of the three; PostgreSQL has one node for all."""
    operator = bag.one_of("op", "SETOP_NONE", "SETOP_UNION", "SETOP_INTERSECT", "SETOP_EXCEPT")
    bag.one_of("limitOption", "LIMIT_OPTION_DEFAULT", "LIMIT_OPTION_COUNT")
    found: Rows
    if operator not in (None, "SETOP_NONE"):
        left, right = (_nested(bag.get(side)) for side in ("larg", "rarg"))
        word: Any = operator.removeprefix("SETOP_").lower()
        found = SetOperation(word, bag.get("all", False), left, right)
    elif "valuesLists" in bag.keys:
        lists = [each["List"]["items"] for each in bag.get("valuesLists")]
        if any("SetToDefault" in each for items in lists for each in items):
            raise NoSuchNode("DEFAULT in VALUES")
        found = Values(tuple(tuple(map(_expression, items)) for items in lists))
    else:
        found = _select(bag)
    common = bag.get("withClause")
    return replace(
        found,
        order=tuple(_choose(each, {"SortBy": _order}) for each in bag.get("sortClause", [])),
        limit=_optional(bag, "limitCount"),
        offset=_optional(bag, "limitOffset"),
        common=None if common is None else _with(_Bag("WithClause", common)),
    )


def _nested(tree: dict[str, Any]) -> Rows:
    bag = _Bag("SelectStmt", tree)
    found = _rows(bag)
    bag.done()
    return found


def _query(tree: dict[str, Any]) -> Rows:
    found: Rows = _choose(tree, {"SelectStmt": _rows})
    return found


def _with(bag: _Bag) -> With:
    tables = tuple(_choose(each, {"CommonTableExpr": _common_table}) for each in bag.get("ctes"))
    found = With(tables, bag.get("recursive", False))
    bag.done()
    return found


def _common_table(bag: _Bag) -> CommonTable:
    bag.get("ctematerialized")
    return CommonTable(bag.get("ctename"), _strings(bag.get("aliascolnames", [])), _query(bag.get("ctequery")))


def _strings(trees: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(map(_string, trees))


def _select(bag: _Bag) -> Select:
    distinct = bag.get("distinctClause")
    targets = _targets(bag, "targetList")
    if not targets:
        raise NoSuchNode("no columns")
    windows = tuple(_choose(each, {"WindowDef": _window}) for each in bag.get("windowClause", []))
    return Select(
        targets,
        _sources(bag, "fromClause"),
        _optional(bag, "whereClause"),
        _expressions(bag, "groupClause"),
        _optional(bag, "havingClause"),
        windows,
        distinct=distinct == [{}],
        distinct_on=() if distinct in (None, [{}]) else tuple(map(_expression, distinct)),
    )


def _window(bag: _Bag) -> tuple[str, Window]:
    return bag.get("name"), _window_of(bag)


def _window_of(bag: _Bag) -> Window:
    return Window(
        bag.get("refname"),
        _expressions(bag, "partitionClause"),
        tuple(_choose(each, {"SortBy": _order}) for each in bag.get("orderClause", [])),
        _frame(bag.get("frameOptions"), _optional(bag, "startOffset"), _optional(bag, "endOffset")),
    )


def _frame(options: int, start: Expression | None, end: Expression | None) -> Frame | None:
    """Bits of PostgreSQL's parsenodes.h."""
    if not options & 0x1:
        return None
    mode: Any = "range" if options & 0x2 else "rows" if options & 0x4 else "groups"
    exclude: Any = {0x8000: "current row", 0x10000: "group", 0x20000: "ties"}.get(options & 0x38000)
    bounds = []
    for shift, offset in ((0, start), (1, end)):
        kind: Any = "current row"
        if options & (0x820 << shift):
            kind = "preceding"
        elif options & (0x2080 << shift):
            kind = "following"
        bounds.append(FrameBound(kind, offset))
    return Frame(mode, bounds[0], bounds[1], exclude)


def _sources(bag: _Bag, key: str) -> tuple[FromItem, ...]:
    return tuple(_choose(each, _FROM) for each in bag.get(key, []))


def _join(bag: _Bag) -> Join:
    kind = bag.one_of("jointype", "JOIN_INNER", "JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL")
    word: Any = kind.removeprefix("JOIN_").lower()
    left, right = (_choose(bag.get(side), _FROM) for side in ("larg", "rarg"))
    using = tuple(Name(None, name) for name in _strings(bag.get("usingClause", [])))
    return Join(word, left, right, _optional(bag, "quals"), using)


def _derived(bag: _Bag) -> DerivedTable:
    query = _query(bag.get("subquery"))
    alias = bag.get("alias", {})
    if "aliasname" not in alias:
        raise NoSuchNode("no alias")
    return DerivedTable(query, alias["aliasname"], _strings(alias.get("colnames", [])))


def _order(bag: _Bag) -> Order:
    descending = bag.one_of("sortby_dir", "SORTBY_DEFAULT", "SORTBY_ASC", "SORTBY_DESC") == "SORTBY_DESC"
    nulls = {"SORTBY_NULLS_FIRST": True, "SORTBY_NULLS_LAST": False}.get(bag.get("sortby_nulls"))
    return Order(_expression(bag.get("node")), descending, nulls)


def _targets(bag: _Bag, key: str) -> tuple[Target, ...]:
    return tuple(_choose(each, {"ResTarget": _target}) for each in bag.get(key, []))


def _target(bag: _Bag) -> Target:
    value = bag.get("val")
    names = value.get("ColumnRef", {}).get("fields", [])
    if names and "A_Star" in names[-1]:
        if len(names) > 2:
            raise NoSuchNode("a.b.*")
        return Target(Star(_string(names[0]) if len(names) == 2 else None))
    return Target(_expression(value), bag.get("name"))


def _range(bag: _Bag) -> TableName:
    bag.one_of("inh", True)
    bag.one_of("relpersistence", "p")
    alias = bag.get("alias") or {}
    columns = _strings(alias.get("colnames", []))
    return TableName(bag.get("schemaname"), bag.get("relname"), alias.get("aliasname"), columns)


def _relation(bag: _Bag) -> TableName:
    found: TableName = _choose({"RangeVar": bag.get("relation")}, {"RangeVar": _range})
    return found


def _insert(bag: _Bag) -> Any:
    bag.one_of("override", "OVERRIDING_NOT_SET")
    columns = tuple(_choose(each, {"ResTarget": _column}) for each in bag.get("cols", []))
    source = bag.get("selectStmt")
    rows: tuple[tuple[Expression | Default, ...], ...] = ()
    query: Rows | None = None
    if source is not None:
        values = _open(source)
        lists = [each["List"]["items"] for each in values.keys.get("valuesLists", [])]
        if any("SetToDefault" in each for items in lists for each in items):
            values.get("valuesLists")
            values.one_of("limitOption", "LIMIT_OPTION_DEFAULT")
            values.one_of("op", "SETOP_NONE")
            rows = tuple(tuple(_value(each) for each in items) for items in lists)
        else:
            query = _rows(values)
        values.done()
    conflict = bag.get("onConflictClause")
    found = Insert(
        _relation(bag),
        columns,
        rows,
        query,
        None if conflict is None else _conflict(_Bag("OnConflictClause", conflict)),
        _targets(bag, "returningList"),
    )
    return _with_common(found, bag)


def _with_common(found: Any, bag: _Bag) -> Any:
    common = bag.get("withClause")
    return found if common is None else replace(found, common=_with(_Bag("WithClause", common)))


def _conflict(bag: _Bag) -> OnConflict:
    infer = _Bag("InferClause", bag.get("infer", {}))
    columns = tuple(_choose(each, {"IndexElem": _conflict_column}) for each in infer.get("indexElems", []))
    constraint = infer.get("conname")
    infer.done()
    sets = None
    if bag.get("action") == "ONCONFLICT_UPDATE":
        sets = tuple(_choose(each, {"ResTarget": _set}) for each in bag.get("targetList"))
    found = OnConflict(columns, constraint, sets, _optional(bag, "whereClause"))
    bag.done()
    return found


def _conflict_column(bag: _Bag) -> Name:
    bag.one_of("ordering", "SORTBY_DEFAULT")
    bag.one_of("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    return Name(None, bag.get("name"))


def _column(bag: _Bag) -> Name:
    return Name(None, bag.get("name"))


def _value(tree: dict[str, Any]) -> Expression | Default:
    return Default() if "SetToDefault" in tree else _expression(tree)


def _set(bag: _Bag) -> tuple[Name, Expression | Default]:
    return _column(bag), _value(bag.get("val"))


def _update(bag: _Bag) -> Any:
    sets = tuple(_choose(each, {"ResTarget": _set}) for each in bag.get("targetList"))
    sources, where = _sources(bag, "fromClause"), _optional(bag, "whereClause")
    return _with_common(Update(_relation(bag), sets, sources, where, _targets(bag, "returningList")), bag)


def _delete(bag: _Bag) -> Any:
    sources, where = _sources(bag, "usingClause"), _optional(bag, "whereClause")
    return _with_common(Delete(_relation(bag), sources, where, _targets(bag, "returningList")), bag)


def _create_table(bag: _Bag) -> CreateTable:
    bag.one_of("oncommit", "ONCOMMIT_NOOP")
    columns: list[ColumnDefinition] = []
    constraints: list[Constraint] = []
    primary_key: tuple[Name, ...] = ()
    for element in bag.get("tableElts", []):
        if "ColumnDef" in element:
            columns.append(_choose(element, {"ColumnDef": _definition}))
            continue
        constraint = _open(element)
        if constraint.kind != "Constraint":
            raise NoSuchNode(constraint.kind)
        kind = constraint.get("contype")
        if kind == "CONSTR_PRIMARY":
            if primary_key:
                raise NoSuchNode("constraint")
            primary_key = _names(constraint, "keys")
        else:
            constraints.append(_constraint(constraint, kind))
        constraint.done()
    options = tuple(_choose(each, {"DefElem": _option}) for each in bag.get("options", []))
    if_not_exists = bag.get("if_not_exists", False)
    return CreateTable(_relation(bag), tuple(columns), primary_key, options, if_not_exists, tuple(constraints))


def _names(bag: _Bag, key: str) -> tuple[Name, ...]:
    return tuple(Name(None, _string(each)) for each in bag.get(key, []))


_ACTIONS: Final = dict(zip("arcnd", ForeignKeyAction, strict=True))


def _constraint(bag: _Bag, kind: str, column: str | None = None) -> Constraint:
    """Of a table, or of a column."""
    name = bag.get("conname")
    bag.one_of("initially_valid", True)
    own = () if column is None else (Name(None, column),)
    match kind:
        case "CONSTR_UNIQUE":
            return Unique(name, own or _names(bag, "keys"))
        case "CONSTR_CHECK":
            return Check(name, _expression(bag.get("raw_expr")), "")
        case "CONSTR_FOREIGN":
            bag.one_of("fk_matchtype", "s")
            table = _range(_Bag("RangeVar", bag.get("pktable")))
            actions = (_ACTIONS[bag.get("fk_del_action")], _ACTIONS[bag.get("fk_upd_action")])
            return ForeignKey(name, own or _names(bag, "fk_attrs"), table, _names(bag, "pk_attrs"), *actions)
    raise NoSuchNode(kind)


def _option(bag: _Bag) -> Option:
    bag.one_of("defaction", "DEFELEM_UNSPEC")
    value = _open(bag.get("arg", {"missing": {}}))
    if value.kind not in ("String", "Integer"):
        raise NoSuchNode("option")
    text = value.get("sval", "") if value.kind == "String" else value.get("ival")
    return Option(bag.get("defname").upper(), str(text))


def _definition(bag: _Bag) -> ColumnDefinition:
    bag.one_of("is_local", True)
    name = bag.get("colname")
    not_null = primary_key = False
    default = None
    constraints: list[Constraint] = []
    for tree in bag.get("constraints", []):
        constraint = _open(tree)
        match constraint.get("contype"):
            case "CONSTR_NOTNULL":
                not_null = True
            case "CONSTR_NULL":
                pass
            case "CONSTR_PRIMARY":
                primary_key = True
            case "CONSTR_DEFAULT":
                default = _expression(constraint.get("raw_expr"))
            case kind:
                constraints.append(_constraint(constraint, kind, name))
        constraint.done()
    return ColumnDefinition(name, _type(bag.get("typeName")), not_null, primary_key, default, tuple(constraints))


def _cascade(bag: _Bag) -> bool:
    return bool(bag.one_of("behavior", "DROP_RESTRICT", "DROP_CASCADE") == "DROP_CASCADE")


def _drop(bag: _Bag) -> DropTable | DropIndex:
    what = bag.one_of("removeType", "OBJECT_TABLE", "OBJECT_INDEX")
    cascade, if_exists = _cascade(bag), bag.get("missing_ok", False)
    objects = bag.get("objects")
    names = [_string(each) for each in objects[0]["List"]["items"]]
    if len(objects) > 1 or len(names) > 2 or (cascade and what == "OBJECT_INDEX"):
        raise NoSuchNode("DROP")
    name = TableName(names[0] if len(names) == 2 else None, names[-1])
    return DropTable(name, if_exists, cascade) if what == "OBJECT_TABLE" else DropIndex(name, if_exists)


def _index(bag: _Bag) -> CreateIndex:
    bag.one_of("accessMethod", "btree")
    keys = tuple(_choose(each, {"IndexElem": _index_key}) for each in bag.get("indexParams"))
    flags = (bag.get("unique", False), bag.get("if_not_exists", False))
    return CreateIndex(bag.get("idxname"), _relation(bag), keys, *flags)


def _index_key(bag: _Bag) -> IndexKey:
    order = bag.one_of("ordering", "SORTBY_DEFAULT", "SORTBY_ASC", "SORTBY_DESC")
    nulls = bag.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    first = {"SORTBY_NULLS_FIRST": True, "SORTBY_NULLS_LAST": False}.get(nulls)
    return IndexKey(Name(None, bag.get("name")), order == "SORTBY_DESC", first)


def _alter(bag: _Bag) -> AlterTable:
    bag.one_of("objtype", "OBJECT_TABLE")
    [tree] = bag.get("cmds")
    change = _choose(tree, {"AlterTableCmd": _change})
    return AlterTable(_relation(bag), change, bag.get("missing_ok", False))


def _change(bag: _Bag) -> AddColumn | AddConstraint | DropColumn | DropConstraint:
    cascade, if_exists = _cascade(bag), bag.get("missing_ok", False)
    match bag.get("subtype"):
        case "AT_AddColumn":
            return AddColumn(_choose(bag.get("def"), {"ColumnDef": _definition}), if_exists)
        case "AT_DropColumn":
            return DropColumn(Name(None, bag.get("name")), if_exists, cascade)
        case "AT_DropConstraint":
            return DropConstraint(Name(None, bag.get("name")), if_exists, cascade)
        case "AT_AddConstraint":
            constraint = _choose(bag.get("def"), {"Constraint": lambda found: _constraint(found, found.get("contype"))})
            return AddConstraint(constraint)
        case kind:
            raise NoSuchNode(kind)


def _rename(bag: _Bag) -> AlterTable:
    what = bag.one_of("renameType", "OBJECT_COLUMN", "OBJECT_TABLE")
    bag.get("relationType")
    bag.one_of("behavior", "DROP_RESTRICT")
    name, new = bag.get("subname"), bag.get("newname")
    change = RenameTable(new) if what == "OBJECT_TABLE" else RenameColumn(Name(None, name), new)
    return AlterTable(_relation(bag), change, bag.get("missing_ok", False))


def _truncate(bag: _Bag) -> Truncate:
    bag.one_of("behavior", "DROP_RESTRICT")
    [table] = bag.get("relations")
    found: TableName = _choose(table, {"RangeVar": _range})
    return Truncate(found)


_STATEMENTS: Final[dict[str, Callable[[_Bag], Any]]] = {
    "SelectStmt": _rows,
    "InsertStmt": _insert,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
    "CreateStmt": _create_table,
    "DropStmt": _drop,
    "IndexStmt": _index,
    "AlterTableStmt": _alter,
    "RenameStmt": _rename,
    "TruncateStmt": _truncate,
}


_FROM: Final[dict[str, Callable[[_Bag], Any]]] = {"RangeVar": _range, "RangeSubselect": _derived, "JoinExpr": _join}


# --- expressions ------------------------------------------------------------------------------------------


def _expression(tree: dict[str, Any]) -> Expression:
    found: Expression = _choose(tree, _EXPRESSIONS)
    return found


def _optional(bag: _Bag, key: str) -> Expression | None:
    tree = bag.get(key)
    return None if tree is None else _expression(tree)


def _expressions(bag: _Bag, key: str) -> tuple[Expression, ...]:
    return tuple(_expression(each) for each in bag.get(key, []))


def _constant(bag: _Bag) -> Literal:
    if bag.get("isnull"):
        return Literal(LiteralKind.NULL, "")
    if (text := bag.get("sval")) is not None:
        return Literal(LiteralKind.TEXT, text.get("sval", ""))
    if (flag := bag.get("boolval")) is not None:
        return Literal(LiteralKind.BOOLEAN, "true" if flag.get("boolval") else "false")
    if (integer := bag.get("ival")) is not None:
        return Literal(LiteralKind.INTEGER, str(integer.get("ival", 0)))
    number = bag.get("fval", {}).get("fval", "")
    digits = number.lstrip("-")
    if not digits or any(letter in digits for letter in "xXoObB_"):
        raise NoSuchNode("a number")
    return Literal(LiteralKind.INTEGER if digits.isdigit() else LiteralKind.DECIMAL, number)


def _name(bag: _Bag) -> Name:
    names = [_string(each) for each in bag.get("fields")]
    if len(names) > 2:
        raise NoSuchNode("a.b.c")
    return Name(names[0] if len(names) == 2 else None, names[-1])


def _operation(bag: _Bag) -> Expression:
    kind, names = bag.get("kind"), [_string(each) for each in bag.get("name")]
    left, right = bag.get("lexpr"), bag.get("rexpr")
    operator = names[0]
    if len(names) > 1:
        raise NoSuchNode("OPERATOR()")
    match kind:
        case "AEXPR_OP" if left is None:
            return _signed(operator, _expression(right))
        case "AEXPR_OP" if operator in _OPERATORS:
            return Infix(operator, _expression(left), _expression(right))
        case "AEXPR_LIKE" | "AEXPR_ILIKE":
            ignores_case, negated = _LIKES[operator]
            return Like(_expression(left), _expression(right), ignores_case, negated)
        case "AEXPR_IN":
            items = tuple(_expression(each) for each in right["List"]["items"])
            return InList(_expression(left), items, operator == "<>")
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
            return IsDistinct(_expression(left), _expression(right), kind == "AEXPR_NOT_DISTINCT")
        case "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN":
            low, high = right["List"]["items"]
            return Between(_expression(left), _expression(low), _expression(high), kind == "AEXPR_NOT_BETWEEN")
        case "AEXPR_NULLIF":
            return Call("nullif", (_expression(left), _expression(right)))
    raise NoSuchNode(f"{kind} {operator}")


def _signed(operator: str, operand: Expression) -> Expression:
    """PostgreSQL makes `-3` one constant, but not `-(+3)`, which is one here."""
    is_number = isinstance(operand, Literal) and operand.kind in (LiteralKind.INTEGER, LiteralKind.DECIMAL)
    if operator == "+" and is_number:
        return operand
    if operator == "-" and isinstance(operand, Literal) and is_number:
        return replace(operand, text=operand.text[1:] if operand.text.startswith("-") else "-" + operand.text)
    if operator == "-":
        return Prefix("-", operand)
    raise NoSuchNode(f"{operator} operand")


def _boolean(bag: _Bag) -> Expression:
    operands = _expressions(bag, "args")
    match bag.get("boolop"):
        case "NOT_EXPR":
            return Not(operands[0])
        case "AND_EXPR":
            return And(operands)
    return Or(operands)


def _null_test(bag: _Bag) -> IsTest:
    return IsTest(_expression(bag.get("arg")), "null", bag.get("nulltesttype") == "IS_NOT_NULL")


def _boolean_test(bag: _Bag) -> IsTest:
    test = bag.get("booltesttype")
    return IsTest(_expression(bag.get("arg")), _TESTS[test.replace("NOT_", "")], "NOT" in test)  # type: ignore[arg-type]  # of the table


def _type(tree: dict[str, Any]) -> str:
    bag = _Bag("TypeName", tree)
    names = [_string(each) for each in bag.get("names")]
    bag.one_of("typemod", -1)
    if names == ["pg_catalog", "bpchar"]:
        bag.get("typmods")
    if names[0] == "pg_catalog":
        names = names[1:]
    bag.done()
    if len(names) != 1 or names == ["interval"]:
        raise NoSuchNode("type")
    return names[0]


def _cast(bag: _Bag) -> Cast:
    return Cast(_expression(bag.get("arg")), _type(bag.get("typeName")))


def _call(bag: _Bag) -> Call:
    names = [_string(each) for each in bag.get("funcname")]
    form = bag.one_of("funcformat", "COERCE_EXPLICIT_CALL", "COERCE_SQL_SYNTAX")
    if form == "COERCE_SQL_SYNTAX" and names[0] == "pg_catalog" and names[-1] in _TRIMS:
        names = names[1:]
    elif form == "COERCE_SQL_SYNTAX":
        raise NoSuchNode(names[-1])
    if len(names) > 1:
        raise NoSuchNode("a function with a namespace")
    window = bag.get("over")
    return Call(
        names[0],
        _expressions(bag, "args"),
        bag.get("agg_star", False),
        bag.get("agg_distinct", False),
        _optional(bag, "agg_filter"),
        None if window is None else _over(_Bag("WindowDef", window)),
    )


def _over(bag: _Bag) -> Window:
    name = bag.get("name")
    found = _window_of(bag)
    bag.done()
    return found if name is None else Window(name, is_name=True)


def _sublink(bag: _Bag) -> Expression:
    kind, query = bag.get("subLinkType"), _query(bag.get("subselect"))
    operators = _strings(bag.get("operName", []))
    if kind == "EXISTS_SUBLINK":
        return Exists(query)
    if kind == "EXPR_SUBLINK":
        return Subquery(query)
    if kind not in ("ANY_SUBLINK", "ALL_SUBLINK"):
        raise NoSuchNode(kind)
    operand = _expression(bag.get("testexpr"))
    if not operators:
        return InQuery(operand, query)
    if len(operators) > 1 or operators[0] not in _OPERATORS:
        raise NoSuchNode("ANY")
    return Quantified(operand, operators[0], "any" if kind == "ANY_SUBLINK" else "all", query)


def _coalesce(bag: _Bag) -> Call:
    return Call("coalesce", _expressions(bag, "args"))


def _extreme(bag: _Bag) -> Call:
    return Call("greatest" if bag.get("op") == "IS_GREATEST" else "least", _expressions(bag, "args"))


def _constant_function(bag: _Bag) -> Call:
    bag.one_of("typmod", -1)
    return Call(bag.get("op").removeprefix("SVFOP_").lower())


def _case(bag: _Bag) -> Case:
    whens: list[tuple[Expression, Expression]] = []
    for tree in bag.get("args"):
        when = _open(tree)
        whens.append((_expression(when.get("expr")), _expression(when.get("result"))))
        when.done()
    return Case(_optional(bag, "arg"), tuple(whens), _optional(bag, "defresult"))


def _parameter(bag: _Bag) -> Parameter:
    return Parameter(bag.get("number", 0))


_EXPRESSIONS: Final[dict[str, Callable[[_Bag], Any]]] = {
    "A_Const": _constant,
    "A_Expr": _operation,
    "BoolExpr": _boolean,
    "BooleanTest": _boolean_test,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "ColumnRef": _name,
    "FuncCall": _call,
    "MinMaxExpr": _extreme,
    "NullTest": _null_test,
    "ParamRef": _parameter,
    "SQLValueFunction": _constant_function,
    "SubLink": _sublink,
    "TypeCast": _cast,
}
