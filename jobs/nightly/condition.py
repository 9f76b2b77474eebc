"""A condition in SQL on the columns of a catalogue, as the job file or the command line gives it."""

from __future__ import annotations

import duckdb

from jobs.nightly.columns import SCHEMA

_TYPES = {"string": "varchar", "int32": "integer", "int64": "bigint", "bool": "boolean", "double": "double"}
CANDIDATE = (
    ", ".join(f'"{field.name}" {_TYPES[str(field.type)]}' for field in SCHEMA) + ", cause varchar, model varchar"
)
"""The columns that a condition may name: those of the catalogue, why a record is due, and the model that made what
stands."""


def problem_of(where: str) -> str:
    """Why a condition cannot be used, or an empty string.

    Args:
        where: an SQL expression, without `where`.
    """
    connection = duckdb.connect()
    try:
        connection.execute("set enable_external_access = false")
        connection.execute(f"create table catalogue ({CANDIDATE})")
        # In brackets and on a line of its own: a comment or a semicolon must not reach the rest of the query.
        connection.execute(f"select count(*) from catalogue where (\n{where}\n)")  # noqa: S608
    except duckdb.Error as error:
        return (
            "expected a condition in SQL on columns of the catalogue, such as \"width > 2000 and key like 'box7/%'\" "
            f"({said(error)})"
        )
    finally:
        connection.close()
    return ""


def said(error: duckdb.Error) -> str:
    """What DuckDB has to say, in one line."""
    first = str(error).split("\n", 1)[0].removesuffix(".")
    return f"DuckDB says: {first}"
