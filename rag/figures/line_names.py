"""What the rows of a table are called: the label of each, and the section that it stands under."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.figures.cells import TableRow
from rag.types import Block, Chunk

_REFERENCE = re.compile(
    r"\((?:see )?(?:notes?|附注)[^()]*\)|(?:,|—|-|–)?\s*(?:see )?notes? \d+\b.*$|[*†‡]+|\(\d\)", re.I
)
_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]+")
_ENDS_SECTION = re.compile(r"^(?:sub)?total\b|^net\b|合计$|总计$|小计$", re.I)


@dataclass(frozen=True, slots=True)
class Raw:
    """A table row before its columns are known."""

    row: TableRow
    block: Block
    chunk_id: int
    chunk: Chunk
    text: str
    page: int | None


def label_rows(raws: Sequence[Raw]) -> list[tuple[str, str, bool]]:
    """(label, section, implied) of each row. A row without figures opens a section, or begins a label that
    the next row goes on with; a total closes the section that it names."""
    open_sections: list[str] = []
    begun, header = "", None
    found: list[tuple[str, str, bool]] = []
    for raw in raws:
        label = plain_label(raw.row.label)
        if raw.row.label == "\n" or (raw.block.header != header and header is not None):
            open_sections, begun = [], ""
        header = raw.block.header
        if not raw.row.cells:
            found.append((label, "", False))
            if label and not _is_head(raw):
                open_sections = [*open_sections[-5:], label]
                begun = raw.row.label
            continue
        if begun and label[:1].islower() and open_sections:
            label = f"{open_sections.pop()} {label}"  # the label began on the line above
        begun = ""
        implied = not label and bool(open_sections)
        if implied:
            label = f"Total {open_sections[-1].rstrip(':：')}"
        section = open_sections[-1].rstrip(":：") if open_sections else ""
        found.append((label, section, implied))
        if implied or _ENDS_SECTION.search(label):
            open_sections = _closed(open_sections, label)
    return found


def _is_head(raw: Raw) -> bool:
    """Whether the row is part of the table's head, which stands in its rows too."""
    held = set(re.findall(r"\w+", raw.block.header))
    return all(word in held for word in re.findall(r"\w+", raw.text))


def _closed(sections: list[str], label: str) -> list[str]:
    """The sections still open behind the row `label`: it closes the last one all of whose words it has."""
    words = set(_WORD.findall(label.lower()))
    for n in range(len(sections) - 1, -1, -1):
        own = set(_WORD.findall(sections[n].lower()))
        if own and own <= words:
            return sections[:n]
    return sections


def plain_label(label: str) -> str:
    """A label without references to notes and footnote marks, on one line."""
    return " ".join(_REFERENCE.sub(" ", label).split()).strip(" ,;")
