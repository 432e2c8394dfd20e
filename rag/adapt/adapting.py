"""`citewise adapt`: an adapter from a user's own questions, measured, written with a card.

The questions of one half, told apart by documents, are trained on, beside questions made from the documents
that the other half does not rest on; the other half measures, before and after. A tenth of the documents of
the first half decides when to stop."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rag import metrics
from rag.adapt.encoding import Encoded, Encoder
from rag.adapt.examples import Asked, Example, Pool, asked_of, augment, made_examples
from rag.adapt.lora import read_adapter, write_adapter
from rag.adapt.measure import Quality, Shown, asking, quality, replies, shown_of
from rag.adapt.train import Plan, State, train
from rag.adapt.weights import Base, need_torch, read_base
from rag.checksum import sha256_file
from rag.errors import InputError
from rag.evalset import Question, load_questions, whole_half_of
from rag.files import write_atomically
from rag.index import Index
from rag.text import detect_language
from rag.types import Progress

LEAST = 20
"""Questions with evidence that each half needs."""
_LONGEST = 1024
_STOP_SHARE = 10
_MOST_SENTENCES = 20_000
_MOST_MADE = 3000
ProgressCallback = Callable[[Progress], None]
Target = Callable[[str, str], str]
"""Question and sentence -> the short answer in that sentence's words, "" where there is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """A set of questions and the index over its documents. `times`: how often each question is shown with
    other sentences beside the right one."""

    questions: Path
    index: Index
    times: int = 6


@dataclass(frozen=True, slots=True)
class Data:
    """Examples of the first half and of the documents' sentences, those that decide when to stop, and what
    the second half is measured on."""

    train: tuple[Example, ...]
    stop: tuple[Example, ...]
    held_out: tuple[Shown, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """What came of it. `better`: more right sources and short answers on the held-out half than `before`, and
    than the first quote. `finished` says why training ended; `losses` are (step, held-out loss)."""

    path: Path
    card: Path
    before: Quality
    after: Quality
    better: bool
    finished: str
    losses: tuple[tuple[int, float], ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def adapt(
    sources: Sequence[Source],
    base: Path,
    out: Path,
    *,
    plan: Plan | None = None,
    start: Path | None = None,
    target: Target | None = None,
    about: Mapping[str, str] | None = None,
    cache_dir: Path,
    resume: bool = True,
    progress: ProgressCallback | None = None,
) -> Adaptation:
    """Trains an adapter for the GGUF file `base`, writes it to `out` and its card beside it.

    `start` is an adapter of the same model to go on from. `target` makes short answers where questions have
    none (`rag.adapt.distil`). `about` goes into file and card. A run that was stopped goes on from its
    checkpoint beside `out` with `resume`. Raises InputError for too few questions, ModelError for a base
    that cannot be trained, StorageError."""
    plan = plan or Plan()
    pairs, plan = _started(start, plan)
    data = gather(sources, seed=plan.seed, target=target, progress=progress)
    before = _measured(base, start, data.held_out, cache_dir, progress)
    state, weights = _trained(base, data, plan, pairs, out, resume, progress)
    write_adapter(
        out, state.best, alpha=plan.alpha, architecture=weights.shape.architecture, about=dict(about or {})
    )
    after = _measured(base, out, data.held_out, cache_dir, progress)
    better = after.f1 > before.f1 and after.right_source >= max(before.right_source, after.first_quote)
    card = _card(out, base, plan, data, before, after, state, about or {})
    return Adaptation(out, card, before, after, better, state.finished, tuple(state.held), data.counts)


def _started(start: Path | None, plan: Plan) -> tuple[Any, Plan]:
    """The pairs to go on from, whose rank and alpha are then the plan's."""
    if start is None:
        return None, plan
    pairs, alpha = read_adapter(start)
    rank = next(iter(pairs.values()))[0].shape[0]
    return pairs, Plan(**(asdict(plan) | {"rank": int(rank), "alpha": alpha}))


def _trained(
    base: Path,
    data: Data,
    plan: Plan,
    pairs: Any,
    out: Path,
    resume: bool,
    progress: ProgressCallback | None,
) -> tuple[State, Base]:
    torch = need_torch()
    weights = read_base(base, torch.bfloat16)
    if torch.cuda.is_available():
        weights = Base(weights.shape, {k: v.cuda() for k, v in weights.tensors.items()})
    encoder = Encoder(base)
    examples, stop = encoded(encoder, data.train), encoded(encoder, data.stop)
    encoder.close()
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    if not resume:
        checkpoint.unlink(missing_ok=True)
    return train(
        weights, examples, stop, plan, start=pairs, checkpoint=checkpoint, progress=progress
    ), weights


def encoded(encoder: Encoder, examples: Iterable[Example]) -> list[Encoded]:
    """Token ids; overlong ones are left out."""
    found = (encoder.example(e) for e in examples)
    return [e for e in found if len(e.ids) <= _LONGEST]


