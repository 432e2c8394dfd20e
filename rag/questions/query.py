"""A question, understood once: what every stage behind takes instead of its words.

`understand` reads a question, completed from the conversation, into a `Query`: its tokens, names, numbers and
periods, the kind of answer it expects, what it is restricted to, what answers it beside its words, its parts.
A part, a completed follow-up and a reformulation are texts of their own, each read once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

from rag.documents.catalogue import Catalogue
from rag.errors import InputError
from rag.languages.lexicon import expand
from rag.models.generation import LLM
from rag.questions import parts
from rag.questions.constraints import Constraints, Reads, Sought, read_constraints
from rag.questions.expects import Wording, read_wording
from rag.questions.mentions import Known, nothing_known
from rag.questions.parts import talk_of
from rag.questions.rewriting import completed
from rag.types import Turn

MAX_QUESTION_CHARS = 4000


class ReadsQuestions(Reads, Protocol):
    """A field as a question is understood with it."""

    def sought(self, wording: Wording) -> tuple[Sought, ...]:
        """What answers the question beside its words."""


@dataclass(frozen=True, slots=True)
class Query(Wording):
    """A question as all stages take it. `asked` is it as typed; `constraints` are what it names, held against
    the documents, `sought` what answers it beside its words, `reworded` the professional words for it.

    `questions` are its parts, each answered or refused by itself, completed from one another, with `asked` as
    typed; () for one question, and for a part."""

    asked: str
    constraints: Constraints
    sought: tuple[Sought, ...] = ()
    reworded: tuple[str, ...] = ()
    questions: tuple[Query, ...] = ()

    @property
    def completed(self) -> bool:
        """Whether the text is not what was typed, but completed from the conversation."""
        return self.text != self.asked


@dataclass(frozen=True, slots=True)
class Readers:
    """What questions are understood with: the documents at hand, the fields, their lexicons, and what
    recognises names of the documents in a conversation."""

    catalogue: Catalogue
    fields: Sequence[ReadsQuestions] = ()
    lexicons: Sequence[Path] = ()
    known: Known = nothing_known


def check_question(question: str) -> str:
    """The question, stripped; only its first 4,000 code points are searched with. Raises InputError when
    nothing is asked."""
    question = question.strip()
    if not any(c.isalnum() for c in question):
        raise InputError("The question is empty or holds no word. Ask it in a sentence or a few key words.")
    return question[:MAX_QUESTION_CHARS]


def understand(
    question: str,
    readers: Readers,
    history: Sequence[Turn] = (),
    llm: LLM | None = None,
    stop: threading.Event | None = None,
) -> Query:
    """The question, completed from earlier turns (oldest first), by `llm` where code cannot. Raises
    InputError when nothing is asked, and ConfigError for a lexicon that cannot be read; a few milliseconds,
    and seconds where the model is asked."""
    asked = check_question(question)
    text = completed(asked, history, readers.known, llm, stop) if history and not talk_of(asked) else asked
    separate = parts.separate(text)
    each = zip(parts.completed(separate), separate, strict=True)
    return replace(
        _read(text, readers),
        asked=asked,
        questions=tuple(replace(_read(part, readers), asked=typed) for part, typed in each),
    )


def _read(text: str, readers: Readers) -> Query:
    wording = read_wording(text)
    return Query(
        **{one.name: getattr(wording, one.name) for one in fields(wording)},
        asked=text,
        constraints=read_constraints(wording, readers.catalogue, readers.fields),
        sought=tuple(one for field in readers.fields for one in field.sought(wording)),
        reworded=expand(text, readers.lexicons),
    )
