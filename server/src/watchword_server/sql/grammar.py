"""The rules that stand above each other, put together: queries in expressions, expressions in queries."""

from typing import Final

from watchword_server.sql.cursor import Grammar
from watchword_server.sql.expressions import expression, order_keys
from watchword_server.sql.queries import rows

__all__ = ["GRAMMAR"]

GRAMMAR: Final = Grammar(expression, order_keys, rows)
"""For every cursor."""
