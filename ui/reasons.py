"""What an answer says of itself besides its sentences: as what a follow-up was searched, which parts were
answered, how much was read, how figures were come by. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markupsafe import Markup

from rag.languages import LANGUAGES, say
from rag.types import Answer, AnswerKind, Calculation, Claim, Figure, Part, Reading
from ui.cards import citation_button
from ui.markup import button, label, note, tag
from ui.texts import Texts


def searched_as(a: Answer, texts: Texts) -> Markup | None:
    """The stand-alone question that a follow-up was searched as, and a field to ask another one; nothing for
    a question that stood alone."""
    if not a.searched:
        return None
    field = tag(
        "div",
        tag("textarea", a.searched, class_="cw-edit", aria_label=texts.edited_question),
        button(texts.ask_edited, "cw-action", "again"),
        class_="cw-edit-form",
        hidden=True,
    )
    words = f"{texts.edit_searched}: {texts.edited_question}"
    edit = button(texts.edit_searched, "cw-link", "edit", aria_label=words)
    line = tag("p", label(texts.searched_as), " ", tag("span", a.searched), " ", edit)
    return tag("div", line, field, class_="cw-asked")


def queue_line(ahead: int, texts: Texts) -> Markup | None:
    """How many questions the model serves before this one; nothing where it is free."""
    if ahead < 1:
        return None
    words = texts.queued_one if ahead == 1 else texts.queued.format(ahead=ahead)
    return tag("p", words, class_="cw-note cw-queue", role="status")


def read(reading: Reading | None, texts: Texts) -> Markup | None:
    """Whether a question about many passages read all that match."""
    if reading is None:
        return None
    words = (texts.read_all if reading.complete else texts.read_some).format(
        intent=texts.intents.get(reading.intent, reading.intent),
        matching=reading.matching,
        read=reading.read,
        documents=reading.documents,
    )
    return tag("p", words, class_="cw-note cw-read" if reading.complete else "cw-gap cw-read", role="note")


def is_laid_out(a: Answer) -> bool:
    """Whether the text of the answer is more than its sentences in a row: counted, listed by document, set
    side by side."""
    counted = bool(a.claims) and not a.claims[0].quoted
    return a.reading is not None and a.kind is AnswerKind.QUOTED and (a.reading.complete or counted)


_MARK = re.compile(r"\[(\d{1,3})\]")


def laid_out(a: Answer, turn: int, texts: Texts) -> Markup:
    """The text line by line, its marks as buttons."""
    known = {c.number for c in a.citations}
    lines = [tag("p", _line(line, known, turn, texts), class_="cw-line") for line in a.text.splitlines()]
    return tag("div", lines, class_="cw-text")


def _line(line: str, known: set[int], turn: int, texts: Texts) -> Iterator[str | Markup]:
    at = 0
    for m in _MARK.finditer(line):
        if int(m[1]) in known:
            yield line[at : m.start()]
            yield citation_button(int(m[1]), turn, texts)
            at = m.end()
    yield line[at:]


def by_part(a: Answer) -> tuple[tuple[tuple[Part, tuple[Claim, ...]], ...], tuple[Claim, ...]]:
    """The sentences of each part of the question, each once, and those of none."""
    left = list(a.claims)
    grouped = []
    for part in a.parts:
        own = tuple(c for c in left if part.answered and set(c.citations) & set(part.citations))
        left = [c for c in left if c not in own]
        grouped.append((part, own))
    return tuple(grouped), tuple(left)


def part(one: Part, claims: Sequence[Markup], turn: int, texts: Texts) -> Markup:
    """One part of the question with its sentences, or why it had no support."""
    state = texts.part_answered if one.answered else texts.part_missing
    shape = "✓" if one.answered else "∅"
    body: list[Markup] = list(claims)
    if one.answered and not claims:
        body.append(tag("p", [citation_button(n, turn, texts) for n in one.citations], class_="cw-line"))
    if one.reason:
        body.append(tag("p", one.reason, class_="cw-note"))
    return tag(
        "section",
        tag(
            "header",
            tag("h4", one.question),
            tag("span", tag("span", shape, aria_hidden="true"), " ", state, class_="cw-state"),
            class_="cw-part-head",
        ),
        body,
        class_=f"cw-part cw-part--{'answered' if one.answered else 'missing'}",
    )


def parts(answer_parts: Sequence[Part], turn: int, texts: Texts) -> Markup | None:
    """The parts of a question of which none was answered."""
    if not answer_parts:
        return None
    return tag(
        "div", [part(one, (), turn, texts) for one in answer_parts], class_="cw-parts", aria_label=texts.parts
    )


def without_working(claim: Claim, a: Answer) -> Claim:
    """A sentence that code made of a figure, without the formula and working that stand below it."""
    text = claim.text
    for one in () if claim.quoted else a.calculations:
        for code in LANGUAGES if (how := one.derivation) else ():
            text = text.replace(say("figures.how", code, how=how), "")
    return replace(claim, text=text)


def calculations(a: Answer, turn: int, texts: Texts) -> Markup | None:
    """Formula, working and inputs of each figure; an input opens the cell that it was read from."""
    rows = []
    at = 0
    for one in a.calculations:
        rows.append(_calculation(one, at, turn, texts))
        at += len(one.inputs)
    return tag("div", rows, class_="cw-calculations") if rows else None


def _calculation(one: Calculation, first: int, turn: int, texts: Texts) -> Markup:
    details = [
        (texts.formula, f"{one.name} = {one.formula}" if one.formula else ""),
        (texts.with_numbers, one.working),
    ]
    inputs = [
        tag("li", _input(figure, number, turn, texts)) for number, figure in enumerate(one.inputs, first)
    ]
    notes = [tag("li", words) for words in one.notes]
    return tag(
        "section",
        tag("h4", texts.worked_out if one.formula else texts.read_from, class_="cw-label"),
        tag(
            "p",
            tag("span", one.name),
            tag("span", one.result.period, class_="cw-period") if one.result.period else None,
            tag("b", one.result.printed or f"{one.result.value} {one.result.unit}".strip()),
            class_="cw-result",
        ),
        tag("dl", [(tag("dt", name), tag("dd", words)) for name, words in details if words], class_="cw-dl"),
        [tag("p", texts.inputs, class_="cw-label"), tag("ul", inputs, class_="cw-inputs")]
        if inputs
        else None,
        tag("ul", notes, class_="cw-calc-notes") if notes else None,
        class_="cw-calc",
        aria_label=one.name,
    )


def _input(figure: Figure, number: int, turn: int, texts: Texts) -> list[Markup | None]:
    printed = figure.printed or str(figure.value)
    if figure.citation is None:
        origin = texts.calculated if not figure.printed else texts.from_question
        value = tag("span", tag("b", printed), " ", note(origin))
    else:
        value = button(
            [tag("b", printed), " ", f"[{figure.citation}]"],
            "cw-cell",
            "figure",
            data_turn=turn,
            data_number=number,
            aria_label=texts.open_cell.format(printed=f"{figure.label} {figure.period}: {printed}"),
        )
    return [
        tag("span", figure.label, class_="cw-input-label"),
        tag("span", figure.period, class_="cw-period") if figure.period else None,
        value,
    ]
