"""How the figures of an answer were come by, as HTML: formula, working, inputs and notes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from markupsafe import Markup

from rag.languages import LANGUAGES, say
from rag.types import Answer, Calculation, Claim, Figure
from ui.markup import button, note, tag
from ui.texts import Texts


def without_working(claim: Claim, a: Answer) -> Claim:
    """A sentence that code made of a figure, without the formula and working that stand below it."""
    text = claim.text
    for one in () if claim.quoted else a.working:
        for code in LANGUAGES if (how := one.derivation) else ():
            text = text.replace(say("figures.how", code, how=how), "")
    return replace(claim, text=text)


def calculations(a: Answer, turn: int, texts: Texts) -> Markup | None:
    """Formula, working and inputs of each figure; an input opens the cell that it was read from."""
    numbers = count()
    rows = [_calculation(one, numbers, turn, texts) for one in a.working]
    return tag("div", rows, class_="cw-calculations") if rows else None


def _calculation(one: Calculation, numbers: Iterator[int], turn: int, texts: Texts) -> Markup:
    details = [
        (texts.formula, f"{one.name} = {one.formula}" if one.formula else ""),
        (texts.with_numbers, one.working),
    ]
    inputs = [tag("li", _input(figure, next(numbers), turn, texts)) for figure in one.inputs]
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
