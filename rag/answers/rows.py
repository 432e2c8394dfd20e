"""A row chosen by what a question gives: a value that lies in its range ("clearance 38", 金额300万元), or the
words of its key ("the rent of unit C2").

A table is taken only where it is about the question: every word of that stands in its title, its headings,
its heads or the row, or says nothing of the matter ("patient"). Ranges are compared as values, under the unit
of their cell or of their head; where two columns have ranges and the question gives both values, both hold. A
value that no row holds is said to be held by none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rag.answers.bearing import TURNS, of_other_degree, to_be_derived
from rag.answers.choosing import (
    ChosenRows,
    RowAggregate,
    RowQuestion,
    asked_columns,
    asked_noun,
    asks_which,
    cells_of,
    given,
)
from rag.answers.grid import GridRow, HeldWords, RowGrid, grids, head_unit
from rag.answers.ranges import (
    IN,
    OUT,
    RangedColumn,
    Taken,
    nearest,
    placed_values,
    ranged_columns,
    under,
    under_heads,
)
from rag.answers.results import find_over_rows
from rag.domains.finance.figures import Computed
from rag.facts.quantity import Kind, Quantity
from rag.facts.values import Comparison, Range, Value, read, relation
from rag.languages import patterns, say
from rag.languages.text import search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Evidence, Hit

_MOST_ROWS = 3
_GAP = 4  # characters between a table and a title above it
_ENDS = ("highest", "lowest")
_RE = patterns("rows")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class NoRow:
    """A value that no row of a table holds, in words, and the rows that come nearest."""

    evidence: tuple[Evidence, ...]
    reason: str


def find_row(query: Query, hits: Sequence[Hit], store: Store) -> Computed | NoRow | None:
    """The row that a question chooses, as what code read; `NoRow` where its value lies in none; None where
    nothing surely fits, or where two tables fit that say different things."""
    if query.withdrawn:
        return None
    priced = _RE["priced"].search(query.text)
    asked, tables = given(query), [grid for grid in grids(hits, store) if not priced or grid.priced]
    for choose in (_by_value, _by_key):
        found = [one for grid in tables if (one := choose(asked, grid)) is not None]
        fitting = [one for one in found if isinstance(one, ChosenRows)]
        if fitting:
            most = max(one.held for one in fitting)
            best = [one for one in fitting if one.held == most]
            same = len({one.words for one in best}) == 1
            return best[0].computed(query.language) if same else None
        if missed := [one for one in found if isinstance(one, NoRow)]:
            return missed[0] if len(missed) == 1 else None
    return find_over_rows(query, hits, store)


def _by_key(asked: RowQuestion, grid: RowGrid) -> ChosenRows | None:
    """The row that most words of the question name, or the few that they name alike, and the column that it
    asks for."""
    named: dict[int, list[int]] = {}
    for n, row in enumerate(grid.rows if grid.heads else ()):
        cells = [(c, text) for c, text in enumerate(row.texts) if text and not row.total]
        keys = [
            c
            for c, text in cells
            if asked.names(text) or any(_equals(v, grid, c, text) for v in asked.values)
        ]
        if keys:
            named[n] = keys
    weights = {
        n: len({w for c in keys for w in search_tokens(grid.rows[n].texts[c])}) for n, keys in named.items()
    }
    best = [n for n in named if weights[n] == max(weights.values())]
    if not 1 <= len(best) <= _MOST_ROWS or len({tuple(named[n]) for n in best}) > 1:
        return None
    rows, keys = tuple(grid.rows[n] for n in best), named[best[0]]
    row, several = rows[0], len(best) > 1
    own = HeldWords(*(row.texts[c] for c in keys))
    others = [c for c, text in enumerate(row.texts[: len(grid.heads)]) if c not in keys and text]
    answers = () if asked.unheld(grid.about, own) else asked_columns(asked, grid, others, rows)
    typed = asked.query.text
    apart = _telling(grid, rows, (*keys, *answers)) if several else []
    if several and (not apart or _worked_out(asked.query) or _RE["count"].search(typed)):
        return None
    cells = [(c, row.texts[c]) for c in keys]
    used = [v for v in asked.values if any(_equals(v, grid, *one) or v.text in one[1] for one in cells)]
    both = len(answers) == 2 and _RE["priced"].search(typed)  # what it costs, and how long it takes
    if not (len(answers) == 1 or both) or len(used) < len(asked.values):
        return None
    head, cell = grid.heads[answers[0]], row.texts[answers[0]]
    worked = to_be_derived(asked.query, f"{head}\n{cell}")
    part = _RE["share"].search(typed) and not ("%" in head + cell or _RE["share"].search(head))
    alone = len(grid.heads) == 2 or (head and grid.heads.count(head) == 1)
    how_many = _RE["how_many"].search(typed)
    noun = how_many["noun"] if how_many else None
    counts = noun is None or any(map(HeldWords(head).hold, search_tokens(noun)))
    if worked or part or not alone or (how_many and not (counts and cell[:1].isdigit())):
        return None  # a figure is no share and no average, and words are no count
    years = [w for w in asked.words if _YEAR.fullmatch(w) and not own.hold(w)]
    # Where no head is a year, and each has a name of its own, it may be that of the document.
    whole = len({*grid.heads} - {""}) == len(grid.heads) and not any(map(_YEAR.search, grid.heads))
    if not whole and not all(year in head for year in years):
        return None
    return ChosenRows(grid, rows, (*apart, *keys), answers, sum(map(grid.about.hold, asked.words)))


def _worked_out(query: Query) -> list[str]:
    """What is asked for that is worked out of several rows."""
    keys = (RowAggregate.SHARE, RowAggregate.AVERAGE, RowAggregate.TOTAL, *(_ENDS * asks_which(query)))
    return [key for key in keys if _RE[key].search(query.text)]


def _telling(grid: RowGrid, rows: Sequence[GridRow], but: Sequence[int]) -> list[int]:
    """The first column of words, but for some, whose cells tell rows apart; none of a total."""
    free = [c.number for c in grid.body.typed.columns if c.head and not c.measured and c.number not in but]
    cells = {n: [row.texts[n] if n < len(row.texts) else "" for row in rows] for n in free}
    apart = [n for n, own in cells.items() if all(own) and len({*own}) == len(own)]
    return apart[:1]


def _equals(value: Value, grid: RowGrid, column: int, text: str) -> bool:
    """Whether a cell is a value of the question, under the unit of its head."""
    found = read(text)
    if len(found) != 1 or not isinstance(cell := found[0], Quantity):
        return False
    unit = head_unit(grid.heads[column]) if column < len(grid.heads) else None
    cell = under(unit, cell) if unit is not None and cell.kind is Kind.NUMBER else cell
    return cell.kind is not Kind.NUMBER and relation(value, cell) is Comparison.EQUAL


# --- By a value


def _by_value(asked: RowQuestion, grid: RowGrid) -> ChosenRows | NoRow | None:
    columns = ranged_columns(grid) if asked.values else []
    taken = placed_values(asked, columns, grid)
    if not taken:
        return None
    rows = tuple(_holding(asked, columns, taken, grid))
    unheld = asked.unheld(grid.about, *(HeldWords(*row.texts) for row in rows or grid.rows))
    if not rows:
        outside = all(any(one in OUT for one in said) for said in _lies(taken).values())
        sure = grid.table is not None and grid.whole and outside
        return _none(asked, grid, taken) if sure and not unheld else None
    if len(rows) > _MOST_ROWS or unheld:
        return None
    filled = [n for n in range(len(grid.heads)) if any(n < len(r.texts) and r.texts[n] for r in rows)]
    keys = tuple(n for c in columns for n in c.numbers if any(n < len(r.texts) for r in rows))
    others = [n for n in filled if n not in keys]
    labels = tuple(n for n in others if n < max(keys) and all(asked.names(r.texts[n]) for r in rows))
    free = [n for n in others if n not in labels]
    fitting, over = under_heads(asked, grid, free, [value for _, value, _ in taken])
    if over and not any(map(str.isalnum, chain(*(r.texts[n] for r in rows for n in fitting)))):
        return _none(asked, grid, taken, over) if grid.whole else None
    answers = asked_columns(asked, grid, fitting, rows)
    pairs = tuple((value, column.numbers) for column, value, _ in taken)
    about = sum(map(grid.about.hold, asked.words))
    return ChosenRows(grid, rows, (*labels, *keys), answers, about, pairs) if answers else None


def rows_in_range(
    query: Query, shown: Sequence[Evidence], hits: Sequence[Hit], store: Store
) -> list[Evidence]:
    """The evidence shown, renumbered, with the rows that hold a value of the question in the place of those
    of their table that do not."""
    asked, kept = given(query), list(shown)
    for grid in grids(hits, store) if asked.values else ():
        numbers = {row.start: n for n, row in enumerate(grid.rows)}
        own = [e for e in kept if e.document.id == grid.hit.document.id and e.start in numbers]
        columns = ranged_columns(grid) if own else []
        taken = placed_values(asked, columns, grid)
        rows = _holding(asked, columns, taken, grid)
        wrong = [e for e in own if any(at.get(numbers[e.start]) in OUT for _, _, at in taken)]
        if not wrong or not rows or len(rows) > _MOST_ROWS:
            continue
        held = {row.start for row in rows}
        right = [e for e in own if e.start in held]
        right += [grid.evidence(row, 1) for row in rows if row.start not in {e.start for e in right}]
        first = kept.index(own[0])
        rest = [e for e in kept if e not in wrong and e not in right]
        kept = [*rest[:first], *right, *rest[first:]]
    return [replace(e, number=n) for n, e in enumerate(kept[: len(shown)], 1)]


def _holding(
    asked: RowQuestion, columns: Sequence[RangedColumn], taken: Sequence[Taken], grid: RowGrid
) -> list[GridRow]:
    """The rows whose ranges hold the values of the question."""
    fitting = [n for n, said in _lies(taken).items() if said and all(one in IN for one in said)]
    named = _labelled(asked, grid, fitting, columns)
    return [grid.rows[n] for n in (nearest(*taken[0][:2], named) if taken else [])]


def one_of_several(query: Query, row: Evidence, hits: Sequence[Hit], store: Store) -> bool:
    """Whether a row alone is no answer: what is asked for is worked out of several, and it says no such
    thing; or another one of its table holds as much of the question, which names no value."""
    asked, over = given(query), "\n".join((*row.heading_path, row.header, row.words))
    if of_other_degree(query, row.words, said=True, by=TURNS):
        return True
    if asked_noun(query) and not row.heads and row.text[-1:].isalnum():
        over_rows = (
            g.table.start - row.end for g in grids(hits, store) if g.table and g.hit.document == row.document
        )
        if any(0 <= gap < _GAP for gap in over_rows):
            return True  # the title of a table names none of its rows
    for key in _worked_out(query):
        text = row.words if key in _ENDS else over  # "Maximum" over a column is not which is the highest
        if (row.heads or key in _ENDS) and not _RE[key].search(text):
            return True
    counted = _RE["how_many"].search(query.text)
    noun = search_tokens(counted["noun"] or "") if counted else []
    if row.heads and not {*noun}.isdisjoint(asked.unheld(HeldWords(over, row.document.title))):
        return True  # how many of something that it does not speak of
    bounds = any(isinstance(value, Range) for value in read(query.text))
    if row.heads and (_RE["filter"].search(query.text) or _RE["count"].search(query.text)) and bounds:
        return True  # one of those that are asked for
    if not row.heads or asked.values or query.periods:
        return False
    for grid in grids(hits, store):
        own = next((one for one in grid.rows if one.start == row.start), None)
        if own and grid.hit.document.id == row.document.id:
            said = [w for w in asked.words if HeldWords(*own.texts).hold(w)]
            rest = (HeldWords(*one.texts) for one in grid.rows if one is not own and not one.total)
            return any(all(map(held.hold, said)) for held in rest)
    return False


def _lies(taken: Sequence[Taken]) -> dict[int, list[Comparison]]:
    """Where the values lie against the ranges of each row, by its number."""
    numbers = sorted({*chain(*(at for _, _, at in taken))})
    return {n: [one for _, _, at in taken if (one := at.get(n))] for n in numbers}


def _none(asked: RowQuestion, grid: RowGrid, taken: Sequence[Taken], over: Sequence[Value] = ()) -> NoRow:
    """That no row holds the values: which values, of which columns or `over` some, and what rows there are:
    the first and the last, or those that hold one of several."""
    column, lies = taken[0][0], _lies(taken)
    held = [n for n, said in lies.items() if any(one in IN for one in said)][:_MOST_ROWS]
    rows = [grid.rows[n] for n in held or dict.fromkeys((min(column.ranges), max(column.ranges)))]
    said = {
        "values": [f"{value.text} ({one.head})" if one.head else value.text for one, value, _ in taken]
        + [value.text for value in over],
        "cells": [] if held else [cells_of(row, column.numbers) for row in rows],
    }
    text = say("answers.no_row", asked.query.language, **said)
    return NoRow(tuple(grid.evidence(row, n) for n, row in enumerate(rows, 1)), text)


def _labelled(
    asked: RowQuestion, grid: RowGrid, numbers: list[int], columns: Sequence[RangedColumn]
) -> list[int]:
    """Of rows that fit those whose label the question names, where it names any."""
    ranged = {n for column in columns for n in column.numbers}
    others = {n: [text for c, text in enumerate(grid.rows[n].texts) if c not in ranged] for n in numbers}
    return [n for n in numbers if any(map(asked.names, others[n]))] or numbers
