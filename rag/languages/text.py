"""Language, sentences and search tokens of English and Chinese text.

Everything here is a pure function over strings. Sentence spans index into the text that was passed: nothing
is cleaned, so `text[span.start:span.end]` is always verbatim."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from rag.languages import union
from rag.types import Span

# Part of the index manifest: tokens made by another version do not match the ones in an index.
TOKENS_VERSION = 2

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_RUN = re.compile(f"[{_HAN}]+")
_TOKEN = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+(?:[.,'’][^\\W_{_HAN}]+)*")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")

# A full stop after these does not end a sentence.
ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st jr sr vs v inc corp co ltd llc plc no nos art arts sec secs fig figs para "
    "paras p pp cf e.g i.e etc al approx dept est gen gov hon rev sen rep u.s u.k u.n d.c a.m p.m "
    "ph.d jan feb mar apr jun jul aug sep sept oct nov dec cl ch vol ed eds ex exh op cir".split()
)
# Of those, the ones that do end a sentence when a capital letter follows are not worth guessing at: a missed
# boundary makes one long quote, a wrong one cuts a quote in two.
_SENTENCE_END = re.compile(
    r"(?P<zh>[。！？；…]+[”’」』）\)\"']*)|(?P<en>[.!?]+[\"'”’\)\]]*)(?=\s+[\"'“‘\(\[]*[^\W_a-z]|\s*$)"
    r"|(?P<para>\n[ \t\r\u3000]*\n)|(?P<item>\n)(?=[ \t\u3000]*(?:[-*•·▪]|\(?\d{1,2}[.)、]|\([a-z]{1,3}\)"
    r"|[（(][一二三四五六七八九十]+[)）]|第[一二三四五六七八九十百千零\d]+条)\s*)"
)

# Letters that are stop words, where they may tell a name from others.
_LETTER = re.compile(
    r"[AIST](?:(?<=[A-Za-z]{3}[ \xa0-].)(?!\w)(?![.'’&-]\w)(?P<capital>(?=[ \xa0][A-Z]))?"
    r"(?P<ends>(?=\s*(?:[.,;:!?)\]/]|$|(?:and|or|of|in|to|is|are|has|shall|must|may|with|for)\b)))?"
    rf"|(?<![A-Za-z].)(?=[{_HAN}]))"
)
_NOUN = re.compile(r"[A-Za-z]+$")
_LETTERED = frozenset(union(lambda language: language.label_nouns))
STOPWORDS_EN = frozenset(
    "a an the of to in on at by for from with as is are was were be been being do does did doing have "
    "has had having and or but if then than that this these those it its i you he she we they me him "
    "her us them my your his our their what which who whom whose when where why how can could will "
    "would shall should may might must about into over under again there here not no so too very s t "
    "just don now any all each please tell give show according per also".split()
)
STOPWORDS_ZH = frozenset(
    "的 了 是 在 和 与 或 及 而 也 就 都 吗 呢 吧 啊 么 什么 怎么 怎样 如何 为何 为什么 哪 哪个 哪些 哪里 "
    "哪儿 谁 多少 几 是否 有 没有 能 能否 可以 可 会 要 被 把 对 对于 关于 从 到 向 于 以 由 其 该 这 那 "
    "这个 那个 一个 我 你 他 她 它 我们 你们 他们 吗 请问 请 问 不 个 时 后 前 中 上 下 等 之 为 因为 所以 "
    "如果 那么 还 还是 又".split()
)
# What only asks, in Chinese: 哪天 would be a content word that no document holds, weighing the more for it.
_ZH_ASKING = re.compile(
    "请问|是?多长时间|多少时间|[是有]多少|多少钱|多少|是?多久|从?哪一?天|哪一?年|何时|什么时候|什么时间|是什么"
    "|什么样的?|什么|怎么[样办]?|怎样|如何|为什么|为何|[是由]谁|谁|[在到]?哪[里儿]|哪[些个种]?|是否|能否|可否|能不能"
    "|可不可以|有没有|是不是|会不会|几[个条种类级天日年月次人]|有?多[高大长重远]|[吗呢吧]"
)
_EN_ASKING = re.compile(
    r"\bhow (?:many|much|long|often|far|old|soon|quickly|large|high|early|late)\b"
    r"|\bwhat (?:kind|sort|type)s? of\b|\b(?:is|are|was|were) there\b",
    re.IGNORECASE,
)


def normalise(text: str) -> str:
    """NFKC and lower case: full-width digits, ligatures and letters become their plain forms. Length may
    change."""
    return unicodedata.normalize("NFKC", text).lower()


def letters(text: str) -> str:
    """Letters and digits only, NFKC and lower case: white space and punctuation do not count."""
    return "".join(c for c in normalise(text) if c.isalnum())


def detect_language(text: str) -> str:
    """The language of a text: "zh" where at least a fifth of its letters are Han, else "en".

    Only the first 20,000 code points are looked at."""
    sample = text[:20000]
    han = sum(len(run) for run in _HAN_RUN.findall(sample))
    letters = sum(c.isalpha() for c in sample)
    return "zh" if letters and han / letters >= 0.2 else "en"


def has_han(text: str) -> bool:
    return _HAN_RUN.search(text) is not None


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Sentence spans of `text[start:end]`, in order, trimmed of white space, covering every visible
    character.

    Boundaries: 。！？；… with closing quotes; . ! ? before white space and a capital, digit or opening quote,
    abbreviations and initials apart; blank lines; a line break before a list item or an article number. A
    lone line break is white space."""
    stop = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _SENTENCE_END.finditer(text, start, stop):
        if match.lastgroup == "en" and _is_abbreviation(text, begin, match.start()):
            continue
        cut = match.start() if match.lastgroup in ("para", "item") else match.end()
        _append_trimmed(spans, text, begin, cut)
        begin = match.end() if match.lastgroup == "para" else cut
    _append_trimmed(spans, text, begin, stop)
    return spans


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append(Span(start, end))


