"""Why a sentence of an answer has its state, as a value that says itself in the reader's language.

Checks yield a `VerificationReason`: a code with the words it speaks of. `VerificationReason.words("zh")` is
what a reader sees; what documents and answers say is put in as it stands."""

from __future__ import annotations

from dataclasses import dataclass

# code -> (English, Chinese). {label} is the citation, {claimed} words of the sentence, {stated} of the
# source.
WORDS: dict[str, tuple[str, str]] = {
    "verbatim": ("verbatim in {label}", "与 {label} 的原文一字不差"),
    "quoted": ("quoted word for word", "逐字引用"),
    "computed": ("computed from the cited cells", "由所引单元格算出"),
    "given": ("computed from the numbers of the question", "由问题中的数字算出"),
    "all found": ("every word, figure and name occurs in {label}", "用词、数字和名称均见于 {label}"),
    "parts found": ("each part occurs in {label}", "各部分分别见于 {label}"),
    "spread": (
        "its words are spread over two sentences of {label}",
        "内容分散在 {label} 的两句话中，无法确认其间的关系",
    ),
    "aside": (
        "supported, but not by the evidence that bears most on the question",
        "有依据，但依据不是与问题最相关的语句",
    ),
    "too long": ("longer than {most} characters and not verbatim", "超过 {most} 个字符，且并非原文"),
    "no evidence": ("there is no evidence", "没有可供核对的依据"),
    "nothing to check": ("it says nothing that can be checked", "其中没有可以核对的内容"),
    "too little": ("only {share} of its words occur in {label}", "只有 {share} 的用词见于 {label}"),
    "new words": ("not in {label}: {claimed}", "{label} 中没有：{claimed}"),
    "echoed": ("words of the question only: {claimed}", "仅见于问题的词：{claimed}"),
    "off topic": ("{label} hardly mentions what was asked", "{label} 几乎没有提到所问的事项"),
    "absent": ("{kind} {claimed} does not occur in {label}", "{kind}“{claimed}”在 {label} 中没有"),
    "rounded": (
        "{kind} {claimed} stands in {label} as {stated}",
        "{kind}“{claimed}”在 {label} 中写作“{stated}”",
    ),
    "asked only": (
        "{kind} {claimed} occurs in the question only, not in {label}",
        "{kind}“{claimed}”仅见于问题，{label} 中没有",
    ),
    "spelled out": ("{claimed} is spelled out in {label}", "“{claimed}”在 {label} 中是全称"),
    "denies": (
        "the sentence says “{claimed}” where {label} does not",
        "这句话说“{claimed}”，而 {label} 没有这样说",
    ),
    "left out": ("{label} says “{stated}” and the sentence does not", "{label} 说“{stated}”，而这句话没有"),
    "turned": (
        "the sentence says “{claimed}” where {label} says “{stated}”",
        "这句话说“{claimed}”，而 {label} 说“{stated}”",
    ),
    "not said": ("“{claimed}” is not said in {label}", "{label} 中没有说“{claimed}”"),
    "said more": ("“{claimed}” is said more often than in {label}", "“{claimed}”在这句话中比在 {label} 中多"),
    "dropped": ("“{stated}” of {label} is left out", "略去了 {label} 中的“{stated}”"),
    "change": (
        "{label} says “{stated}” of {figure} and the sentence does not",
        "{label} 中的 {figure} 是“{stated}”的幅度，而这句话没有这样说",
    ),
    "bound": (
        "{label} says “{stated}” of {figure} and the sentence does not",
        "{label} 对 {figure} 说“{stated}”，而这句话没有",
    ),
    "range": (
        "{claimed} is one end of a range in {label}, {stated}",
        "“{claimed}”只是 {label} 中范围“{stated}”的一端",
    ),
    "column": (
        "{claimed} does not stand under {stated} in {label}",
        "在 {label} 中，“{claimed}”不在“{stated}”一列",
    ),
    "order": (
        "“{claimed}” and “{stated}” stand in another order in {label}",
        "“{claimed}”与“{stated}”在 {label} 中的次序不同",
    ),
    "voice": (
        "one of the sentence and {label} is in the passive, in the same order",
        "这句话与 {label} 次序相同，而其中一个是被动语态",
    ),
    "rival": (
        "{rival} stands in {label} between “{claimed}” and “{stated}”",
        "在 {label} 中，“{claimed}”与“{stated}”之间另有“{rival}”",
    ),
    "clauses": (
        "“{claimed}” and “{stated}” stand in different clauses of {label}",
        "“{claimed}”与“{stated}”在 {label} 的不同分句中",
    ),
}
# What is said of a kind of fact; English names are those of `rag.facts.quantity.Kind`.
_KINDS_ZH = {
    "number": "数字",
    "percentage": "百分比",
    "amount": "金额",
    "measure": "计量",
    "duration": "期限",
    "date": "日期",
    "reference": "条款编号",
    "ordinal": "次序",
    "name": "名称",
    "": "",
}


@dataclass(frozen=True, slots=True)
class VerificationReason:
    """One reason: a code of the table above and the words that go into it."""

    code: str
    values: tuple[tuple[str, str], ...] = ()

    def words(self, language: str = "en") -> str:
        """The reason as a sentence; English for every language but Chinese."""
        english, chinese = WORDS[self.code]
        values = dict(self.values)
        if language.startswith("zh"):
            if "kind" in values:
                values["kind"] = _KINDS_ZH.get(values["kind"], values["kind"])
            return chinese.format(**values)
        return english.format(**values).strip()


def reason(code: str, **values: str) -> VerificationReason:
    """The reason of that code; KeyError for one that does not exist or lacks a value."""
    made = VerificationReason(code, tuple(values.items()))
    made.words()
    return made
