"""Policies: who sees, adds, changes and removes which rows of a chat, asked as PostgreSQL's roles ada, bob and carol.

A policy's subquery sees the whole of its tables here, as its author does. In PostgreSQL it sees what the user may see,
so there it reads views of the owner's: `{members}` is a view for PostgreSQL and the table for us.
"""

from collections.abc import Mapping
from typing import Final

from support.sql_subjects.subject import Case, Schema, Subject, Table, statements

__all__ = ["ROW_SECURITY"]

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "me": ("current_user::text", "CURRENT_USER()"),
    "user": ("chatters", "user"),
    "service": ("services", "service"),
    "rooms": ("all_rooms", "rooms"),
    "members": ("all_members", "members"),
    "messages": ("all_messages", "messages"),
}
_TABLES: Final = (
    Table(
        "rooms",
        "id INT PRIMARY KEY, name TEXT, owner TEXT, is_open BOOLEAN",
        ("(1, 'hall', 'ada', true)", "(2, 'den', 'bob', false)", "(3, 'vault', 'carol', false)"),
    ),
    Table(
        "members",
        "room INT, name TEXT, rank INT, PRIMARY KEY (room, name)",
        ("(1, 'ada', 2)", "(1, 'bob', 1)", "(1, 'carol', 1)", "(2, 'bob', 2)", "(2, 'ada', 0)", "(3, 'carol', 2)"),
    ),
    Table(
        "messages",
        "id INT PRIMARY KEY, room INT, author TEXT, body TEXT, secret BOOLEAN",
        (
            "(1, 1, 'ada', 'hi all', false)",
            "(2, 1, 'bob', 'hello', false)",
            "(3, 2, 'bob', 'den talk', true)",
            "(4, 2, 'ada', 'yes', false)",
            "(5, 3, 'carol', 'mine', true)",
            "(6, 1, 'carol', 'psst', true)",
        ),
    ),
)
_SECURED: Final = "ALTER TABLE messages ENABLE ROW LEVEL SECURITY"
_IS_MEMBER: Final = "EXISTS (SELECT 1 FROM {members} m WHERE m.room = messages.room AND m.name = {me})"
_OPEN_TABLES: Final = (
    "ALTER TABLE rooms ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE members ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY all_see ON rooms FOR SELECT USING (true)",
    "CREATE POLICY all_see ON members FOR SELECT USING (true)",
)


def _subject(name: str, policies: tuple[str, ...], **by_user: str) -> Subject:
    """A subject of these policies; the statements of each user."""
    schema = Schema(name, _TABLES, (*_OPEN_TABLES, *policies), _WORDS, kinds=("SHARED",), has_policies=True)
    cases: list[Case] = [case for user, text in by_user.items() for case in statements(text, user=user)]
    return Subject(f"policies_{name}", schema, tuple(cases))


