"""A follow-up question, completed from the conversation by code: what the index is searched with must stand
alone.

A follow-up that gives one thing ("and in 2019?", "what about Globex?", 那第三条呢) has it put in the place of
its like in the question before, and one that asks for something else of the same ("and the deposit?") has
that asked for. Where neither can be determined, and where a pronoun points back ("its side effects?"), both
questions stand beside each other: they are searched with, and a model may rewrite them (`rewriting`). A
question that stands alone is never touched. `Answer.searched` shows what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.languages import Patterns, in_order, patterns
from rag.languages.text import has_han, query_tokens
from rag.questions.mentions import (
    NAMES,
    Known,
    Mention,
    MentionKind,
    alike,
    mentions,
    moved_year,
    nothing_known,
)
from rag.types import Turn

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


def points_back(question: str) -> bool:
    """Whether a question points out of itself, by a pronoun or by a noun such as "the company"."""
    return _RULES[has_han(question)]["points"].search(question) is not None


def without_pointers(question: str) -> str:
    """The question without the words that point out of it."""
    return _RULES[has_han(question)]["points"].sub(" ", question)


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
            return _glued(earlier, rest)
    if named or rules["defines"].search(plain):
        return question if not opened or rest.lower() == earlier.lower() else rest[:1].upper() + rest[1:]
    short = len(plain) <= _SHORT_ZH if chinese else len(query_tokens(rest)) < _SHORT
    return _glued(earlier, rest) if opened or short else question


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
