"""What the words of a question say by themselves: the kind of answer it expects, the names, numbers and
periods to find again.

Pure functions over strings, English and Chinese. A kind is a hint for choosing sentences, never a filter;
`rag.search.candidates` finds what a sentence holds of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rag.facts.dates import FiscalPeriod, read_periods
from rag.facts.numerals import TIME, alternatives
from rag.languages.text import (
    STOPWORDS_EN,
    content_tokens,
    detect_language,
    normalise,
    query_tokens,
    words,
)
from rag.questions.naming import Word, name_words, spaced

_SUMS = (
    "amount|price|cost|fee|salary|wage|rent|deposit|premium|revenue|income|profit|loss|fine|penalty"
    "|budget|sales|expenses?|costs|dividend|capital expenditures?|cash|debt|assets|liabilities"
)
_COUNTS = (
    "number|rate|ratio|total|dose|dosage|limit|cap|size|length|population|age|margin|value|threshold"
    "|height|depth|weight|distance|speed|temperature|quantity|strength|area|score|interest"
)
_SPANS_OF_TIME = "term|period|duration|notice|deadline|time limit|grace period|lifespan|life expectancy"
_IS = r"\b(?:what|which)(?:'s| is| was| are| were) the (?:\w+ ){0,4}?"
_TIME_UNITS = alternatives(name for name in TIME if name.isascii())
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITALISED = re.compile(r"[A-Z][\w&.'’-]*")
_ZH_TITLE = re.compile(r"[《「“\"]([^》」”\"]{1,40})[》」”\"]")


class AnswerType(StrEnum):
    """`NAME` is a name of any kind; of reasons, definitions and manners the answer is a clause."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DURATION = "duration"
    DATE = "date"
    PERSON = "person"
    ORGANISATION = "organisation"
    NAME = "name"
    PLACE = "place"
    REASON = "reason"
    DEFINITION = "definition"
    MANNER = "manner"
    OTHER = "other"


FIGURES = frozenset({AnswerType.NUMBER, AnswerType.MONEY, AnswerType.PERCENT, AnswerType.DURATION})


def any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    """One pattern that matches where any of these does; letters of either case unless said otherwise."""
    return re.compile("|".join(patterns), flags)


