"""Whether what a piece of evidence says can be the answer to a question: it is of the kind, the role and the
party asked for, of who holds an office now, of the degree of a disease, the one thing acts on the other as
asked, it speaks of the average or the change, and is the row, that is asked for, and it says "not" where the
question does not; and whether another value of it stands nearer to what is asked about."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction

from rag.facts.dates import dates
from rag.facts.names import labelled
from rag.facts.numerals import fold, parse_han
from rag.facts.quantities import extract
from rag.facts.quantity import Kind
from rag.facts.values import Comparison, Range, read, relation
from rag.languages import patterns, union
from rag.languages.text import STOP_WORDS, content_tokens, has_han, normalise, search_tokens, sentences
from rag.questions.expects import KINDS, AnswerType, Wording, asked_role, fits, left_office, roles_in, tells
from rag.search.candidates import answers_in
from rag.search.sufficiency import label_of
from rag.types import Evidence
from rag.verify.content import assertions_of, stem

_LABEL_WORDS = 8
_WHO_WORDS = 3
_CLAUSE = re.compile(r"[，；。;]|,(?!\d)|\b(?:and|but|while)\b")
_SEVERAL = re.compile(r"[、，,;；和及]| and ")
_ENDS = re.compile(r"[.;:](?:\s|$)")
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")
_NAMED = re.compile(r"[A-Z][^\W_]*|[^\W_]*\d[^\W_]*")
_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d,])")
_SIDES, _ROWS = patterns("parties"), patterns("rows")
_RE, _TO_HAN = patterns("acting"), patterns("acting", unspaced=True)["to"]
_NUMBERED = patterns("numbered", re.NOFLAG)
_ORDINALS = union(lambda language: language.ordinals)
_DEGREES, _FORMS = patterns("degrees"), patterns("forms")
CLAUSES = frozenset({AnswerType.REASON, AnswerType.MANNER, AnswerType.DEFINITION})
"""Of these kinds of question the answer is a clause, which no title is."""
TURNS = patterns("turns")
"""Of several of a kind one after the other: the next, the previous one."""
_DATED = patterns("description", re.NOFLAG)
_DERIVED, _STATED = patterns("derived"), patterns("stated")


def answers(words: str, piece: Evidence, query: Wording) -> bool:
    """Whether words may answer the question: they are of the kind that it asks for, or say "not", and the
    role that it asks for is spoken of where they stand."""
    around = _around(piece)
    if (role := asked_role(query.text)) and role not in dict(roles_in(around)):
        return False
    titled = set(content_tokens(words)) <= set(content_tokens(piece.document.title))
    if (titled and query.expects in CLAUSES) or said_otherwise(query, piece):
        return False
    how_many = query.expects is AnswerType.NUMBER and _ROWS["how_many"].search(query.text)
    if how_many and {value.kind for value in read(words)} == {Kind.DURATION}:
        return False  # how many of them there are is no time
    row = bool(piece.heads)
    if of_other_degree(query, around if row else piece.words, said=row) or to_be_derived(query, around):
        return False
    said = bool(query.expects in KINDS and answers_in(words, query.expects))
    if of_other_degree(query, around, by=_FORMS) or (not said and _of_its_day(query, words)):
        return False
    told = row or bool(piece.leads) or tells(query, piece.words)
    return said or bool(negations(words)) or (told and fits(query, words))


def said_otherwise(query: Wording, piece: Evidence) -> bool:
    """Whether a piece speaks of what is asked, and of another in the place of whom or what it is asked of."""
    text = piece.text
    turned = left_office(query, text) or other_way_round(query, text) or done_to(query, text)
    return turned or of_other_number(query, piece) or of_other_side(query, piece.words)


def _of_its_day(query: Wording, words: str) -> bool:
    """Whether all days that words state are those on which a text was made, which is not asked."""
    days = dates(fold(words)) if query.expects in (AnswerType.DATE, AnswerType.DURATION) else []
    made = all(_DATED["dated"].search(words, 0, day.start) for day in days)
    return bool(days) and made and not _DATED["asked_day"].search(query.text)


def of_another(query: Wording, piece: Evidence) -> bool:
    """Whether a piece, where it says most of what is asked, names Party B, and not Party A, whom the question
    asks about: whatever it says there is said of another. "Carriage is borne by Party A, the foundations by
    Party B" says nothing of carriage for Party B."""
    text = fold(query.text)
    lettered = [n for n in labelled(text) if n.noun and not n.label.isdigit()]
    matter = set(query.content).difference(*(content_tokens(text[n.start : n.end]) for n in lettered))
    clauses = [one for one in _CLAUSE.split(fold(piece.words)) if one.strip()]
    shared = [len(matter.intersection(content_tokens(one))) for one in clauses]
    near = [one for one, share in zip(clauses, shared, strict=True) if share == max(shared)]
    for clause in near if len(near) < len(clauses) else [fold(piece.words)]:
        held = labelled(clause)
        alike = [(n.label, {one.label for one in held if one.noun == n.noun}) for n in lettered]
        if any(labels and label not in labels for label, labels in alike):
            return True
    return False


