"""When a document is in force: the dates that it says of itself, and what takes its place.

A statute is amended, replaced, repealed; each time its text changes and an index may hold several of them.
`validity` reads the dates at ingest from the head, the end and the file name; `versions` orders the documents
of an index that carry one name and says from when each has been superseded or repealed.

What is not said is not guessed: a document without a date is never superseded, and a filter by date lets it
pass. Reports, filings and decisions of one name are no versions of each other: only names of instruments
(acts, regulations, guidelines, agreements) are grouped.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import PurePosixPath

from rag.dates import Period, dates
from rag.numerals import fold
from rag.text import normalise
from rag.types import Document, DocumentInfo

_HEAD, _TAIL = 3000, 1500  # code points
_H = "〇○零一二三四五六七八九十"
_ZH_DATE = re.compile(rf"[\d{_H}]{{4}}\s*年\s*[\d{_H}]{{1,3}}\s*月\s*[\d{_H}]{{1,3}}\s*日")
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
_FILE_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?:[-._年](1[0-2]|0?[1-9])[-._月](3[01]|[12]\d|0?[1-9])日?|(1[0-2]|0[1-9])(3[01]|[12]\d|0[1-9]))(?!\d)"
)

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

_BRACKET = re.compile(
    r"[(\[【〔][^()\[\]【】〔〕]*?(?:(?:19|20)\d{2}|修[正订]|版|现行|有效|废止|失效|\bv(?:er(?:sion)?)?\.?\s*\d|"
    r"consolidated|as amended)[^()\[\]【】〔〕]*[)\]】〕]",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"[\s_.-]*(?:(?:19|20)\d{2}\s*年?\s*)?(?:修[正订](?:版|本|稿)?|\bv(?:er(?:sion)?)?\.?[\s_]*\d+(?:\.\d+)*)$",
    re.IGNORECASE,
)
_TRAILING_YEAR = re.compile(r"[\s_.,-]*(?:19|20)\d{2}\s*年?版?$")
# A year behind such a name tells editions apart; behind "Finance Act" it names another act.
_EDITED = re.compile(
    r"(?:法|条例|规定|办法|细则|规则|解释|典|准则|章程|制度|规范|指南|标准|守则|规程|通则|指引|共识"
    r"|\b(?:guidelines?|guidance|policy|procedures?|protocol|handbook|manual|standards?|terms))\s*$",
    re.IGNORECASE,
)
_INSTRUMENT = re.compile(
    r"(?:法|条例|规定|办法|细则|规则|解释|典|准则|章程|制度|规范|指南|标准|守则|规程|通则|指引|共识|合同|协议)"
    r"(?:\(试行\)|\(暂行\))?$"
    r"|\b(?:act|code|regulations?|rules|ordinance|directive|statute|guidelines?|guidance|policy|terms|"
    r"agreement|lease|contract|deed|procedures?|protocol|handbook|manual|standards?)\b",
    re.IGNORECASE,
)
# Each of these is an act of its own, however alike their names.
_SINGLE = re.compile(r"(?:修正案|决定|公告|通知|批复|答复|纪要|意见|报告|命令|令|公报)$")
_COUNTRY = "中华人民共和国"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a document is in force, as ISO dates: `start` inclusive, `end` exclusive, "" where
    not known. `reason` is "superseded", "repealed" or ""; `by` and `by_name` are the document that ended it
    (None and "" where it says so itself)."""

    start: str = ""
    end: str = ""
    reason: str = ""
    by: int | None = None
    by_name: str = ""

    def in_force(self, on: str) -> bool:
        """At the ISO date `on`: True also where nothing is known."""
        return (not self.start or self.start <= on) and (not self.end or on < self.end)

    def ended(self, on: str) -> bool:
        """Whether it was no longer in force on that ISO date."""
        return bool(self.end) and self.end <= on


UNKNOWN = Validity()
_DATES = ("issued", "effective", "amended", "repealed", "superseded")
_ISO = re.compile(r"\d{4}(?:-\d{2}){0,2}")


def validity(document: Document) -> dict[str, str]:
    """What a document says of its own force, for `Document.metadata`: `issued`, `effective`, `amended` (the
    last), `repealed`, `review` as ISO dates, and `repeals`: names of others, joined by "|". Only what was
    found."""
    text = document.text
    head = fold(text[:_HEAD])
    tail = fold(text[max(_HEAD, len(text) - _TAIL) :])
    found: dict[str, str] = {}
    if document.language == "zh":
        _read_zh(head, tail, found)
    else:
        _read_en(head, tail, found)
    _read_name(PurePosixPath(document.path).stem, document.language, found)
    return found


