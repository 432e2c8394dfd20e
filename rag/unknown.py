"""Companies that a question names and no document of a catalogue bears: a reason to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.catalogue import Catalogue
from rag.names import (
    ABBREVIATIONS,
    EXCHANGES,
    JOINING,
    LEGAL_NAME,
    ZH_LEGAL_NAME,
    name_key,
    short_name,
    squash,
)
from rag.text import STOPWORDS_EN

MARKED = re.compile(rf"(?:\$|\b(?:{EXCHANGES})\s?:\s?)(?P<a>[A-Z]{{1,5}})\b|\((?P<b>[A-Z]{{2,5}})\)")
# What stands in capitals in titles of accounts and begins questions; no name is made of it.
REPORT_WORDS = frozenset(
    "year years quarter quarters fiscal annual report reports form note notes item section article "
    "company companies "
    "corporation business segment segments revenue revenues sales income net gross operating cash flow flows "
    "balance sheet statement statements earnings margin margins ratio ratios capital assets liabilities debt "
    "equity inventory inventories cost costs expense expenses tax taxes interest share shares stock dividend "
    "dividends total current working days payable receivable turnover growth average rate property plant "
    "equipment goodwill intangible amortization depreciation adjusted diluted basic january february march "
    "april may june july august september october november december usd million billion thousand percent "
    "based according assume using looking roughly considering among please answer give respond round "
    "calculate "
    "compute compare explain describe list state agm ceo cfo board directors shareholder "
    "shareholders consolidated "
    "americas europe asia emea apac north south east west region regions".split()
)
_RUN = re.compile(r"[A-Z0-9][\w&.'’-]*(?:[ ]+(?:(?:&|of|and)[ ]+)?[A-Z][\w&.'’-]*)*")
_OWNER = re.compile(r"(['’][sS]?)(?=[ ]|$)")
_LEADS_TO_NAME = re.compile(
    r"(?:^|[.?!:;,]|\b(?:for|of|at|by|from|did|does|do|is|was|are|were|has|had|have|will|would|can|could|in|to|about|that|if|between"
    r"|and|or|with|has|whether))\s*$",
    re.I,
)


def unknown_companies(
    question: str, catalogue: Catalogue, spans: Sequence[tuple[int, int]], reporting: bool
) -> Iterator[str]:
    if not catalogue.companies:
        return

    def known(start: int, end: int) -> bool:
        return any(s < end and start < e for s, e in spans)

    for pattern in (LEGAL_NAME, ZH_LEGAL_NAME):
        for m in pattern.finditer(question):
            name = m.group().strip(" ,.")
            if not known(m.start(), m.end()) and name_key(short_name(name)) not in catalogue.company_keys:
                yield re.sub(r"^.*(?:[，。、的是与和]|关于)", "", _trimmed(name))
    for m in MARKED.finditer(question):
        ticker = m["a"]
        if ticker and not known(m.start(), m.end()):
            yield ticker
    if reporting:
        for m in _RUN.finditer(question):
            run, owner, _ = _OWNER.split(m.group(), 1) if _OWNER.search(m.group()) else (m.group(), "", "")
            name = _trimmed(run.rstrip(".,'’"))
            owns = bool(owner) or question[m.end() : m.end() + 1] in ("'", "’")
            before = question[: m.start()]
            opens = not before.strip() or before.rstrip()[-1] in ".?!"
            led = bool(_LEADS_TO_NAME.search(before)) and not (opens and name == run and " " not in name)
            if name and (owns or led) and _is_new(name, catalogue):
                yield name


def _trimmed(name: str) -> str:
    """The name without words at its edges that are none of a name (What, In, FY2019, EBITDA, Net)."""
    words = name.split()

    def says_nothing(word: str) -> bool:
        key = squash(word)
        return (
            key in STOPWORDS_EN
            or key in ABBREVIATIONS
            or key in REPORT_WORDS
            or key in JOINING
            or key == "of"
            or bool(re.fullmatch(r"(?:fy|q[1-4]|h[12])?\d*(?:q[1-4])?|\d+[kq]", key))
        )

    while words and says_nothing(words[0]):
        words.pop(0)
    while words and says_nothing(words[-1]):
        words.pop()
    return " ".join(words)


def _is_new(name: str, catalogue: Catalogue) -> bool:
    keys = [squash(w) for w in name.split()]
    return len("".join(keys)) > 1 and not any(k in catalogue.title_words for k in keys if k not in JOINING)