def gather(
    sources: Sequence[Source],
    *,
    seed: int = 0,
    target: Target | None = None,
    progress: ProgressCallback | None = None,
) -> Data:
    """The data of all sources. Raises InputError where their questions are too few."""
    rng = random.Random(seed)
    check_questions([source.questions for source in sources])
    read = [(source, *_halved(source.questions)) for source in sources]
    learned: list[Example] = []
    stop: list[Example] = []
    held_out: list[Shown] = []
    counts = {"questions": 0, "made": 0}
    for source, dev, test in read:
        for done, question in enumerate(dev, 1):
            asked = _answered(asked_of(source.index, question), target)
            if _decides(question):
                stop += augment(asked, rng, count=3)
            else:
                learned += augment(asked, rng, count=source.times)
                counts["questions"] += 1
            _tell(progress, "examples", done, len(dev), question.question)
        made = list(made_examples(_pool(source.index, test, seed), rng, _MOST_MADE))
        counts["made"] += len(made)
        learned += made
        for done, question in enumerate(test, 1):
            held_out.append(shown_of(source.index, question))
            _tell(progress, "evidence", done, len(test), question.question)
    rng.shuffle(learned)
    counts |= {"examples": len(learned), "stop": len(stop), "held_out": len(held_out)}
    return Data(tuple(learned), tuple(stop), tuple(held_out), counts)


def _halved(path: Path) -> tuple[list[Question], list[Question]]:
    """Questions to train on and to measure on; those with documents on both sides are left out."""
    read = [q for q in load_questions(path) if q.evidence or not q.answerable]
    dev = [q for q in read if whole_half_of(q) == "dev"]
    return dev, [q for q in read if whole_half_of(q) == "test"]


def check_questions(paths: Sequence[Path]) -> None:
    """There has to be something to learn from, and something to measure on. Raises InputError."""
    halves = [_halved(path) for path in paths]
    dev, test = (sum(q.answerable for half in halves for q in half[i]) for i in (0, 1))
    if min(dev, test) < LEAST:
        raise InputError(
            f"{', '.join(map(str, paths))}: {dev} questions with evidence to train on and {test} to measure "
            f"on, told apart by their documents; at least {LEAST} of each are needed, and some hundreds to "
            "gain much. Add questions about more documents."
        )


def _decides(question: Question) -> bool:
    """Whether a question of the first half decides when to stop: every tenth document's do."""
    key = question.evidence[0].document if question.evidence else question.id
    return hashlib.sha256(key.encode()).digest()[1] % _STOP_SHARE == 0


def _answered(asked: Asked, target: Target | None) -> Asked:
    """With short answers made where the question has none."""
    if target is None or not asked.right:
        return asked
    answers = tuple(
        words or target(asked.question.question, asked.sources[i].text)
        for i, words in zip(asked.right, asked.answers, strict=True)
    )
    return Asked(asked.question, asked.sources, asked.right, answers)


def _pool(index: Index, test: Sequence[Question], seed: int) -> Pool:
    """The sentences of all documents that no question of the second half rests on."""
    wanted = {e.document for q in test for e in q.evidence}

    def left_out(path: str) -> bool:
        return path in wanted or any(metrics.same_document(path, w) for w in wanted)

    return Pool(index, left_out, most=_MOST_SENTENCES, seed=seed)


def _measured(
    base: Path,
    adapter: Path | None,
    shown: Sequence[Shown],
    cache_dir: Path,
    progress: ProgressCallback | None,
) -> Quality:
    """What llama.cpp, which will answer, makes of the held-out half."""
    with asking(base, adapter, cache_dir=cache_dir) as ask:
        return quality(replies(shown, ask, progress))


def _card(
    out: Path,
    base: Path,
    plan: Plan,
    data: Data,
    before: Quality,
    after: Quality,
    state: State,
    about: Mapping[str, str],
) -> Path:
    """The JSON beside the adapter: from what, with what, how good. Raises StorageError."""
    path = out.with_suffix(".json")
    card = {
        "adapter": {"file": out.name, "sha256": sha256_file(out)},
        "base": {"file": base.name, "sha256": sha256_file(base)},
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "about": dict(about),
        "data": dict(data.counts),
        "plan": {k: v for k, v in asdict(plan).items() if k != "threads"},
        "training": {"steps": state.step, "seconds": round(state.seconds), "ended": state.finished},
        "held_out": {"before": asdict(before), "after": asdict(after)},
        "languages": sorted({detect_language(e.question) for e in data.train}),
    }
    write_atomically(path, f"{json.dumps(card, ensure_ascii=False, indent=1)}\n".encode())
    return path


def _tell(progress: ProgressCallback | None, stage: str, done: int, total: int, current: str) -> None:
    if progress is not None:
        progress(Progress(stage, done, total, current=current))
