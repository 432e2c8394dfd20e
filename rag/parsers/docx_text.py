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

from rag.parsers import docx_styles, marks
from rag.parsers.docx_styles import TICKED, UNTICKED, Numbering, Styles, W, integer, is_dark, is_on, value
from rag.parsers.equations import from_field, linear
from rag.types import MarkKind
from rag.types.documents import WITHDRAWN

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_VML = "{urn:schemas-microsoft-com:vml}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_R_ID = (f"{_R}id", f"{_R}embed", f"{_R}dm")
_REVISIONS = {
    W + "del": MarkKind.DELETED, W + "moveFrom": MarkKind.DELETED,
    W + "ins": MarkKind.INSERTED, W + "moveTo": MarkKind.INSERTED,
}  # fmt: skip
_BREAKS = {
    **dict.fromkeys((W + "tab", W + "ptab"), "\t"), **dict.fromkeys((W + "br", W + "cr"), "\n"),
    W + "noBreakHyphen": "-",
}  # fmt: skip
# Numbers of pages are counted by the program for its own pages: no words of the text.
_PAGE_FIELDS = frozenset(("PAGE", "NUMPAGES", "SECTIONPAGES", "SECTION"))
_NOTES = {W + f"{kind}Reference": kind for kind in ("footnote", "endnote", "comment")}
# What is drawn, by the element that names its part: chart, diagram, picture, embedded file.
_OLE = "{urn:schemas-microsoft-com:office:office}OLEObject"
_DRAWN = {
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart": "chart",
    "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart": "new chart",
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds": "diagram",
    _OLE: "object",
    f"{_A}blip": "picture",
    f"{_VML}imagedata": "picture",
}
_SKIPPED = frozenset(
    W + name for name in ("pPr", "rPr", "sdtPr", "sdtEndPr", "fldData", "rt", "delInstrText")
) | {_MC + "Fallback"}  # fmt: skip
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{1,6}")
_PRIVATE = re.compile("[\uf020-\uf0ff]")  # where files keep the signs of symbol fonts
_SYMBOL_FIELD = re.compile(r"SYMBOL\s+(\d+|0x[0-9a-f]+)(?:.*\\f\s+\"?([^\"\\]+))?", re.I | re.S)


@dataclass(frozen=True, slots=True)
class NoteReference:
    """A note that a paragraph refers to: `kind` "footnote", "endnote" or "comment", and its id in that part;
    `gone` where its mark was deleted, or is hidden."""

    kind: str
    id: str
    gone: MarkKind | None = None

    @property
    def label(self) -> str:
        """What leads to it among the notes of the file."""
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Something drawn within a paragraph: `kind` "chart", "new chart", "diagram", "object", "picture" or
    "box" (of text), which is in `element`; `part` the relation that leads to it; `name` the program it is of,
    or the words of a box that has no element."""

    kind: str
    element: Any = None
    part: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    kind: MarkKind | None = None
    shift: int = 0
    set_off: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph as it reads. `text` stands today, `number` is what Word counts in front of it, `former` how
    it read with what is gone; `listed` is the depth in a list, None outside."""

    text: str
    number: str = ""
    former: list[tuple[MarkKind, str]] = field(default_factory=list)
    style: str = ""
    outline: int | None = None
    listed: int | None = None
    notes: list[NoteReference] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)

    @property
    def numbered(self) -> str:
        """The text with its number under a mark."""
        bare = self.number.rstrip()
        return marks.marked(MarkKind.NUMBERED, bare) + self.number[len(bare) :] + self.text

    def before(self, kind: MarkKind) -> str:
        """How it read with what is gone in this way, or reads, without marks."""
        return self.number + dict(self.former).get(kind, marks.unmarked(self.text))


