"""Statutes, interpretations and cases: what title and first lines say of their name, rank and date; and when
a legal text is in force, by its head, its end and its file name: the dates that it says of itself and the
texts that it repeals. What is not said is not guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import PurePosixPath

from rag.documents.description import HEAD, SALUTATION
from rag.documents.validity import FILE_DATE
from rag.facts.dates import FoundDate, dates
from rag.facts.names import name_key, squash
from rag.facts.numerals import fold
from rag.languages import Patterns, unspaced
from rag.languages.text import has_han
from rag.types import Document

_RE = Patterns(__file__)
_FOLDERS, _EN_RANK = _RE.table("folder"), _RE.table("english")
ZH_QUOTED = _RE["zh_quoted"]


def describe_statute(document: Document) -> dict[str, str | tuple[str, ...]]:
    """Name, short names, rank and year of a statute; rank and year of a case; {} for other documents."""
    head = document.text[:HEAD]
    kind = authority(document.title, document.path, head)
    if not kind:
        return {}
    found = {"authority": kind, "year": version_year(document.title, document.path, head)}
    if not (law := statute_title(document.title, head, kind)):
        return dict(found)
    names = (*statute_names(law), part_name(law, document.path))
    return {"law": law, "law_names": tuple(filter(None, names)), **found}


def authority(title: str, path: str, head: str) -> str:
    """The rank of a legal text, as `rag.domains.law.naming.AUTHORITY` has them; "" for texts that are none,
    or of a rank that nothing states."""
    title, folder, file = title.strip("《》 "), _folder(path), PurePosixPath(path).stem
    is_case = bool(_RE["case"].search(title))
    if not (has_han(title) or has_han(path)):
        if not is_case and _RE["en_title"].search(title):
            return next((kind for kind, pattern in _EN_RANK.items() if pattern.search(title)), "")
        return "case" if folder == "case" or is_case else ""
    ruling, opening = _RE["ruling"].search(title), head[:400]
    if ruling and _RE["court"].search(title):
        return "judicial interpretation"
    if folder == "case" or is_case or _RE["case"].search(file):
        return "case"
    if title.endswith("宪法") or "宪法修正案" in title:
        return "constitution"
    if ruling and folder == "judicial interpretation":
        return folder
    if _RE["law"].search(title) and not _RE["no_law"].search(title):
        return "statute"
    if folder not in ("", "constitution"):
        return folder
    if not _RE["rule"].search(title):
        return ""
    by_congress = _RE["congress"].search(opening[len(title) : 300])
    issuers = {
        "local rule": _RE["local"].search(title) or _RE["local"].search(opening[:200]),
        "statute": by_congress and not _RE["council"].search(opening[:300]),
        "administrative regulation": _RE["council"].search(opening),
        "departmental rule": _RE["ministry"].search(opening),
    }
    unsigned = "administrative regulation" if title.startswith("中华人民共和国") else ""
    return next((rank for rank, said in issuers.items() if said), unsigned)


def _folder(path: str) -> str:
    """The rank that a folder's name states, the inner folders first; a folder of cases goes before others."""
    parts = PurePosixPath(path).parts[-2::-1]
    found = [kind for part in parts for kind, pattern in _FOLDERS.items() if pattern.search(part)]
    return "case" if "case" in found else next(iter(found), "")


def statute_title(title: str, head: str, rank: str) -> str:
    """The full name of a statute, regulation or interpretation; "" for a case and for other documents."""
    if rank in ("", "case"):
        return ""
    if not has_han(title):
        found = english_statute(title)
        return " ".join(part for part in found if part) if found else title
    named = any(_RE[kind].search(title) for kind in ("law", "rule", "ruling"))
    return title.strip("《》 ") if named or _RE["article"].search(head) else ""


def part_name(law: str, path: str) -> str:
    """示例法典租赁编 for the file 示例法典/租赁编.md: one part of a code that is kept in several files."""
    *folders, file = PurePosixPath(path).parts
    short, stem = law.removeprefix("中华人民共和国"), PurePosixPath(file).stem
    return f"{short}{stem}" if folders and folders[-1] == short and stem != short and has_han(stem) else ""


