"""Names and texts as they stand in a statement: in quotes, with each quote in them written twice.

Source: PostgreSQL, 4.1 "Lexical Structure"; SQLite reads both alike.
"""

__all__ = ["quoted_name", "quoted_text"]


def quoted_name(name: str) -> str:
    """In double quotes."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """In single quotes."""
    return "'" + text.replace("'", "''") + "'"
