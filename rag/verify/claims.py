"""Holds each sentence of a draft against the evidence it rests on, by code alone.

A sentence is SUPPORTED where one sentence (or table row) of the evidence has all its words, figures and
names, in an order that keeps who does what to whom, with the same negation, modality and direction; or
where it is the evidence verbatim. It is PARTIAL where all hard facts are found and something softer is not:
new words, a rounded figure, a condition left out. It is UNSUPPORTED where a
hard fact is missing, the sentence is turned round, or too little of it stands in any evidence. Every state
carries its reasons; citations are attached here, whatever the model typed.

Verification compares words, it does not understand them: SUPPORTED means "says what the source says, in its
words", not "true"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.languages import Patterns
from rag.languages.text import detect_language, sentences
from rag.questions.expects import Wording
from rag.types import Claim, ClaimState, Evidence, Span
from rag.verify.align import Alignment, Finding, Source, VerificationReason, align, reason
from rag.verify.checks import check
from rag.verify.content import Assertions, assertions_of

# Share of a sentence's content that must stand in its source: below the first it is unsupported; a sentence
# with a figure or name found needs less, for its few facts say more. Set on the hand-written paraphrases
# and corruptions in tests/data.
MIN_COVERAGE = 0.34
MIN_COVERAGE_WITH_FACTS = 0.25
# Longer sentences are not prose; they are judged as verbatim or not at all.
MAX_SENTENCE = 2_000
MAX_SOURCE_SENTENCE = 6_000
MAX_UNITS = 600
_CANDIDATES = 4

_RE = Patterns(__file__)


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: ClaimState
    reasons: tuple[VerificationReason, ...]
    numbers: tuple[int, ...]
    coverage: float
    reversed: bool = False
    source: Source | None = None

    @property
    def rank(self) -> tuple[int, float, int]:
        order = (ClaimState.UNSUPPORTED, ClaimState.PARTIAL, ClaimState.SUPPORTED)
        return order.index(self.state), round(self.coverage, 3), -len(self.reasons)


def strip_markers(draft: str) -> str:
    """The draft without citation marks that a model typed: [1], [1, 2], 【3】, (Source 2). They are never
    trusted."""
    return _RE["marker"].sub("", draft)


def verify_sentence(sentence: str, sources: Sequence[Evidence], query: Wording | None = None) -> Claim:
    """The Claim of one sentence, taken as a whole, without markers that were typed.

    `query` gives context: its words may be echoed, its numbers and names are no evidence. Reasons are in its
    language, without one in that of the sentence. Never raises on any text; time grows linearly with the
    number of evidence sentences."""
    return _Judge(sources, query, query.language if query else detect_language(sentence)).claim(
        strip_markers(sentence).strip()
    )


def _cells(evidence: Evidence, part: Span) -> tuple[str, ...]:
    """The words of the cells of a row that stand in a part of it."""
    at = evidence.start
    spans = ((c.start - at, c.end - at) for c in evidence.cells)
    return tuple(evidence.text[a:b] for a, b in spans if part.start <= a and b <= part.end)


class _Judge:
    """The evidence, taken apart."""

    def __init__(self, evidence: Sequence[Evidence], query: Wording | None, language: str) -> None:
        self.language = language
        self.question = Assertions(query.text[:MAX_SENTENCE] if query else "")
        self.units: list[Source] = []
        self.verbatim: dict[str, int] = {}
        for item in evidence:
            text = strip_markers(item.words)
            self._remember(item.text, item.number)
            self._remember(text, item.number)
            above = "\n".join(filter(None, (item.document.title, *item.heading_path, *item.heads)))
            context = assertions_of(above[:MAX_SOURCE_SENTENCE])
            for span in sentences(text):
                part = text[span.start : span.end]
                self._remember(part, item.number)
                if len(self.units) < MAX_UNITS and len(part) <= MAX_SOURCE_SENTENCE:
                    cells = _cells(item, span) if text == item.text else ()
                    facts = assertions_of(part)
                    self.units.append(Source(item.number, facts, context, item.heads, cells))
        self.wholes = sorted(
            ((key, n) for key, n in self.verbatim.items() if len(key) >= 8), key=lambda p: -len(p[0])
        )[:MAX_UNITS]

    def _remember(self, text: str, number: int) -> None:
        key = assertions_of(text).squeezed
        if key:
            self.verbatim.setdefault(key, number)

    def claim(self, sentence: str) -> Claim:
        numbers = self._quoted(sentence)
        if numbers:
            marks = " + ".join(f"[{n}]" for n in numbers)
            why = reason("verbatim", label=marks).words(self.language)
            return Claim(sentence, ClaimState.SUPPORTED, numbers, (why,), quoted=True)
        verdict = self._judge(sentence)
        reasons = tuple(why.words(self.language) for why in verdict.reasons)
        return Claim(sentence, verdict.state, verdict.numbers, reasons)

    def _quoted(self, sentence: str) -> tuple[int, ...]:
        """Citation numbers where the sentence is evidence, or whole evidence sentences one after the
        other."""
        rest = Assertions(sentence).squeezed
        numbers: list[int] = []
        for _ in range(8):
            number = self.verbatim.get(rest)
            if number is not None:
                return tuple(dict.fromkeys([*numbers, number]))
            start = next(((key, n) for key, n in self.wholes if rest.startswith(key)), None)
            if start is None:
                break
            rest = rest[len(start[0]) :]
            numbers.append(start[1])
        return ()

    def _judge(self, sentence: str) -> _Verdict:
        if len(sentence) > MAX_SENTENCE:
            why = reason("too long", most=str(MAX_SENTENCE))
            return _Verdict(ClaimState.UNSUPPORTED, (why,), (), 0.0)
        claim = Assertions(_RE["lead"].sub("", sentence))
        if not claim.size or not self.units:
            why = reason("nothing to check" if self.units else "no evidence")
            return _Verdict(ClaimState.UNSUPPORTED, (why,), (), 0.0)
        ranked = self._candidates(claim)
        best = max((self._against(claim, unit) for unit in ranked), key=lambda v: v.rank)
        if best.state is ClaimState.SUPPORTED or best.reversed or len(ranked) < 2:
            return best
        return self._in_parts(claim, ranked) or best

    def _candidates(self, claim: Assertions) -> list[Source]:
        """The units that share most with the claim: quantities first, then stems and Han grams."""
        stems, grams = frozenset(w.stem for w in claim.content), claim.grams
        keys = frozenset(q.key for q in claim.quantities)

        def shared(unit: Source) -> float:
            same = keys & frozenset(q.key for q in unit.quantities)
            return (
                2.0 * len(same)
                + len(stems & unit.facts.stems)
                + 0.5 * len(grams & unit.facts.grams)
                + 0.5 * len(stems & unit.context.stems)
            )

        scored = [(shared(unit), -i, unit) for i, unit in enumerate(self.units)]
        scored.sort(key=lambda s: s[:2], reverse=True)
        return [unit for _, _, unit in scored[:_CANDIDATES]]

    def _against(self, claim: Assertions, source: Source) -> _Verdict:
        alignment = align(claim, source, self.question)
        findings = check(claim, source, self.question, alignment)
        findings += _overlap(source, alignment)
        hard = tuple(f.reason for f in findings if f.hard)
        reversed_ = any(f.reversed for f in findings if f.hard)
        state, reasons = ClaimState.UNSUPPORTED, hard
        if not hard:
            state = ClaimState.PARTIAL if findings else ClaimState.SUPPORTED
            reasons = tuple(f.reason for f in findings) or (reason("all found", label=source.label),)
        return _Verdict(state, reasons, (source.number,), alignment.coverage, reversed_, source)

    def _in_parts(self, claim: Assertions, ranked: Sequence[Source]) -> _Verdict | None:
        """A sentence of two parts, each supported by a sentence of its own."""
        for cut in list(_RE["split"].finditer(claim.text))[:6]:
            parts = [Assertions(p.strip()) for p in (claim.text[: cut.start()], claim.text[cut.end() :])]
            if min(p.size for p in parts) < 3:
                continue
            verdicts = [max((self._against(p, unit) for unit in ranked), key=lambda v: v.rank) for p in parts]
            # Both from one sentence would have been found by reading it as a whole, with their order and
            # their "not"s.
            apart = verdicts[0].source is not verdicts[1].source
            if apart and all(v.state is ClaimState.SUPPORTED for v in verdicts):
                numbers = tuple(dict.fromkeys(n for v in verdicts for n in v.numbers))[:2]
                marks = " + ".join(f"[{n}]" for n in numbers)
                why = reason("parts found", label=marks)
                return _Verdict(ClaimState.SUPPORTED, (why,), numbers, 1.0)
        return None


def _overlap(source: Source, alignment: Alignment) -> list[Finding]:
    """Overlap: too little is hard, new words are soft."""
    if not alignment.total:
        return []
    solid = any(a.quantity for a in alignment.anchors)
    least = MIN_COVERAGE_WITH_FACTS if solid else MIN_COVERAGE
    if alignment.coverage < least:
        share = f"{alignment.coverage:.0%}"
        return [Finding(True, reason("too little", share=share, label=source.label))]
    found = []
    if new := ", ".join(dict.fromkeys(alignment.new[:8])):
        found.append(Finding(False, reason("new words", claimed=new, label=source.label)))
    if alignment.echoed and alignment.coverage < 0.7:
        echoed = ", ".join(dict.fromkeys(alignment.echoed[:8]))
        found.append(Finding(False, reason("echoed", claimed=echoed)))
    return found
