"""What a table is known by."""

from typing import NewType

__all__ = ["TableId"]

TableId = NewType("TableId", int)
"""Survives a rename, and is never used again."""
