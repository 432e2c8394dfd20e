"""Evidence first, also among many: whose answer waits until nobody searches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from rag.answers.writing import Crowd

from rag.types import Event, EvidenceFound, Finished, StageStarted
from tests.fakes import fake_answer

EVENTS: list[Event] = [
    StageStarted("searching"),
    EvidenceFound((), ()),
    StageStarted("reading"),
    Finished(fake_answer("q")),
]


def waited(crowd: Crowd, stop: threading.Event | None = None) -> float:
    begun = time.monotonic()
    crowd.give_way(stop, longest=0.3)
    return time.monotonic() - begun


def test_events_pass_unchanged() -> None:
    assert list(Crowd().evidence_first(iter(EVENTS))) == EVENTS
    assert list(Crowd().evidence_first(iter(EVENTS[:1]))) == EVENTS[:1]
    assert list(Crowd().evidence_first(iter([EVENTS[-1]]))) == [EVENTS[-1]]


def test_an_answer_waits_while_another_question_has_no_evidence_and_not_after() -> None:
    crowd = Crowd()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    assert waited(crowd) >= 0.3
    assert isinstance(next(other), EvidenceFound)
    assert waited(crowd) < 0.2


def test_the_wait_ends_at_the_moment_that_the_last_evidence_is_there() -> None:
    crowd = Crowd()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    ended: list[float] = []
    waiting = threading.Thread(target=lambda: (crowd.give_way(longest=30), ended.append(time.monotonic())))
    waiting.start()
    time.sleep(0.1)
    assert not ended
    done = time.monotonic()
    next(other)
    waiting.join(10)
    assert ended[0] - done < 1.0


def test_a_stop_ends_the_wait() -> None:
    crowd, stop = Crowd(), threading.Event()
    stop.set()
    other = crowd.evidence_first(iter(EVENTS))
    next(other)
    assert waited(crowd, stop) < 0.2


@pytest.mark.parametrize("end", ["fails", "abandoned", "empty"])
def test_a_search_that_ends_otherwise_holds_up_nobody(end: str) -> None:
    crowd = Crowd()

    def events() -> Iterator[Event]:
        yield StageStarted("searching")
        if end == "fails":
            raise ValueError("no such thing")

    stream = crowd.evidence_first(events())
    next(stream)
    if end == "fails":
        with pytest.raises(ValueError, match="no such thing"):
            list(stream)
    elif end == "abandoned":
        stream.close()  # type: ignore[attr-defined]
    else:
        list(stream)
    assert waited(crowd) < 0.2
