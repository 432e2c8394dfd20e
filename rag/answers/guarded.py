"""One SELECT over one table, in memory, whoever wrote it: nothing is changed, no other table and no file is
read, no function runs but those listed, and it ends after a number of steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import count

FUNCTIONS = frozenset(
    {"count", "sum", "avg", "min", "max", "abs", "round", "lower", "upper", "coalesce", "like"}
)
TABLE = "t"
_STEPS = 1000  # of the virtual machine, between two looks at how many there were
_LOOKS = 20_000
_LONGEST = 1_000_000  # bytes of a statement or of a value
_MOST_ROWS = 1000
_ACTIONS = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)
Cellular = str | int | float | None


class GuardedQueryError(Exception):
    """A statement that is no permitted SELECT, or that does not end."""


def run_select(
    statement: str,
    rows: Sequence[Sequence[Cellular]],
    parameters: Sequence[Cellular] = (),
    *,
    most: int = _MOST_ROWS,
) -> list[tuple[Cellular, ...]]:
    """The first `most` rows of the result of a SELECT over the table `t`, whose columns are `id`, counted
    from 0, and `c0`, `c1`, ... Raises GuardedQueryError."""
    width = max((len(row) for row in rows), default=0)
    names = ["id INTEGER PRIMARY KEY", *(f"c{n}" for n in range(width))]
    places = ", ".join("?" * (width + 1))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(f"CREATE TABLE {TABLE} ({', '.join(names)})")
        db.executemany(
            f"INSERT INTO {TABLE} VALUES ({places})",
            ((n, *row, *[None] * (width - len(row))) for n, row in enumerate(rows)),
        )
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        db.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST)
        db.execute("PRAGMA query_only = ON")
        looks = count()
        db.set_progress_handler(lambda: next(looks) > _LOOKS, _STEPS)
        db.set_authorizer(_permits)
        try:
            return db.execute(statement, tuple(parameters)).fetchmany(most)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
            raise GuardedQueryError(f"The query over rows was not run: {error}.") from error


def _permits(action: int, first: str | None, second: str | None, database: str | None, _: str | None) -> int:
    permitted = action in _ACTIONS
    if action == sqlite3.SQLITE_READ:
        permitted = first == TABLE and database in ("main", None)
    if action == sqlite3.SQLITE_FUNCTION:
        permitted = (second or "").lower() in FUNCTIONS
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY
