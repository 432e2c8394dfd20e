"""Equations of Office files (OMML, ISO/IEC 29500-1 chapter 22.1) as one line of text: "5 × (GFR + 25)",
"(a + b)/2", "√(x + 1)", "∑_(i=1)^n x". Scripts read as raised and lowered text does elsewhere."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from rag.parsers.marks import marked, unmarked
from rag.types import MarkKind

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_LETTER = re.compile("[\U0001d400-\U0001d7ff]")  # letters of mathematical type
_SIMPLE = re.compile(r"[^\W_]*[\w.,%°′'⁰¹²³⁴-⁹\u0300-\u036f\u20d0-\u20ff]*")
_BETWEEN = re.compile(r"[ \t]*([=≠≈≅≡≤≥<>×÷∙·±∓→⇒⇔∝∈∪∩])[ \t]*")
_SIGN = re.compile(r"(?<=[\w)\]}⁰¹²³⁴-⁹°%!])[ \t]*([+−])[ \t]*(?=[\w(\[{√∛∜∑∫.\ufdd0-\ufdef])")
_FIELD = re.compile(r"\\([a-z]+)((?:\s*\\[a-z]+\d*)*)\s*\(([^()\\]*)\)", re.I)
_HYPHEN = re.compile(r"(?<=[\d)\]}⁰¹²³⁴-⁹])-(?=[\w(\[{√∑∫.])|(?<=\w)-(?=[\d(\[{√∑∫])")


def linear(element: Any) -> str:
    """The text of an equation (m:oMath, m:oMathPara), with marks as `TextBuilder` takes them and with blanks
    about what stands between two operands, as on the page."""
    text = _SIGN.sub(r" \1 ", _BETWEEN.sub(r" \1 ", _row(element)))
    return " ".join(_HYPHEN.sub(" - ", text).split())


def from_field(code: str) -> str:
    """The text of an EQ field, as equations were written before: "EQ \\f(1,2)" is 1/2, "EQ \\o\\ac(○,3)"
    is ③."""
    text = re.sub(r"^\s*EQ\b", "", code, flags=re.I)
    while (whole := _FIELD.sub(_of_field, text)) != text:
        text = whole
    return text.replace("\0", "(").replace("\1", ")").strip()


def _of_field(match: re.Match[str]) -> str:
    name, options = match[1].lower(), match[2].lower()
    first, *rest = (part.strip() for part in re.split("[,;]", match[3]))
    said = ", ".join(filter(None, (first, *rest)))
    if name == "f":
        said = "/".join(map(_grouped, (first, *rest)))
    elif name == "r":
        said = f"{(first if rest else '').translate(_RAISED)}√{_grouped((rest or [first])[0])}"
    elif name == "o":
        ring = first in ("○", "◯") and rest and rest[0].isdecimal() and 0 < int(rest[0]) <= 20
        said = chr(0x2460 + int(rest[0]) - 1) if ring else "".join((first, *rest))
    elif name == "s":
        said = _above(first) if "\\up" in options else first
    return said.replace("(", "\0").replace(")", "\1")


def _row(element: Any) -> str:
    """What stands side by side."""
    pieces = []
    for child in element.iterchildren() if element is not None else ():
        tag = child.tag if isinstance(child.tag, str) else ""
        kind = tag.rpartition("}")[2]
        if tag.startswith(_M) and kind in _KINDS:
            pieces.append(_KINDS[kind](child))
        elif tag in (_M + "t", _W + "t"):
            pieces.append(_LETTER.sub(lambda m: unicodedata.normalize("NFKC", m[0]), child.text or ""))
        elif tag in (_W + "br", _W + "tab"):
            pieces.append(" ")
        elif (
            tag.startswith((_M, _W)) and not kind.endswith("Pr") and tag not in (_W + "del", _W + "moveFrom")
        ):
            pieces.append(_row(child))
            if kind == "oMath" and child.getnext() is not None:
                pieces.append(" ")
    return "".join(pieces)


def _part(element: Any, name: str) -> str:
    return _row(element.find(_M + name)).strip()


def _value(element: Any, name: str, default: str = "") -> str:
    """A property of an object: `chr` of m:naryPr and the like."""
    found = next(
        iter(element.xpath(f"./*[local-name()='{_kind(element)}Pr']/*[local-name()='{name}']")), None
    )
    return default if found is None else found.get(_M + "val", "")


def _kind(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _on(element: Any, name: str) -> bool:
    found = _value(element, name, "off")
    return found not in ("off", "0", "false")


def _grouped(text: str) -> str:
    """In brackets where it is more than one operand."""
    plain = unmarked(text)
    if _SIMPLE.fullmatch(plain) or (plain[:1] in "([" and _closes(plain) == len(plain) - 1):
        return text
    return f"({text})"


def _closes(text: str) -> int:
    """Where the bracket that opens a text is closed; -1."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            return at
    return -1