def version_year(title: str, path: str, head: str) -> str:
    """The year of a statute's version: of the file name or title ("示例法(2019-04-23)"), else the last year
    of the lines that say how it was adopted and amended."""
    if m := _RE["dated"].search(PurePosixPath(path).stem) or _RE["dated"].search(title):
        return m[1] or m[4]
    if not has_han(title):
        years = _RE["en_year"].findall(title)
        return years[-1] if years else ""
    history = head[:1200].split("第一条")[0]
    years = re.findall(r"((?:19|20)\d{2})年\s*\d{1,2}月\s*\d{1,2}日", history)
    return max(years, default="")


# Names


def english_statute(text: str) -> tuple[str, str] | None:
    """(name, year) of the first statute named in English, "The" aside: ("Tenancy Deposits Act", "2018")."""
    m = next((m for m in _RE["en_act"].finditer(text) if len(m["name"].split()) > 1), None)
    if m is None:
        return None
    name = re.sub(r"^(?:(?i:the|of|and|in|on|to|for|under|by|does|is|what|how|which)\s+)+", "", m["name"])
    return (name, m["year"] or "") if len(name.split()) > 1 else None


def statute_names(title: str) -> tuple[str, ...]:
    """Other names of a statute, shorter than its title, longest first: 劳动者示例法 for 中华人民共和国
    劳动者示例法（2018年修正）, 示例法解释（二） for an interpretation, "DPA 2018" for an English Act."""
    names = _chinese_names(title) if has_han(title) else _english_names(title)
    return tuple(dict.fromkeys(n for n in names if n and n != title and len(squash(n)) > 1))


def _chinese_names(title: str) -> list[str]:
    bare = _RE["zh_version"].sub("", title).strip("《》 ")
    plain = _RE["zh_state"].sub("", bare)
    body = _RE["zh_body"].sub("", plain)
    names = [bare, plain, *([body] if len(body) > 4 else [])]
    applying, on_matter = _RE["zh_applying"].search(plain), _RE["zh_matter"].search(plain)
    m = applying or on_matter
    if m is None or re.search("关于(?:修改|废止)", plain):
        return names
    core = m["law"] + m["part"] if applying else m["matter"]
    cores = dict.fromkeys((core, re.sub("(?:纠纷|刑事|民事|相关|等)*案件$|纠纷$", "", core)))
    kinds = ("司法解释", "解释") if m["kind"] == "解释" else (m["kind"],)
    return names + [f"{core}{kind}{m['n'] or ''}" for core in cores for kind in kinds]


def _english_names(title: str) -> list[str]:
    name, year = english_statute(title) or ("", "")
    letters = "".join(w[0] for w in re.findall(r"[A-Za-z]\w*", name) if w[0].isupper())
    names = [name, *([letters] if len(letters) > 2 else [])] if name else []
    bracketed = re.findall(r"\(([A-Z]{2,8})\)", title) if name else []
    return [form for n in names for form in (f"{n} {year}".strip(), n)] + bracketed


def statutes_in(title: str) -> tuple[str, ...]:
    """Statutes that a Chinese title says it applies or carries out: 示例法 for 示例法实施条例 and for
    关于适用《中华人民共和国示例法》若干问题的解释."""
    quoted = [_RE["zh_state"].sub("", _RE["zh_version"].sub("", q)) for q in ZH_QUOTED.findall(title)]
    m = re.match(r"(.{2,30}?(?:法|条例))(?:实施|施行)", _RE["zh_state"].sub("", title))
    return tuple(dict.fromkeys([*quoted, *([m[1]] if m else [])]))


def law_key(name: str) -> str:
    """The key of a statute's name, whether or not 中华人民共和国 or "The" stands in front."""
    return squash(_RE["zh_state"].sub("", name.strip("《》〈〉 "))) if has_han(name) else name_key(name)


# When it is in force

_HEAD, _TAIL = 3000, 1500  # code points
_AFTER_DATE = 150  # how far after a date the word may stand that says what happened on it
_EN = _RE.table("announced")
_IN_TAIL = ("effective", "amended", "repealed", "review")
_NEAR = 40  # code points in which an English date must begin after the words that announce it
_ZH_FIRST = (_RE["in_force"], "effective"), (_RE["no_longer"], "repealed")


def validity(document: Document) -> dict[str, str]:
    """What a document says of its own force, for `Document.metadata`: `issued`, `effective`, `amended` (the
    last), `repealed`, `review` as ISO dates. Only what was found; a date in the file name is that of the
    issue or of the last change."""
    chinese = unspaced(document.language)
    found = (_read_zh if chinese else _read_en)(*_ends(document))
    if match := FILE_DATE.search(fold(PurePosixPath(document.path).stem)):
        date = f"{match[1]}-{int(match[2] or match[4]):02d}-{int(match[3] or match[5]):02d}"
        if "issued" not in found:
            found["issued"] = date
        elif chinese and all(date > found.get(k, "") for k in ("issued", "effective", "amended")):
            found["amended"] = date
    return found


