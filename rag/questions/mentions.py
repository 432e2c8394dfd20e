"""What a question mentions that a follow-up can put another one in the place of: periods, articles,
companies, statutes, drugs, groups of people, sides of a bargain. Pure functions over
strings, English and Chinese.

`Known` recognises names of the index at hand, which no pattern can: it is asked for runs of words and answers
with the kind of name, or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.facts.dates import MONTHS
from rag.languages.text import STOP_WORDS, has_han


class MentionKind(StrEnum):
    """What a mention is. A NAME is a proper name of an unknown kind; it may stand for any other name."""

    YEAR = "year"
    PART = "part of a year"
    DATE = "date"
    REFERENCE = "reference"
    COMPANY = "company"
    STATUTE = "statute"
    SUBJECT = "subject"
    PERSON = "person"
    NAME = "name"
    GROUP = "group"
    SIDE = "side"


NAMES = frozenset(
    {MentionKind.COMPANY, MentionKind.STATUTE, MentionKind.SUBJECT, MentionKind.PERSON, MentionKind.NAME}
)
Known = Callable[[str], MentionKind | None]


@dataclass(frozen=True, slots=True)
class Mention:
    """`[start, end)` of the question; `text` is what stands there, `unit` the sort of reference
    ("article")."""

    slot: MentionKind
    start: int
    end: int
    text: str
    unit: str = ""


def nothing_known(_: str) -> MentionKind | None:
    """No index: no name is known."""
    return None


# "May" and "March" are also words: alone they are months only behind "in".
_MONTH, _MONTH_ALONE = (
    rf"(?:{'|'.join(n.capitalize() for n in MONTHS if len(n) >= least and n not in but)})\b"
    for least, but in ((3, ()), (4, ("may", "march", "sept")))
)
_Y = r"(?:19|20)\d{2}"
_H = "〇零一二三四五六七八九十百"
_YEAR = re.compile(
    rf"(?:\b(?:FY|fiscal(?: year)?|financial year|calendar year"
    rf"|the year)[ -]?'?)?(?<![\d.,$€£-]){_Y}(?:[-/]\d{{2}})?"
    rf"(?![\d%]|[.,]\d)(?:年度?|财年)?|\bFY ?'?\d\d\b|[{_H}]{{4}}年",
    re.IGNORECASE,
)
# "FY2020" looks like a name, and like the end of the one before it.
_FISCAL = re.compile(r"(?:^|\s+)FY ?'?(?:\d\d)?\d\d$", re.IGNORECASE)
_DATE = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}\.?(?:,? {_Y})?"
    rf"|\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? {_Y})?"
    rf"|\b{_MONTH}\.?(?:,? {_Y})|\b{_MONTH_ALONE}"
    rf"|(?<=in )March\b|\b{_Y}-\d\d-\d\d\b|{_Y}年\d{{1,2}}月(?:\d{{1,2}}[日号])?"
)
_PART = re.compile(
    r"\b(?:the )?(?:first|second|third|fourth|last) (?:quarter|half)\b|\b[QH][1-4]\b"
    r"|第?[一二三四1-4]季度|[上下]半年|前三季度",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"\b(?:the )?(?P<back>year before|previous year|prior year|preceding year|year earlier)\b"
    r"|\b(?:the )?(?P<on>year after|next year|following year)\b|(?P<zh_back>上一?年|前一年)"
    r"|(?P<zh_on>下一年|次年|后一年)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\b(?P<unit>section|article|clause|paragraph|note|schedule|exhibit|appendix|annex|item|chapter"
    r"|rule|table"
    r"|recital)s? (?=[\dIVXA-Z])[\dIVXA-Z][\w.-]*(?:\([0-9a-z]{1,4}\))*|§+ ?\d[\w.]*(?:\([0-9a-z]{1,4}\))*"
    rf"|第[\d{_H}]+(?P<zh>[条款项章节编])(?:之[{_H}])?|附[件录表][\d{_H}]+",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"\b(?:children|adults?|infants?|newborns?|neonates?|adolescents?|teenagers|the elderly|toddlers|(?:older"
    r"|elderly|younger|pregnant|breast-?feeding|female|male) (?:people|adults|patients|women|persons)"
    r"|pregnancy|lactation|women|men|patients with [a-z -]+?(?=[?,.]|$|\b(?:in|on|at|is|be|for)\b))\b"
    r"|儿童|成年?人|老年(?:人|患者)?|孕妇|妊娠期?(?:妇女)?|哺乳期(?:妇女)?|婴儿|新生儿|青少年|未成年人"
    r"|[轻中重]度[肝肾]功能不全(?:者|患者)?|[肝肾]功能不全(?:者|患者)?",
    re.IGNORECASE,
)
_SIDE = re.compile(
    r"\b(?:the )?(?:landlord|tenant|lessor|lessee|buyer|seller|purchaser|borrower|lender|employer|employee"
    r"|licensor|licensee|supplier|customer|contractor|client|plaintiff|defendant|claimant|respondent|issuer"
    r"|guarantor|insurer|insured|franchisor|franchisee|trustee|beneficiary)s?\b"
    r"|甲方|乙方|丙方|出租人|承租人|出卖人|买受人|借款人|贷款人|原告|被告|用人单位|劳动者|委托人|受托人"
    r"|发包人|承包人|买方|卖方|保证人",
    re.IGNORECASE,
)
# Endings of international non-proprietary names, by their stems (WHO), and drugs that have none.
_DRUG = re.compile(
    r"\b[a-z]{2,}(?:pril|sartan|statin|olol|azole|mycin|cillin|floxacin|cycline|profen|parin|xaban|gliptin"
    r"|gliflozin|glutide|mab|tinib|tidine|setron|triptan|oxetine|azepam|azolam|barbital|caine|dronate|formin"
    r"|thiazide|semide|zepine|radine|oxone|orphine|acetam|vir|vudine|platin|rubicin|taxel|lukast|terol|olone"
    r"|asone|tropium|parib|ciclib|prazole|dipine|afil|grel|fibrate|trigine|gabalin|pentin|zosin|pamil"
    r"|cef[a-z]+)\b|\b(?:aspirin|paracetamol|acetaminophen|warfarin|digoxin|lithium|insulin|codeine|morphine"
    r"|cortisone|prednisone|amiodarone|diltiazem|methotrexate)\b",
    re.IGNORECASE,
)
_DRUG_ZH = re.compile(
    r"(?:^|(?<=[的和与用服对比、，]))[\u4e00-\u9fff]{1,6}?(?:西林|霉素|沙星|洛尔|普利|沙坦|他汀|单抗"
    r"|替尼|拉唑|地平|氨基酚|洛芬"
    r"|双胍|胰岛素|肝素|华法林|司匹林|列净|列汀|他定|替丁|米松|西泮|卡因|韦)"
)
_CAP = r"[A-Z][\w&'’.-]*[\w&]|[A-Z]\b"
_NAME = re.compile(
    rf"(?:\b(?!(?:19|20)\d\d)\d{{1,4}} (?=[A-Z]))?(?:{_CAP})(?:(?: (?:of|and|the|&|de|van|von|der|for"
    rf"|on))*? (?:{_CAP}|(?:19|20)\d\d(?=\b)))*(?: plc\b)?"
)
_COMPANY = re.compile(
    r"\b(?:Inc|Ltd|LLP|LLC|plc|PLC|Corp|Corporation|Co|Company|GmbH|AG|SA|NV|Bank|Holdings?|Group|Partners"
    r"|Limited|Insurance|Industries|Trust)$|(?:公司|集团|银行|股份)$"
)
_LAW = re.compile(
    r"\b(?:Act|Code|Law|Regulations?|Directive|Rules|Ordinance|Treaty|Constitution|Convention)\b"
)
_PERSON = re.compile(r"^(?:Mr|Mrs|Ms|Dr|Prof|Sir|Judge|Justice)\b")
_NOT_NAMES = frozenset(
    "what who whom whose when where which why how does did do is are was were can could may might must shall "
    "should will would has have had and or but in on at for under with about to of from by if so then also "
    "compare list name give tell explain summarise summarize describe please according between same q1 q2 q3 "
    "q4 h1 h2 section article clause paragraph note schedule exhibit appendix annex item chapter rule table "
    "i usd eur gbp".split()
) | (MONTHS.keys() - {"may"})
_ZH_NAME = re.compile(
    r"《[^《》]{1,40}》"
    r"|[\u4e00-\u9fff]{2,14}?(?:股份有限公司|有限责任公司|有限公司|公司|集团|银行|医院|大学|法院|委员会"
    r"|事务所)|[\u4e00-\u9fff]{0,12}?(?:合同法|[\u4e00-\u9fff]法典?|条例|办法|实施细则)(?=第|规定|中|的|对|里"
    r"|呢|$|[，,？?])"
)
_ZH_LEAD = re.compile(
    r"^(?:请问|那么?|根据|依据|按照|依照|关于|对于?|在|和|与|及|以及|还有|换成|如果是|同样)+"
)


def mentions(question: str, known: Known = nothing_known) -> tuple[Mention, ...]:
    """What the question mentions, in order, without overlaps; dates before years, names of the index before
    names by their look."""
    found: list[Mention] = []

    def add(slot: MentionKind, start: int, end: int, unit: str = "") -> None:
        if start < end and not any(m.start < end and start < m.end for m in found):
            found.append(Mention(slot, start, end, question[start:end], unit))

    for m in _REFERENCE.finditer(question):
        add(MentionKind.REFERENCE, m.start(), m.end(), (m["unit"] or m["zh"] or "").lower())
    for slot, pattern in ((MentionKind.DATE, _DATE), (MentionKind.PART, _PART)):
        for m in pattern.finditer(question):
            add(slot, m.start(), m.end())
    for start, end, slot in _known_names(question, known):
        add(slot, start, end)
    for start, end, slot in _names(question):
        add(slot, start, start + len(_FISCAL.sub("", question[start:end])))
    for slot, pattern in (
        (MentionKind.YEAR, _YEAR),
        (MentionKind.SUBJECT, _DRUG),
        (MentionKind.SUBJECT, _DRUG_ZH),
        (MentionKind.GROUP, _GROUP),
        (MentionKind.SIDE, _SIDE),
    ):
        for m in pattern.finditer(question):
            add(slot, m.start(), m.end())
    return tuple(sorted(found, key=lambda m: m.start))


def relative_year(question: str) -> int:
    """-1 for "the year before", 1 for "the next year", 0 where neither is said."""
    m = _RELATIVE.search(question)
    return 0 if m is None else -1 if m["back"] or m["zh_back"] else 1


def without_relative(question: str) -> str:
    """The question without "the year before"."""
    return _RELATIVE.sub("", question)


_READ = 300  # characters in which names of the index are looked for
_WORD = re.compile(r"[A-Za-z0-9][\w&'’.-]*")


def _known_names(question: str, known: Known) -> Iterator[tuple[int, int, MentionKind]]:
    """Runs of words that the index knows, the longest first; Chinese ones by their characters."""
    if known is nothing_known:
        return
    question = question[:_READ]
    words = [(m.start(), m.end()) for m in _WORD.finditer(question)]
    for size in range(min(8, len(words)), 0, -1):
        for first in range(len(words) - size + 1):
            start, end = words[first][0], words[first + size - 1][1]
            text = re.sub(r"['’]s?$", "", question[start:end]).rstrip(".")
            if text.lower() not in STOP_WORDS and (slot := known(text)):
                yield start, start + len(text), slot
    if has_han(question):
        for size in range(min(20, len(question)), 1, -1):
            for start in range(len(question) - size + 1):
                run = question[start : start + size]
                if "\u4e00" <= run[0] <= "\u9fff" and (slot := known(run)):
                    yield start, start + size, slot


def _names(question: str) -> Iterator[tuple[int, int, MentionKind]]:
    """Names by their look: capitals, 《titles》, Chinese organisations and statutes."""
    for m in _ZH_NAME.finditer(question):
        lead = _ZH_LEAD.match(m.group())
        start = m.start() + (lead.end() if lead else 0)
        law = re.search(r"法典?》?$|条例》?$|办法》?$|细则》?$", m.group()) and not m.group().endswith("公司")
        yield (
            start,
            m.end(),
            MentionKind.STATUTE
            if law
            else MentionKind.COMPANY
            if _COMPANY.search(m.group())
            else MentionKind.NAME,
        )
    if question.isupper():
        return
    for m in _NAME.finditer(question):
        start, text = m.start(), m.group()
        while (first := text.split(" ", 1))[0].lower().rstrip(".'’") in _NOT_NAMES | STOP_WORDS:
            if len(first) == 1:
                text = ""
                break
            start, text = start + len(first[0]) + 1, first[1]
        text = re.sub(r"['’]s?$|[.]$", "", text)
        text = re.sub(r"(?: (?:and|or|of|the|for))+$", "", text)
        if len(text) > 1 and (text[0].isupper() or text[0].isdigit()):
            yield start, start + len(text), _kind(text)


def _kind(text: str) -> MentionKind:
    if _PERSON.match(text):
        return MentionKind.PERSON
    if _LAW.search(text):
        return MentionKind.STATUTE
    return MentionKind.COMPANY if _COMPANY.search(text.rstrip(".")) else MentionKind.NAME
