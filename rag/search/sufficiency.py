"""Measurable signals of how a sentence bears on a question, and of whether the sentences found suffice to
answer it, with the weights that turn them into probabilities.

Every signal is in 0..1 and is computed by code that never saw the question's answer. Names and order of the
signals are the contract with the weights file, calibration.json, fitted by `scripts/calibrate.py`: two
logistic models for each mode of retrieval ("dense": question and passage vectors were compared; "lexical":
words alone), `sentence`, the probability that a sentence holds the answer, and `answer`, the probability that
the sentences found do. The threshold on the second is what a question is refused below."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.facts.names import holds_name
from rag.facts.values import Numbers, numbers_in
from rag.languages import patterns
from rag.languages.text import has_han, normalise, search_tokens
from rag.models.embedder import EmbedderInfo
from rag.questions.expects import AnswerType
from rag.search.candidates import NAMING, PreparedQuestion, Sentence, answers_in
from rag.types import Hit, Span

SENTENCE_SIGNALS = (
    # the question's words
    *"coverage context_coverage topic added title before after reworded names names_said numbers".split(),
    # vectors and passages
    *"cosine passage passage_share passage_rank".split(),
    # something of the kind that is asked for
    *"offers_type lacks_type whole_answer several".split(),
    # the sentence itself
    *"length novel opening introduces defines position pronoun".split(),
    # rows of tables
    *"label line_item".split(),
)
_COSINE = SENTENCE_SIGNALS.index("cosine")
# Characters over which nearness to the question's words falls to 1/e, and candidate answers looked at.
_NEAR_CHARS = 40.0
_MOST_ANSWERS = 12
_NOVEL_TOKENS = 30
_LONG_TOKENS = 40
_RE = patterns("sufficiency", re.NOFLAG)
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")
_LABEL_END = re.compile(r"\s*[|\t]|\s[$€£¥(\s]*\d|\s{3,}|[.…]{3,}")


def sentence_signals(
    prepared: PreparedQuestion,
    found: Sequence[Sentence],
    hits: Sequence[Hit],
    cosines: Sequence[float | None],
) -> NDArray[np.float64]:
    """One row of SENTENCE_SIGNALS for each sentence, in reading order within each passage: shape
    (len(found), len(SENTENCE_SIGNALS))."""
    best = max((h.score for h in hits), default=0.0) or 1.0
    known = normalise(prepared.query.text)
    added = [prepared.added(s.tokens, s.titles) for s in found]
    rows = [
        [
            *_words(prepared, s, added, n, found),
            cosines[n] or 0.0,
            *_passage(hits[s.hit].score, best, s.hit),
            *_kind(prepared, s, known),
            *_shape(prepared, s, hits[s.hit]),
            *_row(prepared, s),
        ]
        for n, s in enumerate(found)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SENTENCE_SIGNALS))


def with_cosines(signals: NDArray[np.float64], cosines: Sequence[float | None]) -> NDArray[np.float64]:
    """The same signals once cosines are known (None: not computed, counts as 0)."""
    changed = signals.copy()
    changed[:, _COSINE] = [c or 0.0 for c in cosines]
    return changed


def _words(
    prepared: PreparedQuestion, s: Sentence, added: Sequence[float], n: int, found: Sequence[Sentence]
) -> tuple[float, ...]:
    """How much of the question the sentence says, its surroundings give, and its neighbours say."""
    named = (*prepared.query.names, *prepared.query.labelled)
    wanted = numbers_in(prepared.query.text, asked=True)
    before = added[n - 1] if n and found[n - 1].hit == s.hit else 0.0
    after = added[n + 1] if n + 1 < len(found) and found[n + 1].hit == s.hit else 0.0
    return (
        prepared.coverage(s.tokens),
        prepared.coverage(s.tokens | s.context_tokens),
        prepared.topic_coverage(s.tokens),
        added[n],
        prepared.coverage(s.titles),
        before,
        after,
        prepared.expansion_share(s.tokens),
        share_named(named, s.text, f"{s.surroundings}\n{s.head}"),
        share_named(prepared.query.names, s.text) if prepared.query.names else 0.0,
        numbers_found(wanted, s.surroundings, s.text),
    )


def _passage(score: float, best: float, rank: int) -> tuple[float, ...]:
    return score, score / best, 1.0 / (1 + rank)


def _kind(prepared: PreparedQuestion, s: Sentence, known: str) -> tuple[float, ...]:
    """What the sentence offers of the expected kind."""
    kind = prepared.query.expects
    spans = answers_in(s.text, kind, known)
    return (
        1.0 if spans else 0.0,
        1.0 if kind is not AnswerType.OTHER and not spans else 0.0,
        1.0 if _is_whole(s.text, spans, kind) else 0.0,
        min(1.0, len(spans) / 4),
    )


def _is_whole(text: str, spans: Sequence[Span], kind: AnswerType) -> bool:
    """Whether one of the spans answers alone: a name of several words, a year."""
    phrases = [text[s.start : s.end] for s in spans]
    if kind in NAMING:
        return any(" " in part.strip() for part in phrases)
    return kind is AnswerType.DATE and any(_RE["year"].search(part) for part in phrases)


def nearness(prepared: PreparedQuestion, text: str, spans: Sequence[Span]) -> float:
    """The largest idf share of the question's words around one span, each word discounted by its distance:
    by 1/e every 40 characters."""
    where = positions(text, prepared.weights) if spans else {}
    best = 0.0
    for span in spans[:_MOST_ANSWERS] if where else ():
        near = 0.0
        for token, places in where.items():
            away = min(max(0, start - span.end, span.start - end) for start, end in places)
            near += prepared.weights[token] * math.exp(-away / _NEAR_CHARS)
        best = max(best, near)
    return best / prepared.total


def positions(text: str, tokens: Collection[str]) -> dict[str, list[tuple[int, int]]]:
    """Where the tokens stand in a text; Chinese ones as typed, others as whole words."""
    plain = normalise(text)
    if len(plain) != len(text):
        plain = text.lower()
    found: dict[str, list[tuple[int, int]]] = {}
    for token in tokens:
        if has_han(token):
            for match in re.finditer(re.escape(token), plain):
                found.setdefault(token, []).append(match.span())
    for match in _WORD.finditer(plain):
        if not has_han(match.group()):
            for token in search_tokens(match.group()):
                if token in tokens:
                    found.setdefault(token, []).append(match.span())
    return found


def _shape(prepared: PreparedQuestion, s: Sentence, hit: Hit) -> tuple[float, ...]:
    """What the sentence is like, whatever the question's words."""
    introduces = s.first and hit.chunk.start == 0
    fresh = sum(t not in prepared.weights and t not in s.titles for t in s.tokens)
    defined = introduces and prepared.query.expects is AnswerType.DEFINITION
    return (
        min(1.0, len(s.sequence) / _LONG_TOKENS),
        min(1.0, fresh / _NOVEL_TOKENS),
        1.0 if s.first else 0.0,
        1.0 if introduces else 0.0,
        1.0 if defined else 0.0,
        s.place,
        1.0 if _RE["pronoun"].match(s.text) else 0.0,
    )


