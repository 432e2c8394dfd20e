"""A table row as a label and figures, each with its own characters and its value; the period, unit and scale
of each column by its heads and the lines above; and how well a label says what one of several wordings says.

Every word of a wording has to stand in the label; words that a label adds cost according to what they do to
its meaning ("net" not much, "other" or "deferred" nearly all). What a total is after ("net of ...") and whose
it is ("attributable to ...") hardly count.

"(In thousands) Six Months Ended June 30, | 2023 | 2022" heads two columns: six months that end on 30 June of
the year 2023 and of the year before. Dates become fiscal quarters by the calendar of the document: what its
report covers and the day on which that ends. Nothing is guessed where a head says no period: `year` is 0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from rag.documents.catalogue import singular
from rag.domains.finance.concepts import ReportFacts
from rag.facts.dates import MONTHS, dates, with_capitals
from rag.facts.numerals import CURRENCY_AFTER, CURRENCY_BEFORE, SPELLED, fold, numerals
from rag.facts.quantities import header_scales
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.parsers.pdf_rows import is_blank_figure
from rag.types import Block

_RE = Patterns(__file__, spelled=SPELLED)
_QUARTERS = {"Q1": 1, "Q2": 2, "H1": 2, "Q3": 3, "9M": 3, "Q4": 4, "H2": 4, "FY": 4}
_DAYS_A_MONTH = 30.44
_PERIOD_WORDS = _RE.words("period_words") | MONTHS.keys()


def units_sentence(above: str) -> str:
    """The last line above a table that speaks of units."""
    found = [m.group() for m in _RE["unit_line"].finditer(above) if len(m.group()) <= 160]
    return found[-1] if found else ""


@dataclass(frozen=True, slots=True)
class ColumnUnit:
    """What the figures of a table are multiplied by and their currency ("" where nothing says it). `stated`:
    a scale, or that there is none, is said. `shares` is the factor of numbers of shares."""

    factor: int = 1
    currency: str = ""
    stated: bool = False
    shares: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures. `year` is the fiscal year (0: not known), `part` "FY", "Q1" to "Q4", "H1" or
    "9M"; a day counts as the end of the quarter that it closes (Q4 is "FY"). `ended` is the ISO day where one
    is printed. `change`: percentages and differences between columns. `other` holds words that set the
    column apart ("Restated")."""

    text: str
    year: int = 0
    part: str = ""
    ended: str = ""
    change: bool = False
    other: str = ""
    unit: ColumnUnit | None = None


def read_unit(text: str) -> ColumnUnit:
    """The scale and currency that a head, a title or the lines above a table state."""
    folded = fold(text)
    scales = header_scales(folded)
    currency_mark = _RE["currency"].search(folded)
    name = (currency_mark.group().lower() if currency_mark else "").replace("dollars", "$")
    found = next((c for _, c in scales if c), "") or CURRENCY_BEFORE.get(name, "")
    found = "USD" if found == "$" else found
    factor = int(scales[0][0]) if scales else 1
    shares = 1 if _RE["shares_apart"].search(_RE["per_share"].sub("", folded)) else factor
    if (m := _RE["shares_in"].search(folded)) and "except" in folded.lower():
        shares = 1000 if m["scale"].lower() == "thousands" else 1_000_000
    return ColumnUnit(factor, found, bool(scales) or _RE["plain_unit"].search(text) is not None, shares)


def read_columns(
    common: str, heads: Sequence[str], facts: ReportFacts, *, instant: bool
) -> tuple[Column, ...]:
    """The columns of a table. `instant`: figures of a day (a balance sheet), not of a period."""
    years = [year for head in heads for year in _years(head)] or _years(common)
    anchor = _anchor(years, facts)
    return tuple(_column(common, head, facts, anchor, instant) for head in heads)


def _anchor(years: Sequence[int], facts: ReportFacts) -> int:
    """The year that bare years call the report's own: its fiscal year, but for a table that goes by the
    calendar year in which that ends."""
    own = facts.years[0] if facts.years else 0
    closes = int(facts.ended[:4]) if facts.ended else 0
    if closes in years and not set(facts.years) & set(years):
        return closes
    return own or closes or max(years, default=0)


