"""Equations of web pages and of Markdown (MathML, TeX) as one line of text, as those of Office files read:
each is written down as an Office equation, which says how it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.languages import Patterns
from rag.parsers.docx_math import linear

_RE = Patterns(__file__)
_M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
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

    made = etree.Element(f"{{{_M}}}{name}")
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
    character.set(f"{{{_M}}}val", sign)
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
        if kind in ("sSub", "sSup", "nary") and base.find(f"{{{_M}}}{name}") is None:
            base.append(_element(name, *script))
            base.tag = f"{{{_M}}}{'nary' if kind == 'nary' else 'sSubSup'}"
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
