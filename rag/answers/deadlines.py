"""Dates that are worked out: what day is so many days, months or working days from another, by when something
has to be done, how many days lie between two days.

The day counted from is in the question, or in the sentence that says when the event was which a rule counts
from ("within 60 days after the award is received"). It is not counted itself; a month ends on the day of its
number, or on its last one. Working days leave out the public holidays of the country that the question or the
document of the rule names; where none is named, or several are, they are told by weekends alone."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

import numpy as np

from rag.answers.bearing import TURNS, of_other_degree
from rag.domains.finance.figures import Computed
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind, Quantity
from rag.index import Index
from rag.languages import listed, named, patterns, say
from rag.languages.text import content_tokens, in_one_piece
from rag.questions.expects import AnswerType
from rag.questions.query import Query
from rag.search.evidence import Selection, select
from rag.types import Evidence, Filters

_RE = patterns("deadlines")
_UNITS = frozenset({"day", "month", "business day"})
# A rule holds so much of what is asked beside the day itself.
_BEARS = 0.5
_MOST = 1200
_SEARCHED = 10
_OPENING = 3000  # characters of a document that say where it holds


@dataclass(frozen=True, slots=True)
class Term:
    """So many days or months before or after an event, as a text states it; `event` is in its words, ""
    where it names none."""

    length: Quantity
    before: bool
    event: str = ""

    def from_day(self, base: date, country: str = "") -> date | None:
        """The day counted to, working days without the holidays of a `country` (ISO 3166); None beyond the
        calendar."""
        count = int(self.length.value) * (-1 if self.before else 1)
        try:
            if self.length.unit == "month":
                year, month = divmod(base.year * 12 + base.month - 1 + count, 12)
                return date(year, month + 1, min(base.day, monthrange(year, month + 1)[1]))
            if self.length.unit == "day":
                return base + timedelta(days=count)
            if (calendar := _holidays(country)) is not None:
                return calendar.get_nth_working_day(base, count)  # type: ignore[no-any-return]
            roll: Literal["forward", "backward"] = "forward" if self.before else "backward"
            return np.busday_offset(base, count, roll=roll).astype(date)  # type: ignore[no-any-return]
        except (ValueError, OverflowError):
            return None


@cache
def _holidays(country: str) -> Any:
    """The public holidays of a country, by day, with its weekends; None for none."""
    if not country:
        return None
    import holidays

    return holidays.country_holidays(country)


@cache
def _countries() -> tuple[re.Pattern[str], dict[str, str]]:
    codes = {
        name.replace("_", " "): code for code, _, name in (p.partition("=") for p in listed("countries"))
    }
    names = "|".join(map(re.escape, sorted(codes, key=lambda name: -len(name))))
    return re.compile(rf"(?<![A-Za-z])(?:{names})(?![A-Za-z])"), codes


def country_of(*texts: str) -> str:
    """The one country that the first of the texts to name any names, as its ISO 3166 code; "" for none, and
    where it names several."""
    pattern, codes = _countries()
    found = (frozenset(codes[m[0]] for m in pattern.finditer(text)) for text in texts)
    first = next(filter(None, found), frozenset())
    return next(iter(first)) if len(first) == 1 else ""


def find_date(
    query: Query, found: Selection, index: Index, filters: Filters | None = None
) -> Computed | None:
    """The day or the days between that the question asks for, worked out; None where it asks for none, or
    where what it takes is not stated plainly."""
    held = extract(fold(query.text))
    days = days_in(held)
    if sides := _RE["between"].search(query.text):
        return _between([sides[g] for g in sides.groupdict() if sides[g]], query, index, filters)
    asked = bool(_RE["asked"].search(query.text))
    if len(days) > 1 or not (asked or (days and query.expects is AnswerType.DATE)):
        return None
    if days and (own := terms_of(query.text)):
        return _computed(own[0], days[0], (), query, index) if len(own) == 1 else None
    names = content_tokens(" ".join(query.names)) if query.names else []
    matter = [t for t in content_tokens(_RE["asked"].sub(" ", query.text)) if t not in names]
    rules = (*found.evidence, *_undated(query, held, index, filters))
    fitting = [(rule, terms_of(rule.in_force or rule.text), _share(matter, rule)) for rule in rules]
    fitting = [one for one in fitting if len(one[1]) == 1 and one[2] >= _BEARS]
    fitting = [one for one in fitting if not of_other_degree(query, one[0].words, said=True, by=TURNS)]
    most = max((share for _, _, share in fitting), default=0)
    best = [(rule, term) for rule, (term,), share in fitting if share == most]
    if len({(term.length.value, term.length.unit, term.before) for _, term in best}) > 1:
        return None  # which of them is meant
    for rule, term in best:
        if days:
            return _computed(term, days[0], (rule,), query, index)
        if event := _day_of(term.event, query, index, filters):
            return _computed(term, event[0], (rule, event[1]), query, index)
    return None


def _between(sides: Sequence[str], query: Query, index: Index, filters: Filters | None) -> Computed | None:
    """The days from one of two days or events to the other."""
    found: list[tuple[date, Sequence[Evidence]]] = []
    for side in sides:
        if own := days_in(extract(fold(side))):
            found.append((own[0], ()))
        elif event := _day_of(side, query, index, filters):
            found.append((event[0], event[1:]))
    if len(found) != 2:
        return None
    (first, a), (last, b) = sorted(found, key=lambda one: one[0])
    text = say("deadlines.between", query.language, count=(last - first).days, first=first, last=last)
    return _worded([text], (*a, *(e for e in b if e not in a)), (first, last), query.language)


def _undated(
    query: Query, held: Sequence[Quantity], index: Index, filters: Filters | None
) -> tuple[Evidence, ...]:
    """What is found for the question without its day: a rule does not hold it."""
    day = next((q for q in held if q.kind is Kind.DATE), None)
    rest = f"{query.text[: day.start]} {query.text[day.end :]}" if day else ""
    if not any(map(str.isalnum, rest)):
        return ()
    asked = index.understand(rest)
    return select(asked, index.search(asked, _SEARCHED, filters=filters), index).evidence


def terms_of(text: str) -> list[Term]:
    """The terms that a text states with what they are counted from or to."""
    folded, found = fold(text), []
    for length in extract(folded):
        whole = length.kind is Kind.DURATION and length.unit in _UNITS and length.value.denominator == 1
        if not whole or not 0 < length.value <= _MOST or _RE["hours"].search(length.text):
            continue
        behind, ahead = folded[length.end :], folded[: length.start]
        for key, text_, before in (
            ("after", behind, False), ("before", behind, True),
            ("since", ahead, False), ("until", ahead, True),
        ):  # fmt: skip
            if match := _RE[key].search(text_):
                found.append(Term(length, before, (match["event"] or "").strip()))
                break
    return found


def days_in(held: Sequence[Quantity]) -> list[date]:
    """The days among these quantities, those alone that can be read in one way."""
    found = []
    for p in (q.period for q in held if q.period is not None):
        if p.year and p.month and p.day and not p.swapped and p.day <= monthrange(p.year, p.month)[1]:
            found.append(date(p.year, p.month, p.day))
    return list(dict.fromkeys(found))


def _day_of(event: str, query: Query, index: Index, filters: Filters | None) -> tuple[date, Evidence] | None:
    """When an event was, by the sentences found for it that say all of its words and one day, and name whom
    the question names; None where they say different days, and for an event without words."""
    event = _RE["day_when"].sub(" ", event)
    words = content_tokens(event) if any(map(str.isalnum, event)) else []
    if not words:
        return None
    names = [name for name in query.names if name.lower() not in event.lower()]
    asked = index.understand(" ".join([event, *names]))
    hits = index.search(asked, _SEARCHED, filters=filters)
    found: dict[date, Evidence] = {}
    for piece in select(asked, hits, index).evidence:
        days = days_in(extract(fold(piece.text)))
        if len(days) == 1 and not terms_of(piece.text) and _share(words, piece) == 1:
            found.setdefault(days[0], piece)
    return next(iter(found.items())) if len(found) == 1 else None


def _share(tokens: Sequence[str], piece: Evidence) -> float:
    """Share of the tokens, figures aside, that a piece holds with its title and headings."""
    wanted = [t for t in tokens if not any(map(str.isdigit, t))]
    held = content_tokens("\n".join([piece.text, piece.header, piece.document.title, *piece.heading_path]))
    return sum(t in set(held) for t in wanted) / len(wanted) if wanted else 0.0


def _computed(
    term: Term, base: date, rows: Sequence[Evidence], query: Query, index: Index
) -> Computed | None:
    language, working = query.language, term.length.unit == "business day"
    places = (t for e in rows[:1] for t in (e.text, index.store.text(e.document.id, 0, _OPENING)))
    country = country_of(query.text, *places) if working else ""
    day = term.from_day(base, country)
    if day is None:
        return None
    length = in_one_piece(_RE["bound"].sub("", term.length.text))
    said = [say("deadlines.day_of", language, day=day, length=length, before=term.before, base=base)]
    first, last = sorted((base, day))
    free: list[date] = []
    if country:
        between = (first + timedelta(days=n) for n in range((last - first).days + 1))
        free = [
            d for d in between if d.weekday() < 5 and d != base and not _holidays(country).is_working_day(d)
        ]
        said.append(say("deadlines.holidays", language, country=country, days=[str(d) for d in free]))
    elif working:
        said.append(say("deadlines.weekends", language))
    elif day.weekday() >= 5:
        weekday = named("weekdays", str(day.weekday()), language)
        said.append(say("deadlines.weekend", language, weekday=weekday))
    return _worded(said, rows, (day, base, *free), language)


def _worded(said: Sequence[str], rows: Sequence[Evidence], days: Sequence[date], language: str) -> Computed:
    """The sentences, their days spelled out; the first rests on the rows."""
    texts = list(said)
    for day in days:
        month = named("months", str(day.month), language)
        spelled = say("deadlines.date", language, day=day.day, month=month, year=day.year)
        texts = [text.replace(day.isoformat(), spelled) for text in texts]
    evidence = tuple(replace(e, number=n) for n, e in enumerate(rows, 1))
    numbers = tuple(e.number for e in evidence)
    return Computed(evidence, (), tuple((text, () if n else numbers) for n, text in enumerate(texts)))