def of_other_side(query: Wording, text: str) -> bool:
    """Whether a sentence begins with a side of an agreement, or says what is its, and does not name the other
    side, whom alone the question asks about: "The Provider's liability is limited" to "What is the
    Customer's liability limited to?"."""
    asked, said = (
        [(side, m.span()) for side, one in _SIDES.items() for m in one.finditer(each)]
        for each in (query.text, text)
    )
    if len({side for side, _ in asked}) != 1 or not said or _ROWS["who"].search(query.text):
        return False
    opens = _RE["opens"].match(text)
    first = opens.end() if opens else 0
    leads = any(at[0] == first or _RE["whose"].match(text, at[1]) for _, at in said)
    return leads and asked[0][0] not in dict(said)


def beside(query: Wording, piece: Evidence, sources: Iterable[Evidence], words: str) -> bool:
    """Whether words of a piece, as they stand among these sources, are of something beside the question."""
    every = tuple(sources)
    return (
        of_another_row(query, piece, every)
        or excepted(query, piece, every, words)
        or one_of_many(query, piece, words)
    )


def of_another_row(query: Wording, piece: Evidence, sources: Iterable[Evidence]) -> bool:
    """Whether a piece is a row of a table whose label says nothing that is asked, and another of the sources
    a row whose label says what the piece and all that stands over it does not: "Women 108 (52.2%)" beside
    "Dizziness 17.9", asked for the share with dizziness; or whether its label stands in another table whose
    heads say it: the price of gowns beside their cost, asked for that."""
    asked, own, around = frozenset(query.content), _label(piece), set(content_tokens(_around(piece)))
    for other in sources if own else ():
        said = set(content_tokens(other.header)) if other.heads and _label(other) == own else set[str]()
        if (_label(other) if not own & asked else said) & asked - around:
            return True
    return False


def one_of_many(query: Wording, piece: Evidence, words: str) -> bool:
    """Whether the question asks for all of several things, or which of them is first, and the words are one
    thing of one row of a table, or one item of a list, which does not say that it is first: what the others
    hold is not seen."""
    if not (piece.heads or piece.leads) or _SEVERAL.search(words):
        return False
    ranks = [_ROWS[key] for key in ("highest", "lowest") if _ROWS[key].search(query.text)]
    ranked = bool(ranks) and not any(c.isdigit() for c in words)
    first = ranked and not any(one.search(_around(piece)) for one in ranks)
    return first or _ROWS["many"].search(query.text) is not None


