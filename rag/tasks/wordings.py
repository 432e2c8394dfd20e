"""The wordings of questions about many passages, English and Chinese, and what each asks for, as a value.

Only wordings that leave no doubt are here: "How many days' notice ..." and 有几天 ask for a figure that
stands in a sentence, "Which documents must be filed?" for what is stated somewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_DOCUMENT = (
    r"documents?|files?|texts?|sources?|contracts?|agreements?|leases?|reports?|filings?|polic(?:y|ies)|guidelines?|"
    r"leaflets?|statutes?|laws?|acts?|regulations?|judge?ments?|cases?|memos?|papers?|stud(?:y|ies)|abstracts?|"
    r"records?|letters?|handbooks?|manuals?"
)
_DOCUMENTS = (
    r"documents|files|texts|sources|contracts|agreements|leases|reports|filings|policies|guidelines|leaflets|statutes|"
    r"laws|acts|regulations|judge?ments|cases|memos|papers|studies|abstracts|records|letters|handbooks|manuals"
)
_SECTION = r"clauses?|sections?|articles?|provisions?|paragraphs?|chapters?|schedules?|annexe?s?|recitals?"
_SECTIONS = r"clauses|sections|articles|provisions|paragraphs|chapters|schedules|annexe?s|recitals"
_PASSAGES = r"passages|sentences|places|mentions|references|occurrences"
_MENTIONS = (
    r"(?:(?:also|explicitly|expressly|actually|even)\s+)?"
    r"(?:mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|refer(?:s|red|ring)?\s+to|discuss(?:es|ed|ing)?|"
    r"deal(?:s|ing)?\s+with|dealt\s+with|cover(?:s|ing)?|address(?:es|ing)?|speak(?:s|ing)?\s+(?:of|about)|"
    r"talk(?:s|ing)?\s+about|(?:are|is)\s+about|relat(?:es?|ing)\s+to|concern(?:s|ing)?|cit(?:es?|ing)|"
    r"quot(?:es?|ing)|defin(?:es?|ing)|provid(?:es?|ing)\s+for|stat(?:es?|ing)|sa(?:y|ys|ying)|includ(?:es?|ing)|"
    r"us(?:es?|ing)\s+the\s+(?:words?|terms?|phrases?|expressions?)|describ(?:es?|ing)|specif(?:y|ies|ying)|"
    r"set(?:s|ting)?\s+out|touch(?:es)?\s+(?:on|upon)|requir(?:es?|ing)|allow(?:s|ing)?|prohibit(?:s|ing)?|"
    r"impos(?:es?|ing)|have\s+anything\s+to\s+say\s+about|(?:have|has|with)\s+an?\b)"
)
_ABOUT = r"(?:about|on|regarding|concerning|relating\s+to|dealing\s+with|with|that\s+concern)"
_OF_ALL = r"(?:of\s+(?:the|these|those|our|my|all(?:\s+the)?)\s+)?"
_THAT = r"(?:(?:that|which)\s+)?"
_WHAT_KIND = r"(?:[\w-]+\s+){0,2}?"  # "how many supply contracts mention"
_PLEASE = (
    r"^(?:please,?\s+|kindly\s+|(?:can|could|would|will)\s+you\s+(?:please\s+)?|"
    r"i(?:'d|\s+would)\s+like\s+you\s+to\s+)*"
)
_LIST = (
    rf"{_PLEASE}(?:(?:list|enumerate)\s+|name\s+(?=all\b|every\b|each\b)|"
    r"(?:show|find|get)(?:\s+me)?\s+(?=all\b|every\b|each\b)|"
    r"(?:give|show|provide|make|compile)\s+(?:me\s+|us\s+)?a\s+(?:full\s+|complete\s+)?list\s+of\s+)"
    r"(?!prices?\b)(?:for\s+me\s+|out\s+|me\s+)?(?:(?:all|every|each|any)\s+)?(?:of\s+)?(?:the\s+|those\s+)?"
)
_DOC_ZH = (
    "(?:文件|文档|合同|协议书?|报告|年报|法律|法规|条例|规章|判决书?|裁决书?|案例|指南|说明书|资料|制度|政策|公告|论文|"
    "文章|病历|路径)"
)
_SEC_ZH = "(?:条款|条文|章节|段落|规定|条|章|节|段|款|处|地方)"
_MENTIONS_ZH = (
    "(?:都|均|明确|具体|里面?|中|内)*(?:提到|提及|涉及到?|包含|含有|规定|约定|载有|载明|讲到|谈到|说到|写明|写到|"
    "引用|定义|描述|讨论|记载|要求|禁止|允许|包括(?!在)|有关|关于|与)了?(?:有关|关于)?"
)
_MEASURE_ZH = "(?:份|个|部|篇|条|处|段|章|节|项|款|种|本)"
_PLEASE_ZH = "^(?:请问?|麻烦|帮我|帮忙|给我|您?能否|能不能|可以|你|您|一下|，)*"


class Ask(StrEnum):
    """What is to be done with every passage that matches."""

    COUNT = "count"
    LIST = "list"
    COMPARE = "compare"
    SUMMARISE = "summarise"


class CountUnit(StrEnum):
    """What is counted or listed. ROW: entries, which are rows where they stand in a table; THING: what only
    a reader can distinguish, so passages are counted for it."""

    DOCUMENT = "document"
    SECTION = "section"
    ROW = "row"
    PASSAGE = "passage"
    THING = "thing"


@dataclass(frozen=True, slots=True)
class Intent:
    """`topic` is what the passages have to be about, as typed, "" for all of them; `noun` what is counted or
    listed, as typed ("contracts"); `sides` what is compared, `topic` then being in what respect. Where it is
    not `sure`, the wording is taken so only if the topic names a document."""

    ask: Ask
    topic: str
    unit: CountUnit = CountUnit.PASSAGE
    noun: str = ""
    sides: tuple[str, ...] = ()
    sure: bool = True


# In order; the first that matches decides. Groups: noun, topic.
ENGLISH: tuple[tuple[Ask, CountUnit, re.Pattern[str]], ...] = tuple(
    (ask, unit, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for ask, unit, pattern in (
        (Ask.COUNT, CountUnit.DOCUMENT,
         rf"\b(?:how\s+many|(?:the\s+)?number\s+of|count)\s+{_OF_ALL}(?:the\s+)?(?P<noun>{_WHAT_KIND}(?:{_DOCUMENT}))"
         rf"\s+{_THAT}{_MENTIONS}\s+(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.SECTION,
         rf"\b(?:how\s+many|(?:the\s+)?number\s+of|count)\s+{_OF_ALL}(?:the\s+)?(?P<noun>{_SECTION})\s+"
         rf"(?:(?:in|of)\s+(?P<scope>.+?)\s+)?{_THAT}{_MENTIONS}\s+(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.PASSAGE,
         rf"\b(?:how\s+many|(?:the\s+)?number\s+of|count)\s+{_OF_ALL}(?:the\s+)?(?P<noun>{_PASSAGES})\s+"
         rf"(?:of|to|{_THAT}{_MENTIONS})\s+(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.PASSAGE,
         r"\bhow\s+(?:many\s+times|often)\s+(?:is|are|was|were|do|does|did)\s+(?P<topic>.+?)\s+"
         r"(?P<noun>mentioned|named|cited|quoted|referred\s+to|occur|appear)\b(?P<where>.*)"),
        (Ask.COUNT, CountUnit.PASSAGE,
         r"\bhow\s+many\s+times\s+(?:does|do|did)\s+(?P<where>.+?)\s+(?P<noun>mention|cite|quote|refer\s+to|"
         r"use\s+the\s+(?:word|term|phrase))\s+(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.SECTION,
         rf"^how\s+many\s+(?P<noun>{_SECTIONS})\s+(?:(?:are\s+there|are)\s+in|does|do)\s+(?P<topic>.+?)"
         r"(?:\s+(?:have|contain|comprise|consist\s+of|include))?\s*\?*$"),
        (Ask.COUNT, CountUnit.DOCUMENT, rf"^how\s+many\s+(?P<noun>{_DOCUMENTS})\s+(?P<here>.+)$"),
        (Ask.COUNT, CountUnit.ROW,
         r"^how\s+many\s+(?P<noun>.+?)\s+are\s+(?:listed|mentioned|named|tabulated|shown)"
         r"(?P<topic>\s+(?:in|under)\b.+|\s*\?*)$"),
        (Ask.LIST, CountUnit.DOCUMENT,
         rf"\b(?:which|what)\s+{_OF_ALL}(?P<noun>{_WHAT_KIND}(?:{_DOCUMENTS}))\s+{_THAT}{_MENTIONS}\s+(?P<topic>.+)"),
        (Ask.LIST, CountUnit.SECTION,
         rf"\b(?:which|what)\s+{_OF_ALL}(?P<noun>{_SECTIONS}|{_PASSAGES})\s+"
         rf"(?:(?:in|of)\s+(?P<scope>.+?)\s+)?{_THAT}{_MENTIONS}\s+(?P<topic>.+)"),
        (Ask.LIST, CountUnit.DOCUMENT,
         rf"^in\s+(?:which|what)\s+(?:of\s+the\s+)?(?P<noun>{_DOCUMENTS})\s+(?:is|are|was|were|do|does)\s+"
         r"(?P<topic>.+?)\s+(?:mentioned|named|cited|discussed|referred\s+to|appear|occur|found|described|defined)\b"),
        (Ask.LIST, CountUnit.PASSAGE,
         r"^where(?:\s+in\s+(?P<where>.+?))?\s+(?:is|are|does|do)\s+(?P<topic>.+?)\s+"
         r"(?P<noun>mentioned|referred\s+to)\b"),
        (Ask.LIST, CountUnit.DOCUMENT,
         rf"{_LIST}(?P<noun>{_WHAT_KIND}(?:{_DOCUMENTS}|document|file))(?:\s+(?:{_THAT}{_MENTIONS}|{_ABOUT})\s+(?P<topic>.+))?$"),
        (Ask.LIST, CountUnit.SECTION,
         rf"{_LIST}(?P<noun>{_SECTIONS}|clause|section|article|provision|{_PASSAGES}|passage|sentence|mention|reference)"
         rf"\s+(?:(?:in|of)\s+(?P<scope>.+?)\s+)?(?:{_THAT}{_MENTIONS}|{_ABOUT}|of|to)\s+(?P<topic>.+)$"),
        (Ask.LIST, CountUnit.THING, rf"{_LIST}(?P<topic>(?P<noun>.+))$"),
        (Ask.LIST, CountUnit.THING, r"^what\s+are\s+all\s+(?:of\s+)?(?:the\s+)?(?P<topic>(?P<noun>.+))$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         rf"{_PLEASE}(?:summari[sz]e|sum\s+up|recap|outline)\s+(?P<topic>.+)$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         rf"{_PLEASE}(?:give|write|provide|show|make|prepare|draft)\s+(?:me\s+|us\s+)?(?:an?|the)\s+"
         r"(?:(?:short|brief|quick|concise|general|high-level|executive)\s+)*"
         r"(?:summary|overview|outline|synopsis|abstract)\s+(?:of|on|about)\s+(?P<topic>.+)$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         r"^(?:an?\s+)?(?:(?:short|brief|quick|concise|general)\s+)*(?:summary|overview|synopsis)\s+of\s+(?P<topic>.+)$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         r"^what\s+are\s+the\s+(?:main|key|most\s+important|essential)\s+(?:points|contents|terms|provisions|takeaways)\s+"
         r"(?:of|in)\s+(?P<topic>.+)$(?P<unsure>)"),
    )
)  # fmt: skip
CHINESE: tuple[tuple[Ask, CountUnit, re.Pattern[str]], ...] = tuple(
    (ask, unit, re.compile(pattern))
    for ask, unit, pattern in (
        (Ask.COUNT, CountUnit.DOCUMENT,
         rf"(?:多少|(?<!哪)几){_MEASURE_ZH}?(?P<noun>{_DOC_ZH}){_MENTIONS_ZH}(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.SECTION,
         rf"^(?P<scope>.*?)(?:一共|总共|共|中|里)*有?(?:多少|(?<!哪)几){_MEASURE_ZH}?(?P<noun>{_SEC_ZH}){_MENTIONS_ZH}(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.DOCUMENT,
         rf"^{_MENTIONS_ZH}(?P<topic>.+?)的(?P<noun>{_DOC_ZH})(?:一共|总共|共)?有?(?:多少|几){_MEASURE_ZH}[？?]*$"),
        (Ask.COUNT, CountUnit.SECTION,
         rf"^{_MENTIONS_ZH}(?P<topic>.+?)的(?P<noun>{_SEC_ZH})(?:一共|总共|共)?有?(?:多少|几){_MEASURE_ZH}[？?]*$"),
        (Ask.COUNT, CountUnit.PASSAGE,
         r"^(?:(?P<where>.+?)[中里])?(?:一共|总共|共)?(?:提到|提及|出现|引用)了?(?:多少|几)[次处](?P<noun>)(?P<topic>.+)"),
        (Ask.COUNT, CountUnit.PASSAGE,
         r"^(?:(?P<where>.+?)[中里])?(?P<topic>.+?)(?:一共|总共|共)?(?:被)?(?P<noun>出现|提到|提及)了?(?:多少|几)[次处]"),
        (Ask.COUNT, CountUnit.SECTION,
         rf"^(?P<topic>.+?)(?:一共|总共|共)[有分]?(?:多少|几)(?:个)?(?P<noun>{_SEC_ZH})[？?]*$"),
        (Ask.COUNT, CountUnit.DOCUMENT,
         rf"^(?P<here>(?:索引|库|资料库|文件夹|目录|这里|这些文件)?[中里]?)(?:一共|总共|共)?有?(?:多少|几)[份个部篇本]"
         rf"(?P<noun>{_DOC_ZH})(?:[？?]|可以检索|可供检索)*$"),
        (Ask.COUNT, CountUnit.ROW,
         r"^(?P<topic>.*?)(?:一共|总共|共)?(?:列出|列有|列明|列示|登记|收录|载列)了?"
         r"(?:多少|几)[个名种项条家只笔位](?P<noun>.+?)[？?]*$"),
        (Ask.LIST, CountUnit.DOCUMENT, rf"(?:哪些|哪几{_MEASURE_ZH}?)"
        rf"(?P<noun>{_DOC_ZH}){_MENTIONS_ZH}(?P<topic>.+)"),
        (Ask.LIST, CountUnit.SECTION,
         rf"^(?P<scope>.*?)(?:中|里)?(?:有)?(?:哪些|哪几{_MEASURE_ZH}?)"
         rf"(?P<noun>{_SEC_ZH}){_MENTIONS_ZH}(?P<topic>.+)"),
        (Ask.LIST, CountUnit.DOCUMENT,
         rf"^{_MENTIONS_ZH}(?P<topic>.+?)的(?P<noun>{_DOC_ZH})(?:都|分别)?(?:有|是)哪(?:些|几{_MEASURE_ZH})[？?]*$"),
        (Ask.LIST, CountUnit.DOCUMENT,
         rf"{_PLEASE_ZH}(?:列出|列举|罗列|找出|列一下|枚举)(?:所有|全部|一切)?的?(?:{_MENTIONS_ZH}(?P<topic>.+?)的)?"
         rf"(?P<noun>{_DOC_ZH})(?:清单|名单|名称|列表)?[。？?！!]*$"),
        (Ask.LIST, CountUnit.SECTION,
         rf"{_PLEASE_ZH}(?:列出|列举|罗列|找出|列一下|枚举)(?P<scope>.*?)(?:中|里)?(?:所有|全部|一切)?的?{_MENTIONS_ZH}"
         rf"(?P<topic>.+?)的(?P<noun>{_SEC_ZH})[。？?！!]*$"),
        (Ask.LIST, CountUnit.THING,
         rf"{_PLEASE_ZH}(?:列出|列举|罗列|找出|列一下|枚举)(?:所有|全部|一切)?的?(?P<topic>(?P<noun>.+))$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         rf"{_PLEASE_ZH}(?:总结|概述|概括|归纳|综述|小结)(?:一下|下)?(?P<topic>.+)$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         r"^(?:请)?(?:把|将|对)(?P<topic>.+?)(?:进行|做|作|加以)?(?:一?个|一下)?(?:简要|简短)?的?(?:总结|概述|概括|归纳)(?:一下)?[。？?！!]*$"),
        (Ask.SUMMARISE, CountUnit.PASSAGE,
         r"^(?P<topic>.+?)的?(?:主要内容|内容概要|内容提要|要点)(?:是什么|有哪些|是哪些|有什么)[？?]*$(?P<unsure>)"),
    )
)  # fmt: skip
