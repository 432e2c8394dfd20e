"""What the words of a question say by themselves: the kind of answer it expects, the names, numbers and
periods to find again.

Pure functions over strings, English and Chinese. A kind is a hint for choosing sentences, never a filter;
`rag.search.candidates` finds what a sentence holds of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.facts.dates import FiscalPeriod, FoundDate, date_tokens, dates, read_periods
from rag.facts.names import CAPITALISED, labelled
from rag.facts.numerals import fold
from rag.facts.quantities import extract
from rag.facts.quantity import Kind
from rag.facts.references import UNITS, references
from rag.languages import Patterns, patterns
from rag.languages.text import STOP_WORDS, content_tokens, detect_language, normalise, query_tokens, words
from rag.questions.naming import Word, name_words, spaced
from rag.types import MarkKind

_RE = Patterns(__file__)


class AnswerType(StrEnum):
    """`NAME` is a name of any kind; of reasons, definitions and manners the answer is a clause."""

    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DURATION = "duration"
    MEASURE = "measure"
    DATE = "date"
    PERSON = "person"
    ORGANISATION = "organisation"
    NAME = "name"
    PLACE = "place"
    REASON = "reason"
    DEFINITION = "definition"
    MANNER = "manner"
    OTHER = "other"


KINDS: dict[AnswerType, frozenset[Kind]] = {
    AnswerType.NUMBER: frozenset(Kind) - {Kind.REFERENCE},
    AnswerType.MONEY: frozenset({Kind.MONEY}),
    AnswerType.PERCENT: frozenset({Kind.SHARE}),
    AnswerType.DURATION: frozenset({Kind.DURATION}),
    AnswerType.MEASURE: frozenset({Kind.MEASURE}),
}
"""Of which kinds the quantities are that answer a question for a figure."""
_UNLIKE = {
    AnswerType.NUMBER: {Kind.DATE, Kind.REFERENCE},
    AnswerType.MONEY: {Kind.DATE, Kind.DURATION, Kind.MEASURE, Kind.REFERENCE},
    AnswerType.PERCENT: {Kind.DATE, Kind.DURATION, Kind.MEASURE, Kind.REFERENCE},
    AnswerType.DURATION: {Kind.MONEY, Kind.SHARE, Kind.REFERENCE},
    AnswerType.MEASURE: {Kind.DATE, Kind.DURATION, Kind.MONEY, Kind.REFERENCE},
    AnswerType.DATE: {Kind.MONEY, Kind.SHARE, Kind.MEASURE, Kind.REFERENCE},
}
_STATED = frozenset({AnswerType.MONEY, AnswerType.PERCENT, AnswerType.MEASURE})
_NAMED = frozenset({AnswerType.PERSON, AnswerType.ORGANISATION, AnswerType.NAME, AnswerType.PLACE})
# The first that matches decides: "how many days" is a duration, "which day" a date.
_ASKED = {AnswerType(kind): pattern for kind, pattern in patterns("expects").items()}
_TELLS = {AnswerType(kind): pattern for kind, pattern in patterns("tells").items()}
_WITHDRAWN = tuple(
    (pattern, {"former": (MarkKind.STRUCK, MarkKind.DELETED), "hidden": (MarkKind.HIDDEN,)}[key])
    for key, pattern in patterns("withdrawn").items()
)
# "who" and "is" are what stands in front of a role asked for, and behind it.
_ROLES = patterns("roles")
_OFFICE = patterns("office")
_WHO, _IS = _ROLES.pop("who"), _ROLES.pop("is")


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that asks, by its words alone. `expects` is the kind of answer, `names` are capitalised words or
    quoted titles as typed, `labelled` those that a letter or numeral tells apart ("Party A"), `numbers`
    digits without separators; `tokens` are those that a search looks for, `content` those that say what it is
    about. `name_words` have their places in `spaced`; `withdrawn` are the kinds of words asked for that stand
    no more, or out of sight, `cues` the tokens that ask for them."""

    text: str
    language: str
    expects: AnswerType
    names: tuple[str, ...]
    labelled: tuple[str, ...]
    numbers: tuple[str, ...]
    tokens: tuple[str, ...]
    content: tuple[str, ...]
    periods: tuple[FiscalPeriod, ...]
    spaced: str
    name_words: tuple[Word, ...]
    withdrawn: frozenset[MarkKind]
    cues: frozenset[str]

    @property
    def words(self) -> list[str]:
        """Distinct words as typed, stop words left out."""
        return words(self.text)

    @property
    def whether(self) -> bool:
        """Whether yes or no answers it."""
        return _RE["whether"].search(self.text) is not None


