"""The usual LlamaIndex pipeline over given passages: VectorStoreIndex on FAISS, HuggingFaceEmbedding,
LlamaCPP of llama-index-llms-llama-cpp, its default query engine ("compact": all passages in one prompt).

Set up as a careful user would on a processor: all cores, prompt batches of 512, the model's chat template,
temperature 0, four passages instead of the default two so that all sides read the same. Runs in an
environment of its own (setup_rival.sh)."""

from __future__ import annotations

import argparse
import asyncio
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker import MAX_TOKENS, PASSAGES, batch, chatml, passages, serve, timed

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def embedding(folder: Path) -> Any:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    return HuggingFaceEmbedding(model_name=str(folder), device="cpu")


def model(gguf: Path) -> Any:
    from llama_index.llms.llama_cpp import LlamaCPP

    return LlamaCPP(
        model_path=str(gguf),
        temperature=0.0,
        max_new_tokens=MAX_TOKENS,
        context_window=4096,
        model_kwargs={"n_batch": 512, "n_threads": len(os.sched_getaffinity(0))},
        completion_to_prompt=chatml,
        messages_to_prompt=lambda messages: chatml("\n".join(str(m.content) for m in messages)),
        verbose=False,
    )


def build(folder: Path, store: Path) -> None:
    """Not timed: the passages and vectors that all sides share, in its own store."""
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.schema import TextNode
    from llama_index.vector_stores.faiss import FaissVectorStore

    texts, vectors = passages(folder)
    nodes = [
        TextNode(text=text, embedding=vector.tolist()) for text, vector in zip(texts, vectors, strict=True)
    ]
    flat = FaissVectorStore(faiss_index=faiss.IndexFlatIP(vectors.shape[1]))
    context = StorageContext.from_defaults(vector_store=flat)
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=MockEmbedding(vectors.shape[1]))
    index.storage_context.persist(persist_dir=str(store))


def load(store: Path, embedder: Path, gguf: Path) -> dict[str, Callable[..., Any]]:
    from llama_index.core import QueryBundle, Settings, StorageContext, load_index_from_storage
    from llama_index.vector_stores.faiss import FaissVectorStore

    Settings.embed_model, Settings.llm = embedding(embedder), model(gguf)
    flat = FaissVectorStore.from_persist_dir(str(store))
    context = StorageContext.from_defaults(vector_store=flat, persist_dir=str(store))
    index = load_index_from_storage(storage_context=context)
    streaming = index.as_query_engine(similarity_top_k=PASSAGES, streaming=True)
    plain = index.as_query_engine(similarity_top_k=PASSAGES)

    def answer(question: str) -> dict[str, Any]:
        bundle = QueryBundle(question)
        return timed(
            question,
            lambda: streaming.retrieve(bundle),
            lambda nodes: streaming.synthesize(bundle, nodes).response_gen,
        )

    def together(questions: list[str]) -> dict[str, Any]:
        async def gather(asked: list[str]) -> list[Any]:
            return await asyncio.gather(*(plain.aquery(question) for question in asked))

        return batch(questions, lambda asked: [str(r) for r in asyncio.run(gather(asked))])

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
        build(given.passages, given.store)
    else:
        serve(lambda: load(given.store, given.embedder, given.gguf))


if __name__ == "__main__":
    main()
