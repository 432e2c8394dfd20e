"""What a question is restricted to: companies and articles that it names, what each field reads in it, and
how far each document agrees.

Agreement is a preference, never a filter: the figure for a year also stands in the next year's report. It is
-1 to 1 in each matter: 1 where the document is what the question names, between by share, 0 where question or
document says nothing, -1 where the question names another one that the index holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.documents.catalogue import Catalogue, Names
from rag.facts.names import is_legal_form
from rag.facts.references import article_labels, articles_agree
from rag.languages.text import STOP_WORDS
from rag.questions.expects import Wording
from rag.questions.naming import find_names


@dataclass(frozen=True, slots=True)
class Sought:
    """What answers a question without its words: the parts of documents where it stands (as `Chunk.roles` has
    them, the likeliest first) and, for each line of them, the alternative wordings that it is printed under,
    the commonest first. `lines` is empty where the question names a part and nothing in it."""

    name: str
    roles: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that a question names: what it is ("year"), the values as printed, and whether a document is
    of it, None where that says nothing. `met` is None for what is no demand, or one that another matter of
    the field covers (`demanded`); `must`: a document that says nothing of it is not what was asked for.
    `bearers`: of several values, the documents of each."""

    what: str
    values: tuple[str, ...]
    met: Callable[[int], bool | None] | None = None
    demanded: bool = False
    must: bool = False
    bearers: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a field reads in a question. `agreement` gives a value, -1 to 1, for each of the field's columns;
    `named` are the documents that it surely names, `unknown` names that no document bears; `reporting`: a
    period or a form is spoken of, and a capitalised name is one of a company."""

    matters: tuple[Matter, ...] = ()
    agreement: Callable[[int], tuple[float, ...]] | None = None
    named: frozenset[int] = frozenset()
    unknown: tuple[str, ...] = ()
    reporting: bool = False


class Reads(Protocol):
    """A field as it reads questions."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what its documents agree in; features where `rag.search.ranker` has them."""

    @property
    def common_words(self) -> frozenset[str]:
        """Words in capitals that no name is made of."""

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        """What it reads in a question, held against the documents of a catalogue. Never raises."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a document agrees with a question, each -1 to 1: "name", the company (or other words of the
    title) it names, and the columns of the fields."""

    columns: tuple[str, ...] = ()
    values: tuple[float, ...] = ()

    def __getitem__(self, column: str) -> float:
        """0 for a column that no field has."""
        return self.values[self.columns.index(column)] if column in self.columns else 0.0

    @property
    def total(self) -> float:
        """The sum of all, for a rough order."""
        return math.fsum(self.values)


NEUTRAL = Agreement()


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a question names. `companies` are names as printed in the documents, `read` is what the fields
    found, `articles` are labels (`rag.facts.references`); `unknown_names` are names that no document bears;
    `named` are the ids of documents of what the question surely names; `agreement` is that of one of the
    `documents`, neutral for one that neither agrees nor clashes."""

    companies: tuple[str, ...] = ()
    read: tuple[Matter, ...] = ()
    articles: tuple[str, ...] = ()
    unknown_names: tuple[str, ...] = ()
    named: frozenset[int] = frozenset()
    agreement: Callable[[int], Agreement] = lambda _: NEUTRAL
    documents: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.named_values())

    def named_values(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What the question names, each matter with its values; "unknown" are the names that no document
        bears."""
        named = (
            ("company", self.companies),
            *((matter.what, matter.values) for matter in self.read),
            ("passage", self.articles),
            ("unknown", self.unknown_names),
        )
        return tuple((what, values) for what, values in named if values)

    def values(self, what: str) -> tuple[str, ...]:
        """The values of one matter; () where the question names none."""
        return dict(self.named_values()).get(what, ())