def _is_abbreviation(text: str, begin: int, dot: int) -> bool:
    if text[dot] != ".":
        return False
    word_start = dot
    while word_start > begin and not text[word_start - 1].isspace() and text[word_start - 1] not in "(“\"'":
        word_start -= 1
    word = text[word_start:dot]
    initial = len(word) == 1 and word.isalpha() and word.isupper() and word != "I"
    # A bare list number ("1.") at the start of a sentence belongs to what follows it.
    numbering = word.isdigit() and len(word) <= 2 and word_start <= begin + 1
    return initial or numbering or word.lower() in ABBREVIATIONS


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1)
def _jieba() -> Any:
    import logging

    import jieba

    jieba.setLogLevel(logging.ERROR)
    return jieba


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    stemmed: str = _stemmer().stemWord(word)
    return stemmed


@lru_cache(maxsize=4096)
def _han_tokens(run: str) -> list[str]:
    """jieba's search words plus every two-character gram that is not already one of them: words carry
    meaning, grams catch what the dictionary cuts elsewhere in question and text."""
    words = [w for w in _jieba().lcut_for_search(run) if w.strip()]
    seen = set(words)
    grams = [run[i : i + 2] for i in range(len(run) - 1)]
    return words + [g for g in grams if g not in seen]


def search_tokens(text: str) -> list[str]:
    """Tokens for the lexical index, in order: English words lower-cased and stemmed (Snowball English),
    numbers without thousands separators, Han runs as words and two-character grams. Stop words are kept;
    `query_tokens` drops them. The letter of a name (Party A, A股) is no stop word: "lettera"."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(normalise(_LETTER.sub(_letter, text))):
        token = match.group()
        if _HAN_RUN.match(token):
            tokens.extend(_han_tokens(token))
        elif token.isascii() and token.isalpha():
            tokens.append(_stem(token))
        else:
            tokens.extend(_mixed_tokens(token))
    return tokens


def _letter(match: re.Match[str]) -> str:
    """A stop word of one letter, marked where it is the letter of the name before it (in Chinese behind it);
    `rag.facts.names.labelled` reads all labels of names."""
    letter = match.group()
    if before := _NOUN.search(match.string, max(0, match.start() - 24), match.start() - 1):
        noun = before.group().lower()
        named = match["ends"] is not None if letter == "I" else match["capital"] is None
        if not {noun, noun.removesuffix("s")} & _LETTERED and (not named or noun in STOPWORDS_EN):
            return letter
    return f"letter{letter}"


def _mixed_tokens(token: str) -> list[str]:
    """Thousands separators and possessives go; "3.2.1" stays whole and gives its parts too."""
    if _THOUSANDS.match(token):
        return [token.replace(",", "")]
    token = re.sub(r"['’]s?$|['’]s(?=\W|$)", "", token)
    parts = [p for p in re.split(r"[.,'’]", token) if p]
    whole = [token] if len(parts) > 1 and any(p.isdigit() for p in parts) else []
    return whole + [
        _stem(p) if p.isalpha() else p for p in parts if not (whole and len(parts) == 2 and p.isdigit())
    ]


def words(text: str) -> list[str]:
    """Distinct words as typed, in order, stop words left out: English words and numbers, Chinese words as
    jieba cuts them."""
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        run = match.group()
        found.extend(_jieba().lcut(run) if _HAN_RUN.match(run) else [run])
    return [w for w in dict.fromkeys(found) if w.lower() not in STOPWORDS_EN and w not in STOPWORDS_ZH]


def cut_words(text: str) -> list[str]:
    """All of a text cut into words as jieba does it; joined they are the text again."""
    return [str(word) for word in _jieba().lcut(text)]


def query_tokens(question: str) -> list[str]:
    """Distinct search tokens of a question without stop words, in order; all tokens when only stop words
    remain."""
    tokens = list(dict.fromkeys(search_tokens(question)))
    kept = [t for t in tokens if not _is_function_word(t)]
    return kept or tokens


def content_tokens(question: str) -> list[str]:
    """What the question is about, to be found again in an answer: `query_tokens` without question words and,
    in Chinese, words alone: a gram across two words proves nothing by its absence. Never empty for a question
    with a word."""
    wording = normalise(_ZH_ASKING.sub(" ", question))
    if not has_han(wording):
        return query_tokens(_EN_ASKING.sub(" ", question)) or query_tokens(question)
    tokens: list[str] = []
    for match in _TOKEN.finditer(wording):
        run = match.group()
        han = _HAN_RUN.match(run)
        tokens.extend(_jieba().lcut_for_search(run) if han else search_tokens(run))
    kept = [t for t in dict.fromkeys(tokens) if not _is_function_word(t)]
    return kept or query_tokens(question)


def _is_function_word(token: str) -> bool:
    return token in STOPWORDS_ZH or token in _stemmed_stopwords() or _single_han(token)


def _single_han(token: str) -> bool:
    return len(token) == 1 and has_han(token)


@lru_cache(maxsize=1)
def _stemmed_stopwords() -> frozenset[str]:
    return STOPWORDS_EN | frozenset(_stem(w) for w in STOPWORDS_EN)
