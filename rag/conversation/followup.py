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

from rag.catalogue import Catalogue, subject_key
from rag.conversation import followup_zh
from rag.conversation.antecedents import Topic, topic_of, with_antecedents
from rag.conversation.mentions import (
    NAMES,
    Known,
    Mention,
    Slot,
    mentions,
    nothing_known,
    relative_year,
    without_relative,
)
from rag.conversation.substitution import substituted, with_counted, with_period
from rag.names import law_key, name_key, short_name
from rag.text import has_han, query_tokens
from rag.types import Turn

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


def complete(question: str, history: Sequence[Turn], known: Known = nothing_known) -> str:
    """The question itself where it stands alone; else the same in words that do. Never raises.

    `history` are the earlier turns, oldest first; each is completed in turn, so that a chain of follow-ups
    goes on from what the last one stood for. `known` recognises names of the index (`known_names`). Of an
    answer only a name of the index is ever taken, and only where the questions named nothing."""
    full, answer = "", ""
    for turn in history[-_MOST:]:
        full = _resolve(turn.question, full, answer, known) if full else turn.question
        answer = turn.answer
    return _resolve(question, full, answer, known) if full.strip() else question


def known_names(catalogue: Catalogue) -> Known:
    """What the names of an index are: companies, statutes, and the subjects of documents."""

    def known(text: str) -> Slot | None:
        if not has_han(text) and (text.islower() or text.isupper() or len(text) < 3):
            return Slot.SUBJECT if subject_key(text) in catalogue.subject_keys else None
        if name_key(short_name(text)) in catalogue.company_keys:
            return Slot.COMPANY
        if law_key(text) in catalogue.law_keys:
            return Slot.STATUTE
        return Slot.SUBJECT if subject_key(text) in catalogue.subject_keys else None

    return known


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
        years = [m for m in mentions(earlier, known) if m.slot is Slot.YEAR]
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