def repeals(document: Document) -> tuple[str, ...]:
    """The names of the documents that a document says it repeals or takes the place of."""
    head, tail = _ends(document)
    if unspaced(document.language):
        preamble, articles = _split(head)
        names = _repeals_zh(f"{articles or preamble}\n{tail}")
    else:
        found = [m for part in (head, tail) for m in _RE["repeals_en"].finditer(part)]
        whole = (m for m in found if m["b"] or not _RE["part_of"].search(m.string, 0, m.start()))
        names = [" ".join((m["a"] or m["b"]).split()) for m in whole]
    return tuple(dict.fromkeys(names))


def _ends(document: Document) -> tuple[str, str]:
    """The head and the end of its text, folded."""
    text = document.text
    return fold(text[:_HEAD]), fold(text[max(_HEAD, len(text) - _TAIL) :])


def _split(head: str) -> tuple[str, str]:
    """What stands before the first Chinese article, and from there."""
    first = _RE["first_article"].search(head)
    at = first.start() if first else len(head)
    return head[:at], head[at:]


def _read_zh(head: str, tail: str) -> dict[str, str]:
    found: dict[str, str] = {}
    preamble, articles = _split(head)
    days = _days(preamble)
    for day, following in zip_longest(days, days[1:]):
        end = min(following.start if following else len(preamble), day.end + _AFTER_DATE)
        after = preamble[day.end : end].partition("\n")[0]
        if not (date := day.period.iso):
            continue
        if key := next((key for said, key in _ZH_FIRST if said.match(after)), ""):
            found[key] = date
        elif _RE["amended"].search(after):
            found["amended"] = max(date, found.get("amended", ""))
        elif _RE["of_another"].search(after):  # 于某日签订的《采购合同》
            continue
        elif _RE["issued"].search(after) or _RE["signing"].search(preamble, 0, day.start):
            found.setdefault("issued", date)
    closing = f"{articles}\n{tail}"
    starts = [day for day in _days(closing) if _RE["in_force"].match(closing, day.end)]
    own = [day for day in starts if _RE["this"].search(closing, max(0, day.start - 12), day.start)]
    if starts:
        found["effective"] = (own or starts)[-1].period.iso
    elif _RE["at_once"].search(closing) and "issued" in found:
        found.setdefault("effective", found["issued"])
    return found


def _days(text: str) -> list[FoundDate]:
    return [found for found in dates(text) if found.period.year and found.period.day]


def _repeals_zh(text: str) -> list[str]:
    names: list[str] = []
    for match in _RE["repeals"].finditer(text):
        begin = max(text.rfind(mark, 0, match.start()) for mark in "。;\n")
        names += _RE["title"].findall(text, begin + 1, match.start())
        if text[match.end() : match.end() + 1] in (":", "："):
            names += _RE["title"].findall(text[match.end() :].partition("。")[0])
    return names


def _read_en(head: str, tail: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, pattern in _EN.items():
        parts = (head, tail) if key in _IN_TAIL else (head,)
        if seen := [day for part in parts for day in _announced(pattern, part)]:
            found[key] = max(seen) if key == "amended" else seen[0]
    days = (d for d in dates(head) if not head[head.rfind("\n", 0, d.start) + 1 : d.start].strip(" #*"))
    alone = next((d for d in days if not head[d.end :].partition("\n")[0].strip(" .*")), None)
    if alone and alone.period.iso and any(p.search(head, alone.end) for p in (SALUTATION, _RE["addressed"])):
        found["issued"] = alone.period.iso  # a letter's own day
    if "effective" not in found and (defined := _RE["defined"].search(head)):
        before = dates(head[max(0, defined.start() - 40) : defined.start()])
        if before and (iso := before[-1].period.iso):
            found["effective"] = iso
    return found


def _announced(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        after = text[match.end() : match.end() + 2 * _NEAR]
        first = next(iter(dates(after)), None)
        near = first and first.start <= _NEAR and not re.search(r"[.;]\s", after[: first.start])
        if first and near and (iso := first.period.iso):
            yield iso
