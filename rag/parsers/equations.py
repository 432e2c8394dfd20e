"""Equations as one line of text: "5 × (GFR + 25)", "(a + b)/2", "√(x + 1)", "∑_(i=1)^n x", from Office files
(OMML, ISO/IEC 29500-1 chapter 22.1) and web pages (MathML). Scripts read as raised and lowered text does
elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from rag.languages import Patterns
from rag.parsers.marks import SUPERSCRIPTS, marked, unmarked
from rag.parsers.office import M, W
from rag.types import MarkKind

_RE = Patterns(__file__)
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_DEPTH = 40
_SILENT = frozenset(("annotation", "annotation-xml", "mphantom", "none", "mspace", "mprescripts"))
# What MathML sets below and above the first part, in their order.
_SCRIPTED = {
    "msup": ("above",), "msub": ("below",), "msubsup": ("below", "above"), "munder": ("below",),
    "munderover": ("below", "above"),
}  # fmt: skip
_ACCENTS = _RE.pairs("accents")


def from_mathml(node: Any) -> str:
    """The text of a `math` element (selectolax), with marks as `TextBuilder` takes them."""
    return _spaced(_mathml(node, 0))


def linear(element: Any) -> str:
    """The text of an equation (m:oMath, m:oMathPara), with marks as `TextBuilder` takes them."""
    return _spaced(_row(element))


def _spaced(text: str) -> str:
    """With plain letters for mathematical ones, and blanks about what stands between two operands."""
    text = _RE["letter"].sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    text = _RE["sign"].sub(r" \1 ", _RE["between"].sub(r" \1 ", text))
    return " ".join(_RE["hyphen"].sub(" - ", text).split())


def _mathml(node: Any, depth: int) -> str:
    tag = node.tag
    nodes = list(_children(node)) if depth < _DEPTH else []
    if tag in _SILENT:
        return ""
    if tag == "-text" or not nodes or tag in ("mi", "mn", "mo", "mtext", "ms"):
        text = " ".join((node.text_content if tag == "-text" else node.text()).split())
        return f"{text} " if tag == "mtext" else text
    if tag == "mtable":
        rows = [[_mathml(cell, depth + 1).strip() for cell in _children(row)] for row in nodes]
        return f"[{'; '.join(map(', '.join, rows))}]"
    parts = [_mathml(part, depth + 1) for part in (nodes[:1] if tag == "semantics" else nodes)]
    scripts = _SCRIPTED.get(tag, ())
    if tag == "mfrac" and len(parts) == 2:
        return "/".join(_grouped(part.strip()) for part in parts)
    if tag == "msqrt" or (tag == "mroot" and len(parts) == 2):
        return _radical("".join(parts) if tag == "msqrt" else parts[0], "" if tag == "msqrt" else parts[1])
    if scripts and len(parts) == len(scripts) + 1:
        return _scripted(parts[0], **dict(zip(scripts, parts[1:], strict=True)))
    if tag == "mover" and len(parts) == 2:
        sign = _ACCENTS.get(nodes[1].text().strip())
        return parts[0].strip() + sign if sign else _scripted(parts[0], above=parts[1])
    if tag == "mfenced":
        opens, closes = node.attributes.get("open") or "(", node.attributes.get("close") or ")"
        return f"{opens}{', '.join(parts)}{closes}"
    return "".join(parts)


def _children(node: Any) -> Iterator[Any]:
    for child in node.iter(include_text=True):
        if child.tag not in ("-text", "-comment") or (child.text_content or "").strip():
            yield child


def from_field(code: str) -> str:
    """The text of an EQ field, as equations were written before: "EQ \\f(1,2)" is 1/2, "EQ \\o\\ac(○,3)"
    is ③."""
    text = re.sub(r"^\s*EQ\b", "", code, flags=re.I)
    while (whole := _RE["field"].sub(_of_field, text)) != text:
        text = whole
    return text.replace("\0", "(").replace("\1", ")").strip()


def _of_field(match: re.Match[str]) -> str:
    name, options = match[1].lower(), match[2].lower()
    first, *rest = (part.strip() for part in re.split("[,;]", match[3]))
    said = ", ".join(filter(None, (first, *rest)))
    if name == "f":
        said = "/".join(map(_grouped, (first, *rest)))
    elif name == "r":
        said = f"{(first if rest else '').translate(SUPERSCRIPTS)}√{_grouped((rest or [first])[0])}"
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
        if tag.startswith(M) and (said := _object(child, kind)) is not None:
            pieces.append(said)
        elif tag in (M + "t", W + "t"):
            pieces.append(child.text or "")
        elif tag in (W + "br", W + "tab"):
            pieces.append(" ")
        elif tag.startswith((M, W)) and not kind.endswith("Pr") and kind not in ("del", "moveFrom"):
            pieces.append(_row(child))
            if kind == "oMath" and child.getnext() is not None:
                pieces.append(" ")
    return "".join(pieces)


def _object(element: Any, kind: str) -> str | None:
    """An object of OMML; None for what only holds others."""

    def part(name: str) -> str:
        return _row(element.find(M + name)).strip()

    def value(name: str, default: str = "") -> str:
        found = element.find(f"{M}{kind}Pr/{M}{name}")
        return default if found is None else found.get(M + "val", "")

    def hidden(name: str) -> bool:
        return value(name, "off") not in ("off", "0", "false")

    def each(parent: Any) -> list[str]:
        return [_row(e).strip() for e in parent.iterchildren(M + "e")]

    match kind:
        case "f":
            over, under = part("num"), part("den")
            bare = value("type") == "noBar"
            return f"{over}¦{under}" if bare else f"{_grouped(over)}/{_grouped(under)}"
        case "rad":
            return _radical(part("e"), "" if hidden("degHide") else part("deg"))
        case "sSub" | "sSup" | "sSubSup":
            return _scripts(part("e"), part("sub"), part("sup"))
        case "sPre":
            return f"{_above(part('sup'))}{_below(part('sub'))}{part('e')}"
        case "nary":
            below = "" if hidden("subHide") else part("sub")
            above = "" if hidden("supHide") else part("sup")
            return f"{_limits(value('chr', '∫'), below, above)} {part('e')}"
        case "limLow" | "limUpp":
            lower = kind == "limLow"
            return _limits(part("e"), part("lim") if lower else "", "" if lower else part("lim"))
        case "d":
            return f"{value('begChr', '(')}{value('sepChr', '|').join(each(element))}{value('endChr', ')')}"
        case "m":
            rows = "; ".join(", ".join(each(row)) for row in element.iterchildren(M + "mr"))
            return rows if element.getparent().getparent().tag == M + "d" else f"[{rows}]"
        case "eqArr":
            return "; ".join(line.replace("&", "").strip() for line in each(element))
        case "acc" | "bar":
            line = "\u0304" if value("pos", "bot") == "top" else "\u0332"
            return part("e") + (value("chr", "\u0302") if kind == "acc" else line)
        case "func":
            argument = part("e")
            return f"{part('fName')}{'' if argument.startswith(('(', '[', '{')) else ' '}{argument}"
        case "phant":
            return part("e") if value("show", "on") not in ("off", "0", "false") else ""
    return None


def _grouped(text: str) -> str:
    """In brackets where it is more than one operand."""
    plain = unmarked(text)
    depths = list(accumulate((c in "([") - (c in ")]") for c in plain))
    enclosed = plain[:1] in "([" and 0 not in depths[:-1] and depths[-1:] == [0]
    return text if enclosed or _RE["simple"].fullmatch(plain) else f"({text})"


def _radical(text: str, degree: str) -> str:
    degree = degree.strip()
    return (_ROOTS.get(degree) or f"{degree.translate(SUPERSCRIPTS)}√") + _grouped(text.strip())


def _scripted(base: str, below: str = "", above: str = "") -> str:
    """What has scripts: those of a sum are its limits, those behind a bracket are about all in it."""
    base, below, above = base.strip(), below.strip(), above.strip()
    if base and base in "∑∏∫∮⋃⋂":
        return f"{_limits(base, below, above)} "
    if base in (")", "]", "}", "|"):
        return f"{base}{_scripts('', below, above)}"
    return _scripts(base, below, above)


def _scripts(base: str, below: str, above: str) -> str:
    return f"{_grouped(base) if above else base}{_below(below)}{_above(above)}"


def _above(text: str) -> str:
    raised = text.translate(SUPERSCRIPTS)
    return raised if not text or all(c not in text for c in raised) else f"^{_grouped(text)}"


def _below(text: str) -> str:
    if not text:
        return ""
    return marked(MarkKind.LOWERED, text) if _RE["simple"].fullmatch(unmarked(text)) else f"_({text})"


def _limits(sign: str, below: str, above: str) -> str:
    return sign + (f"_{_grouped(below)}" if below else "") + (f"^{_grouped(above)}" if above else "")