def read_constraints(wording: Wording, catalogue: Catalogue, fields: Sequence[Reads]) -> Constraints:
    """What a question names, held against the documents of a catalogue. Never raises; a few milliseconds at
    most."""
    read = [one.asked(wording, catalogue) for one in fields]
    common = frozenset().union(*(one.common_words for one in fields))
    reporting = any(one.reporting for one in read)
    named = find_names(wording.spaced, wording.name_words, catalogue, reporting=reporting, common=common)
    speaking = [(f.columns, r.agreement) for f, r in zip(fields, read, strict=True) if r.agreement]
    titles = _title_shares(wording.names, catalogue)
    surely = {d for n, w in named.companies.items() if w >= 0.5 for d in catalogue.company_documents[n]}
    return Constraints(
        companies=tuple(catalogue.companies[n] for n in named.companies),
        read=tuple(matter for one in read for matter in one.matters if matter.values),
        articles=article_labels(wording.text),
        unknown_names=tuple(dict.fromkeys([*named.unknown, *(n for one in read for n in one.unknown)])),
        named=frozenset(surely.union(*(one.named for one in read))),
        agreement=_agreements(catalogue, named.companies, titles, speaking),
        documents=tuple(catalogue.documents),
    )


def article_agrees(constraints: Constraints, heading_path: Sequence[str], text: str) -> float:
    """How well a passage fits the articles, sections or notes that the question names, -1 to 1 (see
    `rag.facts.references.articles_agree`); 0 where it names none."""
    return articles_agree(constraints.articles, heading_path, text)


def _title_shares(names: Sequence[str], catalogue: Catalogue) -> dict[int, float]:
    """Share of the weight of the question's names that stand in a document's title or file name; names that
    very many or no titles bear do not count, nor does what only says a legal form."""
    words = {
        part
        for name in names
        for part in name.lower().replace("-", " ").split()
        if part not in STOP_WORDS and part in catalogue.title_words and not is_legal_form(part)
    }
    most = max(1, len(catalogue.documents) // 5)
    weights = {
        w: math.log((len(catalogue.documents) + 1) / (len(catalogue.title_words[w]) + 0.5))
        for w in words
        if len(catalogue.title_words[w]) <= most
    }
    total = sum(weights.values())
    shares: dict[int, float] = {}
    for word, weight in weights.items():
        for document in catalogue.title_words[word]:
            shares[document] = shares.get(document, 0.0) + weight / total
    return shares


def _agreements(
    catalogue: Catalogue,
    companies: Mapping[int, float],
    titles: Mapping[int, float],
    speaking: Sequence[tuple[tuple[str, ...], Callable[[int], tuple[float, ...]]]],
) -> Callable[[int], Agreement]:
    """Agreements worked out when they are asked for: a question about one company clashes with all others,
    and retrieval looks at a few hundred documents only. `speaking` are columns of fields and their values."""
    columns = ("name", *(column for own, _ in speaking for column in own))
    made: dict[tuple[float, ...], Agreement] = {}  # few kinds of agreement stand behind many documents
    clash = -max(companies.values(), default=0.0)

    def agreement(document: int) -> Agreement:
        owners = catalogue.owners[document] if companies else ()
        name = max((companies.get(n, clash) for n in owners), default=titles.get(document, 0.0))
        values = (name, *(value for _, read in speaking for value in read(document)))
        return made.setdefault(values, Agreement(columns, values)) if any(values) else NEUTRAL

    return agreement


def displayed(found: Mapping[str, float], names: Names) -> tuple[str, ...]:
    """Keys as their names are printed, the surest first."""
    ranked = sorted(found, key=lambda key: -found[key])
    return tuple(dict.fromkeys(names.display.get(key, key) for key in ranked))


def bearing(found: Mapping[str, float], keys: Mapping[str, tuple[int, ...]]) -> dict[int, float]:
    """The documents of keys, with how surely they are named."""
    documents: dict[int, float] = {}
    for key, weight in found.items():
        for document in keys.get(key, ()):
            documents[document] = max(weight, documents.get(document, -1.0))
    return documents


def sign(value: float) -> bool | None:
    """Whether an agreement is one; None for neither."""
    return value > 0 if value else None
