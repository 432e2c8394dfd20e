"""Sentences found -> the definitions of the terms in which they say what is asked: of their own document, or
of another one of the same contract (its schedule, what it is a schedule to, what it changes)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePosixPath

from rag.documents.description import ATTACHED, definitions
from rag.documents.validity import edition_name, ended, squashed, undated
from rag.facts.names import LEGAL_NAME, ZH_LEGAL_NAME, name_key, short_name
from rag.languages.text import content_tokens, has_han, search_tokens
from rag.questions.query import Query
from rag.search.amended import evidence_at, with_changes
from rag.store.store import Store
from rag.types import DocumentInfo, Evidence, Span
from rag.types.documents import several, single

# Words that a sentence may say beside what the question and the term say: "Clippings are taken to the
# Permitted Site." says nothing but the term, "The Fees fall due ten days after the end of the month." does.
_MOST_OWN = 3
_FIRST = 2
_HEAD = 1500  # code points in which a document says what contract it is of
_MATTER = 100  # documents that a folder of one matter may hold; of more, lying in it says nothing


def with_definitions(
    found: Sequence[Evidence], query: Query, store: Store, on: str = "", limit: int = 6
) -> tuple[Evidence, ...]:
    """The sentences, numbered anew; behind one of the first that says little but a term, the sentence that
    defines the term, as `with_changes` has it on the ISO day `on`."""
    kept: dict[tuple[int, int], Evidence] = {}
    for n, piece in enumerate(found):
        kept.setdefault((piece.document.id, piece.start), piece)
        for term, (document, span) in _terms(piece.document, store).items() if n < _FIRST else ():
            own = document.id == piece.document.id
            if _rests_on(piece, term, query) and not (own and span.start <= piece.start < span.end):
                first, *changes = with_changes(
                    [evidence_at(document, span, piece.score, store)], query, store, on
                )
                known = kept.get((document.id, span.start), first)
                explains = known.explains | {piece.document.id}
                kept[document.id, span.start] = replace(known, explains=explains)
                for one in changes:
                    kept.setdefault((one.document.id, one.start), one)
    return tuple(replace(one, number=n) for n, one in enumerate([*kept.values()][:limit], 1))


def defining(piece: Evidence, found: Sequence[Evidence], query: Query) -> list[Evidence]:
    """Those of the sentences found that define the terms by which a piece says what is asked."""
    of = piece.document.id
    others = [e for e in found if (e.document.id == of and e.start != piece.start) or of in e.explains]
    return [e for e in others if any(_rests_on(piece, term, query) for term in definitions(e.text))]


def _rests_on(piece: Evidence, term: str, query: Query) -> bool:
    written = re.escape(term) if has_han(term) else rf"\b{re.escape(term)}\b"
    if piece.heads or not re.search(written, piece.text):
        return False
    own = {token for token in content_tokens(piece.text) if any(map(str.isalpha, token))}
    named = set(content_tokens(term))
    asked = len(named) > 1 and named.issubset(query.content)
    return asked or len(own.difference(query.content, named)) <= _MOST_OWN


def _terms(document: DocumentInfo, store: Store) -> Mapping[str, tuple[DocumentInfo, Span]]:
    """The terms of a document, with where they are defined: in itself, else, where no two say otherwise, in
    the documents of the same contract."""
    elsewhere: dict[str, list[tuple[DocumentInfo, Span]]] = defaultdict(list)
    for one in of_same_contract(document, store):
        for term, span in store.definitions(one.id).items():
            elsewhere[term].append((one, span))
    found = {
        term: places[0]
        for term, places in elsewhere.items()
        if len({squashed(store.text(one.id, span.start, span.end)) for one, span in places}) == 1
    }
    return found | {term: (document, span) for term, span in store.definitions(document.id).items()}


def of_same_contract(document: DocumentInfo, store: Store) -> list[DocumentInfo]:
    """The other documents, in force, of the contract that a document is, is attached to, changes or is
    written under: that contract first, then what is attached to it and changes it. Never of one between
    others."""
    folder, own = _folder(document.path), _parties(document, _legal_names(document, store))
    every = [d for d in store.documents() if d.chunks]
    beside = [d for d in every if _folder(d.path) == folder]
    ids = {d.id for d in beside} if len(beside) <= _MATTER else set()
    every = [d for d in every if (d.id in ids or _parties(d) & own) and not ended(d)]
    contracts, attached = [d for d in every if not is_attached(d)], [d for d in every if is_attached(d)]
    main = _contract_of(document, contracts, store) or document
    near = [d for d in attached if _folder(d.path) == _folder(main.path) or _parties(d) & _parties(main)]
    found = [d for d in near if (of := _contract_of(d, contracts, store)) and of.id == main.id]
    changing = {r.source for r in store.amending() if r.target == main.id}
    found += [d for d in contracts if d.id in changing]
    return [d for d in (main, *found) if d.id != document.id]


def _contract_of(
    document: DocumentInfo, contracts: Sequence[DocumentInfo], store: Store
) -> DocumentInfo | None:
    """The contract that a document changes or names in its first lines, between the same parties or in the
    same folder; for one that is attached and names none, the only contract there. None where several are."""
    changing = [r for r in store.amending() if r.source != r.target]
    if changed := {r.target for r in changing if r.source == document.id}:
        return store.document(changed.pop() or 0) if len(changed) == 1 else None
    head = store.text(document.id, 0, _HEAD)
    said = f"{document.title}\n{PurePosixPath(document.path).stem}\n{head}"
    own, folder = _parties(document, _legal_names(document, store)), _folder(document.path)
    title = edition_name(document.title)  # a document of its own title is another contract
    others = [d for d in contracts if d.id != document.id and edition_name(d.title) != title]
    between = [d for d in others if _parties(d) and _parties(d) <= own]
    beside = [d for d in others if _folder(d.path) == folder]
    beside = [d for d in beside if _parties(d) <= own or own <= _parties(d)]
    words, letters = f" {' '.join(search_tokens(said))} ", squashed(said)
    lengths = {d.id: _named(d, words, letters) for d in (*between, *beside)}
    if most := max(lengths.values(), default=0):
        alike = [[d for d in near if lengths[d.id] == most] for near in (between, beside)]
    else:
        amending = {r.source for r in changing}
        written = [d for d in others if single(d.metadata, "document_type") == "contract"]
        alone = [d for d in written if _folder(d.path) == folder and d.id not in amending]
        alike = [[d for d in beside if alone == [d]]] if is_attached(document) else []
    return next((found[0] for found in alike if len(found) == 1), None)


def _legal_names(document: DocumentInfo, store: Store) -> list[str]:
    said = f"{document.title}\n{PurePosixPath(document.path).stem}\n{store.text(document.id, 0, _HEAD)}"
    return [m.group() for pattern in (LEGAL_NAME, ZH_LEGAL_NAME) for m in pattern.finditer(said)]


def _named(document: DocumentInfo, words: str, letters: str) -> int:
    """How many words of a text are the title or the file name of a document, 0 for none; one word alone
    ("Lease", 合同) names none."""
    most = 0
    for name in (undated(document.title), undated(PurePosixPath(document.path).stem)):
        tokens = search_tokens(name)
        stands = squashed(name) in letters if has_han(name) else f" {' '.join(tokens)} " in words
        most = max(most, len(tokens) if stands and len(tokens) > 1 else 0)
    return most


def _parties(document: DocumentInfo, others: Sequence[str] = ()) -> frozenset[str]:
    """The keys of the names of those that a document is between, else of the `others`."""
    names = several(document.metadata, "parties", "company") or others
    return frozenset(map(_key, names))


@lru_cache(maxsize=1 << 16)
def _key(name: str) -> str:
    return name_key(short_name(name))


@lru_cache(maxsize=1 << 16)
def _folder(path: str) -> PurePosixPath:
    """Where a document lies, beside the folder of what is attached to it ("Schedules")."""
    folder = PurePosixPath(path).parent
    return folder.parent if ATTACHED.search(folder.name) else folder


def is_attached(document: DocumentInfo) -> bool:
    """Whether a document is a schedule, an annex or the like, by its title or its file name."""
    return any(map(ATTACHED.search, (document.title, PurePosixPath(document.path).stem)))
