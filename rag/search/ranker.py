"""What speaks for a passage, as numbers: one row of `FEATURES` for each candidate of one question.

`MATCHING` is how the words and vectors of question and passage match, computed here from search tokens that
the index keeps, so that no text is read; `AGREEMENTS` (`rag.search.pool`) is what the question demands
of documents. Names and order are the contract with the ranker's weights file. Scores of the legs come
twice: as they are, and against the best of the pool, which makes one question comparable with another.

The lexical score, 0 to 1, is BM25 of the passage (a token in title, heading path or text counts 1, 1.2 or 1;
as SQLite's FTS5 computes it, which finds the candidates) divided by the weight that a passage would reach
which held every word of the question so often that more would not help: sum of idf * (k1 + 1). Words that no
document holds count in the divisor: a question about something that is not in the index scores low.
Professional words for what the question says in lay words (`rag.languages.lexicon`) count a third.

The learned order: a weighted sum of `rag.search.ranker`, shipped as ranker.json.

`scripts/tune.py` fits the weights by the softmax of each question's pool (ListNet's top-one loss; Cao et al.,
2007), each with the sign that its feature may have, then one scale and bias that make the sum a probability
(Platt, 1999). Boosted trees over the same features ordered held-out questions no better, and those over kinds
of documents that they had not seen far worse. A weight says what a feature is worth: `explain` shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError
from rag.store.store import COLUMN_WEIGHTS
from rag.types.search import Candidate, Lengths

Numbers = NDArray[np.float64]
# Okapi BM25 (Robertson and Zaragoza, 2009).
_K1, _B = 1.2, 0.75
EXPANSION_WEIGHT = 0.3

MATCHING = (
    "lexical_rank",  # 1 / rank in a leg, and its score, 0..1
    "dense",
    "dense_share",
    "dense_rank",
    "fused",
    "fused_share",
    "title",  # BM25 of the title, share of what is attainable
    "words",  # idf share of the question's words, grams aside, that stand in the text ...
    "words_anywhere",  # ... in text, headings or title
    "title_words",  # ... in the title
    "title_filled",  # share of the title's tokens that the question holds
    "document_best",  # fused score of the document's best passage in the pool, and of its best three
    "document_top",
    "neighbours",  # fused score of the better neighbour in the document
    "opening",
    "length",  # tokens of the text, per 300
    "table",
    "article",
)
# Of these the vectors speak for a passage in another language.
_SPOKEN_FOR = ("words", "words_anywhere")
AGREEMENTS = (
    "name",  # -1 another company than the one named ... 1 the one named; so the fields' columns
    "year",
    "form",
    "law",
    "article_named",
    "lines",  # share of the needed line items that the passage prints
    "page_lines",  # ... that its page prints
    "role",  # 1 where it stands in the statement that a need names first, less for the later ones
    "authority",  # rank of a legal text, 0.5 elsewhere
    "superseded",
)
FEATURES = (*MATCHING, *AGREEMENTS)


@dataclass(frozen=True, slots=True)
class Terms:
    """A question's tokens. `weights` are idf; `words` marks those that are words of content (not grams that
    cross two Chinese words, not words that only ask); `added` are the tokens of professional words for it
    that are not its own, with their idf."""

    tokens: tuple[str, ...]
    weights: Numbers
    words: NDArray[np.bool_]
    added: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates, n of them: what the store and the legs say of each. `fields` are the search tokens of
    title, headings and text, blank-joined. `dense` is nan where no vector was compared; ranks are 1-based, 0
    outside of a leg. `across` marks passages in another language than the question's, which share no words
    with it: there the vectors speak for the words."""

    rows: tuple[Candidate, ...]
    fields: tuple[tuple[str, str, str], ...]
    dense: Numbers
    lexical_rank: NDArray[np.int64]
    dense_rank: NDArray[np.int64]
    across: NDArray[np.bool_] = field(default_factory=lambda: np.array(False))

    def __len__(self) -> int:
        return len(self.rows)


