"""Documents that disagree: the sentence that an answer rests on stands in another document almost word for
word, with something else where the answer is (a draft and the signed text, two versions, a wrong report); or
another document answers the same question as well, with another value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from rag.documents.validity import ended
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind
from rag.languages.text import STOP_WORDS, has_han, search_tokens
from rag.questions.expects import KINDS, AnswerType
from rag.questions.query import Query
from rag.types import Claim, Evidence

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:[.,]\d+)*(?:\s?[%‰])?")
_ALIKE = 0.6  # share of the words of the shorter sentence that stand in both
_FEWEST = 3
_AS_GOOD = 0.7
_DAYS = frozenset({Kind.DATE})


def disagreeing(
    claim: Claim, piece: Evidence, evidence: Sequence[Evidence], query: Query
) -> tuple[tuple[Evidence, str], ...]:
    """The sentences of other documents that say what `piece` says of what is asked, but not what `claim`
    takes from it, each with its own words for that. What a quote takes is its numbers. A document that the
    question does not name, that is no longer in force, or that changes the piece, says nothing."""
    named, content = query.constraints.named, frozenset(query.content)
    asked = content.intersection(search_tokens(piece.words))
    titled = content.intersection(search_tokens(piece.document.title))
    found: dict[int, tuple[Evidence, str]] = {}
    own = {piece.document.id, *(change.document_id for change in piece.changes)}
    for other in evidence:
        document = other.document
        if document.id in own | found.keys() or ended(document) or other.withdrawn:
            continue
        meant = titled.issubset(search_tokens(document.title)) and (not named or document.id in named)
        alike = bool(other.heads) == bool(piece.heads) and asked.issubset(search_tokens(other.words))
        if not (meant and alike):
            continue
        instead = "; ".join(_instead(claim, piece.words, other.words))
        values = _other_values(claim, other, query) if instead or _bears(other, piece, query) else ()
        if said := "; ".join(values) or instead:
            found[document.id] = (other, said)
    return tuple(found.values())


def _instead(claim: Claim, text: str, other: str) -> Iterator[str]:
    """What stands in another text in the place of the words that a claim takes from a text."""
    own, others = list(_WORD.finditer(text)), list(_WORD.finditer(other))
    words, rest = [m[0].lower() for m in own], [m[0].lower() for m in others]
    matcher = SequenceMatcher(None, words, rest, autojunk=False)
    equal = sum(block.size for block in matcher.get_matching_blocks())
    if equal < max(_FEWEST, _ALIKE * min(len(words), len(rest))):
        return
    taken = {m[0].lower() for m in _WORD.finditer(claim.text)}.difference(STOP_WORDS)
    for tag, a, b, c, d in matcher.get_opcodes():
        differ = tag == "replace" and taken.intersection(words[a:b]) and not set(words[a:b]) & set(rest[c:d])
        counts = all(any(char.isdigit() for char in "".join(some)) for some in (words[a:b], rest[c:d]))
        if differ and (counts or (not claim.quoted and any(_names(m[0]) for m in others[c:d]))):
            yield other[others[c].start() : others[d - 1].end()]


def _bears(other: Evidence, piece: Evidence, query: Query) -> bool:
    """Whether another sentence answers as well as a piece does, by its score and what it holds of the
    question."""
    content = frozenset(query.content)
    held = content.intersection(search_tokens(other.words))
    return other.score >= _AS_GOOD * piece.score and 2 * len(held) >= len(content)


def _other_values(claim: Claim, other: Evidence, query: Query) -> Sequence[str]:
    """The values of the kind asked for that another sentence states, none of which a claim states; () where
    that states several, or none."""
    kinds = KINDS.get(query.expects, _DAYS if query.expects is AnswerType.DATE else frozenset())
    own, others = ([q for q in extract(fold(text)) if q.kind in kinds] for text in (claim.text, other.words))
    known = {q.key for q in own}
    like = [q for q in others if own and (q.kind, q.unit) == (own[0].kind, own[0].unit)]
    return [q.text for q in like] if len(known) == 1 and not any(q.key in known for q in like) else ()


def _names(word: str) -> bool:
    """Whether a word may be one of a name, or says how many."""
    return word[0].isupper() or any(c.isdigit() for c in word) or has_han(word)
