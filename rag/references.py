"""Article, section, clause, note and other numbers by which a text refers to its own or another's parts,
and ordinals."""

from __future__ import annotations

import re
from fractions import Fraction

from rag.numerals import HAN_NUMERAL, parse_han
from rag.quantity import Kind, Quantity

_SAME = (
    "article section paragraph note chapter part schedule exhibit appendix item table figure rule regulation "
    "title phase type class grade stage level"
)
_REFERENCE_NAMES = {
    **{name: name for name in _SAME.split()},
    "articles": "article", "art": "article", "sections": "section", "sec": "section", "§": "section",
    "§§": "section", "clause": "section", "clauses": "section", "paragraphs": "paragraph",
    "para": "paragraph", "notes": "note", "annex": "appendix", "条": "article", "款": "paragraph",
    "项": "item", "章": "chapter", "节": "section", "编": "part", "目": "item", "附件": "appendix",
    "附录": "appendix", "附表": "table", "表": "table", "图": "figure", "期": "phase", "类": "class",
    "级": "grade",
}  # fmt: skip
_PLURALS = frozenset("§§ articles sections clauses notes paragraphs".split())
_LABEL = (
    r"(?:\d{1,5}(?:\.\d{1,4})*(?:-\d{1,4})?[A-Za-z]?(?![\w])|[IVXL]{1,6}\b|[A-Z]\b)(?:\([0-9A-Za-z]{1,4}\))*"
)
_REF_EN = re.compile(
    rf"(?:\b(?P<name>(?i:{'|'.join(n for n in _REFERENCE_NAMES if n.isascii())}))\b\.?"
    rf"|(?P<sign>§{{1,2}}))[ \t]*"
    rf"(?:(?i:no)\.?[ \t]*)?(?P<label>{_LABEL})"
)
_REF_MORE = re.compile(rf"(?P<join>[ \t]*(?:,|and|or|to|through|-|&)[ \t]*)(?P<label>{_LABEL})")
_REF_ZH = re.compile(
    rf"第\s*[(]?(?P<n>\d{{1,5}}"
    rf"|[{HAN_NUMERAL}]{{1,8}})[)]?\s*(?P<name>[条款项章节编目期类级])(?:之(?P<sub>[{HAN_NUMERAL}\d]{{1,3}}))?"
    rf"|(?P<name2>附件|附录|附表|表|图)\s*(?P<n2>\d{{1,3}}|[一二三四五六七八九十]{{1,3}})(?![\d.年月日个%])"
)
_ORDINAL_ZH = re.compile(rf"第\s*(?P<n>\d{{1,6}}|[{HAN_NUMERAL}]{{1,8}})(?![条款项章节编目期类级季])")
_ORDINAL_EN = re.compile(r"\b(?P<n>\d{1,4})(?:st|nd|rd|th)\b")
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}


def references(text: str) -> list[Quantity]:
    found: list[Quantity] = []

    def add(start: int, end: int, unit: str, label: str) -> None:
        found.append(Quantity(Kind.REFERENCE, start, end, "", unit=unit, label=label))

    for m in _REF_EN.finditer(text):
        name = (m["name"] or m["sign"]).lower()
        if m["name"] and len(m["label"]) == 1 and m["label"].isalpha() and not m["name"][0].isupper():
            continue
        add(m.start(), m.end(), _REFERENCE_NAMES[name], _label(m["label"]))
        end = m.end()
        while name in _PLURALS and (more := _REF_MORE.match(text, end)):
            end = more.end()
            add(more.start("label"), end, _REFERENCE_NAMES[name], _label(more["label"]))
    for m in _REF_ZH.finditer(text):
        number = whole_number(m["n"] or m["n2"])
        if number is not None:
            sub = f"-{whole_number(m['sub'])}" if m["sub"] else ""
            add(m.start(), m.end(), _REFERENCE_NAMES[m["name"] or m["name2"]], f"{number}{sub}")
    return found


def whole_number(text: str) -> int | None:
    """A whole number in digits or Chinese numerals; None for anything else."""
    value = Fraction(text) if text.isdigit() else parse_han(text)
    return None if value is None or value.denominator != 1 else int(value)


def _label(label: str) -> str:
    head = re.match(r"[IVXL]+(?![A-Za-z])", label)
    if head is None or (len(head.group()) == 1 and head.group() == "L"):
        return label.lower()
    values = [_ROMAN[c] for c in head.group()]
    total = sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))
    return str(total) + label[head.end() :].lower()


def ordinals(text: str) -> list[Quantity]:
    found = []
    for pattern in (_ORDINAL_ZH, _ORDINAL_EN):
        for m in pattern.finditer(text):
            value = whole_number(m["n"])
            if value is not None:
                found.append(Quantity(Kind.ORDINAL, m.start(), m.end(), "", value=Fraction(value), unit="th"))
    return found
