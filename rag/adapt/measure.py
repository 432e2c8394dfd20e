"""What an adapter is worth on questions that it has not seen, in four numbers, beside the quotes alone.

Short-answer F1 is SQuAD's (Rajpurkar et al., 2016): words shared between what was written and an accepted
answer, the best of several, after case, punctuation and articles are taken away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag import metrics
from rag.evalset import Question
from rag.evidence import select
from rag.index import Index
from rag.metrics import Passage
from rag.pointer import MOST
from rag.pointing import Pointing, point
from rag.types import ClaimState, Evidence, Progress

Ask = Callable[[str, Sequence[Evidence]], Pointing]
"""Question and evidence -> what an adapted model makes of them."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_WORDS = re.compile(r"[^\W_]+")
_PASSAGES = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A question with the sentences that a user would be shown. `score` is the sufficiency, 0..1."""

    question: Question
    evidence: tuple[Evidence, ...]
    score: float
    sufficient: bool

    @property
    def right(self) -> frozenset[int]:
        """Numbers of the sentences that are evidence."""
        return frozenset(e.number for e in self.evidence if is_evidence(e, self.question))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model made of one question; None where no sentence was shown."""

    shown: Shown
    pointing: Pointing | None

    @property
    def words(self) -> str:
        return self.pointing.written if self.pointing else ""

    @property
    def supported(self) -> bool:
        claim = self.pointing.claim if self.pointing else None
        return claim is not None and claim.state is ClaimState.SUPPORTED


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over `answerable` and `absent` questions (0..1). `right_source`: the sentence pointed at is
    evidence; `first_quote`: the first one shown is; `exact`: nothing but an accepted answer; `supported`: of
    what was written, the share whose words stand in their sentence. A false refusal counts as no answer."""

    answerable: int
    absent: int
    f1: float
    exact: float
    right_source: float
    refused: float
    false_refusals: float
    supported: float
    first_quote: float
    quote_f1: float


@contextmanager
def asking(base: Path, adapter: Path | None, *, cache_dir: Path, threads: int = 0) -> Iterator[Ask]:
    """llama.cpp over the base with an adapter, None for the plain model, as something that can be asked."""
    from rag.llama import LlamaCpp

    name = "measured" if adapter is not None else ""
    files = {name: adapter} if adapter is not None else {}
    model = LlamaCpp(base, cache_dir=cache_dir, threads=threads, adapters=files)
    try:
        yield lambda question, evidence: point(model, question, evidence, adapter=name)
    finally:
        model.close()


def shown_of(index: Index, question: Question) -> Shown:
    """What a search brings, as `rag.answer` would show it."""
    found = select(question.question, index.search(question.question, _PASSAGES), index, limit=MOST)
    return Shown(question, found.evidence, found.score, found.sufficient)


def is_evidence(evidence: Evidence, question: Question) -> bool:
    passage = Passage(evidence.document.path, evidence.text, evidence.page, evidence.page)
    return any(metrics.is_hit(passage, e) for e in question.evidence)


def reply(shown: Shown, ask: Ask) -> Reply:
    """One question asked."""
    return Reply(shown, ask(shown.question.question, shown.evidence) if shown.evidence else None)


def replies(
    shown: Sequence[Shown], ask: Ask, progress: Callable[[Progress], None] | None = None
) -> tuple[Reply, ...]:
    """Every question asked, in order."""
    found = []
    for done, one in enumerate(shown, 1):
        found.append(reply(one, ask))
        if progress is not None:
            progress(Progress("measuring", done, len(shown), current=one.question.question))
    return tuple(found)


def quality(found: Sequence[Reply], *, refuse_at: float | None = None) -> Quality:
    """The numbers of some replies. `refuse_at`: refused where "none" has at least this probability; None:
    where it is likelier than every sentence."""
    answerable = [r for r in found if r.shown.question.answerable]
    absent = [r for r in found if not r.shown.question.answerable]
    scored = [r for r in answerable if r.shown.question.answers]

    def score(by: Callable[[str, Sequence[str]], float]) -> float:
        return _mean(
            [0.0 if refused(r, refuse_at) else by(r.words, r.shown.question.answers) for r in scored]
        )

    return Quality(
        answerable=len(answerable),
        absent=len(absent),
        f1=score(f1),
        exact=score(exact),
        right_source=_mean([float(not refused(r, refuse_at) and _is_right(r)) for r in answerable]),
        refused=_mean([float(refused(r, refuse_at)) for r in absent]),
        false_refusals=_mean([float(refused(r, refuse_at)) for r in answerable]),
        supported=_mean([float(r.supported) for r in answerable if r.words]),
        first_quote=_mean([float(1 in r.shown.right) for r in answerable]),
        quote_f1=_mean([f1(_first(r), r.shown.question.answers) for r in scored]),
    )


def refused(reply: Reply, at: float | None) -> bool:
    """Whether a reply is a refusal: no sentence shown, or "none" as likely as `at` (None: likelier than every
    sentence)."""
    said = reply.pointing
    if said is None:
        return True
    return said.absent >= ((1.0 - said.absent) * max(said.shares) if at is None else at)


def _is_right(reply: Reply) -> bool:
    return reply.pointing is not None and reply.pointing.number in reply.shown.right


def _first(reply: Reply) -> str:
    return reply.shown.evidence[0].text if reply.shown.evidence else ""


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _plain(text: str) -> list[str]:
    return _WORDS.findall(_ARTICLES.sub(" ", text.lower()))


def f1(said: str, accepted: Sequence[str]) -> float:
    """Word F1 with the accepted answer that fits best, 0..1."""
    return max((_f1(_plain(said), _plain(one)) for one in accepted), default=0.0)


def _f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    shared = sum((Counter(said) & Counter(wanted)).values())
    if not shared:
        return float(not said and not wanted)
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def exact(said: str, accepted: Sequence[str]) -> float:
    """1 where nothing but an accepted answer was said, else 0."""
    return float(any(_plain(said) == _plain(one) for one in accepted if _plain(one)))
