"""Many users at once: evidence for each, nobody's answer for another, places told, a stop heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.config import default_cache_dir
from rag.index import Index, open_index
from rag.models.llm import load_llm
from rag.types import Answer, EvidenceFound, Finished, Queued, StageStarted
from tests.fakes import FakeLLM
from tests.indexing import waits_until
from ui.handlers import Handlers
from ui.page import ASKED_AT_ONCE, WAITING_AT_MOST
from ui.workspace import Workspace

USERS = 16
NAMES = (
    "Alder Birch Cedar Dogwood Elm Fir Gorse Hazel Ivy Juniper Kapok Larch Maple Nutmeg Olive Pine"
).split()


def rent(number: int) -> str:
    return f"EUR {1_000 + 137 * number:,}"


def question(number: int) -> str:
    return f"What is the monthly rent of {NAMES[number]} House?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of sixteen leases that differ in name and rent."""
    home = tmp_path_factory.mktemp("users")
    (home / "leases").mkdir()
    for number, name in enumerate(NAMES):
        (home / "leases" / f"{name.lower()}.md").write_text(
            f"# Lease of {name} House\n\n"
            f"The monthly rent of {name} House is {rent(number)}, payable in advance.\n\n"
            f"The tenant of {name} House keeps the garden in good order.\n"
        )
    with open_index(home / "index", create=True) as index:
        index.ingest(home / "leases")
    return home / "index"


@pytest.fixture
def index(folder: Path) -> Iterator[Index]:
    with open_index(folder) as opened:
        yield opened


def at_once(work: Callable[[int], Any], users: int = USERS) -> dict[int, Any]:
    """What each user's work gave; all begin at the same moment."""
    gate = threading.Barrier(users)
    found: dict[int, Any] = {}

    def user(number: int) -> None:
        gate.wait(30)
        found[number] = work(number)

    threads = [threading.Thread(target=user, args=(n,), daemon=True) for n in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == users, "some users never got an answer"
    return found


def is_own(answer: Answer, number: int) -> bool:
    """Whether an answer says this user's rent and rests on this user's lease, and on no other rent."""
    own = f"{NAMES[number].lower()}.md"
    others = [rent(n) for n in range(USERS) if n != number]
    said = answer.text + answer.draft
    return (
        answer.question == question(number)
        and rent(number) in answer.text
        and not any(other in said for other in others)
        and answer.quotes[0].document.endswith(own)
    )


@pytest.mark.models
def test_each_of_sixteen_users_gets_the_answer_of_its_own_document(index: Index) -> None:
    assistant = Assistant(index, FakeLLM(delay=0.002), max_evidence=1)
    answers = at_once(lambda n: assistant.ask(question(n)))
    assert [n for n, answer in answers.items() if not is_own(answer, n)] == []


@pytest.mark.models
def test_evidence_does_not_wait_for_another_users_answer(index: Index) -> None:
    """The model is busy with a long answer; the evidence of all others comes meanwhile."""
    writing, go_on = threading.Event(), threading.Event()

    def script(prompt: Any) -> str:
        if NAMES[0] in prompt.user:
            writing.set()
            go_on.wait(60)
        return "The rent is due."

    assistant = Assistant(index, FakeLLM(script))
    first = threading.Thread(target=assistant.ask, args=(question(0),), daemon=True)
    first.start()
    assert writing.wait(30)

    def evidence(number: int) -> str:
        for event in assistant.stream(question(number + 1)):
            if isinstance(event, EvidenceFound):
                return event.evidence[0].text
        raise AssertionError("no evidence")

    shown = at_once(evidence, USERS - 1)
    assert first.is_alive(), "the answer ended too early to prove anything"
    assert all(rent(n + 1) in text for n, text in shown.items())
    go_on.set()
    first.join(30)


@pytest.mark.models
def test_sixteen_pages_see_their_own_answers_and_no_others(index: Index, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, lambda folder: assistant, lambda folder: None)
    workspace.names = lambda: ["leases"]  # type: ignore[method-assign]
    assistant = Assistant(index, FakeLLM(delay=0.002), max_evidence=1)
    handlers = Handlers(workspace, default_index="leases")

    def page(number: int) -> str:
        views = list(handlers.ask(f"session-{number}", question(number), "leases"))
        return str(views[-1].transcript)

    for number, html in at_once(page).items():
        assert rent(number) in html
        assert not [n for n in range(USERS) if n != number and rent(n) in html]
    for number in range(USERS):
        exchanges = handlers.conversations.get(f"session-{number}").exchanges
        assert [e.question for e in exchanges] == [question(number)]


def test_the_page_lets_sixteen_users_search_at_once() -> None:
    assert ASKED_AT_ONCE >= USERS
    assert WAITING_AT_MOST >= USERS


# ------------------------------------------------------------------ with the embedded model


@pytest.fixture
def real(index: Index) -> Iterator[Assistant]:
    llm = load_llm("embedded", cache_dir=default_cache_dir(), parallel=2)
    assert llm is not None
    yield Assistant(index, llm, max_evidence=1, max_tokens=24, threshold=0.0)
    llm.close()


@pytest.mark.models
def test_together_the_real_model_writes_what_it_writes_alone_and_says_who_is_before(real: Assistant) -> None:
    users = 5
    alone = {n: real.ask(question(n)) for n in range(users)}
    places: dict[int, list[int]] = {n: [] for n in range(users)}

    def follow(number: int) -> Answer:
        answer: Answer | None = None
        for event in real.stream(question(number)):
            if isinstance(event, Queued):
                places[number].append(event.ahead)
            elif isinstance(event, Finished):
                answer = event.answer
        assert answer is not None
        return answer

    answers = at_once(follow, users)
    assert {n: a.text for n, a in answers.items()} == {n: a.text for n, a in alone.items()}
    assert all(is_own(a, n) for n, a in answers.items())
    told = [ahead for ahead in places.values() if ahead]
    assert told, "two at a time and five users, but nobody was told to wait"
    assert all(ahead == sorted(ahead, reverse=True) and min(ahead) >= 1 for ahead in told)


@pytest.mark.models
def test_a_stop_frees_the_place_for_the_next(real: Assistant) -> None:
    """Both places are taken by answers that are stopped; the next user is served long before their end."""
    talkative = Assistant(real.index, real.llm, max_tokens=1_000)
    stop = threading.Event()
    written = [0, 0]

    def endless(number: int) -> None:
        prompt_like = f"{question(number)} Tell everything about the garden."
        for event in talkative.stream(prompt_like, stop=stop):
            written[number] += event == StageStarted("reading")

    threads = [threading.Thread(target=endless, args=(n,), daemon=True) for n in (0, 1)]
    for thread in threads:
        thread.start()
    assert waits_until(lambda: all(written) or not any(t.is_alive() for t in threads))
    begun = time.monotonic()
    stop.set()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    answer = Assistant(real.index, real.llm, max_tokens=4).ask(question(2))
    assert answer.quotes[0].document.endswith("cedar.md")
    assert time.monotonic() - begun < 20
