"""The lines of a Word file: what each paragraph says today, with the number that Word counts in front of it,
and what it said before words were struck, hidden or deleted.

The XML is walked directly: revisions, content controls, form fields, equations, symbols and the copies of
drawings for older programs each have their own place in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from lxml import etree

from rag.parsers import docx_styles, marks
from rag.parsers.docx_styles import TICKED, UNTICKED, RunLook, Styles, integer, is_dark, is_on, value
from rag.parsers.equations import from_field, linear
from rag.parsers.office import DRAWN, MC, OLE, VML, A, Drawn, M, W
from rag.types import MarkKind
from rag.types.documents import WITHDRAWN

_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# Numbers of pages are counted by the program for its own pages: no words of the text.
_PAGE_FIELDS = frozenset(("PAGE", "NUMPAGES", "SECTIONPAGES", "SECTION"))
_SKIPPED = {W + n for n in "pPr rPr sdtPr sdtEndPr fldData rt delInstrText".split()} | {MC + "Fallback"}
_PLAIN = RunLook()
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{1,6}")
_PRIVATE = re.compile("[\uf020-\uf0ff]")  # where files keep the signs of symbol fonts
_SYMBOL_FIELD = re.compile(r"SYMBOL\s+(\d+|0x[0-9a-f]+)(?:.*\\f\s+\"?([^\"\\]+))?", re.I | re.S)


# A note that a paragraph refers to: ("footnote 3", "endnote 1" or "comment 7", how its mark is gone).
NoteReference = tuple[str, MarkKind | None]


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    kind: MarkKind | None = None
    shift: int = 0
    set_off: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph as it reads. `text` stands today, `number` is what Word counts in front of it, `former` how
    it read with what is gone, by the way in which it is; `listed` is the depth in a list, None outside."""

    text: str
    former: dict[MarkKind, str]
    notes: list[NoteReference]
    drawn: list[Drawn]
    number: str = ""
    style: str = ""
    outline: int | None = None
    listed: int | None = None

    @property
    def numbered(self) -> str:
        """The text with its number under a mark."""
        bare = self.number.rstrip()
        return marks.marked(MarkKind.NUMBERED, bare) + self.number[len(bare) :] + self.text

    def before(self, kind: MarkKind) -> str:
        """How it read with what is gone in this way, or reads, without marks."""
        return self.number + self.former.get(kind, marks.unmarked(self.text))


@dataclass(slots=True)
class _Words:
    """What a paragraph holds, in order."""

    pieces: list[_Piece] = field(default_factory=list)
    notes: list[NoteReference] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)

    def line(self) -> Line:
        """The text as it stands today, with its marks; and how it read with the words that no longer stand
        and without those that took their place, once for each way in which words are gone."""
        runs = [(p.kind, p.shift, p.text) for p in self._replaced()]
        standing, former = marks.as_it_stands(marks.on_the_line(runs))
        gone = {p.kind for p in self.pieces if marks.unmarked(p.text).strip()}
        former = {kind: marks.unmarked(text) for kind, text in former.items() if kind in gone}
        return Line(standing, former, self.notes, self.drawn)

    def _replaced(self) -> list[_Piece]:
        """The pieces; those that are set off right beside struck ones, and not all are, were put in."""
        said = [p for p in self.pieces if p.text.strip()]
        if not any(p.set_off for p in said) or all(p.set_off for p in said if p.kind is None):
            return self.pieces
        pairs = (*pairwise(said), *pairwise(said[::-1]))
        new = {id(a) for a, b in pairs if a.set_off and a.kind is None and b.kind is MarkKind.STRUCK}
        return [replace(p, kind=MarkKind.INSERTED) if id(p) in new else p for p in self.pieces]


@dataclass(slots=True)
class _Field:
    """A field of which the code (shown: no) or the result (shown) is being read."""

    code: str = ""
    result: bool = False
    shown: bool = False


