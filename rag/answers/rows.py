"""A row chosen by what a question gives: a value that lies in its range ("clearance 38", 金额300万元),
or the words of its key ("the rent of unit C2").

A table is taken only where it is about the question: every word of that stands in its title, its headings,
its heads or the row, or says nothing of the matter ("patient"). Ranges are compared as values, under the unit
of their cell or of their head; where two columns have ranges and the question gives both values, both hold. A
value that no row holds is said to be held by none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import combinations, permutations

from rag.answers.grid import Grid, GridRow, Words, grids
from rag.domains.finance.figures import Computed
from rag.facts.numerals import CURRENCY_BEFORE, alternatives
from rag.facts.quantities import extract, header_scales
from rag.facts.quantity import Kind, Quantity, as_written
from rag.facts.values import Comparison, Range, Value, read, relation
from rag.languages import listed, patterns, say
from rag.languages.text import STOP_WORDS, content_tokens, has_han, letters, search_tokens
from rag.questions.expects import AnswerType
from rag.questions.query import Query
from rag.search.candidates import answers_in
from rag.store.store import Store
from rag.types import Calculation, Evidence, Figure, Hit

_MEASURED = frozenset({Kind.NUMBER, Kind.SHARE, Kind.MONEY, Kind.MEASURE, Kind.DURATION})
_IN = (Comparison.WITHIN, Comparison.EQUAL)
_OUT = (Comparison.BEFORE, Comparison.AFTER)
_YEARS = range(1900, 2101)
_MOST_RANGES = 200
_MOST_ROWS = 3
_RE = patterns("rows")
_CURRENCY = re.compile(rf"(?:{alternatives(CURRENCY_BEFORE)})[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NoRow:
    """A value that no row of a table holds, in words, and the rows that come nearest."""

    evidence: tuple[Evidence, ...]
    reason: str


@dataclass(frozen=True)
class Given:
    """What a question gives to choose by: `values`, and the `words` that are left of it, as stems."""

    query: Query
    values: tuple[Value, ...]
    words: tuple[str, ...]

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(search_tokens(self.query.text))

    @cached_property
    def letters(self) -> str:
        return letters(self.query.text)

    def unheld(self, *by: Words) -> list[str]:
        """The words that stand nowhere there and say something of the matter."""
        light = _stems("carriers")
        if not any(words.hold(w) for w in _stems("grown") for words in by):
            light |= _stems("young")
        return [w for w in self.words if w not in light and not any(words.hold(w) for words in by)]

    def names(self, cell: str) -> bool:
        """Whether the question holds every word of a cell."""
        if has_han(cell):
            return len(plain := letters(cell)) > 1 and plain in self.letters
        words = [w for w in search_tokens(cell) if w not in STOP_WORDS]
        return bool(words) and any(c.isalpha() for c in cell) and self.tokens.issuperset(words)


@lru_cache(maxsize=4)
def _stems(name: str) -> frozenset[str]:
    """The words of a list, as they are in a question."""
    return frozenset(search_tokens(" ".join(listed(name)))) | listed(name)


def given(query: Query) -> Given:
    """The values of a question that a row may be chosen by: no years, dates, articles or labels."""
    values = tuple(_reached(v) for v in read(query.text) if v.kind in _MEASURED and not _is_year(v))
    left, at = "", 0
    for value in values:
        left, at = f"{left}{_CURRENCY.sub('', query.text[at : value.start])} ", value.end
    rest = left + query.text[at:]
    words = content_tokens(rest) if any(c.isalpha() for c in rest) else []
    return Given(query, values, tuple(w for w in words if any(c.isalnum() for c in w)))


def _reached(value: Value) -> Value:
    """Four years for 满四年: who has served so long is asked about."""
    alone = isinstance(value, Range) and value.high is None and _RE["reached"].match(value.text)
    return value.low if alone and isinstance(value, Range) and value.low else value


def _is_year(value: Value) -> bool:
    return isinstance(value, Quantity) and value.kind is Kind.NUMBER and value.value in _YEARS


def find_row(query: Query, hits: Sequence[Hit], store: Store) -> Computed | NoRow | None:
    """The row that a question chooses, as what code read; `NoRow` where its value lies in none; None where
    nothing surely fits, or where two tables fit that say different things."""
    if query.withdrawn:
        return None
    asked, tables = given(query), tuple(grids(hits, store))
    for choose in (_by_value, _by_key):
        found = [one for grid in tables if (one := choose(asked, grid)) is not None]
        fitting = [one for one in found if isinstance(one, _Choice)]
        if fitting:
            most = max(one.held for one in fitting)
            best = [one for one in fitting if one.held == most]
            same = len({one.words for one in best}) == 1
            return best[0].computed(query.language) if same else None
        if missed := [one for one in found if isinstance(one, _Miss)]:
            return missed[0].said(query.language) if len(missed) == 1 else None
    return None


# --- A value within a range


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of ranges: those of each row, by its number."""

    number: int
    head: str
    ranges: Mapping[int, tuple[Range, ...]]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Rows that fit, each with the columns that say so (`keys`) and those that answer; `held` counts the
    words of the question that the table is about."""

    grid: Grid
    rows: tuple[GridRow, ...]
    keys: tuple[int, ...]
    answers: tuple[int, ...]
    held: int
    pairs: tuple[tuple[Value, int], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(row.texts[n] for row in self.rows for n in self.answers if n < len(row.texts))

    def computed(self, language: str) -> Computed:
        """The rows in words, with the working of how each was chosen."""
        evidence = tuple(self.grid.evidence(row, n) for n, row in enumerate(self.rows, 1))
        lines = [self._line(row, language) for row in self.rows]
        working = tuple(self._working(row, n, language) for n, row in enumerate(self.rows, 1) if self.pairs)
        text = say("answers.rows", language, rows=lines)
        return Computed(evidence, working, ((text, tuple(range(1, len(evidence) + 1))),))

    def _line(self, row: GridRow, language: str) -> str:
        keys = [
            self._named(n, row.texts[n], short=True) for n in self.keys if n < len(row.texts) and row.texts[n]
        ]
        several = len(self.answers) > 1 or len(self.grid.heads) > len(self.keys) + 1
        cells = [
            self._named(n, row.texts[n], short=not several)
            for n in self.answers
            if n < len(row.texts) and row.texts[n]
        ]
        return say("answers.row", language, keys=keys, cells=cells)

    def _named(self, column: int, text: str, *, short: bool) -> str:
        """A cell behind its head, which is left out where the cell says by itself what it is."""
        head = self.grid.heads[column] if column < len(self.grid.heads) else ""
        bare = not any(c.isalpha() for c in text) or any(v.kind is Kind.NUMBER for v in read(text))
        return f"{head} {text}" if head and (bare or not short) else text

    def _working(self, row: GridRow, number: int, language: str) -> Calculation:
        inputs = tuple(
            Figure(self.grid.heads[column], _decimal(value), printed=value.text)
            for value, column in self.pairs
        )
        column = self.answers[0]
        text, head = row.texts[column], self.grid.heads[column]
        start = row.starts[column]
        result = Figure(
            head, _decimal(*read(text)[:1]), printed=text, citation=number, start=start, end=start + len(text)
        )
        how = [say("answers.in_range", language, value=v.text, range=row.texts[c]) for v, c in self.pairs]
        return Calculation(
            head or row.texts[self.keys[0]], "", inputs, result, say("figures.clauses", language, clauses=how)
        )


@dataclass(frozen=True, slots=True)
class _Miss:
    """A value that lies in no range of a column."""

    grid: Grid
    column: _Column
    value: Value

    def said(self, language: str) -> NoRow:
        """Which value, of which column, and what rows there are."""
        numbers = sorted(self.column.ranges)
        rows = [self.grid.rows[n] for n in dict.fromkeys((numbers[0], numbers[-1]))]
        cells = [row.texts[self.column.number] for row in rows]
        text = say("answers.no_row", language, value=self.value.text, head=self.column.head, cells=cells)
        evidence = tuple(self.grid.evidence(row, n) for n, row in enumerate(rows, 1))
        return NoRow(evidence, text)


def _by_value(asked: Given, grid: Grid) -> _Choice | _Miss | None:
    if not asked.values:
        return None
    columns = _columns(grid)
    taken: list[tuple[_Column, Value, dict[int, Comparison | None]]] = []
    for column in columns:
        if placed := _placed(asked, column, grid):
            taken.append((column, *placed))
    if not taken:
        return None
    numbers = [
        n
        for n in {n for column, _, _ in taken for n in column.ranges}
        if (said := [where.get(n) for _, _, where in taken if where.get(n) is not None])
        and all(one in _IN for one in said)
    ]
    numbers = _labelled(asked, grid, _nearest(taken[0][0], taken[0][1], sorted(numbers), grid), columns)
    rows = tuple(grid.rows[n] for n in numbers)
    if not rows:
        column, value, where = taken[0]
        unheld = asked.unheld(grid.about, *(Words(*row.texts) for row in grid.rows))
        sure = grid.table is not None and grid.whole and all(one in _OUT for one in where.values())
        return _Miss(grid, column, value) if len(taken) == 1 and sure and not unheld else None
    if len(rows) > _MOST_ROWS or asked.unheld(grid.about, *(Words(*row.texts) for row in rows)):
        return None
    keys = tuple(column.number for column in columns if any(column.number < len(r.texts) for r in rows))
    others = [
        n
        for n in range(len(grid.heads))
        if n not in keys and any(n < len(r.texts) and r.texts[n] for r in rows)
    ]
    labels = tuple(n for n in others if n < max(keys) and all(asked.names(r.texts[n]) for r in rows))
    answers = asked_columns(asked, grid, [n for n in others if n not in labels], rows)
    if not answers:
        return None
    held = sum(grid.about.hold(w) for w in asked.words)
    pairs = tuple((value, column.number) for column, value, _ in taken)
    return _Choice(grid, rows, (*labels, *keys), answers, held, pairs)


def _columns(grid: Grid) -> list[_Column]:
    """The columns whose cells say what their rows hold for: ranges that lie beside each other, or within each
    other with one end open ("under 10 kg", "under 20 kg"); those of rows that another such column holds apart
    may lie as they like."""
    columns: list[_Column] = []
    for number, head in enumerate(grid.heads):
        cells = grid.column(number)
        read_ones = {n: tuple(v for v in read(c) if isinstance(v, Range)) for n, c in enumerate(cells) if c}
        ranges = {n: own for n, own in read_ones.items() if own and all(v.kind in _MEASURED for v in own)}
        if not 2 <= len(ranges) <= _MOST_RANGES or 2 * len(ranges) < len(read_ones):
            continue
        if all(
            all(_beside(a, b) for a in ranges[m] for b in ranges[n]) or _apart(columns, m, n)
            for m, n in combinations(ranges, 2)
        ):
            columns.append(_Column(number, head, ranges))
    return columns


def _apart(columns: Sequence[_Column], m: int, n: int) -> bool:
    """Whether one of the columns holds two rows apart."""
    held = ((c.ranges.get(m, ()), c.ranges.get(n, ())) for c in columns)
    return any(relation(a, b) in _OUT for one, two in held for a in one for b in two)


def _beside(a: Range, b: Range) -> bool:
    """Whether two ranges may be those of two rows."""
    where = relation(a, b)
    if where in (None, Comparison.EQUAL, *_OUT):
        return True
    if where in (Comparison.WITHIN, Comparison.HOLDS) and (
        (a.low is b.low is None) or (a.high is b.high is None)
    ):
        return True
    inner = relation(replace(a, low_in=False, high_in=False), replace(b, low_in=False, high_in=False))
    return inner in _OUT


def _placed(asked: Given, column: _Column, grid: Grid) -> tuple[Value, dict[int, Comparison | None]] | None:
    """The value of the question that a column is about, and where it lies against the ranges of each row."""
    head = Words(column.head)
    subject = [w for w in asked.words if head.hold(w)]
    unit = head_unit(column.head) or _money_unit(grid)
    for reading in _readings(unit, bool(subject)):
        found = []
        for value in asked.values:
            pairs = {n: [reading(value, r) for r in ranges] for n, ranges in column.ranges.items()}
            where = {n: _all([relation(*pair) for pair in own if pair]) for n, own in pairs.items()}
            if any(one is not None for one in where.values()):
                found.append((value, where))
        if found:
            near = min(found, key=lambda one: _distance(asked, one[0], subject))
            return near if len(found) == 1 or subject else None
    return None


def _all(found: Sequence[Comparison | None]) -> Comparison | None:
    """Where a value lies against all ranges of a cell that it can be compared with."""
    said = [one for one in found if one is not None]
    return next((one for one in said if one not in _IN), said[0] if said else None)


Reading = Callable[[Value, Range], tuple[Value, Range] | None]


def _readings(unit: Quantity | None, named: bool) -> Iterator[Reading]:
    """How a value and a range can be compared: in their own units; the range in that of its head; as bare
    figures, where the question names what stands in the column and not both say a unit."""

    def own(value: Value, r: Range) -> tuple[Value, Range] | None:
        return (value, r) if Kind.NUMBER not in (value.kind, r.kind) else None

    def under_head(value: Value, r: Range) -> tuple[Value, Range] | None:
        if unit is None or r.kind is not Kind.NUMBER or value.kind is Kind.NUMBER:
            return None
        return value, _ends(r, lambda q: replace(q.times(unit.value), kind=unit.kind, unit=unit.unit))

    def bare(value: Value, r: Range) -> tuple[Value, Range] | None:
        if Kind.NUMBER not in (value.kind, r.kind) or (unit is not None and value.kind is not Kind.NUMBER):
            return None
        plain = as_plain(value)
        return plain, _ends(r, lambda q: replace(as_written(q), kind=Kind.NUMBER, unit=""))

    yield own
    yield under_head
    if named:
        yield bare


def as_plain(value: Value) -> Value:
    """The value as a bare figure, as written."""
    if isinstance(value, Quantity):
        return replace(as_written(value), kind=Kind.NUMBER, unit="")
    return _ends(value, lambda q: replace(as_written(q), kind=Kind.NUMBER, unit=""))


def _ends(r: Range, change: Callable[[Quantity], Quantity]) -> Range:
    return replace(r, low=change(r.low) if r.low else None, high=change(r.high) if r.high else None)


def head_unit(head: str) -> Quantity | None:
    """One of the unit that a head states in brackets, behind a comma or at its end."""
    for piece in _RE["unit"].split(head)[1:]:
        found = extract(f"1 {piece.strip(' ()（）')}")
        if found and found[0].start == 0 and found[0].kind in _MEASURED - {Kind.NUMBER}:
            return found[0]
    return None


def _money_unit(grid: Grid) -> Quantity | None:
    scales = header_scales(" ".join(grid.table.units)) if grid.table else ()
    factor, currency = scales[0] if scales else (None, "")
    return Quantity(Kind.MONEY, 0, 0, "", value=factor, unit=currency) if factor and currency else None


def _distance(asked: Given, value: Value, subject: Sequence[str]) -> int:
    """How far from a value the words stand that its column is named by."""
    text = asked.query.text
    places = [m.start() for m in _RE["word"].finditer(text) if set(search_tokens(m[0])) & set(subject)]
    return min((abs(value.start - at) for at in places), default=len(text))


def _nearest(column: _Column, value: Value, numbers: list[int], grid: Grid) -> list[int]:
    """Of the rows that hold a value those whose range lies within no other one's; and of two that meet at it
    the one that says that it holds it."""
    first = {n: column.ranges[n][0] for n in numbers if n in column.ranges}
    inner = [
        n
        for n in numbers
        if n not in first
        or not any(m != n and relation(r, first[n]) is Comparison.WITHIN for m, r in first.items())
    ]
    for low, high in permutations(inner, 2) if len(inner) == 2 and len(first) > 1 else ():
        end, begin = first[low].high, first[high].low
        meet = end is not None and begin is not None and end.value == begin.value
        if meet and end and _RE["included"].match(grid.rows[low].texts[column.number], end.end):
            return [low]
    return inner


def _labelled(asked: Given, grid: Grid, numbers: list[int], columns: Sequence[_Column]) -> list[int]:
    """Of rows that fit those whose label the question names, where it names any."""
    ranged = {column.number for column in columns}
    named = [
        n
        for n in numbers
        if any(c not in ranged and asked.names(text) for c, text in enumerate(grid.rows[n].texts))
    ]
    return named or numbers


def asked_columns(
    asked: Given, grid: Grid, columns: Sequence[int], rows: Sequence[GridRow]
) -> tuple[int, ...]:
    """Which of the columns a question asks for: the one whose head holds most of its words, the only one
    that holds the kind of answer it expects, else all."""
    if len(columns) < 2:
        return tuple(columns)
    heads = {n: Words(grid.heads[n]) for n in columns}
    telling = [w for w in asked.words if not all(head.hold(w) for head in heads.values())]
    held = {n: sum(map(head.hold, telling)) for n, head in heads.items()}
    best = [n for n in columns if held[n] == max(held.values()) and held[n]]
    if len(best) == 1:
        return tuple(best)
    kept = best or list(columns)
    fitting = [n for n in kept if all(_of_kind(asked, grid, n, row) for row in rows)]
    return tuple(fitting if len(fitting) == 1 else kept)


_KINDS = {
    AnswerType.MONEY: (Kind.MONEY,),
    AnswerType.PERCENT: (Kind.SHARE,),
    AnswerType.DURATION: (Kind.DURATION,),
}


def _of_kind(asked: Given, grid: Grid, column: int, row: GridRow) -> bool:
    expects = asked.query.expects
    text = row.texts[column] if column < len(row.texts) else ""
    unit = head_unit(grid.heads[column])
    return bool(answers_in(text, expects)) or (unit is not None and unit.kind in _KINDS.get(expects, ()))


def _decimal(value: Value | None = None) -> Decimal:
    q = value if isinstance(value, Quantity) else (value.low or value.high) if value else None
    plain = as_written(q).value if q else 0
    return Decimal(plain.numerator) / Decimal(plain.denominator)


# --- A row by its key


def _by_key(asked: Given, grid: Grid) -> _Choice | None:
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
    own = Words(*(row.texts[c] for c in keys))
    if asked.unheld(grid.about, own):
        return None
    others = [c for c, text in enumerate(row.texts[: len(grid.heads)]) if c not in keys and text]
    answers = asked_columns(asked, grid, others, [row])
    if len(answers) != 1 or not _counts(asked, grid.heads[answers[0]], row.texts[answers[0]]):
        return None
    held = sum(grid.about.hold(w) for w in asked.words)
    return _Choice(grid, (row,), tuple(keys), answers, held)


def _counts(asked: Given, head: str, cell: str) -> bool:
    """Whether a cell may answer where "how many" is asked: a number of just these; of other questions any."""
    how_many = _RE["how_many"].search(asked.query.text)
    noun = how_many["noun"] if how_many else None
    named = noun is None or any(map(Words(head).hold, search_tokens(noun)))
    return how_many is None or (named and cell[:1].isdigit())


def _key_words(asked: Given, row: GridRow, keys: Sequence[int]) -> frozenset[str]:
    return frozenset(w for c in keys for w in search_tokens(row.texts[c]))


def _equals(asked: Given, grid: Grid, column: int, text: str) -> bool:
    """Whether a cell is a value of the question, under the unit of its head."""
    unit = head_unit(grid.heads[column]) if column < len(grid.heads) and asked.values else None
    found = read(text) if asked.values else ()
    if len(found) != 1 or not isinstance(found[0], Quantity):
        return False
    cell = found[0]
    if unit is not None and cell.kind is Kind.NUMBER:
        cell = replace(cell.times(unit.value), kind=unit.kind, unit=unit.unit)
    return cell.kind is not Kind.NUMBER and any(relation(v, cell) is Comparison.EQUAL for v in asked.values)
