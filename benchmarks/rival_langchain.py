"""The usual LangChain pipeline: PyPDFLoader, RecursiveCharacterTextSplitter 1000/200,
HuggingFaceEmbeddings, FAISS, LlamaCpp, one "stuff" prompt over four passages.

Written the way its tutorials do it, with the settings that a careful user would choose on a processor: all
cores for llama.cpp (its wrapper takes half), batches of 512 for the prompt (the wrapper's default is 8),
the model's chat template around the prompt so that the model knows when to stop, temperature 0. Runs in
an environment of its own
(setup_rival.sh); prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker import batch, passages, serve, timed

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

PASSAGES = 4
MAX_TOKENS = 160
WARM_UP = "What is this document about?"
PROMPT = """<|im_start|>user
Use the following pieces of context to answer the question at the end. If you don't know the answer, \
just say that you don't know, don't try to make up an answer.

{context}

Question: {question}
Helpful Answer:<|im_end|>
<|im_start|>assistant
"""


def load_embeddings(folder: Path) -> Any:
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(model_name=str(folder), model_kwargs={"device": "cpu"})


def load_store(index: Path, embeddings: Any) -> Any:
    from langchain_community.vectorstores import FAISS

    return FAISS.load_local(str(index), embeddings, allow_dangerous_deserialization=True)


def load_model(gguf: Path) -> Any:
    from langchain_community.llms import LlamaCpp

    return LlamaCpp(
        model_path=str(gguf),
        n_ctx=4096,
        n_batch=512,
        n_threads=len(os.sched_getaffinity(0)),
        max_tokens=MAX_TOKENS,
        temperature=0.0,
        verbose=False,
    )


def ingest(corpus: Path, index: Path, embedder: Path) -> dict[str, Any]:
    from langchain_community.document_loaders import PyPDFLoader
    from langchain_community.vectorstores import FAISS
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    begun = time.perf_counter()
    embeddings = load_embeddings(embedder)
    loaded = time.perf_counter()
    pages, failed = [], []
    for path in sorted(corpus.rglob("*.pdf")):
        try:
            pages += PyPDFLoader(str(path)).load()
        except Exception as error:  # the rival may fail in any way: it is counted, not hidden
            failed.append(f"{path.name}: {error!r}"[:200])
    chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(pages)
    split = time.perf_counter()
    FAISS.from_documents(chunks, embeddings).save_local(str(index))
    done = time.perf_counter()
    return {
        "load_seconds": loaded - begun,
        "text_seconds": split - loaded,
        "answerable_seconds": done - loaded,
        "ingest_seconds": done - loaded,
        "pages": len(pages),
        "passages": len(chunks),
        "failed": failed,
        "index_bytes": sum(f.stat().st_size for f in index.iterdir()),
    }


def search(index: Path, embedder: Path, question: str) -> dict[str, Any]:
    found = load_store(index, load_embeddings(embedder)).similarity_search(question, k=8)
    return {"hits": len(found)}


def answer(store: Any, model: Any, question: str) -> dict[str, Any]:
    begun = time.perf_counter()
    passages = store.similarity_search(question, k=PASSAGES)
    evidence = time.perf_counter()
    context = "\n\n".join(p.page_content for p in passages)
    text = "".join(model.stream(PROMPT.format(context=context, question=question)))
    whole = time.perf_counter()
    return {
        "question": question,
        "evidence_ms": 1000 * (evidence - begun),
        "whole_ms": 1000 * (whole - begun),
        "kind": "written" if text else "nothing",
        "text": text,
    }


def ask_all(index: Path, embedder: Path, gguf: Path, questions: list[str]) -> dict[str, Any]:
    """A question of its own warms up and is not counted."""
    embeddings = load_embeddings(embedder)
    store, model = load_store(index, embeddings), load_model(gguf)
    answer(store, model, WARM_UP)
    rows = []
    for question in questions:
        begun = time.perf_counter()
        embeddings.embed_query(f"{question} ")
        embedding = time.perf_counter() - begun
        rows.append(answer(store, model, question) | {"embedding_ms": 1000 * embedding})
    return {"answers": rows}


def build(folder: Path, index: Path, embedder: Path) -> None:
    """Not timed: the passages and vectors that all sides share, in its own store."""
    from langchain_community.vectorstores import FAISS

    texts, vectors = passages(folder)
    pairs = [(text, vector.tolist()) for text, vector in zip(texts, vectors, strict=True)]
    FAISS.from_embeddings(pairs, load_embeddings(embedder)).save_local(str(index))


def waiting(index: Path, embedder: Path, gguf: Path) -> dict[str, Callable[..., Any]]:
    """What `serve` offers: one answer, and several by the chain's own `batch`."""
    from langchain_core.prompts import PromptTemplate
    from langchain_core.runnables import RunnablePassthrough

    store, model = load_store(index, load_embeddings(embedder)), load_model(gguf)

    def stuffed(found: list[Any]) -> str:
        return "\n\n".join(p.page_content for p in found)

    chain = (
        {
            "context": store.as_retriever(search_kwargs={"k": PASSAGES}) | stuffed,
            "question": RunnablePassthrough(),
        }
        | PromptTemplate.from_template(PROMPT)
        | model
    )

    def one(question: str) -> dict[str, Any]:
        return timed(
            question,
            lambda: store.similarity_search(question, k=PASSAGES),
            lambda found: model.stream(PROMPT.format(context=stuffed(found), question=question)),
        )

    return {"answer": one, "batch": lambda questions: batch(questions, chain.batch)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=("ingest", "search", "ask", "questions", "build", "serve"))
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--index", "--store", type=Path, required=True)
    parser.add_argument("--passages", type=Path, help="folder of answers.py, for build and serve")
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--gguf", type=Path)
    parser.add_argument("--questions", type=Path, help="JSON list of questions")
    parser.add_argument("--question")
    given = parser.parse_args()
    if given.verb == "build":
        build(given.passages, given.index, given.embedder)
        return
    if given.verb == "serve":
        serve(lambda: waiting(given.index, given.embedder, given.gguf))
        return
    if given.verb == "ingest":
        result = ingest(given.corpus, given.index, given.embedder)
    elif given.verb == "search":
        result = search(given.index, given.embedder, given.question)
    elif given.verb == "ask":
        store = load_store(given.index, load_embeddings(given.embedder))
        result = answer(store, load_model(given.gguf), given.question)
    else:
        result = ask_all(given.index, given.embedder, given.gguf, json.loads(given.questions.read_text()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
