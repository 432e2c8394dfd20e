"""Questions made from sentences by code: what a sentence says, asked for.

No parser and no model: patterns over English sentences (who did it, when, where, how many, what something
is), the cells of table rows, and, for any sentence, a name, number or date in it replaced by its question
word. The questions are plainer than people's; what they teach is to find the sentence that says it and to
copy the words asked for. Everything is drawn from a seeded generator: the same text gives the same
questions."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_YEAR = r"(?:1[0-9]|20)\d{2}"
_DATE = rf"(?:(?:{MONTHS}) \d{{1,2}}, {_YEAR}|\d{{1,2}} (?:{MONTHS}) {_YEAR}|(?:{MONTHS}) {_YEAR}|{_YEAR})"
_WORD = r"[A-Z][\w'’.-]*[\w]"
_NAME = rf"{_WORD}(?: (?:of|the|de|van|von|and|&) {_WORD}| {_WORD}){{0,4}}"
_SCALE = r"(?: ?%| per cent| percent| (?:million|billion|thousand))?"
_NUMBER = rf"(?:(?:USD|EUR|GBP|\$|£|€) ?)?\d[\d,]*(?:\.\d+)?{_SCALE}"
_SMALL = frozenset("two three four five six seven eight nine ten eleven twelve thirty".split())
_ABOUT = r"(?:about |over |approximately |some )?"
_PERSON = re.compile(
    r"\b(?:actor|actress|singer|player|politician|writer|author|king|queen|president|lawyer|character"
    r"|physician|leader|director|scientist|footballer|musician)\b"
)
_MONEY = re.compile(r"USD|EUR|GBP|[$£€]")
_BE = r"(?:is|are|was|were)"
_VERBS = (
    "written|directed|produced|composed|founded|created|built|designed|invented|discovered|published|released"
    "|established|developed|performed|sung|recorded|played|portrayed|voiced|won|held|owned|signed|introduced"
    "|launched|completed|formed|elected|appointed|adopted|located|based|made|used|named|known|caused|approved"
    "|issued|paid|called|filmed|set|opened|administered|governed|opened|born"
)
_PAST = {
    "wrote": "write", "directed": "direct", "won": "win", "founded": "found", "created": "create",
    "built": "build", "designed": "design", "invented": "invent", "discovered": "discover",
    "published": "publish", "released": "release", "established": "establish", "developed": "develop",
    "performed": "perform", "sang": "sing", "recorded": "record", "played": "play", "portrayed": "portray",
    "voiced": "voice", "held": "hold", "signed": "sign", "introduced": "introduce", "launched": "launch",
    "completed": "complete", "formed": "form", "became": "become", "began": "begin", "led": "lead",
    "received": "receive", "reached": "reach", "scored": "score", "sold": "sell", "opened": "open",
    "joined": "join", "moved": "move", "defeated": "defeat", "appointed": "appoint", "paid": "pay",
    "gave": "give", "made": "make", "took": "take", "ended": "end", "started": "start", "died": "die",
    "stars": "star", "plays": "play", "has": "have", "had": "have", "contains": "contain",
    "includes": "include", "produces": "produce", "uses": "use", "covers": "cover", "requires": "require",
    "causes": "cause", "premiered": "premiere", "debuted": "debut", "aired": "air", "occurred": "occur",
    "describes": "describe", "consists": "consist", "refers": "refer", "provides": "provide",
}  # fmt: skip
# Words of origin stand before a noun; alone they name nobody.
_ADJECTIVE = re.compile(
    rf"^(?:\w+(?:ish|ese|[a-z]ian|ican|ench|erman|utch)|{MONTHS}|I|II|III|He|She|It|The|This)$"
)
_PRONOUN = re.compile(
    r"^(It|He|She|They|This|These|The (?:film|song|series|book|novel|show|company|band|game|album))\b"
)


@dataclass(frozen=True, slots=True)
class Made:
    """A question, its answer word for word as the sentence has it, and the pattern that made it."""

    question: str
    answer: str
    pattern: str


def questions_from(sentence: str, title: str, rng: random.Random) -> list[Made]:
    """All questions that the patterns find in an English sentence (a few, often none). `title` is put where
    the sentence says "it"."""
    text = " ".join(sentence.split())
    if not 25 <= len(text) <= 420 or "|" in text:
        return []
    found = [m for m in _all(text, title, rng) if _good(m, text)]
    unique = {m.question.lower(): m for m in found}
    return list(unique.values())


def _all(text: str, title: str, rng: random.Random) -> Iterator[Made]:
    resolved = _resolved(text, title)
    yield from _passive(resolved)
    yield from _copula(resolved, title)
    yield from _active(resolved)
    yield from _born(resolved)
    yield from _counted(resolved)
    yield from _replaced(resolved, rng)


def _good(made: Made, text: str) -> bool:
    words = made.question.split()
    inside = made.answer.lower() in made.question.lower()
    return 3 <= len(words) <= 34 and 0 < len(made.answer) <= 140 and made.answer in text and not inside


def _resolved(text: str, title: str) -> str:
    """A pronoun that begins the sentence gives way to the title, without what stands there in brackets."""
    plain = re.sub(r"\s*\(.*?\)", "", title).strip()
    match = _PRONOUN.match(text)
    return f"{plain}{text[match.end() :]}" if match and plain and len(plain) < 50 else text


def _lower(text: str) -> str:
    """The text as it goes on inside a question."""
    first = text.split(" ", 1)[0]
    common = first in (
        "The",
        "A",
        "An",
        "In",
        "On",
        "Its",
        "His",
        "Her",
        "Their",
        "This",
        "These",
        "All",
        "Each",
        "Any",
    )
    return text[0].lower() + text[1:] if common else text


_NO_SUBJECT = re.compile(r"\b(?:is|are|was|were|be|been|has|have|had|who|which|that|as|by|to|not|and)\b")
_SUBJECT = r"(?P<s>[A-Z][^,;:()]{2,80}?)"
_PASSIVE = re.compile(
    rf"^{_SUBJECT} (?P<be>{_BE}) (?:\w+ly |first |later |also )?(?P<v>{_VERBS})(?P<rest>[^,;:.]*)"
)


def _passive(text: str) -> Iterator[Made]:
    match = _PASSIVE.match(text)
    if match is None or _NO_SUBJECT.search(match["s"]):
        return
    subject, be, verb, rest = _lower(match["s"]), match["be"], match["v"], match["rest"]
    agent = re.search(rf"\bby (?P<a>(?:the |a |an )?{_NAME})", rest)
    if agent:
        yield Made(f"Who {be} {subject} {verb} by?", agent["a"], "by")
        yield Made(f"By whom {be} {subject} {verb}?", agent["a"], "by")
        yield Made(f"Who {_active_of(verb)} {subject}?", agent["a"], "by")
    when = re.search(rf"\b(?:in|on|since|from) (?P<d>{_DATE})", rest)
    if when:
        yield Made(f"When {be} {subject} {verb}?", when["d"], "when")
        yield Made(f"What year {be} {subject} {verb}?", when["d"][-4:], "when")
    where = re.search(rf"\b(?:in|at|near) (?P<p>(?:the )?{_NAME})", rest)
    if where and not re.match(MONTHS, where["p"]):
        yield Made(f"Where {be} {subject} {verb}?", where["p"], "where")


def _active_of(verb: str) -> str:
    return {"written": "wrote", "sung": "sang", "held": "holds", "known": "knew"}.get(verb, verb)


_COPULA = re.compile(
    rf"^{_SUBJECT} (?:\([^)]*\) ?)?(?P<be>{_BE}) (?P<y>(?:an?|the|one of) [^;:]{{8,180}}?)"
    r"(?:\.|,? (?:which|that|who|whose|where)\b|, and\b|;|:)"
)


def _copula(text: str, title: str) -> Iterator[Made]:
    match = _COPULA.match(text)
    if match is None or _NO_SUBJECT.search(match["s"]):
        return
    subject, be, what = _lower(match["s"]), match["be"], match["y"].rstrip(" ,")
    who = "Who" if _PERSON.search(what) else "What"
    yield Made(f"{who} {be} {subject}?", what, "definition")
    if who == "What":
        yield Made(f"What does {subject} mean?", what, "definition")
        yield Made(f"What {be} {what} called?", match["s"], "name")
    if len(what) > 20:
        yield Made(f"{who} {be} {what}?", match["s"], "name")


_PREPOSITION = re.compile(r",| (?:in|on|at|by|for|from|with|after|before|when|where|and|until|during|to) ")
_ACTIVE = re.compile(
    rf"^(?P<s>(?:The |A |An )?{_NAME}|[A-Z][\w ]{{3,40}}?) (?:also |first |later )?"
    rf"(?P<v>{'|'.join(_PAST)}) (?P<o>[^;:.]{{3,150}})"
)


def _active(text: str) -> Iterator[Made]:
    match = _ACTIVE.match(text)
    if match is None or _NO_SUBJECT.search(match["s"]):
        return
    subject, verb, rest = match["s"], match["v"], match["o"]
    base = _PAST[verb]
    do = "does" if verb.endswith("s") else "did"
    thing = _PREPOSITION.split(rest)[0].strip()
    if len(thing) > 3:
        yield Made(f"Who {verb} {thing}?", subject, "subject")
        yield Made(f"What {do} {_lower(subject)} {base}?", thing, "object")
        if len(rest) > len(thing) + 8:
            yield Made(f"Who {verb} {rest.strip()}?", subject, "subject")
    when = re.search(rf"\b(?:in|on|since) (?P<d>{_DATE})", rest)
    if when:
        did = f"{do} {_lower(subject)} {base} {rest[: when.start()].strip(' ,')}".strip()
        yield Made(f"When {did}?", when["d"], "when")
        yield Made(f"In what year {did}?", when["d"][-4:], "when")
    where = re.search(rf"\b(?:in|at) (?P<p>(?:the )?{_NAME})", rest)
    if where and not re.match(MONTHS, where["p"]):
        did = f"{do} {_lower(subject)} {base} {rest[: where.start()].strip(' ,')}".strip()
        yield Made(f"Where {did}?", where["p"], "where")


def _born(text: str) -> Iterator[Made]:
    match = re.search(rf"^(?P<s>{_NAME}) \( ?(?:born )?(?P<d>{_DATE})", text)
    if match:
        yield Made(f"When was {match['s']} born?", match["d"], "born")
    match = re.search(rf"(?P<c>{_NAME}) \( ?(?:played|portrayed|voiced) by (?P<a>{_NAME})", text)
    if match:
        yield Made(f"Who plays {match['c']}?", match["a"], "cast")
    match = re.search(rf"(?P<a>{_NAME}) as (?P<c>{_NAME})", text)
    if match:
        yield Made(f"Who plays {match['c']}?", match["a"], "cast")
        yield Made(f"Who played {match['c']}?", match["a"], "cast")


_COUNTED = re.compile(
    rf"^{_SUBJECT} (?P<v>has|have|had|consists? of|contains?|includes?|comprises?) {_ABOUT}"
    rf"(?P<n>{_NUMBER}|\w+) (?P<t>[a-z]+s)\b"
)
_THERE = re.compile(rf"^There (?P<be>are|were) {_ABOUT}(?P<n>{_NUMBER}|\w+) (?P<t>[^,;:.]{{4,90}})")


def _counted(text: str) -> Iterator[Made]:
    match = _COUNTED.match(text)
    if match and not _NO_SUBJECT.search(match["s"]) and (match["n"][0].isdigit() or match["n"] in _SMALL):
        said = match["v"].split()[0]
        verb = "have" if said in ("has", "had") else said.removesuffix("s")
        do = "did" if said == "had" else "do" if said == verb else "does"
        yield Made(f"How many {match['t']} {do} {_lower(match['s'])} {verb}?", match["n"], "count")
        yield Made(f"How many {match['t']} are there in {_lower(match['s'])}?", match["n"], "count")
    match = _THERE.match(text)
    if match and (match["n"][0].isdigit() or match["n"] in _SMALL):
        yield Made(f"How many {match['t']} {match['be']} there?", match["n"], "count")


def _replaced(text: str, rng: random.Random) -> Iterator[Made]:
    """A clause with a name, a number or a date in it replaced by its question word."""
    targets = [(m, "when") for m in re.finditer(rf"\b(?:in|on|since|until) ({_DATE})", text)]
    targets += [(m, "number") for m in re.finditer(rf"(?<![\w.,-])({_NUMBER})(?= [a-z%])", text)]
    targets += [(m, "name") for m in re.finditer(rf"(?<=[a-z,] )({_NAME})(?![\w'’-])", text)]
    targets = [(m, kind) for m, kind in targets if _askable(m[1], kind)]
    if not targets:
        return
    match, kind = rng.choice(targets)
    start, end = _clause(text, match.start(), match.end())
    before, after = text[start : match.start()].strip(), text[match.end() : end].strip(" ,")
    word = _word_for(match[1], kind, rng)
    question = f"{before} {word} {after}".strip()
    if kind == "when" and before and rng.random() < 0.5:  # the question word first
        left = re.sub(r" (?:in|on|since|until)$", "", before)
        question = f"{word}: {left} {after}".strip()
    yield Made(f"{question[0].upper()}{question[1:]}?", match[1], f"replaced {kind}")


def _askable(answer: str, kind: str) -> bool:
    """Not a word of origin, and no bare year as a count."""
    return not (
        _ADJECTIVE.search(answer) if kind == "name" else kind == "number" and re.fullmatch(_YEAR, answer)
    )


def _word_for(answer: str, kind: str, rng: random.Random) -> str:
    if kind == "when":
        return rng.choice(("when", "in what year", "on what date"))
    if kind == "name":
        return "who or what"
    if _MONEY.search(answer):
        return "how much"
    return "what percentage" if re.search("%|per ?cent", answer) else "how many"


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch around the words asked for, between marks that end a clause."""
    left = max(
        (m.end() for m in re.finditer(r"[;:]\s|, (?:and|but|while|which|who)\s|\.\s", text[:start])),
        default=0,
    )
    right = re.search(r"[;:.]|, (?:and|but|while|which|who)\b", text[end:])
    return left, end + right.start() if right else len(text)


def questions_from_row(header: str, row: str) -> list[Made]:
    """Row label x column header: what a cell of a table says. Cells are separated by "|"."""
    names, cells = [[c.strip() for c in line.split("|")] for line in (header, row)]
    if len(names) != len(cells) or len(cells) < 2 or not cells[0]:
        return []
    made = []
    for name, cell in list(zip(names, cells, strict=True))[1:]:
        if name and cell and cell.lower() != name.lower() and cell not in cells[0]:
            made.append(Made(f"What is the {name} of {cells[0]}?", cell, "cell"))
            made.append(Made(f"{cells[0]}: {name}?", cell, "cell"))
    return made


def altered(question: str, rng: random.Random) -> str | None:
    """The question with one of its years changed, so that no sentence answers it any more; None where it has
    none."""
    years = list(re.finditer(r"\b(?:1[89]|20)\d\d\b", question))
    if years:
        match = rng.choice(years)
        other = int(match[0]) + rng.choice((-7, -4, -3, -2, -1, 1, 2, 3, 5, 9))
        return f"{question[: match.start()]}{other}{question[match.end() :]}"
    return None
