"""Company, form and fiscal period of a report, by its title, file name and first pages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.documents.description import HEAD, first_year, is_company, stem
from rag.domains.finance.reports import ANNUAL, QUARTERLY, document_form, fiscal_year, period_end, quarter
from rag.facts.dates import FiscalPeriod, read_periods
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
from rag.languages.text import has_han
from rag.types import Document
from rag.types.documents import single

_COVER = 3000
_LISTED = re.compile(
    rf"(?P<name>[A-Z0-9][^\n()]{{1,70}}?)\s*\((?:[^()\n]{{0,30}}[;,]\s*)?(?:{EXCHANGES})\s*:\s?(?P<ticker>[A-Z]{{1,5}}(?:\.[A-Z])?)\b"
)
_TRADED = re.compile(
    r"(?:(?i:stock|shares?|value|units|securities)\b[^\n]{0,60}?"
    r"|\n)[ \t]*\b(?P<ticker>[A-Z]{1,5})\s+(?:The[ ]+)?"
    r"(?:New York Stock|NYSE|N(?i:asdaq)\b|London Stock|Cboe|Toronto Stock|NEW YORK STOCK)"
)
_STOCK_CODE = re.compile(r"(?:证券|股票|公司|A股)(?:代码|简称)\s*[:：]\s*([^\s,，;；、（(]{2,12})")
_REPORTS = re.compile(
    r"^(?P<name>[A-Z0-9][\w.'’&-]*(?:,?[ ](?:[A-Z0-9&][\w.'’&-]*|of|and)){0,6}?),?[ ](?i:reports?"
    r"|announces?|reported|announced|posts|delivers"
    r"|releases|provides)\b",
    re.M,
)
_FILED = re.compile(r"^Form \S+ for (?P<name>.{2,60}?) filed\b")
_DATELINE = re.compile(r".*(?:[–—-]{1,2}|\bthat)\s+", re.S)
_FORMERLY = re.compile(
    r"\(?\b(?i:formerly(?: known as| named| called)?|f/k/a|previously(?: known as| named))\s*[:,]?\s*[“\"']?"
    rf"(?P<name>{LEGAL_NAME.pattern}|[A-Z][^“”\"()\n;]{{1,60}}?(?=[”\"')(;\n,]))"
    r"|(?:曾用名|原名|前称)[:：为]?\s*[“\"]?(?P<zh>[\u4e00-\u9fff()（）]{2,30})"
)
_QUOTED = re.compile(r"[“\"]([^“”\"]{2,40}?),?[”\"]")
_ROLES = frozenset(
    "thecompany company we us our ours registrant theregistrant issuer parent group thegroup bank "
    "thebank firm thefirm "
    "corporation thecorporation management thisreport annualreport form10k report borrower lender "
    "landlord tenant "
    "seller buyer purchaser supplier customer provider client employer employee licensor licensee trust "
    "partnership 公司 本公司 发行人 甲方 乙方 本集团 集团".split()
)
_CUT = re.compile(
    r"^(?:(?:fy|cy)?'?(?:19|20)?\d\d(?:q[1-4]|h[12])?|q[1-4].*|[1-4]q.*|h[12].*|fy.*|10-?[kq].*|8-?k.*|20-?f|40-?f|6-?k|form|annual|quarterly"
    r"|interim|earnings?|results?|report|proxy|press|half|full|first|second|third|fourth|final|draft|def)$",
    re.I,
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
    if filed := _FILED.match(title):
        return filed["name"]
    if form == "earnings" and not LEGAL_NAME.search(title) and (m := _LISTED.search(head[:_COVER])):
        return _DATELINE.sub("", m["name"]).strip(" ,")
    for text in (title, head[:_COVER] if form else ""):
        names = [m.group().strip(" ,") for m in LEGAL_NAME.finditer(text) if is_company(m.group())]
        if text is title and len({squash(n) for n in names}) > 1:
            return ""  # a contract between two
        if names and (text is title or form not in ("earnings", "")):
            return names[0]
        if zh := ZH_LEGAL_NAME.search(text):
            return re.sub("^.*(?:关于|与|和)", "", zh.group())
        if form and (m := _REPORTS.search(text[:800])) and is_company(m["name"]):
            return m["name"].strip(" ,")
        if names:
            return names[0]
    return _zh_file_company(title) if form else ""


def _company_of_file(stem: str) -> str:
    """ "ACME" of "ACME 2022 10K", "Acme Foods" of "acme-foods-fy2023-q2-earnings"; "" without a name."""
    if has_han(stem):
        return _zh_file_company(stem)
    words = [w for w in re.split(r"[\s\-.,]+", stem) if w]
    end = next((n for n, w in enumerate(words) if _CUT.match(w)), 0)
    name = " ".join(words[:end])
    if not 1 < len(squash(name)) <= 40 or squash(name) in GENERIC or not re.search("[A-Za-z]{2}", name):
        return ""
    return name.title() if name.islower() or len(name) <= 5 else name  # five capitals look like a ticker


def _zh_file_company(text: str) -> str:
    m = re.match(
        r"([\u4e00-\u9fffA-Za-z()（）]{2,20}?)[\s:：_-]*(?:(?:19|20)\d\d|[〇零一二三四五六七八九]{4}|年度报告|年报|半年|第?[一二三四]季)",
        text,
    )
    return m[1].strip() if m else ""


def _names(company: str, from_file: str, head: str) -> Iterable[str]:
    """Other names: short ones, that of the file, ticker, former names, and what the first pages call it."""
    short = short_name(company)
    names = [short, shorter_name(company), from_file]
    if m := (_LISTED.search(head) or _TRADED.search(head)):
        names.append(m["ticker"])
    names += _STOCK_CODE.findall(head[:_COVER])
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
        for name in _QUOTED.findall(m["in"]):
            key = squash(name)
            if key not in _ROLES and len(name.split()) <= 5 and (key[:1] == squash(company)[:1] and key):
                yield name


def _periods(form: str, title: str, stem: str, head: str, given: str) -> dict[str, str | tuple[str, ...]]:
    end = period_end(f"{given}\n{title}", head)
    named = read_periods(stem)
    titled = read_periods(title)
    if form == "8-K":
        return {"period_end": end, "fiscal_year": end[:4] or first_year(named)}
    part = _part(form, named, titled, title, head, end)
    year = fiscal_year(end, part, named, titled, head)
    return {"fiscal_year": year, "fiscal_period": part, "period_end": end}


def _part(
    form: str,
    named: tuple[FiscalPeriod, ...],
    titled: tuple[FiscalPeriod, ...],
    title: str,
    head: str,
    end: str,
) -> str:
    if form in ANNUAL:
        return "FY"
    said = next((p.part for p in (*named, *titled) if p.part[:1] in ("Q", "H")), "")
    if said:
        return said
    if form in QUARTERLY or form == "earnings":
        return quarter(title, head, end)
    return "H1" if form == "interim report" else ""