def _row(prepared: PreparedQuestion, s: Sentence) -> tuple[float, ...]:
    """For rows of tables: how much of the label the question says, and whether it is the line item that is
    needed; 0.0 for sentences."""
    if not s.unit.row:
        return 0.0, 0.0
    label = frozenset(search_tokens(label_of(s.text)))
    phrases = sum(t in prepared.weights for t in label) / len(label) if label else 0.0
    return phrases, prepared.line_item(label) if label else 0.0


def label_of(row: str) -> str:
    """The words that a row begins with, up to its first figure or cell border."""
    match = _LABEL_END.search(row, 1)
    return row[: match.start()] if match else row


def share_named(names: Sequence[str], text: str, around: str = "") -> float:
    """Share of names that a text or what stands around it holds (1.0 when there are none to find)."""
    return sum(holds_name(text, name, around) for name in names) / len(names) if names else 1.0


def numbers_found(wanted: Numbers, *texts: str) -> float:
    """Share of these numbers and dates whose values the texts state (1.0 where there are none)."""
    if not wanted:
        return 1.0
    return len(wanted & frozenset().union(*map(numbers_in, texts))) / len(wanted)


ANSWER_SIGNALS = tuple(
    "best_sentence best_passage best_cosine sentence_coverage topic_coverage topic_in_sentence added "
    "reworded line_item unknown_names names_found names_missing numbers_missing near long_question".split()
)
_LONG_QUESTION = 20
_FIRST = 3


