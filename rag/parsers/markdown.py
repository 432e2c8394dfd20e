"""Markdown by markdown-it: CommonMark with pipe tables, HTML blocks and front matter.

Emphasis and links stay as they were typed: what is quoted is what the author wrote. So do link definitions.
Struck words, footnotes, raised and lowered text and tick boxes read as on the page. Lines indented
by four blanks are prose, which they nearly always are in what people file."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, clean, one_line
from rag.parsers.encoding import decode
from rag.parsers.grids import CellGrid
from rag.parsers.marks import as_it_stands, marked, note_body, note_mark, on_the_line, unmarked, without_signs
from rag.types import MarkKind

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT = re.compile(r"([A-Za-z_][\w -]{0,40}):[ \t]*(.*)$")
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br\s*/?>", re.I)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_MARGIN = re.compile(r"(?m)^[ \t]+|[ \t]+$")
_QUOTED = re.compile(r"[ \t]*(?:> ?)*")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_WORDS = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`).{1,5000}?(?<!`)(?P=ticks)(?!`))|\[\^(?P<note>[^\]\s]{1,60})\]|"
    r"~~(?=\S)(?P<struck>.{1,5000}?)(?<=\S)~~|"
    r"<(?P<tag>sup|sub|del|s|strike|ins)>(?P<inner>.{0,5000}?)</(?P=tag)>|\\(?P<escaped>[!-/:-@\[-`{-~])",
    re.S | re.I,
)
_STRUCK = ("del", "s", "strike")
_NOTE = re.compile(r"(?m)^[ \t]*\[\^([^\]\s]{1,60})\]:[ \t]*")
_TASK = re.compile(r"\[([ xX])\](?=\s)")
# As deep as lists and quotes may nest; below that markdown-it reads nothing.
_NESTING = 100


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a Markdown file; `key: value` lines of a front matter become metadata."""
    lines = without_signs(clean(decode(data, path=path))).split("\n")
    metadata, first = _front_matter(lines)
    reader = _Reader(lines[first:])
    reader.run()
    return reader.builder.parsed(metadata.pop("title", "") or reader.title, metadata)


def _front_matter(lines: list[str]) -> tuple[dict[str, str], int]:
    end = next((n for n, line in enumerate(lines[1:200], 1) if line.rstrip() in ("---", "...")), 0)
    if not end or lines[0].rstrip() != "---":
        return {}, 0
    pairs = ((m[1].strip().lower(), m[2].strip()) for m in map(_FRONT.match, lines[1:end]) if m)
    return {key: value.strip("\"'") for key, value in pairs if value}, end + 1


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable("table")
    return parser.disable(["code", "reference", "inline", "text_join"])


