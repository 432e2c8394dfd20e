"""Equations as one line of text: "5 × (GFR + 25)", "(a + b)/2", "√(x + 1)", "∑_(i=1)^n x". Those of Office
files (OMML, ISO/IEC 29500-1 chapter 22.1) are read, those of web pages and of Markdown (MathML, TeX) written
down as such before. Scripts read as raised and lowered text does elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.languages import Patterns
from rag.parsers.marks import marked, unmarked
from rag.types import MarkKind

_RE = Patterns(__file__)
_OMML = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_RAISED = str.maketrans("0123456789+-−=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱ")
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_DEPTH = 40
# The parts of what has parts, in the order of MathML and of TeX.
_PARTS = {
    "mfrac": ("num", "den"), "mroot": ("e", "deg"), "msup": ("e", "sup"), "msub": ("e", "sub"),
    "msubsup": ("e", "sub", "sup"), "munder": ("e", "sub"), "munderover": ("e", "sub", "sup"),
}  # fmt: skip
_SILENT = frozenset(("annotation", "annotation-xml", "mphantom", "none", "mspace", "mprescripts"))
_SYMBOLS = _RE.pairs("symbols")
_ACCENTS = _RE.pairs("accents")
_PLAIN = _RE.words("plain")
_QUIET = _RE.words("quiet")


def from_mathml(node: Any) -> str:
    """The text of a `math` element (selectolax), with marks as `TextBuilder` takes them."""
    root = _element("oMath")
    _add_mathml(root, node, 0)
    return linear(root)


def from_tex(source: str) -> str:
    """The text of a formula in TeX without its delimiters; what is not known is left as the name of its
    command."""
    root = _element("oMath")
    tokens = [t for t in _RE["token"].findall(source[:20_000]) if t not in _QUIET]
    _Tex(tokens).read(root)
    return linear(root)


def tex_in(text: str) -> str:
    r"""Text with the formulas in it that stand between TeX's delimiters: $$…$$, \(…\), \[…\], and $…$ where
    that holds a command or a script."""
    if "$" not in text and "\\" not in text:
        return text
    return _RE["delimited"].sub(lambda m: from_tex(next(filter(None, m.groups()), "")) or m[0], text)


def _element(name: str, *children: Any) -> Any:
    from lxml import etree

    made = etree.Element(_OMML + name)
    made.extend(children)
    return made


def _run(text: str) -> Any:
    """Characters; what XML cannot hold was cleaned away from the text before."""
    run, inner = _element("r"), _element("t")
    inner.text = _RE["no_xml"].sub("", text)
    run.append(inner)
    return run


def _object(kind: str, names: Sequence[str], parts: Sequence[Sequence[Any]]) -> Any:
    return _element(kind, *(_element(name, *part) for name, part in zip(names, parts, strict=True)))


def _scripted(base: Sequence[Any], scripts: Mapping[str, Sequence[Any]]) -> list[Any]:
    """What has `sub` or `sup`, or both; a sum has limits, and what stands behind a bracket is about all of
    it."""
    text = "".join(base[0].itertext()) if len(base) == 1 else ""
    if text and text in "∑∏∫∮⋃⋂":
        made = _accent("nary", text, ())
        made.extend(_element(name, *script) for name, script in scripts.items())
        return [made]
    kind = "sSubSup" if len(scripts) > 1 else "sSub" if "sub" in scripts else "sSup"
    bracket = text in (")", "]", "}", "|")
    made = _object(kind, ("e", *scripts), [() if bracket else base, *scripts.values()])
    return [*base, made] if bracket else [made]


def _accent(kind: str, sign: str, inner: Sequence[Any]) -> Any:
    """A sign above or below: of an accent its combining character."""
    character = _element("chr")
    character.set(_OMML + "val", sign)
    return _element(kind, _element(f"{kind}Pr", character), _element("e", *inner))


def _children(node: Any) -> Iterator[Any]:
    child = node.child
    while child is not None:
        if child.tag not in ("-text", "-comment") or (child.text_content or "").strip():
            yield child
        child = child.next


def _mathml(node: Any, depth: int) -> list[Any]:
    holder = _element("e")
    _add_mathml(holder, node, depth)
    return list(holder)


def _add_mathml(parent: Any, node: Any, depth: int) -> None:
    tag, parts = node.tag, list(_children(node)) if depth < _DEPTH else []
    own = _PARTS.get(tag)
    if tag in _SILENT:
        return
    if tag == "-text" or not parts or tag in ("mi", "mn", "mo", "mtext", "ms"):
        text = " ".join((node.text_content if tag == "-text" else node.text()).split())
        parent.append(_run(f"{text} " if tag == "mtext" else text))
    elif own and len(parts) == len(own):
        made = [_mathml(part, depth + 1) for part in parts]
        if "e" in own and tag != "mroot":
            parent.extend(_scripted(made[0], dict(zip(own[1:], made[1:], strict=True))))
        else:
            parent.append(_object("f" if tag == "mfrac" else "rad", own, made))
    elif tag == "msqrt":
        parent.append(_object("rad", ("e",), [[e for part in parts for e in _mathml(part, depth + 1)]]))
    elif tag == "mover" and len(parts) == 2:
        sign = parts[1].text().strip()
        inner = _mathml(parts[0], depth + 1)
        combining = _ACCENTS.get(sign)
        over = [_accent("acc", combining, inner)] if combining else []
        parent.extend(over or _scripted(inner, {"sup": _mathml(parts[1], depth + 1)}))
    elif tag == "mtable":
        rows = [[_mathml(cell, depth + 1) for cell in _children(row)] for row in parts]
        parent.append(_element("m", *(_element("mr", *(_element("e", *c) for c in row)) for row in rows)))
    elif tag == "mfenced":
        opens, closes = node.attributes.get("open") or "(", node.attributes.get("close") or ")"
        parent.append(_run(opens))
        for n, part in enumerate(parts):
            parent.extend([_run(", ")] * (n > 0) + _mathml(part, depth + 1))
        parent.append(_run(closes))
    else:
        for part in parts[:1] if tag == "semantics" else parts:
            _add_mathml(parent, part, depth + 1)


class _Tex:
    """Reads the tokens of a formula in their order."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def read(self, parent: Any, depth: int = 0, end: str = "") -> None:
        """Add what stands up to `end`, or to the end of the formula."""
        while self._at < len(self._tokens):
            if self._tokens[self._at] == end:
                self._at += 1
                return
            token = self._tokens[self._at]
            if token in "^_" and len(parent):
                self._at += 1
                self._script(parent, token, self._argument(depth))
            else:
                parent.extend(self._argument(depth))

    def _script(self, parent: Any, sign: str, script: list[Any]) -> None:
        """A script belongs to what stands before it; a second one to the same."""
        name, base = "sup" if sign == "^" else "sub", parent[-1]
        kind = base.tag.rpartition("}")[2]
        if kind in ("sSub", "sSup", "nary") and base.find(_OMML + name) is None:
            base.append(_element(name, *script))
            base.tag = _OMML + ("nary" if kind == "nary" else "sSubSup")
        else:
            parent.remove(base)
            parent.extend(_scripted([base], {name: script}))

    def _argument(self, depth: int) -> list[Any]:
        """The next group, command or character."""
        if self._at >= len(self._tokens):
            return []
        token = self._tokens[self._at]
        self._at += 1
        if token == "{" and depth < _DEPTH:
            holder = _element("e")
            self.read(holder, depth + 1, "}")
            return list(holder)
        name = token[1:]
        if depth >= _DEPTH or not token.startswith("\\") or not name[:1].isalpha():
            plain = {"\\\\": "; ", "&": " ", "~": " ", "-": "−"}.get(token, token.lstrip("\\"))
            return [_run(plain)] if plain.strip("{}") else []
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            return [_object("f", ("num", "den"), [self._argument(depth + 1), self._argument(depth + 1)])]
        if name == "sqrt":
            degree: list[Any] = []
            if self._tokens[self._at : self._at + 1] == ["["]:
                self._at += 1
                holder = _element("e")
                self.read(holder, depth + 1, "]")
                degree = list(holder)
            return [_object("rad", ("deg", "e"), [degree, self._argument(depth + 1)])]
        if name in _ACCENTS:
            return [_accent("acc", _ACCENTS[name], self._argument(depth + 1))]
        if name in _PLAIN:
            return self._argument(depth + 1)
        if name in ("begin", "end"):
            self._argument(depth + 1)
            return []
        return [_run(_SYMBOLS.get(name, name))]


