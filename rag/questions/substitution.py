"""Puts what a follow-up gives in the place of its like in the question before: a year for a year, a company
for a company, an article for an article, what is asked for what was asked. English; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.questions.expects import FIGURES, expected
from rag.questions.mentions import NAMES, Known, Mention, MentionKind, mentions, nothing_known

_PREPOSITION = re.compile(
    r"\b(in|for|during|at|on|of|under|by|with|to|from|as of|against|about|between)\s+(?:the\s+)?$", re.I
)
_PREP = (
    "of|for|in|under|at|by|to|on|per|as|during|when|if|from|with|after|before|payable|due|paid|reported|owed"
)
_AUX = "did|does|do|is|was|were|are|has|have|had|will|can|must|shall|should|may|could|would|need"
# What was asked for, the likeliest reading first.
_ASKED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:what|which) (?:is|was|are|were|will be|would be) (?P<x>(?:the |an? "
        rf"|any )?(?-i:[a-z])[\w -]*?)(?= (?:{_PREP})\b|[?.,]|$)",
        rf"(?:'s|’s|s['’]) (?P<x>(?-i:[a-z])[a-z -]*?)(?= (?:{_PREP}|and)\b|[?.,]|$)",
        rf"\bhow (?:much|many) (?P<x>(?-i:[a-z])[a-z -]*?)(?= (?:{_AUX})\b)",
        rf"\bhow (?:long|high|large|big|soon|often|old|low) (?:is|was|are|were) (?P<x>the [a-z -]+?)"
        rf"(?= (?:{_PREP})\b|[?.,]|$)",
        rf"^(?:(?:in|on|at|by|for) )?(?:what|which) (?P<x>(?-i:[a-z])[a-z -]*?)(?= (?:{_AUX})\b)",
        rf"\b(?:allow|permit|cover|include|require|contain|mention|provide for|prohibit|exclude|disclose"
        rf"|report)s? (?P<x>[a-z -]+?)(?= (?:{_PREP})\b|[?.,]|$)",
        rf"^who (?:[a-z]+ (?:for )?)(?P<x>(?:the )?[a-z -]+?)(?= (?:{_PREP})\b|[?.,]|$)",
        rf"\b(?:{_AUX}) (?P<x>the [a-z]+)(?= [a-z]+)",
    )
)
_DETERMINER = re.compile(r"^(?:its|their|his|her|the|any|an?|those|that|this)\s+", re.I)
_DEFAULT = {
    MentionKind.YEAR: "in",
    MentionKind.PART: "in",
    MentionKind.DATE: "on",
    MentionKind.REFERENCE: "under",
}
_YEARS = re.compile(r"\b(?:(?:from|between|in) )?(?:FY ?)?(?:19|20)\d{2}(?: (?:to|and) )?", re.I)
_EDGE = (
    "(?:in|for|during|at|on|of|under|by|with|to|from|and|or|about|as|the|then|only|instead|too|also|please"
    "|fiscal|year)"
)
_NOW = re.compile(r"\b(?:now|currently|current|latest|today|at present|most recent|overall|in total)\b", re.I)
_PERIODS = frozenset({MentionKind.YEAR, MentionKind.PART, MentionKind.DATE})


def substituted(rest: str, named: Sequence[Mention], earlier: str, known: Known = nothing_known) -> str:
    """The earlier question with each thing that the fragment `rest` gives in the place of its like; what has
    none there is added at the end. "" where the fragment gives something that has no place."""
    result = earlier.strip()
    years = [m for m in named if m.slot is MentionKind.YEAR]
    there = [m for m in mentions(result, known) if m.slot is MentionKind.YEAR]
    if len(there) > 1 and years:
        if len(years) != len(there):
            return _apart(result, there, rest)
        for new, old in reversed(list(zip(years, there, strict=True))):
            result = result[: old.start] + _year_in(new.text, old) + result[old.end :]
        named = [m for m in named if m.slot is not MentionKind.YEAR]
        rest = _YEARS.sub("", rest)
    taken: list[str] = []
    for mention in named:
        result = _put(mention, rest, result, known, taken)
        taken.append(mention.text)
    left = _left(rest, named)
    if left and (placed := re.match(r"(for|in|at|under|with|by|on|to) ", rest)):
        return f"{result.rstrip('?. ')} {placed[1]} {left}?"
    return _asking(left, result) if left else result


def _put(mention: Mention, rest: str, question: str, known: Known, taken: Sequence[str]) -> str:
    likes = [m for m in mentions(question, known) if m.text not in taken and _alike(mention, m)]
    if not likes:
        return _added(mention, rest, question)
    before = _before(rest, mention.start)
    like = next((m for m in likes if before and _before(question, m.start) == before), None)
    like = like or next((m for m in likes if m.slot is mention.slot), likes[0])
    text = mention.text
    year = re.search(r"(?:19|20)\d{2}", like.text)
    if mention.slot is MentionKind.YEAR:
        text = _year_in(text, like)
    elif mention.slot is MentionKind.DATE and year and not re.search(r"\d{4}", text):
        text = f"{text} {year.group()}"
    elif mention.slot is MentionKind.PART and like.slot is MentionKind.YEAR:
        text = f"{text} {like.text}"
    elif mention.slot is MentionKind.SIDE and like.text.lower().startswith("the "):
        text = text if text.lower().startswith("the ") else f"the {text}"
    return question[: like.start] + text + question[like.end :]


def _alike(one: Mention, other: Mention) -> bool:
    if one.slot is other.slot:
        return one.slot is not MentionKind.REFERENCE or one.unit == other.unit
    if one.slot in NAMES and other.slot in NAMES:
        return MentionKind.NAME in (one.slot, other.slot)
    return (one.slot, other.slot) in {
        (MentionKind.YEAR, MentionKind.DATE),
        (MentionKind.DATE, MentionKind.YEAR),
        (MentionKind.PART, MentionKind.YEAR),
    }


def _year_in(text: str, like: Mention) -> str:
    """The year of a mention in the spelling of the one it replaces: "FY2019" for "FY2020", a new year in a
    date."""
    new, old = re.findall(r"\d{4}", text), re.findall(r"\d{4}", like.text)
    return like.text.replace(old[0], new[0]) if len(new) == len(old) == 1 else text


def _before(text: str, start: int) -> str:
    m = _PREPOSITION.search(text[:start])
    return m[1].lower() if m else ""


def _added(mention: Mention, rest: str, question: str) -> str:
    preposition = _before(rest, mention.start) or _DEFAULT.get(mention.slot, "for")
    return f"{question.rstrip('?. ')} {preposition} {mention.text}?"


def _apart(question: str, years: Sequence[Mention], rest: str) -> str:
    """One year for a range takes the place of the whole range; years that stand apart are left out, and both
    questions are searched with."""
    start, end = years[0].start, years[-1].end
    lead = re.search(r"\b(?:from|between|in)\s+$", question[:start])
    if len(years) == 2 and re.fullmatch(r"\s*(?:to|and|-|–)\s*", question[years[0].end : years[1].start]):
        given = rest.rstrip("?. ")
        given = given if _PREPOSITION.search(given[: re.search(r"\d", given).start()]) else f"in {given}"  # type: ignore[union-attr]
        return f"{question[: lead.start() if lead else start]}{given}{question[end:]}"
    for m in reversed(years):
        question = question[: m.start] + question[m.end :]
    return f"{re.sub(' +', ' ', question).strip()} {rest}"


def _left(rest: str, named: Sequence[Mention]) -> str:
    """What the fragment says besides its mentions, without prepositions at its edges."""
    for m in reversed(named):
        rest = rest[: m.start] + " " + rest[m.end :]
    rest = re.sub(r"['’]s\b|[?!.,;]", " ", rest)
    rest = re.sub(
        rf"^(?:\s*\b{_EDGE}\b)+(?=\s|$)|(?:\b{_EDGE}\b\s*)+$", " ", " ".join(rest.split()), flags=re.I
    )
    return " ".join(rest.split())


def _asking(wanted: str, question: str) -> str:
    """The question with something else asked for; "" where it cannot be determined what was asked for."""
    plain = _DETERMINER.sub("", wanted)
    for pattern in _ASKED:
        m = pattern.search(question)
        if m and m["x"].strip():
            old = m["x"]
            article = re.match(r"(?:the|an?|any) ", old, re.I)
            new = (article.group() if article else "") + plain
            return question[: m.start("x")] + new + question[m.end("x") :]
    return ""


def with_period(question: str, earlier: str, known: Known = nothing_known) -> str:
    """A question for a figure that names no period gets the one that the conversation is about."""
    figure = expected(question) in FIGURES or re.search(r"\bwhat (?:was|were)\b", question, re.I)
    if not figure or _NOW.search(question) or any(m.slot in _PERIODS for m in mentions(question, known)):
        return question
    found = [m for m in mentions(earlier, known) if m.slot in _PERIODS]
    if not found or len(found) > 2:
        return question
    start, end = found[0].start, found[-1].end
    if end - start > 40:
        return question
    before = _before(earlier, start)
    if found[0].slot is MentionKind.DATE and not before:
        return question
    return f"{question.rstrip('?. ')} {before or 'in'} {earlier[start:end]}?"


def with_counted(question: str, earlier: str) -> str:
    """ "How many did they issue?" counts what was counted before."""
    m = re.match(rf"(?:and )?how (?:many|much)(?= (?:{_AUX})\b)", question, re.I)
    before = _ASKED[2].search(earlier)
    return f"{m.group()} {before['x']}{question[m.end() :]}" if m and before else question


def asked_phrase(question: str) -> str:
    """What a question asked for, with whose it is: "the gross margin of Larkwell Mills"."""
    if m := re.search(
        r"\b(?P<x>[A-Z][\w&. -]*?['’]s? [a-z][a-z -]*?)(?= (?:in|for|on|at|as|change|from)\b|[?.,]|$)",
        question,
    ):
        return m["x"]
    m = _ASKED[0].search(question)
    if m is None:
        return ""
    rest = re.split(
        r"[?.]|,? (?:in|for|on|at|as of|during) (?=(?:fiscal|FY|the year|Q\d|[A-Z][a-z]+ )?\s?\d)",
        question[m.start("x") :],
    )[0]
    return rest.strip()
