"""Plain text: paragraphs at blank lines, tables drawn with blanks, tabs or bars, headings and list items by
their wording, as in every format that does not say what they are: numbering, capitals, first words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise, takewhile
from textwrap import dedent

from rag.languages import listed, patterns
from rag.parsers.base import Limits, Parsed, TextBuilder, clean, one_line
from rag.parsers.encoding import decode
from rag.parsers.grids import is_quantity, rows_to
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
_GAP = re.compile(r"\t+|\s{2,}")
_BAR = re.compile(r"\s*\|\s*")
_RULE = re.compile(r"[\s|+:]*[-=_─═]{3,}[-=_─═\s|+:┼]*")
_CLAUSE = re.compile(r"\d{1,3}(?:\.\d{1,3})+\.?\s+[^\W\d]")
_LONGEST_TABLE = 2000  # lines


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse a text file in any encoding."""
    builder = TextBuilder()
    lines = without_signs(clean(decode(data, path=path))).split("\n")
    return builder.parsed(add_lines(builder, lines))


def add_lines(builder: TextBuilder, lines: list[str]) -> str:
    """Add lines of prose as headings, list items and paragraphs. Returns the title: the first line where it
    stands alone and is short, else ""."""
    title = ""
    paragraph: list[str] = []
    looked = drawn = 0  # lines that were looked at for a table
    for number, line in enumerate(lines):
        if number >= looked and not paragraph and _apart(line):
            run = list(takewhile(str.strip, lines[number : number + _LONGEST_TABLE]))
            taken = _drawn_table(builder, run)
            looked, drawn = number + (taken or len(run)), number + taken
        if number < drawn:
            continue
        text = line.strip()
        below = "".join(lines[number + 1 : number + 2]).strip()
        # A title may stand right above lines that say who and when: 采购合同, 甲方：……
        titled = _RE["labelled"].match(below) and not _RE["labelled"].match(text)
        alone = not paragraph and (not below or titled)
        if not text:
            _flush(builder, paragraph)
            continue
        # In the middle of a hard-wrapped sentence there is no heading.
        wrapped = paragraph and len(paragraph[-1]) > 50 and not _SENTENCE_END.search(paragraph[-1].rstrip())
        level = 0 if wrapped else heading_level(text)
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


def _apart(line: str) -> bool:
    """Whether a line is drawn as a row of a table: its cells apart by bars, tabs, or two blanks and more."""
    text = line.strip()
    drawn = text.count("|") > 1 or _GAP.search(text) or _RULE.fullmatch(text)
    return bool(drawn) and not (is_list_item(text) or _RE["article"].match(text) or _CLAUSE.match(text))


def _drawn_table(builder: TextBuilder, run: list[str]) -> int:
    """Add the table that the first of these lines draw; how many do. What stands above a rule is a head;
    a line that fills one column behind the first goes on with the cell above."""
    rules = {n for n, line in enumerate(run) if _RULE.fullmatch(line.strip())}
    places = [n for n in range(len(run)) if n not in rules]
    least = 2 if rules else 3
    cells = _columns([run[n] for n in places]) if len(places) >= least else []
    if len(cells) < least:
        return 0
    last = places[len(cells)] if len(cells) < len(places) else len(run)
    first_rule = min((n for n in rules if n > places[0]), default=0)
    rows: list[list[str]] = []
    for n, row in zip(places, cells, strict=False):
        filled = [c for c, cell in enumerate(row) if cell]
        if rows and len(filled) == 1 and filled[0] and n > first_rule:
            rows[-1][filled[0]] += f" {row[filled[0]]}"
        else:
            rows.append(row)
    rows_to(builder, rows, heads=sum(n < first_rule for n in places))
    return last