@dataclass(slots=True)
class _Words:
    """What a paragraph holds, in order."""

    pieces: list[_Piece] = field(default_factory=list)
    notes: list[NoteReference] = field(default_factory=list)
    drawn: list[Drawn] = field(default_factory=list)

    def read(self) -> tuple[str, list[tuple[MarkKind, str]]]:
        """The text as it stands today, with its marks; and how it read with the words that no longer stand
        and without those that took their place, once for each way in which words are gone."""
        runs = [(p.kind, p.shift, p.text) for p in self._replaced()]
        standing, former = marks.as_it_stands(marks.on_the_line(runs))
        gone = {p.kind for p in self.pieces if marks.unmarked(p.text).strip()}
        return standing, [(kind, marks.unmarked(text)) for kind, text in former.items() if kind in gone]

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

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
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
        words = self._all_words(paragraph, properties)
        if gone:
            words.pieces = [p if p.kind in WITHDRAWN else replace(p, kind=gone) for p in words.pieces]
        carried, self._carried = self._carried, _Words()
        words = _Words(
            carried.pieces + words.pieces, carried.notes + words.notes, carried.drawn + words.drawn
        )
        text, former = words.read()
        if mark is not None and any(mark.find(W + name) is not None for name in ("del", "moveFrom")):
            if marks.unmarked(text).strip() and not gone:
                words.pieces.append(_Piece("\n", MarkKind.DELETED))
                self._carried = words
                return None
            return Line("", "", former, notes=words.notes, drawn=words.drawn)
        if former and not any(c.isalnum() for c in marks.unmarked(text)):
            text = ""  # a full stop that was left
        style, outline, listed, number_id = self._numbering.place(properties)
        empty = not marks.unmarked(text).strip()
        unseen = gone or (empty and mark is not None and self._styles.look(mark, style).hidden)
        number = self._numbering.number(number_id, listed or 0) if number_id and not unseen else ""
        return Line(text, number, former, style, outline, listed, words.notes, words.drawn)

    def rest(self) -> list[Line]:
        """What would run on into a next paragraph where there is none."""
        words, self._carried = self._carried, _Words()
        if not words.pieces:
            return []
        standing, former = words.read()
        return [Line(standing, "", former, notes=words.notes, drawn=words.drawn)]

    def all(self, container: Any) -> list[Line]:
        """The lines of a note, a header: paragraphs of tables within it too, of text boxes not."""
        lines = (self.read(part) for part in blocks(container, tables=False))
        return [line for line in lines if line is not None] + self.rest()

    def _all_words(self, paragraph: Any, properties: Any) -> _Words:
        self._words, self._fields, self._by_fields = _Words(), [], True
        self._style = self._styles.default
        if properties is not None:
            self._style = value(properties.find(W + "pStyle")) or self._style
        own = properties is not None and is_dark(properties.find(W + "shd"))
        self._white_shows = self.backed or own or self._styles.backed(self._style)
        self._inner(paragraph, None)
        if not all(opened.result for opened in self._fields):  # its code does not end: all words are shown
            self._words, self._fields, self._by_fields = _Words(), [], False
            self._inner(paragraph, None)
        return self._words

    def _inner(self, element: Any, kind: MarkKind | None) -> None:
        for child in element.iterchildren():
            tag = child.tag
            if not isinstance(tag, str) or tag in _SKIPPED:
                continue
            if tag == W + "r":
                self._run(child, kind)
            elif tag in _REVISIONS:
                self._inner(child, kind if kind is MarkKind.DELETED else _REVISIONS[tag])
            elif tag == W + "sdt":
                self._control(child, kind)
            elif tag == W + "fldSimple":
                if _command(child.get(W + "instr") or "") not in _PAGE_FIELDS:
                    self._inner(child, kind)
            elif tag in (_M + "oMath", _M + "oMathPara"):
                self._say(linear(child), kind)
            elif not self._drawing(child, kind):
                self._inner(child, kind)

    def _run(self, run: Any, outer: MarkKind | None) -> None:
        look = self._styles.look(run.find(W + "rPr"), self._style)
        kind = outer
        if outer is not MarkKind.DELETED:
            hidden = look.hidden or (look.white and not self._white_shows)
            kind = MarkKind.HIDDEN if hidden else MarkKind.STRUCK if look.struck else outer
        for child in run.iterchildren():
            tag = child.tag
            if not isinstance(tag, str) or tag in _SKIPPED:
                continue
            if tag in (W + "t", W + "delText"):
                self._say(_shown(child.text or "", look.font), kind, look.shift, set_off=look.set_off)
            elif tag in _BREAKS:
                self._say(_BREAKS[tag], kind)
            elif tag == W + "sym":
                if _HEXADECIMAL.fullmatch(code := child.get(W + "char") or ""):
                    sign = docx_styles.symbol(child.get(W + "font") or look.font, int(code, 16))
                    self._say(sign, kind, look.shift)
            elif tag in _NOTES:
                self._note(_NOTES[tag], child.get(W + "id") or "", kind)
                if child.get(W + "customMarkFollows") not in (None, "0", "false", "off"):
                    break  # the sign in the rest of the run is the note's own mark
            elif tag == W + "fldChar":
                self._field(child, kind)
            elif tag == W + "instrText":
                if self._fields:
                    self._fields[-1].code += child.text or ""
            elif not self._drawing(child, kind):
                self._inner(child, kind)  # w:ruby holds runs, as other wrappers do

    def _say(self, text: str, kind: MarkKind | None, shift: int = 0, *, set_off: bool = False) -> None:
        shown = all(f.result and _command(f.code) not in _PAGE_FIELDS for f in self._fields)
        if text and (shown or not self._by_fields):
            self._words.pieces.append(_Piece(text, kind, shift, set_off))
            for opened in self._fields:
                opened.shown = True

    def _note(self, kind: str, identifier: str, gone: MarkKind | None) -> None:
        note = NoteReference(kind, identifier, gone if gone in WITHDRAWN else None)
        self._words.notes.append(note)
        self._say(marks.note_mark(note.label), gone)

    def _field(self, mark: Any, kind: MarkKind | None) -> None:
        step = mark.get(W + "fldCharType")
        if step == "begin":
            if (data := mark.find(W + "ffData")) is not None:
                self._say(_form_value(data), kind)
            self._fields.append(_Field())
        elif step == "separate" and self._fields:
            self._fields[-1].result = True
        elif step == "end" and self._fields:
            ended = self._fields.pop()
            sign = _SYMBOL_FIELD.match(ended.code.strip())
            if sign and not ended.shown:
                self._say(docx_styles.symbol((sign[2] or "Symbol").strip(), int(sign[1], 0)), kind)
            elif _command(ended.code) == "EQ" and not ended.shown:
                self._say(from_field(ended.code), kind)

    def _control(self, control: Any, kind: MarkKind | None) -> None:
        """A content control: a box with its state, or what was put in; the words that ask to put something in
        are none."""
        properties = control.find(W + "sdtPr")
        box = properties.find(_W14 + "checkbox") if properties is not None else None
        if box is not None:
            state = box.find(_W14 + "checked")
            ticked = state is not None and state.get(_W14 + "val") not in ("0", "false", "off")
            self._say(TICKED if ticked else UNTICKED, kind)
        elif not is_placeholder(control):
            for content in control.iterchildren(W + "sdtContent"):
                self._inner(content, kind)

    def _drawing(self, element: Any, kind: MarkKind | None) -> bool:
        """Notes what is drawn here; False for an element that holds more to be walked through."""
        tag = element.tag
        if tag == _MC + "AlternateContent":
            if (shown := chosen(element)) is not None:
                self._inner(shown, kind)
        elif tag in (W + "txbxContent", f"{_A}txBody"):
            if kind not in WITHDRAWN:
                self._words.drawn.append(Drawn("box", element))
        elif tag == f"{_VML}textpath":
            if words := element.get("string"):
                self._words.drawn.append(Drawn("box", name=words))
        elif tag == W + "object" and (inner := next(element.iter(_OLE), None)) is not None:
            self._drawing(inner, kind)  # the picture beside it only shows it
        elif tag in _DRAWN:
            part = next(filter(None, map(element.get, _R_ID)), "")
            drawn = Drawn(_DRAWN[tag], element, part, element.get("ProgID") or "")
            self._words.drawn += [drawn] if kind not in WITHDRAWN else []
        else:
            return False
        return True


