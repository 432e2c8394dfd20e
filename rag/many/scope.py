"""Which documents a topic names ("the termination clauses of the office lease", 保密协议的保密期限), by their
titles, file names, companies, parties and statutes, and what of the topic is left to look for in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.agreement import named_documents
from rag.constraints import Constraints, read_constraints
from rag.figures.find import Holds
from rag.store import Store
from rag.text import STOPWORDS_EN, STOPWORDS_ZH, cut_words, has_han, normalise, search_tokens
from rag.types import DocumentInfo, FileStatus, Filters

_IN = re.compile(r"(?:^|\s+)(?:of|in|under|from|within|throughout|to)\s+", re.IGNORECASE)
_DETERMINED = re.compile(r"^(?:the|this|that|our|my|their|each|both|all|these|those)\b|[A-Z\d《]", re.ASCII)
_ZH_OF = re.compile("[的中里内](?:关于|有关|对于?)?|中的|里的|关于|有关")
_ZH_PART = re.compile(r"第[〇零一二三四五六七八九十百千\d]+[编章节条]")
_ZH_MARKS = re.compile('[《》〈〉「」“”"]')
# What any document may be called: names none of them.
_ANY = frozenset(search_tokens("document file text paper pdf docx page index collection corpus source"))
_ANY_ZH = frozenset("文件 文档 资料 索引 全文 本文 这些 所有 全部".split())
_LABELS = ("company", "names", "parties", "law", "law_names", "subject", "form", "fiscal_year", "year")


_NONE = Constraints()


@dataclass(frozen=True, slots=True)
class TopicScope:
    """The documents that are read, `named` where the topic names them (else all that pass the filters), and
    the `topic` to look for in them, "" where the documents themselves are the topic. `articles` are labels
    of parts that the topic names (`rag.articles`)."""

    documents: tuple[DocumentInfo, ...]
    named: bool
    topic: str
    constraints: Constraints = _NONE

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(d.id for d in self.documents)


class _Label:
    """What a document is called, ready to be compared; stemmed only where the first letters fit."""

    __slots__ = ("_characters", "_plain", "_stems", "document")

    def __init__(self, document: DocumentInfo) -> None:
        meta = document.metadata
        path = re.sub(r"[-_./]+", " ", str(PurePosixPath(document.path).with_suffix("")))
        names = [document.title, path, *(meta[key] for key in _LABELS if key in meta)]
        self.document = document
        self._plain = normalise(" | ".join(names))
        self._stems: frozenset[str] | None = None
        self._characters: str | None = None

    def holds(self, word: str) -> bool:
        """Whether a word stands in it, whatever its ending."""
        plain = normalise(word)
        if has_han(plain):
            if self._characters is None:
                self._characters = "".join(self._plain.split())
            return plain in self._characters
        if plain[: max(1, min(4, len(plain) - 3))] not in self._plain:
            return False
        if self._stems is None:
            self._stems = frozenset(search_tokens(self._plain))
        return self._stems.issuperset(search_tokens(word))


def read_scope(
    topic: str, index: Holds, filters: Filters | None = None, *, whole: bool = False
) -> TopicScope:
    """What the topic is about within the documents that pass the filters. With `whole` a topic that names a
    document and nothing else means all of it."""
    passing = all_of(index.store, filters)
    if whole and not _distinctive_words(topic):  # "the documents", 全部文件
        return TopicScope(passing, False, "")
    labels = [_Label(d) for d in passing]
    constraints = read_constraints(topic, index.store.catalogue(), index.fields)
    found = _whole(topic, labels) if whole else ()
    if found:
        return TopicScope(found, True, "", constraints)
    for left, name in _halves(topic):
        found = _whole(name, labels)
        if found:
            return TopicScope(found, True, left, constraints)
    ids = (
        frozenset(named_documents(constraints, frozenset(d.id for d in passing)))
        if constraints.named
        else frozenset()
    )
    named = [one for one in labels if one.document.id in ids]
    left = _without(topic, named) if named else ""
    if named and (whole or _distinctive_words(left)):
        return TopicScope(tuple(one.document for one in named), True, left, constraints)
    return TopicScope(passing, False, topic, constraints)


def called(documents: Sequence[DocumentInfo], noun: str) -> tuple[DocumentInfo, ...]:
    """Those of the documents that are called by a noun ("leases"), by title, file name or folder; () for a
    noun that any document may be called ("documents")."""
    words = _distinctive_words(noun)
    if not words:
        return ()
    return tuple(d for d in documents if all(map(_Label(d).holds, words)))


def all_of(store: Store, filters: Filters | None = None) -> tuple[DocumentInfo, ...]:
    """The readable documents that pass the filters, by path."""
    return tuple(d for d in store.documents(filters) if d.status is FileStatus.OK and d.chunks)


def _whole(name: str, labels: Sequence[_Label]) -> tuple[DocumentInfo, ...]:
    """The documents whose labels hold every word of a name; () for a name without a distinctive word. A name
    that fits every document of several names none of them."""
    words = _distinctive_words(name)
    if not words:
        return ()
    found = tuple(one.document for one in labels if all(map(one.holds, words)))
    return found if len(found) < max(2, len(labels)) else ()


def _distinctive_words(name: str) -> list[str]:
    plain = _ZH_MARKS.sub(" ", name)
    if has_han(plain):
        joined = [w for w in cut_words(plain) if w.strip() and (len(w) > 1 or not has_han(w))]
        return [
            w for w in joined if w not in STOPWORDS_ZH and w not in _ANY_ZH and any(c.isalnum() for c in w)
        ]
    words = re.findall(r"[^\W_]+(?:[.'’&][^\W_]+)*", plain)
    return [w for w in words if w.lower() not in STOPWORDS_EN and not _ANY.issuperset(search_tokens(w))]


def _halves(topic: str) -> list[tuple[str, str]]:
    """(what is looked for, what may be a document's name): ("notice", "the office lease")."""
    if has_han(topic):
        cuts = [(topic[m.end() :], topic[: m.start()]) for m in reversed(list(_ZH_OF.finditer(topic)))]
        cuts += [(topic[m.start() :], topic[: m.start()]) for m in _ZH_PART.finditer(topic)]
        return [(left.strip(), name.strip()) for left, name in cuts if name.strip() and left.strip()]
    cuts = [(topic[: m.start()].strip(), topic[m.end() :].strip()) for m in _IN.finditer(topic)]
    return [(left, name) for left, name in cuts if name and _DETERMINED.search(name)]


def _without(topic: str, labels: Sequence[_Label]) -> str:
    """The topic without the words that all of its documents are called by."""
    if has_han(topic):
        kept = [w for w in cut_words(topic) if len(w) == 1 or not all(one.holds(w) for one in labels)]
        return "".join(kept).strip("的 ")
    words = topic.split()
    kept = [w for w in words if not all(one.holds(w.strip(".,;'’\"()")) for one in labels)]
    return " ".join(kept)
