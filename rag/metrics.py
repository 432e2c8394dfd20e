"""Pure measures: when a passage hits the evidence, ranks to scores, containment of answers, confidence
intervals."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.text import normalise

# Runs of this many letters that occur in both texts count as the same words. Shorter ones are shared by
# chance ("of the agreement"); longer ones break where a parser put a footnote mark into a quote.
_SHINGLE = 12
_HALF = 0.5
_ANSWER_TOKEN = re.compile(r"[\u3400-\u9fff]|\d+(?:\.\d+)*%?|[^\W\d_\u3400-\u9fff]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """Where an answer stands: a document, narrowed by a 1-based page or a verbatim quote; with neither, all
    of it."""

    document: str
    page: int | None = None
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved or shown text and where it stands; pages are 1-based, None without pages."""

    document: str
    text: str
    page: int | None = None
    last_page: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over `n` questions with its 95 % interval (percentile bootstrap over the questions)."""

    value: float
    low: float
    high: float
    n: int


def letters(text: str) -> str:
    """Letters and digits only, NFKC and lower case: white space and punctuation do not count."""
    return "".join(c for c in normalise(text) if c.isalnum())


def coverage(part: str, whole: str) -> float:
    """Share (0..1) of the letters of `part` that stand in `whole`, in runs of twelve letters or more (the
    whole of `part` where it is shorter). Both are as `letters` makes them."""
    width = min(_SHINGLE, len(part))
    if not width:
        return 0.0
    if part in whole:
        return 1.0
    known = {whole[i : i + width] for i in range(len(whole) - width + 1)}
    covered, reach = 0, 0
    for i in range(len(part) - width + 1):
        if part[i : i + width] in known:
            covered += i + width - max(i, reach)
            reach = i + width
    return covered / len(part)


def same_document(path: str, wanted: str) -> bool:
    """Whether an index's path is the wanted one, or ends in it: the index may have been built from a folder
    above."""
    path, wanted = unicodedata.normalize("NFC", path), unicodedata.normalize("NFC", wanted)
    return path == wanted or path.endswith(f"/{wanted}")


def is_hit(passage: Passage, entry: EvidenceEntry) -> bool:
    """A passage hits an entry when it is from that document and, with `page`, overlaps that page; with
    `quote`, when at least half of the quote lies in the passage or at least half of the passage lies in the
    quote."""
    if not same_document(passage.document, entry.document):
        return False
    if entry.page is not None:
        first = passage.page
        if first is None or not first <= entry.page <= (passage.last_page or first):
            return False
    if not entry.quote:
        return True
    text, quote = letters(passage.text), letters(entry.quote)
    return coverage(quote, text) >= _HALF or coverage(text, quote) >= _HALF


def first_rank(passages: Sequence[Passage], entries: Sequence[EvidenceEntry]) -> int | None:
    """1-based rank of the first passage that hits any entry."""
    return next((r for r, p in enumerate(passages, 1) if any(is_hit(p, e) for e in entries)), None)


def first_document_rank(passages: Sequence[Passage], entries: Sequence[EvidenceEntry]) -> int | None:
    """1-based rank of the first passage from any entry's document, wherever in it."""
    return first_rank(passages, [EvidenceEntry(e.document) for e in entries])


def reciprocal_rank(rank: int | None, cutoff: int = 10) -> float:
    return 1.0 / rank if rank is not None and rank <= cutoff else 0.0


def gains(passages: Sequence[Passage], entries: Sequence[EvidenceEntry]) -> list[int]:
    """1 for each passage that hits an entry not yet counted, else 0: each entry is worth one passage, so
    that many passages of one page do not look like many finds."""
    left = list(entries)
    found: list[int] = []
    for passage in passages:
        entry = next((e for e in left if is_hit(passage, e)), None)
        if entry is not None:
            left.remove(entry)
        found.append(int(entry is not None))
    return found


def ndcg(found: Sequence[int], relevant: int, cutoff: int = 10) -> float:
    """Normalised discounted cumulative gain with the discount 1/log2(rank + 1) (Järvelin and Kekäläinen,
    2002)."""
    ideal = sum(1.0 / math.log2(r + 1) for r in range(1, min(relevant, cutoff) + 1))
    actual = sum(g / math.log2(r + 1) for r, g in enumerate(found[:cutoff], 1))
    return actual / ideal if ideal else 0.0


def recall(passages: Sequence[Passage], entries: Sequence[EvidenceEntry], cutoff: int) -> float:
    """Share of the entries that the first `cutoff` passages hit."""
    shown = passages[:cutoff]
    return sum(any(is_hit(p, e) for p in shown) for e in entries) / len(entries) if entries else 0.0


def contains_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether any accepted answer stands in the text as whole words: case, punctuation and thousands
    separators do not count, decimal points do."""
    inside = _answer_tokens(text)
    return any(tokens in inside for tokens in map(_answer_tokens, answers) if tokens.strip())


def _answer_tokens(text: str) -> str:
    plain = _THOUSANDS.sub("", normalise(text))
    return f" {' '.join(_ANSWER_TOKEN.findall(plain))} "


def measure(values: Sequence[float], *, seed: int = 0, resamples: int = 1000) -> Measure:
    """Mean and 95 % percentile bootstrap interval (Efron, 1979); all zero for no values."""
    if not values:
        return Measure(0.0, 0.0, 0.0, 0)
    sample = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    means = np.array(
        [sample[generator.integers(0, len(sample), len(sample))].mean() for _ in range(resamples)]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    return Measure(float(sample.mean()), float(low), float(high), len(sample))


def percentile(values: Sequence[float], share: float) -> float:
    """Value below which `share` (0..1) of the values lie, linear between neighbours; 0 for no values."""
    return float(np.percentile(np.asarray(values), share * 100)) if values else 0.0
