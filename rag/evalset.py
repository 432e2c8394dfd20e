"""Questions with evidence, read from a set's `questions.jsonl`."""

from __future__ import annotations

import hashlib
import json
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import InputError
from rag.metrics import EvidenceEntry

Half = Literal["dev", "test"]
HALVES: tuple[Half, ...] = ("dev", "test")


@dataclass(frozen=True, slots=True)
class Question:
    """One line of `questions.jsonl`. `answers` and `evidence` may be empty."""

    id: str
    question: str
    answerable: bool = True
    answers: tuple[str, ...] = ()
    evidence: tuple[EvidenceEntry, ...] = ()
    tags: tuple[str, ...] = ()


def load_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a set, in order. Raises InputError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    questions = tuple(_parse(line, path, n) for n, line in enumerate(lines, 1) if line.strip())
    if not questions:
        raise InputError(f"{path} holds no question.")
    return questions


def _parse(line: str, path: Path, number: int) -> Question:
    try:
        row = json.loads(line)
        entries = tuple(
            EvidenceEntry(str(e["document"]), e.get("page"), str(e.get("quote") or ""))
            for e in row.get("evidence") or ()
        )
        return Question(
            id=str(row.get("id") or f"line-{number}"),
            question=str(row["question"]),
            answerable=bool(row.get("answerable", True)),
            answers=tuple(str(a) for a in row.get("answers") or ()),
            evidence=entries,
            tags=tuple(str(t) for t in row.get("tags") or ()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}, line {number}: not a question ({type(error).__name__}: {error}). "
            "Each line is a JSON object with `question`, and `evidence` entries have a `document`."
        ) from error


def sample(questions: Sequence[Question], limit: int | None, seed: int) -> tuple[Question, ...]:
    """At most `limit` questions drawn with a fixed seed, in their own order; the same seed draws the same
    ones."""
    if limit is None or limit >= len(questions):
        return tuple(questions)
    chosen = sorted(random.Random(seed).sample(range(len(questions)), limit))
    return tuple(questions[i] for i in chosen)


def half_of(question: Question) -> Half:
    """The half that a question belongs to, whatever else is in its set: what is fitted on "dev" can be
    measured on "test".

    By the path of its first evidence document, so that two questions about one document are never on both
    sides; without evidence by its id. The parity of the first byte of the SHA-256: even is "dev".
    """
    key = question.evidence[0].document if question.evidence else question.id
    digest = hashlib.sha256(unicodedata.normalize("NFC", key).encode()).digest()
    return HALVES[digest[0] % 2]


def restrict(
    questions: Sequence[Question], *, tags: Sequence[str] = (), half: Half | None = None
) -> tuple[Question, ...]:
    """The questions that carry any of `tags` and belong to `half`; no tags and None leave all. Raises
    InputError, naming what there is, where nothing is left."""
    known = sorted({tag for q in questions for tag in q.tags})
    for tag in tags:
        if tag not in known:
            there = f"There are: {', '.join(known)}." if known else "These questions have no tags."
            raise InputError(f"No question is tagged {tag!r}. {there}")
    chosen = tuple(
        q for q in questions if (not tags or set(tags) & set(q.tags)) and (half is None or half_of(q) == half)
    )
    if not chosen:
        raise InputError(
            f"None of the {len(questions)} questions is in the half {half!r}; measure without --half."
        )
    return chosen
