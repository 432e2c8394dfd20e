"""A row chosen by what a question gives: a value that lies in its range, or the words of its key ("the rent
of unit C2").

A table is taken only where it is about the question: every word of that stands in its title, its headings,
its heads or the row, or says nothing of the matter ("patient"). A value that no row holds is said to be held
by none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answers.brackets import Miss, NoRow, by_value
from rag.answers.choosing import ChosenRows, RowQuestion, asked_columns, given, head_unit
from rag.answers.grid import GridRow, HeldWords, RowGrid, grids
from rag.answers.queries import find_over_rows
from rag.domains.finance.figures import Computed
from rag.facts.quantity import Kind, Quantity
from rag.facts.values import Comparison, read, relation
from rag.languages import patterns
from rag.languages.text import search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Hit

_RE = patterns("rows")


def find_row(query: Query, hits: Sequence[Hit], store: Store) -> Computed | NoRow | None:
    """The row that a question chooses, as what code read; `NoRow` where its value lies in none; None where
    nothing surely fits, or where two tables fit that say different things."""
    if query.withdrawn:
        return None
    asked, tables = given(query), tuple(grids(hits, store))
    for choose in (by_value, _by_key):
        found = [one for grid in tables if (one := choose(asked, grid)) is not None]
        fitting = [one for one in found if isinstance(one, ChosenRows)]
        if fitting:
            most = max(one.held for one in fitting)
            best = [one for one in fitting if one.held == most]
            same = len({one.words for one in best}) == 1
            return best[0].computed(query.language) if same else None
        if missed := [one for one in found if isinstance(one, Miss)]:
            return missed[0].said(query.language) if len(missed) == 1 else None
    return find_over_rows(query, hits, store)


def _by_key(asked: RowQuestion, grid: RowGrid) -> ChosenRows | None:
    """The one row that most words of the question name, and the column that it asks for."""
    named: dict[int, list[int]] = {}
    for n, row in enumerate(grid.rows):
        keys = [
            c
            for c, text in enumerate(row.texts)
            if text and (asked.names(text) or _equals(asked, grid, c, text))
        ]
        if keys and not row.total:
            named[n] = keys
    weights = {n: len(_key_words(asked, grid.rows[n], keys)) for n, keys in named.items()}
    best = [n for n in named if weights[n] == max(weights.values())]
    if len(best) != 1 or not grid.heads:
        return None
    row, keys = grid.rows[best[0]], named[best[0]]
    own = HeldWords(*(row.texts[c] for c in keys))
    if asked.unheld(grid.about, own):
        return None
    others = [c for c, text in enumerate(row.texts[: len(grid.heads)]) if c not in keys and text]
    answers = asked_columns(asked, grid, others, [row])
    if len(answers) != 1 or not _counts(asked, grid.heads[answers[0]], row.texts[answers[0]]):
        return None
    held = sum(grid.about.hold(w) for w in asked.words)
    return ChosenRows(grid, (row,), tuple(keys), answers, held)


def _counts(asked: RowQuestion, head: str, cell: str) -> bool:
    """Whether a cell may answer where "how many" is asked: a number of just these; of other questions any."""
    how_many = _RE["how_many"].search(asked.query.text)
    noun = how_many["noun"] if how_many else None
    named = noun is None or any(map(HeldWords(head).hold, search_tokens(noun)))
    return how_many is None or (named and cell[:1].isdigit())


def _key_words(asked: RowQuestion, row: GridRow, keys: Sequence[int]) -> frozenset[str]:
    return frozenset(w for c in keys for w in search_tokens(row.texts[c]))


def _equals(asked: RowQuestion, grid: RowGrid, column: int, text: str) -> bool:
    """Whether a cell is a value of the question, under the unit of its head."""
    unit = head_unit(grid.heads[column]) if column < len(grid.heads) and asked.values else None
    found = read(text) if asked.values else ()
    if len(found) != 1 or not isinstance(found[0], Quantity):
        return False
    cell = found[0]
    if unit is not None and cell.kind is Kind.NUMBER:
        cell = replace(cell.times(unit.value), kind=unit.kind, unit=unit.unit)
    return cell.kind is not Kind.NUMBER and any(relation(v, cell) is Comparison.EQUAL for v in asked.values)
