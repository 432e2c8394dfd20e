"""Five small files of each format say what tests/data/formats/says.toml holds (made by make.py beside it)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from rag.parsers import HOLDS, parse
from rag.types import BlockKind, Document

_FOLDER = Path(__file__).parents[1] / "data" / "formats"
_SAYS = tomllib.loads((_FOLDER / "says.toml").read_text("utf-8"))
_FILES = sorted(path.name for path in _FOLDER.iterdir() if path.suffix not in (".py", ".toml"))


def read(name: str) -> Document:
    if ".msg" in name:
        pytest.importorskip("oxmsg")
    return parse(_FOLDER / name, path=name)


def of_kind(document: Document, kind: BlockKind) -> list[str]:
    return [document.text[b.start : b.end].lstrip("• ") for b in document.blocks if b.kind is kind]


@pytest.mark.parametrize("name", _FILES)
def test_a_file_of_each_format_says_what_a_reader_sees(name: str) -> None:
    document, says = read(name), _SAYS.get(Path(name).stem, {}) | _SAYS.get(name, {})
    text, lines = document.text, iter(document.text.split("\n"))
    assert [line for line in says.get("text", ()) if line not in lines] == [], text  # in this order
    assert says.keys() <= {"text", "holds", "within", "lost", *_LOOKS}
    for what in says.keys() & _LOOKS.keys():
        assert _LOOKS[what](document, says[what]), (what, text)
    assert document.metadata.get(HOLDS, "").split("\n") == says.get("holds", [""])
    assert [loss.place for loss in document.losses] == says.get("lost", [])


def _is_marked(document: Document, wanted: dict[str, list[str]]) -> bool:
    marked = {
        kind: [document.text[m.start : m.end] for m in document.marks if m.kind == kind] for kind in wanted
    }
    return marked == wanted


_LOOKS: dict[str, Any] = {
    "headings": lambda d, wanted: of_kind(d, BlockKind.HEADING)[-len(wanted) :] == wanted,
    "items": lambda d, wanted: of_kind(d, BlockKind.LIST_ITEM)[: len(wanted)] == wanted,
    "heads": lambda d, wanted: [[list(head) for head in table.heads] for table in d.tables] == wanted,
    "marked": _is_marked,
    "leads_to": lambda d, wanted: (
        [d.text[at:].split("\n")[0] for m in d.marks if (at := m.leads_to)] == wanted
    ),
}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (f"{name}/{inner}", line)
        for name, says in _SAYS.items()
        if isinstance(says, dict)
        for inner, line in says.get("within", {}).items()
    ],
)
def test_a_file_within_another_is_read_by_its_path(name: str, line: str) -> None:
    document = read(name)
    assert line in document.text.split("\n")
    assert document.path == name


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [("docx", "docm"), ("docx", "dotx"), ("xlsx", "xltx"), ("pptx", "pptm"), ("pptx", "ppsx")],
)
def test_templates_shows_and_files_with_macros_are_read_like_others(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    (known, *_) = (_FOLDER.parent / "libreoffice").glob(f"*.{kind}")
    copy = tmp_path / f"A.{suffix.upper()}"
    copy.write_bytes(known.read_bytes())
    document = parse(copy, path=copy.name)
    assert document.kind == kind
    assert document.text == parse(known, path=known.name).text


def test_there_are_five_files_of_each_format_and_all_are_small() -> None:
    suffixes = [Path(name).suffix[1:] for name in _FILES]
    assert {s: suffixes.count(s) for s in suffixes} == dict.fromkeys(
        [*_SAYS["formats"]["texts"], *_SAYS["formats"]["books"], "zip"], 5
    )
    assert max((_FOLDER / name).stat().st_size for name in _FILES) < 20_000
