"""Article, section, clause, note and other numbers by which a text refers to its own or another's parts, as
labels, whether a passage bears them, and ordinals.

A label is a unit and a number: 第一百二十条之一, 第120条之一 and Article 120-1 are "article 120-1"; § 12.3
and Section 12.3 are "section 12.3"; Art. 12(3) and 第十二条第三款 are "article 12(3)"; 附注七 and Note VII
are "note 7"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from rag.facts.names import label_value
from rag.facts.numerals import HAN_DIGITS, fold, parse_han
from rag.facts.quantity import Kind, Quantity
from rag.languages import Patterns, patterns, union

_UNIT_OF = union(lambda language: language.article_words)
_ENGLISH = "|".join(sorted((w for w in _UNIT_OF if w.isascii() and w.isalpha()), key=len, reverse=True))
_NAMES_EN = (*(w for w in _UNIT_OF if w.isascii() or "§" in w), "no")
_PLURALS = frozenset(w for w in _UNIT_OF if w[:-1] in _UNIT_OF and w.endswith(("s", "§")))
_SHAPES = Patterns(__file__, english=_ENGLISH)
_RE = patterns("references", re.NOFLAG)
UNITS = frozenset(
    ("article", "section", "note", "item", "chapter", "part", "schedule", "exhibit", "appendix", "paragraph",
     "rule", "regulation", "table")
)  # fmt: skip
# What subdivides an article: 第十二条第三款, Article 12 paragraph 3.
_BELOW = frozenset(("paragraph", "item"))
_BARE = {"bare_zh": "article", "below_bare": "paragraph", "note_zh": "note"}
_LINE = re.compile(r"^[\s\u3000#*>]*")
SIBLINGS = frozenset(("article", "section", "rule", "regulation", "paragraph"))


def references(text: str) -> list[Quantity]:
    """The references of a folded text: English ones, then Chinese ones."""
    found: list[tuple[int, int, str, str]] = []
    end = 0
    for m in _SHAPES["ref_en"].finditer(text):
        start = max(end, m.start() - 24)
        if m.start() < end or not text[start : m.start()].rstrip(" \t\xa0.").lower().endswith(_NAMES_EN):
            continue
        if not (named := _SHAPES["name_en"].search(text, start, m.start())):
            continue
        label, name = m.group(), (named["name"] or named["sign"]).lower()
        if named["name"] and len(label) == 1 and label.isalpha() and not named["name"][0].isupper():
            continue
        end = m.end()
        found.append((named.start(), end, _UNIT_OF[name], _label(label)))
        while name in _PLURALS and (more := _SHAPES["ref_more"].match(text, end)):
            end = more.end()
            found.append((more.start("label"), end, _UNIT_OF[name], _label(more["label"])))
    for m in _RE["ref_zh"].finditer(text):
        if number := _number(m["n"] or m["n2"]):
            sub = f"-{whole_number(m['sub'])}" if m["sub"] else ""
            found.append((m.start(), m.end(), _UNIT_OF[m["name"] or m["name2"]], f"{number}{sub}"))
    return [
        Quantity(Kind.REFERENCE, start, end, "", unit=unit, label=label) for start, end, unit, label in found
    ]


def whole_number(text: str) -> int | None:
    """A whole number in digits or Chinese numerals; None for anything else."""
    value = Fraction(text) if text.isdigit() else parse_han(text)
    return None if value is None or value.denominator != 1 else int(value)


def _label(label: str) -> str:
    head = re.match(r"(?!L(?![IVXL]))[IVXL]+(?![A-Za-z])", label)
    return label_value(head.group()) + label[head.end() :].lower() if head else label.lower()


def ordinals(text: str) -> list[Quantity]:
    """The 3rd, 第三."""
    matches = (m for name in ("ordinal_zh", "ordinal_en") for m in _RE[name].finditer(text))
    values = ((m, whole_number(m["n"])) for m in matches)
    return [
        Quantity(Kind.ORDINAL, m.start(), m.end(), "", value=Fraction(value), unit="th")
        for m, value in values
        if value is not None
    ]


def article_labels(text: str) -> tuple[str, ...]:
    """The labels that a text names, in order, each once; a paragraph right behind its article is part of that
    article's label."""
    folded = fold(text)
    found = [(q.start, q.end, q.unit, q.label) for q in references(folded) if _counts(q)]
    taken = [(start, end) for start, end, _, _ in found]
    for name, unit in _BARE.items():
        for m in _RE[name].finditer(folded):
            groups = m.groupdict()
            end = m.end() - len(groups.get("more") or "")
            label = "-".join(_number(n) for n in (m["n"], groups.get("sub")) if n)
            if label and not any(start < end and m.start() < stop for start, stop in taken):
                found.append((m.start(), end, unit, label))
    labels: list[str] = []
    last = -10
    for start, end, unit, number in sorted(found):
        inner = unit in _BELOW and start - last <= 2
        if inner and labels and labels[-1].startswith(("article", "section")):
            labels[-1] += f"({number})"
        else:
            labels.append(f"{unit} {number}")
        last = end
    return tuple(dict.fromkeys(labels))


