"""A question, understood once: what every stage behind takes instead of its words.

`understand` reads a question, completed from the conversation, into a `Query`: its tokens, names, numbers and
periods, the kind of answer it expects, what it is restricted to, what answers it beside its words, its parts.
A part, a completed follow-up and a reformulation are texts of their own, each read once.

Several questions in one ("What was the deposit, and who repairs the roof?") are each searched for and
answered; what one part names is carried to the others by the constraints, which are read from the whole. What
asks nothing of the documents is said to the program itself (tables "talk" of the languages)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Protocol

from rag.documents.catalogue import Catalogue
from rag.errors import InputError
from rag.languages import Patterns, patterns
from rag.languages.lexicon import NO_WORDS, Lexicon, expand
from rag.languages.text import content_tokens, has_han, search_tokens, words
from rag.models.generation import LLM
from rag.questions import followup
from rag.questions.constraints import Constraints, Reads, Sought, read_constraints
from rag.questions.expects import Wording, read_wording
from rag.questions.mentions import Known, nothing_known
from rag.types import Turn

MAX_QUESTION_CHARS = 4000
MAX_PARTS = 3
_TALK = patterns("talk")
_RE = Patterns(__file__)


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
    """What questions are understood with: the documents at hand, the fields, words for lay ones, and what
    recognises names of the documents in a conversation."""

    catalogue: Catalogue
    fields: Sequence[ReadsQuestions] = ()
    lexicon: Lexicon = NO_WORDS
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
    InputError when nothing is asked; a few milliseconds, and seconds where the model is asked."""
    asked = check_question(question)
    text = asked if talk_of(asked) else followup.completed(asked, history, readers.known, llm, stop)
    parts = separated(text)
    each = zip(completed(parts), parts, strict=True)
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
        reworded=expand(text, readers.lexicon),
    )


# What is said to the program, and several questions in one

_LONGEST = 120
_ENDS = " \t\r\n.,!?;:~…。，！？；：～"


def talk_of(text: str) -> str:
    """ "greeting", "thanks", "help" or "documents"; "" for anything that asks, or says, more than that."""
    plain = " ".join(text.split()).strip(_ENDS)
    if not 0 < len(plain) <= _LONGEST:
        return ""
    return next((kind for kind, pattern in _TALK.items() if pattern.fullmatch(plain)), "")


# Two pieces that share this much of the shorter one's content ask the same in other words.
_SAME = 0.7


def separated(question: str) -> tuple[str, ...]:
    """The parts that are each answered or refused by themselves, at most three; () where it is one question.

    A part says by itself what it is about ("when must it be returned" does not), is a question by its form
    (no "Base your answer on ..." nor "X is defined as ..."), asks for more than the grounds of another
    (依据哪一条), and is no rewording of one."""
    if each := _RE["each"].search(question):
        of, what, ask = each["of"] or "", each["what"] or "", each["ask"]
        return tuple(f"{of}{one}{what}{ask}" for one in each.group("a", "b", "c") if one)
    cut = (piece.strip(" ,;/，；／") for piece in _RE["cut"].split(question))
    questions = dict.fromkeys(p for p in cut if p and _RE["is_question"].search(p) and _is_complete(p))
    pieces = tuple(questions)[:MAX_PARTS]
    if len(pieces) < 2 or _RE["restates"].search(question):
        return ()
    asked = ((has_han(p) and not p.startswith(("请", "如果", "若"))) or _RE["asks"].search(p) for p in pieces)
    if (
        not all(asked)
        or any(map(_RE["defines"].search, pieces))
        or any(_RE["grounds"].search(p) for p in pieces[1:])
    ):
        return ()
    tokens = [frozenset(content_tokens(p)) for p in pieces]
    for n, one in enumerate(tokens):
        for other in tokens[:n]:
            if len(one & other) >= _SAME * min(len(one), len(other)):
                return ()
    return pieces


def completed(parts: Sequence[str]) -> tuple[str, ...]:
    """The parts as they are searched for and judged: one that points back ("is it returned with interest") or
    says no subject (怎么设立) is followed by the words of the part before."""
    found = list(parts[:1])
    for before, part in pairwise(parts):
        missing = [w for w in words(_RE["asking"].sub(" ", before)) if w not in part]
        leans = _RE["points"].search(part) or _RE["no_subject"].search(part)
        found.append(f"{part} ({', '.join(missing)})" if leans and missing else part)
    return tuple(found)


def _is_complete(piece: str) -> bool:
    if _RE["unfinished"].search(piece) or (has_han(piece) and len(piece) < 4):
        return False
    content = content_tokens(piece)
    if set(search_tokens(piece)) <= set(content):  # nothing is left but words that ask: they were given back
        return False
    return len(content) > 1 or not _RE["points"].search(piece)
