"""Statements by subject, on several tables: what PostgreSQL and we are asked alike."""

from typing import Final

from support.sql_subjects.ctes import CTES
from support.sql_subjects.grouping import GROUPING
from support.sql_subjects.joins import JOINS
from support.sql_subjects.keys import CONSTRAINTS, SET_NULL, UPSERT, UPSERT_UNIQUE
from support.sql_subjects.row_security import ROW_SECURITY
from support.sql_subjects.set_operations import SET_OPERATIONS
from support.sql_subjects.subqueries import SUBQUERIES
from support.sql_subjects.values import VALUES
from support.sql_subjects.windows import WINDOWS
from support.sql_subjects.writes import DELETE_USING, INSERT_SELECT, UPDATE_FROM

__all__ = ["SUBJECTS"]

SUBJECTS: Final = (
    JOINS,
    SUBQUERIES,
    SET_OPERATIONS,
    CTES,
    GROUPING,
    WINDOWS,
    VALUES,
    INSERT_SELECT,
    UPDATE_FROM,
    DELETE_USING,
    CONSTRAINTS,
    SET_NULL,
    UPSERT,
    UPSERT_UNIQUE,
    *ROW_SECURITY,
)
