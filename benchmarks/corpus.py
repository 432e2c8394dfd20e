"""What is asked of what: a bounded choice of PDFs from a folder, and questions about them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pypdfium2

FALLBACK = ("What was the total revenue?", "Who signed the report?", "What are the main risks?")


def page_count(path: Path) -> int:
    document = pypdfium2.PdfDocument(path)
    try:
        return len(document)
    finally:
        document.close()


def choose(folder: Path, pages: int) -> dict[Path, int]:
    """Whole PDFs in order of name, each with its pages, until `pages` are reached; a file that would go a
    tenth beyond is passed over. The smallest file when none fits."""
    counts: dict[Path, int] = {}
    for path in sorted(folder.rglob("*.pdf")):
        try:
            counts[path] = page_count(path)
        except pypdfium2.PdfiumError:
            continue
    if not counts:
        raise SystemExit(f"{folder} holds no readable PDF. Give another folder.")
    chosen: dict[Path, int] = {}
    for path, count in counts.items():
        if sum(chosen.values()) + count <= pages * 1.1:
            chosen[path] = count
    return chosen or dict([min(counts.items(), key=lambda item: item[1])])


def place(chosen: dict[Path, int], target: Path) -> None:
    """Copies: both sides read the same files, and both find them in the page cache."""
    target.mkdir(parents=True)
    for number, path in enumerate(chosen):
        name = path.name if not (target / path.name).exists() else f"{number}-{path.name}"
        shutil.copyfile(path, target / name)


def questions(file: Path | None, chosen: dict[Path, int], headings: list[str], wanted: int) -> list[str]:
    """`wanted` questions: of the file, those whose evidence is in the chosen documents first; without a
    file, about headings."""
    if file is None:
        made = [f"What does the report say about {heading}?" for heading in headings] or list(FALLBACK)
        return made[:wanted]
    names = {path.name for path in chosen}
    inside, others = [], []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        held = any(Path(e["document"]).name in names for e in row.get("evidence", ()))
        (inside if held else others).append(row["question"])
    return (inside or others)[:wanted]
