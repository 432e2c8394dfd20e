"""Rich Text Format (RTF 1.9): put as HTML and read as such. Headings by outline levels, lists by the text of
their marks, tables with merged cells; struck, deleted and hidden words; text boxes where they are anchored;
headers in front, footers at the end; notes and comments behind what refers to them. Pictures are left out."""

from __future__ import annotations

import codecs
import re
from collections import Counter, defaultdict
from contextlib import suppress
from html import escape
from itertools import pairwise, takewhile

from rag.errors import ParseError
from rag.languages import Patterns
from rag.parsers import html
from rag.parsers.base import Limits, Parsed, TextBuilder
from rag.parsers.docx_styles import LEAST_SHIFT
from rag.parsers.plain import is_tabbed, tab_table

_RE = Patterns(__file__)
_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\", re.I
)
_FONT = re.compile(r"\\f(\d{1,9})\b[^{};]*?\\fcharset(\d{1,3})")
_LEFT_OUT, _SIGNS, _CHARSETS = _RE.words("left_out"), _RE.pairs("signs"), _RE.pairs("charsets")
_SIGNS |= {"~": " ", "tab": "\t", "_": "-", "{": "{", "}": "}", "\\": "\\"}
_LOOKS = {
    "v": "span class=gone",
    "deleted": "s",
    "strike": "s",
    "striked": "s",
    "super": "sup",
    "sub": "sub",
    "revised": "ins",
}
_OF_GROUP = ("uc", "out", "mark", "aside")  # what neither \plain nor \pard ends
_MARGINS = _RE.words("margins")
_WHOLE = ("header", "footer")
_ASIDE = {"footnote", "annotation", *_MARGINS}  # what is no part of the paragraph that it stands in


def read(data: bytes, *, path: str, limits: Limits, ocr: bool = False) -> Parsed:
    """Parse an RTF file."""
    if not data.lstrip().startswith(b"{\\rtf"):
        raise ParseError(f"{path}: no RTF file. It may have a wrong suffix.", "corrupt")
    builder = TextBuilder()
    reader = _RichText(data.decode("latin-1"))
    page = reader.page()
    html.write(html.HIDE_GONE + reader.margins("header"), builder)
    title = html.write(html.HIDE_GONE + page, builder)
    builder.end_headings()
    html.write(html.HIDE_GONE + reader.margins("footer"), builder)
    return builder.parsed(title)


def _well_formed(page: str) -> str:
    return page.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _shown(page: str) -> str:
    """The words of a line of HTML."""
    return re.sub("<[^>]*>", "", page)