def read_wording(text: str) -> Wording:
    """What the words of a text say; never raises."""
    plain = spaced(text)
    days = [one for one in dates(fold(text)) if one.period.year and one.period.day]
    former = [(m[0], kinds) for pattern, kinds in _WITHDRAWN for m in pattern.finditer(text)]
    return Wording(
        text=text,
        language=detect_language(text),
        expects=expected(text),
        names=_names(_respelt(text, days, [])),
        labelled=_labelled(text),
        numbers=tuple(dict.fromkeys(n.replace(",", "") for n in _RE["number"].findall(normalise(text)))),
        tokens=(*query_tokens(text), *date_tokens(days)),
        content=tuple(content_tokens(_respelt(text, days, date_tokens(days)))),
        periods=read_periods(text),
        spaced=plain,
        name_words=name_words(plain),
        withdrawn=frozenset(kind for _, kinds in former for kind in kinds),
        cues=frozenset(token for cue, _ in former for token in content_tokens(cue)),
    )


def _respelt(text: str, found: Sequence[FoundDate], tokens: Sequence[str]) -> str:
    """The text with these dates replaced by search tokens, which are the same for all spellings: their months
    are no names."""
    for one in reversed(found):
        text = f"{text[: one.start]} {text[one.end :]}"
    return " ".join((text, *tokens))


def expected(text: str) -> AnswerType:
    """The first kind that a pattern of the question speaks for; OTHER where none does. What Party A does is
    no question for a party."""
    for name in reversed(labelled(fold(text))):
        text = text[: name.start] + text[name.label_start :]
    return next((kind for kind, pattern in _ASKED.items() if pattern.search(text)), AnswerType.OTHER)


def fits(asked: Wording, text: str) -> bool:
    """Whether a text may answer: not where all that it states is of other kinds than is asked for, for a name
    a bare figure, for a sum no figure. A date may say how long, a number without its unit anything."""
    stated = extract(text)
    if asked.expects in _NAMED:
        for one in stated:
            text = text.replace(one.text, " ")
        return not stated or any(c.isalpha() for c in text)
    if asked.expects not in _UNLIKE or not _RE["measured"].search(asked.text):
        return True
    kinds = {one.kind for one in stated}
    return bool(kinds - _UNLIKE[asked.expects]) or (not kinds and asked.expects not in _STATED)


def tells(asked: Wording, sentence: str) -> bool:
    """Whether a word of a sentence tells how many, how long, when or where, if that is asked, other than by
    what the question names itself: "at the Yard" does not tell where the Yard is."""
    if asked.expects not in _TELLS or (asked.expects is AnswerType.DATE and dates(fold(sentence))):
        return True
    places = (m.groupdict().get("at") for m in _TELLS[asked.expects].finditer(sentence))
    return any(not at or not set(content_tokens(at)).issubset(asked.content) for at in places)


def asked_role(text: str) -> str:
    """What somebody asked for is to somebody else ("Who is the guarantor?"), by its name among the roles; ""
    for none."""
    said = ((role, text[:start], text[end:]) for role, (start, end) in roles_in(text))
    return next((role for role, before, behind in said if _WHO.search(before) or _IS.match(behind)), "")


def left_office(asked: Wording, text: str) -> bool:
    """Whether a question is who holds an office and a text says only who does no more."""
    if asked.expects not in (AnswerType.PERSON, AnswerType.NAME) or any(
        _OFFICE[key].search(asked.text) for key in ("left", "past")
    ):
        return False
    rest = _OFFICE["left"].sub(" ", text)
    return rest != text and not _OFFICE["holds"].search(rest)


def roles_in(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Where a text says what somebody is to somebody else, by role."""
    return [(role, m.span()) for role, pattern in _ROLES.items() for m in pattern.finditer(text)]


def _names(question: str) -> tuple[str, ...]:
    """Quoted titles, and capitalised words that are more than the capital of a sentence's first word."""
    found = list(_RE["zh_title"].findall(question))
    if not question.isupper():
        for match in CAPITALISED.finditer(question):
            word = match.group().rstrip(".'’").removesuffix("'s").removesuffix("’s")
            before = question[: match.start()].rstrip()
            opens = not before or before.endswith((".", "?", "!", ":"))
            if len(word) > 1 and word.lower() not in STOP_WORDS and not (opens and word[1:].islower()):
                found.append(word)
    return tuple(dict.fromkeys(found))


def _labelled(question: str) -> tuple[str, ...]:
    """Names with a letter or numeral; those of articles are no names. "Does Party A insure it?" is answered
    by who does: there the letter is what is asked."""
    if _RE["whether"].search(question):
        return ()
    folded = fold(question)
    parts = [(q.start, q.end) for q in references(folded) if q.unit in UNITS]
    found = [n for n in labelled(folded) if n.noun and not any(s < n.end and n.start < e for s, e in parts)]
    return tuple(dict.fromkeys(question[n.start : n.end] for n in found))
