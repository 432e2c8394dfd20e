"""Which documents a topic names ("the termination clauses of the office lease", 保密协议的保密期限), by their
titles, file names, companies, parties and statutes, and what a passage has to hold to match the rest: every
content word, name and quoted phrase, each in one of its forms (stemmed; the professional words for a lay
one).

A topic is matched exactly, unlike a question that is searched for: the matching set can be counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rag.facts.names import capitalised_runs
from rag.index import Index
from rag.languages import listed, patterns
from rag.languages.lexicon import NO_WORDS, Lexicon, lay_matches
from rag.languages.text import STOP_WORDS, cut_words, has_han, normalise, search_tokens
from rag.questions.constraints import Constraints
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import DocumentInfo, FileStatus, Filters
from rag.types.documents import path_words, several

_QUOTED = re.compile(r"[\"“”「『《]([^\"“”「」『』《》]{2,80})[\"“”」』》]")
_RE = patterns("topic", re.NOFLAG)
# Words that say what is wanted, not what it is about; they count only where nothing else is said.
_LIGHT = frozenset(search_tokens(" ".join(listed("light_topic_words"))))
_LIGHT_ZH = listed("light_topics")
_DETERMINED = re.compile(r"^(?:the|this|that|our|my|their|each|both|all|these|those)\b|[A-Z\d《]", re.ASCII)
_ZH_MARKS = re.compile('[《》〈〉「」“”"]')
# What any document may be called: names none of them.
_ANY = frozenset(search_tokens("document file text paper pdf docx page index collection corpus source"))
_ANY_ZH = listed("any_document")
_LABELS = ("company", "names", "parties", "law", "law_names", "subject", "form", "fiscal_year", "year")
_NONE = Constraints()
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")


@dataclass(frozen=True, slots=True)
class TopicTerm:
    """One thing that a passage has to hold: as typed, or in one of the professional words for it (`others`,
    which are `terms` in the lexicon). Forms are those of `form_of`."""

    typed: str
    form: str
    others: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.form, *self.others)


class Text:
    """A text ready to be looked into."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _letters(self) -> str:
        return "".join(normalise(self._text).split())

    @cached_property
    def _stems(self) -> str:
        return f" {' '.join(search_tokens(_HAN.sub(' ', self._text)))} "

    def holds(self, term: TopicTerm) -> bool:
        return any(map(self.has, term.forms))

    def has(self, form: str) -> bool:
        return form in self._letters if has_han(form) else not form or f" {form} " in self._stems


def topic_terms(topic: str, *, extra: Lexicon = NO_WORDS) -> tuple[TopicTerm, ...]:
    """What a passage about the topic has to hold, in the order of the topic; () for one without a word.
    `extra` are words for lay ones."""
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, TopicTerm]] = []

    def add(start: int, end: int, terms: Sequence[str] = ()) -> None:
        form = form_of(topic[start:end])
        if form and not any(start < e and s < end for s, e in taken):
            taken.append((start, end))
            others = {f: t for t in terms for f in [form_of(t)] if f != form and not _within(form, f)}
            found.append((start, TopicTerm(topic[start:end], form, tuple(others), tuple(others.values()))))

    for match in _QUOTED.finditer(topic):
        add(*match.span(1))
    for match in capitalised_runs(topic, "any"):
        if " " in match.group() and match.group()[0].isupper():
            add(*match.span())
    words = tuple(_words(topic))
    if len(normalise(topic)) == len(topic):  # else places in the normalised text are not places in this one
        begins, ends = {start for start, _, _ in words}, {end for _, end, _ in words}
        for start, end, terms in lay_matches(topic, extra):
            if start in begins and end in ends:  # 违约 is no word of 违约金
                add(start, end, terms)
    for start, end, word in words:
        if word.lower() not in STOP_WORDS and not (len(word) == 1 and has_han(word)):
            add(start, end)
    found_terms = [term for _, term in sorted(found, key=lambda row: row[0])]
    distinctive = [n for n in found_terms if not _is_function_word(n.typed)]
    return tuple({n.form: n for n in reversed(distinctive or found_terms)}.values())[::-1]


def _within(form: str, other: str) -> bool:
    """Whether every text that holds `other` holds `form`."""
    return form in other if has_han(form) else f" {form} " in f" {other} "


def form_of(text: str) -> str:
    """What of a text has to stand in another: of Chinese, and of a mixture, its characters, of all else its
    stems, one after the other."""
    return "".join(normalise(text).split()) if has_han(text) else " ".join(search_tokens(text))


def _words(topic: str) -> Iterable[tuple[int, int, str]]:
    for match in _RE["word"].finditer(topic):
        if not has_han(match.group()):
            yield match.start(), match.end(), match.group()
            continue
        start = match.start()
        for word in cut_words(match.group()):
            yield start, start + len(word), word
            start += len(word)


