"""The financial statements of a document as lines, kept.

Only tables that stand in a primary statement are read (`Chunk.role`); a report has some forty such passages.
What a document says never changes under its id, so its ledger is kept as long as its store is open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary

from rag.domains.finance.sections import PRIMARY, SCHEDULE
from rag.figures.lines import Line, table_lines
from rag.store import Store

_KEPT = 64


class _Ledgers:
    """The ledgers of open stores, the last used ones of each."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Store, OrderedDict[int, tuple[Line, ...]]] = WeakKeyDictionary()
        self._guard = threading.Lock()

    def get(self, store: Store, document_id: int) -> tuple[Line, ...]:
        with self._guard:
            kept = self._kept.setdefault(store, OrderedDict())
            if document_id in kept:
                kept.move_to_end(document_id)
                return kept[document_id]
        lines = _read(store, document_id)
        with self._guard:
            kept[document_id] = lines
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        return lines


_ledgers = _Ledgers()


def ledger(store: Store, document_id: int) -> tuple[Line, ...]:
    """The lines with figures of the document's primary statements, in order; () for one without."""
    return _ledgers.get(store, document_id)


def _read(store: Store, document_id: int) -> tuple[Line, ...]:
    roles = store.roles([document_id])
    wanted = [i for i, role in sorted(roles.items()) if not set(PRIMARY).isdisjoint(role.split("|"))]
    found = [(i, chunk) for i, _, chunk in store.chunks(wanted) if chunk.kind == "table"]
    # Columns of a statement of equity are its parts, not periods.
    found = [(i, chunk) for i, chunk in found if not {SCHEDULE, "equity"} & set(chunk.role.split("|"))]
    return table_lines(store, store.document(document_id), found)
