"""Company, kind, fiscal year and quarter of a report, by its title, file name and first pages.

A year that ends in January or February is called by the year before (most retailers) or by the year it ends
in: what the first pages say decides, then the file name; where nothing does, both readings are kept. So it
is for a quarter whose fiscal year ends in the next calendar year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from rag.documents.description import HEAD, document_type, first_year, is_company, stem
from rag.facts.dates import FiscalPeriod, dates, read_periods
from rag.facts.names import (
    EXCHANGES,
    GENERIC,
    LEGAL_NAME,
    ZH_LEGAL_NAME,
    name_key,
    short_name,
    shorter_name,
    squash,
)
from rag.facts.numerals import HAN_NUMERAL, SPELLED, fold, numerals
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.types import Document
from rag.types.documents import single

_RE = Patterns(__file__, numeral=HAN_NUMERAL, exchanges=EXCHANGES, spelled=SPELLED)
_ROLES = _RE.words("roles")


def period_end(cover: str, head: str) -> str:
    """The day on which the reported period ended (of an 8-K: the day reported), as an ISO date; "" where
    none is named."""
    dated = _days(cover, _RE["reported"])
    return (
        max(_days(cover, _RE["ended"]), default="")
        or next((day for day in dated if not 3 < int(day[8:]) < 28), "")  # a title rather dates the period
        or max(_days(head[:2500], _RE["ended"]), default="")
        or next(iter(_days(head, _RE["ended"])), "")
        or next(iter(dated), "")
        or next(iter(_days(head, _RE["as_of"])), "")
    )


def _days(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The days right behind such words, as ISO dates, in order; of a range of days, the last one."""
    folded = fold(text)
    found = []
    for m in islice(pattern.finditer(folded), 8):
        behind = folded[m.end() : m.end() + 70]
        days = [
            f for f in dates(behind.title() if behind.isupper() else behind) if f.period.year and f.period.day
        ]
        if not days or days[0].start > 22:
            continue
        last = (
            days[1]
            if len(days) > 1 and _RE["until"].fullmatch(behind[days[0].end : days[1].start])
            else days[0]
        )
        p = last.period
        found.append(f"{p.year:04}-{p.month or 1:02}-{p.day:02}")
    return found


def fiscal_year(
    end: str, part: str, named: Sequence[FiscalPeriod], titled: Sequence[FiscalPeriod], head: str
) -> tuple[str, ...]:
    """("2022",), or two where both readings are possible, the likelier first; () where nothing decides.

    `end` is the ISO day of `period_end`, `named` and `titled` the periods of file name and title."""
    from_file = next((p.year for p in named if p.year), 0)
    from_title = next((p.year for p in titled if p.year and not p.ended), 0)
    if not end:
        year = from_file or from_title or _commonest_year(head, None)
        return (str(year),) if year else ()
    candidates = _candidates(end, part)
    said = _commonest_year(head, candidates)
    readings = [y for y in (said, from_title if from_title in candidates else 0) if y]
    if from_file and abs(from_file - int(end[:4])) <= 1:
        readings.append(from_file)
    if not said:
        readings += candidates  # only a label speaks for the first reading
    return tuple(map(str, dict.fromkeys(readings)))[:2]


def _candidates(end: str, part: str) -> tuple[int, ...]:
    """The years by which a period ending on a day may be called, the likelier first: those of the fiscal year
    in which it lies, that ends with it or one to three quarters later."""
    year, month, day = int(end[:4]), int(end[5:7]), int(end[8:10])
    if day <= 7:  # a quarter of 13 weeks that ends a few days into the next month
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    month += 3 * (4 - int(part[1])) if part[:1] == "Q" else 6 if part == "H1" else 3 if part == "9M" else 0
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return (year - 1, year) if month <= 2 else (year,)


