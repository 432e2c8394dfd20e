"""Questions about many passages, recognised by their wording: how many documents mention something, list all
of them, compare two things, summarise one.

What is not recognised here is answered like any other question; a difference between two years, or of two
amounts, is a figure to be computed. Only wordings that leave no doubt count ("wordings" and "sides" of the
languages): "How many days' notice ..." and 有几天 ask for a figure that stands in a sentence, "Which
documents must be filed?" for what is stated somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rag.languages import LANGUAGES, Patterns, in_order, patterns
from rag.languages.text import content_tokens, cut_words, detect_language, has_han
from rag.questions.expects import Wording
from rag.questions.query import separated, talk_of

_ENDS = " \t\r\n.?!。？！,，;；:："
_SIDE_ENDS = _ENDS + "的"
_AND = r"\s*,?\s+(?:and|with|to|versus|vs\.?|against)\s+"
_JOIN_ZH = frozenset({"和", "与", "跟", "同", "及", "以及", "、", "还是"})
_RE = patterns("intents", re.NOFLAG)
_SHAPES = Patterns(__file__)
# In order; the first that matches decides. Groups: both, a, b, aspect.
_SIDES = {chinese: in_order(lambda of: of.sides, unspaced=chinese) for chinese in (False, True)}
_LONGEST_SIDE = 160
_LONGEST = 600


class Ask(StrEnum):
    """What is to be done with every passage that matches; the last four are said to the program itself."""

    COUNT = "count"
    LIST = "list"
    COMPARE = "compare"
    SUMMARISE = "summarise"
    PROVISION = "provision"
    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    DOCUMENTS = "documents"


class CountUnit(StrEnum):
    """What is counted or listed. PASSAGE: clauses, too. THING: what only a reader can distinguish, so that a
    list of it is looked for. DESCRIBED: documents by what they are; the topic is their description."""

    DOCUMENT = "document"
    PASSAGE = "passage"
    THING = "thing"
    DESCRIBED = "described"


@dataclass(frozen=True, slots=True)
class Intent:
    """`topic` is what the passages have to be about, as typed, "" for all of them; `noun` what is counted or
    listed, as typed ("contracts"); `sides` what is compared, `topic` then being in what respect. Where it is
    not `sure`, the wording is taken so only if the topic names a document."""

    ask: Ask
    topic: str
    unit: CountUnit = CountUnit.PASSAGE
    noun: str = ""
    sides: tuple[str, ...] = ()
    sure: bool = True


@cache
def _wordings(unspaced: bool) -> list[tuple[Ask, CountUnit, re.Pattern[str]]]:
    """In order; the first that matches decides. Groups: noun, topic, where, scope, here, unsure."""
    spoken = [wording for of in LANGUAGES.values() if of.unspaced is unspaced for wording in of.wordings]
    asked = ((wording.split(), pattern) for wording, pattern in spoken)
    return [(Ask(a), CountUnit(u), re.compile(p, re.IGNORECASE | re.DOTALL)) for (a, u), p in asked]


def sides_of(wording: str) -> Intent | None:
    """The two or three things that a question compares; None for none, and for figures of two periods."""
    if _RE["amount"].search(wording):
        return None
    chinese = detect_language(wording) == "zh"
    split = _split_zh if chinese else _split_en
    for pattern in _SIDES[chinese]:
        if match := pattern.search(wording):
            found = split(match.groupdict(default=""))
            if found and _comparable(found.sides):
                return found
    return None


def _comparable(sides: tuple[str, ...]) -> bool:
    distinct = {side.lower() for side in sides}
    return (
        2 <= len(distinct) == len(sides) <= 3
        and all(side and len(side) <= _LONGEST_SIDE and not _RE["pronoun"].match(side) for side in sides)
        and all(content_tokens(side) for side in sides)
        and not any(_SHAPES["only_time"].match(side) for side in sides)
    )


def _split_en(groups: dict[str, str]) -> Intent | None:
    aspect = groups.get("aspect", "").strip(_SIDE_ENDS)
    if groups.get("a"):
        return Intent(Ask.COMPARE, aspect, sides=(_side(groups["a"]), _side(groups["b"])))
    both = groups["both"].strip(_SIDE_ENDS)
    if not aspect and (inner := _RE["between_en"].match(both)) and _cut(inner["both"]):
        # "the rent of the lease and the deposit": the first side then bears the respect alone.
        aspect, both = inner["aspect"].strip(_SIDE_ENDS), inner["both"]
    sides = _cut(both)
    return Intent(Ask.COMPARE, _RE["lead"].sub("", aspect), sides=tuple(map(_side, sides))) if sides else None


def _cut(both: str) -> tuple[str, ...]:
    pieces = re.split(_AND, both, flags=re.IGNORECASE)
    if len(pieces) == 2 and ", " in pieces[0]:
        pieces = [*pieces[0].split(", "), pieces[1]]
    return tuple(pieces) if 2 <= len(pieces) <= 3 else ()


def _side(text: str) -> str:
    return _RE["lead"].sub("", _RE["again"].sub("", text.strip(_SIDE_ENDS))).strip(_SIDE_ENDS)


def _split_zh(groups: dict[str, str]) -> Intent | None:
    both, aspect = groups["both"].strip(_SIDE_ENDS), groups.get("aspect", "").strip(_SIDE_ENDS)
    words = cut_words(both)
    at = [n for n, word in enumerate(words) if word in _JOIN_ZH and 0 < n < len(words) - 1]
    if not 1 <= len(at) <= 2:
        return None
    ends = zip([-1, *at], [*at, len(words)], strict=True)
    sides = ["".join(words[first + 1 : last]).strip(_SIDE_ENDS) for first, last in ends]
    # "甲合同和乙合同的通知期": what stands behind the last 的 is the respect, unless only some sides say it.
    head, _, tail = sides[-1].rpartition("的")
    if head and not aspect:
        if not any(side.endswith(tail) for side in sides[:-1]):
            sides[-1], aspect = head, tail
        elif all(side.rpartition("的")[2] == tail for side in sides[:-1]):
            sides, aspect = [side.rpartition("的")[0] or side for side in sides], tail
    return Intent(Ask.COMPARE, aspect, sides=tuple(side.strip(_SIDE_ENDS) for side in sides))


def read_intents(query: Wording) -> Iterator[Intent]:
    """What a question asks for over many passages, or of the program itself; nothing for any other question,
    and for one that asks several things. Documents by their description come first: where none is described
    so, the next may serve."""
    wording = " ".join(query.text.split())
    if not wording or len(wording) > _LONGEST:
        return
    if talk := talk_of(wording):
        yield Intent(Ask(talk), "")
        return
    whole = wording if _RE["tail"].match(wording) else _RE["tail"].sub("", wording)
    if separated(whole):
        return
    if (compared := sides_of(whole)) is not None:
        yield compared
        return
    described = False
    for ask, unit, pattern in _wordings(has_han(wording)):
        if described and unit is CountUnit.DESCRIBED:
            continue
        match = pattern.search(whole)
        if match and (intent := _intent(ask, unit, match.groupdict(default=""))):
            yield intent
            described = unit is CountUnit.DESCRIBED
            if not described:
                return


def _intent(ask: Ask, unit: CountUnit, groups: dict[str, str]) -> Intent | None:
    noun = groups.get("noun", "").strip(_ENDS)
    if "here" in groups:
        here = groups["here"].strip(_ENDS)
        rest = _RE["here"].sub("", here).strip(_ENDS)
        return Intent(ask, "", unit, noun) if has_han(noun) or (here and not rest) else None
    topic = groups.get("topic", "").strip(_ENDS)
    for key in ("scope", "where"):
        place = re.sub(r"^(?:in|of)\s+", "", groups.get(key, "").strip(_ENDS), flags=re.IGNORECASE)
        topic = _placed(topic, place) if topic else place
    if ask is not Ask.COUNT and unit is not CountUnit.DESCRIBED and _RE["asks_zh"].search(topic):
        return None
    every_document = not topic and ask is Ask.LIST and unit is CountUnit.DOCUMENT
    if not every_document and not any(c.isalnum() for c in topic):
        return None
    return Intent(ask, topic, unit, noun, sure="unsure" not in groups)


def _placed(topic: str, place: str) -> str:
    """A topic within a place, as people say it: "repairs in the lease", 采购合同的验收."""
    if not place:
        return topic
    return f"{place}的{topic}" if has_han(place) else f"{topic} in {place}"
