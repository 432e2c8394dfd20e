"""Markdown by markdown-it: CommonMark with pipe tables, HTML blocks and front matter.

Inline marks (emphasis, links) stay as they were typed: what is quoted is what the author wrote. So do link
definitions. Lines indented by four blanks are prose, which they nearly always are in what people file."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder, clean, column_heads, one_line
from rag.parsers.encoding import decode

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT = re.compile(r"([A-Za-z_][\w -]{0,40}):[ \t]*(.*)$")
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_MARGIN = re.compile(r"(?m)^[ \t]+|[ \t]+$")
_QUOTED = re.compile(r"[ \t]*(?:> ?)*")
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
# As deep as lists and quotes may nest; below that markdown-it reads nothing.
_NESTING = 100


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a Markdown file; `key: value` lines of a front matter become metadata."""
    lines = clean(decode(data, path=path)).split("\n")
    metadata, first = _front_matter(lines)
    reader = _Reader(lines[first:])
    reader.run()
    title = metadata.pop("title", "") or reader.title
    text, blocks, _ = reader.builder.build(title)
    return Parsed(title, text, blocks, metadata=metadata)


def _front_matter(lines: list[str]) -> tuple[dict[str, str], int]:
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    for number, line in enumerate(lines[1:200], start=1):
        if line.rstrip() in ("---", "..."):
            pairs = [m.groups() for m in map(_FRONT.match, lines[1:number]) if m]
            return {
                key.strip().lower(): value.strip().strip("\"'") for key, value in pairs if value.strip()
            }, number + 1
    return {}, 0


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable("table")
    return parser.disable(["code", "reference", "inline", "text_join"])


class _Reader:
    """One pass over the tokens of markdown-it. `_marker` is that of a list item whose text is still to come,
    `_depth` counts the lists around a token, `_page` is the HTML of blocks that follow each other."""

    def __init__(self, lines: list[str]) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self._lines = lines
        self._parser = _parser()
        self._marker = ""
        self._depth = 0
        self._headed = False
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
                self._marker += f"{token.info}{token.markup} "
            case "list_item_close":
                if before and before.type == "list_item_open":  # "2019." alone is a number, not an empty item
                    self._prose("")
                self._marker = ""
            case "bullet_list_open" | "ordered_list_open":
                if not self._depth:
                    self.builder.start_group()
                self._depth += 1
            case "bullet_list_close" | "ordered_list_close":
                self._depth -= 1
            case "table_open":
                self.builder.start_group()
                self._headed = False
            case "hr":
                self.builder.start_group()
            case "tr_open" if token.map:
                self._row(_QUOTED.sub("", self._lines[token.map[0]], count=1))

    def _heading(self, text: str, level: int) -> None:
        pieces: list[Token] = []
        self._parser.inline.parse(text, self._parser, {}, pieces)
        plain = "".join(" " if "break" in p.type else p.content for p in pieces)
        self.builder.heading(plain, level)
        if not self.title and level == 1:
            self.title = one_line(plain)

    def _prose(self, content: str) -> None:
        """A paragraph, or a list item with its marker where it opens one."""
        text = _MARGIN.sub("", _COMMENT.sub("", content))
        if self._marker:
            self.builder.list_item(self._marker + text, level=self._depth - 1)
        else:
            self.builder.paragraph(text)
        self._marker = ""

    def _row(self, line: str) -> None:
        """A table row with all its cells, more of them than columns, too; a line without any that follows a
        table is none."""
        if "|" not in line:
            self._prose(line)
            self.builder.start_group()
            return
        row = [one_line(cell) for cell in _cells(line)]
        if not self._headed and any(row):
            self.builder.table(column_heads([row]))
            self._headed = True
        self.builder.row(row)

    def _end_page(self) -> None:
        html.write(self._page, self.builder)
        self._page = ""


def _is_html(block: str) -> bool:
    """Whether a block is HTML or a comment, not a placeholder such as "<Name of tenant>"."""
    from markdown_it.common.html_blocks import block_names

    name = _TAG.match(block.lstrip())
    return name is None or name.group(1).lower() in {*block_names, "script", "style", "pre", "textarea"}


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = re.sub(r"(?<!\\)\|$", "", inner)
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BREAK.split(inner)]