def _commonest_year(head: str, among: Sequence[int] | None) -> int:
    """The fiscal year that the first pages speak of, where they speak of one clearly more than of others."""
    said = (
        m
        for m in _RE["said"].finditer(head)
        if not _RE["ahead"].search(head[max(0, m.start() - 24) : m.start()])
    )
    years = (int(m[1]) for m in said)
    ranked = Counter(year for year in years if among is None or year in among).most_common(2)
    (year, count), (_, second) = [*ranked, (0, 0), (0, 0)][:2]
    return year if count >= 2 * second else 0


def quarter(title: str, head: str, end: str) -> str:
    """The quarter of a quarterly report or a release by its own words ("second quarter", "six months ended"),
    else by the month in which it ended; "FY" for a release of a whole year."""
    for text in (title, head[:800]):
        parts = [p.part for p in read_periods(text) if p.part.startswith("Q")]
        if re.search(r"\bfull[ -]year|\bannual results|全年", text, re.I) and {"Q4", *parts} == {"Q4"}:
            return "FY" if "Q4" not in parts else "Q4"
        if parts:
            return parts[0]
    counts = (
        (int(numerals(m[1])[0].value), 3 if m[2][0] in "mM" else 13) for m in _RE["months"].finditer(head)
    )
    if spans := [n // each for n, each in counts if n % each == 0 and 0 < n <= 39 and n // each <= 4]:
        return f"Q{max(spans[:12])}"
    return f"Q{(int(end[5:7]) + 2) // 3}" if end else ""


# Kinds of reports, as questions, titles, file names and covers name them

ANNUAL = frozenset(("10-K", "20-F", "40-F", "annual report"))
QUARTERLY = frozenset(("10-Q", "quarterly report"))

_ASKED = _RE.table("form")


def asked_forms(question: str) -> tuple[str, ...]:
    """The forms that a question names, each once: ("10-K",)."""
    found = [(m.start(), form) for form, pattern in _ASKED.items() if (m := pattern.search(question))]
    return tuple(form for _, form in sorted(found))


def document_form(title: str, stem: str, head: str) -> str:
    """The form of a document by its title, its file name, or the words with which it begins; "" for other
    documents."""
    if cover := _RE["filed"].search(head[:1500]):
        return cover.group(1).upper()
    for text in (title, stem.replace("-", " "), stem):
        if named := asked_forms(text):
            return named[0]
        if _RE["results"].search(text):
            return "earnings"
    opening = head[:1500]
    return "earnings" if _RE["results"].search(opening) and _RE["for_release"].search(opening) else ""


# Whose report it is

_COVER = 3000
_FORMERLY = re.compile(
    r"\(?\b(?i:formerly(?: known as| named| called)?|f/k/a|previously(?: known as| named))\s*[:,]?\s*[“\"']?"
    rf"(?P<name>{LEGAL_NAME.pattern}|[A-Z][^“”\"()\n;]{{1,60}}?(?=[”\"')(;\n,]))"
    r"|(?:曾用名|原名|前称)[:：为]?\s*[“\"]?(?P<zh>[\u4e00-\u9fff()（）]{2,30})"
)


def describe_report(document: Document) -> dict[str, str | tuple[str, ...]]:
    """Company with its other names, form and period of an annual, quarterly or other report; {} where nothing
    says that it is one but a company in the title."""
    title, named, given = document.title, stem(document.path), document.metadata
    head = document.text[:HEAD]
    form = single(given, "form") or document_form(title, named, head)
    from_file = _company_of_file(named) if form else ""
    company = single(given, "company") or _company(title, head, form) or from_file
    if not company:
        return {}
    periods = _periods(form, title, named, head, single(given, "period")) if form else {}
    return {"company": company, "names": tuple(_names(company, from_file, head)), "form": form, **periods}


def _company(title: str, head: str, form: str) -> str:
    """The legal name in the title, or on the first pages of a report."""
    if filed := _RE["filing_of"].match(title):
        return filed["name"]
    if form == "earnings" and not LEGAL_NAME.search(title) and (m := _RE["listed"].search(head[:_COVER])):
        return _RE["dateline"].sub("", m["name"]).strip(" ,")
    for text in (title, head[:_COVER] if form else ""):
        names = [_untitled(m.group()) for m in LEGAL_NAME.finditer(text) if is_company(m.group())]
        if text is title and len({squash(n) for n in names}) > 1:
            return ""  # a contract between two
        if names and (text is title or form not in ("earnings", "")):
            return names[0]
        if zh := ZH_LEGAL_NAME.search(text):
            return re.sub("^.*(?:关于|与|和)", "", zh.group())
        if form and (m := _RE["reports"].search(text[:800])) and is_company(m["name"]):
            return m["name"].strip(" ,")
        if names:
            return names[0]
    return _zh_file_company(title) if form else ""


def _untitled(name: str) -> str:
    """The name without what a document is in front of it: "Agreement, Loop Innovations, LLC"."""
    kind, _, rest = name.partition(",")
    return (rest if LEGAL_NAME.search(rest) and document_type(kind) else name).strip(" ,")


def _company_of_file(stem: str) -> str:
    """ "ACME" of "ACME 2022 10K", "Acme Foods" of "acme-foods-fy2023-q2-earnings"; "" without a name."""
    if has_han(stem):
        return _zh_file_company(stem)
    words = [w for w in re.split(r"[\s\-.,]+", stem) if w]
    end = next((n for n, w in enumerate(words) if _RE["cut"].match(w)), 0)
    name = " ".join(words[:end])
    if not 1 < len(squash(name)) <= 40 or squash(name) in GENERIC or not re.search("[A-Za-z]{2}", name):
        return ""
    return name.title() if name.islower() or len(name) <= 5 else name  # five capitals look like a ticker


def _zh_file_company(text: str) -> str:
    m = _RE["zh_company"].match(text)
    return m[1].strip() if m else ""


def _names(company: str, from_file: str, head: str) -> Iterable[str]:
    """Other names: short ones, that of the file, ticker, former names, and what the first pages call it."""
    short = short_name(company)
    names = [short, shorter_name(company), from_file]
    if m := (_RE["listed"].search(head) or _RE["traded"].search(head)):
        names.append(m["ticker"])
    names += _RE["stock_code"].findall(head[:_COVER])
    names += _RE["short_of"].findall(head[:_COVER].partition(company)[2][:20])
    keys = {squash(company), squash(short)}
    for m in _FORMERLY.finditer(head):
        before = squash(head[max(0, m.start() - 80) : m.start()])
        if m["zh"] or any(before.endswith(key) for key in keys):
            former = (m["name"] or m["zh"]).strip(" ,")
            names += [former, short_name(former)]
    names += _called(company, short, head)
    seen = {name_key(company)}
    for name in names:
        key = name_key(name)
        if len(key) > 1 and key not in seen:
            seen.add(key)
            yield name


def _called(company: str, short: str, head: str) -> Iterable[str]:
    """Quoted names in brackets behind the company's own: Thornfield Marsh Company ("Thornfield", "TMC")."""
    pattern = rf"{re.escape(short)}[^()\n]{{0,30}}(?P<gap>[^()]{{0,70}})\((?P<in>[^()]{{2,160}})\)"
    for m in list(re.finditer(pattern, head, re.I))[:6]:
        for name in _RE["quoted"].findall(m["in"]):
            key = squash(name)
            if key not in _ROLES and len(name.split()) <= 5 and (key[:1] == squash(company)[:1] and key):
                yield name


def _periods(form: str, title: str, stem: str, head: str, given: str) -> dict[str, str | tuple[str, ...]]:
    end = period_end(f"{given}\n{title}", head)
    named, titled = read_periods(stem), read_periods(title)
    if form == "8-K":
        return {"period_end": end, "fiscal_year": end[:4] or first_year(named)}
    parts = (p.part for p in (*named, *titled) if p.part[:1] in ("Q", "H"))
    part = "FY" if form in ANNUAL else next(parts, "H1" if form == "interim report" else "")
    if not part and (form in QUARTERLY or form == "earnings"):
        part = quarter(title, head, end)
    year = fiscal_year(end, part, named, titled, head)
    return {"fiscal_year": year, "fiscal_period": part, "period_end": end}
