"""Kinds of company reports, as questions, titles, file names and covers name them."""

from __future__ import annotations

import re

ANNUAL = frozenset(("10-K", "20-F", "40-F", "annual report"))
QUARTERLY = frozenset(("10-Q", "quarterly report"))

_PATTERNS = (
    ("10-K", r"\b10[- ]?K(?:T|SB|405)?(?:/A)?\b"),
    ("10-Q", r"\b10[- ]?Q(?:T|SB)?(?:/A)?\b"),
    ("8-K", r"\b8[- ]?K(?:/A)?\b"),
    ("20-F", r"\b20[- ]?F(?:/A)?\b"),
    ("40-F", r"\b40[- ]?F(?:/A)?\b"),
    ("6-K", r"\b6[- ]?K(?:/A)?\b"),
    ("proxy statement", r"\bproxy statements?\b|\bDEF[ -]?14A\b"),
    ("prospectus", r"\bprospectus(?:es)?\b|\b(?:form )?S-1\b|\b424B\d?\b|招股(?:说明|意向)书"),
    ("earnings", r"\bearnings[ -]+(?:press[ -]+)?(?:release|report|announcement|call|presentation"
                 r"|update|statement)s?\b"
                 r"|\b(?:press|results) release\b|\bresults announcement\b|业绩(?:公告|快报|发布)"),
    ("interim report", r"\b(?:interim|half[- ]year(?:ly)?|semi-?annual) (?:financial )?(?:report"
                       r"|results|statements)\b"
                       r"|半年度?报告?|中期报告|中报"),
    ("quarterly report", r"\bquarterly (?:financial )?reports?\b|[一三]季度?报告?|季度报告|季报"),
    ("annual report", r"\bannual (?:financial )?reports?\b|\breport and accounts\b"
                      r"|(?<!半)年度?报告?(?=$|[^酬表])"),
)  # fmt: skip
_ASKED = tuple((form, re.compile(pattern, re.I)) for form, pattern in _PATTERNS)
_FILED = re.compile(r"(?:^|\n)\W*form\s+(10-[KQ]|8-K|20-F|40-F|6-K)T?(?:/A)?\b", re.I)
_RESULTS = re.compile(
    r"(?:reports?|announces?|reported|announced|delivers?|posts?|releases?"
    r"|provides)\b[^.\n]{0,80}?\b(?:results|earnings|sales growth)\b"
    r"|\b(?:quarter(?:ly)?|full[ -]year|half[ -]year|annual"
    r"|fiscal (?:year )?\d{4})[^.\n]{0,30}? (?:financial )?results\b"
    r"|\bearnings\b(?=[^a-z]*$)",
    re.I,
)
_FOR_RELEASE = re.compile(r"for immediate release|exhibit 99|press release", re.I)
_FAMILY = (ANNUAL, QUARTERLY | {"interim report"}, frozenset(("8-K", "6-K", "earnings")))


def asked_forms(question: str) -> tuple[str, ...]:
    """The forms that a question names, each once: ("10-K",)."""
    found = [(m.start(), form) for form, pattern in _ASKED if (m := pattern.search(question))]
    return tuple(form for _, form in sorted(found))


def document_form(title: str, stem: str, head: str) -> str:
    """The form of a document by its title, its file name, or the words with which it begins; "" for other
    documents."""
    if cover := _FILED.search(head[:1500]):
        return cover.group(1).upper()
    for text in (title, stem.replace("-", " "), stem):
        if named := asked_forms(text):
            return named[0]
        if _RESULTS.search(text):
            return "earnings"
    opening = head[:1500]
    return "earnings" if _RESULTS.search(opening) and _FOR_RELEASE.search(opening) else ""


def form_agreement(asked: str, form: str) -> float:
    """1 for the form asked for, or the filing that is its legal shape (a 10-K is an annual report), 0.6 for
    one of the same family, else -1; both named."""
    if asked == form:
        return 1.0
    general = {"annual report": ANNUAL, "quarterly report": QUARTERLY, "interim report": QUARTERLY}
    if form in general.get(asked, ()):
        return 1.0
    if any(asked in family and form in family for family in _FAMILY):
        return 0.6
    return -1.0
