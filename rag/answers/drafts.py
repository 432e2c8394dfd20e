"""Which of several drafts of an answer is kept: by code, the one that says most of what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.types import Claim, ClaimState, Evidence
from rag.verify.claims import verify
from rag.verify.content import assertions_of

_FIRST = 1


def choose(
    drafts: Sequence[str], evidence: Sequence[Evidence], *, question: str = ""
) -> tuple[int, tuple[Claim, ...]]:
    """The place of the best draft, and its sentences with their states. Drafts of which something would be
    shown come first, then the larger mean of two shares: of its words that would be shown, and of the
    question's content (stems, pairs of Han characters, figures) that these words and the headings over their
    quotes take up, since a true sentence about something else is no answer. Of equals the earlier one."""
    claims = [verify(draft, evidence, question=question) if draft.strip() else () for draft in drafts]
    asked = assertions_of(question).items
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
