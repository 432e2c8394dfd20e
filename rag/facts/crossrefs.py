"""References in running text to other parts of it or to other documents: "Sections 4.2 to 4.4 of this
Agreement", "Article 12(3)", "Note 7", 本法第三条第二款, 《民法典》第八百二十九条.

Numbers are read by `rag.facts.references`; what is added here is whose article it is. A reference belongs
to the document that is named right before or after it (or that an alias stands for: the "Act",
以下简称《通则》); the members of a list share it, and what names nobody refers to the document itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag.facts.numerals import fold
from rag.facts.references import UNITS, references
from rag.languages import patterns, unspaced

KINDS = UNITS | {"figure"}
"""Units of `rag.facts.references` that parts of documents bear; grades, types, stages and phases are none."""
DOCUMENT = "document"
_MOST_IN_RANGE = 40


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference at `[start, end)` of the text, the name of the document included where it is written.

    `kind` is one of `KINDS` or "document" (a document named as a whole, `label` ""). `label` is the number
    in one spelling, sub-numbers in brackets: "4.2", "7a", "12(2)(3)" for 第十二条第二款第三项. `target` is
    the document as named in the text, "" for the text's own."""

    start: int
    end: int
    kind: str
    label: str
    target: str = ""


def find(text: str, *, language: str) -> tuple[Reference, ...]:
    """The references of a text, in order. Members of a range ("Sections 4 to 6") that are not written out
    take the range as their span. An article's own heading is found as well."""
    folded = fold(text)
    han = not folded.isascii() and any(mark in folded for mark in "第附表图《")
    spaced = not unspaced(language)
    found = list(_chinese(folded)) if han else []
    if spaced or "rticle" in folded or "ection" in folded:
        found += _english(folded, names=spaced)
    return tuple(sorted(found, key=lambda r: (r.start, -r.end)))


# Chinese

LAW_WORDS = tuple(
    "法典 法 条例 办法 规定 细则 规则 解释 准则 章程 通则 规程 制度 决定 合同 协议 协定 公约 "
    "标准 守则 规范".split()
)
_LAW = f"(?:{'|'.join(LAW_WORDS)})"
_BOOK = r"《((?:[^《》\n]|《[^《》\n]*》){2,80})》"
_RE = patterns("crossrefs", re.NOFLAG)
_SELF_BEFORE = re.compile(rf"本{_LAW}(?:中|的)?\s*$")
_THAT_BEFORE = re.compile(rf"(?:该|上述|前述|同){_LAW}(?:中|的)?\s*$")
_BARE_BEFORE = re.compile(rf"[\u4e00-\u9fff]{{0,24}}{_LAW}(?:\([^()\n]{{1,12}}\))?(?:中|的)?\s*$")
_LINK_BEFORE = re.compile(r"(?:中|的)? *\Z")
_OWNER_ENDS = (*LAW_WORDS, "》", ")")
_BOOKS = re.compile(_BOOK)


def _chinese(text: str) -> Iterator[Reference]:
    aliases = {m[2]: m[1] for m in _RE["alias_zh"].finditer(text)}
    previous: Reference | None = None
    named = ""  # the last document that was named, for 该法
    taken: set[int] = set()
    for reference in _numbered_zh(text):
        owner = _owner_zh(text[max(0, reference.start - 90) : reference.start], named)
        gap = text[previous.end : reference.start] if previous else ""
        if owner is None and previous is not None and _RE["join_zh"].fullmatch(gap):
            owner = previous.target, 0
            yield from _between(previous, reference, gap)
        target, length = owner or ("", 0)
        previous = replace(reference, start=reference.start - length, target=aliases.get(target, target))
        named = previous.target or named
        taken.update(range(previous.start, previous.end))
        yield previous
    for match in _BOOKS.finditer(text):
        if match.start() not in taken:
            yield Reference(match.start(), match.end(), DOCUMENT, "", aliases.get(match[1], match[1]))


def _numbered_zh(text: str) -> list[Reference]:
    """第十二条第二款第三项 as one reference; 款 and 项 that follow no article stand in the one at hand."""
    found: list[Reference] = []
    for q in references(text):
        if q.unit not in KINDS or text[q.start].isascii() or text[q.end : q.end + 1] == "例":
            continue
        unit = next((c for c in reversed(text[q.start : q.end]) if c in "条款项目章节编"), "条")
        if unit in "款项目" and found and text[found[-1].end : q.start] in ("", "的", " "):
            found[-1] = replace(found[-1], end=q.end, label=f"{found[-1].label}({q.label})")
        else:
            found.append(Reference(q.start, q.end, "paragraph" if unit in "款项目" else q.unit, q.label))
    return found


def _owner_zh(before: str, named: str) -> tuple[str, int] | None:
    """The document named at the end of `before`, and how many code points of it that is."""
    if not _LINK_BEFORE.sub("", before).endswith(_OWNER_ENDS):
        return None
    for pattern, name in ((_RE["booked_before"], None), (_SELF_BEFORE, ""), (_THAT_BEFORE, named)):
        if match := pattern.search(before):
            return match[1] if name is None else name, len(before) - match.start()
    if match := _BARE_BEFORE.search(before):
        name = _RE["lead_in"].sub("", match[0])
        bare = _LINK_BEFORE.sub("", name)
        if len(bare) > 1 and not re.fullmatch(_LAW, bare):
            return bare, len(name)
    return None


