"""What the rows that are there must show before a definition holds for them."""

from dataclasses import replace
from typing import NamedTuple

from watchword_protocol.errors import ErrorCode
from watchword_server.refusal import Refused
from watchword_server.sql.catalog import Catalog, Table, TableType
from watchword_server.sql.constraints import Check
from watchword_server.sql.generate import generate
from watchword_server.sql.parser import parse_request
from watchword_server.sql.plan import Plan
from watchword_server.sql.quoting import quoted_name
from watchword_server.sql.resolve import resolve
from watchword_server.user import Role

__all__ = ["Proof", "proof_of_check", "proof_of_emptiness"]

_ROOMY = 16_777_216


class Proof(NamedTuple):
    """`plan`: finds a row, of whomever, that breaks it. `refusal`: what is told then."""

    plan: Plan
    refusal: Refused


def proof_of_check(table: Table, check: Check) -> Proof:
    """That every row of the table passes the check; each statement sees to its own."""
    message = f'A row of {table.title} breaks the check "{check.name}".'
    return Proof(_plan(table, f" WHERE NOT ({check.text})"), Refused(ErrorCode.CONSTRAINT_VIOLATION, message))


def proof_of_emptiness(table: Table, message: str) -> Proof:
    """That there is no row; `message`: what is told where one is."""
    return Proof(_plan(table, ""), Refused(ErrorCode.UNSUPPORTED_SQL, message))


def _plan(table: Table, where: str) -> Plan:
    """Finds one of the rows, whosever they are."""
    text = f"SELECT 1 FROM {quoted_name(table.name)}{where} LIMIT 1"  # noqa: S608  # the grammar's, not the engine's
    [query] = parse_request(text, max_bytes=_ROOMY, max_parameters=0, max_statements=1)
    whole = Catalog(tables={(table.namespace, table.name): replace(table, type=TableType.SHARED)})
    return generate(resolve(query, whole, table.namespace, Role.SYSTEM))  # type: ignore[arg-type]  # a SELECT
