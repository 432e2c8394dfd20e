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

from rag.languages.text import has_han, query_tokens
from rag.questions import followup_zh
from rag.questions.mentions import (
    NAMES,
    Known,
    Mention,
    MentionKind,
    mentions,
    nothing_known,
    relative_year,
    without_relative,
)
from rag.questions.substitution import asked_phrase, substituted, with_counted, with_period
from rag.types import Turn

_NOUNS = (
    "agreement|contract|lease|loan|policy|note|notes|bond|bonds|deed|report|filing|trial|study"
    "|guideline|tablets?"
    "|plan|fund|case|award|statute|facility|licence|license|tender|order|statement|prospectus|will"
    "|trust|scheme"
    "|warranty|guarantee|mortgage|invoice|handbook|leaflet|label|act|law|code|regulation|directive|treaty"
)
_PREPOSITIONS = "of|for|under|in|on|at|by|to|with|from|about|against|between"
_STOP = (
    rf"(?=[?.,;]|$| (?:{_PREPOSITIONS}|is|are|was|were|be|does|do|did|has|have|can|may|must|shall|should|will"
    r"|if|when|and|or|that|which)\b)"
)
_PHRASES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:of|under|about|for|in|with|by|to|from|take|taking|against) (?P<np>(?:the|an?|my"
        rf"|our) [a-z][a-z -]{{2,40}}?){_STOP}",
        rf"\bof (?P<np>(?!(?:{_NOUNS})\b)[a-z][a-z -]{{3,40}}?){_STOP}",
        rf"\b(?:{_NOUNS})\b",
        r"\b(?:does|do|did|is|are|was|were|can|could|may|must|shall|should|will) (?P<np>(?:the"
        r"|an?) [a-z]+)(?= [a-z]+)",
        rf"\bwhat (?:is|was|are|were) (?P<np>(?:the|an?) [a-z][a-z -]{{2,40}}?){_STOP}",
        rf"\b(?P<np>the [a-z][a-z -]{{2,40}}?){_STOP}",
        rf"\b(?:what|which|who) (?:treats|causes|is|are) (?P<np>[a-z][a-z -]{{2,40}}?){_STOP}",
        rf"\b(?:of|for|about|with|from|treat|treats|cause|causes|prevent|have"
        rf"|has) (?P<np>[a-z][a-z -]{{3,40}}?){_STOP}",
    )
)
_NO_TOPIC = re.compile(
    r"^(?:the |an? )?(?:year|month|week|day|end|time|case|event|number|amount|first|second|last|same)s?$",
    re.I,
)
_COMPANY_NOUNS = "company|firm|group|issuer|registrant|business|bank|corporation|supplier|insurer"
_DOCUMENT_NOUNS = (
    "agreement|contract|lease|loan|policy|deed|document|report|filing|bond|fund|plan|facility|award"
)
_DRUG_NOUNS = "drug|medicine|medication|product|treatment|tablets?|substance"
_LAW_NOUNS = "act|law|statute|regulation|code|directive|ordinance|convention|treaty|constitution"
_FITTING = {
    _COMPANY_NOUNS: {MentionKind.COMPANY, MentionKind.NAME},
    _DOCUMENT_NOUNS: {MentionKind.COMPANY, MentionKind.NAME, MentionKind.SUBJECT, MentionKind.PERSON},
    _DRUG_NOUNS: {MentionKind.SUBJECT, MentionKind.NAME},
    _LAW_NOUNS: {MentionKind.STATUTE},
}
_DEFINITE = re.compile(
    rf"\b(?:the|this|that|said|these|those) (?:same )?(?P<noun>{'|'.join(_FITTING)})\b(?P<own>['’]s)?"
    r"(?! (?:of|with|between|for|dated|on|at) (?:the )?(?-i:[A-Z]))",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:(?P<own>its|their|his|hers?(?= [a-z]))(?= [a-z])|(?P<plural>they|them|both)|(?P<person>he|she|him"
    r"|her)|(?P<thing>it)(?! (?:is|was) (?:\w+ ){1,2}(?:that|to)\b)|(?P<that>that|this|these|those)(?=[?.,;]"
    r"|$| (?:is|are|was|were|apply|applies|mean|means|include|includes|work|works|change|changes|happen"
    r"|happens|last|lasts|cost|costs|also|still|not|be|have|has|differ|compare|in|for|to)\b)"
    r"|the (?P<former>former)|the (?P<latter>latter))\b",
    re.IGNORECASE,
)
# What is said of a figure or an event rather than of whose it is.
_OF_FIGURES = re.compile(
    r"\b(?:compares?|compared|drove|drives?|driven|explain(?:s|ed)?|chang(?:e|ed|es)|increas(?:e|ed)"
    r"|decreas(?:e|ed)|ris(?:e|en)|rose|f[ae]ll|fallen|calculated|computed|defined|measured|determined|paid"
    r"|due|worked out)\b",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|does|would|will|can|may) it (?:\w+ ){0,2}(?:possible|necessary|required|true|legal|lawful"
    r"|allowed|permitted|common|normal|safe|likely|usual|enough|take|takes)? ?(?:to|that|for \w+ to|take)\b",
    re.IGNORECASE,
)
_NOUN_BEFORE = re.compile(r"\b(?:the|an?|each|every|any|my|our|your) (?!same\b)[a-z]+", re.IGNORECASE)
_MOST = 6  # turns that are read back
_OPENER = re.compile(
    r"^(?:(?:and|or|but|also|so|then|ok|okay|now|well|plus)\b[, ]*)*(?:(?:what|how) about\b|what if it(?:'s"
    r"| is| was| were)\b|(?:is|was) (?:it|that) the same(?= (?:for|in|with)\b)|(?:the )?same (?:question "
    r"|thing )?(?=(?:for|in|with|under)\b)|instead of that\b)?[, ]*",
    re.IGNORECASE,
)
_OWN_CLAUSE = re.compile(
    r"\b(?:what|who|whom|whose|when|where|which|why|how|is|are|was|were|do|does|did|can|could|may|might|must"
    r"|shall|should|will|would|has|have|had|list|compare|explain|summari[sz]e|describe|give|tell|show)\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:(?:and|but|so|or) )?(?:(?:by|to|for|from|since|until|in|on|at|with|under) )?(?:why|when|where|who"
    r"|whom|how|which(?: ones?)?|what|how (?:much|many|long|often|so|come|soon|far)|why not|(?:at|for|by|in"
    r"|on|to|from|under|until) (?:what|which) [a-z ]+|what for|what else|who else|where exactly|really"
    r"|any exceptions?|are there (?:any )?exceptions?|is that all|what (?:exceptions|limits"
    r"|conditions)(?: are there| apply)?)$",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^what (?:is|are|does) (?:an? )?(?!(?:the|its|their|his|her|this|that)\b)[\w -]+\??$", re.I
)
_SHORT = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about. `core` is the name or noun phrase, `phrase` the same with a preposition, to
    be put behind another question; `names` are all its names in order, `person` the first person, `asked`
    what was asked for ("the rent of 3 Quay Street"), `sides` the parties by their roles."""

    core: str = ""
    phrase: str = ""
    slot: MentionKind | None = None
    names: tuple[Mention, ...] = ()
    person: str = ""
    asked: str = ""
    sides: tuple[str, ...] = ()


def topic_of(question: str, answer: str = "", known: Known = nothing_known) -> Topic:
    """The topic of a question; of the answer only a name that the index knows, where the question names
    nothing and the answer one such name."""
    found = mentions(question, known)
    names = tuple(m for m in found if m.slot in NAMES)
    sides = tuple(m.text for m in found if m.slot is MentionKind.SIDE)
    asked = asked_phrase(question)
    person = next((m.text for m in names if m.slot is MentionKind.PERSON), "")
    main = next((m for m in names if m.slot is not MentionKind.PERSON), names[0] if names else None)
    if main is not None:
        core, start = _widened(question, main)
        return Topic(core, _placed(question, start, core), main.slot, names, person, asked, sides)
    if core := _noun_phrase(question):
        return Topic(core, _placed(question, question.find(core), core), None, (), "", asked, sides)
    cited = [m for m in mentions(answer, known) if known(m.text)] if known is not nothing_known else []
    if len({m.text for m in cited}) == 1:
        return Topic(cited[0].text, f"of {cited[0].text}", cited[0].slot, tuple(cited[:1]), "", asked, sides)
    return Topic(sides[0], f"for {sides[0]}", MentionKind.SIDE, (), "", asked, sides) if sides else Topic()


def _widened(question: str, name: Mention) -> tuple[str, int]:
    """A name with the noun it belongs to ("the Brightquill agreement", "the lease of Tannery Row"), and where
    that begins."""
    text = re.escape(name.text)
    for pattern in (
        rf"\bthe (?:[a-z]+ )?{text}(?:['’]s)? (?:[a-z]+ )?(?:{_NOUNS})\b"
        rf"(?: (?:with|between|for|of) [A-Z][\w&.'’-]*(?: [A-Z][\w&.'’-]*)*)?",
        rf"\b(?:the |an? )?(?:[a-z]+ )?(?:{_NOUNS}) (?:for|of|with|between|at|on|from|to"
        rf"|dated) (?:the )?{text}",
        rf"\bthe {text}",
    ):
        if m := re.search(pattern, question):
            return m.group(), m.start()
    return name.text, name.start


def _placed(question: str, start: int, core: str) -> str:
    m = re.search(rf"\b({_PREPOSITIONS}) $", question[:start])
    document = re.search(rf"\b(?:{_NOUNS})\b", core, re.IGNORECASE)
    if m and m[1] not in ("between", "with") and not (document and m[1] == "of"):
        return f"{m[1]} {core}"
    return f"under {core}" if document else f"for {core}"


def _noun_phrase(question: str) -> str:
    for pattern in _PHRASES:
        for m in reversed(list(pattern.finditer(question))):
            phrase = m.groupdict().get("np") or m.group()
            if not _NO_TOPIC.match(phrase):
                return phrase if " " in phrase or "np" in m.groupdict() else f"the {phrase}"
    return ""


def with_antecedents(question: str, own: Sequence[Mention], topic: Topic) -> str | None:
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
        figure = (
            m.re is _PRONOUN and (m["thing"] or m["that"]) and topic.asked and _OF_FIGURES.search(question)
        )
        stands_for = topic.asked if figure else _antecedent(m, topic)
        if not stands_for:
            return ""
        pieces += [question[at : m.start()], stands_for]
        at = m.end()
    if not pointed:
        return None
    text = "".join([*pieces, question[at:]])
    return text[:1].upper() + text[1:]


def _stands_by_itself(question: str, m: re.Match[str], own: Sequence[Mention]) -> bool:
    if any(e.start() <= m.start() < e.end() for e in _EXPLETIVE.finditer(question)):
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


def _antecedent(m: re.Match[str], topic: Topic) -> str:
    found = m.groupdict()
    if m.re is _DEFINITE:
        noun = found["noun"].lower()
        slots = next(s for pattern, s in _FITTING.items() if re.fullmatch(pattern, noun))
        fitting = [n.text for n in topic.names if n.slot in slots]
        inside = re.search(rf"\b{noun}\b", topic.core, re.IGNORECASE)
        if inside or topic.slot in slots:
            return _owned(topic.core, bool(found["own"]))
        return _owned(fitting[0], bool(found["own"])) if fitting else ""
    if found["former"] or found["latter"]:
        return topic.names[0 if found["former"] else 1].text if len(topic.names) > 1 else ""
    if found["plural"] or (found["own"] or "").lower() == "their":
        many = " and ".join(n.text for n in topic.names[:3]) if len(topic.names) > 1 else topic.core
        return _owned(many, bool(found["own"]))
    if found["person"] or (found["own"] or "").lower() in ("his", "her", "hers"):
        return _owned(topic.person, bool(found["own"]))
    return _owned(topic.core, bool(found["own"]))


def _owned(text: str, own: bool) -> str:
    if not own or not text:
        return text
    return f"{text}'" if text.endswith("s") else f"{text}'s"


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
    opener = _OPENER.match(stripped)
    opened = bool(opener and opener.group().strip(", "))
    rest = stripped[opener.end() :].strip() if opener else stripped
    if _BARE.match(stripped.rstrip("?!. ")):
        return _glued(earlier, stripped)
    named = mentions(rest, known)
    if not _OWN_CLAUSE.search(rest):
        short = len(rest.split()) <= 6
        return _fragment(rest, named, earlier, known) if rest and (opened or short) else question
    topic = topic_of(earlier, answer, known)
    rest = with_counted(rest, earlier)
    referring = with_antecedents(rest, named, topic)
    if referring is not None:
        return with_period(referring or _glued(earlier, stripped), earlier, known)
    if any(m.slot in NAMES for m in named) or _DEFINES.match(rest):
        return question if not opened or rest.lower() == earlier.lower() else _capital(rest)
    if opened or len(query_tokens(rest)) < _SHORT:
        return with_period(_about(rest, topic, earlier), earlier, known)
    return question


def _fragment(rest: str, named: Sequence[Mention], earlier: str, known: Known) -> str:
    """The question before with what the fragment gives in the place of its like."""
    step = relative_year(rest)
    if step:
        years = [m for m in mentions(earlier, known) if m.slot is MentionKind.YEAR]
        digits = re.search(r"\d{4}", years[-1].text) if len(years) == 1 else None
        if digits:
            rest = f"in {int(digits.group()) + step} {without_relative(rest)}".strip()
            named = mentions(rest, known)
    return substituted(rest, named, earlier, known) or _glued(earlier, rest)


def _about(rest: str, topic: Topic, earlier: str) -> str:
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
    if _OWN_CLAUSE.match(question) or question.startswith(("By ", "On ", "At ", "For ", "And ")):
        question = question[0].lower() + question[1:]
    return f"{earlier.strip().rstrip('?!. ')}, {question}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
