"""What the benchmark measures of Citewise, through its public Python API. Runs in the project's
environment; prints one JSON object."""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.config import default_cache_dir, load_config
from rag.index import Index, open_index
from rag.types import Document, EvidenceFound, Finished, Progress

WARM_UP = "What is this document about?"


def ingest(corpus: Path, index: Path) -> dict[str, Any]:
    """Ingest a folder. The first answerable moment is proved by a search that finds something, not taken
    from the report."""
    begun = time.perf_counter()
    with open_index(index, create=True, embedder="embedded", cache_dir=default_cache_dir()) as opened:
        loaded = time.perf_counter()
        answerable: list[float] = []

        def watch(progress: Progress) -> None:
            texts_are_in = progress.stage == "vectors" or progress.done == progress.total > 0
            if (
                not answerable
                and progress.stage != "scan"
                and texts_are_in
                and opened.search("report total", k=1)
            ):
                answerable.append(time.perf_counter() - loaded)

        report = opened.ingest(corpus, progress=watch)
        done = time.perf_counter()
        stats = opened.stats()
        return {
            "load_seconds": loaded - begun,
            "answerable_seconds": answerable[0] if answerable else report.seconds_to_answerable,
            "reported_answerable_seconds": report.seconds_to_answerable,
            "ingest_seconds": done - loaded,
            "pages": stats.pages,
            "passages": stats.passages,
            "vectors": stats.vectors,
            "failed": [f"{f.path}: {f.status}" for f in report.failed],
            "index_bytes": stats.bytes,
            "headings": _headings(opened),
        }


def _headings(index: Index, wanted: int = 40) -> list[str]:
    """Innermost headings from all over the index, for questions where the corpus brings none."""
    found = [
        chunk.heading_path[-1]
        for info in index.documents()
        for _, _, chunk in index.store.document_chunks(info.id)
        if chunk.heading_path and 8 <= len(chunk.heading_path[-1]) <= 60
    ]
    distinct = list(dict.fromkeys(found))
    return distinct[:: max(1, len(distinct) // wanted)][:wanted]


def ask_all(index: Path, questions: list[str], *, with_llm: bool) -> dict[str, Any]:
    """A question of its own warms up and is not counted. The query's embedding is measured on a text that was
    not asked, because vectors of questions are remembered."""
    from rag.assistant import build_assistant

    rows = []
    with build_assistant(load_config(index=index), with_llm=with_llm) as assistant:
        assistant.ask(WARM_UP)
        for question in questions:
            begun = time.perf_counter()
            assistant.index.embedder.embed_query(f"{question}~")
            embedding = time.perf_counter() - begun
            rows.append(timed_answer(assistant, question) | {"embedding_ms": 1000 * embedding})
        stats = assistant.index.stats()
    return {"answers": rows, "passages": stats.passages, "pages": stats.pages, "index_bytes": stats.bytes}


def timed_answer(assistant: Any, question: str) -> dict[str, Any]:
    row: dict[str, Any] = {"question": question}
    begun = time.perf_counter()
    for event in assistant.stream(question):
        elapsed = 1000 * (time.perf_counter() - begun)
        if isinstance(event, EvidenceFound):
            row["evidence_ms"] = elapsed
        elif isinstance(event, Finished):
            answer = event.answer
            row |= {"whole_ms": elapsed, "verdict": str(answer.verdict), "text": answer.text}
            row["stages_ms"] = {k: 1000 * v for k, v in answer.timings.items()}
    return row | {"read": "reading" in row["stages_ms"]}


def enlarge(small: Path, large: Path, pages: int) -> dict[str, Any]:
    """An index of at least `pages` pages made from a smaller one: each copy of a document has other digits
    and other words (a fourth of the longer ones spelt backwards), and vectors moved by noise. For latency
    only: what it says is nonsense."""
    import numpy as np

    from rag.domains import load_domains
    from rag.models.embedder import load_embedder
    from rag.store.reading import passages
    from rag.store.store import Store
    from rag.store.writer import FileState

    counter = load_embedder("embedded", cache_dir=default_cache_dir()).count_tokens
    noise = np.random.default_rng(7)
    with Store.open(small) as source, Store.create(large, source.manifest()) as target:
        originals = [source.load_document(info.id) for info in source.documents() if info.pages]
        ids = [
            [i for i, _, _ in source.document_chunks(info.id)] for info in source.documents() if info.pages
        ]
        vectors = [source.space.vectors(chunk_ids) for chunk_ids in ids]
        held, copy = 0, 0
        with target.writing() as writer:
            while held < pages:
                for original, rows in zip(originals, vectors, strict=True):
                    if held >= pages:
                        break
                    document = varied(original, copy)
                    read = passages(document, counter, load_domains().each)
                    with writer.transaction():
                        file = FileState(document.source, document.path, len(document.text), copy)
                        number = writer.put_document(file, document, read.chunks, read.tokens, embedded=True)
                    new = [i for i, _, _ in target.document_chunks(number)]
                    moved = rows[np.arange(len(new)) % len(rows)] + noise.normal(
                        0, 0.03, (len(new), rows.shape[1])
                    )
                    moved /= np.linalg.norm(moved, axis=1, keepdims=True)
                    with writer.transaction():
                        writer.put_vectors(new, moved.astype(np.float32))
                    held += len(document.pages)
                copy += 1
            writer.shrink()
    return {"pages": held, "copies": copy}


def varied(document: Document, copy: int) -> Document:
    """The document with its digits shifted and words changed, every offset as before; copy 0 is the
    document itself."""
    if copy == 0:
        return document
    digits = str.maketrans("0123456789", "".join(str((d + copy) % 10) for d in range(10)))

    def changed(match: re.Match[str]) -> str:
        word = match.group()
        return word[::-1] if (sum(map(ord, word)) + copy) % 4 == 0 else word

    text = re.sub(r"[a-z]{5,}", changed, document.text.translate(digits))
    name = f"copy-{copy}/{document.path}"
    return replace(
        document, text=text, path=name, source=f"/{name}", sha256=f"{copy:08d}{document.sha256[8:]}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("models", "ingest", "questions", "evidence", "enlarge"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--questions", type=Path, help="JSON list of questions")
    given = parser.parse_args()
    if given.verb == "models":
        result = models()
    elif given.verb == "ingest":
        result = ingest(given.corpus, given.index)
    elif given.verb == "enlarge":
        result = enlarge(given.index, given.into, given.pages)
    else:
        asked = json.loads(given.questions.read_text())
        result = ask_all(given.index, asked, with_llm=given.verb == "questions")
    print(json.dumps(result))


def models() -> dict[str, Any]:
    """Where the model files are, for the rival to use the same; loading the embedder once also makes its
    ONNX export, which belongs to the installation."""
    from rag.models.embedder import load_embedder
    from rag.models.registry import find_embedder, find_llm

    cache = default_cache_dir()
    info = load_embedder("embedded", cache_dir=cache).info
    files = find_embedder("embedded", cache)
    return {
        "embedder": str(files.folder),
        "gguf": str(find_llm(load_config().llm, cache)),
        "fingerprint": info.fingerprint,
    }


if __name__ == "__main__":
    main()