def matching(terms: Terms, pool: Pool, lengths: Lengths) -> tuple[Numbers, Numbers]:
    """The features, (n, len(MATCHING)), nan where one does not apply (no vectors compared); and the lexical
    scores, (n,)."""
    codes = {token: n for n, token in enumerate((*terms.tokens, *terms.added))}
    counted = [_counts(codes, [fields[n] for fields in pool.fields]) for n in range(3)]
    (title, heading, body), (title_size, _, size) = zip(*counted, strict=True)
    w, own = terms.weights, len(terms.tokens)
    content, total = np.where(terms.words, w, 0.0), max(1e-6, float(w.sum()))
    content = content / max(1e-6, float(content.sum()))

    # Of the lexical leg, professional words included.
    sizes: Numbers = np.sum([length for _, length in counted], axis=0)
    parts = [weight * field for weight, (field, _) in zip(COLUMN_WEIGHTS, counted, strict=True)]
    lexical = _bm25(np.sum(parts, axis=0)[:, :own], sizes, lengths.whole, w) / total
    if terms.added:
        added = np.array(list(terms.added.values()))
        lexical = lexical + EXPANSION_WEIGHT * _bm25(body[:, own:], sizes, lengths.whole, added) / total
    lexical = np.minimum(1.0, lexical)

    title, heading, body = title[:, :own], heading[:, :own], body[:, :own]
    both = fused(np.where(pool.across, pool.dense, lexical), pool.dense)
    kinds = np.array([row.kind for row in pool.rows], dtype=object)
    table = {
        "lexical_rank": _reciprocal(pool.lexical_rank),
        "dense": pool.dense,
        "dense_share": _share(pool.dense),
        "dense_rank": _reciprocal(pool.dense_rank),
        "fused": both,
        "fused_share": _share(both),
        "title": _bm25(title, title_size, lengths.title, w) / total,
        "words": (body > 0) @ content,
        "words_anywhere": ((body + heading + title) > 0) @ content,
        "title_words": (title > 0) @ content,
        "title_filled": title.sum(axis=1) / np.maximum(1, title_size),
        "opening": np.array([float(row.ordinal == 0) for row in pool.rows]),
        "length": size / 300,
        "table": (kinds == "table").astype(np.float64),
        "article": (kinds == "article").astype(np.float64),
    } | _surroundings(pool, both)
    for name in _SPOKEN_FOR:
        table[name] = np.where(pool.across, pool.dense, table[name])
    return np.column_stack([table[name] for name in MATCHING]), lexical


def _counts(codes: Mapping[str, int], texts: Sequence[str]) -> tuple[Numbers, Numbers]:
    """How often each token stands in each text, (n, len(codes)), and how many tokens a text has, (n,). All at
    once: a step of Python for each token of some hundred passages would be most of a search's time."""
    numbers = [list(map(codes.get, text.split(), repeat(-1))) for text in texts]
    sizes = np.fromiter(map(len, numbers), dtype=np.int64, count=len(texts))
    code = np.fromiter(chain.from_iterable(numbers), dtype=np.int64, count=int(sizes.sum()))
    row, known = np.repeat(np.arange(len(texts)), sizes), code >= 0
    flat = np.bincount(row[known] * len(codes) + code[known], minlength=len(texts) * len(codes))
    return flat.reshape(len(texts), len(codes)).astype(np.float64), sizes.astype(np.float64)


def fused(lexical: Numbers, dense: Numbers) -> Numbers:
    """The mean of both legs' scores; the lexical one alone where no vectors were compared."""
    return np.where(np.isnan(dense), lexical, 0.5 * (lexical + np.nan_to_num(dense)))


def _share(values: Numbers) -> Numbers:
    best = float(np.nan_to_num(values).max(initial=0.0))
    return values / best if best > 0 else values


def _reciprocal(ranks: NDArray[np.int64]) -> Numbers:
    return np.where(ranks > 0, 1.0 / np.maximum(ranks, 1), 0.0)


def _bm25(counts: Numbers, sizes: Numbers, mean: float, w: Numbers) -> Numbers:
    """The weight of each passage, as a part of what none can exceed."""
    norm = _K1 * (1 - _B + _B * sizes / max(1.0, mean))
    result: Numbers = counts / (counts + norm[:, None]) @ w
    return result


