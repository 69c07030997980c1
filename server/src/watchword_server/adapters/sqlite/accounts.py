"""Users and revoked tokens in SQLite."""

import sqlite3
from typing import Any, Final

from watchword_protocol.errors import ErrorCode
from watchword_server.adapters.sqlite.audit import append_rows
from watchword_server.adapters.sqlite.database import Database
from watchword_server.auth.account import Account, Decide, RevokedToken, Scene, canonical_name
from watchword_server.auth.audit import AuditRow
from watchword_server.auth.rights import ADMINISTRATOR
from watchword_server.refusal import Refused
from watchword_server.user import Role

__all__ = ["SqliteAccounts"]

# Columns are named after the members: one list serves every statement.
_MEMBERS: Final = Account.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(_MEMBERS)} FROM users"  # noqa: S608  # names of ours only
_INSERT: Final = f"INSERT INTO users ({', '.join(_MEMBERS)}) VALUES ({', '.join(f':{name}' for name in _MEMBERS)})"  # noqa: S608  # names of ours only
_UPDATE: Final = f"UPDATE users SET {', '.join(f'{name} = :{name}' for name in _MEMBERS)} WHERE id = :id"  # noqa: S608  # names of ours only
_SEEN: Final = "UPDATE users SET last_seen_at = :time WHERE id = :id AND (last_seen_at IS NULL OR last_seen_at < :time)"
_REVOKE: Final = """
    INSERT INTO revoked (kind, issuer, key, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (kind, issuer, key) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)
"""

_ROLES: Final = [role.value for role in Role if role.includes(ADMINISTRATOR)]
_ADMINISTRATORS: Final = f"""
    SELECT count(*) FROM users
    WHERE role IN ({", ".join("?" * len(_ROLES))}) AND NOT locked AND deleted_at IS NULL AND name <> ?
"""  # noqa: S608  # question marks only

_TAKEN: Final = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}


class SqliteAccounts:
    """Fulfils `Accounts`. The database stays the caller's, who closes it after the last call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, user_id: str) -> Account | None:
        return await self._find("id = ?", user_id)

    async def by_name(self, name: str) -> Account | None:
        return await self._find("name = ?", canonical_name(name))

    async def by_subject(self, issuer: str, subject: str) -> Account | None:
        return await self._find("issuer = ? AND subject = ?", issuer, subject)

    async def all(self) -> list[Account]:
        rows = await self._database.read(lambda connection: connection.execute(f"{_SELECT} ORDER BY name").fetchall())
        return [_to_account(row) for row in rows]

    async def add(self, account: Account) -> None:
        await self._database.write(lambda connection: _store(connection, _INSERT, account))

    async def replace(self, account: Account) -> None:
        await self._database.write(lambda connection: _store(connection, _UPDATE, account))

    async def administer(
        self, actor_id: str, name: str, decide: Decide, row: AuditRow
    ) -> tuple[Account | None, Account | None]:
        name = canonical_name(name)
        known_name = name if _is_text(name) else ""  # which nobody has

        def change(connection: sqlite3.Connection) -> tuple[Account | None, Account | None]:
            actor, target = _read(connection, "id = ?", actor_id), _read(connection, "name = ?", known_name)
            (administrators,) = connection.execute(_ADMINISTRATORS, (*_ROLES, known_name)).fetchone()
            after = decide(Scene(actor, target, administrators))
            if after is not None:
                _store(connection, _INSERT if target is None else _UPDATE, after)
            append_rows(connection, [row])
            return target, target if after is None else after

        return await self._database.write(change)

    async def seen(self, times: dict[str, float]) -> None:
        rows = [{"id": user_id, "time": time} for user_id, time in times.items()]
        await self._database.write(lambda connection: connection.executemany(_SEEN, rows))

    async def revoke(self, token: RevokedToken) -> None:
        row = (token.kind, token.issuer, token.key, token.expires_at)
        await self._database.write(lambda connection: connection.execute(_REVOKE, row))

    async def revoked(self, now: float) -> list[RevokedToken]:
        def prune_and_read(connection: sqlite3.Connection) -> list[RevokedToken]:
            connection.execute("DELETE FROM revoked WHERE expires_at <= ?", (now,))
            rows = connection.execute("SELECT kind, issuer, key, expires_at FROM revoked")
            return [RevokedToken(*row) for row in rows]

        return await self._database.write(prune_and_read)

    async def _find(self, condition: str, *values: str) -> Account | None:
        """The one account for which a condition of ours holds."""
        if not all(map(_is_text, values)):
            return None
        return await self._database.read(lambda connection: _read(connection, condition, *values))


def _is_text(value: str) -> bool:
    """False: it holds a lone surrogate, which a stranger can send in JSON; nothing stored does."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(connection: sqlite3.Connection, condition: str, *values: str) -> Account | None:
    row = connection.execute(f"{_SELECT} WHERE {condition}", values).fetchone()
    return None if row is None else _to_account(row)


def _store(connection: sqlite3.Connection, sql: str, account: Account) -> None:
    """Write one account. Raises: Refused(ALREADY_EXISTS), Refused(NOT_FOUND): no row was touched."""
    values = {name: getattr(account, name) for name in _MEMBERS} | {"role": account.role.value}
    try:
        touched = connection.execute(sql, values).rowcount
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in _TAKEN:
            raise
        what = "issuer and subject" if "users.subject" in str(error) else "name"
        raise Refused(ErrorCode.ALREADY_EXISTS, f"Another user has this {what}.") from error
    if not touched:
        raise Refused(ErrorCode.NOT_FOUND)


def _to_account(row: tuple[Any, ...]) -> Account:
    members = dict(zip(_MEMBERS, row, strict=True))
    return Account(**(members | {"role": Role(members["role"]), "locked": bool(members["locked"])}))