class LineReader:
    """Reads the paragraphs of a file in order, so that their numbers are counted; `backed` says for the
    moment that a colour lies behind all words."""

    def __init__(self, styles: Styles, numbering: docx_styles.Numbering) -> None:
        self._styles = styles
        self._numbering = numbering
        self.backed = False
        self._words = _Words()
        self._carried = _Words()  # paragraphs whose end was deleted: they run on into the next
        self._fields: list[_Field] = []
        self._by_fields = True
        self._style = ""
        self._white_shows = False

    def read(self, paragraph: Any, gone: MarkKind | None = None) -> Line | None:
        """What a paragraph (w:p) says, all of it `gone` in this way; None where its end was deleted: it runs
        on into the next one."""
        properties = paragraph.find(W + "pPr")
        mark = properties.find(W + "rPr") if properties is not None else None
        carried, words = self._carried, self._all_words(paragraph, properties)
        if gone:
            words.pieces = [p if p.kind in WITHDRAWN else replace(p, kind=gone) for p in words.pieces]
        words = _Words(
            carried.pieces + words.pieces, carried.notes + words.notes, carried.drawn + words.drawn
        )
        self._carried, line = _Words(), words.line()
        empty = not marks.unmarked(line.text).strip()
        if mark is not None and any(mark.find(W + name) is not None for name in ("del", "moveFrom")):
            if empty or gone:
                return replace(line, text="")
            words.pieces.append(_Piece("\n", MarkKind.DELETED))
            self._carried = words
            return None
        if line.former and not any(c.isalnum() for c in marks.unmarked(line.text)):
            line, empty = replace(line, text=""), True  # a full stop that was left
        style, outline, listed, number_id = self._numbering.place(properties)
        unseen = gone or (empty and mark is not None and self._styles.look(mark, style).hidden)
        number = self._numbering.number(number_id, listed or 0) if number_id and not unseen else ""
        return replace(line, number=number, style=style, outline=outline, listed=listed)

    def rest(self) -> list[Line]:
        """What would run on into a next paragraph where there is none."""
        words, self._carried = self._carried, _Words()
        return [words.line()] if words.pieces else []

    def all(self, container: Any) -> list[Line]:
        """The lines of a note, a header: paragraphs of tables within it too, of text boxes not."""
        lines = (self.read(part) for part in blocks(container, tables=False))
        return [line for line in lines if line is not None] + self.rest()

    def _all_words(self, paragraph: Any, properties: Any) -> _Words:
        named = properties.find(W + "pStyle") if properties is not None else None
        self._style = value(named) or self._styles.default
        own = properties is not None and is_dark(properties.find(W + "shd"))
        self._white_shows = self.backed or own or self._styles.backed(self._style)
        for self._by_fields in (True, False):
            self._words, self._fields = _Words(), []
            self._inner(paragraph, None)
            if all(opened.result for opened in self._fields):
                break  # else the code of a field does not end: all words are shown
        return self._words

    def _inner(self, element: Any, kind: MarkKind | None, look: RunLook = _PLAIN) -> None:
        """What stands in an element: `kind` for what is said of it from outside, `look` that of its run."""
        for child in element.iterchildren():
            tag = child.tag
            if not isinstance(tag, str) or tag in _SKIPPED:
                continue
            match name := tag.removeprefix(W):
                case "r":
                    own = self._styles.look(child.find(W + "rPr"), self._style)
                    hidden = own.hidden or (own.white and not self._white_shows)
                    looks = MarkKind.HIDDEN if hidden else MarkKind.STRUCK if own.struck else kind
                    self._inner(child, kind if kind is MarkKind.DELETED else looks, own)
                case "t" | "delText":
                    self._say(_shown(child.text or "", look.font), kind, look.shift, set_off=look.set_off)
                case "ins" | "moveTo" | "del" | "moveFrom":
                    revised = MarkKind.DELETED if name in ("del", "moveFrom") else MarkKind.INSERTED
                    self._inner(child, kind if kind is MarkKind.DELETED else revised)
                case "sdt":
                    self._control(child, kind)
                case "fldSimple":
                    if _command(child.get(W + "instr") or "") not in _PAGE_FIELDS:
                        self._inner(child, kind)
                case "fldChar":
                    self._field(child, kind)
                case "instrText":
                    if self._fields:
                        self._fields[-1].code += child.text or ""
                case "sym":
                    if _HEXADECIMAL.fullmatch(code := child.get(W + "char") or ""):
                        sign = docx_styles.symbol(child.get(W + "font") or look.font, int(code, 16))
                        self._say(sign, kind, look.shift)
                case "footnoteReference" | "endnoteReference" | "commentReference":
                    label = f"{name.removesuffix('Reference')} {child.get(W + 'id')}"
                    self._words.notes.append((label, kind if kind in WITHDRAWN else None))
                    self._say(marks.note_mark(label), kind)
                    if child.get(W + "customMarkFollows") not in (None, "0", "false", "off"):
                        break  # the sign in the rest of the run is the note's own mark
                case _ if tag in (M + "oMath", M + "oMathPara"):
                    self._say(linear(child), kind)
                case _ if name in _BREAKS:
                    self._say(_BREAKS[name], kind)
                case _ if tag == MC + "AlternateContent":
                    self._inner(chosen(child), kind)
                case _ if not self._drawing(child, kind):
                    self._inner(child, kind)  # w:ruby holds runs, as other wrappers do

    def _say(self, text: str, kind: MarkKind | None, shift: int = 0, *, set_off: bool = False) -> None:
        shown = all(f.result and _command(f.code) not in _PAGE_FIELDS for f in self._fields)
        if text and (shown or not self._by_fields):
            self._words.pieces.append(_Piece(text, kind, shift, set_off))
            for opened in self._fields:
                opened.shown = True

    def _field(self, mark: Any, kind: MarkKind | None) -> None:
        step = mark.get(W + "fldCharType")
        if step == "begin":
            if (data := mark.find(W + "ffData")) is not None:
                self._say(_form_value(data), kind)
            self._fields.append(_Field())
        elif step == "separate" and self._fields:
            self._fields[-1].result = True
        elif step == "end" and self._fields and not (ended := self._fields.pop()).shown:
            if sign := _SYMBOL_FIELD.match(ended.code.strip()):
                self._say(docx_styles.symbol((sign[2] or "Symbol").strip(), int(sign[1], 0)), kind)
            elif _command(ended.code) == "EQ":
                self._say(from_field(ended.code), kind)

    def _control(self, control: Any, kind: MarkKind | None) -> None:
        """A content control: a box with its state, or what was put in, not the words that ask for it."""
        if control.find(f"{W}sdtPr/{_W14}checkbox") is not None:
            state = control.find(f"{W}sdtPr/{_W14}checkbox/{_W14}checked")
            ticked = state is not None and state.get(_W14 + "val") not in ("0", "false", "off")
            self._say(TICKED if ticked else UNTICKED, kind)
        elif not is_placeholder(control):
            for content in control.iterchildren(W + "sdtContent"):
                self._inner(content, kind)

    def _drawing(self, element: Any, kind: MarkKind | None) -> bool:
        """Notes what is drawn here; False for an element that holds more to be walked through."""
        tag, drawn = element.tag, None
        if tag == W + "object" and (inner := next(element.iter(OLE), None)) is not None:
            element, tag = inner, OLE  # the picture beside it only shows it
        if tag in (W + "txbxContent", f"{A}txBody"):
            drawn = Drawn("box", element)
        elif tag == f"{VML}textpath":
            drawn = Drawn("box", name=element.get("string") or "")
        elif tag in DRAWN:
            drawn = Drawn.by(element)
        self._words.drawn += [drawn] if drawn and kind not in WITHDRAWN else []
        return drawn is not None


