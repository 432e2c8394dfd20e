"""The words by which a question for a figure is known, and those that turn it into another question.

The words themselves are data/cues.toml. All functions take text as `rag.text.normalise` gives it (lower
case), English or Chinese."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.figures.asked import Aim

CUES = Path(__file__).parent.parent / "data" / "cues.toml"
_RAW: Mapping[str, Any] = tomllib.loads(CUES.read_text(encoding="utf-8"))


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile("".join(_RAW[name]))


def _words(name: str) -> frozenset[str]:
    return frozenset(" ".join(_RAW[name]).split())


def _aims(name: str) -> tuple[tuple[Aim, re.Pattern[str]], ...]:
    return tuple((Aim(row["aim"]), re.compile("".join(row["pattern"]))) for row in _RAW[name])


_STOP = _pattern("stop")

_ASKS_EN = _pattern("asks_en")
_ASKS_ZH = _pattern("asks_zh")
_SHORT_EN = 9

_FORBIDDEN_EN = _pattern("forbidden_en")
_FORBIDDEN_ZH = _pattern("forbidden_zh")

_INSTRUCTS = _pattern("instructs")
_ASIDE = _pattern("aside")
_MEANS = _pattern("means")
_DEFINES = _pattern("defines")

_NEXT_EN = _pattern("next_en")
_NEXT_ZH = _pattern("next_zh")
_BEFORE_ZH_BAD = _pattern("before_zh_bad")
_LASTING = _pattern("lasting")
_BEFORE_LABEL = _words("before_label")
_BOUND = _pattern("bound")
_COMMON_BEFORE = _words("common_before")
_WEAK_EN = _words("weak_en")
_WEAK = _pattern("weak")
_ACCOUNTS = _pattern("accounts")
_OWNED = _pattern("owned")
_POSSESSIVE = _pattern("possessive")
_FLOW = _pattern("flow")
_HEDGED = _pattern("hedged")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a question, without the blanks around them."""
    start = 0
    for m in [*_STOP.finditer(text), None]:
        end = m.end() if m else len(text)
        piece = text[start:end]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end


def asks(sentence: str, language: str) -> bool:
    """Whether a sentence asks, or is so short that it can do nothing else ("FY22 quick ratio")."""
    if language == "zh":
        return bool(_ASKS_ZH.search(sentence)) or len(sentence) <= 24
    return bool(_ASKS_EN.search(sentence)) or (
        len(sentence.split()) <= _SHORT_EN
        and not re.search(r"\b(?:is|are|was|were|has|have|can|will|may)\b", sentence)
    )


def forbidden(sentence: str, language: str) -> bool:
    """Whether it asks for reasons, words, rules, people, or anything but a figure of the accounts."""
    if language == "zh" and _FORBIDDEN_ZH.search(sentence):
        return True
    return bool(_FORBIDDEN_EN.search(sentence))


def instructs(sentence: str) -> bool:
    """Whether a sentence only says how to answer, or who is asking."""
    return bool(_INSTRUCTS.search(sentence)) and not _ASIDE.search(sentence)


def wants_words(text: str) -> bool:
    """Whether a question goes on to ask what its metric means."""
    return bool(_MEANS.search(text))


def defines(sentence: str) -> bool:
    """Whether a sentence only defines the metric."""
    return bool(_DEFINES.search(sentence)) and not _ASIDE.search(sentence)


def head(before: str, after: str, language: str) -> bool:
    """Whether a name between `before` and `after` is the head of its phrase: not "revenue recognition"."""
    if language == "zh" and (not after or not after[0].isascii() or after[0] in ",.?;:()/ %+-*="):
        return bool(_NEXT_ZH.match(after)) and not _BEFORE_ZH_BAD.search(before)
    return bool(_NEXT_EN.match(after))


def qualified(before: str, name: str, key: str, question: str) -> str:
    """The row label that a lower-case word before a line's name makes of it ("the cloud revenue"); "" where
    the word is a common one, a name, a verb, or says how long. Formulas are left alone."""
    m = re.search(r"(?:^|([\w'.,?:]+) )([a-z][a-z&/-]*) $", before)
    if m is None or key.startswith("f:") or m[2] in _COMMON_BEFORE or _LASTING.search(m[2]):
        return ""
    if not (m[1] and (m[1].endswith(("'s", "s'")) or m[1] in _BEFORE_LABEL or m[1][-1].isdigit())):
        return ""
    word = m[2]
    capital = word[0].upper() + word[1:]
    if re.search(rf"(?<![A-Za-z])(?:{re.escape(capital)}|{re.escape(word.upper())})(?![A-Za-z])", question):
        return ""
    return f"{word} {name}"


def bound(core: str) -> tuple[int, str]:
    """What a question holds the metric against: 1 and the number for "above 1.5", -1 for "below 20%"; 0 and
    "" for nothing."""
    m = _BOUND.search(core)
    if m is None:
        return 0, ""
    return (1 if m["up"] else -1), m["n"]


def cash_flow(sentence: str) -> str:
    """The flow that a sentence about cash means ("cash from operations"); "" for cash that is held."""
    m = _FLOW.search(sentence)
    if m is None:
        return ""
    kind = (m["k"] or m["k2"] or m["k3"] or m["z"])[:6]
    return {"operat": "operating cash flow", "invest": "investing cash flow", "financ": "financing cash flow",
            "经营": "operating cash flow", "投资": "investing cash flow",
            "筹资": "financing cash flow"}[kind]  # fmt: skip


def weak(name: str) -> bool:
    """Whether a name is an everyday word too, and says little without a period."""
    return name in _WEAK_EN or bool(_WEAK.fullmatch(name))


def accounts(text: str) -> bool:
    """Whether something says that a company's accounts are spoken of."""
    return bool(_ACCOUNTS.search(text))