def _is_function_word(typed: str) -> bool:
    if has_han(typed):
        return typed in _LIGHT_ZH
    stems = search_tokens(typed)
    return bool(stems) and _LIGHT.issuperset(stems)


def expression(terms: Sequence[TopicTerm]) -> str:
    """The FTS5 query that finds every passage which can hold all needs. Chinese characters are looked up by
    their two-character grams, so a passage found may still have them apart."""
    groups = ["(" + " OR ".join(_lookup(form) for form in term.forms) + ")" for term in terms]
    return f"{{heading body}} : ({' AND '.join(groups)})"


def _lookup(form: str) -> str:
    if not has_han(form):
        return _quoted(form)
    tokens = []
    for match in _RE["word"].finditer(form):
        run = match.group()
        if not has_han(run):
            tokens.extend(search_tokens(run))
        elif len(run) == 1:
            tokens.append(run)
        else:
            tokens.extend(run[i : i + 2] for i in range(len(run) - 1))
    return "(" + " AND ".join(map(_quoted, dict.fromkeys(tokens))) + ")"


def _quoted(tokens: str) -> str:
    return '"' + tokens.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class TopicScope:
    """The documents that are read, `named` where the topic names them (else all that pass the filters), and
    the `topic` to look for in them, "" where the documents themselves are the topic. `constraints` are what
    else the topic names, such as articles."""

    documents: tuple[DocumentInfo, ...]
    named: bool
    topic: str
    constraints: Constraints = _NONE
    query: Query | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(d.id for d in self.documents)


def label_of(document: DocumentInfo) -> Text:
    """What a document is called."""
    meta = document.metadata
    return Text(" / ".join([document.title, path_words(document.path), *several(meta, *_LABELS)]))


def read_scope(
    topic: str, index: Index, filters: Filters | None = None, *, whole: bool = False
) -> TopicScope:
    """What the topic is about within the documents that pass the filters. With `whole` a topic that names a
    document and nothing else means all of it."""
    passing = all_of(index.store, filters)
    if whole and not distinctive_words(topic):  # "the documents", 全部文件
        return TopicScope(passing, False, "")
    labels = [(d, label_of(d)) for d in passing]
    query = index.understand(topic) if any(map(str.isalnum, topic)) else None
    constraints = query.constraints if query else _NONE
    for left, name in (*((("", topic),) if whole else ()), *_halves(topic)):
        found = _called(labels, name)
        if found and len(found) < max(2, len(labels)):  # what fits all of several names none of them
            return TopicScope(found, True, left, constraints)
    return TopicScope(passing, False, topic, constraints, query)


def called(documents: Sequence[DocumentInfo], noun: str) -> tuple[DocumentInfo, ...]:
    """Those of the documents that are called by a noun ("leases"), by title, file name or folder; () for a
    noun that any document may be called ("documents")."""
    return _called([(d, label_of(d)) for d in documents], noun)


def _called(labels: Sequence[tuple[DocumentInfo, Text]], name: str) -> tuple[DocumentInfo, ...]:
    """The documents whose labels hold every word of a name; () for a name without a distinctive word."""
    forms = [form_of(word) for word in distinctive_words(name)]
    return tuple(d for d, label in labels if forms and all(map(label.has, forms)))


def all_of(store: Store, filters: Filters | None = None) -> tuple[DocumentInfo, ...]:
    """The readable documents that pass the filters, by path."""
    return tuple(d for d in store.documents(filters) if d.status is FileStatus.OK and d.chunks)


def distinctive_words(name: str) -> list[str]:
    """The words of a name but for those that any document may be called by ("files")."""
    plain = _ZH_MARKS.sub(" ", name)
    if has_han(plain):
        joined = [w for w in cut_words(plain) if w.strip() and (len(w) > 1 or not has_han(w))]
        return [w for w in joined if w not in STOP_WORDS and w not in _ANY_ZH and any(c.isalnum() for c in w)]
    words = re.findall(r"[^\W_]+(?:[.'’&][^\W_]+)*", plain)
    return [w for w in words if w.lower() not in STOP_WORDS and not _ANY.issuperset(search_tokens(w))]


def _halves(topic: str) -> list[tuple[str, str]]:
    """(what is looked for, what may be a document's name): ("notice", "the office lease")."""
    if has_han(topic):
        cuts = [(topic[m.end() :], topic[: m.start()]) for m in reversed(list(_RE["zh_of"].finditer(topic)))]
        cuts += [(topic[m.start() :], topic[: m.start()]) for m in _RE["zh_part"].finditer(topic)]
        return [(left.strip(), name.strip()) for left, name in cuts if name.strip() and left.strip()]
    cuts = [(topic[: m.start()].strip(), topic[m.end() :].strip()) for m in _RE["in"].finditer(topic)]
    return [(left, name) for left, name in cuts if name and _DETERMINED.search(name)]
