"""How candidates agree with what a question demands: the documents that it names, the statements and line
items that its concepts need, the articles that it cites.

One column of `rag.search.ranker.AGREEMENTS` for each demand; what a question does not speak of is 0 for every
candidate. Line items and statements count only in the documents that the question means: every report
has the same parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.languages.text import search_tokens
from rag.questions.constraints import Constraints, Sought, article_agrees
from rag.search.ranker import AGREEMENTS
from rag.store.store import Store
from rag.types.search import Candidate

_MOST_NAMED = 4
_ADDED = 60
_LONGEST_PHRASE = 12

Page = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the line items of a question stand in the documents that it means: for each line item the
    passages, and the (document, page)s, that print one of its wordings. `best` are passages worth a look, the
    most promising first."""

    passages: tuple[frozenset[int], ...] = ()
    pages: tuple[frozenset[Page], ...] = ()
    best: tuple[int, ...] = ()


def named_documents(constraints: Constraints, allowed: frozenset[int] | None = None) -> tuple[int, ...]:
    """The documents that a question names, the best agreeing first, at most four; () where it names none. A
    year alone, that more than four reports bear, names none of them."""
    # With a name given, only its documents can be intended; agreements of all others cost time.
    some = constraints.named or (constraints.documents if constraints else ())
    agreeing = ((constraints.agreement(d).total, -d) for d in some if allowed is None or d in allowed)
    found = sorted((row for row in agreeing if row[0] > 0), reverse=True)
    if not constraints.named and len(found) > _MOST_NAMED and found[_MOST_NAMED][0] == found[0][0]:
        return ()
    return tuple(-d for total, d in found[:_MOST_NAMED] if total >= found[0][0] / 2)


def find_line_items(store: Store, sought: Sequence[Sought], documents: Sequence[int]) -> Lines:
    """Looks the line items of the needs up in these documents, as phrases of search tokens."""
    items = list(dict.fromkeys(line for need in sought for line in need.lines))
    phrases = {wording: _phrase(wording) for line in items for wording in line}
    held = store.phrase_hits(list(dict.fromkeys(phrases.values())), documents) if items and documents else {}
    passages = [frozenset(i for wording in line for i in held.get(phrases[wording], ())) for line in items]
    rows = {row.id: row for row in store.candidates(sorted(frozenset().union(*passages)))}
    roles = store.roles(documents) if sought and documents else {}
    pages = [frozenset(page for i in found if i in rows for page in pages_of(rows[i])) for found in passages]
    weight = {stands: _role(stands, sought) for stands in {(), *roles.values()}}  # few, for many passages
    candidates = rows.keys() | {i for i, stands in roles.items() if weight[stands]}
    best = sorted(candidates, key=lambda i: (-weight[roles.get(i, ())] - _share(i, passages), i))
    return Lines(tuple(passages), tuple(pages), tuple(best[:_ADDED]))


def _phrase(wording: str) -> str:
    return " ".join(search_tokens(wording)[:_LONGEST_PHRASE])


def _share(member: object, sets: Sequence[frozenset[object]] | Sequence[frozenset[int]]) -> float:
    return sum(member in found for found in sets) / len(sets) if sets else 0.0


def _role(stands: tuple[str, ...], sought: Sequence[Sought]) -> float:
    """1 where one of the passage's statements is the first that a need names, 1/2 for its second ..."""
    ranks = [need.roles.index(s) for need in sought for s in stands if s in need.roles]
    return 1.0 / (1 + min(ranks)) if ranks else 0.0


def pages_of(row: Candidate) -> list[Page]:
    """The pages that a passage touches; for a document without pages none."""
    if row.page is None:
        return []
    return [(row.document_id, page) for page in range(row.page, (row.last_page or row.page) + 1)]


def agreements(
    rows: Sequence[Candidate],
    constraints: Constraints,
    sought: Sequence[Sought],
    lines: Lines,
    ranks: Mapping[int, Mapping[str, float]],
    superseded: frozenset[int],
    openings: Sequence[tuple[tuple[str, ...], str]],
) -> NDArray[np.float64]:
    """(n, len(AGREEMENTS)). `openings` are headings and first words of each passage, for the articles that a
    question cites; `ranks` (of the fields) and `superseded` are about documents."""
    place = {column: n for n, column in enumerate(AGREEMENTS)}
    table = np.zeros((len(rows), len(AGREEMENTS)))
    for n, row in enumerate(rows):
        agreement = constraints.agreement(row.document_id)
        values = dict(zip(agreement.columns, agreement.values, strict=True))
        values.update(ranks.get(row.document_id, {}))
        values["article_named"] = article_agrees(constraints, *openings[n]) if openings else 0.0
        values["lines"] = _share(row.id, lines.passages)
        values["page_lines"] = max((_share(page, lines.pages) for page in pages_of(row)), default=0.0)
        values["role"] = _role(row.roles, sought)
        values["superseded"] = float(row.document_id in superseded)
        for column in values.keys() & place.keys():
            table[n, place[column]] = values[column]
    return table
