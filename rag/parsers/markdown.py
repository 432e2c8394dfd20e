"""Markdown: headings, paragraphs, nested lists, pipe tables, code fences, front matter.

Inline marks (emphasis, links) stay as they were typed: what is quoted is what the author wrote.
"""

from __future__ import annotations

import re

from rag.parsers.base import Limits, Parsed, TextBuilder, clean, join_cells, one_line
from rag.parsers.encoding import decode

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_DELIMITER_ROW = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FRONT = re.compile(r"([A-Za-z_][\w -]{0,40}):[ \t]*(.*)$")
_CELL_BREAK = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*`]+|(?<!\w)_+|_+(?!\w)")
_COMMENT = re.compile(r"<!--.*?-->", re.S)


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a Markdown file; `key: value` lines of a front matter become metadata."""
    lines = clean(_COMMENT.sub("", decode(data, path=path))).split("\n")
    metadata, first = _front_matter(lines)
    reader = _Reader(lines, first)
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


class _Reader:
    """One pass over the lines; `at` is the line to be looked at next."""

    def __init__(self, lines: list[str], first: int) -> None:
        self.lines = lines
        self.at = first
        self.builder = TextBuilder()
        self.title = ""

    def run(self) -> None:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            atx = _ATX.match(line)
            if not line.strip():
                self.at += 1
            elif atx:
                self._heading(atx.group(2) or "", len(atx.group(1)))
                self.at += 1
            elif _FENCE.match(line):
                self._fence()
            elif self._is_table():
                self._table()
            elif _RULE.match(line):
                self.builder.start_group()
                self.at += 1
            else:
                self._prose()

    def _peek(self, ahead: int = 1) -> str:
        return self.lines[self.at + ahead] if self.at + ahead < len(self.lines) else ""

    def _heading(self, text: str, level: int) -> None:
        plain = _MARKS.sub(lambda m: m.group(1) or "", text)
        self.builder.heading(plain, level)
        if not self.title and level == 1:
            self.title = one_line(plain)

    def _fence(self) -> None:
        opening = _FENCE.match(self.lines[self.at])
        assert opening is not None
        mark = opening.group(1)
        end = self.at + 1
        while end < len(self.lines) and not re.match(
            rf" {{0,3}}{re.escape(mark)}[`~]*[ \t]*$", self.lines[end]
        ):
            end += 1
        self.builder.code("\n".join(self.lines[self.at + 1 : end]))
        self.at = end + 1

    def _is_table(self) -> bool:
        head, below = self.lines[self.at], self._peek()
        return (
            "|" in head and "-" in below and _DELIMITER_ROW.match(below) is not None and "|" in below + head
        )

    def _table(self) -> None:
        header = join_cells(_cells(self.lines[self.at]))
        self.builder.start_group()
        self.builder.row(header, header=header)
        self.at += 2
        while self.at < len(self.lines) and "|" in self.lines[self.at] and self.lines[self.at].strip():
            self.builder.row(join_cells(_cells(self.lines[self.at])), header=header)
            self.at += 1

    def _prose(self) -> None:
        """A paragraph or list item: up to a blank line or the beginning of something else."""
        item = _ITEM.match(self.lines[self.at])
        taken = [self.lines[self.at]]
        self.at += 1
        while self.at < len(self.lines) and not self._begins_block():
            if not item and (underline := _SETEXT.match(self.lines[self.at])):
                self._heading(" ".join(taken), 1 if "=" in underline.group(1) else 2)
                self.at += 1
                return
            taken.append(self.lines[self.at])
            self.at += 1
        text = "\n".join(re.sub(r"^[ \t]*(?:> ?)*", "", line).rstrip() for line in taken)
        if item:
            self.builder.list_item(text, level=len(item.group(1).expandtabs(4)) // 2)
        else:
            self.builder.paragraph(text)

    def _begins_block(self) -> bool:
        line = self.lines[self.at]
        if (
            not line.strip()
            or _ATX.match(line)
            or _FENCE.match(line)
            or _ITEM.match(line)
            or self._is_table()
        ):
            return True
        return _RULE.match(line) is not None and _SETEXT.match(line) is None


def _cells(line: str) -> list[str]:
    inner = line.strip()
    inner = inner.removeprefix("|")
    inner = re.sub(r"(?<!\\)\|$", "", inner)
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BREAK.split(inner)]