def _counts(q: Quantity) -> bool:
    return q.unit in UNITS and bool(re.search(r"\d", q.label) or len(q.label) == 1)


def _number(text: str) -> str:
    value = whole_number(text)
    return "" if value is None else str(value)


def base(label: str) -> str:
    """The label without its subdivisions in brackets: "article 12(3)" -> "article 12"."""
    return label.partition("(")[0]


def borne_labels(heading_path: Sequence[str], text: str) -> tuple[str, ...]:
    """The labels that a passage itself bears: with which its lines, and the headings above it, begin."""
    lines = [(line, _SHAPES["headed"]) for line in heading_path]
    lines += [(line, _SHAPES["numbered"]) for line in text.splitlines()]
    labels: dict[str, None] = {}
    for line, shape in lines:
        opening = _LINE.sub("", line, count=1)[:40]
        found = shape.match(opening)
        labels[f"section {found['n']}{found['sub'] or ''}" if found else _opening_label(opening)] = None
    return tuple(filter(None, labels))


@lru_cache(maxsize=8192)
def _opening_label(opening: str) -> str:
    folded = fold(opening)
    if not _SHAPES["opens"].match(folded):
        return ""
    first = next((q for q in references(folded) if q.start == 0 and _counts(q)), None)
    if first is not None:
        return f"{first.unit} {first.label}"
    note = _RE["note_zh"].match(folded)
    return f"note {_number(note['n'])}" if note else ""


def articles_agree(articles: Sequence[str], heading_path: Sequence[str], text: str) -> float:
    """How well a passage fits the labels asked for, -1 to 1: 1 where one of its lines or headings bears the
    label, less where it bears a part of it, what it is a part of, or the same number of another kind; 0.3
    where it only mentions it; -1 where all that it bears is other numbers of the kind; 0 where nothing is
    asked or borne."""
    if not articles:
        return 0.0
    labels = borne_labels(heading_path, text)
    best = max((_likeness(wanted, own) for wanted in articles for own in labels), default=0.0)
    if best >= 0.5:
        return best
    if any(_mentions(text, wanted) for wanted in articles):
        return max(best, 0.3)
    kinds = {a.split()[0] for a in articles}
    return best or (-1.0 if any(own.split()[0] in kinds for own in labels) else 0.0)


def _mentions(text: str, wanted: str) -> bool:
    """Whether a text speaks of a label anywhere; reading all its references only where the number occurs."""
    number = re.match(r"\d+", wanted.partition(" ")[2])
    if number and number.group() not in (folded := fold(text)) and han(int(number.group())) not in folded:
        return False
    return any(base(label) == base(wanted) for label in article_labels(text))


def han(number: int) -> str:
    """A whole number below 10,000 as it is written in statutes: 1,062 is 一千零六十二."""
    digits, result = HAN_DIGITS, ""
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, size)
        if digit:
            result += ("" if unit == "十" and digit == 1 and not result else digits[digit % 10]) + unit
        elif result and number and not result.endswith("零"):
            result += "零"
    return result or "零"


def _likeness(wanted: str, own: str) -> float:
    unit, _, number = wanted.partition(" ")
    own_unit, _, own_number = own.partition(" ")
    weight = 1.0 if unit == own_unit else 0.6
    if unit != own_unit and not ({unit, own_unit} <= SIBLINGS or "section" in (unit, own_unit)):
        return 0.0
    if number == own_number:
        return weight
    if base(number) == base(own_number):
        # Article 12(3) is asked for and article 12 stands here, or the other way round.
        return weight * 0.95 if "(" not in own_number or "(" not in number else 0.0
    if own_number.startswith((f"{number}.", f"{base(number)}.")):
        return weight * 0.8
    return weight * 0.4 if base(number).startswith(f"{own_number}.") else 0.0
