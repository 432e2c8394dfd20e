"""A follow-up question, completed from the conversation: what the index is searched with must stand alone.

A follow-up that gives one thing ("and in 2019?", "what about Globex?", 那第三条呢) has it put in the place of
its like in the question before, and one that asks for something else of the same ("and the deposit?") has
that asked for. One that points back by a pronoun ("What are its side effects?") is followed by the names and
periods of the question before. Where none of this can be done, both questions stand beside each other: they
are searched with, unless a language model rewrites them. It only joins what the conversation holds: a
rewriting that brings in a name, a number or a content word which no turn holds, or that leaves out what was
asked, is not taken. A question that stands alone is never touched; `Answer.searched` shows what came of it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from rag.errors import GenerationError
from rag.facts.numerals import fold, numerals
from rag.facts.values import numbers_in
from rag.languages import Patterns, in_order, language, model_instructions, patterns
from rag.languages.text import (
    content_tokens,
    cues,
    detect_language,
    has_han,
    normalise,
    query_tokens,
    search_tokens,
)
from rag.models.generation import LLM, Prompt
from rag.questions.mentions import (
    NAMES,
    PERIODS,
    Known,
    Mention,
    MentionKind,
    alike,
    mentions,
    moved_year,
    nothing_known,
)
from rag.types import Evidence, Turn

_RE = Patterns(__file__)
_RULES = {chinese: patterns("followup", unspaced=chinese) for chinese in (False, True)}
_ASKED = {chinese: in_order(lambda of: of.asked, unspaced=chinese) for chinese in (False, True)}
# What stands in the place of something else than its like: a year in that of a date.
_STANDS_FOR = {
    (MentionKind.YEAR, MentionKind.DATE),
    (MentionKind.DATE, MentionKind.YEAR),
    (MentionKind.PART, MentionKind.YEAR),
}
_MOST = 6  # turns that are read back
# What is still no question by itself: words of a fragment, search tokens of a question; Chinese letters.
_FRAGMENT, _FRAGMENT_ZH, _SHORT, _SHORT_ZH = 6, 8, 3, 12


def complete(question: str, history: Sequence[Turn], known: Known = nothing_known) -> str:
    """The question itself where it stands alone; else the same in words that do. Never raises.

    `history` are the earlier turns, oldest first; each is completed in turn, so that a chain of follow-ups
    goes on from what the last one stood for. `known` recognises names of the index. Of answers nothing is
    taken."""
    full = ""
    for turn in history[-_MOST:]:
        full = _resolve(turn.question, full, known) if full else turn.question
    return _resolve(question, full, known) if full.strip() else question


def _resolve(question: str, earlier: str, known: Known) -> str:
    stripped = question.strip()
    if not stripped:
        return question
    chinese = has_han(stripped)
    rules = _RULES[chinese]
    if rules["bare"].match(stripped.rstrip("?!. ")):
        return _glued(earlier, stripped)
    opener = rules["opener"].match(stripped)
    opened = bool(opener and opener.group().strip(", "))
    rest = stripped[opener.end() :].strip() if opener else stripped
    plain = rules["trailer"].sub("", rest) if chinese else rest
    if not rules["asks"].search(plain):
        short = len(plain) <= _FRAGMENT_ZH if chinese else len(plain.split()) <= _FRAGMENT
        if not plain or not (opened or short or plain != rest):
            return question
        return _substituted(plain, earlier, known) or _glued(earlier, rest)
    own = mentions(plain, known)
    named = [m for m in own if m.slot in NAMES]
    nouns = [m.end for m in (*named, *(m for m in own if chinese and m.slot is MentionKind.SIDE))]
    for m in rules["points"].finditer(plain):
        # One whose noun stands before it in the same question does not point back.
        if all(end > m.start() for end in nouns) and not _RE["noun_before"].search(plain, 0, m.start()):
            says = content_tokens(rules["points"].sub(" ", rest))
            return ((len(says) > 1 or not m["bare"]) and _about(rest, own, earlier, known)) or _glued(
                earlier, rest
            )
    if named or rules["defines"].search(plain):
        return question if not opened or rest.lower() == earlier.lower() else rest[:1].upper() + rest[1:]
    short = len(plain) <= _SHORT_ZH if chinese else len(query_tokens(rest)) < _SHORT
    return _glued(earlier, rest) if opened or short else question


def _about(question: str, own: Sequence[Mention], earlier: str, known: Known) -> str:
    """The question with the names of the one before, and with its periods where it names none itself, in
    brackets; "" where that names nothing."""
    there = mentions(earlier, known)
    slots = NAMES if any(m.slot in PERIODS for m in own) else NAMES | PERIODS
    about = dict.fromkeys(m.text for m in there if m.slot in slots and m.text not in question)
    if not any(m.slot in NAMES for m in there):
        return ""
    if not about:
        return question
    plain = question.rstrip("?？。. ")
    return f"{plain}（{'、'.join(about)}）？" if has_han(question) else f"{plain} ({', '.join(about)})?"


def _glued(earlier: str, question: str) -> str:
    """Both in one question, for one answer: of two questions each would be answered by itself."""
    question = question.strip()
    if has_han(question):
        return f"{earlier.strip().rstrip('?？!！。. ')}，{question}"
    if _RULES[False]["asks"].match(question) or question.startswith(("By ", "On ", "At ", "For ", "And ")):
        question = question[0].lower() + question[1:]
    return f"{earlier.strip().rstrip('?!. ')}, {question}"


def _substituted(fragment: str, earlier: str, known: Known) -> str:
    """The earlier question with each thing that the fragment gives in the place of its like, and with what it
    says beside them asked for; "" where something has no place."""
    fragment, result = moved_year(fragment, earlier.strip(), known)
    named: Sequence[Mention] = mentions(fragment, known)
    left = fragment
    for m in reversed(named):
        left = left[: m.start] + " " + left[m.end :]
    years, there = ([m for m in ms if m.slot is MentionKind.YEAR] for ms in (named, mentions(result, known)))
    if len(there) > 1 and years:
        if len(years) != len(there):
            return ""
        for new, old in reversed(list(zip(years, there, strict=True))):
            result = result[: old.start] + _spelled(new, old) + result[old.end :]
        named = [m for m in named if m.slot is not MentionKind.YEAR]
    taken: list[str] = []
    for mention in sorted(named, key=lambda m: m.slot is not MentionKind.PART):  # 2021年上半年
        likes = [m for m in mentions(result, known) if m.text not in taken]
        likes = [m for m in likes if alike(mention, m) or (mention.slot, m.slot) in _STANDS_FOR]
        if not likes:
            return ""
        like = next((m for m in likes if m.slot is mention.slot), likes[0])
        taken.append(_spelled(mention, like))
        result = result[: like.start] + taken[-1] + result[like.end :]
    left = _RULES[has_han(fragment)]["edges"].sub(" ", re.sub(r"['’]s\b|[?!.,;，]", " ", left)).strip()
    if left and re.match(r"(?:for|in|at|under|with|by|on|to) ", fragment):
        return ""
    return _asking(" ".join(left.split()), result) if left else result


def _spelled(mention: Mention, like: Mention) -> str:
    """A mention in the spelling of the one it replaces: "FY2019" for "FY2020", a new year in a date."""
    text, slots = mention.text, (mention.slot, like.slot)
    new, old = re.findall(r"\d{4}", text), re.findall(r"\d{4}", like.text)
    if mention.slot is MentionKind.YEAR and len(new) == len(old) == 1:
        return like.text.replace(old[0], new[0])
    if mention.slot is MentionKind.DATE and old and not new:
        return f"{text} {old[0]}"
    if slots == (MentionKind.PART, MentionKind.YEAR):
        return f"{like.text}{text}" if has_han(text) else f"{text} {like.text}"
    definite = mention.slot is MentionKind.SIDE and like.text.lower().startswith("the ")
    return f"the {text}" if definite and not text.lower().startswith("the ") else text


def _asking(wanted: str, question: str) -> str:
    """The question with something else asked for; "" where it cannot be determined what was asked for."""
    chinese = has_han(question)
    for m in filter(None, (pattern.search(question) for pattern in _ASKED[chinese])):
        before, old = question[: m.start("x")], m["x"]
        if chinese and (before.endswith("的") or (not before and re.match(r"是|为|有|达", m["tail"]))):
            return f"{before}{wanted}{question[m.end('x') :]}"
        if old.strip() and not chinese:
            article = re.match(r"(?:the|an?|any) ", old, re.I)
            plain = (article.group() if article else "") + _RE["determiner"].sub("", wanted)
            return before + plain + question[m.end("x") :]
    return ""


# By a language model

_REREAD = 2  # turns that the model reads
_ANSWER_CHARACTERS = 200
_LONGEST = 64  # tokens of a rewriting
_LARGE = 10_000
_COPIED = 5  # tokens in a row that a question may take from a text
_TEXT = 160  # characters of a text whose words a translation takes
_LOST = 0.5  # share of the question's content words that may be replaced


@dataclass(frozen=True, slots=True)
class RewritingInstructions:
    """How a model is asked to rewrite in a language, from its rewriting.toml: the words in front of each
    question, answer and last question; `translations` are texts and a question about them, the same in every
    language, as examples."""

    system: str
    asked: str
    answered: str
    last: str
    ending: str
    translations: tuple[tuple[tuple[str, ...], str], ...]
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
    translations = tuple((tuple(one["texts"]), one["question"]) for one in raw["translations"])
    bare = RewritingInstructions(**raw | {"translations": translations})
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
    if others and not _points_back(question):
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


def _points_back(question: str) -> bool:
    """Whether a question points out of itself, by a pronoun or by a noun such as "the company"."""
    return _RULES[has_han(question)]["points"].search(question) is not None


def looks_incomplete(question: str) -> bool:
    """Whether a question may leave out what it is about: it points out of itself, or says little."""
    return _points_back(question) or len(content_tokens(question)) < _SHORT


def rewritten(
    question: str, history: Sequence[Turn], llm: LLM, language: str, *, stop: threading.Event | None = None
) -> str | None:
    """The question in words that stand alone, by the model; None where it adds nothing, fails, or adds what
    no turn holds. `history` are the earlier turns, oldest first."""
    how, turns = instructions(language), history[-_REREAD:]
    prompt = Prompt(how.system, how.user(turns, question), how.examples, how.ending)
    text = _written(prompt, llm, stop).strip("\"“”'")
    held = "\n".join([*(f"{turn.question}\n{turn.answer}" for turn in turns), question])
    return text if _joins(text, question, held) and _keeps(text, question) else None


def translated(
    question: str, llm: LLM, into: str, near: Sequence[Evidence] = (), *, stop: threading.Event | None = None
) -> str | None:
    """The question in another language, by the model, in the words that what is `near` uses for the same
    things; None where it fails, is no question, copies a clause of them, or loses or adds a number other than
    those of the titles."""
    own, other = (instructions(code).translations for code in (detect_language(question), into))
    examples = tuple(
        (_over(texts, asked), reply)
        for (_, asked), (texts, reply) in zip(own, other, strict=True)
        if asked != reply
    )
    system = (
        f"Translate the question into {language(into).name}, with the words that the texts use for the same "
        "things. Do not answer it. Reply with the translation only."
    )
    texts = [f"{e.document.title}: {' '.join(f'{e.header} {e.text}'.split())[:_TEXT]}" for e in near]
    titles = numbers_in("\n".join(e.document.title for e in near))
    for given in dict.fromkeys((tuple(texts), ())):
        text = _written(Prompt(system, _over(given, _in_digits(question)), examples), llm, stop)
        same = numbers_in(question) <= numbers_in(text) <= numbers_in(question) | titles
        copied = any(_run(search_tokens(text), search_tokens(e.text)) > _COPIED for e in near)
        if same and not copied and text.endswith(("?", "？")) and detect_language(text) == into:
            return text
    return None


def _run(some: Sequence[str], others: Sequence[str]) -> int:
    """How many tokens stand one behind the other in both."""
    return SequenceMatcher(None, some, others, autojunk=False).find_longest_match().size


def _in_digits(question: str) -> str:
    """The question with its large numbers in digits, "9,000,000" for "9 million": a model that copies them
    makes no mistake of tens and thousands of them."""
    for n in reversed(numerals(fold(question))):
        if n.value.denominator == 1 and n.value >= _LARGE:
            question = f"{question[: n.start]}{int(n.value):,}{question[n.end :]}"
    return question


def _over(texts: Sequence[str], question: str) -> str:
    """Texts, one a line, and a question."""
    return "\n".join(["Texts:", *(f"- {text}" for text in texts), f"Question: {question}"])


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
    own = content_tokens(_RULES[has_han(question)]["points"].sub(" ", question))
    turning = [{(c.group, c.name) for c in cues(normalise(each))} for each in (question, text)]
    kept = turning[0] <= turning[1] and numbers_in(question) <= numbers_in(text)
    return kept and len(_missing(own, text)) <= _LOST * len(own)


def _missing(tokens: Sequence[str], text: str) -> list[str]:
    """Those that the text has not; a Chinese word may be cut otherwise there."""
    held, folded = set(search_tokens(text)), normalise(text)
    return [token for token in tokens if token not in held and not (has_han(token) and token in folded)]
