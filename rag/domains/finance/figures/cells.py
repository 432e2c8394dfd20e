"""A table row as a label and figures, each with its own characters and its value; and how well the label says
what one of several wordings says.

Every word of a wording has to stand in the label; words that a label adds cost according to what they do to
its meaning ("net" not much, "other" or "deferred" nearly all). What a total is after ("net of ...") and whose
it is ("attributable to ...") hardly count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from rag.documents.catalogue import singular
from rag.facts.numerals import CURRENCY_AFTER, CURRENCY_BEFORE, fold, numerals
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.parsers.pdf_rows import is_blank_figure
from rag.types import Block

_RE = Patterns(__file__)
_STOP = _RE.words("stop")
_NEUTRAL = _RE.words("neutral")
_CHANGING = _RE.words("changing")
BRACKETS = _RE["brackets"]
_FOLDS = {
    "stockholder": "shareholder", "shareowner": "shareholder", "earning": "income", "payment": "purchase",
    "addition": "purchase", "acquire": "purchase", "deficit": "equity",
}  # fmt: skip
_FILLING = {"net": 0.03, "total": 0.03, "paid": 0.1}
_UNSAID = frozenset(("total", "amount", "value", "number", "balance", "figure", "company", "group"))
_AT_END = frozenset(("end", "year", "period", "ending", "closing"))
_NEUTRAL_COST, _COST, _CHANGING_COST = 0.04, 0.14, 0.45


def wording_score(label: str, section: str, wordings: Sequence[str]) -> float:
    """How well a label says an item, 0..1; where it says too little by itself ("Basic"), with its section."""
    whole = _RE["net_of"].sub("", label) or label
    short = _RE["of_owners"].sub("", whole) or whole
    own = _words(short)
    both = _words(f"{section} {short}")
    best = 0.0
    for rank, wording in enumerate(wordings):
        words = _words(wording)
        if not words:
            continue
        alone = max(_overlap(words, own), _overlap(words, _words(whole)) if short != whole else 0.0)
        if short != whole and "attributable" in words:  # whoever owns the company
            kept = tuple(w for w in words if w not in ("common", "shareholder", "company"))
            alone = max(alone, _overlap(kept, (*own, "attributable")))
        # "Basic", under "Net income per share".
        joined = _overlap(words, both) - 0.05 if own and set(own) <= {*words, "total"} else 0.0
        best = max(best, max(alone, joined) - 0.01 * rank)
    return best - (0.05 if short != whole and best else 0.0)


def _overlap(words: tuple[str, ...], label: tuple[str, ...]) -> float:
    held = list(label)
    missing = 0.0
    for word in words:
        if word in held:
            held.remove(word)
        elif word in _FILLING:
            missing += _FILLING[word]
        else:
            return 0.0
    # A total is what is asked for, unless parts are.
    cost = -0.05 if "total" in held else 0.0
    held = [w for w in held if w != "total"]
    cost += sum(_NEUTRAL_COST if w in _NEUTRAL else _CHANGING_COST if w in _CHANGING else _COST for w in held)
    apart = 0.0 if " ".join(words) in " ".join(label) else 0.03
    return 1.0 - cost - missing - apart


def calling_score(label: str, around: str, name: str, head: str = "") -> float:
    """How surely a name calls the line of a label, 0..1: the label has its words and few others, or it has
    the label's and the rest stand in the column's `head` or `around` the line (its section, its table's
    title), which do not say them all."""
    called, own, near = _words(name), _words(label), frozenset(_words(around))
    called = tuple(w for w in called if w in own or w not in _UNSAID)
    if not called or not own:
        return 0.0
    if set(called) <= set(own):
        return min(1.0, _overlap(called, tuple(w for w in own if w in called or w not in _AT_END)))
    rest = set(called).difference(own)
    known = set(own) <= {*called, "total"} and rest <= near.union(_words(head))
    return 0.9 - 0.01 * len(rest) if known and not set(called) <= near else 0.0


def calling_words(text: str) -> frozenset[str]:
    """The words that a line called so has to have, or a column's head."""
    return frozenset(_words(text)) - _UNSAID


