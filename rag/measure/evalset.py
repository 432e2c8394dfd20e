"""Questions with evidence. A set is a folder with `documents/` and `questions.jsonl`, or such a file alone,
one JSON object a line; a file may hold labelled sentences instead."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    with_config,
)

from rag.errors import InputError
from rag.measure.metrics import EvidenceEntry
from rag.types import Pace, Progress, Turn

Half = Literal["dev", "test"]
HALVES: tuple[Half, ...] = ("dev", "test")
# The spellings of an item, or its only one.
Spellings = Annotated[
    tuple[str, ...], BeforeValidator(lambda item: item if isinstance(item, list) else [item])
]


@with_config(ConfigDict(coerce_numbers_to_str=True))
@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """One line of `questions.jsonl`; all but `question` may be empty.

    `parts` are the items that a full answer has, each with its spellings; `conflict` the statements on which
    the documents disagree; `wrong` what must not be shown. `scale` ("thousand", "percent", "") is what the
    accepted figures are in, None where the set does not say. `scope` are the documents that the question
    names; `history` the turns before it, oldest first. One with a `derivation`, whose figure has to be worked
    out, has the tag "derived" beside its own, so that tables by tag tell how those are answered.

    A labelled sentence stands in `question`, what it is held against in `passages`, what it replies to in
    `asked`; it is `answerable` where people called it supported."""

    id: str
    question: Annotated[str, StringConstraints(pattern=r"\S")]
    answerable: StrictBool = True
    answers: tuple[str, ...] = ()
    evidence: tuple[EvidenceEntry, ...] = ()
    tags: tuple[str, ...] = ()
    parts: tuple[Spellings, ...] = ()
    conflict: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    scale: str | None = None
    scope: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    passages: tuple[str, ...] = ()
    asked: str = ""

    @property
    def located(self) -> bool:
        """Whether retrieval can be measured: there is something to be found, and known where."""
        return self.answerable and bool(self.evidence)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which questions of a set are asked. Those with any of `tags` and of the `half`; of these at most a
    fixed `sample`, whose ids have the smallest SHA-256 (the same ones whatever else joins or leaves the set).
    `scoped`: each over the documents that it names alone."""

    tags: tuple[str, ...] = ()
    half: Half | None = None
    sample: int | None = None
    scoped: bool = False


EVERY = Choice()
_QUESTION = TypeAdapter(EvalQuestion)


def load_questions(path: Path) -> tuple[EvalQuestion, ...]:
    """The questions of a set's folder or of a file of questions, in order; blank lines do not count. Raises
    InputError naming the file and the line."""
    path = path / "questions.jsonl" if path.is_dir() else path
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}.") from error
    lines_of: dict[str, int] = {}
    questions: list[EvalQuestion] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        question = _parse(line, path, number)
        first = lines_of.setdefault(question.id, number)
        if first != number:
            raise InputError(
                f"{path}, line {number}: the id {question.id!r} is that of line {first}; ids must differ."
            )
        questions.append(question)
    if not questions:
        raise InputError(f"{path} holds no question.")
    return tuple(questions)


def _parse(line: str, path: Path, number: int) -> EvalQuestion:
    try:
        given = json.loads(line)
        if not isinstance(given, dict):
            raise ValueError("the line is not an object")
        row = {"id": f"line-{number}"} | {name: value for name, value in given.items() if value is not None}
        row = _sentence(row) if "sentence" in row else row
        if isinstance(tags := row.get("tags", []), list):
            derived = "derived" if row.get("derivation") else None
            row["tags"] = list(filter(None, [row.get("kind"), *tags, derived]))
        return _QUESTION.validate_python(row)
    except (ValueError, TypeError) as error:
        found = error.errors() if isinstance(error, ValidationError) else ()
        why = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg'].lower()}" for e in found) or error
        raise InputError(
            f"{path}, line {number}: not a question ({why}). Each line is a JSON object with `question`; "
            "`answers`, `evidence` and `tags` are lists, and `evidence` entries have a `document`."
        ) from error


def _sentence(row: dict[str, Any]) -> dict[str, Any]:
    """The question that a labelled sentence is; blank lines part the passages of its `evidence`."""
    for name in ("sentence", "evidence", "label"):
        if not str(row.get(name) or "").strip():
            raise ValueError(f"`{name}` of a sentence is missing")
    return {
        "id": row["id"],
        "question": row["sentence"],
        "answerable": row["label"] == "supported",
        "tags": [row["label"]],
        "passages": list(filter(str.strip, re.split(r"\n\s*\n", row["evidence"]))),
        "asked": row.get("question", ""),
    }


def half_of(question: EvalQuestion) -> Half:
    """The half that a question belongs to, whatever else is in its set: what is fitted on "dev" can be
    measured on "test".

    By the path of its first evidence document, so that two questions about one document alone are never on
    both sides; without evidence by its id. The parity of the first byte of the SHA-256: even is "dev"."""
    key = question.evidence[0].document if question.evidence else question.id
    return HALVES[_digest(key)[0] % 2]


def _digest(key: str) -> bytes:
    return hashlib.sha256(unicodedata.normalize("NFC", key).encode()).digest()


def choose(questions: Sequence[EvalQuestion], choice: Choice = EVERY) -> tuple[EvalQuestion, ...]:
    """The questions of a choice, in their order. Raises InputError, naming what there is, where nothing is
    left."""
    known = sorted({tag for q in questions for tag in q.tags})
    for tag in choice.tags:
        if tag not in known:
            there = f"There are: {', '.join(known)}." if known else "These questions have no tags."
            raise InputError(f"No question is tagged {tag!r}. {there}")
    tagged = [q for q in questions if not choice.tags or set(choice.tags) & set(q.tags)]
    kept = [q for q in tagged if choice.half in (None, half_of(q))]
    if not kept:
        left = f"Of {len(questions)} questions none is left in the half {choice.half!r}"
        raise InputError(f"{left}; leave the half out.")
    if choice.sample is not None:
        first = set(sorted(kept, key=lambda q: (_digest(q.id), q.id))[: choice.sample])
        kept = [q for q in kept if q in first]
    return tuple(kept)


def with_progress(
    questions: Sequence[EvalQuestion], progress: Callable[[Progress], None] | None, stage: str = "questions"
) -> Iterator[EvalQuestion]:
    """The questions one by one; the callback is given each when it is done."""
    pace = Pace(progress)
    pace(stage, 0, len(questions), next((q.question for q in questions), ""))
    for done, question in enumerate(questions, 1):
        yield question
        pace(stage, done, len(questions), question.question)
