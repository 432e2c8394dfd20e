"""An adapted model points at the sentence that answers, and copies the answer; code checks both.

The model's probabilities of the sentence numbers are weighed with those of the ranker, so that it is followed
where it is sure. The number is a hint: the sentence cited is the likeliest of those in which its words stand,
for a small model often knows the answer better than its place. Its words are shown only where verification
finds them supported by that sentence: never more than a few words in front of their quote."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol, runtime_checkable

from rag.domains import load_domains
from rag.generation import LLM, Prompt
from rag.lexicon import load
from rag.pointer import MAX_ANSWER_TOKENS, MOST, NONE, pointer_prompt, source_of, stands_in
from rag.text import has_han, search_tokens
from rag.types import Claim, ClaimState, Evidence
from rag.verify import strip_markers, verify_sentence

DOMAINS = {"legal": "law", "medical": "medicine", "finance": "finance"}
"""Names of domains, and of the lexicons that tell them."""
# So many different professional words, and so many more than any other domain's, make a domain.
_LEAST = 2
DEFAULT = "default"
"""The adapter that is used where no other fits."""
_FOLLOWED = 1.0
"""How much the model's log probabilities count against the ranker's: alike. Not fitted."""
_NOT_THERE = "its words do not stand in [{n}] one after the other"


@runtime_checkable
class WeighingLLM(LLM, Protocol):
    """A model that says how likely its answer begins with each of several words, with adapters by name."""

    @property
    def adapters(self) -> tuple[str, ...]: ...

    def weigh(self, prompt: Prompt, options: Sequence[str], *, adapter: str = "") -> tuple[float, ...]: ...


@dataclass(frozen=True, slots=True)
class Pointing:
    """`number` is the evidence that answers, by code; `absent` the model's probability, 0..1, that none does;
    `shares` are the probabilities of the sentences in their order; `written` its own words, `claim` what
    verification makes of them, None where it wrote none."""

    number: int
    absent: float
    shares: tuple[float, ...]
    written: str
    claim: Claim | None


def adapter_for(llm: LLM | None, evidence: Sequence[Evidence], language: str) -> str:
    """The adapter to answer with: that of the evidence's domain where one is loaded, else the default one; ""
    for none, and where the model has no adapters or there is nothing to point at."""
    if not isinstance(llm, WeighingLLM) or not evidence or not llm.info.writes(language):
        return ""
    names = llm.adapters
    if any(name in DOMAINS for name in names):
        texts = [evidence[0].document.title, *evidence[0].heading_path, *(e.text for e in evidence)]
        if (domain := domain_of(texts)) in names:
            return domain
    return DEFAULT if DEFAULT in names else ""


def point(
    llm: LLM,
    question: str,
    evidence: Sequence[Evidence],
    *,
    adapter: str,
    stop: threading.Event | None = None,
) -> Pointing:
    """One prompt read, a few words written. `adapter` is what `adapter_for` gave for that model. Raises
    GenerationError."""
    assert isinstance(llm, WeighingLLM), "only such models have adapters"
    shown = evidence[:MOST]
    prompt = pointer_prompt(question, [source_of(e) for e in shown])
    weights = llm.weigh(prompt, [NONE, *(str(n) for n in range(1, len(shown) + 1))], adapter=adapter)
    shares = tuple(w / max(1e-9, 1.0 - weights[0]) for w in weights[1:])
    order = followed(shares, [e.score for e in shown])
    opened = replace(prompt, opening=str(order[0]))
    pieces = llm.generate(opened, max_tokens=MAX_ANSWER_TOKENS, stop=stop, adapter=adapter)
    written = strip_markers(" ".join("".join(pieces).split())).strip()
    number = next((n for n in order if stands_in(written, source_of(shown[n - 1])[1])), order[0])
    claim = checked(written, shown[number - 1], question) if written else None
    return Pointing(number, weights[0], shares, written, claim)


def followed(
    shares: Sequence[float], scores: Sequence[float], *, weight: float = _FOLLOWED
) -> tuple[int, ...]:
    """1-based numbers of the sentences, likeliest first by model and ranker together: the odds of the
    ranker's probabilities times the model's to the power of `weight`, a product of experts (Hinton, 2002)."""
    both = [
        weight * math.log(max(share, 1e-6)) + math.log(max(score, 1e-6)) - math.log(max(1.0 - score, 1e-6))
        for share, score in zip(shares, scores, strict=True)
    ]
    return tuple(n + 1 for n in sorted(range(len(both)), key=lambda i: (-both[i], i)))


def checked(written: str, evidence: Evidence, question: str) -> Claim:
    """The model's words as a claim about that sentence: supported only where they stand in it, one after the
    other, and verification has nothing against them."""
    claim = verify_sentence(written, [evidence], question=question)
    claim = replace(claim, text=written, citations=(evidence.number,), quoted=False)
    if claim.state is ClaimState.SUPPORTED and not stands_in(written, source_of(evidence)[1]):
        why = _NOT_THERE.format(n=evidence.number)
        return replace(claim, state=ClaimState.PARTIAL, reasons=(why,))
    return claim


def domain_of(texts: Sequence[str]) -> str:
    """ "legal", "medical" or "finance"; "" where the texts hold too few professional words, or as many of two
    fields."""
    stems = f" {' '.join(t for text in texts for t in search_tokens(text))} "
    plain = "".join(texts)
    counts = {
        name: sum((term in plain) if has_han(term) else (f" {term} " in stems) for term in terms)
        for name, terms in _terms().items()
    }
    best, second = sorted(counts, key=lambda name: -counts[name])[:2]
    return best if counts[best] >= _LEAST and counts[best] > counts[second] else ""


@lru_cache(maxsize=1)
def _terms() -> dict[str, frozenset[str]]:
    """The words of each domain that are no other's: Chinese ones as they stand, English ones as stems."""
    by_name = {path.parent.name: path for path in load_domains().lexicons}
    found = {
        name: {_form(term) for entry in load(by_name[lexicon]) for term in entry.terms}
        for name, lexicon in DOMAINS.items()
    }
    return {
        name: frozenset(t for t in terms if t and not any(t in found[o] for o in found if o != name))
        for name, terms in found.items()
    }


def _form(term: str) -> str:
    return term if has_han(term) else " ".join(search_tokens(term))