@lru_cache(maxsize=16384)
def _words(text: str) -> tuple[str, ...]:
    """The words of a label or a wording that count, folded: singular, one word for shareholders of all
    kinds, no brackets; Chinese by its characters."""
    if has_han(text):
        plain = BRACKETS.sub("", text)
        return tuple(c for c in plain.split("：")[-1] if c.isalnum())
    plain = BRACKETS.sub(" ", text).lower().replace("’", "'") or text.lower()
    words = [_one(w.removesuffix("'s").rstrip("'")) for w in _RE["latin"].findall(plain)]
    words = [_FOLDS.get(w, w) for w in words if w not in _STOP]
    # "Credit losses" are no loss of the company.
    if "loss" in words and "income" in words:
        words = [w for w in words if w != "loss"]
    elif _RE["loss_line"].match(plain.strip()):
        words = ["income" if w == "loss" else w for w in words]
    if "common" in words and "preferred" in words:
        words = [w for w in words if w not in ("common", "preferred")]
    if "tax" in words:
        words = ["provision" if w in ("benefit", "expense") else w for w in words]
    return tuple(words)


def _one(word: str) -> str:
    """A word without its plural: "taxes", "inventories", "losses", "sales"."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("xes", "sses")) else singular(word)


@dataclass(frozen=True, slots=True)
class FigureCell:
    """A figure as printed at `[start, end)` of the document. `value` is what stands there: brackets are a
    minus, a dash is nil (0), "n/a" is None, a percent sign is kept apart; a scale that the cell itself states
    ("3.2 million") is applied, that of its table is not. `place` is its column, counted from 0."""

    start: int
    end: int
    printed: str
    value: Decimal | None
    percent: bool = False
    currency: str = ""
    place: int = 0
    scaled: bool = False


def read_figure(text: str) -> FigureCell | None:
    """The figure that is all of `text`, with offsets into it; None where it says anything else."""
    folded = fold(text)
    begin = len(folded) - len(folded.lstrip())
    stop = len(folded.rstrip())
    if begin >= stop:
        return None
    printed = text[begin:stop]
    if is_blank_figure(printed):
        # Words such as "n/a" say that there is none; only a dash says that it is nil.
        nil = not any(c.isalnum() for c in printed) and printed not in ("*", "#")
        return FigureCell(begin, stop, printed, Decimal(0) if nil else None)
    found = [n for n in numerals(folded[:stop]) if n.style == "digits"][:1]
    before = _RE["before"].fullmatch(folded, begin, found[0].start) if found else None
    behind = _RE["behind"].fullmatch(folded, found[0].end, stop) if found else None
    if before is None or behind is None:
        return None
    value = Decimal(found[0].value.numerator) / found[0].value.denominator
    brackets = "(" in before.group() and ")" in behind.group()
    currency = CURRENCY_BEFORE.get((before["currency"] or "").lower(), "")
    return FigureCell(
        begin, stop, printed, -value if brackets or "-" in before.group() else value,
        percent="%" in behind.group(), currency=currency or CURRENCY_AFTER.get(behind["yuan"] or "", ""),
        scaled=found[0].scaled or bool(behind["yuan"]),
    )  # fmt: skip


def read_cells(row: Block, text: str) -> tuple[str, tuple[FigureCell, ...]]:
    """A row of a table, whose text is `text`: the words in front of its figures on one line, and these."""
    label, found = "", []
    for cell in row.cells:
        words = text[cell.start - row.start : cell.end - row.start]
        figure = read_figure(words)
        if figure is None:
            label = label or " ".join(words.split())
        elif cell.column:
            start, end = cell.start + figure.start, cell.start + figure.end
            found.append(replace(figure, start=start, end=end, place=cell.column))
    return label, tuple(found)
