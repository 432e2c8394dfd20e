"""Plain text: paragraphs at blank lines, headings and list items by their wording."""

from __future__ import annotations

import re

from rag.parsers.base import Limits, Parsed, TextBuilder, clean, one_line
from rag.parsers.encoding import decode
from rag.parsers.headings import heading_level

_LIST_ITEM = re.compile(
    r"(?:[-*+•·▪●○◦‣–]|\(?[a-zA-Z0-9]{1,2}[.)]|\([ivx]{1,4}\)|[（(][一二三四五六七八九十\d]{1,3}[)）]|[①-⑳])\s+\S|[（(][一二三四五六七八九十]{1,3}[)）]"
)
_ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇两\d]{1,9}条")
_INDENT = re.compile("\u3000|\t| {2,8}(?=\\S)")
_SENTENCE_END = re.compile(r"[.!?。！？；;:：][”’\"')）」』]*$")


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a text file in any encoding."""
    builder = TextBuilder()
    lines = clean(decode(data, path=path)).split("\n")
    title = add_lines(builder, lines)
    text, blocks, _ = builder.build(title)
    return Parsed(title, text, blocks)


def add_lines(builder: TextBuilder, lines: list[str]) -> str:
    """Add lines of prose as headings, list items and paragraphs. Returns the title: the first line where it
    stands alone and is short, else ""."""
    title = ""
    paragraph: list[str] = []
    for number, line in enumerate(lines):
        text = line.strip()
        alone = not (number + 1 < len(lines) and lines[number + 1].strip()) and not paragraph
        if not text:
            _flush(builder, paragraph)
            continue
        level = 0 if _continues(paragraph, text) else heading_level(text)
        if level:
            _flush(builder, paragraph)
            builder.heading(text, level)
        elif not len(builder) and alone and len(text) <= 100 and not _SENTENCE_END.search(text):
            builder.heading(text, 1)
        elif is_list_item(text):
            _flush(builder, paragraph)
            paragraph.append(line)
        else:
            if paragraph and _begins_paragraph(paragraph, line):
                _flush(builder, paragraph)
            paragraph.append(line)
        if not title and len(builder) and not paragraph:
            title = one_line(text)
    _flush(builder, paragraph)
    return title if len(title) <= 100 else ""


def is_list_item(text: str) -> bool:
    return _LIST_ITEM.match(text) is not None and _ARTICLE.match(text) is None


def _continues(paragraph: list[str], text: str) -> bool:
    """An all-capitals or numbered line in the middle of a hard-wrapped sentence is not a heading."""
    return bool(paragraph) and not _SENTENCE_END.search(paragraph[-1].rstrip()) and len(paragraph[-1]) > 50


def _begins_paragraph(paragraph: list[str], line: str) -> bool:
    """Without a blank line: an indent after an unindented or finished line, an article number, or a long
    finished line (a file that has one paragraph per line)."""
    last = paragraph[-1].rstrip()
    if _ARTICLE.match(line.strip()):
        return True
    if not _SENTENCE_END.search(last):
        return False
    return _INDENT.match(line) is not None or len(last) > 200 or len(line) > 200 or len(last) < 40


def _flush(builder: TextBuilder, paragraph: list[str]) -> None:
    if not paragraph:
        return
    text = "\n".join(line.strip() for line in paragraph)
    if is_list_item(paragraph[0].strip()):
        builder.list_item(text)
    else:
        builder.paragraph(text)
    paragraph.clear()
