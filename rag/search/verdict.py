"""The verdict: whether what was found suffices to answer a question. It is given here and nowhere else.

The confidence is the probability that the evidence holds the answer: for sentences by a logistic model over
the signals of `rag.search.sufficiency`, for what code reads, works out or counts by how sure the rows are;
where a model reads, that its line is right. An answer needs the least confidence, and no veto."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rag.documents.validity import asks_of, edition_name, ended, unversioned
from rag.facts.dates import dates
from rag.facts.names import PLACED, short_name, shorter_name
from rag.languages.text import has_han, is_word, search_tokens
from rag.questions.query import Query
from rag.search.candidates import PreparedQuestion, Sentence
from rag.search.sufficiency import LEXICAL, Calibration, answer_signals
from rag.store.store import Store
from rag.types import Answer, DocumentInfo, Evidence, Filters, Gap, Hit, Outcome

CORE = 3  # sentences that an answer rests on first
_CERTAIN = 0.95
_LEAST_REWORDED = 0.5  # what other words have lost is not seen
_UNSTATED = 0.9
# How sure the signals of the evidence can be before a model has read it: where words are other words they are
# less sure than they should be.
_UNSURE, _SURE = 0.18, 1e-3
# Passages (decimal logarithm) up to which the signals of the evidence tell nothing of what a model reads, as
# how rare a word is there is chance, and from which on they tell all that they can.
_FEW, _MANY = 1.3, 2.7
READ_RIGHTLY = 0.85  # of what the sources hold
_BESIDE_JUDGE = 0.6
# Below it nothing near the question was found.
_WORTH_READING = 0.02
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST, _ALIKE = 6, 2
_LATIN = re.compile(r"[a-z]{5,}")
_HEAD = 4000  # characters at a document's beginning, where a contract names its parties


class Veto(StrEnum):
    """What forbids an answer, whatever the confidence: nothing was found; the passages speak of none of the
    companies that are asked about; the best row is of other years; no passage holds what has to be matched
    word by word."""

    NOTHING = "nothing"
    OTHER_NAMES = "other names"
    OTHER_YEARS = "other years"
    UNMATCHED = "unmatched"


class LackKind(StrEnum):
    """What a refusal lacks: any passage; words that stand in no document searched; what the question demands
    of a document (`what` is the matter); words that stand in none of the passages; a sentence that answers
    (`words` is the kind of answer that was looked for)."""

    PASSAGES = "passages"
    ABSENT = "absent"
    DEMANDED = "demanded"
    FAR = "far"
    SENTENCE = "sentence"


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that had no support; `words` as typed, or as documents print them."""

    kind: LackKind
    words: tuple[str, ...] = ()
    what: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence` (0..1) against the `least` that an answer needs; `vetoes` forbid it whatever that is.
    `reasons` say what a refusal lacks; `dense`: vectors took part."""

    confidence: float
    least: float
    vetoes: tuple[Veto, ...] = ()
    reasons: tuple[Lack, ...] = ()
    dense: bool = False

    @property
    def sufficient(self) -> bool:
        return self.confidence >= self.least and not self.vetoes


COUNTED = Verdict(1.0, 1.0)
"""Of what code counted over everything that matches."""
_NEARBY = 0.5
# So sure that a sentence is quoted where what a model wrote of it does not hold.
_SURELY = 0.76


def surely(verdict: Verdict) -> bool:
    """Whether the sources so surely state the answer that a reply which does not hold tells nothing."""
    return verdict.sufficient and verdict.confidence >= _SURELY


def outcome(verdict: Verdict) -> Outcome:
    """ANSWERED where the evidence suffices; NEARBY where nothing forbids an answer and the confidence is at
    least half of what one needs; else ABSENT."""
    if verdict.sufficient:
        return Outcome.ANSWERED
    near = not verdict.vetoes and verdict.confidence >= _NEARBY * verdict.least
    return Outcome.NEARBY if near else Outcome.ABSENT


@dataclass(frozen=True, slots=True)
class RankedSentences:
    """Every candidate sentence, best first, as it is judged; `signals` are those of
    `rag.search.sufficiency`, a row for each, `mode` is that of `load_calibration`."""

    question: PreparedQuestion
    sentences: tuple[Sentence, ...]
    probabilities: tuple[float, ...]
    cosines: tuple[float | None, ...]
    mode: str
    signals: NDArray[np.float64]

    def behind(self, aside: Sequence[bool]) -> RankedSentences:
        """Those set aside behind all others."""
        order = sorted(range(len(aside)), key=lambda n: aside[n])
        return RankedSentences(
            self.question,
            tuple(self.sentences[n] for n in order),
            tuple(self.probabilities[n] for n in order),
            tuple(self.cosines[n] for n in order),
            self.mode,
            self.signals[order],
        )


def judge(
    query: Query,
    ranked: RankedSentences,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    calibration: Calibration,
    least: float | None = None,
    store: Store | None = None,
) -> Verdict:
    """The verdict on the sentences chosen; `least` None: the calibrated one."""
    found = (
        (Veto.NOTHING, not evidence),
        (Veto.OTHER_NAMES, bool(names_without_passages(query, hits, store))),
        (Veto.OTHER_YEARS, _of_other_years(query, evidence)),
    )
    verdict = Verdict(
        _confidence(ranked, hits, calibration),
        calibration.threshold if least is None else least,
        tuple(veto for veto, holds in found if holds),
        dense=ranked.mode != LEXICAL,
    )
    return unstated(verdict) if _of_another_row(ranked) else verdict


def _of_another_row(ranked: RankedSentences) -> bool:
    """Whether the best sentence is a row of a table that says no word of what is asked about, in the language
    of the question: vectors of rows lie near each other, whatever the rows are of."""
    asked, best = ranked.question, next(iter(ranked.sentences), None)
    if best is None or not best.unit.row or asked.expansion_share(best.tokens):
        return False
    left = {word for word in asked.weights if not _YEAR.match(word)} - best.titles
    spoken = has_han(best.text) == has_han(asked.query.text)
    return spoken and bool(left) and left.isdisjoint(best.tokens | best.context_tokens)


def _confidence(ranked: RankedSentences, hits: Sequence[Hit], calibration: Calibration) -> float:
    if not ranked.sentences:
        return 0.0
    signals = answer_signals(ranked.question, ranked.sentences, ranked.probabilities, ranked.cosines, hits)
    return float(calibration.answer.probability(signals))


@dataclass(frozen=True, slots=True)
class OddsWeights:
    """A logistic model of two log-odds: that the evidence suffices (`found`), as judged by its signals among
    many passages, and that its first sentences state the answer, as a language model reads them (`odds`).
    `least` (0..1) is the probability of a right line that an answer needs."""

    bias: float
    found: float
    odds: float
    least: float

    def of_judge(self) -> OddsWeights:
        """The weights where `odds` are what a judge says, which was fitted to be true beside `found`."""
        return replace(self, bias=0.0, found=_BESIDE_JUDGE, odds=1.0)


def worth_reading(verdict: Verdict) -> bool:
    """Whether a language model may still find the answer: nothing forbids it, and something is near."""
    return not verdict.vetoes and verdict.confidence >= _WORTH_READING


def found_odds(verdict: Verdict, passages: int) -> float:
    """The natural log-odds that the evidence suffices, by its signals, as far as they tell anything among so
    many passages."""
    confidence = min(max(verdict.confidence, _UNSURE), 1 - _SURE)
    telling = min(max((math.log10(max(passages, 1)) - _FEW) / (_MANY - _FEW), 0.0), 1.0)
    return telling * math.log(confidence / (1 - confidence))


def with_odds(
    verdict: Verdict, odds: float, weights: OddsWeights, passages: int, threshold: float | None = None
) -> Verdict:
    """The verdict once a language model has read the evidence: `odds` are the natural log-odds that it states
    the answer, found among so many `passages`. `threshold` replaces the least confidence of an answer."""
    sum_ = weights.bias + weights.found * found_odds(verdict, passages) + weights.odds * odds
    least = weights.least if threshold is None else threshold
    return replace(verdict, confidence=READ_RIGHTLY / (1 + math.exp(-sum_)), least=least)


def surer(one: Verdict | Answer, than: Verdict | Answer) -> bool:
    """Whether the same question found more in other words: of answers first one that is answered, if at
    least `_LEAST_REWORDED` sure."""
    answered = [isinstance(each, Answer) and each.verdict is Outcome.ANSWERED for each in (one, than)]
    unsure = answered[0] and one.confidence < _LEAST_REWORDED
    return not unsure and (answered[0], one.confidence) > (answered[1], than.confidence)


def unstated(verdict: Verdict) -> Verdict:
    """The verdict where a language model that was asked for the answer gave none, or gave back the question:
    at best it is nearby."""
    return replace(verdict, confidence=min(verdict.confidence, _UNSTATED * verdict.least))


def read_from(rows: Sequence[Evidence], verdict: Verdict) -> Verdict:
    """The verdict where code read a figure from rows, or worked it out: they are of the company and the
    period asked for, so that nothing forbids the answer."""
    confidence = max(verdict.confidence, min((row.score for row in rows), default=_CERTAIN))
    return replace(verdict, confidence=confidence, least=min(verdict.least, confidence), vetoes=())


def unmatched(verdict: Verdict, share: float) -> Verdict:
    """The verdict where everything has to be matched and nothing is: `share` of it stands together."""
    return replace(verdict, confidence=share, least=1.0, vetoes=(Veto.UNMATCHED,))


def of_parts(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on several questions in one: that of the surest, which some part has to pass."""
    return max(verdicts, key=lambda one: (one.sufficient, one.confidence))


def _of_other_years(query: Query, evidence: Sequence[Evidence]) -> bool:
    """Whether the question asks about years, the best evidence is a row of a table whose columns are other
    years, and none of the first pieces says one of those asked about: the row would pass for the answer."""
    years = {str(p.year) for p in query.periods if p.year}
    first = [f"{e.header} {e.text} {' '.join(e.heading_path)}" for e in evidence[:CORE]]
    if not years or not first or not _YEAR.search(" ".join(evidence[0].heads)):
        return False
    return not any(year in said for year in years for said in first)


def names_without_passages(query: Query, hits: Sequence[Hit], store: Store | None = None) -> tuple[str, ...]:
    """Companies that the question names, that no document is about, no passage found speaks of, and with a
    `store` no document of these names at its beginning: whatever the passages say, they say it of somebody
    else. What stands in 《》 may be any book, and is left to the confidence."""
    named = query.constraints.unknown_names
    unknown = tuple(name for name in named if f"《{name}" not in query.text and f"〈{name}" not in query.text)
    if not unknown:
        return ()
    texts = [f"{h.document.title}\n{h.chunk.context}\n{h.chunk.text}" for h in hits]
    texts += [store.text(i, 0, _HEAD) for i in {h.document.id for h in hits}] if store else []
    read = "\n".join(texts).casefold()
    # Whatever stands between its words, and however its legal form is written.
    spoken = f" {' '.join(search_tokens(read))} "
    said = {n: " ".join(search_tokens(short_name(n))) for n in unknown if not has_han(n)}
    return tuple(
        name
        for name in unknown
        if not (f" {said[name]} " in spoken if name in said else (shorter_name(name) or name) in read)
    )


def outdated(query: Query, documents: Iterable[DocumentInfo], *, dated: bool = False) -> frozenset[int]:
    """Which documents do not answer, where others do: those out of force, or, where the question names a
    version of a text, its other versions. None where it asks about words that stood, or about a time (also
    where a day is set beside it: `dated`)."""
    every = {document.id: document for document in documents}
    named = {i: edition_name(d.title or d.path) for i, d in every.items() if asks_of(query.text, d)}
    if named:
        others = every.keys() - named.keys()
        return frozenset(i for i in others if edition_name(every[i].title or every[i].path) in named.values())
    if query.periods or query.withdrawn or dated:
        return frozenset()
    over = frozenset(i for i, document in every.items() if ended(document))
    return over if len(over) < len(every) else frozenset()


def of_any_version(query: Query, documents: Sequence[DocumentInfo], store: Store) -> Query:
    """The question without the words by which it names the version of one of these documents, or the day of
    one that others amend: no sentence holds them."""
    amended = {relation.target for relation in store.amending()}
    text = query.text
    if any(asks_of(text, document) for document in documents):
        text = unversioned(text)
    elif any(document.id in amended for document in documents):
        for day in reversed(dates(text)):
            text = text[: day.start] + text[day.end :]
    if text == query.text:
        return query
    held = frozenset(search_tokens(text))
    return replace(
        query,
        text=text,
        tokens=tuple(t for t in query.tokens if t in held),
        content=tuple(t for t in query.content if t in held),
        names=tuple(name for name in query.names if name in text),
        labelled=tuple(name for name in query.labelled if name in text),
        numbers=tuple(number for number in query.numbers if number in text),
    )


def named_elsewhere(query: Query, document: DocumentInfo, store: Store) -> bool:
    """Whether a document in the language of the question lacks a word of a name that this gives, which stands
    whole in another: what it says, it says of somebody else, however alike the names are (Pellamy Foods,
    Pellamy Cold Stores). One in another language: whether the question names documents, and not this one."""
    if document.language != query.language:
        named = query.constraints.named or _titled(query.text, store)
        return bool(named) and document.id not in named
    names: list[str] = []
    for word in query.names:
        joined = f"{names[-1]} {word}" if names else ""
        names[-1:] = [joined] if joined and joined in query.text else [*names[-1:], word]
    lower = query.text.lower()  # a subject however it is typed
    names += [name for name in query.constraints.values("subject") if name.lower() in lower]
    names = [name for name in names if not (has_han(name) or _placed(name.lower(), lower))]
    for tokens in (search_tokens(short_name(name)) for name in names):
        whole = sum(token.isalpha() and len(token) > 1 for token in tokens) > 1  # COVID-19 has other names
        bearing = store.owners(store.matching(f'"{" ".join(tokens)}"')) if whole else {}
        if bearing and document.id not in bearing.values():
            holding = ({*store.owners(store.matching(f'"{token}"')).values()} for token in tokens)
            if not all(document.id in documents for documents in holding):
                return True
    return False


def _titled(text: str, store: Store) -> frozenset[int]:
    """The documents whose title has a word of a text that is in no dictionary, or three Chinese characters of
    it that no more than one other title has."""
    words = {word for word in _LATIN.findall(text.lower()) if not is_word(word)}
    held: dict[str, set[int]] = defaultdict(set)
    for one in store.documents():
        runs = {one.title[at : at + 3] for at in range(len(one.title) - 2)}
        named = words.intersection(_LATIN.findall(one.title.lower()))
        for name in (*named, *(run for run in runs if has_han(run) and run in text)):
            held[name].add(one.id)
    return frozenset[int]().union(*(i for name, i in held.items() if name in words or len(i) <= _ALIKE))


def _placed(name: str, text: str) -> bool:
    """Whether a text names a place, which has many names: "in the United States"."""
    start, _, behind = text.partition(name)
    return PLACED.search(start) is not None and not behind.strip()[:1].isalpha()


def lacks(
    query: Query,
    hits: Sequence[Hit],
    store: Store,
    *,
    relaxed: Sequence[Gap] = (),
    filters: Filters | None = None,
) -> tuple[Lack, ...]:
    """What of the question the hits, and the documents that pass the filters, do not hold; never empty: words
    that no searched document holds and words that stand in none of the hits, each as typed; what of the
    `relaxed` demands no passage is; without any of these a sentence of the kind that was looked for."""
    wanted = frozenset(query.content)
    held: set[str] = set()
    for fields in store.token_fields([hit.chunk_id for hit in hits]).values():
        held.update(*(field.split() for field in fields))
    typed = {word: search_tokens(word) for word in query.words}
    lacking = {
        word: tokens
        for word, tokens in typed.items()
        if (own := wanted.intersection(tokens)) and held.isdisjoint(own)
    }
    absent = [w for w, tokens in lacking.items() if not store.lexical(tokens, limit=1, filters=filters)]
    far = [word for word in lacking if word not in absent][:_MOST]
    demanded = {
        n.what: n.values for gap in relaxed if gap.rank is None for n in gap.wanted if n.what in gap.missed
    }
    unknown = demanded.pop("unknown", ())
    absent = list(dict.fromkeys([*unknown, *(w for w in absent[:_MOST] if not any(w in u for u in unknown))]))
    found = [] if hits else [Lack(LackKind.PASSAGES)]
    found += [Lack(LackKind.ABSENT, tuple(absent))] if absent else []
    found += [Lack(LackKind.DEMANDED, names, what) for what, names in demanded.items()]
    found += [Lack(LackKind.FAR, tuple(far))] if far else []
    return tuple(found) or (Lack(LackKind.SENTENCE, (query.expects.value,)),)
