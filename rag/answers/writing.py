"""The stages of writing and verifying: drafts from the evidence, of which the one is kept that says most of
what was asked; what does not pass verification is not shown as said.

Evidence first, also among many: while somebody's evidence is being looked for, nobody's answer begins to be
written. A search takes a tenth of a second of processor time, an answer seconds, on the same cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence

from rag.answers.compose import Written, whole_sentences
from rag.answers.prompt import build_prompt
from rag.answers.request import AnswerRequest, Setup
from rag.errors import GenerationError
from rag.models.llm import LLM
from rag.questions.query import Query
from rag.search.evidence import Selection
from rag.types import Claim, ClaimState, Event, Evidence, EvidenceFound, Finished, Queued, StageStarted
from rag.verify.claims import verify
from rag.verify.content import assertions_of

_FIRST = 1
_LONGEST_SECONDS = 0.6


def choose(
    drafts: Sequence[str], evidence: Sequence[Evidence], query: Query
) -> tuple[int, tuple[Claim, ...]]:
    """The place of the best draft, and its sentences with their states. Drafts of which something would be
    shown come first, then the larger mean of two shares: of its words that would be shown, and of the
    question's content (stems, pairs of Han characters, figures) that these words and the headings over their
    quotes take up, since a true sentence about something else is no answer. Of equals the earlier one."""
    claims = [verify(draft, evidence, query) if draft.strip() else () for draft in drafts]
    asked = assertions_of(query.text).items
    scores = [_score(found, evidence, asked) if len(drafts) > 1 else 0.0 for found in claims]
    best = max(range(len(drafts)), key=lambda n: (scores[n], -n))
    return best, claims[best]


def _score(claims: Sequence[Claim], evidence: Sequence[Evidence], asked: frozenset[str]) -> float:
    shown = [c for c in claims if c.state is ClaimState.SUPPORTED and _FIRST in c.citations]
    if not shown:
        return 0.0
    cited = {n for c in shown for n in c.citations}
    heads = [(e.document.title, *e.heading_path, e.header) for e in evidence if e.number in cited]
    said = _items(c.text for c in shown) | _items(" \n".join(lines) for lines in heads)
    share = sum(assertions_of(c.text).size for c in shown) / max(
        1, sum(assertions_of(c.text).size for c in claims)
    )
    return (share + (len(asked & said) / len(asked) if asked else 1.0)) / 2


def _items(texts: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(assertions_of(text).items for text in texts))


"""An answer waits no longer, however many go on asking."""


class Crowd:
    """The searches under way, by all assistants that share it."""

    def __init__(self) -> None:
        self._searching = 0
        self._quiet = threading.Condition()

    def evidence_first(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same events; until the evidence is there, this question counts as being searched."""
        with self._quiet:
            self._searching += 1
        searching = True
        try:
            for event in events:
                if searching and isinstance(event, EvidenceFound | Finished):
                    searching = False
                    self._found()
                yield event
        finally:
            if searching:
                self._found()

    def give_way(self, stop: threading.Event | None = None, longest: float = _LONGEST_SECONDS) -> None:
        """Returns when nobody searches, when `stop` is set, or after `longest` seconds."""
        end = time.monotonic() + longest
        with self._quiet:
            while self._searching and (left := end - time.monotonic()) > 0 and not (stop and stop.is_set()):
                self._quiet.wait(min(left, 0.05))

    def _found(self) -> None:
        with self._quiet:
            self._searching -= 1
            self._quiet.notify_all()


CROWD = Crowd()
"""The processor is one for the whole process, and so is the crowd."""


def written(
    setup: Setup, request: AnswerRequest, found: Selection, part: Query | None = None
) -> Generator[Event, None, Written]:
    """Writes, verifies, and returns what is kept. `part` is what is answered, by default the whole question.
    No model, or one that does not write the language, writes nothing: the quotes stand."""
    query = part or request.query
    llm = setup.llm
    if llm is None or not llm.info.writes(request.language) or request.stopped:
        yield StageStarted("verifying")
        return Written(model=llm.info.name if llm else "")
    yield StageStarted("reading")
    CROWD.give_way(request.stop)
    drafts, trouble = yield from _drafted(llm, setup, request, found, query)
    request.clock.lap("reading")
    yield StageStarted("verifying")
    whole = [whole_sentences(text) if cut else text for text, cut in drafts]
    best, claims = choose(whole or [""], found.evidence, query)
    request.clock.lap("verifying")
    return Written(claims, drafts[best][0] if drafts else "", llm.info.name, trouble)


def _drafted(
    llm: LLM, setup: Setup, request: AnswerRequest, found: Selection, query: Query
) -> Generator[Event, None, tuple[list[tuple[str, bool]], str]]:
    """Drafts one after the other, each with whether it was cut short, and why nothing was written, if so. One
    after the first that fails is only missing."""
    drafts: list[tuple[str, bool]] = []
    text, pieces, trouble, waited = "", 0, "", False
    try:
        prompt = build_prompt(
            query,
            found.evidence[: found.core],
            llm=llm,
            max_tokens=setup.max_tokens,
            language=request.language,
        )
        for draft in range(setup.drafts):
            text, pieces = "", 0
            for piece in llm.generate(prompt, max_tokens=setup.max_tokens, stop=request.stop, draft=draft):
                if isinstance(piece, Queued):
                    if not draft:
                        waited = True
                        yield piece
                    continue
                if waited:
                    waited = False
                    yield StageStarted("reading")
                if not (draft or pieces):
                    request.clock.lap("first_token")
                text, pieces = text + piece, pieces + 1
            drafts.append((text, pieces >= setup.max_tokens or request.stopped))
            if request.stopped:
                break
    except GenerationError as error:  # the quoted answer always exists
        if not drafts:
            drafts, trouble = [(text, True)], str(error)
    return drafts, trouble
