"""`citewise adapt --embedder`: a sentence-transformers model tuned to questions and their passages.

MultipleNegativesRankingLoss (Henderson et al., 2017): the passage of each question is to be nearer to it than
the passages of the other questions of its batch. Measured by hit@k of the vectors alone among all passages of
the index, on the half that shares no document with what was trained on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag import metrics
from rag.adapt.weights import need_torch
from rag.errors import InputError, ModelError
from rag.evalset import Half, Question, load_questions, whole_half_of
from rag.index import Index
from rag.metrics import Passage
from rag.types import Progress

LEAST = 20
CUTOFFS = (1, 5, 10)
_MOST_PASSAGES = 20_000
_BATCH = 24
_RATE = 2e-5
_TOKENS = 256
ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Embedding:
    """What came of it: hit@k on the held-out half before and after; `kept` where it was better and `path`
    holds the new model, None where nothing was written."""

    path: Path | None
    kept: bool
    fitted: int
    held_out: int
    before: dict[str, float]
    after: dict[str, float]


def adapt_embedder(
    source: Path,
    index: Index,
    folder: Path,
    out: Path,
    *,
    minutes: float = 5.0,
    passes: int = 4,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Embedding:
    """Tunes the model in `folder` and writes it to `out` if it finds more on the held-out half. Raises
    InputError for too few questions, ModelError for a folder that sentence-transformers cannot open."""
    questions = [q for q in load_questions(source) if q.answerable and q.evidence]
    passages, places = _passages(index)
    pairs, held = (_pairs(questions, passages, places, half) for half in ("dev", "test"))
    if min(len(pairs), len(held)) < LEAST:
        raise InputError(
            f"{source} has {len(pairs)} questions whose evidence is in the index to train on and {len(held)} "
            f"to measure on; at least {LEAST} of each are needed. Add questions about more documents."
        )
    model = _opened(folder)
    before = _hits(model, held, passages)
    _train(model, pairs, passages, minutes=minutes, passes=passes, seed=seed, progress=progress)
    after = _hits(model, held, passages)
    kept = sum(after.values()) > sum(before.values())
    if kept:
        model.save(str(out))
    return Embedding(out if kept else None, kept, len(pairs), len(held), before, after)


def _passages(index: Index) -> tuple[list[str], list[Passage]]:
    """What is embedded of each passage, and where it stands."""
    texts: list[str] = []
    places: list[Passage] = []
    for document in index.documents():
        for _, _, chunk in index.store.document_chunks(document.id) if document.chunks else ():
            texts.append(chunk.indexed_text)
            places.append(Passage(document.path, chunk.text, chunk.page, chunk.last_page))
    if len(texts) > _MOST_PASSAGES:
        raise InputError(
            f"the index has {len(texts)} passages; embedding all of them for measuring takes too long beyond "
            f"{_MOST_PASSAGES}. Tune on an index of the documents that the questions are about."
        )
    return texts, places


def _pairs(
    questions: Sequence[Question], texts: Sequence[str], places: Sequence[Passage], half: Half
) -> list[tuple[str, list[int]]]:
    """Questions of a half with the passages that hold their evidence."""
    by_document: dict[str, list[int]] = {}
    for i, place in enumerate(places):
        by_document.setdefault(place.document, []).append(i)
    found = []
    for question in questions:
        if whole_half_of(question) != half:
            continue
        near = [i for e in question.evidence for i in _of(by_document, e.document)]
        right = [i for i in near if any(metrics.is_hit(places[i], e) for e in question.evidence)]
        if right:
            found.append((question.question, sorted(set(right))))
    return found


def _of(by_document: dict[str, list[int]], wanted: str) -> list[int]:
    if wanted in by_document:
        return by_document[wanted]
    return [i for path, held in by_document.items() if metrics.same_document(path, wanted) for i in held]


def _opened(folder: Path) -> Any:
    try:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(folder), local_files_only=True)
    except (ImportError, OSError, ValueError) as error:
        raise ModelError(
            f"{folder} cannot be opened by sentence-transformers ({error}); set `embedder` to the folder of "
            "such a model"
        ) from error


def _hits(model: Any, held: Sequence[tuple[str, list[int]]], texts: Sequence[str]) -> dict[str, float]:
    """hit@k by cosine among all passages."""
    passages = np.asarray(model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False))
    asked = np.asarray(model.encode([q for q, _ in held], normalize_embeddings=True, show_progress_bar=False))
    ranks = []
    for row, (_, right) in zip(asked @ passages.T, held, strict=True):
        ranks.append(1 + int((row > row[right].max()).sum()))
    return {f"hit@{k}": sum(r <= k for r in ranks) / len(ranks) for k in CUTOFFS}


def _train(
    model: Any,
    pairs: Sequence[tuple[str, list[int]]],
    texts: Sequence[str],
    *,
    minutes: float,
    passes: int,
    seed: int,
    progress: ProgressCallback | None,
) -> None:
    """In-batch negatives; passages of one question are never each other's negatives."""
    torch = need_torch()
    torch.manual_seed(seed)
    rng = random.Random(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01)
    batches = [b for _ in range(passes) for b in _batches(pairs, rng)]
    model.train()
    begun = time.monotonic()
    for done, batch in enumerate(batches, 1):
        share = max(done / len(batches), (time.monotonic() - begun) / (60 * minutes) if minutes else 0.0)
        if share > 1.0:
            break
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, 10 * done / len(batches)) * max(0.0, 1.0 - share)
        asked = _embedded(model, [q for q, _ in batch])
        answers = _embedded(model, [texts[rng.choice(right)] for _, right in batch])
        loss = torch.nn.functional.cross_entropy(
            20.0 * asked @ answers.T, torch.arange(len(batch), device=asked.device)
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if progress is not None:
            rate = done / max(1e-9, time.monotonic() - begun)
            progress(Progress("training", done, len(batches), rate, (len(batches) - done) / rate))
    model.eval()


def _batches(pairs: Sequence[tuple[str, list[int]]], rng: random.Random) -> list[list[tuple[str, list[int]]]]:
    """Each question once; two that share a passage never in one batch, where that passage would be right and
    wrong at once."""
    waiting = rng.sample(list(pairs), len(pairs))
    found = []
    while waiting:
        batch: list[tuple[str, list[int]]] = []
        taken: set[int] = set()
        rest = []
        for pair in waiting:
            if len(batch) < _BATCH and not taken & set(pair[1]):
                batch.append(pair)
                taken |= set(pair[1])
            else:
                rest.append(pair)
        if len(batch) > 1:
            found.append(batch)
        waiting = rest
    return found


def _embedded(model: Any, texts: Sequence[str]) -> Any:
    """Normalised vectors with gradients."""
    torch = need_torch()
    model.max_seq_length = min(model.max_seq_length or _TOKENS, _TOKENS)
    tokenise = getattr(model, "preprocess", None) or model.tokenize
    features = {k: v.to(model.device) if hasattr(v, "to") else v for k, v in tokenise(list(texts)).items()}
    return torch.nn.functional.normalize(model(features)["sentence_embedding"], dim=-1)
