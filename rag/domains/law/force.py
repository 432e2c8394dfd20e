"""When a legal text is in force, by its head, its end and its file name: the dates that it says of itself and
the texts that it repeals. What is not said is not guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import PurePosixPath

from rag.documents.validity import FILE_DATE
from rag.facts.dates import FoundDate, Period, dates
from rag.facts.numerals import fold
from rag.types import Document

_HEAD, _TAIL = 3000, 1500  # code points
_AFTER_DATE = 150  # how far after a date the word may stand that says what happened on it
_FIRST_ARTICLE = re.compile(r"(?m)^[#\s]*第一条(?=\s|$)")
_AMENDED = re.compile(r"修正(?!案)|修订|次修改")
_ISSUED = re.compile(r"通过|公布|发布|颁布|批准|印发")
_IN_FORCE = re.compile(r"\s*(?:零时)?\s*(?:起|开始)?\s*(?:正式)?(?:施行|实施|生效|执行)")
_NO_LONGER = re.compile(r"\s*(?:零时)?\s*起\s*(?:予以)?(?:废止|失效|停止执行)")
_AT_ONCE = re.compile(r"自\s*(?:公布|发布|颁布|通过|印发|签署)之日起\s*(?:施行|实施|生效|执行)")
_THIS = re.compile(r"本[\u4e00-\u9fff]{1,6}\s*自\s*$")
_REPEALS = re.compile(r"同时废止|即行废止|(?:本[\u4e00-\u9fff]{1,4})?(?:施行|实施)之日起[^。]{0,20}废止")
_TITLE = re.compile(r"《((?:[^《》]|《[^《》]*》){2,80})》")
_EN_WORDS = {
    "effective": r"effective\s+date(?:\s+of\s+this\s+\w+)?\s*(?:[:\-]|is)?|effective\s+(?:as\s+of|from|on)"
    r"|(?:comes?|came|enters?|entered)\s+into\s+(?:force|effect|operation)\s+(?:on|from)"
    r"|takes?\s+effect\s+(?:on|from)|commencement(?:\s+date)?\s*:",
    "issued": r"enacted(?:\s+on)?\s*:?|(?:date\s+of\s+)?assent\s*:"
    r"|(?:issued|adopted|promulgated)(?:\s+on)?\s*:?"
    r"|date\s+of\s+issue\s*:"
    r"|(?:agreement|lease|deed|contract|licence|license|policy|memorandum)\s+(?:is\s+)?(?:made|dated|entered\s+into)"
    r"(?:\s+and\s+entered\s+into)?(?:\s+as\s+of|\s+on)?(?:\s+the)?",
    "amended": r"(?:last|most\s+recently)\s+(?:updated|amended|revised|modified|reviewed)(?:\s+on)?\s*:?"
    r"|(?:as\s+)?amended(?:\s+and\s+restated)?(?:\s+on|\s+as\s+of|\s+by\s+[^.;\n]{3,80}?\s+of)\s*:?"
    r"|(?:revision|amendment)\s+date\s*:",
    "repealed": r"(?:repealed|revoked|withdrawn|superseded)\s+(?:with\s+effect\s+from|on|as\s+of|from)"
    r"|ceased?s?\s+to\s+(?:have\s+effect|be\s+in\s+force)\s+(?:on|from)",
    "review": r"(?:next\s+)?review\s+date\s*:?|review\s+by\s*:?|(?:next|due\s+for)\s+review\s*:?",
}  # fmt: skip
_EN = {key: re.compile(rf"\b(?:{words})", re.IGNORECASE) for key, words in _EN_WORDS.items()}
_IN_TAIL = ("effective", "amended", "repealed", "review")
_DEFINED = re.compile(r"\s*\((?:the\s+|herein\w*\s+)?[\"“']?Effective\s+Date", re.IGNORECASE)
_NEAR = 40  # code points in which an English date must begin after the words that announce it
_NAMED_EN = r"(?:[A-Z][\w'’&-]*\s+(?:(?:and|of|on|for|the|to|in)\s+){0,2}){1,9}" + (
    r"(?:Act|Code|Regulations?|Rules|Ordinance|Order|Directive|Guidelines?|Guidance|Policy|Agreement|Lease|"
    r"Procedure|Protocol|Standard)\b(?:,?\s+\(?(?:19|20)\d{2}\)?)?"
)
_REPEALS_EN = re.compile(
    rf"(?:[Tt]he\s+)?(?P<a>{_NAMED_EN})\s+(?:is|are)\s+(?:hereby\s+)?(?:repealed|revoked|superseded|replaced)\b"
    rf"|\b(?:repeals|replaces|supersedes|revokes)\s+(?:and\s+\w+\s+)?(?:the\s+)?(?P<b>{_NAMED_EN})"
)


def validity(document: Document) -> dict[str, str]:
    """What a document says of its own force, for `Document.metadata`: `issued`, `effective`, `amended` (the
    last), `repealed`, `review` as ISO dates. Only what was found."""
    head, tail = _ends(document)
    found: dict[str, str] = {}
    if document.language == "zh":
        _read_zh(head, tail, found)
    else:
        _read_en(head, tail, found)
    _read_name(PurePosixPath(document.path).stem, document.language, found)
    return found


def repeals(document: Document) -> tuple[str, ...]:
    """The names of the documents that a document says it repeals or takes the place of."""
    head, tail = _ends(document)
    if document.language == "zh":
        preamble = len(_preamble(head))
        names = _repeals_zh(f"{head[preamble:] if preamble < len(head) else head}\n{tail}")
    else:
        found = (m["a"] or m["b"] for part in (head, tail) for m in _REPEALS_EN.finditer(part))
        names = [" ".join(name.split()) for name in found]
    return tuple(dict.fromkeys(names))


def _ends(document: Document) -> tuple[str, str]:
    """The head and the end of its text, folded."""
    text = document.text
    return fold(text[:_HEAD]), fold(text[max(_HEAD, len(text) - _TAIL) :])


# Chinese


def _preamble(head: str) -> str:
    """What stands before the first article; the whole head where there is none."""
    first = _FIRST_ARTICLE.search(head)
    return head[: first.start()] if first else head


def _read_zh(head: str, tail: str, found: dict[str, str]) -> None:
    preamble = _preamble(head)
    for date, after in _dated(preamble):
        if _IN_FORCE.match(after):
            found["effective"] = date
        elif _NO_LONGER.match(after):
            found["repealed"] = date
        elif _AMENDED.search(after):
            found["amended"] = max(date, found.get("amended", ""))
        elif _ISSUED.search(after):
            found.setdefault("issued", date)
    closing = f"{head[len(preamble) :]}\n{tail}"
    effective = [
        (bool(_THIS.search(closing, max(0, day.start - 12), day.start)), iso)
        for day in _days(closing)
        if _IN_FORCE.match(closing, day.end) and (iso := _of_period(day.period))
    ]
    if effective:
        own = [date for this, date in effective if this]
        found["effective"] = own[-1] if own else effective[-1][1]
    elif _AT_ONCE.search(closing) and "effective" not in found and "issued" in found:
        found["effective"] = found["issued"]


def _dated(text: str) -> Iterator[tuple[str, str]]:
    """(ISO date, what stands between it and the next date, on its line) of a Chinese text."""
    days = _days(text)
    for day, following in zip_longest(days, days[1:]):
        end = min(following.start if following else len(text), day.end + _AFTER_DATE)
        line = text.find("\n", day.end, end)
        if iso := _of_period(day.period):
            yield iso, text[day.end : line if line >= 0 else end]


def _days(text: str) -> list[FoundDate]:
    return [found for found in dates(text) if found.period.year and found.period.day]


def _repeals_zh(text: str) -> list[str]:
    names: list[str] = []
    for match in _REPEALS.finditer(text):
        begin = max(text.rfind(mark, 0, match.start()) for mark in "。;\n")
        names += _TITLE.findall(text, begin + 1, match.start())
        if text[match.end() : match.end() + 1] in (":", "："):
            stop = text.find("。", match.end())
            names += _TITLE.findall(text, match.end(), stop if stop >= 0 else len(text))
    return names


# English and others


def _read_en(head: str, tail: str, found: dict[str, str]) -> None:
    for key, pattern in _EN.items():
        seen = list(_announced(pattern, head))
        if key in _IN_TAIL:
            seen += _announced(pattern, tail)
        if seen:
            found[key] = max(seen) if key == "amended" else seen[0]
    if "effective" not in found and (defined := _DEFINED.search(head)):
        before = dates(head[max(0, defined.start() - 40) : defined.start()])
        if before and (iso := _of_period(before[-1].period)):
            found["effective"] = iso


def _announced(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        after = text[match.end() : match.end() + 2 * _NEAR]
        first = next(iter(dates(after)), None)
        if first and first.start <= _NEAR and not re.search(r"[.;]\s", after[: first.start]):
            iso = _of_period(first.period)
            if iso:
                yield iso


def _read_name(stem: str, language: str, found: dict[str, str]) -> None:
    """A date in the file name is that of the issue or of the last change."""
    match = FILE_DATE.search(fold(stem))
    if match is None:
        return
    date = f"{match[1]}-{int(match[2] or match[4]):02d}-{int(match[3] or match[5]):02d}"
    if "issued" not in found:
        found["issued"] = date
    elif language == "zh" and all(date > found.get(k, "") for k in ("issued", "effective", "amended")):
        found["amended"] = date


def _of_period(period: Period) -> str:
    """ISO date of a day, or the first of a month; "" for anything coarser or for 3/4/2021, which may be
    either."""
    if period.year is None or period.month is None or period.swapped:
        return ""
    return f"{period.year:04d}-{period.month:02d}-{period.day or 1:02d}"
