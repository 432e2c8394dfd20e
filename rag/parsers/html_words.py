"""The words of HTML in line, with what their elements say of them: raised, lowered, struck and hidden text,
notes and their marks, form fields with their values, equations.

Style attributes and `hidden` leave text out, as navigation and scripts are; text that a rule of <style>
hides, or that has the colour of what lies behind it, is kept as hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.languages import Patterns
from rag.parsers import marks
from rag.parsers.equations import from_mathml
from rag.parsers.html_style import declarations, read_rules
from rag.parsers.marks import note_body, note_labels, note_mark, without_signs
from rag.types import MarkKind

_RE = Patterns(__file__)
_SKIP = _RE.words("skip")
_STRUCK = _RE.words("struck")
_TELLING = _STRUCK | {"ins", "font"}
_TYPED = _RE.words("typed")
_LONGEST_RAISED = 60
_ROLES = ("role", "class", "epub:type", "rel")
_INLINE = _RE.words("inline")
_PARTS, _DISPLAYED = _RE.pairs("roles"), _RE.pairs("displayed")
_COLOURS = _RE.pairs("colours")
_BREAKING = frozenset("br table p div ul ol".split())
_MOST_RULES = 400
_MOST_WORK = 200_000_000  # characters of the page times rules that are looked for in it
Declarations = Mapping[str, str]


class WebPage:
    """What the words of a page have to know of all of it: which links lead from the mark of a note to the
    note, which stands behind it, and what the rules of its style say. `sheets`: there are style sheets beside
    it, which are not read."""

    def __init__(self, tree: Any, size: int) -> None:
        self.rules, self.generated = read_rules(tree, min(_MOST_RULES, _MOST_WORK // max(size, 1)))
        self.sheets = tree.css_first('link[rel~="stylesheet" i]') is not None
        self.pictures: set[str] = set()  # the addresses of those that were met
        self.targets: dict[int, str] = {}  # element that is a note -> its label, which is unique
        self.printed: dict[str, str] = {}  # label -> the label as printed
        self.open_notes: set[str] = set()  # labels of marks whose note was not met yet
        said_to_be = {e.mem_id: _PARTS.get(e.attributes.get("role") or "") for e in tree.css("[role]")}
        shown_as = {e: _DISPLAYED.get(declared.get("display", "")) for e, declared in self.rules.items()}
        self._parts = {e: tag for e, tag in (shown_as | said_to_be).items() if tag}
        links: dict[str, list[tuple[int, str]]] = {}
        for n, node in enumerate(tree.css('a[href^="#"], [id], a[name]')):
            attributes = node.attributes
            href = attributes.get("href") or ""
            if node.tag == "a" and len(href) > 1 and href.startswith("#") and _refers(node):
                links.setdefault(href[1:], []).append((n, node.text()))
            name = attributes.get("id") or attributes.get("name") or ""
            if any(at < n for at, _ in links.get(name, ())):
                self.targets.setdefault(node.mem_id, f"#{name}")
                self.printed[f"#{name}"] = next(iter(note_labels(links[name][0][1])), "")

    def tag(self, node: Any) -> str:
        """The tag of an element, or that of the part of a table that it is by its role or style."""
        return str(self._parts.get(node.mem_id, node.tag) if self._parts else node.tag)

    def style(self, node: Any) -> Declarations:
        """The declarations that hold for an element, its own before those of rules."""
        rules, own = self.rules.get(node.mem_id, {}), node.attributes.get("style")
        return {**rules, **declarations(own)} if own else rules


def _refers(link: Any) -> bool:
    """Whether a link is the mark of a note: raised, or said to be one, and a label."""
    above = (link.parent, link.parent.parent if link.parent else None)
    raised_there = link.css_first("sup") is not None or any(e is not None and e.tag == "sup" for e in above)
    return bool(note_labels(link.text())) and bool(raised_there or _RE["reference"].search(said(link)))


def said(node: Any, *names: str) -> str:
    """What attributes say, on one line; without names those that say what an element is for."""
    return " ".join(node.attributes.get(name) or "" for name in names or _ROLES)


@dataclass(frozen=True, slots=True)
class _Look:
    """How the words of an element look: struck, hidden or inserted, and the colours that hold for it."""

    kind: MarkKind | None = None
    colour: str = ""
    behind: str = ""
    left_out: bool = False


class LineWords:
    """Collects the words of elements as they are walked. For each element: `open`, then, where that says so,
    `read` and its children, and at its end `close`."""

    def __init__(self, page: WebPage) -> None:
        self.page = page
        self._looks = [_Look(behind="" if page.sheets else "ffffff")]
        self._pieces: list[tuple[MarkKind | None, str]] = []
        self._ahead: set[int] = set()  # elements whose words were read with an earlier one
        self._note = ""  # label of the last note that began in this paragraph
        self._bare = ""  # what a note's own label is printed as, while that is still to come

    def __bool__(self) -> bool:
        """Whether anything was collected, more than where a note begins."""
        return bool(self._pieces) and not (
            self._note and not any(marks.unmarked(t).strip() for _, t in self._pieces)
        )

    def open(self, node: Any, *, count: bool = True) -> bool:
        """Whether an element is read; False for what no reader sees. `count`: its counters go on."""
        tag, attributes, look = node.tag, node.attributes, self._looks[-1]
        if tag in _SKIP or (self._ahead and node.mem_id in self._ahead):
            look = _Look(left_out=True)
        elif attributes or tag in _TELLING or self.page.rules:
            own = declarations(attributes.get("style") or "")
            silent = "hidden" in attributes or attributes.get("aria-hidden") == "true"
            silent = silent or attributes.get("role") in ("navigation", "menubar")
            if silent or own.get("display") == "none" or own.get("visibility") == "hidden":
                look = _Look(left_out=True)
            elif (style := self.page.style(node)) or tag in _TELLING or "bgcolor" in attributes:
                look = _look(tag, attributes, look, style)
        self._looks.append(look)
        style = self.page.style(node) if count and not look.left_out and self.page.rules else {}
        self.page.generated.open(style, shown=style.get("display") != "none")
        return not look.left_out

    def close(self, node: Any = None) -> bool:
        """An element ends, with what its style puts behind its words; whether it was read."""
        if node is not None and not self._looks[-1].left_out:
            self.add(self.page.generated.words(node, "after"))
        self.page.generated.close()
        return not self._looks.pop().left_out

    def within(self) -> LineWords:
        """Others for what stands within the element that is open."""
        inner = LineWords(self.page)
        inner._looks = self._looks[-1:]
        return inner

    def text(self, node: Any) -> None:
        """Take in a text node."""
        if self._ahead and node.mem_id in self._ahead:
            return
        text = _RE["spaces"].sub(" ", without_signs(node.text_content or ""))
        if self._bare and text.strip():
            label, plain = self._bare.strip("[]()."), text.lstrip().lstrip("[(")
            if plain.startswith(label) and not plain[len(label) : len(label) + 1].isalnum():
                text, self._bare = plain[len(label) :].lstrip("]).: "), "."
            self._bare = "" if text.strip() else self._bare
        self.add(text)

    def read(self, node: Any) -> bool:
        """Take in what an element says itself; whether its children are to be walked."""
        tag = node.tag
        target = self.page.targets.get(node.mem_id)
        if target:
            self.begin_note(target, self.page.printed.get(target, ""))
        self.add(self.page.generated.words(node, "before"))
        if tag == "br":
            self.add("\n")
        elif tag == "math":
            self.add(from_mathml(node))
            return False
        elif tag == "img":
            formula = _RE["picture"].search(said(node, "class", "src"))
            self.add(without_signs(node.attributes.get("alt") or "") if formula else "")
        elif tag in ("input", "select", "textarea"):
            self.add(_field(node))
            return False
        elif tag == "a" and self._note_link(node):
            return False
        elif shift := _shift(tag, self.page.style(node)):
            return self._shifted(node, shift)
        return True

    def take(self) -> tuple[str, dict[MarkKind, str]]:
        """What was collected, as `as_it_stands` gives it, and begin anew."""
        pieces, self._pieces = self._pieces, []
        self._note = self._bare = ""
        standing, former = marks.as_it_stands(pieces)
        typed = _RE["typed_note"].match(standing) if self.page.open_notes else None
        if typed and (label := typed[1] or typed[2]) in self.page.open_notes:
            self.page.open_notes.discard(label)
            standing = note_body(label) + standing
        return standing, former

    def begin_note(self, label: str, printed: str = "") -> None:
        """What follows is the note with this label, which is `printed` in front of it."""
        self.add(note_body(label))
        self.page.open_notes.discard(label)
        self._note, self._bare = label, printed or label.strip("#")

    def add(self, text: str) -> None:
        """Add words, read as the element that is open looks."""
        self._pieces += [(self._looks[-1].kind, text)] if text else []

    def _note_link(self, node: Any) -> bool:
        """Take in a link that is the mark of a note without being raised, or leads back to one."""
        text = node.text().strip()
        if (node.attributes.get("href") or "").startswith("#"):
            if _RE["back"].search(said(node)) or (text and _RE["arrow"].fullmatch(text)):
                return True
            if self._bare and text.strip("[]().") == self._bare.strip("[]()."):
                self._bare = "."  # what may stand between it and the words
                return True
        if _RE["reference"].search(said(node)) and note_labels(text):
            self.add("".join(map(note_mark, self._labels(node, note_labels(text)))))
            return True
        return False

    def _shifted(self, node: Any, shift: int) -> bool:
        text = without_signs(node.text())
        if shift < 0:
            self.add(marks.marked(MarkKind.LOWERED, text))
            return False
        if len(text) > _LONGEST_RAISED or node.css_first("math") is not None:
            return True
        so_far = (words for kind, words in self._pieces[-12:] if kind in (None, MarkKind.INSERTED))
        before, after = "".join(so_far), _following(node)
        if self._fraction(node, text, before) or (text.strip() and _RE["arrow"].fullmatch(text)):
            return False
        read = marks.raised(before, text, after)
        labels = note_labels(text)
        if not labels or not read.startswith(note_mark(labels[0])):
            self.add(read)
        elif self._bare:
            self._bare = "."
        elif len(labels) == 1 and after.strip() and self._begins(labels[0], before):
            self.begin_note(labels[0])
            self._bare = ""
        else:
            tail = read.rpartition(note_mark(labels[-1]))[2]
            self.add("".join(map(note_mark, self._labels(node, labels))) + tail)
        return False

    def _begins(self, label: str, before: str) -> bool:
        """Whether a raised label opens a note: at the beginning, or behind the note before."""
        if not self._note:
            return _RE["lead"].fullmatch(before) is not None
        if _RE["sentence_end"].search(before) is None:
            return False
        return not (label.isdigit() and self._note.isdigit()) or int(label) == int(self._note) + 1

    def _labels(self, node: Any, labels: tuple[str, ...]) -> list[str]:
        """The labels of the notes that a raised element names: where its links lead, else as printed."""
        links = [node] if node.tag == "a" else [a for a in node.css("a") if note_labels(a.text())]
        links = links or [e for e in (node.parent,) if e is not None and e.tag == "a"]
        found = [href for a in links if (href := a.attributes.get("href") or "") in self.page.printed]
        if found and len(found) == len(links):
            return found
        self.page.open_notes.update(labels)
        return list(labels)

    def _fraction(self, node: Any, text: str, before: str) -> bool:
        """Take in a fraction that is set with a raised and a lowered number."""
        slash = node.next
        under = slash.next if slash is not None else None
        if not text.strip().isdigit() or under is None or under.tag != "sub":
            return False
        if slash.tag != "-text" or _RE["slash"].fullmatch(slash.text_content or "") is None:
            return False
        self.add((" " if before[-1:].isdigit() else "") + f"{text.strip()}/{under.text().strip()}")
        self._ahead |= {slash.mem_id, under.mem_id}
        return True


def _look(tag: str, attributes: dict[str, str | None], outer: _Look, style: Declarations) -> _Look:
    """How an element looks within another."""
    colour, behind = outer.colour, outer.behind
    ink = style.get("color") or (attributes.get("color") if tag == "font" else None)
    ground = style.get("background-color") or style.get("background") or attributes.get("bgcolor")
    if ink and ink != "inherit":
        colour = _colour(ink)
    if ground and ground not in ("transparent", "inherit", "none"):
        behind = _colour(ground)
    kind = outer.kind
    lines = style.get("text-decoration", "") + style.get("text-decoration-line", "")
    if kind is not MarkKind.HIDDEN:
        if _is_hidden(style) or (colour and colour == behind):
            kind = MarkKind.HIDDEN
        elif tag in _STRUCK or "line-through" in lines:
            kind = MarkKind.STRUCK
        elif tag == "ins":
            kind = kind or MarkKind.INSERTED
    elif (ink or ground) and colour and behind and colour != behind and not _is_hidden(style):
        kind = None if outer.colour and outer.colour == outer.behind else kind
    return _Look(kind, colour, behind)


def _following(node: Any) -> str:
    """The beginning of the text behind an element in its line."""
    for _ in range(3):
        ahead = node.next
        while ahead is not None and ahead.tag == "-comment":
            ahead = ahead.next
        if ahead is not None and ahead.tag not in _BREAKING:
            return str((ahead.text_content if ahead.tag == "-text" else ahead.text()) or "")[:20]
        node = node.parent
        if ahead is not None or node is None or node.tag not in _INLINE:
            break
    return ""


def _field(node: Any) -> str:
    """A form field with its value: a tick box by its state, what is typed, the option that is chosen."""
    attributes = node.attributes
    if node.tag == "textarea":
        return f" {without_signs(node.text())} "
    if node.tag == "select":
        first = node.css("option")[: "multiple" not in attributes]
        chosen = [o for o in node.css("option") if "selected" in o.attributes] or first
        return f" {', '.join(without_signs(o.text()).strip() for o in chosen)} "
    kind = (attributes.get("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return "☒ " if "checked" in attributes else "☐ "
    return f" {without_signs(attributes.get('value') or '')} " if kind in _TYPED else ""


def _is_hidden(style: Declarations) -> bool:
    """Not drawn at all, far beside the page, or without any size or ink."""
    moved = style.get("left", "") if style.get("position", "static") != "static" else ""
    filled = any("text" in style.get(f"{kind}background-clip", "") for kind in ("", "-webkit-"))
    return (
        style.get("display") == "none"
        or (style.get("color") == "transparent" and not filled)
        or any(_RE["away"].match(place) for place in (moved, style.get("text-indent", "")))
        or style.get("visibility") in ("hidden", "collapse")
        or _RE["nothing"].fullmatch(style.get("opacity", "1")) is not None
        or _RE["nothing"].fullmatch(style.get("font-size", "1")) is not None
    )


def _shift(tag: str, style: Declarations) -> int:
    """1 for raised, -1 for lowered, 0 for text on its line."""
    if tag in ("sup", "sub"):
        return 1 if tag == "sup" else -1
    if not style or tag not in _INLINE:
        return 0
    align, top = style.get("vertical-align", ""), style.get("top", "")
    if style.get("position") == "relative" and _RE["length"].match(top):
        return 1 if top.startswith("-") else -1
    if align == "super" or (_RE["length"].match(align) and not align.startswith("-")):
        return 1
    return -1 if align == "sub" or _RE["length"].match(align) else 0


def _colour(value: str) -> str:
    """A colour as six hexadecimal digits, "" for one that is not known: a picture, a variable, a mixture."""
    value = value.strip().lower()
    value = _COLOURS.get(value, value)
    if hexadecimal := _RE["hexadecimal"].fullmatch(value):
        digits = hexadecimal[1]
        return "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    if rgb := _RE["rgb"].fullmatch(value):
        return "".join(f"{min(int(n), 255):02x}" for n in rgb.groups())
    return ""
