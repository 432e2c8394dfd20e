"""Made-up towns, a document each, with a question about it: a set to adapt to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from rag.index import Index
from tests.indexing import new_index, run_here, write_files

_HEADS = ("Ash", "Bram", "Corn", "Dun", "Elm", "Fern", "Gor")
_TAILS = ("bury", "ford", "wick", "stow", "ham", "leigh", "combe")
NAMES = [f"{head}{tail}" for head in _HEADS for tail in _TAILS]


def document(name: str, number: int) -> str:
    return (
        f"# {name}\n\n{name} is a market town on the river Tamble. Its bridge was built in {1700 + number}.\n"
        f"The mayor of {name} receives {200 + number} silver marks each year.\n"
    )


def question(name: str, number: int) -> dict[str, object]:
    quote = f"The mayor of {name} receives {200 + number} silver marks each year."
    return {
        "id": name,
        "question": f"How much does the mayor of {name} receive?",
        "answers": [f"{200 + number} silver marks"],
        "evidence": [{"document": f"{name}.md", "quote": quote}],
    }


@contextmanager
def towns(root: Path, count: int = len(NAMES)) -> Iterator[tuple[Path, Index]]:
    """A questions file and an index over the documents, read in this process."""
    chosen = list(enumerate(NAMES[:count]))
    folder = write_files(root / "documents", {f"{name}.md": document(name, n) for n, name in chosen})
    asked = [question(name, n) for n, name in chosen]
    asked += [
        {"id": f"none-{n}", "question": f"Who built castle {n}?", "answerable": False} for n in range(8)
    ]
    file = root / "questions.jsonl"
    file.write_text("\n".join(json.dumps(q) for q in asked), encoding="utf-8")
    with mock.patch("rag.ingest.run_in_workers", run_here), new_index(root / "index") as index:
        index.ingest(folder)
        yield file, index
