"""Plain text: paragraphs at blank lines, headings and list items by their wording, as in every format that
does not say what they are: numbering, capitals, first words."""

from __future__ import annotations

import re

from rag.languages import listed, patterns
from rag.parsers.base import Limits, Parsed, TextBuilder, clean, one_line
from rag.parsers.encoding import decode
from rag.parsers.marks import without_signs

_RE = patterns("plain", re.NOFLAG)
_INDENT = re.compile("\u3000|\t| {2,8}(?=\\S)")
_SENTENCE_END = re.compile(r"[.!?。！？；;:：][”’\"')）」』]*$")
# From the outermost level to the innermost; each matches the beginning of a line.
_LEVELS = tuple(enumerate(patterns("heading").values(), 1))
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})([.)、]?)\s*(?=[A-Z\u4e00-\u9fff])")
_CONTENTS_LINE = re.compile(r"(?:\.\s?){3,}|…|\s\d{1,3}$")
_WORD = re.compile(r"[^\W\d_]+")
MAX_LENGTH = 120
MAX_HAN = 40
_SMALL = listed("small_words")


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a text file in any encoding."""
    builder = TextBuilder()
    lines = without_signs(clean(decode(data, path=path))).split("\n")
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
    return _RE["list_item"].match(text) is not None and _RE["article"].match(text) is None


def _continues(paragraph: list[str], text: str) -> bool:
    """An all-capitals or numbered line in the middle of a hard-wrapped sentence is not a heading."""
    return bool(paragraph) and not _SENTENCE_END.search(paragraph[-1].rstrip()) and len(paragraph[-1]) > 50


def _begins_paragraph(paragraph: list[str], line: str) -> bool:
    """Without a blank line: an indent after an unindented or finished line, an article number, or a long
    finished line (a file that has one paragraph per line)."""
    last = paragraph[-1].rstrip()
    if _RE["article"].match(line.strip()):
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


def heading_level(line: str) -> int:
    """Level 1 to 5 that a line's own wording gives it, 0 for none. The line is judged alone: the caller knows
    whether it stands by itself, and in which type."""
    text = line.strip()
    if not _short(text):
        return 0
    for level, pattern in _LEVELS:
        match = pattern.match(text)
        if match:
            return level if _title_follows(text[match.end() :]) else 0
    match = _NUMBERED.match(text)
    if match and not _RE["ends_open"].search(text) and not _CONTENTS_LINE.search(text):
        depth = match.group(1).count(".")
        return min(2 + depth, 5) if (depth or match.group(2)) and is_title_case(text[match.end() :]) else 0
    return 3 if is_capitals(text) and not _RE["ends_open"].search(text) else 0


def _short(text: str) -> bool:
    return bool(text) and len(text) <= MAX_LENGTH and len(_RE["han"].findall(text)) <= MAX_HAN


def _title_follows(rest: str) -> bool:
    """What stands after "Item 7." or "第三章" is nothing or a title: no sentence, no reference within a
    sentence, no line of a table of contents."""
    title = rest.strip(" \t\u3000.:：—–-")
    if not title:
        return True
    if _CONTENTS_LINE.search(title) or re.search(r"[,;，；。：:、]$|[a-z]\.$", rest.rstrip()):
        return False
    if _RE["han"].search(title):
        return not re.search("[，。；]", title) and rest[:1] not in "的、，至和或规"
    if re.match(r"[^\w\s]*[a-z(,;]", rest.lstrip(" .:—–-")):
        return False
    return is_title_case(title)


def is_capitals(text: str) -> bool:
    """Set in capitals: at least two words or one of five letters, and no small letter outside a suffix."""
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 5 or len(letters) < len(text.replace(" ", "")) * 0.6:
        return False
    return all(c.isupper() for c in letters) and text[:1] not in "•-–—*"


def is_title_case(text: str) -> bool:
    """Every word begins with a capital but for articles and prepositions; one sentence-case title of up to
    eight words passes. Chinese has no case: anything without a comma or full stop passes."""
    if _RE["han"].search(text):
        return not re.search("[，。；]", text)
    words = _WORD.findall(text)
    if not words:
        return False
    strong = [w for w in words if w.lower() not in _SMALL]
    return words[0][0].isupper() and (
        all(w[0].isupper() for w in strong) or (len(words) <= 8 and "," not in text and ". " not in text)
    )
