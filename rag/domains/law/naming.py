"""Which statutes a question names, and how far a document is of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rag.documents.catalogue import Catalogue, Names, build_names, derived
from rag.domains.law.statutes import ZH_QUOTED, english_statute, law_key, statute_names, statutes_in
from rag.facts.names import ABBREVIATIONS
from rag.languages.text import has_han
from rag.questions.constraints import Matter, Restriction, bearing, displayed, sign
from rag.questions.expects import Wording
from rag.questions.naming import Word, best, han_matches, longest, run_matches
from rag.types.documents import several, single

_RELATED = 0.5
_BEFORE_LAW = frozenset("据照反犯用合国的在对和与及或看问从由即循按依参到有将以，。：、 ")
# Codes and statutes say what the law is; regulations, rules and cases apply it.
AUTHORITY = {
    "constitution": 0.8, "statute": 1.0, "judicial interpretation": 0.6, "administrative regulation": 0.4,
    "departmental rule": 0.2, "local rule": 0.1, "case": 0.2,
}  # fmt: skip
UNRANKED = 0.5


@derived
def statutes(catalogue: Catalogue) -> Names:
    """The names of the statutes of an index."""
    return build_names(
        (document, law, law_key(law), map(law_key, several(meta, "law_names") or statute_names(law)))
        for document, meta in catalogue.described()
        if (law := single(meta, "law"))
    )


@derived
def related(catalogue: Catalogue) -> Mapping[str, Sequence[int]]:
    """Key of a statute -> documents that apply or carry it out."""
    found: dict[str, list[int]] = defaultdict(list)
    for document, meta in catalogue.described():
        for applied in statutes_in(law) if has_han(law := single(meta, "law")) else ():
            found[law_key(applied)].append(document)
    return found


def asked_statutes(wording: Wording, catalogue: Catalogue) -> Restriction:
    """The statutes that a question names; those that apply a named one agree by half, all others clash."""
    question = wording.spaced
    names = statutes(catalogue)
    keys = names.keys
    matches = longest(run_matches(wording.name_words, keys, _weight))
    if has_han(question):
        matches += han_matches(question, names.han, keys, _doubt)
    unknown = tuple(_unknown(question, keys, [(m.start, m.end) for m in matches]))
    found = best(matches)
    documents = bearing(found, keys)
    for key, weight in found.items():
        for document in related(catalogue).get(key, ()):
            documents.setdefault(document, _RELATED * weight)
    if not documents:
        return Restriction(unknown=unknown)
    clash = -max(found.values())

    def agreement(document_id: int) -> tuple[float]:
        if document_id in documents:
            return (documents[document_id],)
        rank = catalogue.documents[document_id].metadata.get("authority")
        return (clash if names.own.get(document_id) and rank != "case" else 0.0,)

    printed = displayed(found, names)
    several_named = printed if len(printed) > 1 else ()
    shown = names.display.items()
    bearers = tuple(frozenset(d for k, n in shown if n == name for d in keys[k]) for name in several_named)
    matter = Matter("statute", printed, lambda d: sign(agreement(d)[0]), True, True, bearers)
    return Restriction((matter,), agreement, frozenset(d for d, w in documents.items() if w >= 0.5), unknown)


def _weight(run: Sequence[Word]) -> float:
    raw, key = run[0].raw, run[0].key
    short = 0.8 if raw.isupper() and len(raw) > 2 and key not in ABBREVIATIONS else 0.0
    return 1.0 if len(run) > 1 else short


def _doubt(question: str, start: int) -> float:
    """Less than 1 where the letter in front may belong to a longer name, of a statute that is not known."""
    before = question[start - 1 : start]
    return 1.0 if not has_han(before) or before in _BEFORE_LAW else 0.6


def _unknown(question: str, keys: Mapping[str, object], spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    if not keys:
        return
    named = [(m.start(), m.end(), m[1]) for m in ZH_QUOTED.finditer(question)]
    found = english_statute(question)
    if found and not any(law_key(" ".join(found[:n])) in keys for n in (1, 2)):
        at = question.find(found[0])
        named.append((at, at + len(found[0]), " ".join(filter(None, found))))
    for begin, stop, name in named:
        if not any(begin < end and start < stop for start, end in spans):
            yield name
