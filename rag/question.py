"""What a question asks for, read by code: the type of answer it expects, the names and numbers to find again.

Pure functions over strings, English and Chinese. An expected type is a hint for choosing sentences, never a
filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rag.text import STOPWORDS_EN, has_han, normalise


class AnswerType(StrEnum):
    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    PLACE = "place"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart. `names` are capitalised words or quoted titles as typed, `numbers` are digits
    without separators."""

    text: str
    expects: AnswerType
    names: tuple[str, ...]
    numbers: tuple[str, ...]


def _any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(patterns), flags)


_AMOUNTS = (
    "amount|number|rate|price|cost|fee|percentage|ratio|total|dose|dosage|limit|cap|size|length|population|age|"
    "salary|rent|deposit|premium|margin|revenue|income|value|threshold|term|period|duration|notice"
)
# The first that matches decides: "how many years" is a number, "in which year" a date.
_TYPES: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    (
        AnswerType.DATE,
        _any_of(
            r"\bwhen\b",
            r"\b(?:what|which) (?:year|date|day|month|time)\b",
            r"何时|什么时候|什么时间|哪一?年|哪一?天|几月|日期|几号|时间是",
        ),
    ),
    (
        AnswerType.NUMBER,
        _any_of(
            r"\bhow (?:many|much|long|often|old|far|high|large|big|tall|fast|soon|early|late)\b",
            rf"\bwhat (?:is|was|are|were) the (?:\w+ ){{0,4}}?(?:{_AMOUNTS})\b",
            r"\bwhat (?:percentage|percent|share|proportion)\b|\bpopulation of\b",
            r"多少|几[个天年月次人种部岁名条项家位所座届]|多[长大久高远重宽深]|比例|金额|百分之|数量|期限|剂量",
        ),
    ),
    (
        AnswerType.PLACE,
        _any_of(
            r"\bwhere\b|\b(?:what|which) (?:city|country|state|town|place|county|region|court)\b",
            r"哪里|哪儿|何处|什么地方|哪个?(?:国家?|城市|省|市|县|地区?)",
        ),
    ),
    (
        AnswerType.NAME,
        _any_of(
            r"\bwho(?:m|se)?\b|\bwhat (?:is|was) the name\b",
            r"\bwhich (?:person|company|party|bank|actor|author|team)\b",
            r"谁|哪位|何人|哪[个家]?(?:人|公司|作家|球员|演员|导演|方|银行)|什么人|叫什么|名字",
        ),
    ),
)

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITALISED = re.compile(r"[A-Z][\w&.'’-]*")
_ZH_TITLE = re.compile(r"[《「“\"]([^》」”\"]{1,40})[》」”\"]")
_SPELLED = _any_of(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|hundred"
    r"|thousand|million|billion|half|once|twice|daily|weekly|monthly|annually)\b",
    r"[一二三四五六七八九十百千万亿两半]+(?=[个年月日天人次种部岁名条项家位所座届元度倍米公千万亿])",
)
_DATE = _any_of(
    r"\b(?:1[0-9]|20)\d{2}\b",
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}\b",
    r"\b\d{1,2}(?:st|nd|rd|th)? (?:jan|febr)uary\b",
    r"\b\d{1,2}(?:st|nd|rd|th)? (?:march|april|may|june|july|august|(?:septem|octo|novem|decem)ber)\b",
    r"\d{1,4}\s?年|\d{1,2}\s?[月日]|[一二三四五六七八九十]+[月日年]|世纪|年代|\bcentury\b",
)
_NAME = re.compile(
    r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+(?: (?:[A-Z][\w.'’-]+|of|the|and|de|van))* ?[A-Z]?[\w'’-]*"
)
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严金魏姜谢邹苏潘葛范彭鲁马方任袁柳史唐薛雷贺汤罗郝安常于傅齐康余顾孟"
    "黄穆萧尹姚邵汪毛狄贝明戴宋庞熊纪舒项祝董梁杜阮蓝闵席季贾江童颜郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房解丁邓洪"
    "包石崔吉龚程邢裴陆荣翁段侯武刘龙叶黎白蒲卓乔闻党翟谭申冉曾关游权"
)
_NAME_ZH = re.compile(
    rf"[\u4e00-\u9fff]{{1,6}}[·•][\u4e00-\u9fff]{{1,8}}|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}|公司|集团|银行|大学|协会"
)
_PLACE = re.compile(r"\b(?:in|at|near|from|to|of) (?:the )?[A-Z]\w+|[省市县区州国镇村乡路街岛山河湖]")


def analyse(question: str) -> Question:
    """Takes a question apart; never raises."""
    return Question(
        text=question,
        expects=next((kind for kind, pattern in _TYPES if pattern.search(question)), AnswerType.OTHER),
        names=_names(question),
        numbers=tuple(dict.fromkeys(n.replace(",", "") for n in _NUMBER.findall(normalise(question)))),
    )


def _names(question: str) -> tuple[str, ...]:
    """Quoted titles, and capitalised words that are more than the capital of a sentence's first word."""
    found = list(_ZH_TITLE.findall(question))
    if not question.isupper():
        for match in _CAPITALISED.finditer(question):
            word = match.group().rstrip(".'’").removesuffix("'s").removesuffix("’s")
            before = question[: match.start()].rstrip()
            opens = not before or before.endswith((".", "?", "!", ":"))
            if len(word) > 1 and word.lower() not in STOPWORDS_EN and not (opens and word[1:].islower()):
                found.append(word)
    return tuple(dict.fromkeys(found))


def offers(sentence: str, expects: AnswerType, known: str = "") -> bool | None:
    """Whether a sentence holds something of the expected type that the question itself does not say; None for
    OTHER."""
    if expects is AnswerType.OTHER:
        return None
    known = normalise(known)
    if expects is AnswerType.NUMBER:
        fresh = any(n not in known for n in _NUMBER.findall(sentence))
        return fresh or bool(_SPELLED.search(sentence))
    pattern = {AnswerType.DATE: _DATE, AnswerType.PLACE: _PLACE, AnswerType.NAME: _NAME}[expects]
    if has_han(sentence) and expects is AnswerType.NAME:
        pattern = _NAME_ZH
    return any(normalise(m.group()) not in known for m in pattern.finditer(sentence))
