"""Evidence first, also among many: while somebody's evidence is being looked for, nobody's answer begins to
be written.

A search takes a tenth of a second of processor time, an answer seconds, on the same cores. When many ask at
the same moment, the first to have evidence would otherwise take the cores from the searches of all others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rag.types import Event, EvidenceFound, Finished

_LONGEST_SECONDS = 0.6
"""An answer waits no longer, however many go on asking."""


class Crowd:
    """The searches under way, by all assistants that share it."""

    def __init__(self) -> None:
        self._searching = 0
        self._quiet = threading.Condition()

    @contextmanager
    def searching(self) -> Iterator[None]:
        with self._quiet:
            self._searching += 1
        try:
            yield
        finally:
            with self._quiet:
                self._searching -= 1
                if not self._searching:
                    self._quiet.notify_all()

    def evidence_first(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; until the evidence is there, this question counts as being searched."""
        events = iter(events)
        with self.searching():
            for event in events:
                if isinstance(event, EvidenceFound | Finished):
                    break
                yield event
            else:
                return
        yield event
        yield from events

    def give_way(self, stop: threading.Event | None = None, longest: float = _LONGEST_SECONDS) -> None:
        """Returns when nobody searches, when `stop` is set, or after `longest` seconds."""
        end = time.monotonic() + longest
        with self._quiet:
            while self._searching and (left := end - time.monotonic()) > 0 and not (stop and stop.is_set()):
                self._quiet.wait(min(left, 0.05))


CROWD = Crowd()
"""The processor is one for the whole process, and so is the crowd."""