class _RichText:
    """`_look` is what holds in a group: looks that are on, whether it is left out, how many characters stand
    for one in Unicode, the font, and of the paragraph its outline level, whether in a table or an item."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._code = "cp1252"
        self._fonts = {int(font): code for font, of in _FONT.findall(source) if (code := _CHARSETS.get(of))}
        self._bytes = b""
        self._words: list[str] = []  # of the paragraph
        self._tabbed: list[str] = []  # paragraphs that may be rows of a table
        self._mark = ""  # what an item of a list has in front
        self._page: list[str] = []
        self._notes = html.Notes()  # and comments, of the paragraph or table
        self._noted: Counter[str] = Counter()
        self._author = ""  # of the comment that follows
        self._look: dict[str, int] = {}
        self._around: list[tuple[dict[str, int], str, list[str]]] = []  # and what begins there, if aside
        self._margins: dict[str, list[str]] = defaultdict(list)
        self._shown = set(_WHOLE)  # the kinds of margins that pages have
        self._cells: list[str] = [""]  # of the row
        self._edges: list[tuple[int, str]] = []  # of its cells: where they end, how they are merged downwards
        self._merged, self._head = "", False
        self._rows: list[tuple[bool, list[tuple[int, str, str]]]] = []

    def page(self) -> str:
        """All of it in HTML."""
        at, left = 0, 0  # characters that stand for one that was given in Unicode
        while token := _TOKEN.match(self._source, at):
            at, (word, number, code, sign, brace, text) = token.end(), token.groups()
            if code and not left:
                self._bytes += bytes.fromhex(code)
                continue
            self._flush()
            if brace == "{":
                self._around.append((dict(self._look), "", []))
            elif brace:
                self._end_group()
            elif word == "bin":
                at += int(number or 0)
            elif word == "u":
                self._say(chr(int(number or 0) % 0x10000))
                left = self._look.get("uc", 1)
                continue
            elif word or sign:
                self._take(word or sign, int(number) if number else 1)
            elif text:
                self._say(text[left:])
            left = max(0, left - len(text or code or ""))
        self._flush()
        self._paragraph()
        self._end_tabbed()
        self._end_table()
        return _well_formed("".join(self._page))

    def margins(self, which: str) -> str:
        """The headers or footers in HTML, each once."""
        kinds = [kind for kind in self._margins if kind.startswith(which) and kind in self._shown]
        words = dict.fromkeys(one for kind in kinds for one in self._margins[kind])
        return _well_formed("".join(f"<p>{one}</p>" for one in words))

    def _flush(self) -> None:
        if self._bytes:
            code = self._fonts.get(self._look.get("f", -1), self._code)
            words, self._bytes = self._bytes.decode(code, errors="replace"), b""
            self._say(words)

    def _say(self, words: str) -> None:
        if words and not self._look.get("out"):
            if self._look.get("mark"):
                self._mark += words
                return
            if self._look.get("author"):
                self._author += escape(words)
                return
            tag = next((tag for look, tag in _LOOKS.items() if self._look.get(look)), "span")
            self._words.append(words if words == "\t" else f"<{tag}>{escape(words)}</{tag.split()[0]}>")

    def _end_group(self) -> None:
        self._look, kind, outer = self._around.pop() if self._around else ({}, "", [])
        if not kind:
            return
        said, self._words = "".join(self._words), outer
        if kind in _MARGINS:
            lines = (line for line in said.split("<br>") if not _RE["page_number"].fullmatch(_shown(line)))
            self._margins[kind] += lines
        else:
            self._noted[kind] += 1
            label = "*" if kind == "annotation" else str(self._noted[kind])
            if kind == "annotation" and self._author:
                said, self._author = f"{self._author}: {said}", ""
            self._words.append(self._notes.add(label, said))

    def _take(self, word: str, number: int) -> None:
        """A control word or sign."""
        look = self._look
        if word in _ASIDE and self._around and not self._around[-1][0].get("out"):
            self._look = {"uc": look.get("uc", 1), "aside": 1}
            self._around[-1], self._words = (self._around[-1][0], word, self._words), []
        elif word == "*" or word in _LEFT_OUT:
            look["out"] = 1
        elif word == "shptxt":
            look["out"] = 0
        elif word == "atnauthor":
            look["out"], look["author"], self._author = 0, 1, ""
        elif word == "ansicpg":
            with suppress(LookupError):
                self._code = codecs.lookup(f"cp{number}").name
        elif word in _SIGNS:
            self._say(_SIGNS[word])
        elif look.get("out"):
            return
        elif word in ("plain", "pard"):
            of_other = ("intbl", "outlinelevel") if word == "plain" else ("f", *_LOOKS)
            self._look = {name: on for name, on in look.items() if name in (*_OF_GROUP, *of_other)}
        elif word in ("line", "nestcell", "nestrow") or (look.get("aside") and word in ("par", "row")):
            self._words.append("<br>")  # a table in a cell: its words a line each
        elif word in ("facingp", "titlepg"):
            self._shown |= {f"{of}{side}" for of in _WHOLE for side in ("lr" if word == "facingp" else "f")}
        elif look.get("aside") and word in ("sect", "page", "cell"):
            self._words.append(" ")
        elif word in ("par", "sect", "page", "cell", "row"):
            self._paragraph()
            if word == "cell":
                self._cells.append("")
            elif word == "row":
                edges = self._edges + [(n, "") for n in range(len(self._edges) + 1, len(self._cells))]
                row = [(*edge, cell) for edge, cell in zip(edges, self._cells[:-1], strict=False)]
                self._rows.append((self._head, row))
                self._cells = [""]
        elif word in ("listtext", "pntext"):
            look["mark"], self._mark = 1, " "
        elif word == "trowd":
            self._edges, self._head = [], False
        elif word in ("clvmgf", "clvmrg", "trhdr"):
            self._merged, self._head = word, self._head or word == "trhdr"
        elif word == "cellx":
            self._edges.append((number, self._merged))
            self._merged = ""
        elif word == "nosupersub":
            look |= {"super": 0, "sub": 0}
        elif word in ("up", "dn"):
            look["super" if word == "up" else "sub"] = int(number >= LEAST_SHIFT)
        elif word in _LOOKS or word in ("uc", "f", "intbl", "outlinelevel"):
            look[word] = number + (word == "outlinelevel")

    def _paragraph(self) -> None:
        words, self._words = "".join(self._words), []
        level, mark, self._mark = self._look.get("outlinelevel", 0), self._mark, ""
        if any(map(str.isalnum, mark)):  # of bullets nothing
            words = f"{escape(mark.strip())} {words}"
        if self._look.get("intbl") or len(self._cells) > 1:
            self._end_tabbed()
            self._cells[-1] += f"<p>{words}</p>"
        elif words and not (level or mark) and is_tabbed(_shown(words)):
            self._tabbed.append(words)
        elif words:
            self._end_tabbed()
            self._end_table()
            tag = f"h{level}" if 0 < level < 7 else "li" if mark else "p"
            self._page += [f"<{tag}>{words}</{tag}>", *self._notes]
            self._notes.clear()

    def _end_tabbed(self) -> None:
        """The paragraphs that tabs cut into cells, as a table where they are one."""
        if self._tabbed:
            self._end_table()
            rows = tab_table(self._tabbed, _shown)
            lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
            table = "".join(f"<tr>{line}</tr>" for line in lines)
            self._page.append(
                f"<table>{table}</table>" if rows else "".join(f"<p>{words}</p>" for words in self._tabbed)
            )
            self._page += self._notes
            self._tabbed.clear()
            self._notes.clear()

    def _end_table(self) -> None:
        """The rows so far are a table: a cell spans the columns that end within it."""
        rows, self._rows = self._rows, []
        columns = sorted({0, *(edge for _, row in rows for edge, *_ in row)})
        covered = [{edge for edge, merged, _ in row if merged == "clvmrg"} for _, row in rows]
        page = ""
        for n, (head, row) in enumerate(rows):
            page += "<tr>"
            for (left, *_), (edge, merged, words) in pairwise([(0, "", ""), *row]):
                across, tag = columns.index(edge) - columns.index(left), "th" if head else "td"
                down = 1 + sum(1 for _ in takewhile(lambda ends: edge in ends, covered[n + 1 :]))  # noqa: B023
                if merged != "clvmrg":
                    page += f"<{tag} colspan={across} rowspan={down}>{words}</{tag}>"
            page += "</tr>"
        if rows:
            self._page += [f"<table>{page}</table>", *self._notes]
            self._notes.clear()
