"""What of a question had no support: names and words that stand in no document, or not near the best
passages, and what it demands (a company, a year, an article) that no passage is. In words, English and
Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.answertypes import AnswerType
from rag.question import analyse
from rag.store import Store
from rag.telling import label_words
from rag.text import content_tokens, search_tokens, words
from rag.types import Filters, Gap, Hit

_MOST = 6
_ON_TOPIC = {
    "en": "the passages are on the topic, but none of their sentences answers the question",
    "zh": "所检索的段落与主题有关，但没有一句能回答这个问题",
}
_NOTHING = {"en": "no passage shares a word with the question", "zh": "没有任何段落与问题有相同的词语"}
_ABSENT = {"en": "in no document searched: {words}", "zh": "所检索的文件中没有出现：{words}"}
_FAR = {"en": "not in the passages nearest to it: {words}", "zh": "最接近的段落中没有：{words}"}
_DEMANDED = {"en": "no passage found is of: {words}", "zh": "没有找到属于以下范围的段落：{words}"}
_KIND: Mapping[AnswerType, tuple[str, str]] = {
    AnswerType.NUMBER: ("a figure", "数字"),
    AnswerType.MONEY: ("an amount", "金额"),
    AnswerType.PERCENT: ("a percentage", "百分比"),
    AnswerType.DURATION: ("a length of time", "期限"),
    AnswerType.DATE: ("a date", "日期"),
    AnswerType.PERSON: ("a person", "人"),
    AnswerType.ORGANISATION: ("an organisation", "机构"),
    AnswerType.NAME: ("a name", "名称"),
    AnswerType.PLACE: ("a place", "地点"),
    AnswerType.REASON: ("a reason", "原因"),
}
_ASKED = {"en": "asked for was {kind}", "zh": "所问的是{kind}"}
_JOIN = {"en": ("; ", ", ", " "), "zh": ("；", "、", "：")}


def missing(
    question: str,
    hits: Sequence[Hit],
    store: Store,
    language: str,
    *,
    relaxed: Sequence[Gap] = (),
    filters: Filters | None = None,
) -> str:
    """What of the question the hits, and the documents that pass the filters, do not hold, in words of the
    language for the reader of a refusal; never empty. Named are, as typed, words that no searched document
    holds and words that stand in none of the hits; what of the `relaxed` demands no passage is ("company
    Thornfield Marsh plc"); without any of these the sort of answer that was looked for."""
    spoken = "zh" if language == "zh" else "en"
    between, comma, colon = _JOIN[spoken]
    typed = {word: search_tokens(word) for word in words(question)}
    wanted = frozenset(content_tokens(question))
    held: set[str] = set()
    for fields in store.token_fields([hit.chunk_id for hit in hits]).values():
        held.update(*(field.split() for field in fields))
    lacking = {
        word: tokens
        for word, tokens in typed.items()
        if wanted.intersection(tokens) and held.isdisjoint(wanted.intersection(tokens))
    }
    absent = [w for w, tokens in lacking.items() if not store.lexical(tokens, limit=1, filters=filters)]
    far = [word for word in lacking if word not in absent][:_MOST]
    demanded = {
        n.what: n.values for gap in relaxed if gap.rank is None for n in gap.wanted if n.what in gap.missed
    }
    absent = list(dict.fromkeys([*demanded.pop("unknown", ()), *absent[:_MOST]]))
    demands = [f"{label_words(what, spoken)}{colon}{comma.join(names)}" for what, names in demanded.items()]
    said = [] if hits else [_NOTHING[spoken]]
    for words_of, sentence in ((absent, _ABSENT), (demands, _DEMANDED), (far, _FAR)):
        if words_of:
            said.append(sentence[spoken].format(words=comma.join(words_of)))
    if not said:
        said = [_ON_TOPIC[spoken]]
        if kind := _KIND.get(analyse(question).expects):
            said.append(_ASKED[spoken].format(kind=kind[spoken == "zh"]))
    return between.join(said)
