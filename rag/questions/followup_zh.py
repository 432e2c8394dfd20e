"""Chinese follow-ups: what a fragment gives (那第三条呢), what 它 and 该公司 stand for, what was asked for.
Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

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

_OPENER = re.compile(
    r"^(?:那么|那|还有|另外|以及|此外|而|再者|请问|再问一下|如果是|换成|同样|若是|要是)+[，,]?(?:在"
    r"|对于|关于|按)?"
)
_TRAILER = re.compile(r"(?:又)?(?:呢|如何呢|怎么样呢?|怎样呢|又如何|的话呢?)?[？?。！!]*$")
_ASKS = re.compile(
    r"什么|多[少久长大高远]|何|哪|谁|怎|是否|能否|可否|吗|几[个天年月次人种岁名条项家份级倍]|是不是"
    r"|有没有|会不会|能不能|可不可以"
)
_BARE = re.compile(
    r"^(?:那么?)?(?:又)?(?:为什么|为何|怎么办|原因(?:是什么|何在)?|依据(?:是什么)?|理由(?:是什么)?|多少"
    r"|谁|由谁|何时|什么时候|哪一?条"
    r"|有(?:什么|无|没有)?例外(?:情况|情形)?吗?|还有(?:别的|其他|哪些)?吗?|怎么说|具体(?:呢|是什么"
    r"|怎么算)?|真的吗|多久|在哪里?|如何(?:计算|处理)?"
    r"|怎么(?:计算|处理|算)|需要多久|是什么意思|后果(?:是什么)?|有什么后果)(?:呢|吗)?[？?。]*$"
)
_NO_SUBJECT = re.compile(
    r"^(?:又|还|也|都)?(?:怎么|怎样|如何|是否|能否|可否|会|可以|应当?|需要?|有(?:什么|哪些|无|没有"
    r"|多少)|由谁|由哪|何时|什么时候|多[久长少]"
    r"|谁|在哪|属于|包括|适用|最[长高低多少大早晚]|一共|总共)"
)
_COMPARES = re.compile(r"^(?:与|和|跟|同|比|较)(?:上|前|去|同)")
_DEFINES = re.compile(r"^什么(?:是|叫)|是什么意思|(?:定义|含义)是什么")
# What was asked for: the noun in front of the words that ask.
_ASKED = re.compile(
    r"(?P<x>[^的，,。？?]{1,14}?)(?P<tail>(?:一共|总共|分别|共|约|大约|最[长高低多少])?(?:是|为|有"
    r"|达到?|等于|定为|算)?(?:多[少大长久高]|几|什么|哪[些个种]?|谁|何时|如何|怎[么样])[^的]*)$"
)
_PRONOUN = re.compile(
    r"其中|(?P<own>(?:它们?|他们?|她们?)的|其(?![他它余中实次一二三]))|(?:该|此|本|上述|前述"
    r"|这[个家份种部款项]|那[个家份种部])(?P<noun>公司|企业|银行|集团|法|条例"
    r"|办法|法律|法规|合同|协议|药品?|产品|疾?病|规定"
    r"|保险|基金|债券|案件?|条款|条)?(?![年月天日次时])|(?P<bare>它们?|他们|她们|他|她)"
)
_FITTING = {
    **dict.fromkeys(("公司", "企业", "银行", "集团"), frozenset({MentionKind.COMPANY, MentionKind.NAME})),
    **dict.fromkeys(
        ("法", "法律", "法规", "条例", "办法"), frozenset({MentionKind.STATUTE, MentionKind.NAME})
    ),
    **dict.fromkeys(("条", "条款"), frozenset({MentionKind.REFERENCE})),
    "规定": frozenset({MentionKind.REFERENCE, MentionKind.STATUTE}),
}
_PERIODS = frozenset({MentionKind.YEAR, MentionKind.PART, MentionKind.DATE})
_NOT_TOPIC = re.compile(r"^(?:请问|根据|依据|按照|依照|关于|对于?|在|如果|当|若)+")


def resolve(question: str, earlier: str, known: Known = nothing_known) -> str:
    """The follow-up in words that stand alone; "" where it already does."""
    if _BARE.match(question) or _COMPARES.match(question):
        return _glued(earlier, question)
    opener = _OPENER.match(question)
    rest = question[opener.end() :] if opener else question
    trailer = _TRAILER.search(rest)
    bare = rest[: trailer.start()] if trailer else rest
    ends = "呢" in question[-3:] or bool(trailer and "怎么样" in trailer.group())
    named = mentions(bare, known)
    if not _ASKS.search(bare) and (ends or opener or len(bare) <= 8):
        return _fragment(bare, named, earlier, known) or _glued(earlier, question)
    if (m := _pointing(rest, named)) is not None:
        return _replaced(rest, m, earlier, known) or _glued(earlier, question)
    if any(n.slot in NAMES for n in named):
        return rest if opener and rest != question else ""
    if _DEFINES.search(bare):
        return ""
    short = len(bare) <= 8 and any(n.slot in NAMES for n in mentions(earlier, known))
    grouped = len(bare) <= 12 and any(n.slot is MentionKind.GROUP for n in named)
    if _NO_SUBJECT.match(rest) or opener or grouped or short or len(bare) <= 4:
        return _about(rest, earlier, known)
    return ""


def _glued(earlier: str, question: str) -> str:
    """Both in one question, for one answer: of two questions each would be answered by itself."""
    return f"{earlier.strip().rstrip('?？!！。. ')}，{question.strip()}"


def _fragment(bare: str, named: Sequence[Mention], earlier: str, known: Known) -> str:
    """The earlier question with what the fragment gives in the place of its like."""
    years = [m for m in mentions(earlier, known) if m.slot is MentionKind.YEAR]
    step = relative_year(bare)
    if step and len(years) == 1 and (digits := re.search(r"\d{4}", years[0].text)):
        year = years[0].text.replace(digits.group(), str(int(digits.group()) + step))
        earlier = earlier[: years[0].start] + year + earlier[years[0].end :]
        bare = without_relative(bare)
        named = mentions(bare, known)
    result, left = earlier, bare
    for mention in reversed(named):
        left = left[: mention.start] + left[mention.end :]
    for mention in named:
        like = _like(mention, result, known)
        if like is None:
            result = _inserted(mention, result, known)
        else:
            result = result[: like.start] + mention.text + result[like.end :]
            if mention.slot is MentionKind.REFERENCE and mention.unit == "条":
                result = re.sub(r"(?<=条)第[^条款项，,？?]{1,4}[款项]", "", result)
    left = re.sub(r"^(?:的|里|中|在|对|和|与|是)+|(?:的|里|中|规定|情况|方面)+$", "", left.strip("，, "))
    return (_kind_of(left, result) or _asking(left, result)) if left else result


def _kind_of(given: str, question: str) -> str:
    """A kind of what the question opens with takes its place: 不动产合同 for 合同; "" where it is none."""
    head = given[-2:]
    if len(given) > 3 and question.startswith(head) and not question.startswith(given):
        return given + question[2:]
    return ""


def _like(mention: Mention, question: str, known: Known) -> Mention | None:
    for m in mentions(question, known):
        same = m.slot is mention.slot and (m.slot is not MentionKind.REFERENCE or m.unit == mention.unit)
        names = m.slot in NAMES and mention.slot in NAMES and MentionKind.NAME in (m.slot, mention.slot)
        if same or names:
            return m
    return None


def _inserted(mention: Mention, question: str, known: Known) -> str:
    """What has no like: a paragraph behind its article, a period behind the company, the rest in front."""
    there = mentions(question, known)
    after = None
    if mention.slot is MentionKind.REFERENCE:
        after = next((m for m in reversed(there) if m.slot is MentionKind.REFERENCE and m.unit == "条"), None)
        after = after or next((m for m in there if m.slot is MentionKind.STATUTE), None)
    elif mention.slot in _PERIODS:
        after = next((m for m in reversed(there) if m.slot in NAMES or m.slot is MentionKind.YEAR), None)
    if after:
        return question[: after.end] + mention.text + question[after.end :]
    return f"{mention.text}，{question}" if mention.slot is MentionKind.GROUP else f"{mention.text}{question}"


def _asking(wanted: str, question: str) -> str:
    """The question with something else asked for; "" where it cannot be determined what was asked for."""
    m = _ASKED.search(question.rstrip("？?。 "))
    if m is None:
        return ""
    before = question[: m.start("x")]
    named = before.endswith("的") or not before
    if not named or (not before and not re.match(r"是|为|有|达", m["tail"])):
        return ""
    end = question[len(question.rstrip("？?。 ")) :]
    return f"{before}{wanted}{m['tail']}{end}"


def _pointing(rest: str, named: Sequence[Mention]) -> re.Match[str] | None:
    """The first pronoun whose noun does not stand before it."""
    for m in _PRONOUN.finditer(rest):
        if not any(o.end <= m.start() and o.slot in NAMES | {MentionKind.SIDE} for o in named):
            return m
    return None


def _replaced(rest: str, m: re.Match[str], earlier: str, known: Known) -> str:
    if m.group() == "其中":
        about = topic(earlier)
        return f"{rest[: m.start()]}{about}中{rest[m.end() :]}" if about else ""
    name = _named(m, earlier, known)
    if not name:
        return ""
    owned = "的" if m["own"] and not rest[m.end() :].startswith("的") else ""
    period = _period(rest, earlier, known) if owned else ""
    return f"{rest[: m.start()]}{name}{period}{owned}{rest[m.end() :]}"


def _named(m: re.Match[str], earlier: str, known: Known) -> str:
    there = mentions(earlier, known)
    noun = m.groupdict().get("noun") or ""
    slots = _FITTING.get(noun, NAMES)
    found = next((n.text for n in there if n.slot in slots), "")
    if found or noun in _FITTING:
        return found
    return next((n.text for n in there if n.slot is MentionKind.SIDE), "") or _head(earlier)


def _head(earlier: str) -> str:
    """What stands before the first 的, or the words that ask, where it is short enough to be a name."""
    head = _NOT_TOPIC.sub("", earlier).split("的")[0]
    m = _ASKS.search(head)
    head = re.sub(r"(?:是|为|有|应当?|可以|需要?|能|会|由|怎)+$", "", head[: m.start()] if m else head)
    return head if 1 < len(head) <= 12 else ""


def _period(rest: str, earlier: str, known: Known) -> str:
    """The period that the conversation is about, where the follow-up asks for a figure and names none."""
    if not re.search(r"多少|比例|金额|几", rest) or any(m.slot in _PERIODS for m in mentions(rest, known)):
        return ""
    found = [m for m in mentions(earlier, known) if m.slot in _PERIODS]
    return earlier[found[0].start : found[-1].end] if found and len(found) < 3 else ""


def topic(earlier: str) -> str:
    """A question without the words that ask: 岚海公司2023年的营业收入 of 岚海公司2023年的营业收入是多少？"""
    plain = _NOT_TOPIC.sub("", earlier.rstrip("？?。 "))
    m = _ASKED.search(plain)
    return plain[: m.end("x")] if m else ""


def _about(rest: str, earlier: str, known: Known) -> str:
    """A new question about the matter of the one before."""
    there = mentions(earlier, known)
    name = next((n.text for n in there if n.slot in NAMES), "") or _head(earlier)
    if not name:
        return _glued(earlier, rest)
    return rest if name in rest else f"{name}{rest}"
