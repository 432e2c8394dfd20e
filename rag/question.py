"""What a question asks for, read by code: the type of answer it expects, the names and numbers it must find again.

Pure functions over strings, English and Chinese. An expected type is a hint for choosing sentences, never a filter.
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
    """A question taken apart. `names` are capitalised words or 《titles》 as typed, `numbers` digit strings without separators."""

    text: str
    expects: AnswerType
    names: tuple[str, ...]
    numbers: tuple[str, ...]


_TYPES: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    (
        AnswerType.DATE,
        re.compile(
            r"\bwhen\b|\bwhat (?:year|date|day|month|time)\b|\bwhich (?:year|month|day)\b|\b(?:on|by|in|from|until) "
            r"(?:what|which) (?:year|date|day|month)\b|何时|什么时候|什么时间|哪一?年|哪一?天|几月|日期|几号|时间是",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerType.NUMBER,
        re.compile(
            r"\bhow (?:many|much|long|often|old|far|high|large|big|tall|fast|soon|early|late)\b|\bwhat (?:is|was|are|were) the "
            r"(?:\w+ ){0,4}?(?:amount|number|rate|price|cost|fee|percentage|ratio|total|dose|dosage|limit|cap|size|length|"
            r"population|age|salary|rent|deposit|premium|margin|revenue|income|value|threshold|term|period|duration|notice)\b|\bwhat (?:percentage|percent|share|proportion)\b|"
            r"\bpopulation of\b|多少|几[个天年月次人种部岁名条项家位所座届]|多[长大久高远重宽深]|比例|金额|百分之|数量|期限|剂量",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerType.PLACE,
        re.compile(r"\bwhere\b|\b(?:what|which) (?:city|country|state|town|place|county|region|court)\b|哪里|哪儿|何处|什么地方|哪个?(?:国家?|城市|省|市|县|地区?)", re.IGNORECASE),
    ),
    (
        AnswerType.NAME,
        re.compile(r"\bwho(?:m|se)?\b|\bwhat (?:is|was) the name\b|\bwhich (?:person|company|party|bank|actor|author|team)\b|谁|哪位|何人|哪[个家]?(?:人|公司|作家|球员|演员|导演|方|银行)|什么人|叫什么|名字", re.IGNORECASE),
    ),
)

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITALISED = re.compile(r"[A-Z][\w&.'’-]*")
_ZH_TITLE = re.compile(r"[《「“\"]([^》」”\"]{1,40})[》」”\"]")
_DIGIT = re.compile(r"\d|[一二三四五六七八九十百千万亿两半]{1,}(?=[个年月日天人次种部岁名条项家位所座届元度倍米公千万亿])", re.IGNORECASE)
_SPELLED = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|hundred|thousand|"
    r"million|billion|half|once|twice|daily|weekly|monthly|annually)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:1[0-9]|20)\d{2}\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th)? "
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)\b|\d{1,4}\s?年|\d{1,2}\s?月|\d{1,2}\s?日|"
    r"[一二三四五六七八九十]+[月日年]|世纪|年代|\bcentury\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+(?: (?:[A-Z][\w.'’-]+|of|the|and|de|van))* ?[A-Z]?[\w'’-]*")
_NAME_ZH = re.compile(r"[\u4e00-\u9fff]{1,6}[·•][\u4e00-\u9fff]{1,8}|[赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严金魏姜谢邹苏潘葛范彭鲁马方任袁柳史唐薛雷贺汤罗郝安常于傅齐康余顾孟黄穆萧尹姚邵汪毛狄贝明戴宋庞熊纪舒项祝董梁杜阮蓝闵席季贾江童颜郭梅林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯卢莫房解丁邓洪包石崔吉龚程邢裴陆荣翁段侯武刘龙叶黎白蒲卓乔闻党翟谭申冉曾关游权益公司][\u4e00-\u9fff]{1,2}|公司|集团|银行|大学|协会")
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
    """Capitalised words that are not the first, or that cannot be a mere sentence opening, and quoted titles."""
    found = list(_ZH_TITLE.findall(question))
    if not question.isupper():
        for match in _CAPITALISED.finditer(question):
            word = match.group().rstrip(".'’").removesuffix("'s").removesuffix("’s")
            opening = not question[: match.start()].strip() or question[: match.start()].rstrip().endswith((".", "?", "!", ":"))
            if word.lower() not in STOPWORDS_EN and not (opening and word[1:].islower()) and len(word) > 1:
                found.append(word)
    return tuple(dict.fromkeys(found))


def offers(sentence: str, expects: AnswerType, known: str = "") -> bool | None:
    """Whether a sentence holds something of the expected type that the question itself does not say; None for OTHER."""
    if expects is AnswerType.OTHER:
        return None
    known = normalise(known)
    if expects is AnswerType.NUMBER:
        numbers = [n for n in _NUMBER.findall(sentence) if n not in known]
        return bool(numbers) or bool(_DIGIT.search(_NUMBER.sub("", sentence))) or bool(_SPELLED.search(sentence))
    if expects is AnswerType.DATE:
        return any(m.group().lower() not in known for m in _DATE.finditer(sentence))
    pattern = _PLACE if expects is AnswerType.PLACE else _NAME
    if has_han(sentence) and expects is AnswerType.NAME:
        pattern = _NAME_ZH
    return any(normalise(m.group()) not in known for m in pattern.finditer(sentence))
