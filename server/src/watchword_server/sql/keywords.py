"""PostgreSQL's words with a meaning of their own, and where they may still be names.

Source: PostgreSQL, appendix C and `pg_get_keywords()`. Words that are in none of these sets are names everywhere.
"""

from typing import Final

__all__ = ["COLUMN_WORDS", "FUNCTION_WORDS", "NEEDS_AS", "NOT_A_FUNCTION", "NOT_A_NAME", "RESERVED", "words"]


def words(text: str) -> frozenset[str]:
    """A set of words, from a text with spaces between them."""
    return frozenset(text.split())


RESERVED: Final = words(
    """all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
    current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
    leading limit localtime localtimestamp not null offset on only or order placing primary references returning select
    session_user some symmetric system_user table then to trailing true union unique user using variadic when where
    window with"""
)
"""Names only after a dot and after AS."""

FUNCTION_WORDS: Final = words(
    """authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
    natural notnull outer overlaps right similar tablesample verbose"""
)
"""Names of functions and types, but not of tables and columns."""

COLUMN_WORDS: Final = words(
    """between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int
    integer interval least national nchar none normalize nullif numeric out overlay position precision real row setof
    smallint substring time timestamp treat trim values varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable"""
)
"""Names of tables and columns, but not of functions and types: in those places they have a grammar of their own."""

NOT_A_NAME: Final = RESERVED | FUNCTION_WORDS
NOT_A_FUNCTION: Final = RESERVED | COLUMN_WORDS

NEEDS_AS: Final = words(
    """array as char character create day except fetch filter for from grant group having hour intersect into isnull
    limit minute month notnull offset on order over overlaps precision returning second to union varying where window
    with within without year"""
)
"""Not the alias of an output without AS before it; every other word is, reserved or not."""