def excepted(query: Wording, piece: Evidence, sources: Iterable[Evidence], words: str) -> bool:
    """Whether a sentence of another source says "not" of what the words say, in a case that the question
    names and the piece does not: "Haloperidol must not be given in Parkinson's disease" beside "The first
    choice is haloperidol"."""
    asked = set(query.content)
    for value in reversed(read(words)):  # the month of a day is no matter
        words = f"{words[: value.start]} {words[value.end :]}"
    said = {word for word in content_tokens(words) if word.isalpha()} - asked
    case = asked.difference(content_tokens(_around(piece)))
    others = (other.text for other in sources if other.text != piece.text and negations(other.text))
    each = (text[span.start : span.end] for text in others for span in sentences(text))
    tokens = (set(content_tokens(sentence)) for sentence in each if negations(sentence))
    return bool(said) and any(case & other and 2 * len(said & other) >= len(said) for other in tokens)


def _around(piece: Evidence) -> str:
    """A piece with all that stands over it."""
    return "\n".join((piece.document.title, *piece.heading_path, piece.header, piece.words))


def _label(piece: Evidence) -> frozenset[str]:
    """What the words in front of the figures of a row say; nothing of other words, such as a sentence."""
    label = label_of(piece.text)
    figures = len(extract(piece.text[len(label) :])) > 1 and len(label.split()) <= _LABEL_WORDS
    row = figures and not piece.text.rstrip().endswith((".", "。"))
    return frozenset(content_tokens(label)) if piece.heads or row else frozenset()


def of_other_number(query: Wording, piece: Evidence) -> bool:
    """Whether a piece speaks of the Aeris 9 or the third quarter alone, or, where it speaks of none, all that
    stands over it, and the question of the Aeris 12 or the second quarter."""
    own, over = _numbered(piece.words), _numbered(_around(piece))
    said = {name: own.get(name, numbers) for name, numbers in over.items()}
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


def of_other_degree(
    query: Wording, text: str, *, said: bool = False, by: Mapping[str, re.Pattern[str]] = _DEGREES
) -> bool:
    """Whether a text speaks of a mild disease alone, and the question of a severe one; or `by` another
    distinction. Where it has to be `said`, as of one row of a table among others, a text that says none is
    of another, too."""
    asked, own = ({key for key, one in by.items() if one.search(t)} for t in (query.text, text))
    return bool(asked and (own or said)) and asked.isdisjoint(own)


def to_be_derived(query: Wording, text: str) -> bool:
    """Whether the question asks for what has to be worked out (an average, a change, a ratio), and the text
    does not speak of such, since a figure of it is one that goes into the working; or for what holds once a
    contract is over, and it does not speak of that."""
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


def done_to(query: Wording, text: str) -> bool:
    """Whether a text says only what is done to, or for, those of whom the question asks what they do: "Party
    A supplies the cloth to the works of Party B" to "What does Party B supply?"."""
    asked, facts = _RE["does"].search(query.text), assertions_of(text)
    if asked is None:
        return False
    tail, folded = fold(next(filter(None, asked.groups()))), facts.folded
    named = next((n for n in labelled(tail) if n.noun and not tail[: n.start].strip()), None)
    alike = [n for n in facts.labelled if named and n.noun == named.noun]
    own = [(n.start, n.end) for n in alike if named and n.label == named.label]
    if has_han(tail):
        to = [_TO_HAN.search(folded, 0, n.start) for n in alike]
        others = len(alike) > len(own) > 0
        return others and all(bool(t) == ((n.start, n.end) in own) for t, n in zip(to, alike, strict=True))
    who, verbs, at = list[str](), list[tuple[int, int]](), named.end if named else 0
    for word in _WORD.finditer(tail, at):
        undone, verb = _RE["undone"].fullmatch(word[0]), word[0].lower()
        if (named or who) and (undone or verb in STOP_WORDS or (verbs := _forms_of(verb, facts.lower))):
            break
        who.append(stem(verb))
        if named or len(who) > _WHO_WORDS:
            break
    own = own if named else [(w.start, w.end) for w in facts.content if w.stem in who]
    done = [d for verb in verbs for at in own if (d := _done(folded, verb, at)) is not None]
    return any(done) and all(done)