def linear(element: Any) -> str:
    """The text of an equation (m:oMath, m:oMathPara), with marks as `TextBuilder` takes them and with blanks
    about what stands between two operands, as on the page."""
    text = _RE["sign"].sub(r" \1 ", _RE["between"].sub(r" \1 ", _row(element)))
    return " ".join(_RE["hyphen"].sub(" - ", text).split())


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
        if tag.startswith(_OMML) and kind in _KINDS:
            pieces.append(_KINDS[kind](child))
        elif tag in (_OMML + "t", _W + "t"):
            pieces.append(_RE["letter"].sub(lambda m: unicodedata.normalize("NFKC", m[0]), child.text or ""))
        elif tag in (_W + "br", _W + "tab"):
            pieces.append(" ")
        elif tag.startswith((_OMML, _W)) and not kind.endswith("Pr") and kind not in ("del", "moveFrom"):
            pieces.append(_row(child))
            if kind == "oMath" and child.getnext() is not None:
                pieces.append(" ")
    return "".join(pieces)


def _part(element: Any, name: str) -> str:
    return _row(element.find(_OMML + name)).strip()


def _value(element: Any, name: str, default: str = "") -> str:
    """A property of an object: `chr` of m:naryPr and the like."""
    found = next(
        iter(element.xpath(f"./*[local-name()='{_kind(element)}Pr']/*[local-name()='{name}']")), None
    )
    return default if found is None else found.get(_OMML + "val", "")