def _surroundings(pool: Pool, both: Numbers) -> dict[str, Numbers]:
    by_document: dict[int, list[int]] = {}
    for row, candidate in enumerate(pool.rows):
        by_document.setdefault(candidate.document_id, []).append(row)
    best, top, near = (np.zeros(len(pool)) for _ in range(3))
    for members in by_document.values():
        scores = np.sort(both[members])[::-1]
        best[members], top[members] = scores[0], scores[:3].sum() / 3
        at = {pool.rows[row].ordinal: both[row] for row in members}
        for row in members:
            ordinal = pool.rows[row].ordinal
            near[row] = max(at.get(ordinal - 1, 0.0), at.get(ordinal + 1, 0.0))
    return {"document_best": best, "document_top": top, "neighbours": near}


SHIPPED = Path(__file__).with_name("ranker.json")
# In an index's folder: its own ranker and threshold, made by `scripts/tune.py`.
TUNED = "tuned.json"
_LARGEST = 1e9
_DAMAGES = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
# exp() of more overflows; the probability is 0 or 1 to all digits long before.
_LARGEST_ODDS = 700.0


@dataclass(frozen=True, slots=True)
class Ranker:
    """`weights` of shape (len(FEATURES),); `scale` and `bias` turn their sum into log-odds. `threshold` is
    the evidence score below which a question is refused, None for the calibrated one."""

    weights: NDArray[np.float64]
    scale: float = 1.0
    bias: float = 0.0
    threshold: float | None = None

    def parts(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each feature adds to the log-odds: the shape of `rows`, (n, len(FEATURES))."""
        result: NDArray[np.float64] = np.nan_to_num(rows) * (self.scale * self.weights)
        return result

    def probability(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,), 0 to 1: that a passage holds evidence."""
        odds = np.clip(self.parts(rows).sum(axis=1) + self.bias, -_LARGEST_ODDS, _LARGEST_ODDS)
        result: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-odds))
        return result

    def to_json(self) -> str:
        """What `parse` reads, to five significant digits."""
        weights = {name: _short(w) for name, w in zip(FEATURES, self.weights, strict=True)}
        data: dict[str, Any] = {"weights": weights, "scale": _short(self.scale), "bias": _short(self.bias)}
        if self.threshold is not None:
            data["threshold"] = _short(self.threshold)
        return json.dumps(data, indent=1)


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")


def load_ranker(path: Path | None = None) -> Ranker:
    """The shipped ranker, or one from `path`; read once for each state of the file. Raises ConfigError where
    it cannot be read or does not fit this version's features."""
    file = path or SHIPPED
    try:
        state = file.stat()
    except OSError as error:
        raise ConfigError(f"The ranker {file} cannot be read ({error.strerror}).") from error
    return _load(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _load(file: Path, changed_ns: int, size: int) -> Ranker:
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except _DAMAGES as error:
        problem = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        mend = (
            "It is part of Citewise: install that again."
            if file == SHIPPED
            else "Make it anew with: python scripts/tune.py SET; or delete it: then the shipped one is used."
        )
        raise ConfigError(f"{file} is no ranker for this version of Citewise ({problem}). {mend}") from error


def parse(data: Mapping[str, Any]) -> Ranker:
    """A ranker from its JSON form. Raises ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError."""
    weights = data["weights"]
    if set(weights) != set(FEATURES):
        odd = sorted(set(weights) ^ set(FEATURES))
        raise ValueError(f"its features are not this version's: {', '.join(odd)}")
    values = np.array([float(weights[name]) for name in FEATURES])
    scale, bias = float(data["scale"]), float(data["bias"])
    threshold = None if data.get("threshold") is None else float(data["threshold"])
    if not (np.abs([*values, scale, bias, threshold or 0.0]) < _LARGEST).all():
        raise ValueError("a weight is not a finite number of a sane size")
    if scale <= 0:
        raise ValueError(f"its scale is {scale}, which would turn the order around")
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise ValueError(f"its threshold is {threshold}, which is no probability")
    return Ranker(values, scale, bias, threshold)