def blocks(container: Any, *, tables: bool = True) -> Iterator[Any]:
    """The paragraphs and tables in an element, of content controls and alternatives those that are shown;
    without `tables` the paragraphs within them."""
    for child in container.iterchildren():
        if child.tag == W + "p" or (tables and child.tag == W + "tbl"):
            yield child
        elif child.tag == MC + "AlternateContent":
            yield from blocks(chosen(child), tables=tables)
        elif isinstance(child.tag, str) and not (child.tag == W + "sdt" and is_placeholder(child)):
            yield from blocks(child, tables=tables)


def chosen(alternatives: Any) -> Any:
    """What an Office program of today shows of mc:AlternateContent."""
    found = (alternatives.find(MC + name) for name in ("Choice", "Fallback"))
    return next((one for one in found if one is not None), etree.Element("nothing"))


def is_placeholder(control: Any) -> bool:
    """Whether nothing was put into a content control yet."""
    return is_on(control.find(f"{W}sdtPr/{W}showingPlcHdr"))


def _command(code: str) -> str:
    return next(iter(code.split()), "").upper()


def _shown(text: str, font: str) -> str:
    """Typed text, its signs of symbol fonts as Unicode."""
    if docx_styles.is_symbol_font(font):
        return "".join(c if c.isspace() else docx_styles.symbol(font, ord(c)) for c in text)
    text = _PRIVATE.sub(lambda sign: docx_styles.symbol(font, ord(sign[0])), text)
    return marks.without_signs(text)


def _form_value(data: Any) -> str:
    """What an old form field (w:ffData) shows beside its result: a box with its state, the chosen entry."""
    box, choice = data.find(W + "checkBox"), data.find(W + "ddList")
    if box is not None:
        state = box.find(W + "checked")
        return TICKED if is_on(box.find(W + "default") if state is None else state) else UNTICKED
    if choice is None:
        return ""
    place = integer(choice.find(W + "result")) or integer(choice.find(W + "default")) or 0
    return "".join(map(value, choice.findall(W + "listEntry")[place : place + 1]))