def _kind(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _on(element: Any, name: str) -> bool:
    found = _value(element, name, "off")
    return found not in ("off", "0", "false")


def _grouped(text: str) -> str:
    """In brackets where it is more than one operand."""
    plain = unmarked(text)
    if _RE["simple"].fullmatch(plain) or (plain[:1] in "([" and _closes(plain) == len(plain) - 1):
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
    return marked(MarkKind.LOWERED, text) if _RE["simple"].fullmatch(unmarked(text)) else f"_({text})"


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
    inner = _value(element, "sepChr", "|").join(_row(e).strip() for e in element.iterchildren(_OMML + "e"))
    return f"{_value(element, 'begChr', '(')}{inner}{_value(element, 'endChr', ')')}"


def _matrix(element: Any) -> str:
    rows = "; ".join(
        ", ".join(_row(cell).strip() for cell in row.iterchildren(_OMML + "e"))
        for row in element.iterchildren(_OMML + "mr")
    )
    above = element.getparent()
    within = above is not None and above.getparent() is not None and _kind(above.getparent()) == "d"
    return rows if within else f"[{rows}]"


def _lines(element: Any) -> str:
    return "; ".join(_row(e).replace("&", "").strip() for e in element.iterchildren(_OMML + "e"))


def _accented(element: Any) -> str:
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
    "acc": _accented, "bar": _accented, "func": _function, "phant": _phantom,
    "limLow": _limit, "limUpp": _limit, **dict.fromkeys(("sSup", "sSub", "sSubSup", "sPre"), _scripts),
}  # fmt: skip
