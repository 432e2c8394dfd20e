"""A follow-up question, completed from the conversation by code: what the index is searched with must stand
alone.

A follow-up that gives one thing ("and in 2019?", "what about Globex?", 那第三条呢) has it put in the place of
its like in the question before, and one that asks for something else of the same ("and the deposit?") has
that asked for; a pronoun ("its side effects?") is replaced by the name that it stands for. Where neither can
be determined, both questions stand beside each other: they are searched with, and a model may rewrite them
(`rewriting`). A question that stands alone is never touched. `Answer.searched` shows what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.languages import COMPLETE, Patterns, in_order, language, patterns
from rag.languages.text import has_han, query_tokens
from rag.questions.expects import FIGURES, expected
from rag.questions.mentions import (
    NAMES,
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

_RE = Patterns(__file__)
_RULES = {chinese: patterns("followup", unspaced=chinese) for chinese in (False, True)}
_ASKED = {chinese: in_order(lambda of: of.asked, unspaced=chinese) for chinese in (False, True)}
_FITTING = {
    "company": {MentionKind.COMPANY, MentionKind.NAME},
    "document": {MentionKind.COMPANY, MentionKind.NAME, MentionKind.SUBJECT, MentionKind.PERSON},
    "drug": {MentionKind.SUBJECT, MentionKind.NAME},
    "law": {MentionKind.STATUTE},
    "article": {MentionKind.REFERENCE, MentionKind.STATUTE},
}
_DOCUMENTS = language(COMPLETE[0]).patterns["part.agreement"]
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
    chinese = has_han(stripped)
    rules = _RULES[chinese]
    if rules["bare"].match(stripped.rstrip("?!. ")):
        return _glued(earlier, stripped)
    opener = rules["opener"].match(stripped)
    opened = bool(opener and opener.group().strip(", "))
    rest = stripped[opener.end() :].strip() if opener else stripped
    plain = rules["trailer"].sub("", rest) if chinese else rest
    own = mentions(plain, known)
    if not rules["asks"].search(plain):
        short = len(plain) <= _FRAGMENT_ZH if chinese else len(plain.split()) <= _FRAGMENT
        if not plain or not (opened or short or plain != rest):
            return question
        return _substituted(plain, earlier, known) or _glued(earlier, rest)
    there = mentions(earlier, known) or _cited(answer, known)
    named = _with_names(rest, own, [_widened(m, earlier) for m in there], chinese=chinese)
    if named is not None:
        return _with_period(named, earlier, known) if named else _glued(earlier, rest)
    if any(m.slot in NAMES for m in own) or rules["defines"].search(plain):
        return question if not opened or rest.lower() == earlier.lower() else _capital(rest)
    short = len(plain) <= _SHORT_ZH if chinese else len(query_tokens(rest)) < _SHORT
    return _glued(earlier, rest) if opened or short else question


def _cited(answer: str, known: Known) -> tuple[Mention, ...]:
    """The one name of the index that an answer holds; () for none and for several."""
    found = tuple(m for m in mentions(answer, known) if known(m.text))
    return found[:1] if len({m.text for m in found}) == 1 else ()


def _widened(name: Mention, question: str) -> Mention:
    """A name with the article before it and the document behind it: "the Brightquill agreement"."""
    m = re.search(rf"\bthe {re.escape(name.text)}(?:['’]s)?(?: (?:{_DOCUMENTS})\b)?", question)
    return replace(name, text=m.group()) if m else name


def _glued(earlier: str, question: str) -> str:
    """Both in one question, for one answer: of two questions each would be answered by itself."""
    question = question.strip()
    if has_han(question):
        return f"{earlier.strip().rstrip('?？!！。. ')}，{question}"
    if _RULES[False]["asks"].match(question) or question.startswith(("By ", "On ", "At ", "For ", "And ")):
        question = question[0].lower() + question[1:]
    return f"{earlier.strip().rstrip('?!. ')}, {question}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _with_names(
    question: str, own: Sequence[Mention], there: Sequence[Mention], *, chinese: bool
) -> str | None:
    """The question with names in the place of its pronouns; None where it has none that points back (one
    whose noun stands before it in the same question does not), "" where what one stands for is not known."""
    rules = _RULES[chinese]
    found = [m for key in ("definite", "pronoun") for m in rules[key].finditer(question) if m.group()]
    pieces: list[str] = []
    at = 0
    for m in sorted(found, key=lambda m: m.start()):
        if m.start() < at or _stands_by_itself(question, m, own, rules):
            continue
        thing = {"thing", "that"}.intersection(k for k, text in m.groupdict().items() if text)
        figure = thing and rules["of_figures"].search(question)
        name = "" if figure else _antecedent(m, there)
        if not name:
            return ""
        if (m.groupdict().get("own") or "").strip():
            name += ("" if question[m.end() :].startswith("的") else "的") if chinese else "'s"
        pieces += [question[at : m.start()], name.replace("s's", "s'")]
        at = m.end()
    return _capital("".join([*pieces, question[at:]])) if pieces else None


def _stands_by_itself(
    question: str, m: re.Match[str], own: Sequence[Mention], rules: dict[str, re.Pattern[str]]
) -> bool:
    if any(e.start() <= m.start() < e.end() for e in rules["expletive"].finditer(question)):
        return True
    sides = (o for o in own if o.slot is MentionKind.SIDE and _RE["side"].match(o.text))
    ends = [o.end for o in (*(o for o in own if o.slot in NAMES), *sides)]
    if any(end <= m.start() for end in ends):
        return True
    nouns = _RE["noun_before"].finditer(question[: m.start()]) if m.re is rules["pronoun"] else ()
    return any(not rules["definite"].match(n.group()) for n in nouns)


def _antecedent(m: re.Match[str], there: Sequence[Mention]) -> str:
    said = {name: text.lower() for name, text in m.groupdict().items() if text}
    names = [n.text for n in there if n.slot in NAMES]
    others = [n.text for n in there if n.slot in NAMES and n.slot is not MentionKind.PERSON]
    if kind := next((kind for kind in _FITTING if kind in said), ""):
        return next((n.text for n in there if n.slot in _FITTING[kind]), "")
    if "inner" in said:
        return ""
    if said.keys() & {"former", "latter"}:
        return names["latter" in said] if len(names) > 1 else ""
    if "plural" in said or said.get("own") == "their":
        return " and ".join(names[:3])
    if "person" in said or said.get("own") in ("his", "her", "hers"):
        return next((n.text for n in there if n.slot is MentionKind.PERSON), "")
    return (others or names or [""])[0]


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


def _with_period(question: str, earlier: str, known: Known) -> str:
    """A question for a figure that names no period gets the one that the conversation is about."""
    figure = expected(question) in FIGURES or _RE["figure"].search(question)
    found = periods_before(question, earlier, known) if figure and not _RE["now"].search(question) else []
    if not found:
        return question
    period = earlier[found[0].start : found[-1].end]
    before = _RE["preposition"].search(earlier[: found[0].start])
    if has_han(question):
        end = next((m.end for m in mentions(question, known) if m.slot in NAMES), 0)
        return f"{question[:end]}{period}{question[end:]}"
    return f"{question.rstrip('?. ')} {before[1].lower() if before else 'in'} {period}?"