def answer_signals(
    prepared: PreparedQuestion,
    found: Sequence[Sentence],
    probabilities: Sequence[float],
    cosines: Sequence[float | None],
    hits: Sequence[Hit],
) -> NDArray[np.float64]:
    """ANSWER_SIGNALS of a ranked list of sentences (best first) over their hits: shape
    (len(ANSWER_SIGNALS),)."""
    if not found:
        return np.zeros(len(ANSWER_SIGNALS))
    best, first = found[0], found[:_FIRST]
    words = frozenset(search_tokens(hits[best.hit].chunk.indexed_text)) | best.context_tokens | best.tokens
    place = f"{hits[best.hit].chunk.indexed_text}\n{hits[best.hit].document.path}\n{best.head}"
    names = share_named(prepared.query.names, best.text, place)
    named = (*prepared.query.names, *prepared.query.labelled)
    return np.array(
        [
            probabilities[0],
            max((h.score for h in hits), default=0.0),
            max((c for c in cosines if c is not None), default=0.0),
            max(prepared.coverage(s.tokens) for s in first),
            prepared.topic_coverage(words),
            max(prepared.topic_coverage(s.tokens) for s in first),
            max(prepared.added(s.tokens, s.titles) for s in first),
            max(prepared.expansion_share(s.tokens) for s in first),
            max(prepared.line_item(frozenset(s.sequence)) for s in first),
            sum(prepared.weights[t] for t in prepared.unknown - prepared.topic) / prepared.total,
            names if prepared.query.names else 0.0,
            1.0 - share_named(named, best.text, place),
            1.0 - numbers_found(numbers_in(prepared.query.text, asked=True), place),
            _nearest_answer(prepared, first[:2]),
            min(1.0, len(prepared.query.content) / _LONG_QUESTION),
        ]
    )


def _nearest_answer(prepared: PreparedQuestion, sentences: Sequence[Sentence]) -> float:
    """How near to the question's words one of the sentences offers something of the expected kind."""
    kind, known = prepared.query.expects, normalise(prepared.query.text)
    return max(nearness(prepared, s.text, answers_in(s.text, kind, known)) for s in sentences)


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named signals in 0..1."""

    weights: NDArray[np.float64]
    bias: float

    def probability(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        """For rows of signals (n, d) or one row (d,): probabilities (n,) or a scalar array."""
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(signals @ self.weights + self.bias)))
        return result


@dataclass(frozen=True, slots=True)
class Calibration:
    sentence: Logistic
    answer: Logistic
    threshold: float


LEXICAL = "lexical"


def mode_of(embedder: EmbedderInfo | None) -> str:
    """What sentences are judged by: words alone, or vectors too. Those of an embedder of several languages
    are spread otherwise than those of one."""
    return LEXICAL if embedder is None else "dense" if len(embedder.languages) == 1 else "multilingual"


@lru_cache(maxsize=4)
def load_calibration(mode: str) -> Calibration:
    """The shipped weights of a mode (`mode_of`). Raises ConfigError when the file does not fit this version's
    signals."""
    data = json.loads(files("rag.search").joinpath("calibration.json").read_text("utf-8"))[mode]
    return Calibration(
        _logistic(data["sentence"], SENTENCE_SIGNALS),
        _logistic(data["answer"], ANSWER_SIGNALS),
        float(data["threshold"]),
    )


def _logistic(data: dict[str, float], names: tuple[str, ...]) -> Logistic:
    missing = [n for n in names if n not in data]
    if missing or len(data) != len(names) + 1:
        raise ConfigError(
            "rag/calibration.json does not fit this version of the program "
            f"(missing signals: {', '.join(missing) or 'none'}). "
            "Reinstall citewise, or refit it with scripts/calibrate.py."
        )
    return Logistic(np.array([data[n] for n in names]), float(data["bias"]))
