"""A document's source: a few `key: value` lines, `---`, then Markdown.

Keys: `output` (file name below documents/, its suffix picks the renderer), `title`, `language` (en or zh),
and where wanted `subtitle`, `author`, `contents` (yes: a table of contents, PDF only), `encoding` (text).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MARKS = {
    "en": "Fictional document, written to demonstrate and test software. "
    "No person, company, product or case in it is real.",
    "zh": "虚构文件：仅供软件演示与测试使用，文中人员、机构、产品和案件均非真实。",
}
PAGE_BREAK = "<!-- page -->"


@dataclass(frozen=True, slots=True)
class Source:
    """One document to build. `body` is Markdown (plain text for .txt); `mark` is the fictional notice."""

    path: Path
    output: PurePosixPath
    title: str
    language: str
    body: str
    subtitle: str = ""
    author: str = ""
    contents: bool = False
    encoding: str = "utf-8"

    @property
    def mark(self) -> str:
        return MARKS[self.language]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document: "heading" (with level), "paragraph", "item", "table" or "break" (new page)."""

    kind: str
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


def read_source(path: Path) -> Source:
    head, _, body = path.read_text(encoding="utf-8").partition("\n---\n")
    keys = dict(line.split(": ", 1) for line in head.splitlines() if line.strip())
    return Source(
        path=path,
        output=PurePosixPath(keys["output"]),
        title=keys["title"],
        language=keys.get("language", "en"),
        body=body.strip() + "\n",
        subtitle=keys.get("subtitle", ""),
        author=keys.get("author", ""),
        contents=keys.get("contents", "no") == "yes",
        encoding=keys.get("encoding", "utf-8"),
    )


def blocks(body: str) -> Iterator[Block]:
    """Markdown blocks in order. Inline text keeps its `**bold**` marks; renderers deal with them."""
    from markdown_it import MarkdownIt

    tokens = iter(MarkdownIt("commonmark").enable("table").parse(body))
    in_item, number = False, ""
    for token in tokens:
        if token.type == "heading_open":
            yield Block("heading", next(tokens).content, level=int(token.tag[1]))
        elif token.type in ("list_item_open", "list_item_close"):
            in_item, number = token.type == "list_item_open", token.info
        elif token.type == "paragraph_open":
            text = " ".join(next(tokens).content.split("\n"))
            # Numbered paragraphs ("12. The Tribunal ...") keep their number: it is how they are cited.
            yield Block(
                "item" if in_item and not number else "paragraph", f"{number}. {text}" if number else text
            )
            number = ""
        elif token.type == "html_block" and token.content.strip() == PAGE_BREAK:
            yield Block("break")
        elif token.type == "table_open":
            rows: list[tuple[str, ...]] = []
            row: list[str] = []
            for cell in tokens:
                if cell.type == "table_close":
                    break
                if cell.type == "inline":
                    row.append(cell.content)
                elif cell.type == "tr_close":
                    rows.append(tuple(row))
                    row = []
            yield Block("table", rows=tuple(rows))
        elif token.type == "inline":
            raise ValueError(f"unexpected Markdown near: {token.content[:60]!r}")


def is_figure(cell: str) -> bool:
    """Whether a table cell is a number, so that it is set flush right: "1,204.6", "(38.2)", "4.1%", "–"."""
    plain = cell.replace("**", "").strip()
    return bool(plain) and plain.strip("()$€¥%+-–—,. 0123456789") == ""
