"""HTML: headings, paragraphs, lists and tables in document order; scripts, styles, navigation and hidden
parts left out. Lists that the browser counts have their numbers."""

from __future__ import annotations

import base64
import email
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from rag.errors import ParseError
from rag.languages import Patterns
from rag.parsers.base import Limits, Parsed, TextBuilder, one_line, shows_text
from rag.parsers.docx_styles import written
from rag.parsers.encoding import decode
from rag.parsers.grids import CellGrid, Passage
from rag.parsers.html_style import FORMS
from rag.parsers.html_words import LineWords, WebPage, said
from rag.parsers.marks import marked, unmarked, without_signs
from rag.types import LossKind, MarkKind

_RE = Patterns(__file__)
_BLOCK = _RE.words("block")
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_ITEMS = {"li": -1, "dt": 0, "dd": 1}  # how deep below the items around they stand
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.I)
_DEEPEST = 3  # tables within tables that are read as such
_LONGEST_CELL = 1500  # characters, and three times of that in a table with heads
HIDE_GONE = "<style>.gone{visibility:hidden}</style>"  # for `write`
Pictures = Callable[[str], bytes]
"""Gives a picture of a page by its address; b"" for one that is not at hand."""
_METADATA, _CHARSETS = _RE.pairs("metadata"), _RE.pairs("charsets")


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse an HTML page, of any nesting depth (the walk does not recurse)."""
    builder = TextBuilder()
    archived = path.lower().endswith((".mhtml", ".mht"))
    page, pictures = _archived(data, path) if archived else (data, lambda _: b"")
    tree, first_heading = _walk(decoded(page, path), builder, pictures)
    named = tree.css_first("title")
    title = (one_line(named.text()) if named is not None else "") or first_heading
    return builder.parsed(title, _metadata(tree))


def write(source: str, builder: TextBuilder, pictures: Pictures = lambda _: b"") -> str:
    """Add a piece of HTML that stands in a document of another format; its first heading."""
    return _walk(source, builder, pictures)[1]


def tagged(tag: str, words: str) -> str:
    """HTML for words in an element."""
    return f"<{tag}>{words}</{tag.split()[0]}>"


class Notes(list[str]):
    """HTML for the notes that are to stand behind the block that is written."""

    number = 0

    def add(self, label: str, said: str) -> str:
        """HTML for the mark of a note."""
        self.number += 1
        self.append(f"<div id=n{self.number}><p>{label} {said}</p></div>")
        return f"<sup><a href='#n{self.number}'>{label}</a></sup>"


def _walk(source: str, builder: TextBuilder, pictures: Pictures) -> tuple[Any, str]:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    walker = _Walker(builder, LineWords(WebPage(tree, len(source))), pictures)
    if tree.body is not None:
        walker.walk(tree.body)
    return tree, walker.first_heading


def decoded(data: bytes, path: str) -> str:
    """The declared charset where it fits the bytes, else detection."""
    declared = _META_CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = declared.group(1).decode("ascii").lower()
        name = _CHARSETS.get(name, name)
        with suppress(LookupError, UnicodeDecodeError):
            return data.decode(name) if not name.startswith("utf-16") else decode(data, path=path)
    return decode(data, path=path)


def _archived(data: bytes, path: str) -> tuple[bytes, Pictures]:
    """The page of a web archive, written as a mail is, and its pictures. Raises ParseError for none."""
    mail = email.message_from_bytes(data)
    page = next((part for part in mail.walk() if part.get_content_type() == "text/html"), None)
    if page is None:
        raise ParseError(f"{path}: no page in it.", "empty")
    return bytes(page.get_payload(decode=True)), pictures_of(mail)


def pictures_of(mail: Any) -> Pictures:
    """The pictures in a mail by their address in its words."""
    parts = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    named = {f"cid:{part.get('Content-ID', '').strip('<>')}": part for part in parts}
    named |= {part.get("Content-Location", ""): part for part in parts}
    return lambda address: named[address].get_payload(decode=True) or b"" if address in named else b""


def _metadata(tree: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta"):
        name = _METADATA.get((node.attributes.get("name") or node.attributes.get("property") or "").lower())
        content = one_line(node.attributes.get("content") or "")
        if name and content:
            found.setdefault(name, content)
    return found


class _Walker:
    """Depth first with a stack of its own. `kind` says what the words being collected will become."""

    def __init__(self, builder: TextBuilder, words: LineWords, pictures: Pictures, deep: int = 0) -> None:
        self.builder = builder
        self.pictures = pictures
        self.first_heading = ""
        self._words = words
        self._deep = deep  # tables around
        self._kind = "p"
        self._number = ""
        self._lists: list[_Counter | None] = []  # those around a node; None is a list without numbers
        self._items = 0

    def walk(self, root: Any) -> None:
        _traverse(root, self._enter, self._leave)
        self._flush()

    def _enter(self, node: Any) -> bool:
        """Take note of a node; whether its children have to be visited."""
        tag = node.tag
        if tag == "-text":
            self._words.text(node)
            return False
        if not self._words.open(node):
            return False
        if tag == "img":
            self._picture(node.attributes.get("src") or "")
        if tag == "pre":
            self._flush()
            self._put("pre", without_signs(node.text()), {})
            return False
        if self._words.page.tag(node) == "table":
            table = _Table(self, node)
            if table.is_data:  # else it only lays out a page: its cells are walked as blocks
                self._flush()
                self._put_table(table)
                return False
        if tag in _HEADINGS or tag in _ITEMS:
            self._flush()
            self._kind = tag
            if tag == "li":
                self._item(node)
        elif tag in _BLOCK:
            self._flush()
        if tag in ("ol", "ul", "menu"):
            self._lists.append(_Counter(node, self._words.page.style(node)) if tag == "ol" else None)
        return self._words.read(node)

    def _picture(self, address: str) -> None:
        """Take note of a picture that may hold words."""
        known = self._words.page.pictures
        if address and address not in known:
            known.add(address)
            kind, _, data = address.partition(",")
            picture = self.pictures(address)
            if kind.startswith("data:image"):
                picture = unquote_to_bytes(data)
                with suppress(ValueError):
                    picture = base64.b64decode(picture) if kind.endswith("base64") else picture
            if picture and shows_text(picture):
                self.builder.lose(LossKind.PICTURE_WITH_TEXT, f"picture {len(known)}")

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag != "-text" and self._words.close(node):
            if tag in _BLOCK or tag in _HEADINGS or tag == "li":
                self._flush()
                self._items -= tag == "li"
            if tag in ("ol", "ul", "menu"):
                self._lists.pop()
            self._number = "" if tag == "li" else self._number

    def _item(self, node: Any) -> None:
        """An item of a list begins: count it. That of a list of notes is the note with its number."""
        self._items += 1
        counter = self._lists[-1] if self._lists else None
        if counter is None or self._words.page.style(node).get("display", "list-item") != "list-item":
            return
        value = counter.next(node)
        if node.mem_id in self._words.page.targets:
            return
        if counter.notes:
            self._words.begin_note(value.rstrip(". "))
        else:
            self._number = value

    def _flush(self) -> None:
        if not self._words:
            return
        text, former = self._words.take()
        text = _lines(text)
        plain = unmarked(text)
        if self._number and (plain or former):
            if plain:
                text = f"{marked(MarkKind.NUMBERED, self._number)} {text}"
            else:
                former = {k: marked(k, f"{self._number} {unmarked(t)}") for k, t in former.items()}
            self._number = ""
        if plain or former:
            self._put(self._kind, text if plain else "", former)
            self._kind = "p"

    def _put(self, kind: str, text: str, former: Mapping[MarkKind, str]) -> None:
        """Add a block, and how it read before."""
        listed = self._items + _ITEMS[kind] if kind in _ITEMS else None
        if text and kind in _HEADINGS:
            self.builder.heading(text, _HEADINGS[kind])
            self.first_heading = self.first_heading or unmarked(one_line(text))
        elif kind == "pre":
            self.builder.code(text)
        else:
            self.builder.paragraph(text, listed=listed)
        for words in former.values():
            self.builder.paragraph(_lines(words), listed=listed)

    def _put_table(self, table: _Table) -> None:
        for words in (table.caption[0], *table.caption[1].values()):
            self.builder.paragraph(words)
        table.grid.add_to(self.builder, table.caption[0])


def _traverse(root: Any, enter: Callable[[Any], bool], leave: Callable[[Any], None]) -> None:
    """Walk a tree depth first without recursion: into what `enter` says, with `leave` for each entered."""
    node, depth = root, 0
    while True:
        child = node.child if enter(node) else None
        if child is not None:
            node, depth = child, depth + 1
            continue
        leave(node)
        while depth and node.next is None:
            node, depth = node.parent, depth - 1
            leave(node)
        if not depth:
            return
        node = node.next


class _Counter:
    """The numbers of an ordered list: where they start, which way they go and how they are written."""

    def __init__(self, node: Any, style: Mapping[str, str]) -> None:
        attributes = node.attributes
        self._step = -1 if "reversed" in attributes else 1
        items = sum(item.tag == "li" for item in node.iter()) if self._step < 0 else 1
        self._next = _whole(attributes.get("start"), items)
        styled = style.get("list-style-type") or style.get("list-style") or ""
        form = next((FORMS[word] for word in styled.split() if word in FORMS), "")
        self._form = form or FORMS.get(attributes.get("type") or "1", "decimal")
        self._end = "、" if _RE["han_form"].match(self._form) else "."
        above = [e for e in (node, node.parent, getattr(node.parent, "parent", None)) if e is not None]
        self.notes = any(_RE["notes"].search(said(e, "class", "role", "id")) for e in above)

    def next(self, item: Any) -> str:
        value = _whole(item.attributes.get("value"), self._next)
        self._next = value + self._step
        text = written(value, self._form)
        return f"{text}{self._end}" if text else ""


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text) else default


def _lines(text: str) -> str:
    lines = re.sub(" +", " ", text).split("\n")
    return "\n".join(line.strip() for line in lines if line.strip())


class _Table(_Walker):
    """Reads a table into a `grid`, each cell by a walk of its own. `is_data`: it is no layout of a page."""

    def __init__(self, around: _Walker, table: Any) -> None:
        super().__init__(around.builder, around._words.within(), around.pictures, around._deep + 1)
        self.grid = CellGrid()
        self.caption: Passage = ("", {})
        self._cell: list[Passage | CellGrid] = []
        self._tag = tag = self._words.page.tag
        parts = [part for part in table.iter() if tag(part) in ("thead", "tbody", "tfoot")]
        rows = [row for part in (table, *parts) for row in part.iter() if tag(row) == "tr"]
        rows.sort(key=lambda row: tag(row.parent) == "tfoot")
        self.is_data = self._deep <= _DEEPEST and self._is_data(table, rows)
        if not self.is_data:
            return
        caption = next((part for part in table.iter() if part.tag == "caption"), None)
        parts_of = self._parts(caption) if caption is not None else ()
        self.caption = next((p for p in parts_of or () if not isinstance(p, CellGrid)), ("", {}))
        for row in rows:
            # What a part of the table says holds for its rows.
            if self._words.open(row.parent, count=False) and self._words.open(row):
                self._read_row(row)
                self._words.close()
            self._words.close()
        self.is_data = self.grid.filled > 1

    def _read_row(self, row: Any) -> None:
        cells = self._cells(row)
        headed = self._tag(row.parent) == "thead" or all(self._tag(cell) == "th" for cell in cells)
        self.grid.begin(head=bool(cells) and headed, set_off=bool(cells) and all(map(_is_set_off, cells)))
        for cell in cells:
            if (parts := self._parts(cell)) is not None:
                spans = cell.attributes
                self.grid.cell(parts, columns=_span(spans, "colspan"), rows=_span(spans, "rowspan"))
        self.grid.end()

    def _cells(self, row: Any) -> list[Any]:
        return [cell for cell in row.iter() if self._tag(cell) in ("td", "th")]

    def _is_data(self, table: Any, rows: Sequence[Any]) -> bool:
        """Whether a table is one of data: with several rows and columns, and no sections of a page in its
        cells; another table stands only in one that has heads."""
        if (table.attributes.get("role") or "") in ("presentation", "none") or len(rows) < 2:
            return False
        first, every = rows[0], [cell for row in rows for cell in self._cells(row)]
        top = self._tag(first.parent) == "thead"
        headed = sum(top or self._tag(e) == "th" for e in self._cells(first)) > 1
        if not headed and len(table.css("table")) > 1:
            return False
        if table.css_first("h1, h2, h3, h4, h5, h6, p, ul, ol, pre, table, div") is None:
            return True
        longest = _LONGEST_CELL * (3 if headed else 1)
        cells = [e for e in every if (c := e.child) is not None and (c.tag != "-text" or c.next is not None)]
        return not any(
            (size := len(cell.text())) > longest
            or (size * 5 > longest and cell.css_first("h1, h2, h3, h4, h5, h6") is not None)
            for cell in cells
        )

    def _parts(self, node: Any) -> list[Passage | CellGrid] | None:
        """The blocks of a cell as lines, and the tables in it; None for a cell that is left out."""
        opened = self._words.open(node, count=False)
        self._words.close()
        if not opened:
            return None
        self._cell = []
        self.walk(node)
        return self._cell

    def _put(self, kind: str, text: str, former: Mapping[MarkKind, str]) -> None:
        self._cell.append((one_line(text), {of: one_line(words) for of, words in former.items()}))

    def _put_table(self, table: _Table) -> None:
        self._cell += [table.caption, table.grid]


def _is_set_off(cell: Any) -> bool:
    """Whether a cell is empty, a head, bold or on a ground of its own."""
    own = cell.tag == "th" or "bgcolor" in cell.attributes
    grounded = "background" in (cell.attributes.get("style") or "")
    return own or grounded or cell.css_first("b, strong") is not None or not cell.text().strip()


def _span(attributes: Mapping[str, str | None], name: str) -> int:
    value = attributes.get(name) or ""
    return max(1, min(int(value), 1000)) if value.isdecimal() and len(value) < 6 else 1