def owned(text: str, question: str) -> bool:
    """Whether a company is spoken of."""
    return bool(_OWNED.search(text)) or bool(_POSSESSIVE.search(question))


def hedged(text: str) -> bool:
    """Whether the question asks to say so if the metric does not suit."""
    return bool(_HEDGED.search(text))


# --- Combinations of two names

_SHARE_BETWEEN = _pattern("share_between")
_RELATIVE = _pattern("relative")
_DIVIDED = _pattern("divided")
_TO = _pattern("to")
_LESS = _pattern("less")
_PLUS = _pattern("plus")
_AND = _pattern("and")
_SHARE_BEFORE = _pattern("share_before")
_CAME = _pattern("came")
_SHARE_ZH = _pattern("share_zh")
_IN_ZH = _pattern("in_zh")
_OVER_ZH = _pattern("over_zh")
_LESS_ZH = _pattern("less_zh")
_PLUS_ZH = _pattern("plus_zh")
_LISTED = _pattern("listed")


def combination(before: str, between: str, after: str, language: str) -> str:
    """How two names are combined: "%", "/", "-", "+" ("~" in front: the second over the first); "" not."""
    if language == "zh":
        return _combination_zh(between, after)
    if _SHARE_BETWEEN.match(between) or _RELATIVE.match(between):
        return "%"
    if _SHARE_BEFORE.search(before) and _CAME.match(between):
        return "~%"
    if _DIVIDED.match(between):
        return "/"
    if _TO.match(between) and (
        re.search(r"\bratios?\b", before) or re.match(r"\W*(?:\([^)]*\) )?ratios?\b", after)
    ):
        return "/"
    if _LESS.match(between):
        return "-"
    if _PLUS.match(between) or (
        _AND.match(between) and re.search(r"\b(?:sum of|combined)\b[^,?]{0,40}$", before)
    ):
        return "+"
    if _AND.match(between) and re.search(r"\bdifference between\b[^,?]{0,40}$", before):
        return "-"
    if _AND.match(between) and re.search(r"\bratio between\b[^,?]{0,40}$", before):
        return "/"
    return ""


def _combination_zh(between: str, after: str) -> str:
    if _SHARE_ZH.match(between):
        return "%"
    if _IN_ZH.match(between) and re.match(r"(?:的)?(?:占比|比例|比重|占|所占)", after):
        return "~%"
    if _LESS_ZH.match(between) or (_OVER_ZH.match(between) and re.match(r"之?的?(?:差额?)", after)):
        return "-"
    if _OVER_ZH.match(between) and (
        re.search(r"[除/÷比对]", between) or re.match(r"(?:之|的)?(?:比[率值例]?|倍数)", after)
    ):
        return "/"
    if _PLUS_ZH.match(between) and (
        re.search(r"[加+]", between) or re.match(r"(?:之|的)?(?:总?和|合计)", after)
    ):
        return "+"
    return ""


def share_of(before: str) -> bool:
    """Whether a part of the line that follows is asked for ("what share of revenue ...")."""
    return bool(_SHARE_BEFORE.search(before))


def listed(between: str) -> bool:
    """Whether two names stand in one list ("revenue, net income and EPS")."""
    return bool(_LISTED.match(between))


# --- What is done over the periods

_AIMS_EN = _aims("aims_en")
_AIMS_ZH = _aims("aims_zh")
_YES_NO = _pattern("yes_no")
_EVERY = _pattern("every")
_POINTS = _pattern("points")
_UP_EN = _pattern("up_en")
_DOWN_EN = _pattern("down_en")
_UP_ZH = _pattern("up_zh")
_DOWN_ZH = _pattern("down_zh")
_BETTER = _pattern("better")
_WORSE = _pattern("worse")
_SPELLED = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "两": 2,
    "二": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "十": 10,
}
_SPAN = _pattern("span")
_SEQUENTIAL = _pattern("sequential")


def aim(core: str, language: str) -> Aim:
    """What the asking sentence wants done with its metric."""
    without = re.sub(
        r"\baverage (?=(?:collection|cost of|age|shares|balance|interest-earning))|weighted[- ]average",
        "",
        core,
    )
    if _POINTS.search(without):
        return Aim.DIFFERENCE
    if bound(without)[0] and _YES_NO.search(without):
        return Aim.SOUND
    for kind, pattern in _AIMS_ZH if language == "zh" else _AIMS_EN:
        if pattern.search(without):
            return kind
    return Aim.VALUE


def supposed(core: str, language: str) -> tuple[int, int]:
    """What a question of yes or no supposes: a rise (1) or fall (-1), getting better (1) or worse (-1)."""
    up, down = (_UP_ZH, _DOWN_ZH) if language == "zh" else (_UP_EN, _DOWN_EN)
    either = bool(up.search(core)), bool(down.search(core))
    judged = bool(_BETTER.search(core)), bool(_WORSE.search(core))
    if not re.search(
        r"^(?:[^?]*,\s*)?(?:is|are|was|were|did|does|do|has|have|had)\b|\bwhether\b|是否|有没有|是不是|有无|吗",
        core,
    ):
        return 0, 0
    return either[0] - either[1], judged[0] - judged[1]


def every(core: str) -> bool:
    """Whether each period on the way matters, not the first and the last alone."""
    return bool(_EVERY.search(core))


def span(core: str) -> int:
    """The number of periods that a sentence names ("three-year average", 近三年); 0 where it names none."""
    m = _SPAN.search(core)
    if m is None:
        return 0
    said = m["n"] or m["z"] or m["z2"]
    return int(said) if said.isdigit() else _SPELLED[said]


def sequential(core: str) -> bool:
    """Whether quarters are compared with the quarter before."""
    return bool(_SEQUENTIAL.search(core))
