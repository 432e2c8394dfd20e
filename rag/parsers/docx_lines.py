"""The lines of a Word file: what each paragraph says, with the number that Word counts in front of it, and
what it said before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.parsers.docx_numbering import Numbering
from rag.parsers.docx_styles import Styles, W, integer, value
from rag.parsers.docx_text import Drawn, NoteReference, ParagraphReader, Words, chosen, is_placeholder
from rag.parsers.marks import marked, unmarked
from rag.types import MarkKind

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"


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
        return marked(MarkKind.NUMBERED, bare) + self.number[len(bare) :] + self.text

    def before(self, kind: MarkKind) -> str:
        """How it read with what is gone in this way, or reads, without marks."""
        return self.number + dict(self.former).get(kind, unmarked(self.text))


class LineReader:
    """Reads the paragraphs of a file in order, so that their numbers are counted."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self.styles = styles
        self._numbering = numbering
        self.words = ParagraphReader(styles)
        self._carried = Words()  # paragraphs whose end was deleted: they run on into the next

    def read(self, paragraph: Any, gone: MarkKind | None = None) -> Line | None:
        """None where the end of the paragraph was deleted: it runs on into the next one."""
        words = self.words.read(paragraph)
        words = words.gone(gone) if gone else words
        properties = paragraph.find(W + "pPr")
        mark = properties.find(W + "rPr") if properties is not None else None
        words, self._carried = self._carried + words, Words()
        if mark is not None and any(mark.find(W + name) is not None for name in ("del", "moveFrom")):
            standing, former = words.read()
            if unmarked(standing).strip() and not gone:
                words.end_deleted()
                self._carried = words
                return None
            return Line("", "", former, notes=words.notes, drawn=words.drawn)
        text, former = words.read()
        if former and not any(c.isalnum() for c in unmarked(text)):
            text = ""  # a full stop that was left
        style, outline, listed, number_id = self._place(properties)
        unseen = bool(gone) or (
            not unmarked(text).strip() and mark is not None and self.styles.look(mark, style).hidden
        )
        number = ""
        if number_id and not unseen:
            number = self._numbering.number(number_id, listed or 0)
        return Line(text, number, former, style, outline, listed, words.notes, words.drawn)

    def _place(self, properties: Any) -> tuple[str, int | None, int | None, str]:
        """Style id, own outline level (1 to 9, None: as the style says), depth in a list (None: in none), id
        of the list whose numbers are counted ("": none)."""
        style, outline, own, level = "", None, None, None
        if properties is not None:
            style = value(properties.find(W + "pStyle"))
            outline = integer(properties.find(W + "outlineLvl"))
            if (numbering := properties.find(W + "numPr")) is not None:
                number = numbering.find(W + "numId")
                own = value(number) if number is not None else None
                level = integer(numbering.find(W + "ilvl"))
        styled, styled_level = self.styles.numbering(style or self.styles.default)
        number_id = styled if own is None else own
        number_id = "" if number_id == "0" else number_id
        listed: int | None = None
        if number_id:
            if level is None:
                level = styled_level or self._numbering.level_of(number_id, style)
            listed = level
        elif style.lower().startswith("list") and style.lower() != "listcontents" and own is None:
            listed = 0
        return style, (outline + 1 if outline is not None and outline < 9 else None), listed, number_id

    def rest(self) -> list[Line]:
        """What would run on into a next paragraph where there is none."""
        words, self._carried = self._carried, Words()
        if not words.pieces:
            return []
        standing, former = words.read()
        return [Line(standing, "", former, notes=words.notes, drawn=words.drawn)]

    def all(self, container: Any, gone: MarkKind | None = None) -> list[Line]:
        """The lines of a note, a header: paragraphs of tables within it too, of text boxes not. `gone`: how
        all of them are gone."""
        lines = (self.read(part, gone) for part in blocks(container, tables=False))
        return [line for line in lines if line is not None] + self.rest()


def blocks(container: Any, *, tables: bool = True) -> Iterator[Any]:
    """The paragraphs and tables in an element, of content controls and alternatives those that are shown;
    without `tables` the paragraphs within them."""
    for child in container.iterchildren():
        if child.tag == W + "p" or (tables and child.tag == W + "tbl"):
            yield child
        elif child.tag == _MC:
            if (shown := chosen(child)) is not None:
                yield from blocks(shown, tables=tables)
        elif isinstance(child.tag, str) and not (child.tag == W + "sdt" and is_placeholder(child)):
            yield from blocks(child, tables=tables)