def _forms_of(verb: str, text: str) -> list[tuple[int, int]]:
    """Where a regular verb stands in a text of small letters."""
    root = re.escape(verb.rstrip("ey"))
    return [m.span() for m in re.finditer(rf"\b{root}(?:e|y|e?s|e?d|ing|ies|ied|ying)?\b", text)]


def _done(text: str, verb: tuple[int, int], who: tuple[int, int]) -> bool | None:
    """Whether what the verb says is done to those who stand there, or by them; None for neither."""
    between = text[min(who[1], verb[1]) : max(who[0], verb[0])]
    if _ENDS.search(between):
        return None
    if who[1] <= verb[0]:
        return bool(_RE["is_done"].search(between))
    first, *by = _RE["by_whom"].split(between)
    if by:
        return bool(_RE["to"].search(by[-1]))
    return True if _RE["to"].search(first) or _RE["directly"].fullmatch(first) else None


def _names(match: re.Match[str], side: str) -> frozenset[str]:
    """What stands on one side of a verb, without what is measured of it."""
    words = next((text for key, text in match.groupdict().items() if key[0] == side and text), "")
    return frozenset(content_tokens(_RE["measured"].sub(" ", words)))


def hardly_names(query: Wording, piece: Evidence, *over: str, least: float = 0.5) -> bool:
    """Whether a piece in the language of the question, with what stands `over` it, names less than this share
    of what is asked about."""
    matter = set(query.content).difference(content_tokens(piece.document.title))
    named = matter.intersection(content_tokens("\n".join((*over, piece.words))))
    return len(named) < least * len(matter) and has_han(query.text) == has_han(piece.text)


def invents(words: str, piece: Evidence) -> bool:
    """Whether words have a number, or a name in capitals, that stands neither in a piece nor over it."""
    held = set(content_tokens(_around(piece)))
    return any(not held.issuperset(content_tokens(word)) for word in _NAMED.findall(words))


def nearer(text: str, start: int, end: int, query: Wording) -> bool:
    """Whether something else of the kind stands nearer to what is asked about: of "812 patients were screened
    and 621 randomised" the first is not how many were randomised, nor is another year's amount or party it.
    The whole sentence says it."""
    found = extract(text)
    own = [q for q in found if q.start < end and start < q.end]
    alike = [q for q in found if len(own) == 1 and (q.kind, q.unit) == (own[0].kind, own[0].unit)]
    places = _positions(text, query.content).values() if len(alike) > 1 else ()
    away = {q.start: sum(_away(each, q.start, q.end) for each in places) for q in alike}
    if any(away[q.start] < away[own[0].start] for q in alike):
        return True
    role = asked_role(query.text)
    wanted = {role} if role else {str(p.year) for p in query.periods if p.year}
    till = start if has_han(text) else len(text)  # a Chinese year stands in front
    spots = roles_in(text) if role else [(m[0], m.span()) for m in _YEAR.finditer(text, 0, till)]
    right = [at for key, at in spots if key in wanted]
    wrong = [at for key, at in spots if key not in wanted and not (start < at[1] and at[0] < end)]
    return bool(right and wrong) and _away(wrong, start, end, 1) < _away(right, start, end, 1)


def _positions(text: str, tokens: Collection[str]) -> dict[str, list[tuple[int, int]]]:
    """Where the tokens stand in a text; Chinese ones as typed, others as whole words."""
    plain = normalise(text)
    plain = plain if len(plain) == len(text) else text.lower()
    found: dict[str, list[tuple[int, int]]] = {t: [] for t in tokens}
    for token in filter(has_han, tokens):
        found[token] += [match.span() for match in re.finditer(re.escape(token), plain)]
    for match in _WORD.finditer(plain):
        for token in () if has_han(match[0]) else search_tokens(match[0]):
            if token in found:
                found[token].append(match.span())
    return {token: places for token, places in found.items() if places}


def _away(places: Iterable[tuple[int, int]], start: int, end: int, before: int = 0) -> int:
    """How far the nearest of these places stands from a span, one in front of it so much farther."""
    return min(max(start - b + before, a - end, 0) for a, b in places)
