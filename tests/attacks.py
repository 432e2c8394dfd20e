"""Makes false sentences out of true ones: one fact, one turning word or one party changed at a time.

Each corruption is a small rule with a name; `corrupt(sentence)` yields (rule, false sentence). Rules are
written so that what they yield is false (or at least another claim) whenever the sentence is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

# (rule, pattern, replacement): every match is replaced on its own.
_SWAPS: tuple[tuple[str, str, str], ...] = (
    ("negation dropped", r"\b(shall|must|may|should|does|do|did|was|were|is|are) not\b", r"\1"),
    ("negation dropped", r"\bno (?=[a-z])", ""),
    ("negation dropped", r"不得(?!超过)", "可以"),
    ("negation dropped", r"禁止", "可以"),
    ("negation dropped", r"未经", "经"),
    ("negation dropped", r"不存在", "存在"),
    ("negation dropped", r"不建议", "建议"),
    ("negation dropped", r"未(?=按照|与)", ""),
    ("negation added", r"\b(shall|must|may|should|is|are|was|were)\b(?! not| be no)", r"\1 not"),
    ("negation added", r"\b(reported|acquired|repurchased|delivered|declared) ", r"did not \1 "),
    ("negation added", r"应当", "不应当"),
    ("negation added", r"可以", "不可以"),
    ("negation added", r"有效期", "无有效期"),
    ("modality", r"\b(?:shall|must)\b(?! not)", "may"),
    ("modality", r"\b(?:shall|must) not\b", "may"),
    ("modality", r"\bmay\b(?! not)", "shall"),
    ("modality", r"\bmust\b", "should"),
    ("modality", r"应当|必须", "可以"),
    ("modality", r"可以|可能", "必须"),
    ("direction", r"\bincreased\b", "decreased"),
    ("direction", r"\b(?:decreased|declined)\b", "increased"),
    ("direction", r"\blowers\b", "raises"),
    ("direction", r"\bhigher\b", "lower"),
    ("direction", r"\blower\b", "higher"),
    ("direction", r"\bmore than\b", "less than"),
    ("direction", r"\bat least\b", "at most"),
    ("direction", r"\bunder\b(?= \d)", "over"),
    ("direction", r"\bup to\b", "at least"),
    ("direction", r"\bshall not exceed\b", "shall exceed"),
    ("direction", r"\b(?:following|after)\b", "before"),
    ("direction", r"\b(?:before|preceding)\b", "after"),
    ("direction", r"\bnet loss\b", "net profit"),
    ("direction", r"增长|增加|上升|上涨", "下降"),
    ("direction", r"下降|下滑|降低", "上升"),
    ("direction", r"高于", "低于"),
    ("direction", r"以下", "以上"),
    ("direction", r"不得超过|不超过", "不得低于"),
    ("direction", r"(?<!不)超过(?!部分)", "少于"),
    ("direction", r"之前|前(?=向)", "后"),
    ("direction", r"净利润", "净亏损"),
    ("scale", r"\bmillion\b", "billion"),
    ("scale", r"\bbillion\b", "million"),
    ("scale", r"万(?=元)", "亿"),
    ("scale", r"亿(?=元)", "万"),
    ("unit", r"\b(?:business )?days\b", "months"),
    ("unit", r"\bbusiness days\b", "days"),
    ("unit", r"\bmonths\b", "years"),
    ("unit", r"\byears?\b(?! limit| in)", "months"),
    ("unit", r"\bmg\b", "g"),
    ("unit", r"\bmg\b", "mcg"),
    ("unit", r"\bmmHg\b", "kPa"),
    ("unit", r"\bminutes\b", "hours"),
    ("unit", r"\bweeks\b", "days"),
    ("unit", r"°C", "°F"),
    ("unit", r"%", " basis points"),
    ("unit", r"\$", "€"),
    ("unit", r"毫克", "克"),
    ("unit", r"毫摩尔", "摩尔"),
    ("unit", r"(?<=[\d十])日内", "个月内"),
    ("unit", r"个月", "年"),
    ("unit", r"(?<=[二三十\d])年(?=[，。的内])", "个月"),
    ("unit", r"摄氏度", "华氏度"),
    ("unit", r"(?<=[\d万亿])元", "美元"),
    ("restriction", r"\bonly ", ""),
    ("restriction", r"只能", "可以"),
    ("condition", r"\bunless\b", "when"),
    ("condition", r"\b(?:without)\b", "with"),
    ("choice", r" and (?=\d|[a-z])", " or "),
    ("frequency", r"\bonce daily\b", "twice daily"),
    ("frequency", r"每日", "每周"),
    ("frequency", r"饭后", "饭前"),
    ("cause", r"\b(?:driven by|because of|primarily due to)\b", "despite"),
    ("part", r"\bsevere\b", "mild"),
    ("part", r"严重", "轻度"),
    ("part", r"\boutside\b", "inside"),
    (
        "bound dropped",
        r"\b(?:at least|at most|up to|(?:not |no )?more than|less than) (?=\S*\d)",
        "",
    ),
    ("bound dropped", r"(?:不超过|不得超过|不少于|不低于|至少|最多)(?=[\d一二三四五六七八九十百])", "为"),
    ("bound dropped", r"(?<=[元日年岁月天])(?:以上|以下|以内)", ""),
    ("frequency", r"\b(?:per|a) (?=day\b)", "every other "),
    ("frequency", r"\bdaily\b", "weekly"),
    ("frequency", r"\bmonthly\b", "quarterly"),
    ("frequency", r"\b(?:annual|yearly)\b(?! report)", "monthly"),
    ("frequency", r"\bannually\b", "monthly"),
    ("frequency", r"每月", "每年"),
    ("frequency", r"每年", "每月"),
    ("frequency", r"(?<=每[日天])([二三四])次", "一次"),
    ("unit dropped", r"(?<=\d) (?:mg|ml|kg|mmHg|mmol/L|per cent|percent|bps)\b", ""),
    ("unit dropped", r"(?<=\d)%", ""),
    ("unit dropped", r" per (?:day|week|month|year|annum|kg)\b", ""),
    ("currency", r"\bUSD\b", "EUR"),
    ("currency", r"\bUS\$", "HK$"),
    ("currency", r"\bEUR\b", "USD"),
    ("currency", r"€|£", "$"),
    ("currency", r"\bGBP\b", "EUR"),
    ("currency", r"人民币", "美元"),
    ("currency", r"(?<=[\d万亿])美元", "欧元"),
    ("period", r"\b(?:first|third) quarter\b", "second quarter"),
    ("period", r"\bsecond quarter\b", "fourth quarter"),
    ("period", r"\bfirst half\b", "second half"),
    ("period", r"第一季度|第三季度", "第二季度"),
    ("period", r"上半年", "下半年"),
    ("period", r"\bJanuary\b", "June"),
    ("period", r"\bMarch\b", "April"),
    ("period", r"\bJune\b", "July"),
    ("period", r"\bSeptember\b", "October"),
    ("period", r"\bDecember\b", "November"),
    ("hedge dropped", r"\b(?:is|are) expected to (?=\w)", "did "),
    ("hedge dropped", r"预计|拟", ""),
    ("ordinal", r"\bfirst\b(?! (?:half|quarter))", "third"),
    ("ordinal", r"\bsecond\b(?! (?:half|quarter))", "third"),
    ("ordinal", r"第一(?=[年期次笔阶])", "第三"),
    ("article", r"\b(?:Section|Article|Clause|Note) \d+", r"Section 99"),
    ("article", r"第[二三四五六七八九]条", "第十九条"),
    ("comparison", r"\babove\b", "below"),
    ("comparison", r"\bbelow\b", "above"),
    ("comparison", r"\bfewer\b", "more"),
    ("comparison", r"\blonger\b", "shorter"),
    ("comparison", r"低于", "高于"),
    ("comparison", r"少于", "多于"),
    ("comparison", r"以上", "以下"),
    ("article", r"Section 7\.3", "Section 7.4"),
    ("article", r"第十二条", "第十三条"),
)
_PARTIES = (
    "Buyer/Seller Tenant/Landlord Borrower/Lender Licensee/Licensor treatment/placebo plaintiff/defendant "
    "Supplier/Customer "
    "甲方/乙方 承租人/出租人 劳动者/用人单位 借款人/贷款人 治疗组/对照组 云杉科技有限公司/北湖银行 "
    "Contractor/Client employee/employer "
    "Harlow_Logistics_Ltd./Brightwater_Foods_Inc. Marlin_Energy/Copperfield_Pipelines Marlin/Hamlin "
    "Northgate/Southgate 公司/客户 "
    "total_debt/cash director/shareholder Metformin/Insulin Veloxan/Velotrix Singapore/London SIAC/ICC "
    "SOFR/LIBOR aspirin/ibuprofen"
).split()
_WORDS = (
    "three/four five/six two/three four/five six/seven twelve/eleven thirty/forty sixty/fifty twenty/thirty"
)
_HAN = dict(zip("二三四五六七八九", "三四五六七八九二", strict=True))


def corrupt(sentence: str) -> Iterator[tuple[str, str]]:
    """Every (rule, false sentence) that the rules make of a true one, without repeats."""
    seen = {sentence}
    for rule, false in _all(sentence):
        if false not in seen:
            seen.add(false)
            yield rule, false


def _all(sentence: str) -> Iterator[tuple[str, str]]:
    yield from _digits(sentence)
    yield from _number_words(sentence)
    for rule, pattern, replacement in _SWAPS:
        for m in re.finditer(pattern, sentence):
            yield rule, sentence[: m.start()] + m.expand(replacement) + sentence[m.end() :]
    yield from _parties(sentence)
    yield from _names(sentence)
    yield from _labels(sentence)


# Labels of names, each with what it is changed to.
_LABELS = {
    **{"A": "BC", "B": "AD", "C": "BA", "D": "AB", "K": "AC", "1": "23", "2": "13", "3": "21"},
    **{"甲": "乙丙", "乙": "甲丁", "丙": "乙", "丁": "丙", "一": "二", "二": "一三", "三": "二"},
    **{"I": ("II", "III"), "II": ("III", "I"), "III": ("II", "IV"), "IV": ("III", "VI"), "V": ("IV", "VI")},
}
_LABEL = re.compile(
    r"(?<=[A-Za-z]{3} )(?:[A-DK]|I{1,3}|IV|V)(?![\w'’])"
    r"|(?<=(?:ype|age|ade|oup|ard|vel|ase|rty|lot|ite) )[1-3]\b(?![.,]\d)"
    r"|[甲乙丙丁](?!状|醇)|(?<=[者人户方司员])[A-DK](?![A-Za-z\d])|(?<![A-Za-z])(?:[A-DK]|I{1,3})(?=[类股型期级座])"
    r"|(?<![一二三四五六七八九十百])[一二三](?=审|级|类|型|期)"
)
_NOUN_EN = re.compile(
    r"\b[Tt]he ([A-Z][a-z]{3,}|[a-z]{4,})(?= (?:shall|must|may|is|was|has|had|will|can|and)\b|[.,;])"
)
_NOUN_ZH = re.compile(
    r"(?<![\u4e00-\u9fff])(公司|患者|投资者|申请人|承租人|出租人|借款人|贷款人|保证人|卖方|买方)"
)
_GIVEN = "Party A,Party B,Schedule I,ward II,Class A,hepatitis B,type 2,Annex III,vitamin K".split(",")
_LETTERED = "A I B II C III K IV".split()


def lettered(sentence: str) -> Iterator[str]:
    """The sentence with each of its nouns in turn told apart by a letter or numeral: "the Buyer" as "Buyer
    A", "Buyer I" and "Party B", 患者 as 患者甲. True of a source that is changed likewise."""
    for n, m in enumerate(_NOUN_EN.finditer(sentence)):
        given = _GIVEN[(n + m.start()) % len(_GIVEN)]
        for name in (f"{m[1]} {_LETTERED[n % 8]}", f"{m[1]} I", given):
            name = name[0].upper() + name[1:] if m.start() == 0 else name
            yield sentence[: m.start()] + name + sentence[m.end() :]
    for n, m in enumerate(_NOUN_ZH.finditer(sentence)):
        before, behind = ("A类", "II型", "二级", "甲", "丙")[n % 5], "甲乙AB"[n % 4]
        for name in (f"{before}{m[1]}", f"{m[1]}{behind}"):
            yield sentence[: m.start()] + name + sentence[m.end() :]


