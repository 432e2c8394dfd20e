"""Questions about many passages, recognised by their wording: how many documents mention something, list all
of them, compare two things, summarise one.

What is not recognised here is answered like any other question. Pure functions over strings, English and
Chinese; the wordings stand in `rag.many.wordings`."""

from __future__ import annotations

import re

from rag.many.intent import Ask, CountUnit, Intent
from rag.many.sides import sides_of
from rag.many.wordings import CHINESE, ENGLISH
from rag.parts import separate
from rag.text import has_han

_LONGEST = 600
_TAIL = re.compile(
    r"[,;]?\s*\b(?:and\s+)?(?:if\s+so,?\s+)?(?:which|what)\s+(?:ones?|are\s+they|of\s+them)(?:\s+are\s+they)?\s*\?*$"
    r"|[,，;；]\s*(?:分别)?(?:是|有)哪(?:些|几[份个条处])[？?]*$",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:are\s+there|do\s+(?:you|we|i)\s+have|have\s+been\s+(?:indexed|read|ingested)|were\s+(?:indexed|read)|"
    r"exist|in\s+(?:total|all)|altogether|(?:in|of)\s+(?:the|this|my|our)\s+"
    r"(?:index|collection|corpus|folder|library|archive|set|database)|are\s+(?:indexed|loaded|searched))\b",
    re.IGNORECASE,
)
_ENDS = " \t\r\n.?!。？！,，;；:："
_ASKS_ZH = re.compile("谁|什么|多少|何时|怎[么样]|[吗呢]$|哪|是否")
# "How many contracts are there": what stands behind decides whether the documents at hand are intended.
_ONLY_HERE = re.compile(
    r"^(?:in\s+(?:the|this|my|our)\s+(?:index|collection|corpus|folder|library|archive|database))?$",
    re.IGNORECASE,
)


def read_intent(question: str) -> Intent | None:
    """What a question asks for over many passages; None for any other question, and for one that asks several
    things."""
    wording = " ".join(question.split())
    if not wording or len(wording) > _LONGEST:
        return None
    chinese = has_han(wording)
    whole = _TAIL.sub("", wording) if _TAIL.search(wording) and not _TAIL.match(wording) else wording
    if separate(whole):
        return None
    if (compared := sides_of(whole)) is not None:
        return compared
    for ask, unit, pattern in CHINESE if chinese else ENGLISH:
        match = pattern.search(whole)
        if match and (intent := _intent(ask, unit, match.groupdict(default=""))):
            return intent
    return None


def _intent(ask: Ask, unit: CountUnit, groups: dict[str, str]) -> Intent | None:
    noun = groups.get("noun", "").strip(_ENDS)
    if "here" in groups:
        here = groups["here"].strip(_ENDS)
        rest = _HERE.sub("", here).strip(_ENDS)
        is_listing = has_han(noun) or (_HERE.search(here) is not None and _ONLY_HERE.match(rest) is not None)
        return Intent(ask, "", unit, noun) if is_listing else None
    topic = groups.get("topic", "").strip(_ENDS)
    if unit is CountUnit.ROW:
        topic = _placed(noun, re.sub(r"^(?:in|under)\s+", "", topic, flags=re.IGNORECASE))
    for key in ("scope", "where"):
        place = re.sub(r"^(?:in|of)\s+", "", groups.get(key, "").strip(_ENDS), flags=re.IGNORECASE)
        topic = _placed(topic, place) if topic else place
    if ask is not Ask.COUNT and _ASKS_ZH.search(topic):
        return None
    if not topic and not (ask is Ask.LIST and unit is CountUnit.DOCUMENT):
        return None
    if topic and not any(c.isalnum() for c in topic):
        return None
    return Intent(ask, topic, unit, noun, sure="unsure" not in groups)


def _placed(topic: str, place: str) -> str:
    """A topic within a place, as people say it: "repairs in the lease", 采购合同的验收."""
    if not place:
        return topic
    return f"{place}的{topic}" if has_han(place) else f"{topic} in {place}"