def _between(first: Reference, last: Reference, gap: str) -> Iterator[Reference]:
    """The members of 第四条至第六条, "Sections 4 to 6" that are not written out."""
    a, b = first.label, last.label
    span = re.search(r"至|到|-|\b(?:to|through)\b", gap)
    if span and first.kind == last.kind and a.isdigit() and b.isdigit() and int(b) - int(a) <= _MOST_IN_RANGE:
        for number in range(int(a) + 1, int(b)):
            yield Reference(first.start, last.end, first.kind, str(number), first.target)


# English

_NUMBER = re.compile(r"(?!(?:19|20)\d\d$)\d")
_TITLE_YEAR = re.compile(r"(?:,?\s+\(?(?:19|20)\d{2}\)?)?")
_INNER = re.compile(r"\s+(?:of|in)\s+(?:the\s+)?")
_ITSELF = ("This ", "These ")


def _english(text: str, *, names: bool) -> Iterator[Reference]:
    aliases = dict(_aliases_en(text)) if names else {}
    taken: list[tuple[int, int]] = []
    for group in _groups_en(text):
        target, start, end = _owner_en(text, group[0].start, group[-1].end, aliases)
        taken.append((start, end))
        group = [replace(r, target=target) for r in group]
        for first, last in pairwise(group):
            yield from _between(first, last, text[first.end : last.start])
        group[0] = replace(group[0], start=start)
        group[-1] = replace(group[-1], end=end)
        yield from group
    if not names:
        return
    yield from _bare_titles(text, taken, aliases)


def _groups_en(text: str) -> list[list[Reference]]:
    """References that share their document: members of a list, and "paragraph 3 of Article 12", which is one
    reference to Article 12."""
    groups: list[list[Reference]] = []
    for reference in _numbered_en(text):
        gap = text[groups[-1][-1].end : reference.start] if groups else None
        if gap and _INNER.fullmatch(gap):
            inner = groups[-1].pop()
            label = f"{reference.label}({inner.label})"
            groups.append([replace(reference, start=inner.start, label=label)])
        elif gap is not None and _RE["join_en"].fullmatch(gap):
            groups[-1].append(reference)
        else:
            groups.append([reference])
    return [group for group in groups if group]


def _numbered_en(text: str) -> Iterator[Reference]:
    for q in references(text):
        # Regulation S-K has articles, and Byelaws 2019 too: they are none.
        numbered = q.unit not in ("regulation", "rule") or _NUMBER.match(q.label)
        if q.unit in KINDS and numbered and (text[q.start].isascii() or text[q.start] == "§"):
            yield Reference(q.start, q.end, q.unit, q.label)


def _owner_en(text: str, start: int, end: int, aliases: dict[str, str]) -> tuple[str, int, int]:
    """(target, start, end) of references at `[start, end)` with the document that owns them."""
    if match := _RE["after"].match(text, end):
        if match["self"]:
            return "", start, end
        named = next(n for n in ("code", "name", "lone", "short") if match[n])
        name = " ".join(match[named].split())
        return aliases.get(name, name), start, match.end()
    before = text[max(0, start - 100) : start]
    last = before.rstrip(" ,\n").rpartition(" ")[2].rstrip(")").lstrip("(")
    if (last[:1].isupper() or last.isdigit()) and (match := _RE["before"].search(before)):
        bare = _RE["no_name"].sub("", match["name"])
        name = " ".join(bare.split())
        if " " in name:
            return aliases.get(name, name), start - len(before) + match.end("name") - len(bare), end
    return "", start, end


def _aliases_en(text: str) -> Iterator[tuple[str, str]]:
    """("Act", "Residential Tenancies Act 2010"): how a document says it will call another; "" for itself."""
    for match in _RE["quoted_as"].finditer(text):
        line = text[max(0, match.start() - 160) : match.end() + 50]
        for found in _RE["alias_en"].finditer(line):
            name = " ".join(found["name"].split())
            yield found["alias"], "" if name.startswith("This ") else _RE["no_name"].sub("", name)


def _bare_titles(text: str, taken: Sequence[tuple[int, int]], aliases: dict[str, str]) -> Iterator[Reference]:
    """Documents named as a whole: "the Companies Act 2006", and not "this Agreement"."""
    ends = {end for _, end in taken}
    for match in _RE["bare_title"].finditer(text):
        at = match.start()
        if at < 2 or not text[at - 1].isspace() or not text[text.rfind(" ", 0, at - 1) + 1].isupper():
            continue
        before = _RE["bare_title_before"].search(text, max(0, at - 100), at)
        year = _TITLE_YEAR.match(text, match.end())
        end = year.end() if year else match.end()
        raw = text[before.start() : end] if before else ""
        name = _RE["no_name"].sub("", raw)
        start = end - len(name)
        if not raw or " " not in name.strip() or start >= at or end in ends or raw.startswith(_ITSELF):
            continue
        if not any(a <= start < b for a, b in taken):
            name = " ".join(name.split())
            yield Reference(start, end, DOCUMENT, "", aliases.get(name, name))