def _labels(sentence: str) -> Iterator[tuple[str, str]]:
    """The letter or numeral of a name by another one; two of a sentence exchanged."""
    found = list(_LABEL.finditer(sentence))
    for m in found:
        rule = (
            "letter"
            if m.group() in "ABCDK甲乙丙丁"
            else "roman numeral"
            if m.group()[0] in "IV"
            else "label number"
        )
        for other in _LABELS[m.group()]:
            yield rule, sentence[: m.start()] + other + sentence[m.end() :]
    for a, b in pairwise(found):
        if a.group() != b.group():
            swapped = sentence[: a.start()] + b.group() + sentence[a.end() : b.start()] + a.group()
            yield "labels exchanged", swapped + sentence[b.end() :]


# Names that resemble no real one more than they resemble each other.
_STRANGER = ("Ashcombe", "Bellingrath")
_COMMON = frozenset(
    "January February March April May June July August September October November December".split()
)


def _names(sentence: str) -> Iterator[tuple[str, str]]:
    """A name by another one, and by one that differs from it by a letter."""
    for m in re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{4,}\b", sentence):
        name = m.group()
        if name in _COMMON:
            continue
        near = name[:-2] + ("a" if name[-2] != "a" else "o") + name[-1]
        for other in (_STRANGER[len(name) % 2], near):
            yield "name", sentence[: m.start()] + other + sentence[m.end() :]