def stated(metadata: Mapping[str, str]) -> Validity:
    """What a document's metadata say of its force, other documents aside. A date without its day or month
    is taken for the first one."""
    dated = {
        key: f"{metadata[key]}-01-01"[:10] if len(metadata[key]) == 4 else f"{metadata[key]}-01"[:10]
        for key in _DATES
        if _ISO.fullmatch(metadata.get(key, ""))
    }
    start = max(dated.get("effective", ""), dated.get("amended", "")) or dated.get("issued", "")
    ends = sorted((dated[key], key) for key in ("repealed", "superseded") if key in dated)
    if not ends:
        return Validity(start)
    end, reason = ends[0]
    return Validity(start, end, reason, None, metadata.get(f"{reason}_by", ""))


def ended(document: DocumentInfo, on: str = "") -> Validity | None:
    """How a document of an index has come out of force by the ISO date `on` (today); None while it has
    not."""
    force = stated(document.metadata)
    return force if force.ended(on or datetime.date.today().isoformat()) else None


def marked(documents: Sequence[DocumentInfo], force: Mapping[int, Validity]) -> list[DocumentInfo]:
    """The documents, those that others ended with that in their metadata: `superseded` or `repealed`, the
    date, and `superseded_by` or `repealed_by`, the other's title. So what came out of force can be filtered
    and shown wherever a document is at hand."""
    return [_marked(d, force[d.id]) if d.id in force else d for d in documents]


def _marked(document: DocumentInfo, force: Validity) -> DocumentInfo:
    if force.by is None:
        return document
    told = {force.reason: force.end, f"{force.reason}_by": force.by_name}
    return replace(document, metadata={**document.metadata, **told})


def law_name(name: str) -> str:
    """The name by which versions of one law are the same: without the country, dates, brackets that tell
    versions apart, and punctuation. "中华人民共和国旅游法(2018-10-26)" -> "旅游法"."""
    return squashed(undated(name))


@lru_cache(maxsize=1 << 16)
def undated(name: str) -> str:
    """`name` without date and version, readable."""
    plain = " ".join(fold(name).replace("_", " ").split())
    bare = _FILE_DATE.sub(" ", _BRACKET.sub(" ", plain)).replace("( )", " ").rstrip(" -,.")
    if _SINGLE.search(bare):
        return plain
    bare = _TRAILING.sub("", bare).strip(" -,.")
    year = _TRAILING_YEAR.search(bare)
    if year and _EDITED.search(bare[: year.start()]):
        bare = bare[: year.start()]
    return bare.strip() or plain


@lru_cache(maxsize=1 << 16)
def squashed(name: str) -> str:
    """Letters and digits, lower case, the country's name left out."""
    plain = re.sub(r"[\W_]+", "", normalise(name))
    return plain.replace(_COUNTRY, "") or plain


def versions(documents: Sequence[DocumentInfo]) -> Mapping[int, Validity]:
    """The force of each document by id; those of which nothing is known are left out.

    Documents of one law are ordered by the day from which each is in force (the later of its coming into
    force and its last amendment, else its issue): an earlier one ends when the next begins. A document named
    in another's `repeals` ends when that one begins, if it had begun before. The earliest end counts."""
    found = {d.id: told for d in documents if (told := stated(d.metadata)) != UNKNOWN}
    starts = {number: told.start for number, told in found.items() if told.start}
    for group in _groups(d for d in documents if d.id in starts):
        ordered = sorted(group, key=lambda d: (starts[d.id], d.id))
        for document in ordered:
            later = next((d for d in ordered if starts[d.id] > starts[document.id]), None)
            if later is not None:
                _end(found, document.id, starts[later.id], "superseded", later)
    repealing = [d for d in documents if d.metadata.get("repeals") and d.id in starts]
    bearers: dict[str, list[DocumentInfo]] = defaultdict(list)
    for document in documents if repealing else ():
        for key in names_of(document):
            bearers[key].append(document)
    for document in repealing:
        for name in document.metadata["repeals"].split("|"):
            for other in bearers.get(law_name(name), ()):
                start = starts.get(document.id, "")
                if other.id != document.id and starts.get(other.id, "9999") < start:
                    _end(found, other.id, start, "repealed", document)
    return found


