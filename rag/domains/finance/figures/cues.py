"""The words by which a question for a figure is known, and those that turn it into another question.

The words themselves are cues.toml. All functions take text as `rag.languages.text.normalise` gives it
(lower case), English or Chinese."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rag.domains.finance.figures.asked import Operation
from rag.facts.numerals import numerals
from rag.languages import unspaced

CUES = Path(__file__).with_name("cues.toml")
_RAW: Mapping[str, Any] = tomllib.loads(CUES.read_text(encoding="utf-8"))
# Words in one string of cues.toml, and what is done over the periods with its cue.
_BEFORE_LABEL, _COMMON_BEFORE, _WEAK_EN = (
    frozenset(" ".join(_RAW[name]).split()) for name in ("before_label", "common_before", "weak_en")
)
_SHORT_EN = 9


@cache
def cue(name: str) -> re.Pattern[str]:
    """A pattern of cues.toml."""
    return re.compile("".join(_RAW[name]))


def says(name: str, text: str) -> bool:
    """Whether a text holds a cue."""
    return cue(name).search(text) is not None


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a question, without the blanks around them."""
    start = 0
    for m in [*cue("stop").finditer(text), None]:
        end = m.end() if m else len(text)
        piece = text[start:end]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end


def asks(sentence: str, language: str) -> bool:
    """Whether a sentence asks, or is so short that it can do nothing else ("FY22 quick ratio")."""
    if unspaced(language):
        return says("asks_zh", sentence) or len(sentence) <= 24
    return says("asks_en", sentence) or (
        len(sentence.split()) <= _SHORT_EN
        and not re.search(r"\b(?:is|are|was|were|has|have|can|will|may)\b", sentence)
    )


def forbidden(sentence: str, language: str) -> bool:
    """Whether it asks for reasons, words, rules, people, or anything but a figure of the accounts."""
    return (unspaced(language) and says("forbidden_zh", sentence)) or says("forbidden_en", sentence)


def instructs(sentence: str) -> bool:
    """Whether a sentence only says how to answer, or who is asking."""
    return says("instructs", sentence) and not says("aside", sentence)


def defines(sentence: str) -> bool:
    """Whether a sentence only defines the metric."""
    return says("defines", sentence) and not says("aside", sentence)


def head(before: str, after: str, language: str) -> bool:
    """Whether a name between `before` and `after` is the head of its phrase: not "revenue recognition"."""
    if unspaced(language) and (not after or not after[0].isascii() or after[0] in ",.?;:()/ %+-*="):
        return cue("next_zh").match(after) is not None and not says("before_zh_bad", before)
    return cue("next_en").match(after) is not None


def qualified(before: str, name: str, key: str, question: str) -> str:
    """The row label that a lower-case word before a line's name makes of it ("the cloud revenue"); "" where
    the word is a common one, a name, a verb, or says how long. Formulas are left alone."""
    m = re.search(r"(?:^|([\w'.,?:]+) )([a-z][a-z&/-]*) $", before)
    if m is None or key.startswith("f:") or m[2] in _COMMON_BEFORE or says("lasting", m[2]):
        return ""
    if not (m[1] and (m[1].endswith(("'s", "s'")) or m[1] in _BEFORE_LABEL or m[1][-1].isdigit())):
        return ""
    word = m[2]
    capital = word[0].upper() + word[1:]
    if re.search(rf"(?<![A-Za-z])(?:{re.escape(capital)}|{re.escape(word.upper())})(?![A-Za-z])", question):
        return ""
    return f"{word} {name}"


def limit(core: str) -> tuple[int, str]:
    """What a question holds the metric against: 1 and the number for "above 1.5", -1 for "below 20%"; 0 and
    "" for nothing."""
    m = cue("bound").search(core)
    if m is None:
        return 0, ""
    return (1 if m["up"] else -1), m["n"]


def cash_flow(sentence: str) -> str:
    """The flow that a sentence about cash means ("cash from operations"); "" for cash that is held."""
    m = cue("flow").search(sentence)
    if m is None:
        return ""
    return str(_RAW["flows"][(m["k"] or m["k2"] or m["k3"] or m["z"])[:6]])


def weak(name: str) -> bool:
    """Whether a name is an everyday word too, and says little without a period."""
    return name in _WEAK_EN or cue("weak").fullmatch(name) is not None


def owned(text: str, question: str) -> bool:
    """Whether a company is spoken of."""
    return says("owned", text) or says("possessive", question)


def combination(before: str, between: str, after: str, language: str) -> str:
    """How two names are combined: "%", "/", "-", "+" ("~" in front: the second over the first); "" not."""
    context = between if unspaced(language) else before
    for sign, name, said_before, said_after in _RAW["combined"][language]:
        said = cue("share_before").pattern if said_before == "{share_before}" else said_before
        if cue(name).match(between) and re.search(said, context) and re.match(said_after, after):
            return str(sign)
    return ""


def operation(core: str, language: str) -> Operation:
    """What the asking sentence wants done with its metric."""
    without = cue("no_average").sub("", core)
    if says("points", without):
        return Operation.DIFFERENCE
    if limit(without)[0] and says("yes_no", without):
        return Operation.SOUND
    return next((a for a, pattern in _aims(f"aims_{language}") if pattern.search(without)), Operation.VALUE)


@cache
def _aims(name: str) -> tuple[tuple[Operation, re.Pattern[str]], ...]:
    return tuple((Operation(aim), re.compile("".join(lines))) for aim, lines in _RAW[name].items())


def supposed(core: str, language: str) -> tuple[int, int]:
    """What a question of yes or no supposes: a rise (1) or fall (-1), getting better (1) or worse (-1)."""
    if not re.search(
        r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b|\bwhether\b|是否|有没有|是不是|有无|吗",
        core,
    ):
        return 0, 0
    up, down, better, worse = (
        says(name, core) for name in (f"up_{language}", f"down_{language}", "better", "worse")
    )
    return up - down, better - worse


def span(core: str) -> int:
    """The number of periods that a sentence names ("three-year average", 近三年); 0 where it names none."""
    m = cue("span").search(core)
    if m is None:
        return 0
    return int(numerals(m["n"] or m["z"] or m["z2"])[0].value)
