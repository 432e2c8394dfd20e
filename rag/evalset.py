"""Questions with evidence, read from a set's `questions.jsonl`."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError
from rag.metrics import EvidenceEntry


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