# The first that matches decides: "how many days" is a duration, "which day" a date.
_ASKED = {
    AnswerType.REASON: any_of(
        r"\bwhy\b|\bfor what reason|\bhow come\b",
        r"\bwhat (?:\w+ ){0,3}?(?:reasons?|causes?|caused|led to)\b|\bwhat was the purpose\b",
        r"为什么|为何|为啥|[什何]么?原因|何故|因何|缘由|原因是",
    ),
    AnswerType.DURATION: any_of(
        r"\bhow long\b(?!\s+(?:is|was) the (?:\w+ )?(?:river|bridge|coast|road|wall|border|tunnel|track))",
        rf"\bhow many (?:\w+ )?(?:{_TIME_UNITS})\b|\bwithin what time\b|\bhow soon\b",
        rf"{_IS}(?:{_SPANS_OF_TIME})\b",
        r"多久|多长时间|多少(?:年|个?月|天|日|小时|分钟)|几(?:年|个月|天|日|个?小时|周|个?星期)|期限"
        r"|有效期|时限|时长",
    ),
    AnswerType.DATE: any_of(
        r"\bwhen\b",
        r"\b(?:what|which) (?:\w+ )?(?:year|date|day|month|century|decade|season)\b|\bwhat time\b",
        r"\bas (?:at|of) what date\b|\b(?:release|birth|start|end|expiry|effective) ?date\b",
        r"何时|什么时候|什么时间|哪一?年|哪一?天|几月|日期|几号|时间是|哪个?(?:世纪|年代|朝代|月)|何年",
    ),
    AnswerType.MANNER: any_of(
        r"^how (?!many|much|long|often|old|far|high|large|big|tall|fast|deep|wide|heavy|early|late"
        r"|hot|cold|come|soon|expensive|strong|small)\b|\bin what way\b|\bby what means\b",
        r"怎[么样]|如何|何种方式|什么方[式法]|通过什么",
    ),
    AnswerType.PERCENT: any_of(
        r"\b(?:what|which) (?:percentage|percent|share|proportion|fraction|part of)\b",
        rf"{_IS}(?:percentage|interest rate|tax rate|margin|yield|share of|proportion)\b",
        r"百分之|百分比|占比|比例|比率|利率|税率|增长率|几成",
    ),
    AnswerType.MONEY: any_of(
        r"\bhow much (?:\w+ )?(?:money|does|did|do|is|was|were|are|will|has|have|must|can|may)\b",
        r"\bhow much (?:\w+ )?(?:rent|revenue|cash|profit|tax|income|debt)\b|\bhow expensive\b",
        rf"{_IS}(?:{_SUMS})\b",
        r"多少钱|金额|价格|费用|租金|押金|多少[美欧日港]?元|罚款多少|票房|违约金|定金|工资",
    ),
    AnswerType.NUMBER: any_of(
        r"\bhow (?:many|much|long|often|old|far|high|large|big|tall|fast|deep|wide|heavy|early|late"
        r"|hot|cold)\b",
        rf"{_IS}(?:{_COUNTS})\b|\b(?:population|number|total \w+|strength) of\b",
        r"多少|几[个天年月次人种部岁名条项家位所座届款层]|多[长大久高远重宽深]|数量|剂量|第几|人口"
        r"|面积|身高",
    ),
    AnswerType.PLACE: any_of(
        r"\bwhere\b",
        r"\b(?:what|which) (?:\w+ )?(?:city|country|state|town|place|county|region|court|island|river"
        r"|continent|province|village|area|location|address|capital|ocean|sea|mountain|planet|station)\b",
        r"哪里|哪儿|何处|何地|什么地方|哪个?(?:国家?|城市|省|市|县|地区?|州|岛|大洲|地方)"
        r"|[什何]么(?:地区|城市|国家)|位于哪",
    ),
    AnswerType.ORGANISATION: any_of(
        r"\b(?:what|which) (?:\w+ )?(?:company|bank|team|band|organi[sz]ation|agency|party|university"
        r"|school|college|network|channel|studio|club|firm|group|institution|publisher|airline|government"
        r"|committee|body)\b",
        r"哪[个家所支]?(?:公司|银行|方|机构|大学|学校|球队|组织|部门|企业|集团|俱乐部|单位|电视台"
        r"|政党)|什么(?:公司|机构|部门|组织)",
    ),
    AnswerType.PERSON: any_of(
        r"\bwho(?:m|se)?\b",
        r"\b(?:which|what) (?:\w+ )?(?:person|actor|actress|author|singer|player|president|king"
        r"|queen|director"
        r"|artist|character|writer|composer|judge|doctor|man|woman|scientist|philosopher|explorer)\b",
        r"^(?:the )?(?:actor|actress|singer|author|person|character) (?:who|that|which)\b",
        r"谁|哪位|何人|哪[个一]?(?:人|作家|球员|演员|导演|皇帝|歌手|总统|教练|国王|将军)|什么人",
    ),
    AnswerType.NAME: any_of(
        r"\b(?:what|which) (?:is|was|are|were) the (?:\w+ )?names?\b|\bnames? of\b|\bname\?*$",
        r"\bwhat (?:is|was|are|were) .{1,60}? (?:called|named|known as)\b|\bwas called\??$",
        r"\b(?:what|which) (?:\w+ )?(?:book|movie|film|song|album|episode|show|language|religion|nationality"
        r"|disease|drug|act|law|statute|treaty|war|battle|award|team|ship|animal|species|god|game|brand)\b",
        r"叫什么|名字|名称|哪[个一]?[部首本款张项座条]|什么(?:奖|语言|民族|书|歌|电影|专辑|职位|职务|名)",
    ),
    AnswerType.DEFINITION: any_of(
        r"\bwhat (?:does|do|did) .{1,80}\b(?:mean|stand for|refer to)\b|\bmeaning of\b|\bdefin(?:e|ition)\b",
        r"^what(?:'s| is| are| was| were) (?:a |an |the )?[\w'’ -]{2,40}\?*$",
        r"是什么意思|什么是|何谓|是指什么|指的?是什么|定义|的含义|什么叫",
    ),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that asks, by its words alone. `expects` is the kind of answer, `names` are capitalised words or
    quoted titles as typed, `numbers` digits without separators; `tokens` are those that a search looks for,
    `content` those that say what it is about. `name_words` have their places in `spaced`."""

    text: str
    language: str
    expects: AnswerType
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    tokens: tuple[str, ...]
    content: tuple[str, ...]
    periods: tuple[FiscalPeriod, ...]
    spaced: str
    name_words: tuple[Word, ...]

    @property
    def words(self) -> list[str]:
        """Distinct words as typed, stop words left out."""
        return words(self.text)


def read_wording(text: str) -> Wording:
    """What the words of a text say; never raises."""
    plain = spaced(text)
    return Wording(
        text=text,
        language=detect_language(text),
        expects=expected(text),
        names=_names(text),
        numbers=tuple(dict.fromkeys(n.replace(",", "") for n in _NUMBER.findall(normalise(text)))),
        tokens=tuple(query_tokens(text)),
        content=tuple(content_tokens(text)),
        periods=read_periods(text),
        spaced=plain,
        name_words=name_words(plain),
    )


def expected(text: str) -> AnswerType:
    """The first kind that a pattern of the question speaks for; OTHER where none does."""
    return next((kind for kind, pattern in _ASKED.items() if pattern.search(text)), AnswerType.OTHER)


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
