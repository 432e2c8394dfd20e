"""Several drafts of one answer, and the one of them that is kept: test-time compute, judged by code.

Every draft is verified (`rag.verify`), and only what would be shown of it is scored: sentences that are
supported and rest on the first piece of evidence. The score, 0 to 1, is a weighted mean of

- `supported`: the share of the draft's words that stand in sentences which would be shown; - `coverage`: the
share of the question's content (stems, pairs of Han characters, figures) that these sentences
  and the headings of the evidence they cite take up: a true sentence about something else is no answer;
- `agreement`: how much of what they add to the question the other drafts say as well (self-consistency, Wang
et
  al. 2022, arXiv:2203.11171, over facts instead of final answers);
- `brevity`: 1 up to 30 words, falling to 0 at 120.

Drafts of which nothing would be shown score 0. The quotes themselves are a candidate, too: they are kept
where no draft reaches `LEAST`. Of equal scores the earlier draft is kept, so that the likeliest one wins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.compose import whole_sentences
from rag.facts import facts_of
from rag.generation import Piece
from rag.types import Claim, ClaimState, Evidence
from rag.verify import verify

WEIGHTS = {"supported": 0.35, "coverage": 0.25, "agreement": 0.3, "brevity": 0.1}
# Below this the quotes alone are the better answer.
LEAST = 0.35
_FIRST = 1
_BRIEF, _LONG = 30, 120


def seed_of(question: str) -> int:
    """What further drafts are drawn by: the same question gets the same drafts."""
    return int.from_bytes(hashlib.sha256(question.encode("utf-8", "replace")).digest()[:4], "big")


@dataclass
class Sheets:
    """Drafts as they are written, piece by piece."""

    texts: dict[int, str] = field(default_factory=dict)
    pieces: dict[int, int] = field(default_factory=dict)

    def add(self, piece: Piece) -> None:
        self.texts[piece.draft] = self.texts.get(piece.draft, "") + piece.text
        self.pieces[piece.draft] = self.pieces.get(piece.draft, 0) + 1

    def said(self, max_tokens: int, *, interrupted: bool) -> dict[int, str]:
        """Each draft without a last sentence that was cut off."""
        cut = {n for n, count in self.pieces.items() if interrupted or count >= max_tokens}
        texts = {n: whole_sentences(text) if n in cut else text for n, text in sorted(self.texts.items())}
        return {n: text for n, text in texts.items() if text.strip()}


@dataclass(frozen=True, slots=True)
class Judged:
    """A draft, its sentences with their states, and what they scored by name; `score` is their mean. `draft`
    is -1 where the quotes alone are kept."""

    draft: int
    claims: tuple[Claim, ...]
    score: float
    marks: Mapping[str, float] = field(default_factory=dict)


def judge(drafts: Mapping[int, str], evidence: Sequence[Evidence], *, question: str = "") -> list[Judged]:
    """Each draft verified and scored, in their order."""
    # The same words need no second reading, and sampled drafts often end up the same.
    claims = {text: verify(text, evidence, question=question) for text in dict.fromkeys(drafts.values())}
    shown = {n: _shown(claims[text]) for n, text in drafts.items()}
    asked = facts_of(question).items
    added = {n: _items(sentences) - asked for n, sentences in shown.items()}
    judged = []
    for n, text in drafts.items():
        if not shown[n]:
            judged.append(Judged(n, claims[text], 0.0))
            continue
        marks = {
            "supported": _size(shown[n]) / max(1, _size(claims[text])),
            "coverage": _share(asked, _items(shown[n]) | _headings(shown[n], evidence)),
            "agreement": _agreement(added[n], [added[m] for m in drafts if m != n and shown[m]], len(drafts)),
            "brevity": max(0.0, min(1.0, (_LONG - _size(shown[n])) / (_LONG - _BRIEF))),
        }
        score = sum(weight * marks[name] for name, weight in WEIGHTS.items())
        judged.append(Judged(n, claims[text], score, marks))
    return judged


def best(judged: Sequence[Judged]) -> Judged:
    """The draft to keep; the quotes alone (draft -1) where none is good enough, with what was found of the
    best one as sentences that did not pass."""
    if not judged:
        return Judged(-1, (), 0.0)
    top = max(judged, key=lambda j: (j.score, -j.draft))
    if top.score >= LEAST:
        return top
    aside = "the quotes say more of what was asked"
    claims = tuple(
        replace(c, state=ClaimState.PARTIAL, reasons=(aside,)) if c.state is ClaimState.SUPPORTED else c
        for c in top.claims
    )
    return Judged(-1, claims, top.score, top.marks)


def _shown(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    return tuple(c for c in claims if c.state is ClaimState.SUPPORTED and _FIRST in c.citations)


def _items(claims: Sequence[Claim]) -> frozenset[str]:
    return frozenset().union(*(facts_of(c.text).items for c in claims))


def _headings(claims: Sequence[Claim], evidence: Sequence[Evidence]) -> frozenset[str]:
    """What the titles and headings over the cited evidence say: sentences need not repeat it."""
    cited = {n for c in claims for n in c.citations}
    texts = [" \n".join((e.document.title, *e.heading_path, e.header)) for e in evidence if e.number in cited]
    return frozenset().union(*(facts_of(text).items for text in texts))


def _size(claims: Sequence[Claim]) -> int:
    return sum(facts_of(c.text).size for c in claims)


def _share(wanted: frozenset[str], found: frozenset[str]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0


def _agreement(own: frozenset[str], others: Sequence[frozenset[str]], drafts: int) -> float:
    """Mean overlap with the other drafts (Dice); one that says nothing agrees with nothing. Alone: 1."""
    if drafts < 2:
        return 1.0
    overlaps = [2 * len(own & o) / (len(own) + len(o)) if own or o else 1.0 for o in others]
    return sum(overlaps) / (drafts - 1)


def settle(
    drafts: Mapping[int, str], evidence: Sequence[Evidence], *, question: str = "", asked: int = 1
) -> Judged:
    """What becomes of the drafts that were written where `asked` were asked for: one is verified and kept as
    it is, of several the best."""
    if asked > 1:
        return best(judge(drafts, evidence, question=question))
    text = drafts.get(0, "")
    return Judged(0, verify(text, evidence, question=question) if text else (), 0.0)