def _columns(rows: list[str]) -> list[list[str]]:
    """The cells of the first of these lines that are rows of one table: cut at bars or tabs into the same
    number, or where all of them have two blanks, as wide as their signs are shown; [] where none are."""
    cells: list[list[str]] = []
    for row in rows:
        cut = _BAR.split(row.strip().strip("|").strip(" "))
        if "|" not in row or (cells and len(cut) != len(cells[0])):
            break
        cells.append(cut)
    if len(cells) > 1 and len(cells[0]) > 1:
        return cells
    if cells := tab_cells(rows):
        return cells
    wide = dedent("\n".join("".join(map(_as_shown, row.expandtabs())) for row in rows)).split("\n")
    apart = [line for line in wide if _GAP.search(line.strip())]
    width = max(map(len, wide), default=0)
    blank = [not any(line[n : n + 1].strip() for line in apart) for n in range(width)]
    edges = [n for n in range(2, width) if blank[n - 2] and blank[n - 1] and not blank[n]]
    kept = list(takewhile(lambda line: not any(line[n - 2 : n].strip() for n in edges), wide))
    cells = [[line[a:b].replace("\0", "").strip() for a, b in pairwise([0, *edges, width])] for line in kept]
    values = [[row[c] for row in cells if row[c]] for c in range(1, len(edges) + 1)]
    figures = any(
        all(any(map(str.isdigit, cell)) for cell in column[1:]) for column in values if len(column) > 1
    )
    even = edges and all(len(column) * 3 > len(cells) for column in values)
    return cells if even and (figures or len(cells) > 3) and len(apart) * 4 > len(kept) * 3 else []


def tab_cells(rows: list[str]) -> list[list[str]]:
    """The cells of lines that are cut by tabs, one or several between two, into the same number; where most
    of them are, cells at the end of others are missing; [] where few are."""
    for gap, share in (("\t", 1), ("\t+", 1), ("\t", 0.7)):
        cells = [[cell.strip() for cell in re.split(gap, row.rstrip())] for row in rows]
        width = max(map(len, cells))
        if min(map(len, cells)) > 1 and sum(len(row) == width for row in cells) >= share * len(cells):
            return [row + [""] * (width - len(row)) for row in cells]
    return []


def tab_table(rows: Sequence[str], shown: Callable[[str], str] = str) -> list[list[str]]:
    """The cells of lines that tabs cut into a table's: three lines at least, cut evenly, of more than two
    cells or of labels with figures, which are no numbers of pages; [] for others. `shown` gives the words of
    a cell."""
    cells = tab_cells([*rows]) if len(rows) > 2 else []
    values = [shown(row[-1]) for row in cells if row[-1]]
    figures = sum(map(is_quantity, values)) * 3 >= 2 * len(values)
    listed = all(value.isdecimal() for value in values) and all(shown(row[0])[:1].isdigit() for row in cells)
    return cells if cells and (len(cells[0]) > 2 or (figures and not listed)) else []


def is_tabbed(text: str) -> bool:
    """Whether a line is cut by tabs, as a row of a table is; no item of a list, no line to write on."""
    return "\t" in text.strip() and not (is_list_item(text.strip()) or "\n" in text or "__" in text)


def _as_shown(sign: str) -> str:
    """A sign as wide as it is shown: Chinese ones take two places."""
    if sign == "\u3000":
        return "  "
    return f"{sign}\0" if unicodedata.east_asian_width(sign) in "WF" else sign


def is_list_item(text: str) -> bool:
    return _RE["list_item"].match(text) is not None and _RE["article"].match(text) is None


def _begins_paragraph(paragraph: list[str], line: str) -> bool:
    """Without a blank line: an indent after an unindented or finished line, an article number, or a long
    finished line (a file that has one paragraph per line)."""
    last = paragraph[-1].rstrip()
    ended = _INDENT.match(line) or max(len(last), len(line)) > 200 or len(last) < 40
    return bool(_RE["article"].match(line.strip()) or (_SENTENCE_END.search(last) and ended))


def _flush(builder: TextBuilder, paragraph: list[str]) -> None:
    if not paragraph:
        return
    text = "\n".join(line.strip() for line in paragraph)
    builder.paragraph(text, listed=0 if is_list_item(paragraph[0].strip()) else None)
    paragraph.clear()


def heading_level(line: str) -> int:
    """Level 1 to 5 that a line's own wording gives it, 0 for none. The line is judged alone: the caller knows
    whether it stands by itself, and in which type."""
    text = line.strip()
    if not text or len(text) > MAX_LENGTH or len(_RE["han"].findall(text)) > MAX_HAN:
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
