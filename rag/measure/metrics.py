"""Pure measures: when a passage hits the evidence, ranks to scores, whether a text states what an accepted
answer states (its figures by value, its yes or no, its words), confidence intervals.

Wordings differ: "$1,450mn", "USD 1,450.0 million" and "1,450" of a table in millions are one figure, 0.75%
and 0.0075 too. A figure is stated when the text holds a value that, at the places of the accepted one, is it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import PositiveInt, StringConstraints

from rag.facts.numerals import same_currency
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity, QuantityMatch, compare
from rag.languages.text import content_tokens, letters, normalise
from rag.types import Evidence, Hit

Scores = dict[str, float]
CUTOFFS = (1, 3, 5, 10, 20, 100)
# Runs of this many letters that occur in both texts count as the same words. Shorter ones are shared by
# chance ("of the agreement"); longer ones break where a parser put a footnote mark into a quote.
_SHINGLE = 12
_HALF = 0.5
_RESAMPLES = 1000
_Z = 1.959964  # 97.5 % quantile of the normal distribution
_ANSWER_TOKEN = re.compile(r"[\u3400-\u9fff]|\d+(?:\.\d+)*%?|[^\W\d_\u3400-\u9fff]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """Where an answer stands: a document, narrowed by a 1-based page or a verbatim quote; with neither, all
    of it."""

    document: Annotated[str, StringConstraints(min_length=1)]
    page: PositiveInt | None = None
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


def coverage(part: str, whole: str) -> float:
    """Share (0..1) of the letters of `part` that stand in `whole`, in runs of twelve letters or more (the
    whole of `part` where it is shorter). Both are as `rag.languages.text.letters` makes them."""
    width = min(_SHINGLE, len(part))
    if not width:
        return 0.0
    if part in whole:
        return 1.0
    known = {whole[i : i + width] for i in range(len(whole) - width + 1)}
    begins = (i for i in range(len(part) - width + 1) if part[i : i + width] in known)
    return len({at for i in begins for at in range(i, i + width)}) / len(part)


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
    return _overlap(passage.text, entry.quote)


@lru_cache(maxsize=2048)  # one question asks about the same pairs for every measure and every ablation
def _overlap(passage: str, quoted: str) -> bool:
    text, quote = letters(passage), letters(quoted)
    return coverage(quote, text) >= _HALF or coverage(text, quote) >= _HALF


def hits_any(passage: Passage, entries: Sequence[EvidenceEntry]) -> bool:
    return any(is_hit(passage, entry) for entry in entries)


def first_rank(passages: Sequence[Passage], entries: Sequence[EvidenceEntry]) -> int | None:
    """1-based rank of the first passage that hits any entry."""
    return next((r for r, p in enumerate(passages, 1) if hits_any(p, entries)), None)


def first_document_rank(passages: Sequence[Passage], entries: Sequence[EvidenceEntry]) -> int | None:
    """1-based rank of the first passage from any entry's document, wherever in it."""
    return first_rank(passages, [EvidenceEntry(e.document) for e in entries])


def rank_scores(passages: Sequence[Passage], entries: Sequence[EvidenceEntry], depth: int) -> Scores:
    """Every retrieval measure of one question by name, for a list of `depth` passages or fewer.

    No passages: nothing was found, all zero. Measures deeper than `depth` are left out, not guessed."""
    rank = first_rank(passages, entries)
    document_rank = first_document_rank(passages, entries)
    cutoffs = [k for k in CUTOFFS if k <= depth]
    scores = {f"hit@{k}": float(rank is not None and rank <= k) for k in cutoffs}
    scores |= {f"document hit@{k}": float(document_rank is not None and document_rank <= k) for k in cutoffs}
    scores["MRR@10"] = 1.0 / rank if rank is not None and rank <= 10 else 0.0
    return scores


def passage(hit: Hit) -> Passage:
    return Passage(hit.document.path, hit.chunk.text, hit.chunk.page, hit.chunk.last_page)