def names_of(document: DocumentInfo | Document) -> tuple[str, ...]:
    """The keys (see `law_name`) under which others may name a document: its title and its file name, also
    without the court or council that a Chinese title begins with and without an English act's year."""
    keys: dict[str, None] = {}
    for name in (document.title, PurePosixPath(document.path).stem):
        bare = undated(name)
        for variant in (name, bare, _ISSUER.sub("关于", bare), _TRAILING_YEAR.sub("", bare)):
            if len(key := squashed(variant)) > 1:
                keys.setdefault(key)
    return tuple(keys)


_ISSUER = re.compile(r"^(?:中华人民共和国)?[\u4e00-\u9fff、 ]{2,30}?关于")


def _end(found: dict[int, Validity], which: int, end: str, reason: str, by: DocumentInfo) -> None:
    known = found.get(which, UNKNOWN)
    if not known.end or end < known.end:
        found[which] = Validity(known.start, end, reason, by.id, by.title or by.path)


def _groups(documents: Iterable[DocumentInfo]) -> Iterator[list[DocumentInfo]]:
    """Documents that are versions of one another. Two leases may both be titled "Lease": where the file name
    says more than the title, it must agree as well."""
    groups: dict[tuple[str, str], list[DocumentInfo]] = defaultdict(list)
    for document in documents:
        stem = PurePosixPath(document.path).stem
        title = undated(document.title or stem)
        if _INSTRUMENT.search(title) and not _SINGLE.search(title):
            key, other = squashed(title), law_name(stem)
            groups[key, "" if other == key else other].append(document)
    return (group for group in groups.values() if len(group) > 1)


# Chinese


def _read_zh(head: str, tail: str, found: dict[str, str]) -> None:
    first = _FIRST_ARTICLE.search(head)
    preamble = head[: first.start()] if first else head
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
        (bool(_THIS.search(closing, max(0, m.start() - 12), m.start())), iso)
        for m in _ZH_DATE.finditer(closing)
        if _IN_FORCE.match(closing, m.end()) and (iso := _iso(m.group()))
    ]
    if effective:
        own = [date for this, date in effective if this]
        found["effective"] = own[-1] if own else effective[-1][1]
    elif _AT_ONCE.search(closing) and "effective" not in found and "issued" in found:
        found["effective"] = found["issued"]
    if repeals := _repeals_zh(closing if first else f"{head}\n{tail}"):
        found["repeals"] = "|".join(repeals)


def _dated(text: str) -> Iterator[tuple[str, str]]:
    """(ISO date, what stands between it and the next date, on its line) of a Chinese text."""
    matches = list(_ZH_DATE.finditer(text))
    for match, following in zip_longest(matches, matches[1:]):
        end = min(following.start() if following else len(text), match.end() + _AFTER_DATE)
        line = text.find("\n", match.end(), end)
        if iso := _iso(match.group()):
            yield iso, text[match.end() : line if line >= 0 else end]


def _repeals_zh(text: str) -> list[str]:
    names: list[str] = []
    for match in _REPEALS.finditer(text):
        begin = max(text.rfind(mark, 0, match.start()) for mark in "。;\n")
        names += _TITLE.findall(text, begin + 1, match.start())
        if text[match.end() : match.end() + 1] in (":", "："):
            stop = text.find("。", match.end())
            names += _TITLE.findall(text, match.end(), stop if stop >= 0 else len(text))
    return list(dict.fromkeys(name for name in names if "|" not in name))


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
    names = [m["a"] or m["b"] for part in (head, tail) for m in _REPEALS_EN.finditer(part)]
    if names:
        found["repeals"] = "|".join(dict.fromkeys(" ".join(n.split()) for n in names if "|" not in n))


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
    match = _FILE_DATE.search(fold(stem))
    if match is None:
        return
    date = f"{match[1]}-{int(match[2] or match[4]):02d}-{int(match[3] or match[5]):02d}"
    if "issued" not in found:
        found["issued"] = date
    elif language == "zh" and all(date > found.get(k, "") for k in ("issued", "effective", "amended")):
        found["amended"] = date


def _iso(text: str) -> str:
    found = dates(fold(text))
    return _of_period(found[0].period) if found else ""


def _of_period(period: Period) -> str:
    """ISO date of a day, or the first of a month; "" for anything coarser or for 3/4/2021, which may be
    either."""
    if period.year is None or period.month is None or period.swapped:
        return ""
    return f"{period.year:04d}-{period.month:02d}-{period.day or 1:02d}"
