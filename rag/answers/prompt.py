"""Evidence and question to a prompt that fits the model, and that a small model can follow.

Instructions and worked examples first, and always the same, so that the model's state for them is computed
once; then few sources, since a small model reads three better than six, and faster; the question behind them,
and last what is to be done. What is to be done is an ending: prompts that differ in it alone are read once.
Lengths are counted by the model's own tokenizer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rag.answers.line import in_one_line
from rag.documents.validity import NOW, called
from rag.errors import GenerationError
from rag.facts.dates import dates
from rag.facts.names import BETWEEN
from rag.languages import model_instructions, named
from rag.languages.text import in_one_piece
from rag.models.llm import LLM, Prompt
from rag.questions.expects import Wording
from rag.search.verdict import OddsWeights
from rag.types import Evidence

_BEFORE_DAY = re.compile(r"[,\s]*\b(?:on|in|at|of|for|as of|as at|until|since)?\s*$", re.IGNORECASE)
MOST_SOURCES = 3
_SOURCE_CHARACTERS = 600
_LABEL_CHARACTERS = 60
_QUESTION_SHARE = 3  # a question may take a third of the room
# Role marks, line breaks, begin and end tokens of the chat template, where the model does not count them;
# some say a page of their own.
_TEMPLATE_TOKENS = 48
_EXAMPLE_TOKENS = 12
# Where separately counted pieces meet.
_SEAMS = 8


@dataclass(frozen=True, slots=True)
class ReadingInstructions:
    """How a model is asked in a language, from its reading.toml: `reask` and `answer` are the endings, `ask`
    that of the examples in place of the first, `yes` and `no` the replies whose odds are taken, and
    `confidence` how the verdict weighs these.
    `none` matches a reply that gives no answer, `lead` a yes or (group "no") no in front of one, `unticked` a
    "no" beside a box that is not ticked, `article` a question for the number of a provision, `further` what
    stands between a value and another that goes with it; `stop` ends a sentence, `affirmed` and `denied` say
    yes and no to who asks in it, and `colon` stands behind them."""

    system: str
    sources: str
    question: str
    ask: str
    reask: str
    answer: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    none: re.Pattern[str]
    lead: re.Pattern[str]
    unticked: re.Pattern[str]
    article: re.Pattern[str]
    further: re.Pattern[str]
    stop: str
    affirmed: str
    denied: str
    colon: str
    confidence: OddsWeights
    examples: tuple[tuple[str, str], ...]

    def user(self, sources: Sequence[str], last: str) -> str:
        """Sources, one a line, and the question: what is read once."""
        return "\n".join([self.sources, *sources, f"{self.question} {last}", ""])


@cache
def instructions(code: str) -> ReadingInstructions:
    """Those of a language, of one that has none those of English. Raises ConfigError for a file that does not
    fit."""
    return model_instructions("reading", code, _instructions)


def _instructions(raw: dict[str, Any]) -> ReadingInstructions:
    examples = raw.pop("examples")
    raw |= {key: tuple(raw[key]) for key in ("yes", "no")}
    raw |= {
        key: re.compile(raw[key], re.IGNORECASE) for key in ("none", "lead", "unticked", "article", "further")
    }
    raw |= {"confidence": OddsWeights(**raw["confidence"])}
    bare = ReadingInstructions(**raw, examples=())
    turns = tuple(
        (bare.user(example["sources"], question) + getattr(bare, ending), reply)
        for example in examples
        for question, ending, reply in example["turns"]
    )
    return replace(bare, examples=turns)


def reading_prompt(
    query: Wording, evidence: Sequence[Evidence], *, llm: LLM, max_tokens: int, ending: str = ""
) -> Prompt:
    """What is read once for one question, and the `ending` that is not: the first `MOST_SOURCES` pieces of
    the evidence under their own numbers, and the question.

    What does not fit the model's context beside an answer of `max_tokens` is left out from the last piece
    backwards; the first piece is shortened if it alone is too long, and so is an overlong question (its
    beginning and end are kept). Raises GenerationError where the context holds not even that."""
    asked = instructions(query.language)
    fixed = [asked.system, asked.answer, asked.user((), ""), *(t for turn in asked.examples for t in turn)]
    template = getattr(llm, "template_tokens", _TEMPLATE_TOKENS) + _SEAMS
    template += _EXAMPLE_TOKENS * len(asked.examples)  # what it puts around a worked example
    room = llm.info.context_tokens - max_tokens - template - sum(map(llm.count_tokens, fixed))
    if room < 32:
        raise GenerationError(
            f"the context of {llm.info.name} ({llm.info.context_tokens} tokens) leaves no room for evidence "
            f"beside an answer of {max_tokens} tokens; lower max_tokens or use a model with a longer context"
        )
    versions = any(piece.changes for piece in evidence[:MOST_SOURCES])  # in the words of the day asked about
    typed = _undated(query.text) if versions else query.text
    if len({piece.document.id for piece in evidence[:MOST_SOURCES]}) == 1:
        typed = BETWEEN.sub("", typed)  # of which document nobody has to be told
    question = _shortened(typed, room // _QUESTION_SHARE, llm)
    room -= llm.count_tokens(question)
    kept = [_source(piece, query.language) for piece in evidence[:MOST_SOURCES]]
    while len(kept) > 1 and llm.count_tokens("\n".join(kept)) > room:
        kept.pop()
    kept = [_shortened(kept[0], room, llm), *kept[1:]] if kept else []
    return Prompt(asked.system, asked.user(kept, question), asked.examples, ending)


def _undated(text: str) -> str:
    """A question without its days and years, and what stands in front of them, and the present day."""
    for day in reversed(dates(text)):
        if day.period.year:
            text = _BEFORE_DAY.sub("", text[: day.start]) + text[day.end :]
    return NOW.sub("", text)


def _source(piece: Evidence, code: str) -> str:
    """ "[2] Title, heading: words": what a sentence is of often stands above it alone. Words that do not
    stand say so."""
    former = named("former", piece.withdrawn, code) if piece.withdrawn else ""
    parts = (called(piece.document), *piece.heading_path[-1:], former)
    label = ", ".join(dict.fromkeys(in_one_piece(t)[:_LABEL_CHARACTERS] for t in parts if t))
    return f"[{piece.number}] {label}: {_ends(in_one_line(piece), _SOURCE_CHARACTERS)}"


def _shortened(text: str, limit: int, llm: LLM) -> str:
    """The text, or as much of its beginning and end as `limit` tokens hold, with an ellipsis between."""
    # No tokenizer needs more than a few characters to a token, so that a book is not tokenised to fill one
    # line.
    length = min(len(text), limit * 16)
    while length and (tokens := llm.count_tokens(_ends(text, length))) > limit:
        length = length * limit // tokens
    return _ends(text, length) if length else ""


def _ends(text: str, length: int) -> str:
    """Two thirds of `length` characters from the beginning, the rest from the end, of a longer text."""
    if len(text) <= length:
        return text
    head = length * 2 // 3
    tail = length - head
    return f"{text[:head].rstrip()} … {text[len(text) - tail :].lstrip()}"
