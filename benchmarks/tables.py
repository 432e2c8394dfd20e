"""Cells of tables as Citewise reads them from PDFs that a browser printed, against the HTML they were printed
from: the same table with lines around its cells, and without.

    python benchmarks/tables.py FOLDER [--most 100]

FOLDER holds HTML or Markdown files with tables. A cell below the heads is right where it stands in a row of
the same label, and under its head where the innermost head over it in the HTML stands among the heads of its
column. Needs Chromium (as the browser tests do)."""

from __future__ import annotations

import argparse
import html
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from rag.parsers import parse

Rows = list[list[str]]
_FIGURE = re.compile(r"[\s$€£(]*[-–—]?[\s$€£(]*\d[\d,.]*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_STYLE = """body { font: 10pt serif } table { border-collapse: collapse; width: 100% }
td { padding: 2px 6px; vertical-align: bottom } td + td { text-align: right }
.figure { white-space: nowrap } .ruled td { border: 0.6px solid #333 }"""


def tables(path: Path) -> Iterator[Rows]:
    """The tables of a file with a head and two rows at least, all rows of one length."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        text = MarkdownIt("commonmark").enable("table").render(text)
    for table in LexborHTMLParser(text).css("table"):
        rows = [[" ".join(cell.text().split()) for cell in row.css("td, th")] for row in table.css("tr")]
        width = max(map(len, rows), default=0)
        if len(rows) > 2 and width > 1:
            yield [[*row, *[""] * (width - len(row))] for row in rows]


def page(rows: Rows, kind: str) -> str:
    """A table as a page; figures stand on one line, as programs set them."""

    def cell(text: str) -> str:
        kept = "" if re.search("[A-Za-z]", text) else ' class="figure"'
        return f"<td{kept}>{html.escape(text)}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f'<meta charset="utf-8"><style>{_STYLE}</style><table class="{kind}">{body}</table>'


def plain(text: str) -> str:
    return re.sub(r"[\s$€£]+", "", text.replace("—", "-").replace("–", "-")).lower()


def compare(rows: Rows, found: Sequence[tuple[list[str], tuple[str, ...]]]) -> tuple[int, int, int]:
    """Cells below the heads: how many there are, stand in the right row, stand under their head, too."""
    head = 0
    while head < len(rows) and not any(_FIGURE.match(c) and not _YEAR.match(c) for c in rows[head][1:]):
        head += 1
    cells = right = under = 0
    for row in rows[head:]:
        of_row = [(read, heads) for read, heads in found if plain(read[0]).endswith(plain(row[0]))]
        for n, cell in enumerate(row[1:], 1):
            if not cell:
                continue
            over = [plain(above[n]) for above in rows[:head] if above[n]][-1:]
            places = [
                plain(heads[k]) if k < len(heads) else ""
                for read, heads in of_row
                for k, words in enumerate(read)
                if plain(words) == plain(cell)
            ]
            cells += 1
            right += bool(places)
            under += any(all(words in place for words in over) for place in places)
    return cells, right, under


def read(path: Path) -> list[tuple[list[str], tuple[str, ...]]]:
    """The rows of all tables of a PDF, each with the heads of its columns."""
    document = parse(path, path=path.name)
    found = []
    for table in document.tables:
        for n in range(len(table.rows)):
            words = [" ".join(document.text[c.start : c.end].split()) for c in table.cells(n)]
            found += [(words, table.columns)] if words else []
    return found


def main() -> None:
    from playwright.sync_api import sync_playwright

    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path)
    options.add_argument("--most", type=int, default=100, help="at most so many tables")
    given = options.parse_args()
    files = sorted(path for path in given.folder.rglob("*") if path.suffix in (".html", ".md"))
    chosen = [table for path in files for table in tables(path)][: given.most]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        sheet = browser.new_page()
        for kind in ("ruled", "unruled"):
            counts, whole = [0, 0, 0], 0
            for rows in chosen:
                sheet.set_content(page(rows, kind))
                sheet.pdf(path=f"{folder}/table.pdf", format="A4")
                one = compare(rows, read(Path(folder, "table.pdf")))
                counts = [a + b for a, b in zip(counts, one, strict=True)]
                whole += one[0] == one[1]
            share = [count / max(1, counts[0]) for count in counts]
            print(
                f"{kind}: {len(chosen)} tables, {counts[0]} cells; in their row {share[1]:.3f}, "
                f"under their head, too {share[2]:.3f}; whole tables {whole}"
            )
        browser.close()


if __name__ == "__main__":
    main()
