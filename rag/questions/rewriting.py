"""Follow-up questions that code cannot complete, rewritten by a language model and checked by code.

The model only joins what the conversation holds: a rewriting that brings in a name, a number or a content
word which no turn holds, or that leaves out what was asked, is not taken."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rag.errors import GenerationError
from rag.facts.values import numbers_in
from rag.languages import language, model_instructions
from rag.languages.text import content_tokens, cues, detect_language, has_han, normalise, search_tokens
from rag.models.generation import LLM, Prompt
from rag.questions.followup import complete, points_back, without_pointers
from rag.questions.mentions import Known, nothing_known
from rag.types import Turn

_MOST = 2  # turns that are read back
_ANSWER_CHARACTERS = 200
_LONGEST = 64  # tokens of a rewriting
_SHORT = 3  # content words below which a question is hardly one by itself
_LOST = 0.5  # share of the question's content words that may be replaced


@dataclass(frozen=True, slots=True)
class RewritingInstructions:
    """How a model is asked to rewrite in a language, from its rewriting.toml: the words in front of each
    question, answer and last question; `translations` are the same questions in every language, as
    examples."""

    system: str
    asked: str
    answered: str
    last: str
    ending: str
    translations: tuple[str, ...]
    examples: tuple[tuple[str, str], ...] = ()

    def user(self, turns: Sequence[Turn], question: str) -> str:
        said = [
            f"{lead}{' '.join(text.split())[:_ANSWER_CHARACTERS]}"
            for turn in turns
            for lead, text in ((self.asked, turn.question), (self.answered, turn.answer))
            if text.strip()
        ]
        return "\n".join([*said, f"{self.last}{' '.join(question.split())}"])


@cache
def instructions(code: str) -> RewritingInstructions:
    """Those of a language, of one that has none those of English. Raises ConfigError for a file that does not
    fit."""
    return model_instructions("rewriting", code, _instructions)


def _instructions(raw: dict[str, Any]) -> RewritingInstructions:
    examples = raw.pop("examples")
    bare = RewritingInstructions(**raw | {"translations": tuple(raw["translations"])})
    asked = (bare.user([Turn(*turn) for turn in each["turns"]], each["question"]) for each in examples)
    turns = tuple((a + bare.ending, each["reply"]) for a, each in zip(asked, examples, strict=True))
    return replace(bare, examples=turns)


def completed(
    question: str,
    history: Sequence[Turn],
    known: Known = nothing_known,
    llm: LLM | None = None,
    stop: threading.Event | None = None,
) -> str:
    """The question in words that stand alone: by code, and by the model where code can only put it beside the
    one before, or leaves a question as it is that looks incomplete."""
    code = detect_language(question)
    others = history and detect_language(history[-1].question) != code
    if others and not points_back(question):
        return question  # in another language than the one before, it begins anew
    text = complete(question, history, known)
    if llm is None or not history:
        return text
    if _beside(question, text) or (text == question and looks_incomplete(question)):
        return rewritten(question, history, llm, code, stop=stop) or text
    return text


def _beside(question: str, text: str) -> bool:
    """Whether completing has only put two questions beside each other."""
    own, both = question.strip().lower(), text.strip().lower()
    rest = next((own[at:] for at in range(len(own)) if both.endswith(own[at:])), both)
    return both.removesuffix(rest).rstrip().endswith((",", "，"))


def looks_incomplete(question: str) -> bool:
    """Whether a question may leave out what it is about: it points out of itself, or says little."""
    return points_back(question) or len(content_tokens(question)) < _SHORT


def rewritten(
    question: str, history: Sequence[Turn], llm: LLM, language: str, *, stop: threading.Event | None = None
) -> str | None:
    """The question in words that stand alone, by the model; None where it adds nothing, fails, or adds what
    no turn holds. `history` are the earlier turns, oldest first."""
    how, turns = instructions(language), history[-_MOST:]
    prompt = Prompt(how.system, how.user(turns, question), how.examples, how.ending)
    text = _written(prompt, llm, stop).strip("\"“”'")
    held = "\n".join([*(f"{turn.question}\n{turn.answer}" for turn in turns), question])
    return text if _joins(text, question, held) and _keeps(text, question) else None


def translated(question: str, llm: LLM, into: str, *, stop: threading.Event | None = None) -> str | None:
    """The question in another language, by the model; None where it fails, or loses or adds a number. The
    examples keep it from answering, and names in place."""
    system = f"Translate the question into {language(into).name}. Reply with the translation only."
    own, other = (instructions(code).translations for code in (detect_language(question), into))
    examples = tuple(zip(own, other, strict=True)) if own != other else ()
    text = _written(Prompt(system, question, examples), llm, stop)
    if not any(c.isalnum() for c in text) or detect_language(text) != into:
        return None
    return text if numbers_in(text) == numbers_in(question) else None


def _written(prompt: Prompt, llm: LLM, stop: threading.Event | None) -> str:
    """The first line of a reply; "" where it failed or was stopped."""
    try:
        pieces = llm.generate(prompt, max_tokens=_LONGEST, stop=stop)
        text = "".join(piece for piece in pieces if isinstance(piece, str))
    except GenerationError:
        return ""
    return "" if stop is not None and stop.is_set() else text.strip().partition("\n")[0].strip()


def _joins(text: str, question: str, held: str) -> bool:
    """Whether a text brings content words into the question, all of them, and all numbers, from what was
    said."""
    brought = _missing(content_tokens(text), question)
    return bool(brought) and not _missing(brought, held) and numbers_in(text) <= numbers_in(held)


def _keeps(text: str, question: str) -> bool:
    """Whether a rewriting still asks what was asked: with its numbers, its turning words and most of its
    content words, but those that point back."""
    own = content_tokens(without_pointers(question))
    turning = [{(c.group, c.name) for c in cues(normalise(each))} for each in (question, text)]
    kept = turning[0] <= turning[1] and numbers_in(question) <= numbers_in(text)
    return kept and len(_missing(own, text)) <= _LOST * len(own)


def _missing(tokens: Sequence[str], text: str) -> list[str]:
    """Those that the text has not; a Chinese word may be cut otherwise there."""
    held, folded = set(search_tokens(text)), normalise(text)
    return [token for token in tokens if token not in held and not (has_han(token) and token in folded)]