class _Reader:
    """One pass over the tokens of markdown-it. `_marker` is that of a list item whose text is still to come,
    `_page` is the HTML of blocks that follow each other."""

    def __init__(self, lines: list[str]) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self._lines = lines
        self._parser = _parser()
        self._marker = ""
        self._counts: list[tuple[str, int]] = []  # of the lists around: number typed first, items so far
        self._grid = CellGrid()
        self._page = ""

    def run(self) -> None:
        tokens = self._parser.parse("\n".join(self._lines))
        for before, token in zip([None, *tokens], tokens, strict=False):
            if self._page and token.type != "html_block":
                self._end_page()
            self._take(token, before)
        self._end_page()

    def _take(self, token: Token, before: Token | None) -> None:
        match token.type:
            case "inline" if before and before.type == "heading_open":
                self._heading(token.content, int(before.tag[1]))
            case "inline" if before and before.type == "paragraph_open":
                self._prose(token.content)
            case "fence":
                self.builder.code(token.content)
            case "html_block" if _is_html(token.content):
                self._page += token.content
            case "html_block":
                self._end_page()
                self._prose(token.content)
            case "list_item_open":
                self._marker += f"{self._counted(token.info)}{token.markup} "
            case "list_item_close":
                if before and before.type == "list_item_open":  # "2019." alone is a number, not an empty item
                    self._prose("")
                self._marker = ""
            case "bullet_list_open" | "ordered_list_open":
                if not self._counts:
                    self.builder.start_group()
                self._counts.append(("", 0))
            case "bullet_list_close" | "ordered_list_close":
                self._counts.pop()
            case "table_close":
                self._end_table()
            case "hr":
                self.builder.start_group()
            case "tr_open" if token.map:
                line = _QUOTED.sub("", self._lines[token.map[0]], count=1)
                self._row(line, head=before is not None and before.type == "thead_open")

    def _counted(self, typed: str) -> str:
        """The number of an item: as typed, or counted where each is typed like the first."""
        first, count = self._counts[-1]
        self._counts[-1] = first or typed, count + 1
        lazy = typed and count and typed == first
        return marked(MarkKind.NUMBERED, str(int(typed) + count)) if lazy else typed

    def _heading(self, text: str, level: int) -> None:
        pieces: list[Token] = []
        self._parser.inline.parse(text, self._parser, {}, pieces)
        plain = "".join(" " if "break" in p.type else p.content for p in pieces)
        standing, former = _read(plain)
        self.builder.heading(standing, level)
        for words in former.values():
            self.builder.paragraph(words)
        if not self.title and level == 1:
            self.title = unmarked(one_line(standing))

    def _prose(self, content: str) -> None:
        """A paragraph, or a list item with its marker where it opens one; each footnote on its own."""
        text = _MARGIN.sub("", _COMMENT.sub("", content))
        words, *notes = _NOTE.split(text)
        if words.strip() or self._marker:
            task = _TASK.match(words) if self._marker else None
            box = ("☐" if task[1] == " " else "☒") if task else ""
            standing, former = _read(words[task.end() if task else 0 :])
            standing = f"{self._marker}{box}{standing}" if standing or not former else ""
            for block in (standing, *former.values()):
                self.builder.paragraph(block, listed=len(self._counts) - 1 if self._marker else None)
        self._marker = ""
        for label, note in zip(notes[::2], notes[1::2], strict=True):
            self.builder.paragraph(f"{note_body(label)}{_read(note)[0]}")

    def _row(self, line: str, *, head: bool) -> None:
        """A row with all its cells, more than columns, too; a line without any is none."""
        if "|" not in line:
            self._end_table()
            self._prose(line)
            return
        self._grid.begin(head=head)
        inner = re.sub(r"(?<!\\)\|$", "", line.strip().removeprefix("|"))
        for cell in _CELL_BREAK.split(inner):
            lines = _BREAK.split(cell.strip().replace("\\|", "|"))
            self._grid.cell([_read(one_line(line)) for line in lines])
        self._grid.end()

    def _end_table(self) -> None:
        self._grid.add_to(self.builder)
        self._grid = CellGrid()

    def _end_page(self) -> None:
        html.write(self._page, self.builder)
        self._page = ""


def _read(text: str) -> tuple[str, dict[MarkKind, str]]:
    """The words of a paragraph or cell as they stand and as they read before (`as_it_stands`)."""
    runs: list[tuple[MarkKind | None, int, str]] = []
    last = 0
    for match in _WORDS.finditer(text):
        name, inner = (match["tag"] or "").lower(), match["struck"] or match["inner"]
        kind = MarkKind.STRUCK if match["struck"] or name in _STRUCK else None
        kind = MarkKind.INSERTED if name == "ins" else kind
        shift = {"sup": 1, "sub": -1}.get(name, 0)
        words = _read(inner)[0] if kind else inner if shift else match["escaped"] or match[0]
        words = note_mark(match["note"]) if match["note"] else words
        runs += [(None, 0, text[last : match.start()]), (kind, shift, words)]
        last = match.end()
    runs = [run for run in (*runs, (None, 0, text[last:])) if run[2]]
    return as_it_stands(on_the_line(runs))


def _is_html(block: str) -> bool:
    """Whether a block is HTML or a comment, not a placeholder such as "<Name of tenant>"."""
    from markdown_it.common.html_blocks import block_names

    name = _TAG.match(block.lstrip())
    return name is None or name.group(1).lower() in {*block_names, "script", "style", "pre", "textarea"}
