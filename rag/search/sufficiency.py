"""Measurable signals of how a sentence bears on a question, and of whether the sentences found suffice to
answer it, with the weights that turn them into probabilities.

Every signal is in 0..1 and is computed by code that never saw the question's answer. Names and order of the
signals are the contract with the weights file, calibration.json, fitted by `scripts/calibrate.py`: two
logistic models for each mode of retrieval ("dense": question and passage vectors were compared;
"multilingual": by an embedder of many languages, "closer": passages by that, sentences by one of their own
language; "lexical": words alone), `sentence`, the probability that a sentence holds the answer, and `answer`,
the probability that the sentences found do. The threshold on the second is what a question is refused
below."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.facts.names import holds_name
from rag.facts.values import Numbers, numbers_in
from rag.languages import patterns
from rag.languages.text import normalise, search_tokens
from rag.models.registry import EmbedderInfo
from rag.questions.expects import AnswerType
from rag.search.candidates import NAMING, PreparedQuestion, Sentence, answers_in
from rag.types import Hit

SENTENCE_SIGNALS = (
    # the question's words: in the sentence, its surroundings and its neighbours
    *"coverage context_coverage topic added title before after reworded names names_said numbers".split(),
    # vectors and passages
    *"cosine passage passage_share passage_rank".split(),
    # something of the kind that is asked for
    *"offers_type lacks_type whole_answer several".split(),
    # the sentence itself, whatever the question's words
    *"length novel opening introduces defines position".split(),
    # rows of tables: how much of the label the question says, and whether it is the line item that is needed
    *"label line_item".split(),
)
_COSINE = SENTENCE_SIGNALS.index("cosine")
_NOVEL_TOKENS = 30
_LONG_TOKENS = 40
_YEAR = patterns("sufficiency", re.NOFLAG)["year"]
_LABEL_END = re.compile(r"\s*[|\t]|\s[$€£¥(\s]*\d|\s{3,}|[.…]{3,}")


def sentence_signals(
    prepared: PreparedQuestion, found: Sequence[Sentence], hits: Sequence[Hit]
) -> NDArray[np.float64]:
    """One row of SENTENCE_SIGNALS for each sentence, in reading order within each passage: shape
    (len(found), len(SENTENCE_SIGNALS)). Cosines are 0 until `with_cosines`."""
    query = prepared.query
    best = max((h.score for h in hits), default=0.0) or 1.0
    known, wanted = normalise(query.text), numbers_in(query.text, asked=True)
    named = (*query.names, *query.labelled)
    added = [prepared.added(s.tokens, s.titles) for s in found]
    rows = []
    for n, s in enumerate(found):
        hit, around = hits[s.hit], f"{s.surroundings}\n{s.head}"
        after = added[n + 1] if n + 1 < len(found) and found[n + 1].hit == s.hit else 0.0
        offered = [s.text[a.start : a.end] for a in answers_in(s.text, query.expects, known)]
        if query.expects in NAMING:  # a name of several words answers alone, and so does a year
            whole = any(" " in part.strip() for part in offered)
        else:
            whole = query.expects is AnswerType.DATE and any(map(_YEAR.search, offered))
        introduces = s.first and hit.chunk.start == 0
        label = frozenset(search_tokens(label_of(s.text)) if s.unit.row else ())
        row = (
            prepared.coverage(s.tokens),
            prepared.coverage(s.tokens | s.context_tokens),
            prepared.topic_coverage(s.tokens),
            added[n],
            prepared.coverage(s.titles),
            added[n - 1] if n and found[n - 1].hit == s.hit else 0.0,
            after,
            prepared.expansion_share(s.tokens),
            share_named(named, s.text, around),
            share_named(query.names, s.text) if query.names else 0.0,
            numbers_found(wanted, s.surroundings, s.text),
            0.0,
            hit.score,
            hit.score / best,
            1.0 / (1 + s.hit),
            bool(offered),
            query.expects is not AnswerType.OTHER and not offered,
            whole,
            min(1.0, len(offered) / 4),
            min(1.0, len(s.sequence) / _LONG_TOKENS),
            min(1.0, sum(t not in prepared.weights and t not in s.titles for t in s.tokens) / _NOVEL_TOKENS),
            s.first,
            introduces,
            introduces and query.expects is AnswerType.DEFINITION,
            s.place,
            sum(t in prepared.weights for t in label) / max(1, len(label)),
            prepared.line_item(label),
        )
        rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SENTENCE_SIGNALS))


def with_cosines(signals: NDArray[np.float64], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same signals once cosines are known (nan: not computed, counts as 0)."""
    changed = signals.copy()
    changed[:, _COSINE] = np.nan_to_num(cosines)
    return changed


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
    "reworded line_item unknown_names names_found names_missing numbers_missing long_question".split()
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
    query, best, first = prepared.query, found[0], found[:_FIRST]
    indexed = hits[best.hit].chunk.indexed_text
    words = frozenset(search_tokens(indexed)) | best.context_tokens | best.tokens
    place = f"{indexed}\n{hits[best.hit].document.path}\n{best.head}"
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
            share_named(query.names, best.text, place) if query.names else 0.0,
            1.0 - share_named((*query.names, *query.labelled), best.text, place),
            1.0 - numbers_found(numbers_in(query.text, asked=True), place),
            min(1.0, len(query.content) / _LONG_QUESTION),
        ]
    )


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


def mode_of(embedder: EmbedderInfo | None, closer: EmbedderInfo | None = None) -> str:
    """What sentences are judged by: words alone, or vectors too. Cosines that are read on a scale of their
    own are spread otherwise than plain ones, and so are those of another embedder, `closer`, beside passages
    that were found by these."""
    if embedder is None:
        return LEXICAL
    return "dense" if not embedder.cosines else "closer" if closer is not None else "multilingual"


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
