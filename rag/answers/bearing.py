"""Whether what a piece of evidence says can be the answer to a question: it is of the kind, the role and the
party asked for, of who holds an office now, of the degree of a disease, the one thing acts on the other as
asked, it speaks of the average or the change that is asked for, and it says "not" where the question does
not."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from fractions import Fraction

from rag.facts.names import labelled
from rag.facts.numerals import fold, parse_han
from rag.facts.values import Comparison, Range, read, relation
from rag.languages import patterns, union
from rag.languages.text import content_tokens
from rag.questions.expects import KINDS, Wording, asked_role, fits, left_office, roles_in
from rag.search.candidates import answers_in
from rag.types import Evidence
from rag.verify.content import assertions_of

_RE = patterns("acting")
_NUMBERED = patterns("numbered", re.NOFLAG)
_ORDINALS = union(lambda language: language.ordinals)
_DEGREES = patterns("degrees")
_DERIVED, _STATED = patterns("derived"), patterns("stated")


def answers(words: str, piece: Evidence, query: Wording) -> bool:
    """Whether words may answer the question: they are of the kind that it asks for, or say "not", and the
    role that it asks for is spoken of where they stand."""
    around = (piece.document.title, *piece.heading_path, piece.header, piece.words)
    if (role := asked_role(query.text)) and role not in dict(roles_in("\n".join(around))):
        return False
    if left_office(query, piece.text) or other_way_round(query, piece.text) or of_other_number(query, piece):
        return False
    if of_other_degree(query, piece.words) or to_be_derived(query, "\n".join(around)):
        return False
    said = query.expects in KINDS and answers_in(words, query.expects)
    return bool(said or fits(query, words) or negations(words))


def of_another(query: Wording, piece: Evidence) -> bool:
    """Whether a piece names Party B, and not Party A, whom the question asks about: whatever it says is said
    of another."""
    held = labelled(fold(piece.words))
    lettered = [n for n in labelled(fold(query.text)) if n.noun and not n.label.isdigit()]
    alike = [(n.label, {one.label for one in held if one.noun == n.noun}) for n in lettered]
    return any(labels and label not in labels for label, labels in alike)


def of_other_number(query: Wording, piece: Evidence) -> bool:
    """Whether a piece speaks, with all that stands over it, of the Aeris 9 or the third quarter alone, and
    the question of the Aeris 12 or the second quarter."""
    said = _numbered("\n".join((piece.document.title, *piece.heading_path, piece.header, piece.words)))
    return any(name in said and not numbers & said[name] for name, numbers in _numbered(query.text).items())


def _numbered(text: str) -> dict[str, set[Fraction | int]]:
    """The numbers of what is told apart by a number, by what it is called."""
    found: dict[str, set[Fraction | int]] = defaultdict(set)
    for match in (m for pattern in _NUMBERED.values() for m in pattern.finditer(text)):
        said = {key[:-1]: value.casefold() for key, value in match.groupdict().items() if value}
        if number := _value(said["number"]):
            found[said["name"]].add(number)
    return found


def _value(number: str) -> Fraction | int | None:
    digits = number.rstrip("stndrh")
    return int(digits) if digits.isdigit() else _ORDINALS.get(number) or parse_han(number)


def denies(text: str, wording: str) -> bool:
    """Whether a text says "not" to a question, but for what the question itself says not of: "We do not pay
    for theft without forced entry" to "Do we pay for theft without forced entry?"."""
    said, asked = negations(text), negations(wording)
    return bool(said - asked) != bool(asked - said)


def negations(text: str) -> Counter[str]:
    return Counter(cue.name for cue in assertions_of(text).cues if cue.group == "negation")


def out_of_range(query: Wording, text: str) -> bool:
    """Whether a value of the question lies outside of a range that a text states."""
    ranges = [value for value in read(text) if isinstance(value, Range)]
    return any(
        relation(v, r) in (Comparison.BEFORE, Comparison.AFTER) for v in read(query.text) for r in ranges
    )


def of_other_degree(query: Wording, text: str) -> bool:
    """Whether a text speaks of a mild disease alone, and the question of a severe one."""
    asked, said = ({key for key, one in _DEGREES.items() if one.search(t)} for t in (query.text, text))
    return bool(asked and said) and asked.isdisjoint(said)


def to_be_derived(query: Wording, text: str) -> bool:
    """Whether the question asks for what has to be worked out (an average, a change, a ratio), and the text
    does not speak of such: a figure of it is one that goes into the working."""
    asked = [key for key, one in _DERIVED.items() if one.search(query.text)]
    return bool(asked) and not any(_STATED[key].search(text) for key in asked)


def other_way_round(query: Wording, text: str) -> bool:
    """Whether a text says of what the question asks the effect of only that something else acts on it:
    "Zarin raises digoxin levels" to "What is the effect of digoxin on Zarin?"."""
    asked = next((m for key in ("effect", "acted") if (m := _RE[key].search(query.text))), None)
    if asked is None:
        return False
    agent, object_ = (_names(asked, side) for side in "ab")
    said = [(_names(m, "a"), _names(m, "b")) for m in _RE["says"].finditer(text)]
    turned = [not agent & a and agent & b and not object_ & b for a, b in said]
    return any(turned) and not any(agent & a for a, _ in said)


def _names(match: re.Match[str], side: str) -> frozenset[str]:
    """What stands on one side of a verb, without what is measured of it."""
    words = next((text for key, text in match.groupdict().items() if key[0] == side and text), "")
    return frozenset(content_tokens(_RE["measured"].sub(" ", words)))
