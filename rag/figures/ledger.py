"""The financial statements of a document as lines, kept.

Only tables that stand in a primary statement are read (`Chunk.role`); a report has some forty such passages.
What a document says never changes under its id, so its ledger is kept as long as its store is open."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from weakref import WeakKeyDictionary, proxy

from rag.domains.finance.sections import PRIMARY, SCHEDULE
from rag.figures.lines import TableLine, table_lines
from rag.store import Store

_MOST_KEPT = 64


_ledgers: WeakKeyDictionary[Store, Callable[[int], tuple[TableLine, ...]]] = WeakKeyDictionary()


def ledger(store: Store, document_id: int) -> tuple[TableLine, ...]:
    """The lines with figures of the document's primary statements, in order; () for one without."""
    if store not in _ledgers:
        _ledgers[store] = lru_cache(maxsize=_MOST_KEPT)(partial(_read, proxy(store)))
    return _ledgers[store](document_id)


def _read(store: Store, document_id: int) -> tuple[TableLine, ...]:
    roles = store.roles([document_id])
    wanted = [i for i, role in sorted(roles.items()) if not set(PRIMARY).isdisjoint(role.split("|"))]
    found = [(i, chunk) for i, _, chunk in store.chunks(wanted) if chunk.kind == "table"]
    # Columns of a statement of equity are its parts, not periods.
    found = [(i, chunk) for i, chunk in found if not {SCHEDULE, "equity"} & set(chunk.role.split("|"))]
    return table_lines(store, store.document(document_id), found)