def is_shown(e: Evidence, entries: Sequence[EvidenceEntry]) -> bool:
    return hits_any(Passage(e.document.path, e.text, e.page, e.page), entries)


def contains_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether any accepted answer stands in the text as whole words: case, punctuation and thousands
    separators do not count, decimal points do."""
    inside = _answer_tokens(text)
    return any(tokens in inside for tokens in map(_answer_tokens, answers) if tokens.strip())


def _answer_tokens(text: str) -> str:
    plain = _THOUSANDS.sub("", normalise(text))
    return f" {' '.join(_ANSWER_TOKEN.findall(plain))} "


def measure(values: Sequence[float]) -> Measure:
    """Mean and 95 % percentile bootstrap interval (Efron, 1979); all zero for no values."""
    if not values:
        return Measure(0.0, 0.0, 0.0, 0)
    sample = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(0)
    means = sample[generator.integers(0, len(sample), (_RESAMPLES, len(sample)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Measure(float(sample.mean()), float(low), float(high), len(sample))


def share(values: Sequence[float]) -> Measure:
    """Share of ones among zeros and ones with its 95 % score interval (Wilson, 1927), which says something
    of few questions too, and of none or all of them; all zero for no values."""
    n = len(values)
    if not n:
        return Measure(0.0, 0.0, 0.0, 0)
    p, z2 = sum(values) / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Measure(p, max(0.0, middle - reach), min(1.0, middle + reach), n)


def balanced(granted: Measure, wrongly: Measure) -> Measure:
    """Balanced accuracy of a judgement: the mean of the share of true ones that it grants and that of the
    others that it does not; its interval joins those of the two, which are independent."""
    low, high = (
        math.hypot(granted.value - granted.low, wrongly.high - wrongly.value) / 2,
        math.hypot(granted.high - granted.value, wrongly.value - wrongly.low) / 2,
    )
    value = (granted.value + 1 - wrongly.value) / 2
    return Measure(value, value - low, value + high, granted.n + wrongly.n)


_FIGURES = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
# Money is printed in any of these; a bare share may be a fraction or a percentage.
_SCALES = (1, 10**3, 10**6, 10**9, 10**4, 10**8)
_NAMED = {"": 1, "percent": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_MOST = 2 / 3
_PERCENT = Fraction(1, 100)
# An answer of at most so many other words is its figures or its date; so many figures are all needed.
_FEW = 2
_ALL_WORDS = 3
_SMALL = 10
_VERDICT = re.compile(
    r"(?:^|[.\n。]\s*)[“\"]?(?P<said>yes|no|maybe|是的?|不是|否)(?=[\s,.:;，。：；]|$)", re.IGNORECASE
)
VERDICTS = {"yes": "yes", "是": "yes", "是的": "yes", "no": "no", "否": "no", "不是": "no", "maybe": "maybe"}


def states_answer(text: str, answers: Sequence[str], scale: str | None = None) -> bool:
    """Whether the text states one of the accepted answers.

    An answer is stated in its own words, one that is nothing but a figure or a date by its value. Of an
    answer's figures at least half have to be stated (it may spell out the way there), of one or two all, and
    a verdict of the text must not be the other one. An answer without figures is stated by its verdict, and
    one without that by its content words, of more than three by two thirds. `scale` ("thousand", "percent",
    ... or "") is what accepted figures are in; where it is None a figure may be printed in any."""
    return any(_states(text, answer, scale) for answer in answers)


def verdict(text: str) -> str | None:
    """ "yes", "no" or "maybe" where a sentence of the text begins with it, in either language."""
    m = _VERDICT.search(text)
    return None if m is None else VERDICTS[m["said"].lower()]


def _states(text: str, answer: str, scale: str | None) -> bool:
    if (said := VERDICTS.get(letters(answer))) is not None:
        return verdict(text) == said
    quantities = extract(answer)
    bare = not letters(_without(answer, quantities))
    code = re.fullmatch(r"0\d+", answer) is not None  # 000123 is no number
    if (code or not bare) and contains_answer(text, [answer]):
        return True
    wanted = _decisive(answer, quantities)
    own = verdict(answer)
    if code or (not wanted and own is None):
        return not bare and _says(text, answer)
    if not wanted:
        return verdict(text) == own
    if own is not None and verdict(text) not in (None, own):
        return False
    held = extract(text)
    stated = sum(any(_same(w, h, scale) for h in held) for w in wanted)
    return stated == len(wanted) if len(wanted) <= _FEW else stated * 2 >= len(wanted)


def _says(text: str, answer: str) -> bool:
    """Whether most content words of the answer stand in the text: of up to three all, and one alone as it is
    written, but for a plural: a stem is shared by other words ("dyes", "Dyeing Works")."""
    words = frozenset(content_tokens(answer))
    if len(words) <= 1:
        return contains_answer(text, [f"{answer}s", answer.removesuffix("s")])
    found = len(words & frozenset(content_tokens(text)))
    return found >= (len(words) if len(words) <= _ALL_WORDS else _MOST * len(words))


def _without(text: str, quantities: Sequence[Quantity]) -> str:
    for quantity in reversed(quantities):
        text = text[: quantity.start] + " " + text[quantity.end :]
    return text


def _decisive(answer: str, quantities: Sequence[Quantity]) -> list[Quantity]:
    """The quantities that make the answer what it is: its figures (a small count beside words is one of
    them); without any, the dates and references of an answer of few other words."""
    others = len(content_tokens(_without(answer, quantities)))
    figures = [q for q in quantities if q.kind in _FIGURES and not (others and _count(q))]
    if figures or others > _FEW:
        return figures
    return [q for q in quantities if q.kind not in _FIGURES]


def _same(wanted: Quantity, held: Quantity, scale: str | None) -> bool:
    """Whether `held`, rounded at the last place of `wanted`, is it; the sign often stands in words. A
    ratio ("45/140") has no last place: `held` is then rounded at its own, at percents at the coarsest."""
    if wanted.kind is Kind.NUMBER and held.kind is Kind.REFERENCE:
        return wanted.text == held.label  # "5.2" of "clause 5.2"
    if not {wanted.kind, held.kind} <= _FIGURES:
        return compare(wanted, held) is not QuantityMatch.DIFFERENT
    if _other_unit(wanted, held):
        return False
    value, step = abs(wanted.value), wanted.step or min(held.step, _PERCENT)
    while 0 < step < 1 and value and not value % (step * 10):
        step *= 10  # "$212.00" says no more than 212
    shares = Kind.SHARE in (wanted.kind, held.kind)
    if shares and {wanted.kind, held.kind} - {Kind.SHARE, Kind.NUMBER}:
        return False
    factors: tuple[Fraction, ...] = (Fraction(1),)
    if shares and wanted.kind is not held.kind:
        factors = (Fraction(1), Fraction(1, 100), Fraction(100))
    elif Kind.MONEY in (wanted.kind, held.kind) or (wanted.kind is Kind.NUMBER and not _count(wanted)):
        scales = _SCALES if scale is None else (1, _NAMED.get(scale, 1))
        factors = tuple(Fraction(a, b) for a in scales for b in scales if 1 in (a, b))
    return any(abs(abs(held.value) * f - value) * 2 <= step for f in factors)


def _count(quantity: Quantity) -> bool:
    return quantity.kind is Kind.NUMBER and quantity.step >= 1 and abs(quantity.value) < _SMALL


def _other_unit(a: Quantity, b: Quantity) -> bool:
    """Whether the two have units, and not the same one; shares and bare numbers agree with each other."""
    if not (a.unit and b.unit) or a.unit == b.unit or Kind.SHARE in (a.kind, b.kind):
        return False
    return not (a.kind is b.kind is Kind.MONEY and same_currency(a.unit, b.unit))
