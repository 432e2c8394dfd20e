"""The usual txtai pipeline over given passages: Embeddings with content, RAG over an LLM by its llama.cpp
backend.

Set up as a careful user would on a processor: all cores, prompt batches of 512, the model's chat template
(defaultrole), temperature 0, its documentation's template, four passages instead of the default three so that
all sides read the same. Runs in an environment of its own (setup_rival.sh)."""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker import MAX_TOKENS, PASSAGES, batch, passages, serve

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

TEMPLATE = """Answer the following question using only the context below. Only include information \
specifically discussed.

question: {question}
context: {context}
"""


def build(folder: Path, store: Path, embedder: Path) -> None:
    """Not timed: the passages and vectors that all sides share, in its own store."""
    from txtai import Embeddings

    texts, vectors = passages(folder)
    known = dict(zip(texts, vectors, strict=True))
    index = Embeddings(
        method="external",
        transform=lambda asked: [known[text] for text in asked],
        content=True,
        backend="faiss",
    )
    index.index((number, text, None) for number, text in enumerate(known))
    # From here on questions are embedded by txtai itself.
    index.config |= {"path": str(embedder), "method": "transformers"}
    index.config.pop("transform", None)
    index.save(str(store))


def load(store: Path, gguf: Path) -> dict[str, Callable[..., Any]]:
    from txtai import LLM, RAG, Embeddings

    index = Embeddings()
    index.load(str(store))
    model = LLM(
        str(gguf), n_ctx=4096, n_batch=512, n_threads=len(os.sched_getaffinity(0)), defaultrole="user"
    )
    found = [0.0]

    def search(questions: list[str], limit: int) -> Any:
        results = index.batchsearch(questions, limit)
        found[0] = time.perf_counter()
        return results

    rag = RAG(search, model, template=TEMPLATE, context=PASSAGES, separator="\n", output="flatten")

    def answer(question: str) -> dict[str, Any]:
        begun = time.perf_counter()
        text = "".join(rag(question, maxlength=MAX_TOKENS, stream=True, temperature=0.0))
        whole = time.perf_counter()
        return {
            "question": question,
            "evidence_ms": 1000 * (found[0] - begun),
            "whole_ms": 1000 * (whole - begun),
            "text": text,
        }

    def together(questions: list[str]) -> dict[str, Any]:
        return batch(questions, lambda asked: rag(asked, maxlength=MAX_TOKENS, temperature=0.0))

    return {"answer": answer, "batch": together}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("build", "serve"))
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--gguf", type=Path, required=True)
    given = parser.parse_args()
    if given.verb == "build":
        build(given.passages, given.store, given.embedder)
    else:
        serve(lambda: load(given.store, given.gguf))


if __name__ == "__main__":
    main()