def _fraction(element: Any) -> str:
    over, under = _part(element, "num"), _part(element, "den")
    if _value(element, "type") == "noBar":
        return f"{over}¦{under}"
    return f"{_grouped(over)}/{_grouped(under)}"


def _radical(element: Any) -> str:
    degree = "" if _on(element, "degHide") else _part(element, "deg")
    sign = _ROOTS.get(degree) or f"{degree.translate(_RAISED)}√"
    return sign + _grouped(_part(element, "e"))


def _above(text: str) -> str:
    if not text:
        return ""
    raised = text.translate(_RAISED)
    return raised if all(c not in text for c in raised) else f"^{_grouped(text)}"


def _below(text: str) -> str:
    return marked(MarkKind.LOWERED, text) if _SIMPLE.fullmatch(unmarked(text)) else f"_({text})"


def _scripts(element: Any) -> str:
    base, kind = _part(element, "e"), _kind(element)
    below = "" if kind == "sSup" else _below(_part(element, "sub"))
    above = "" if kind == "sSub" else _above(_part(element, "sup"))
    if kind == "sPre":
        return f"{above}{below}{base}"
    return f"{_grouped(base) if above else base}{below}{above}"


def _limits(sign: str, below: str, above: str) -> str:
    return sign + (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")


def _nary(element: Any) -> str:
    below = "" if _on(element, "subHide") else _part(element, "sub")
    above = "" if _on(element, "supHide") else _part(element, "sup")
    return f"{_limits(_value(element, 'chr', '∫'), below, above)} {_part(element, 'e')}"


def _limit(element: Any) -> str:
    limit = _part(element, "lim")
    lower = _kind(element) == "limLow"
    return _limits(_part(element, "e"), limit if lower else "", "" if lower else limit)


def _delimited(element: Any) -> str:
    inner = _value(element, "sepChr", "|").join(_row(e).strip() for e in element.iterchildren(_M + "e"))
    return f"{_value(element, 'begChr', '(')}{inner}{_value(element, 'endChr', ')')}"


def _matrix(element: Any) -> str:
    rows = "; ".join(
        ", ".join(_row(cell).strip() for cell in row.iterchildren(_M + "e"))
        for row in element.iterchildren(_M + "mr")
    )
    above = element.getparent()
    within = above is not None and above.getparent() is not None and _kind(above.getparent()) == "d"
    return rows if within else f"[{rows}]"


def _lines(element: Any) -> str:
    return "; ".join(_row(e).replace("&", "").strip() for e in element.iterchildren(_M + "e"))


def _accent(element: Any) -> str:
    top = _value(element, "pos", "bot") == "top"
    sign = _value(element, "chr", "\u0302") if _kind(element) == "acc" else "\u0304" if top else "\u0332"
    return _part(element, "e") + sign


def _function(element: Any) -> str:
    name, argument = _part(element, "fName"), _part(element, "e")
    return f"{name}{'' if argument.startswith(('(', '[', '{')) else ' '}{argument}"


def _phantom(element: Any) -> str:
    return _part(element, "e") if _value(element, "show", "on") not in ("off", "0", "false") else ""


_KINDS = {
    "f": _fraction, "rad": _radical, "nary": _nary, "d": _delimited, "m": _matrix, "eqArr": _lines,
    "acc": _accent, "bar": _accent, "func": _function, "phant": _phantom, "limLow": _limit, "limUpp": _limit,
    **dict.fromkeys(("sSup", "sSub", "sSubSup", "sPre"), _scripts),
}  # fmt: skip
