"""DOCX: paragraphs, headings by style, lists and tables in document order; headers in front, footers at the
end, notes and comments behind the paragraph that refers to them, text boxes behind the one that holds them.

The paragraph reads as it stands today; the words of it that were struck, deleted or hidden follow as a block
of their own, wholly under a mark."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from itertools import chain
from typing import Any

from rag.errors import ParseError
from rag.languages import Patterns
from rag.languages.text import letters
from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line
from rag.parsers.docx_styles import Numbering, Styles, integer, is_dark, is_on, value
from rag.parsers.docx_text import Line, LineReader, NoteReference, blocks, chosen, is_placeholder
from rag.parsers.encoding import decode
from rag.parsers.grids import CellGrid, Passage
from rag.parsers.marks import marked, note_body, unmarked
from rag.parsers.office import MC, Drawings, Drawn, Package, R, W, drawn_lines, open_package
from rag.parsers.plain import heading_level, is_tabbed, tab_table
from rag.types import LossKind, MarkKind

_RE = Patterns(__file__)
_TWIP = 635  # English Metric Units
_BOXES_DEEP = 8
_LONGEST_CELL = 1500  # characters
_WRAPPERS = {W + n for n in "ins moveTo moveFrom customXml smartTag sdtContent txbxContent".split()}


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a Word document. Numbers that Word counts itself (lists, headings) are part of its text."""
    package = open_package(data, path=path, limits=limits, root="document")
    reader = _Reader(package, limits, 0, TextBuilder())
    reader.document()
    metadata = package.properties()
    parsed = reader.builder.parsed(metadata.pop("title", "") or reader.title, metadata)
    if not parsed.blocks and reader.drawings.numbers["picture"]:
        why = "no text in it, only pictures. Save it as PDF and ingest that with --ocr."
        raise ParseError(f"{path}: {why}", "empty")
    return parsed