def _column(common: str, head: str, facts: ReportFacts, anchor: int, instant: bool) -> Column:
    column = Column(head, change=_RE["change"].search(head) is not None, other=_other(head))
    unit = read_unit(head)
    if unit.stated:
        column = replace(column, unit=unit)
    if column.change and not re.search(r"amount|金额", head, re.I):
        return column
    own = _years(head)
    day = _day(head) or (_day(head, own[0]) or _day(common, own[0]) if own else _day(common))
    months = _months(head) or _months(common)
    current = facts.years[0] if facts.years else anchor
    if day is not None:
        year, quarter = fiscal_day(day, facts)
        span = None if instant else months or (12 if facts.part in ("FY", "") else None)
        return replace(column, year=year, part=part_of(quarter, span), ended=day.isoformat())
    part = _word_part(head, common, months, facts, instant)
    if own:
        return replace(column, year=current + own[0] - anchor if anchor else own[0], part=part)
    if _RE["previous"].search(head) and current:
        return replace(column, year=current - 1, part="FY" if _RE["opening"].search(head) else part)
    return replace(column, year=current, part=part) if _RE["current"].search(head) and current else column


def _other(head: str) -> str:
    """Words of a head that say more than a period, a unit and an audit."""
    plain = _RE["no_words"].sub(" ", head)
    words = re.findall(r"[A-Za-z]{3,}|[\u4e00-\u9fff]+", plain)
    return " ".join(w for w in words if w.lower().rstrip(".") not in _PERIOD_WORDS)


def _day(text: str, year: int = 0) -> date | None:
    """The first day of a text; the day of "Years ended December 31," in a year that another head gives."""
    for found in dates(with_capitals(fold(text))):
        p = found.period
        if p.month and p.day and bool(p.year) != bool(year):
            with suppress(ValueError):
                return date(p.year or year, p.month, p.day)
    return None


def _years(text: str) -> list[int]:
    text = _RE["short_year"].sub(r"FY20\1", fold(text))
    return [f.period.year for f in dates(with_capitals(text)) if f.period.year]


def _months(text: str) -> int | None:
    """How many months a head says that its period has."""
    if m := _RE["months"].search(text):
        if m["quarter"]:
            return 3
        count = int(numerals(m["n"])[0].value)
        if m["unit"].lower().startswith("week"):
            return max(1, round(count / 13)) * 3 if count >= 12 else None
        return count
    if _RE["nine_word"].search(text):
        return 9
    if _RE["half_word"].search(text):
        return 6
    return 12 if _RE["years_ended"].search(text) else None


def fiscal_day(day: date, facts: ReportFacts) -> tuple[int, int]:
    """The fiscal year and quarter that a day closes, by the report's own period and its last day."""
    if not (facts.years and facts.ended):
        return day.year, _QUARTERS.get(facts.part, 4)
    last = date.fromisoformat(facts.ended)
    back = round((last - day).days / (3 * _DAYS_A_MONTH))
    index = 4 * facts.years[0] + _QUARTERS.get(facts.part, 4) - back
    return (index - 1) // 4, (index - 1) % 4 + 1


def part_of(quarter: int, months: int | None) -> str:
    """The part of a year: what ends with a quarter after so many months; None: a day, or not said."""
    if months is None:
        return "FY" if quarter == 4 else f"Q{quarter}"
    if months == 3:
        return f"Q{quarter}"
    return {(6, 2): "H1", (9, 3): "9M", (12, 4): "FY", (6, 4): "H2"}.get((months, quarter), f"{months}M")


def _word_part(head: str, common: str, months: int | None, facts: ReportFacts, instant: bool) -> str:
    for text in (head, common):
        if m := _RE["quarter_word"].search(text):
            return f"Q{numerals(m['q'] or m['q1'] or m['zq'])[0].value}"
        if _RE["half_word"].search(text):
            return "H1"
    quarter = _QUARTERS.get(facts.part, 4)
    if instant:
        return part_of(quarter, None)
    if months is None:
        return facts.part if facts.part in _QUARTERS and facts.part != "Q4" else "FY"
    return part_of(quarter, months)


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
