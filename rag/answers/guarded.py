"""One table in memory for SELECTs, whoever wrote them: nothing is changed, no other table and no file is
read, no function runs but those listed, and each ends after a number of steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import count
from threading import Lock

FUNCTIONS = frozenset(
    {"count", "sum", "avg", "min", "max", "abs", "round", "lower", "upper", "coalesce", "like", "instr"}
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


class GuardedTable:
    """The table `t` of these rows, whose columns are `id`, counted from 0, and `c0`, `c1`, ... Its rows are
    of one width. Safe to read from several threads."""

    def __init__(self, rows: Iterable[Sequence[Cellular]], width: int) -> None:
        self._lock = Lock()
        self._db = db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        columns = ["id INTEGER PRIMARY KEY", *(f"c{n}" for n in range(width))]
        db.execute(f"CREATE TABLE {TABLE} ({', '.join(columns)})")
        db.execute("BEGIN")
        places = ", ".join("?" * (width + 1))
        db.executemany(f"INSERT INTO {TABLE} VALUES ({places})", ((n, *row) for n, row in enumerate(rows)))
        db.execute("COMMIT")
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        db.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST)
        db.execute("PRAGMA query_only = ON")
        db.set_authorizer(_permits)

    def select(
        self, statement: str, parameters: Sequence[Cellular] = (), *, most: int = _MOST_ROWS
    ) -> list[tuple[Cellular, ...]]:
        """The first `most` rows of the result of a SELECT. Raises GuardedQueryError."""
        with self._lock:
            looks = count()
            self._db.set_progress_handler(lambda: next(looks) > _LOOKS, _STEPS)
            try:
                return self._db.execute(statement, tuple(parameters)).fetchmany(most)
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
                raise GuardedQueryError(f"The query over rows was not run: {error}.") from error


def _permits(action: int, first: str | None, second: str | None, database: str | None, _: str | None) -> int:
    permitted = action in _ACTIONS
    if action == sqlite3.SQLITE_READ:
        permitted = first == TABLE and database in ("main", None)
    if action == sqlite3.SQLITE_FUNCTION:
        permitted = (second or "").lower() in FUNCTIONS
    return sqlite3.SQLITE_OK if permitted else sqlite3.SQLITE_DENY