_NONE: Final = _subject(
    "none",
    (_SECURED,),
    ada="""
SELECT * FROM messages
SELECT count(*) FROM messages
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false)
INSERT INTO messages SELECT * FROM messages
UPDATE messages SET body = 'x'
UPDATE messages SET body = 'x' RETURNING *
DELETE FROM messages
DELETE FROM messages WHERE id = 1 RETURNING *
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT DO NOTHING
SELECT r.id, count(m.id) FROM rooms r LEFT JOIN messages m ON m.room = r.id GROUP BY r.id ORDER BY r.id
SELECT name FROM rooms WHERE id IN (SELECT room FROM messages)
INSERT INTO rooms VALUES (9, 'mine', 'ada', true)
UPDATE rooms SET name = 'x'
DELETE FROM rooms RETURNING *
""",
)
_RESTRICTIVE_ONLY: Final = _subject(
    "restrictive_only",
    (_SECURED, "CREATE POLICY nothing ON messages AS RESTRICTIVE FOR ALL USING (true) WITH CHECK (true)"),
    ada="""
SELECT * FROM messages
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false)
UPDATE messages SET body = 'x' RETURNING id
DELETE FROM messages RETURNING id
""",
)
_OWN: Final = _subject(
    "own",
    (_SECURED, "CREATE POLICY own ON messages USING (author = {me})"),
    ada="""
SELECT id FROM messages ORDER BY id
SELECT count(*) FROM messages
SELECT id FROM messages WHERE author = 'bob'
SELECT id, (SELECT count(*) FROM messages m WHERE m.id <> messages.id) FROM messages ORDER BY id
SELECT a.id, b.id FROM messages a FULL JOIN messages b ON a.id = b.id + 1 ORDER BY 1, 2
SELECT 100 / (id - 3) FROM messages ORDER BY id
SELECT id FROM messages WHERE 100 / (id - 3) < 0 ORDER BY id
SELECT id FROM messages WHERE body::int = 1
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false)
INSERT INTO messages VALUES (9, 1, NULL, 'x', false)
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false), (10, 1, 'bob', 'x', false)
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false)
INSERT INTO messages VALUES (2, 1, 'bob', 'x', false)
INSERT INTO messages SELECT id + 10, room, author, body, secret FROM messages RETURNING id
UPDATE messages SET body = 'x' RETURNING id
UPDATE messages SET body = 'x' WHERE id = 2 RETURNING id
UPDATE messages SET author = 'bob' WHERE id = 1
UPDATE messages SET author = 'bob' WHERE id = 2
UPDATE messages SET author = author RETURNING id
UPDATE messages SET id = 2 WHERE id = 1
UPDATE messages SET body = 100 / (id - 3) RETURNING body
DELETE FROM messages RETURNING id
DELETE FROM messages WHERE id = 2
DELETE FROM messages WHERE 100 / (id - 3) < 0 RETURNING id
DELETE FROM messages USING members m WHERE m.room = messages.room AND m.rank = 2 RETURNING id, m.name
UPDATE messages SET body = m.name FROM members m WHERE m.room = messages.room AND m.rank = 2 RETURNING id, body
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT (id) DO NOTHING RETURNING id
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT (id) DO NOTHING RETURNING id
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (2, 1, 'bob', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = excluded.body RETURNING *
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = excluded.body
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET author = 'bob'
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x' WHERE messages.room = 2
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'y' RETURNING body
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'y'
WITH t AS (SELECT * FROM messages) SELECT id FROM t ORDER BY id
SELECT id FROM messages UNION SELECT room FROM messages ORDER BY 1
SELECT id, row_number() OVER (ORDER BY id), count(*) OVER () FROM messages ORDER BY id
""",
    carol="""
SELECT id, author FROM messages ORDER BY id
DELETE FROM messages WHERE room = 3 RETURNING body
""",
)
_BY_COMMAND: Final = _subject(
    "by_command",
    (
        _SECURED,
        "CREATE POLICY sees ON messages FOR SELECT USING (true)",
        "CREATE POLICY adds ON messages FOR INSERT WITH CHECK (author = {me})",
        "CREATE POLICY changes ON messages FOR UPDATE USING (author = {me})",
        "CREATE POLICY removes ON messages FOR DELETE USING (author = {me} AND NOT secret)",
    ),
    ada="""
SELECT id FROM messages ORDER BY id
INSERT INTO messages VALUES (9, 3, 'ada', 'x', true) RETURNING id
INSERT INTO messages VALUES (9, 3, 'bob', 'x', true)
UPDATE messages SET body = 'x' RETURNING id
UPDATE messages SET author = 'carol' WHERE id = 1
DELETE FROM messages RETURNING id
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT (id) DO NOTHING RETURNING id
INSERT INTO messages VALUES (2, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x'
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x' RETURNING body
INSERT INTO messages VALUES (1, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x'
""",
    bob="""
DELETE FROM messages RETURNING id
DELETE FROM messages WHERE id = 3
UPDATE messages SET secret = true WHERE id IN (1, 2) RETURNING id
""",
)
_MEMBERS: Final = _subject(
    "members",
    (
        _SECURED,
        f"CREATE POLICY sees ON messages FOR SELECT TO {{user}} USING ({_IS_MEMBER})",
        f"CREATE POLICY adds ON messages FOR INSERT TO {{user}} WITH CHECK (author = {{me}} AND {_IS_MEMBER})",
        "CREATE POLICY changes ON messages FOR UPDATE TO {user} USING (author = {me}) WITH CHECK (true)",
        "CREATE POLICY removes ON messages FOR DELETE TO {user} USING (author = {me} OR EXISTS"
        " (SELECT 1 FROM {rooms} r WHERE r.id = messages.room AND r.owner = {me}))",
    ),
    ada="""
SELECT id FROM messages ORDER BY id
SELECT room, count(*) FROM messages GROUP BY room ORDER BY room
INSERT INTO messages VALUES (9, 2, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 3, 'ada', 'x', false)
INSERT INTO messages VALUES (9, 9, 'ada', 'x', false)
INSERT INTO messages VALUES (9, NULL, 'ada', 'x', false)
UPDATE messages SET body = 'x' RETURNING id
UPDATE messages SET room = 3 WHERE id = 1
UPDATE messages SET room = 3 WHERE id = 1 RETURNING id
UPDATE messages SET room = 2 WHERE id = 1 RETURNING id, room
UPDATE messages SET author = 'bob' WHERE id = 1 RETURNING author
DELETE FROM messages RETURNING id
DELETE FROM messages WHERE room = 3
""",
    bob="""
SELECT id FROM messages ORDER BY id DESC
DELETE FROM messages RETURNING id
INSERT INTO messages VALUES (5, 1, 'bob', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (5, 1, 'bob', 'x', false) ON CONFLICT (id) DO NOTHING
UPDATE messages SET secret = NOT secret WHERE room = 2 RETURNING id, secret
""",
    carol="""
SELECT id FROM messages ORDER BY id
SELECT m.id, n.name FROM messages m JOIN members n ON n.room = m.room AND n.rank = 2 ORDER BY m.id
""",
)
_RESTRICTED: Final = _subject(
    "restricted",
    (
        _SECURED,
        f"CREATE POLICY sees ON messages AS PERMISSIVE USING ({_IS_MEMBER})",
        "CREATE POLICY secrets ON messages AS RESTRICTIVE FOR SELECT USING (NOT secret OR author = {me})",
        "CREATE POLICY authors ON messages AS RESTRICTIVE FOR INSERT WITH CHECK (author = {me})",
        "CREATE POLICY hall ON messages AS RESTRICTIVE FOR UPDATE USING (room = 1) WITH CHECK (body <> '')",
        "CREATE POLICY keeps ON messages AS RESTRICTIVE FOR DELETE USING (id > 1)",
    ),
    ada="""
SELECT id FROM messages ORDER BY id
INSERT INTO messages VALUES (9, 2, 'ada', 'x', true) RETURNING id
INSERT INTO messages VALUES (9, 2, 'bob', 'x', false)
INSERT INTO messages VALUES (9, 3, 'ada', 'x', false)
UPDATE messages SET body = 'x' RETURNING id
UPDATE messages SET body = 'x'
UPDATE messages SET body = '' WHERE id = 1
UPDATE messages SET body = NULL WHERE id = 1
UPDATE messages SET secret = true WHERE id = 1 RETURNING id
UPDATE messages SET secret = true WHERE id = 2
UPDATE messages SET secret = true
UPDATE messages SET room = 2 WHERE id = 1 RETURNING room
DELETE FROM messages RETURNING id
DELETE FROM messages
""",
    bob="""
SELECT id FROM messages ORDER BY id
DELETE FROM messages WHERE body LIKE '%' RETURNING id
""",
)
_SEVERAL: Final = _subject(
    "several",
    (
        _SECURED,
        "CREATE POLICY mine ON messages FOR SELECT USING (author = {me})",
        "CREATE POLICY hall ON messages FOR SELECT USING (room = 1 AND NOT secret)",
        "CREATE POLICY unknown ON messages FOR SELECT USING (NULL)",
        "CREATE POLICY add_hall ON messages FOR INSERT WITH CHECK (room = 1)",
        "CREATE POLICY add_own ON messages FOR INSERT WITH CHECK (author = {me})",
        "CREATE POLICY change_own ON messages FOR UPDATE USING (author = {me}) WITH CHECK (author = {me})",
        "CREATE POLICY give ON messages FOR UPDATE USING (false) WITH CHECK (author = 'carol')",
    ),
    ada="""
SELECT id FROM messages ORDER BY id
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 3, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 3, 'bob', 'x', false)
INSERT INTO messages VALUES (9, 1, 'bob', 'x', true)
INSERT INTO messages VALUES (9, 1, 'bob', 'x', true) RETURNING id
UPDATE messages SET author = 'carol' WHERE id = 1 RETURNING id
UPDATE messages SET author = 'carol', secret = true WHERE id = 1
UPDATE messages SET author = 'bob' WHERE id = 1
UPDATE messages SET body = 'x' WHERE id = 2
DELETE FROM messages
""",
    bob="""
SELECT id FROM messages ORDER BY id
UPDATE messages SET body = id RETURNING id, body
""",
)
_WRITES_ONLY: Final = _subject(
    "writes_only",
    (
        _SECURED,
        "CREATE POLICY adds ON messages FOR INSERT WITH CHECK (true)",
        "CREATE POLICY changes ON messages FOR UPDATE USING (true)",
        "CREATE POLICY removes ON messages FOR DELETE USING (true)",
    ),
    ada="""
SELECT id FROM messages
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false)
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) RETURNING 1
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false)
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) ON CONFLICT (id) DO NOTHING
INSERT INTO messages VALUES (1, 1, 'ada', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x'
UPDATE messages SET body = 'x'
UPDATE messages SET body = 'x' WHERE true
UPDATE messages SET body = 'x' WHERE id = 1
UPDATE messages SET body = body || 'x'
UPDATE messages SET body = 'x' RETURNING 1
DELETE FROM messages
DELETE FROM messages WHERE id = 1
DELETE FROM messages RETURNING 1
""",
)
_OUT_OF_SIGHT: Final = _subject(
    "out_of_sight",
    (
        _SECURED,
        "CREATE POLICY sees ON messages FOR SELECT USING (room = 1)",
        "CREATE POLICY adds ON messages FOR INSERT WITH CHECK (true)",
        "CREATE POLICY changes ON messages FOR UPDATE USING (true) WITH CHECK (true)",
        "CREATE POLICY removes ON messages FOR DELETE USING (true)",
    ),
    bob="""
SELECT id FROM messages ORDER BY id
INSERT INTO messages VALUES (9, 2, 'bob', 'x', false)
INSERT INTO messages VALUES (9, 2, 'bob', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 2, 'bob', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (9, 2, 'bob', 'x', false) ON CONFLICT (id) DO NOTHING
INSERT INTO messages VALUES (3, 1, 'bob', 'x', false) ON CONFLICT (id) DO NOTHING RETURNING id
INSERT INTO messages VALUES (3, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET room = 1
INSERT INTO messages VALUES (1, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET room = 2
INSERT INTO messages VALUES (1, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'x' RETURNING id, body
UPDATE messages SET body = 'x' WHERE id = 1 RETURNING id
UPDATE messages SET body = 'x' WHERE id = 3 RETURNING id
UPDATE messages SET body = 'x' RETURNING id
UPDATE messages SET body = 'x'
UPDATE messages SET room = 2
UPDATE messages SET room = 2 WHERE id = 1
UPDATE messages SET room = 2 WHERE id = 1 RETURNING id
UPDATE messages SET room = room + 1
UPDATE messages SET room = 1
UPDATE messages SET room = 1 WHERE room = 2
DELETE FROM messages
DELETE FROM messages WHERE room = 2
DELETE FROM messages WHERE id > 0 RETURNING id
""",
)
_ROLES: Final = _subject(
    "roles",
    (
        _SECURED,
        "CREATE POLICY services_see ON messages FOR SELECT TO {service} USING (true)",
        "CREATE POLICY users_see ON messages FOR SELECT TO {user} USING (author = {me})",
        "CREATE POLICY all_add ON messages FOR INSERT WITH CHECK (room = 1)",
        "CREATE POLICY services_remove ON messages FOR DELETE TO {service} USING (true)",
        "CREATE POLICY not_services ON messages AS RESTRICTIVE TO {service} USING (false)",
    ),
    ada="""
SELECT id FROM messages ORDER BY id
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false)
INSERT INTO messages VALUES (9, 2, 'ada', 'x', false)
DELETE FROM messages
UPDATE messages SET body = 'x'
""",
)
_FELLOWS: Final = _subject(
    "fellows",
    (
        _SECURED,
        "CREATE POLICY all_see ON messages FOR SELECT USING (true)",
        "DROP POLICY all_see ON members",
        "CREATE POLICY fellows ON members FOR SELECT USING"
        " (room IN (SELECT m.room FROM {members} m WHERE m.name = {me}))",
        "CREATE POLICY invites ON members FOR INSERT WITH CHECK"
        " (EXISTS (SELECT 1 FROM {members} m WHERE m.room = members.room AND m.name = {me} AND m.rank > members.rank))",
        "CREATE POLICY leaves ON members FOR DELETE USING (name = {me})",
        "CREATE POLICY promotes ON members FOR UPDATE USING"
        " ((SELECT max(m.rank) FROM {members} m WHERE m.room = members.room AND m.name = {me}) > rank)",
    ),
    ada="""
SELECT room, name FROM members ORDER BY room, name
INSERT INTO members VALUES (1, 'dave', 1) RETURNING room, name
INSERT INTO members VALUES (1, 'dave', 2)
INSERT INTO members VALUES (2, 'dave', 0)
INSERT INTO members VALUES (3, 'ada', 0)
INSERT INTO members VALUES (4, 'ada', 5)
INSERT INTO members VALUES (1, 'dave', 1), (1, 'erin', 0) RETURNING name
INSERT INTO members VALUES (4, 'ada', 5), (4, 'dave', 4)
UPDATE members SET rank = 0 WHERE name <> 'ada' RETURNING name
UPDATE members SET rank = 2 WHERE room = 1 AND name = 'bob'
UPDATE members SET rank = rank + 1
DELETE FROM members RETURNING room
DELETE FROM members WHERE room = 1 AND name = 'ada' RETURNING name
SELECT m.id, f.name FROM messages m JOIN members f ON f.room = m.room WHERE m.id > 3 ORDER BY 1, 2
""",
    carol="""
SELECT room, count(*) FROM members GROUP BY room ORDER BY room
UPDATE members SET rank = 1 WHERE room = 3
DELETE FROM members WHERE name = 'ada'
""",
)
# Each reads the table that is written, as it was before the statement.
_QUOTA: Final = _subject(
    "quota",
    (
        _SECURED,
        "CREATE POLICY sees ON messages FOR SELECT USING (true)",
        "CREATE POLICY adds ON messages FOR INSERT WITH CHECK"
        " (author = {me} AND (SELECT count(*) FROM {messages} m WHERE m.author = {me}) < 3)",
        "CREATE POLICY moves ON messages FOR UPDATE USING (author = {me}) WITH CHECK (NOT EXISTS"
        " (SELECT 1 FROM {messages} m WHERE m.room = messages.room AND m.author = {me} AND m.id <> messages.id))",
        "CREATE POLICY not_the_last ON messages FOR DELETE USING"
        " ((SELECT count(*) FROM {messages} m WHERE m.room = messages.room) > 1)",
    ),
    ada="""
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false) RETURNING id
INSERT INTO messages VALUES (9, 1, 'ada', 'x', false), (10, 1, 'ada', 'y', false), (11, 1, 'ada', 'z', false)
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false)
INSERT INTO messages SELECT id + 10, room, 'ada', body, secret FROM messages
UPDATE messages SET room = 3 WHERE id = 1 RETURNING id
UPDATE messages SET room = 2 WHERE id = 1
UPDATE messages SET room = 3
UPDATE messages SET room = 3 - room
UPDATE messages SET body = 'x' RETURNING id
DELETE FROM messages RETURNING id
DELETE FROM messages WHERE room = 2 RETURNING id
DELETE FROM messages WHERE room = 3
""",
    bob="""
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) ON CONFLICT DO NOTHING
INSERT INTO messages VALUES (9, 1, 'bob', 'x', false) ON CONFLICT (id) DO UPDATE SET body = 'y'
UPDATE messages SET id = id + 100 WHERE author = 'bob' RETURNING id
""",
)

ROW_SECURITY: Final = (
    _NONE,
    _RESTRICTIVE_ONLY,
    _OWN,
    _BY_COMMAND,
    _MEMBERS,
    _RESTRICTED,
    _SEVERAL,
    _WRITES_ONLY,
    _OUT_OF_SIGHT,
    _ROLES,
    _FELLOWS,
    _QUOTA,
)
