"""A domain's `questions.toml` -> `questions.jsonl`; the page of each quote is looked up in the files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from corpora.rendering.extract import pages_with


def build_questions(source: Path, documents: Path) -> list[dict[str, Any]]:
    """The questions in order. Raises ValueError where a quote is not in the file that it names."""
    entries = tomllib.loads(source.read_text(encoding="utf-8"))["questions"]
    return [_question(entry, documents) for entry in entries]


def _question(entry: dict[str, Any], documents: Path) -> dict[str, Any]:
    evidence = [row for item in entry.get("evidence", []) for row in _evidence(entry["id"], item, documents)]
    return {
        "id": entry["id"],
        "question": entry["question"],
        "answers": entry.get("answers", []),
        "answerable": bool(evidence),
        "evidence": evidence,
        "tags": entry["tags"],
    }


def _evidence(question: str, item: dict[str, str], documents: Path) -> list[dict[str, Any]]:
    """One entry, or for a PDF one for each page that the words stand on."""
    name, quote = item["document"], item["quote"]
    path = documents / name
    pages = pages_with(path, quote)
    if not pages:
        raise ValueError(f"{question}: not in {name}: {quote!r}")
    entry = {"document": name, "quote": quote}
    return [entry | {"page": page} for page in pages] if path.suffix == ".pdf" else [entry]


def write_jsonl(rows: list[dict[str, Any]], target: Path) -> None:
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
