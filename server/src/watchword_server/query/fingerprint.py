"""What makes two requests the same one, in a few bytes."""

import hashlib

import msgspec

from watchword_protocol.messages import Query, Statement

__all__ = ["fingerprint"]


def fingerprint(query: Query) -> bytes:
    """SHA-256 of the statements with their parameters, and of whose rows they mean; 32 bytes.

    In JSON, so that no two of them have the same text. Parameters count as they are written: 1 and 1.0 are two.
    """
    statements = query.statements or [Statement(query.sql or "", query.params)]
    parts = [(each.sql, each.params or ()) for each in statements]
    return hashlib.sha256(msgspec.json.encode((query.as_user, parts))).digest()
