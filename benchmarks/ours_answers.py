"""Our side of `answers.py`: the passages that all sides share, and a process that answers. Runs in the
project's environment."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from ours import timed_answer
from worker import serve

CORPORA = Path(__file__).resolve().parent.parent / "corpora"
WARM_UP = "What is this document about?"


def prepare(folder: Path, size: int, real: int, embedder: str) -> dict[str, Any]:
    """An index of `size` passages: the English sample documents, embedded, among synthetic reports, of which
    `real` passages are embedded and the others have their vectors moved by noise. Its texts and vectors stand
    beside it for the rivals."""
    import numpy as np
    from enlarged import Growing, parsed
    from synthetic import english

    from rag.config import default_cache_dir
    from rag.index import open_index

    folder.mkdir(parents=True, exist_ok=True)
    with open_index(
        folder / "index", create=True, rebuild=True, embedder=embedder, cache_dir=default_cache_dir()
    ) as index:
        Growing(index, iter(()), embed=True, real=1 << 60).add(list(_samples()))
        passages = Growing(index, parsed(english()), embed=True, real=real).grow(size)
        texts: list[str] = []
        rows = []
        for info in index.documents():
            found = list(index.store.document_chunks(info.id))
            texts += [chunk.text for _, _, chunk in found]
            rows.append(index.store.space.vectors([i for i, _, _ in found]))
    (folder / "passages.jsonl").write_text(
        "\n".join(json.dumps(text, ensure_ascii=False).replace("\u2028", " ") for text in texts), "utf-8"
    )
    np.save(folder / "vectors.npy", np.concatenate(rows).astype(np.float32))
    return {"passages": passages}


def _samples() -> Iterator[Any]:
    from rag.parsers import parse

    for domain in sorted(f for f in CORPORA.iterdir() if (f / "documents").is_dir()):
        for file in sorted(f for f in (domain / "documents").rglob("*") if f.is_file()):
            with suppress(Exception):  # the samples hold files that cannot be read, on purpose
                document = parse(file, path=f"{domain.name}/{file.relative_to(domain / 'documents')}")
                if document.language == "en":
                    yield document


def questions(folder: Path) -> dict[str, Any]:
    """English questions of the sample corpora, and those of them for which our model is asked to read: on
    all others (not answered, computed) we would be faster still."""
    from rag.assistant import build_assistant
    from rag.config import load_config
    from rag.languages.text import detect_language
    from rag.measure.yardstick import load_questions
    from rag.types import Outcome

    asked: list[list[str]] = []
    for domain in sorted(f for f in CORPORA.iterdir() if (f / "questions.jsonl").is_file()):
        found = [q.question for q in load_questions(domain) if q.answerable]
        asked.append([q for q in found if detect_language(q) == "en"])
    # One domain after the other, so that the first few hold some of each.
    mixed = [column[i] for i in range(max(map(len, asked))) for column in asked if i < len(column)]
    with build_assistant(load_config(index=folder / "index"), with_llm=False) as assistant:
        answers = {q: assistant.ask(q) for q in mixed}
    written = [
        q for q, a in answers.items() if a.verdict is Outcome.ANSWERED and not (a.working or a.reading)
    ]
    return {"all": mixed, "written": written}


def load(index: Path, parallel: int) -> dict[str, Callable[..., Any]]:
    from rag import batch as batches
    from rag.assistant import build_assistant
    from rag.config import load_config

    many: dict[str, int] = {"parallel": parallel} if parallel > 1 else {}
    assistant = build_assistant(load_config(index=index, **many))

    def together(questions: list[str]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            asked, out = Path(folder) / "asked.txt", Path(folder) / "answers.jsonl"
            asked.write_text("\n".join(questions), "utf-8")
            begun = time.perf_counter()
            report = batches.run_batch(assistant, asked, out, **many)
            seconds = time.perf_counter() - begun
        return {"seconds": seconds, "answers": report.rows - report.failed}

    return {
        "answer": lambda question: timed_answer(assistant, question),
        "batch": together,
        "evidence": lambda questions: [_evidence(assistant, q) for q in questions],
        "model": lambda: assistant.llm.info.name if assistant.llm else "",
    }


def _evidence(assistant: Any, question: str) -> dict[str, Any]:
    """Until the evidence is on screen, the question's embedding included: vectors of questions are
    remembered, and are forgotten here."""
    from latency import forget

    from rag.types import EvidenceFound

    forget(assistant.index)
    begun = time.perf_counter()
    for event in assistant.stream(question):
        if isinstance(event, EvidenceFound):
            return {"question": question, "evidence_ms": 1000 * (time.perf_counter() - begun)}
    raise AssertionError("no evidence came")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("prepare", "questions", "serve"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--real", type=int, default=1_500)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--embedder", default="embedded")
    given = parser.parse_args()
    if given.verb == "serve":
        serve(lambda: load(given.folder / "index", given.parallel))
    elif given.verb == "prepare":
        print(json.dumps(prepare(given.folder, given.size, given.real, given.embedder)))
    else:
        print(json.dumps(questions(given.folder)))


if __name__ == "__main__":
    main()
