"""A follow-up question, completed from the conversation by code: what the index is searched with must stand
alone.

No model rewrites anything. A follow-up that gives one thing ("and in 2019?", "what about Globex?",
那第三条呢) has it put in the place of its like in the question before; a pronoun ("its side effects?") is
replaced by what it stands for; a question that asks something new of the same matter ("and who repairs the
roof?") gets that matter behind it; and where none of this can be determined, both questions are searched
with. A question that stands alone is never touched. `Answer.searched` shows what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.languages import COMPLETE, in_order, language, patterns
from rag.languages.text import has_han, query_tokens
from rag.questions import followup_zh
from rag.questions.expects import FIGURES, expected
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
    periods_before,
)
from rag.types import Turn

_RULES = patterns("followup", unspaced=False)
_DEFINITE, _PRONOUN = _RULES["definite"], _RULES["pronoun"]
_ASKED = in_order(lambda of: of.asked, unspaced=False)
_TOPICS = in_order(lambda of: of.topics, unspaced=False)
_THINGS, _PREPOSITIONS, _AUXILIARIES = (
    language(COMPLETE[0]).patterns[f"part.{name}"] for name in ("thing", "preposition", "aux")
)
_FITTING = {
    "company": {MentionKind.COMPANY, MentionKind.NAME},
    "document": {MentionKind.COMPANY, MentionKind.NAME, MentionKind.SUBJECT, MentionKind.PERSON},
    "drug": {MentionKind.SUBJECT, MentionKind.NAME},
    "law": {MentionKind.STATUTE},
}
_PREPOSITION = re.compile(
    r"\b(in|for|during|at|on|of|under|by|with|to|from|as of|against|about|between)\s+(?:the\s+)?$", re.I
)
_DETERMINER = re.compile(r"^(?:its|their|his|her|the|any|an?|those|that|this)\s+", re.I)
_DEFAULT = dict.fromkeys(PERIODS, "in") | {MentionKind.DATE: "on", MentionKind.REFERENCE: "under"}
# What stands in the place of something else than its like: a year in that of a date.
_STANDS_FOR = {
    (MentionKind.YEAR, MentionKind.DATE),
    (MentionKind.DATE, MentionKind.YEAR),
    (MentionKind.PART, MentionKind.YEAR),
}
_YEARS = re.compile(r"\b(?:(?:from|between|in) )?(?:FY ?)?(?:19|20)\d{2}(?: (?:to|and) )?", re.I)
_EDGE = (
    "(?:in|for|during|at|on|of|under|by|with|to|from|and|or|about|as|the|then|only|instead|too|also|please"
    "|fiscal|year)"
)
_NOW = re.compile(r"\b(?:now|currently|current|latest|today|at present|most recent|overall|in total)\b", re.I)
_NOUN_BEFORE = re.compile(r"\b(?:the|an?|each|every|any|my|our|your) (?!same\b)[a-z]+", re.IGNORECASE)
_MOST = 6  # turns that are read back
_SHORT = 3


@dataclass(frozen=True, slots=True)
class _Topic:
    """What a question is about. `core` is the name or noun phrase, `phrase` the same with a preposition, to
    be put behind another question; `asked` what was asked for ("the rent of 3 Quay Street"); `names` are all
    its names in order."""

    core: str = ""
    phrase: str = ""
    asked: str = ""
    slot: MentionKind | None = None
    names: Sequence[Mention] = ()


def _topic_of(question: str, answer: str, known: Known) -> _Topic:
    """The topic of a question; of the answer only a name that the index knows, where the question names
    nothing and the answer one such name."""
    found, asked = mentions(question, known), _asked_phrase(question)
    names = [m for m in found if m.slot in NAMES]
    main = next((m for m in names if m.slot is not MentionKind.PERSON), names[0] if names else None)
    if main is not None:
        core, start = _widened(question, main)
        return _Topic(core, _placed(question, start, core), asked, main.slot, names)
    if core := _noun_phrase(question):
        return _Topic(core, _placed(question, question.find(core), core), asked)
    cited = [m for m in mentions(answer, known) if known(m.text)] if known is not nothing_known else []
    if len({m.text for m in cited}) == 1:
        return _Topic(cited[0].text, f"of {cited[0].text}", asked, cited[0].slot, cited[:1])
    side = next((m.text for m in found if m.slot is MentionKind.SIDE), "")
    return _Topic(side, f"for {side}", asked, MentionKind.SIDE) if side else _Topic()


def _widened(question: str, name: Mention) -> tuple[str, int]:
    """A name with the noun it belongs to ("the Brightquill agreement", "the lease of Tannery Row"), and where
    that begins."""
    text = re.escape(name.text)
    for pattern in (
        rf"\bthe (?:[a-z]+ )?{text}(?:['’]s)? (?:[a-z]+ )?(?:{_THINGS})\b"
        rf"(?: (?:with|between|for|of) [A-Z][\w&.'’-]*(?: [A-Z][\w&.'’-]*)*)?",
        rf"\b(?:the |an? )?(?:[a-z]+ )?(?:{_THINGS}) (?:for|of|with|between|at|on|from|to"
        rf"|dated) (?:the )?{text}",
        rf"\bthe {text}",
    ):
        if m := re.search(pattern, question):
            return m.group(), m.start()
    return name.text, name.start


def _placed(question: str, start: int, core: str) -> str:
    m = re.search(rf"\b({_PREPOSITIONS}) $", question[:start])
    document = re.search(rf"\b(?:{_THINGS})\b", core, re.IGNORECASE)
    if m and m[1] not in ("between", "with") and not (document and m[1] == "of"):
        return f"{m[1]} {core}"
    return f"under {core}" if document else f"for {core}"


def _noun_phrase(question: str) -> str:
    for pattern in _TOPICS:
        for m in reversed(list(pattern.finditer(question))):
            phrase = m.groupdict().get("np") or m.group()
            if not _RULES["no_topic"].match(phrase):
                return phrase if " " in phrase or "np" in m.groupdict() else f"the {phrase}"
    return ""


def _with_antecedents(question: str, own: Sequence[Mention], topic: _Topic) -> str | None:
    """The question with its pronouns replaced; None where it has none that points back (one whose noun stands
    before it in the same question does not), "" where what one stands for cannot be determined."""
    pieces: list[str] = []
    at, pointed = 0, False
    for m in sorted([*_DEFINITE.finditer(question), *_PRONOUN.finditer(question)], key=lambda m: m.start()):
        if m.start() < at or _stands_by_itself(question, m, own):
            continue
        if m.re is _PRONOUN and m["thing"] and topic.slot is MentionKind.PERSON:
            continue  # "when did she write it": what, cannot be determined
        pointed = True
        thing = m.re is _PRONOUN and (m["thing"] or m["that"])
        figure = thing and _RULES["of_figures"].search(question)
        stands_for = (topic.asked if figure else "") or _antecedent(m, topic)
        if not stands_for:
            return ""
        pieces += [question[at : m.start()], stands_for]
        at = m.end()
    if not pointed:
        return None
    return _capital("".join([*pieces, question[at:]]))


def _stands_by_itself(question: str, m: re.Match[str], own: Sequence[Mention]) -> bool:
    if any(e.start() <= m.start() < e.end() for e in _RULES["expletive"].finditer(question)):
        return True
    named = any(
        o.end <= m.start()
        and (o.slot in NAMES or (o.slot is MentionKind.SIDE and o.text.lower().startswith("the ")))
        for o in own
    )
    if m.re is _DEFINITE:
        return named
    before = question[: m.start()]
    return named or any(not _DEFINITE.match(n.group()) for n in _NOUN_BEFORE.finditer(before))


def _antecedent(m: re.Match[str], topic: _Topic) -> str:
    found = m.groupdict()
    own = (found["own"] or "").lower()
    names = [n.text for n in topic.names]
    if m.re is _DEFINITE:
        kind = next(kind for kind in _FITTING if found[kind])
        inside = re.search(rf"\b{found[kind]}\b", topic.core, re.IGNORECASE)
        fitting = next((n.text for n in topic.names if n.slot in _FITTING[kind]), "")
        name = topic.core if inside or topic.slot in _FITTING[kind] else fitting
    elif found["former"] or found["latter"]:
        name = names[0 if found["former"] else 1] if len(names) > 1 else ""
    elif found["plural"] or own == "their":
        name = " and ".join(names[:3]) if len(names) > 1 else topic.core
    elif found["person"] or own in ("his", "her", "hers"):
        name = next((n.text for n in topic.names if n.slot is MentionKind.PERSON), "")
    else:
        name = topic.core
    return name + ("'" if name.endswith("s") else "'s") if own and name else name


def complete(question: str, history: Sequence[Turn], known: Known = nothing_known) -> str:
    """The question itself where it stands alone; else the same in words that do. Never raises.

    `history` are the earlier turns, oldest first; each is completed in turn, so that a chain of follow-ups
    goes on from what the last one stood for. `known` recognises names of the index. Of an
    answer only a name of the index is ever taken, and only where the questions named nothing."""
    full, answer = "", ""
    for turn in history[-_MOST:]:
        full = _resolve(turn.question, full, answer, known) if full else turn.question
        answer = turn.answer
    return _resolve(question, full, answer, known) if full.strip() else question


def _resolve(question: str, earlier: str, answer: str, known: Known) -> str:
    stripped = question.strip()
    if not stripped:
        return question
    if has_han(stripped):
        return followup_zh.resolve(stripped, earlier, known) or question
    opener = _RULES["opener"].match(stripped)
    opened = bool(opener and opener.group().strip(", "))
    rest = stripped[opener.end() :].strip() if opener else stripped
    if _RULES["bare"].match(stripped.rstrip("?!. ")):
        return _glued(earlier, stripped)
    named = mentions(rest, known)
    if not _RULES["asks"].search(rest):
        if not rest or not (opened or len(rest.split()) <= 6):
            return question
        left, moved = moved_year(rest, earlier, known)
        return _substituted(left.strip(), moved, known) or _glued(earlier, rest)
    topic = _topic_of(earlier, answer, known)
    rest = _with_counted(rest, earlier)
    referring = _with_antecedents(rest, named, topic)
    if referring is not None:
        return _with_period(referring or _glued(earlier, stripped), earlier, known)
    if any(m.slot in NAMES for m in named) or _RULES["defines"].match(rest):
        return question if not opened or rest.lower() == earlier.lower() else _capital(rest)
    if opened or len(query_tokens(rest)) < _SHORT:
        return _with_period(_about(rest, topic, earlier), earlier, known)
    return question


def _about(rest: str, topic: _Topic, earlier: str) -> str:
    """A new question about the matter of the one before: with that matter behind it."""
    if not topic.phrase:
        return _glued(earlier, rest)
    if topic.core.lower() in rest.lower():
        return _capital(rest)
    rest = re.sub(r"\s+(?:there|then)$", "", rest.rstrip("?. "))
    return f"{_capital(rest)} {topic.phrase}?"


def _glued(earlier: str, question: str) -> str:
    """Both in one question, for one answer: of two questions each would be answered by itself."""
    question = question.strip()
    if _RULES["asks"].match(question) or question.startswith(("By ", "On ", "At ", "For ", "And ")):
        question = question[0].lower() + question[1:]
    return f"{earlier.strip().rstrip('?!. ')}, {question}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _substituted(rest: str, earlier: str, known: Known) -> str:
    """The earlier question with each thing that the fragment `rest` gives in the place of its like; what has
    none there is added at the end. "" where the fragment gives something that has no place."""
    named: Sequence[Mention] = mentions(rest, known)
    result = earlier.strip()
    years = [m for m in named if m.slot is MentionKind.YEAR]
    there = [m for m in mentions(result, known) if m.slot is MentionKind.YEAR]
    if len(there) > 1 and years:
        if len(years) != len(there):
            return _apart(result, there, rest, _before(rest, years[0].start))
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
    there = [m for m in mentions(question, known) if m.text not in taken]
    likes = [m for m in there if alike(mention, m) or (mention.slot, m.slot) in _STANDS_FOR]
    before = _before(rest, mention.start)
    if not likes:
        return f"{question.rstrip('?. ')} {before or _DEFAULT.get(mention.slot, 'for')} {mention.text}?"
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


def _year_in(text: str, like: Mention) -> str:
    """The year of a mention in the spelling of the one it replaces: "FY2019" for "FY2020", a new year in a
    date."""
    new, old = re.findall(r"\d{4}", text), re.findall(r"\d{4}", like.text)
    return like.text.replace(old[0], new[0]) if len(new) == len(old) == 1 else text


def _before(text: str, start: int) -> str:
    m = _PREPOSITION.search(text[:start])
    return m[1].lower() if m else ""


def _apart(question: str, years: Sequence[Mention], rest: str, before: str) -> str:
    """One year for a range takes the place of the whole range; years that stand apart are left out, and both
    questions are searched with."""
    start, end = years[0].start, years[-1].end
    lead = re.search(r"\b(?:from|between|in)\s+$", question[:start])
    if len(years) == 2 and re.fullmatch(r"\s*(?:to|and|-|–)\s*", question[years[0].end : years[1].start]):
        given = ("" if before else "in ") + rest.rstrip("?. ")
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


def _with_period(question: str, earlier: str, known: Known) -> str:
    """A question for a figure that names no period gets the one that the conversation is about."""
    figure = expected(question) in FIGURES or re.search(r"\bwhat (?:was|were)\b", question, re.I)
    found = periods_before(question, earlier, known) if figure and not _NOW.search(question) else []
    if not found or found[-1].end - found[0].start > 40:
        return question
    start, end = found[0].start, found[-1].end
    before = _before(earlier, start)
    if found[0].slot is MentionKind.DATE and not before:
        return question
    return f"{question.rstrip('?. ')} {before or 'in'} {earlier[start:end]}?"


def _with_counted(question: str, earlier: str) -> str:
    """ "How many did they issue?" counts what was counted before."""
    m = re.match(rf"(?:and )?how (?:many|much)(?= (?:{_AUXILIARIES})\b)", question, re.I)
    before = _ASKED[2].search(earlier)
    return f"{m.group()} {before['x']}{question[m.end() :]}" if m and before else question


def _asked_phrase(question: str) -> str:
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