def _digits(sentence: str) -> Iterator[tuple[str, str]]:
    """One digit of each number another one; years one off; a digit more."""
    for m in re.finditer(r"\d", sentence):
        digit = str((int(m.group()) + 1 + m.start() % 7) % 10)
        if digit != m.group() and not (digit == "0" and not sentence[m.start() - 1 : m.start()].isdigit()):
            yield "digit", sentence[: m.start()] + digit + sentence[m.end() :]
    for m in re.finditer(r"(?<!\d)(?:19|20)\d\d(?!\d)", sentence):
        for step in (-1, 1):
            yield "year", sentence[: m.start()] + str(int(m.group()) + step) + sentence[m.end() :]
    for m in re.finditer(r"(?<![\d.,])\d{1,3}(?![\d.,])", sentence):
        yield "digit added", sentence[: m.end()] + "0" + sentence[m.end() :]


def _number_words(sentence: str) -> Iterator[tuple[str, str]]:
    for pair in _WORDS.split():
        one, other = pair.split("/")
        for m in re.finditer(rf"\b{one}\b", sentence):
            yield "number word", sentence[: m.start()] + other + sentence[m.end() :]
    for m in re.finditer(r"[二三四五六七八九](?=[十百千万]|个|年|日|倍|条|款|分之)", sentence):
        yield "number word", sentence[: m.start()] + _HAN[m.group()] + sentence[m.end() :]


def _parties(sentence: str) -> Iterator[tuple[str, str]]:
    for pair in _PARTIES:
        one, other = pair.replace("_", " ").split("/")
        if one in sentence and other in sentence:
            swapped = sentence.replace(one, "\0").replace(other, one).replace("\0", other)
            yield "party swapped", swapped
        for a, b in ((one, other), (other, one)):
            if a in sentence and b not in sentence:
                yield "party replaced", sentence.replace(a, b)