def blocks(container: Any, *, tables: bool = True) -> Iterator[Any]:
    """The paragraphs and tables in an element, of content controls and alternatives those that are shown;
    without `tables` the paragraphs within them."""
    for child in container.iterchildren():
        if child.tag == W + "p" or (tables and child.tag == W + "tbl"):
            yield child
        elif child.tag == _MC + "AlternateContent":
            if (shown := chosen(child)) is not None:
                yield from blocks(shown, tables=tables)
        elif isinstance(child.tag, str) and not (child.tag == W + "sdt" and is_placeholder(child)):
            yield from blocks(child, tables=tables)


def chosen(alternatives: Any) -> Any:
    """What an Office program of today shows of mc:AlternateContent; None where it holds nothing."""
    choice = alternatives.find(_MC + "Choice")
    return choice if choice is not None else alternatives.find(_MC + "Fallback")


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
    """What a form field of old (w:ffData) shows: a box with its state, the entry chosen from a list. What was
    typed stands in the field's result."""
    box, choice = data.find(W + "checkBox"), data.find(W + "ddList")
    if box is not None:
        state = box.find(W + "checked")
        return TICKED if is_on(box.find(W + "default") if state is None else state) else UNTICKED
    if choice is None:
        return ""
    entries = [value(entry) for entry in choice.iterchildren(W + "listEntry")]
    place = integer(choice.find(W + "result")) or integer(choice.find(W + "default")) or 0
    return entries[place] if place < len(entries) else ""
