"""Chinese follow-ups: what a fragment gives (那第三条呢), what 它 and 该公司 stand for, what was asked for.
Pure."""

from __future__ import annotations

import re

from rag.languages import in_order, patterns
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

_RULES = patterns("followup", unspaced=True)
_ASKED, *_ = in_order(lambda of: of.asked, unspaced=True)
_TRAILER = re.compile(r"(?:又)?(?:呢|如何呢|怎么样呢?|怎样呢|又如何|的话呢?)?[？?。！!]*$")
_FITTING = {
    **dict.fromkeys(("公司", "企业", "银行", "集团"), frozenset({MentionKind.COMPANY, MentionKind.NAME})),
    **dict.fromkeys(
        ("法", "法律", "法规", "条例", "办法"), frozenset({MentionKind.STATUTE, MentionKind.NAME})
    ),
    **dict.fromkeys(("条", "条款"), frozenset({MentionKind.REFERENCE})),
    "规定": frozenset({MentionKind.REFERENCE, MentionKind.STATUTE}),
}
_NOT_TOPIC = re.compile(r"^(?:请问|根据|依据|按照|依照|关于|对于?|在|如果|当|若)+")


def resolve(question: str, earlier: str, known: Known = nothing_known) -> str:
    """The follow-up in words that stand alone; "" where it already does."""
    if _RULES["bare"].match(question):
        return _glued(earlier, question)
    opener = _RULES["opener"].match(question)
    rest = question[opener.end() :] if opener else question
    trailer = _TRAILER.search(rest)
    bare = rest[: trailer.start()] if trailer else rest
    ends = "呢" in question[-3:] or bool(trailer and "怎么样" in trailer.group())
    named = mentions(bare, known)
    if not _RULES["asks"].search(bare) and (ends or opener or len(bare) <= 8):
        return _fragment(bare, earlier, known) or _glued(earlier, question)
    noun = min((n.end for n in named if n.slot in NAMES | {MentionKind.SIDE}), default=len(rest))
    if (m := _RULES["pronoun"].search(rest)) and m.start() < noun:  # else it stands for that
        return _replaced(rest, m, earlier, known) or _glued(earlier, question)
    if any(n.slot in NAMES for n in named):
        return rest if opener and rest != question else ""
    if _RULES["defines"].search(bare):
        return ""
    short = len(bare) <= 8 and any(n.slot in NAMES for n in mentions(earlier, known))
    grouped = len(bare) <= 12 and any(n.slot is MentionKind.GROUP for n in named)
    if _RULES["no_subject"].match(rest) or opener or grouped or short or len(bare) <= 4:
        return _about(rest, earlier, known)
    return ""


def _glued(earlier: str, question: str) -> str:
    """Both in one question, for one answer: of two questions each would be answered by itself."""
    return f"{earlier.strip().rstrip('?？!！。. ')}，{question.strip()}"


def _fragment(bare: str, earlier: str, known: Known) -> str:
    """The earlier question with what the fragment gives in the place of its like."""
    left, result = moved_year(bare, earlier, known)
    named = mentions(left, known)
    for mention in reversed(named):
        left = left[: mention.start] + left[mention.end :]
    for mention in named:
        like = next((m for m in mentions(result, known) if alike(mention, m)), None)
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


def _inserted(mention: Mention, question: str, known: Known) -> str:
    """What has no like: a paragraph behind its article, a period behind the company, the rest in front."""
    there = mentions(question, known)
    after = None
    if mention.slot is MentionKind.REFERENCE:
        after = next((m for m in reversed(there) if m.slot is MentionKind.REFERENCE and m.unit == "条"), None)
        after = after or next((m for m in there if m.slot is MentionKind.STATUTE), None)
    elif mention.slot in PERIODS:
        after = next((m for m in reversed(there) if m.slot in NAMES or m.slot is MentionKind.YEAR), None)
    if after:
        return question[: after.end] + mention.text + question[after.end :]
    return f"{mention.text}，{question}" if mention.slot is MentionKind.GROUP else f"{mention.text}{question}"


def _asking(wanted: str, question: str) -> str:
    """The question with something else asked for; "" where it cannot be determined what was asked for."""
    plain = question.rstrip("？?。 ")
    m = _ASKED.search(plain)
    before = question[: m.start("x")] if m else ""
    if m and (before.endswith("的") or (not before and re.match(r"是|为|有|达", m["tail"]))):
        return f"{before}{wanted}{m['tail']}{question[len(plain) :]}"
    return ""


def _replaced(rest: str, m: re.Match[str], earlier: str, known: Known) -> str:
    if m.group() == "其中":
        # 岚海公司2023年的营业收入 of 岚海公司2023年的营业收入是多少？
        plain = _NOT_TOPIC.sub("", earlier.rstrip("？?。 "))
        asked = _ASKED.search(plain)
        return f"{rest[: m.start()]}{plain[: asked.end('x')]}中{rest[m.end() :]}" if asked else ""
    name = _named(m, earlier, known)
    if not name:
        return ""
    owned = "的" if m["own"] and not rest[m.end() :].startswith("的") else ""
    # A question for a figure that names no period is for the one that the conversation is about.
    figure = owned and re.search(r"多少|比例|金额|几", rest)
    found = periods_before(rest, earlier, known) if figure else []
    period = earlier[found[0].start : found[-1].end] if found else ""
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
    m = _RULES["asks"].search(head)
    head = re.sub(r"(?:是|为|有|应当?|可以|需要?|能|会|由|怎)+$", "", head[: m.start()] if m else head)
    return head if 1 < len(head) <= 12 else ""


def _about(rest: str, earlier: str, known: Known) -> str:
    """A new question about the matter of the one before."""
    name = next((n.text for n in mentions(earlier, known) if n.slot in NAMES), "") or _head(earlier)
    if not name:
        return _glued(earlier, rest)
    return rest if name in rest else f"{name}{rest}"