class _Reader:
    def __init__(self, package: Package, limits: Limits, deep: int, builder: TextBuilder) -> None:
        self.builder = builder
        self.drawings = Drawings(package, self.builder)
        self.title = ""
        self._package = package
        self._relations = package.relations(package.main)
        self._styles = Styles(self._part("styles"))
        self._lines = LineReader(self._styles, Numbering(self._part("numbering"), self._styles))
        self._settings = self._part("settings")
        self._begun = False
        self._limits, self._deep = limits, deep
        self._bodies: dict[str, dict[str, Any]] = {}
        self._notes: list[NoteReference] = []
        self._drawn: list[Drawn] = []
        self._written: set[str] = set()
        self._tabbed: list[tuple[Line, Any]] = []  # lines that may be rows of a table

    def document(self) -> None:
        """The whole file."""
        root = self._package.xml(self._package.main)
        body = root.find(W + "body")
        if body is None:
            return
        background = root.find(W + "background")
        colour = (background.get(W + "color") or "").upper() if background is not None else ""
        self._lines.backed = colour not in ("", "AUTO", "FFFFFF")
        if (size := next(body.iter(W + "pgSz"), None)) is not None:
            sides = (size.get(W + side) or "" for side in ("w", "h"))
            self.drawings.page = [int(s) * _TWIP if s.isdecimal() else 0 for s in sides]
        self._margins(body, "header")
        self._body(body)
        self._end_carried()
        self._write_notes()
        if not self._deep:
            self.builder.end_headings()
        self._margins(body, "footer")

    def _part(self, kind: str) -> Any:
        parts = self._package.related(self._package.main, kind)
        return next((root for name in parts if (root := self._package.xml(name)) is not None), None)

    def _target(self, identifier: str) -> str:
        return self._relations.get(identifier, ("", ""))[1]

    def _margins(self, body: Any, which: str) -> None:
        """Headers or footers, each once, of first and even pages too where these have their own."""
        even = self._settings is not None and is_on(self._settings.find(W + "evenAndOddHeaders"))
        seen: set[str] = set()
        for section in body.iter(W + "sectPr"):
            first = is_on(section.find(W + "titlePg"))
            kinds = ["default"] + ["first"] * first + ["even"] * even
            for reference in section.iterchildren(f"{W}{which}Reference"):
                if (reference.get(W + "type") or "default") not in kinds:
                    continue
                part = self._target(reference.get(R + "id") or "")
                root = self._package.xml(part) if part and part not in seen else None
                seen.add(part)
                text = "\n".join(self._margin_lines(root)) if root is not None else ""
                if (key := letters(unmarked(text))) not in seen:
                    self.builder.paragraph(text)
                seen.add(key)

    def _margin_lines(self, root: Any) -> Iterator[str]:
        for line in self._lines.all(root):
            if not _RE["page_number"].fullmatch(unmarked(line.text)):
                yield line.numbered
            for box in line.drawn:
                if box.kind == "box":
                    yield from self._margin_lines(box.element) if box.element is not None else [box.name]

    def _body(self, container: Any) -> None:
        for child in container.iterchildren():
            tag = child.tag
            line = self._lines.read(child) if tag == W + "p" else None
            if line is not None and _is_row(line):
                self._tabbed.append((line, child))
                continue
            if line is not None or tag != W + "p":
                self._write_tabbed()
            if line is not None:
                self._write(line, child)
            elif tag == W + "tbl":
                self._end_carried()
                self._write_notes()
                self._table(child)
            elif tag in _WRAPPERS or (tag == W + "sdt" and not is_placeholder(child)):
                self._body(child)
            elif tag == MC + "AlternateContent":
                self._body(chosen(child))
            elif tag == W + "altChunk":
                self._included(self._target(child.get(R + "id") or ""))
            elif tag == W + "subDoc":
                self.builder.lose(LossKind.UNSUPPORTED_PART, "subdocument")
        self._write_tabbed()

    def _write_tabbed(self) -> None:
        """The lines that tabs cut into cells, as a table where they are one."""
        waiting, self._tabbed = self._tabbed, []
        cells = tab_table([line.text for line, _ in waiting], unmarked)
        if not cells:
            for line, element in waiting:
                self._write(line, element)
            return
        grid = CellGrid()
        self._write_notes()
        for row, (line, element) in zip(cells, waiting, strict=True):
            grid.begin(set_off=_all_bold(element))
            for cell in row:
                grid.cell([(cell, {})])
            grid.end()
            self._notes += line.notes
        grid.add_to(self.builder)
        self._begun = True
        self._draw([one for line, _ in waiting for one in line.drawn])

    def _write(self, line: Line, element: Any = None) -> None:
        text = unmarked(line.text)
        level = self._level(line, text, element) if text.strip() else 0
        self._write_notes()
        if text.strip():
            self._begun = True
            if level:
                self.builder.heading(line.numbered, abs(level))
                title = one_line(text)
                self.title = title if level < 0 else self.title or title
            else:
                self.builder.paragraph(line.numbered, listed=line.listed)
        for kind, former in line.former.items():
            depth = None if level else line.listed
            self.builder.paragraph(marked(kind, line.number + former), listed=depth)
        self._notes += line.notes
        self._draw(line.drawn)

    def _level(self, line: Line, text: str, element: Any) -> int:
        """Level of a heading, -1 for a title, 0 for other text."""
        level = self._styles.level(line.style) if line.outline is None else line.outline
        bold = level == 0 and not line.listed and element is not None and _all_bold(element)
        if level == 0 and not line.listed and (bold or not self._begun):
            counted = heading_level(line.number + text) if line.number else 0
            title = len(text.strip()) <= 80 and "\n" not in text.strip() and not _RE["ends"].search(text)
            level = counted or heading_level(text) or (5 if bold and title else 0)
        return level

    def _end_carried(self) -> None:
        for line in self._lines.rest():
            self._write(line)

    def _draw(self, drawn: list[Drawn]) -> None:
        closing = self.builder.closing  # boxes are no captions
        for one in drawn:
            if one.kind != "box":
                self.drawings.add(one, self._target(one.part))
            elif one.element is None:
                self.builder.paragraph(one.name)
            elif not one.element.tag.startswith(W):
                for line in drawn_lines(one.element):
                    self.builder.paragraph(line)
            elif self._deep < _BOXES_DEEP:
                self._deep, backed, self._lines.backed = self._deep + 1, self._lines.backed, True
                self._body(one.element)
                self._end_carried()
                self._deep, self._lines.backed = self._deep - 1, backed
        if any(one.kind == "box" for one in drawn):
            self.builder.closing = closing

    def _write_notes(self) -> None:
        """The notes that what was written refers to."""
        waiting, self._notes = self._notes, []
        for label, gone in waiting:  # grows: a comment may be about a note
            body = self._note_bodies(label.split()[0]).get(label)
            if body is None or label in self._written:
                continue
            self._written.add(label)
            lines = self._lines.all(body)
            text = "\n".join(line.numbered for line in lines)
            if unmarked(text).strip():
                author = body.get(W + "author") if label.startswith("comment") else ""
                text = f"{author}: {text}" if author else text
                self.builder.paragraph(marked(gone, unmarked(text)) if gone else note_body(label) + text)
            for line in lines:
                for kind, former in line.former.items():
                    self.builder.paragraph(marked(kind, former))
                waiting += line.notes

    def _note_bodies(self, kind: str) -> dict[str, Any]:
        if kind not in self._bodies:
            root = self._part(f"{kind}s")
            bodies = root.findall(W + kind) if root is not None else []
            shown = (body for body in bodies if body.get(W + "type") in (None, "normal"))
            self._bodies[kind] = {f"{kind} {body.get(W + 'id')}": body for body in shown}
        return self._bodies[kind]

    def _included(self, part: str) -> None:
        """Another file that was put in whole (w:altChunk)."""
        data, suffix = self._package.read(part), part.lower().rpartition(".")[2]
        try:
            if suffix in ("docx", "docm") and self._deep < _BOXES_DEEP:
                package = open_package(data, path=part, limits=self._limits, root="document")
                inner = _Reader(package, self._limits, self._deep + 1, self.builder)
                inner.document()
            elif suffix in ("mht", "mhtml"):
                page: Any = email.message_from_bytes(data, policy=email.policy.default)
                html.write(page.get_body(("html",)).get_content(), self.builder)
            elif suffix in ("htm", "html", "xhtml"):
                html.write(html.decoded(data, part), self.builder)
            elif suffix == "txt":
                self.builder.paragraph(decode(data, path=part))
            else:
                raise ParseError(suffix, "unsupported")
        except (ParseError, AttributeError, LookupError):
            self.builder.lose(LossKind.UNSUPPORTED_PART, f"included file ({suffix})")

    def _table(self, table: Any) -> None:
        rows = [list(_own(row, "tc")) for row in _own(table, "tr")]
        if max(map(len, rows), default=0) < 2 or any(map(self._is_section, chain(*rows))):
            for cell in chain(*rows):  # it only lays out a page
                self._body(cell)
                self._end_carried()
            return
        self._drawn = []
        self._grid(table).add_to(self.builder)
        self._begun = True
        self._write_notes()
        self._draw(self._drawn)

    def _is_section(self, cell: Any) -> bool:
        """Whether a cell holds a part of the document: headings and more, or a page of words."""
        paragraphs = list(cell.iter(W + "p"))
        headed = any(self._styles.level(value(p.find(f"{W}pPr/{W}pStyle"))) for p in paragraphs)
        size = sum(len(text.text or "") for text in cell.iter(W + "t")) if len(paragraphs) > 1 else 0
        return size > (_LONGEST_CELL // 5 if headed else _LONGEST_CELL)

    def _grid(self, table: Any) -> CellGrid:
        grid, lines = CellGrid(), self._lines
        outer, properties = lines.backed, table.find(W + "tblPr")
        style = value(properties.find(W + "tblStyle")) if properties is not None else ""
        shaded = properties is not None and is_dark(properties.find(W + "shd"))
        backed = outer or shaded or self._styles.shades(style)
        for row in _own(table, "tr"):
            cells = list(_own(row, "tc"))
            bold = bool(cells) and all(map(_is_set_off, cells))
            grid.begin(head=is_on(row.find(f"{W}trPr/{W}tblHeader")), set_off=bold)
            grid.skip(integer(row.find(f"{W}trPr/{W}gridBefore")) or 0)
            gone = row.find(f"{W}trPr/{W}del") is not None
            for cell in cells:
                lines.backed = backed or is_dark(cell.find(f"{W}tcPr/{W}shd"))
                gone_here = gone or cell.find(f"{W}tcPr/{W}cellDel") is not None
                parts = list(self._cell(cell, MarkKind.DELETED if gone_here else None))
                merge = cell.find(f"{W}tcPr/{W}vMerge")
                columns = integer(cell.find(f"{W}tcPr/{W}gridSpan")) or 1
                grid.cell(parts, columns=columns, goes_on=merge is not None and value(merge) != "restart")
            grid.end()
        lines.backed = outer
        return grid

    def _cell(self, cell: Any, gone: MarkKind | None) -> Iterator[Passage | CellGrid]:
        for part in (*blocks(cell), None):
            of_text = part is not None and part.tag == W + "p"
            read = self._lines.read(part, gone) if of_text else None
            for line in [read] if read is not None else [] if of_text else self._lines.rest():
                self._notes += line.notes
                self._drawn += line.drawn
                yield one_line(line.numbered), {kind: one_line(line.before(kind)) for kind in line.former}
            if part is not None and not of_text:
                yield self._grid(part)


def _is_row(line: Line) -> bool:
    """Whether a line is cut by tabs, as a row of a table is; no item of a list or of contents."""
    contents = line.style.lower().startswith("toc")
    typed = not (line.former or line.number or line.listed is not None or contents)
    return typed and is_tabbed(unmarked(line.text))


def _own(element: Any, kind: str) -> Iterator[Any]:
    """The rows of a table or cells of a row, without those of tables within."""
    for child in element.iterchildren():
        if child.tag == W + kind:
            yield child
        elif child.tag not in (W + "tbl", W + "tc") and isinstance(child.tag, str):
            yield from _own(child, kind)


def _is_set_off(cell: Any) -> bool:
    """Whether a cell of a table is empty, bold or on a ground of its own."""
    said = [p for p in cell.iter(W + "p") if any(text.text for text in p.iter(W + "t"))]
    return is_dark(cell.find(f"{W}tcPr/{W}shd")) or all(map(_all_bold, said))


def _all_bold(paragraph: Any) -> bool:
    runs = [run for run in paragraph.iter(W + "r") if run.find(W + "t") is not None]
    return bool(runs) and all(is_on(run.find(f"{W}rPr/{W}b")) for run in runs)
