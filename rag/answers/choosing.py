"""What a question gives to choose rows by, which columns it asks for, rows chosen as an answer, conditions
that rows have to pass, and what its wording asks for over rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from math import isfinite

from rag.answers.grid import MEASURED, GridRow, HeldWords, RowGrid, TypedColumn, head_unit
from rag.answers.guarded import Cellular
from rag.domains.finance.figures import Computed
from rag.facts.dates import Period
from rag.facts.names import is_legal_form, short_name
from rag.facts.numerals import CURRENCY_BEFORE, alternatives, fold, numerals
from rag.facts.quantity import Kind, Quantity, as_written
from rag.facts.values import Range, Value, extent, read
from rag.languages import listed, patterns, say
from rag.languages.text import STOP_WORDS, content_tokens, has_han, letters, search_tokens
from rag.questions.expects import KINDS, AnswerType
from rag.questions.query import Query
from rag.search.candidates import answers_in
from rag.types import Calculation, Figure

_YEARS = range(1900, 2101)
_MOST_RANK = 20
_RE = patterns("rows")
_CURRENCY = re.compile(rf"(?:{alternatives(CURRENCY_BEFORE)})[ \t]*$", re.IGNORECASE)


@dataclass(frozen=True)
class RowQuestion:
    """What a question gives to choose by: `values`, and the `words` that are left of it, as stems."""

    query: Query
    values: tuple[Value, ...]
    words: tuple[str, ...]

    @cached_property
    def tokens(self) -> frozenset[str]:
        return frozenset(search_tokens(self.query.text))

    @cached_property
    def lowered(self) -> str:
        return self.query.text.lower()

    @cached_property
    def letters(self) -> str:
        return letters(self.query.text)

    def unheld(self, *by: HeldWords) -> list[str]:
        """The words that stand nowhere there and say something of the matter."""
        light = _stems("carriers")
        if not any(words.hold(w) for w in _stems("grown") for words in by):
            light |= _stems("young")
        return [w for w in self.words if w not in light and not any(words.hold(w) for words in by)]

    def names(self, cell: str) -> bool:
        """Whether the question holds every word of a cell."""
        if cell.isalpha() and cell.isupper() and cell.isascii():
            # IT is no pronoun; 评级为A has no blank.
            return re.search(rf"(?<![A-Za-z0-9]){cell}(?![A-Za-z0-9])", self.query.text) is not None
        if not any(word[:2] in self.lowered for word in cell.lower().split()) and not has_han(cell):
            return False  # most cells of a long table
        if has_han(cell):
            return len(plain := letters(cell)) > 1 and plain in self.letters
        words = [w for w in search_tokens(short_name(cell)) if w not in STOP_WORDS]
        return bool(words) and any(c.isalpha() for c in cell) and self.tokens.issuperset(words)


@lru_cache(maxsize=4)
def _stems(name: str) -> frozenset[str]:
    """The words of a list, as they are in a question."""
    return frozenset(search_tokens(" ".join(listed(name)))) | listed(name)


def given(query: Query) -> RowQuestion:
    """The values of a question that a row may be chosen by: no years, dates, articles or labels; its words
    without the legal forms of names."""
    values = tuple(_reached(v) for v in read(query.text) if v.kind in MEASURED and not _is_year(v))
    left, at = "", 0
    for value in values:
        left, at = f"{left}{_CURRENCY.sub('', query.text[at : value.start])} ", value.end
    rest = left + query.text[at:]
    words = content_tokens(rest) if any(c.isalpha() for c in rest) else []
    forms = {t for name in query.names if is_legal_form(name) for t in search_tokens(name)}
    words = [w for w in words if any(c.isalnum() for c in w) and w not in forms]
    return RowQuestion(query, values, tuple(words))


def _reached(value: Value) -> Value:
    """Four years for 满四年: who has served so long is asked about."""
    alone = isinstance(value, Range) and value.high is None and _RE["reached"].match(value.text)
    return value.low if alone and isinstance(value, Range) and value.low else value


def _is_year(value: Value) -> bool:
    return isinstance(value, Quantity) and value.kind is Kind.NUMBER and value.value in _YEARS


def asks_which(query: Query) -> bool:
    """Whether the question is which of several things is the first: a figure of the whole is none of them."""
    ends = _RE["highest"].search(query.text) or _RE["lowest"].search(query.text)
    return bool(asked_noun(query) and ends)


def asked_noun(query: Query) -> str:
    """What a question asks which of; "" for a time, and where it asks so of nothing."""
    noun = _RE["asked_noun"].search(query.text)
    said = next(filter(None, noun.groups()), "") if noun else ""
    return "" if _RE["timed"].fullmatch(said) else said


def asked_columns(
    asked: RowQuestion, grid: RowGrid, columns: Sequence[int], rows: Sequence[GridRow]
) -> tuple[int, ...]:
    """Which of the columns a question asks for: the one whose head holds most of its words, the only one
    that holds the kind of answer it expects, else all."""
    if len(columns) < 2:
        return tuple(columns)
    heads = {n: HeldWords(grid.heads[n]) for n in columns}
    telling = [w for w in asked.words if not all(head.hold(w) for head in heads.values())]
    held = {n: sum(map(head.hold, telling)) for n, head in heads.items()}
    best = [n for n in columns if held[n] == max(held.values()) and held[n]]
    priced = _RE["priced"].search(asked.query.text)
    money = [n for n in columns if (unit := head_unit(grid.heads[n])) and unit.kind is Kind.MONEY]
    money = money or [n for n in columns if _RE["price"].search(grid.heads[n])]
    if priced and len(money) == 1:
        best = money if not best or money[0] in best else sorted(best + money)  # cost and time
    if asked.query.expects is AnswerType.PLACE:
        best = [n for n in columns if _RE["place"].search(grid.heads[n])] or best
    if _RE["often"].search(asked.query.text):
        cells = {n: f"{grid.heads[n]}\n{rows[0].texts[n]}" for n in columns if n < len(rows[0].texts)}
        best = sorted({*best, *(n for n, cell in cells.items() if _RE["interval"].search(cell))})
        if len(best) > 1:
            return tuple(best)
    if len(best) == 1:
        return tuple(best)
    kept = best or list(columns)
    kinds = {n: [_of_kind(asked, grid, n, row) for row in rows] for n in kept}
    fitting = [n for n in kept if all(kinds[n])]
    apart = all(one is False for n in kept if n not in fitting for one in kinds[n])
    return tuple(fitting if len(fitting) == 1 and apart else kept)


def _of_kind(asked: RowQuestion, grid: RowGrid, column: int, row: GridRow) -> bool | None:
    """Whether a cell is of the kind that a question expects; None for a bare number, which may be, of no day
    though."""
    priced = _RE["priced"].search(asked.query.text) is not None
    expects = AnswerType.MONEY if priced else asked.query.expects
    text = row.texts[column] if column < len(row.texts) else ""
    unit = head_unit(grid.heads[column])
    kinds = () if expects is AnswerType.NUMBER else KINDS.get(expects, ())
    if answers_in(text, expects) or (unit is not None and unit.kind in kinds):
        return True
    bare = unit is None and any(v.kind is Kind.NUMBER for v in read(text))
    return None if bare and expects is not AnswerType.DATE else False


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """Rows that fit, each with the columns that say so (`keys`) and those that answer; `held` counts the
    words of the question that the table is about."""

    grid: RowGrid
    rows: tuple[GridRow, ...]
    keys: tuple[int, ...]
    answers: tuple[int, ...]
    held: int
    pairs: tuple[tuple[Value, tuple[int, ...]], ...] = ()

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
        several = len(self.answers) > 1 or len(self.grid.heads) > len(self.keys) + 1
        filled = {n: text for n, text in enumerate(row.texts) if text}
        keys = [self._named(n, filled[n], short=True) for n in self.keys if n in filled]
        cells = [self._named(n, filled[n], short=not several) for n in self.answers if n in filled]
        return say("answers.row", language, keys=keys, cells=cells)

    def _named(self, column: int, text: str, *, short: bool) -> str:
        """A cell behind its head, which is left out where the cell says by itself what it is."""
        head = self.grid.head(column)
        bare = not any(c.isalpha() for c in text) or any(v.kind is Kind.NUMBER for v in read(text))
        return f"{head} {text}" if head and (bare or not short) else text

    def _working(self, row: GridRow, number: int, language: str) -> Calculation:
        inputs = tuple(
            Figure(self.grid.heads[columns[0]], _decimal(value), printed=value.text)
            for value, columns in self.pairs
        )
        column = self.answers[0]
        text, head = row.texts[column], self.grid.heads[column]
        start = row.starts[column]
        result = Figure(
            head, _decimal(*read(text)[:1]), printed=text, citation=number, start=start, end=start + len(text)
        )
        how = [
            say("answers.in_range", language, value=v.text, range=cells_of(row, own)) for v, own in self.pairs
        ]
        return Calculation(
            head or row.texts[self.keys[0]], "", inputs, result, say("figures.clauses", language, clauses=how)
        )


def cells_of(row: GridRow, columns: Sequence[int]) -> str:
    """The words of cells beside each other: "25 – 250"."""
    return " – ".join(row.texts[n] for n in columns)


def _decimal(value: Value | None = None) -> Decimal:
    q = value if isinstance(value, Quantity) else (value.low or value.high) if value else None
    plain = as_written(q).value if q else 0
    return Decimal(plain.numerator) / Decimal(plain.denominator)


# --- What the wording of a question asks for over rows


class RowAggregate(StrEnum):
    """What is worked out of the rows; the first whose words a question holds."""

    SHARE = "share"
    AVERAGE = "average"
    COUNT = "count"
    TOTAL = "total"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class RowCues:
    """What the wording of a question asks for over rows, before any table is looked at: see
    `rag.answers.queries.RowQuery`. `asked` is the rest of it without its `dates`; `grouped` what stands
    behind "by" or "each", None where nothing is; `against` the column that another one has to be below or
    above ("over budget"), behind < or >."""

    aggregate: RowAggregate
    order: int
    ranks: tuple[int, int]
    grouped: str | None
    asked: RowQuestion
    dates: tuple[Value, ...]
    against: tuple[str, str] | None = None


def cues_of(query: Query) -> RowCues | None:
    """None for a question that asks for nothing over rows, or for two ends at once."""
    text, against = query.text, None
    for sign, key in (("<", "below"), (">", "above")):
        if m := _RE[key].search(text):
            against = sign, next(filter(None, m.groups()))
            text = f"{text[: m.start()]} {text[m.end() :]}"
    ordered = [sign for sign, key in ((1, "highest"), (-1, "lowest")) if _RE[key].search(text)]
    first, last = 1, 1
    if top := _RE["top"].search(text):
        numbers = numerals(fold(next(filter(None, top.groups()), "")))
        last, ordered = int(numbers[0].value) if numbers else 1, ordered or [1]
    elif (nth := _RE["nth"].search(text)) and nth.lastgroup:
        first = last = int(nth.lastgroup[1:])
    aggregate = next((a for a in RowAggregate if a in _RE and _RE[a].search(text)), RowAggregate.ROWS)
    grouped = _RE["grouped"].search(text)
    chosen = _RE["filter"].search(text) and not _RE["who_is"].search(text)  # a part is no condition of rows
    nothing = aggregate is RowAggregate.ROWS and not (ordered or grouped or chosen)
    if nothing or len(ordered) > 1 or last > _MOST_RANK:
        return None
    rest = text if not grouped else f"{text[: grouped.start()]} {text[grouped.end() :]}"
    listed = ["listed"] if aggregate is RowAggregate.COUNT else []
    for key in (*(("top", "nth", "highest", "lowest") if ordered else ()), aggregate, "total", *listed):
        rest = _RE[key].sub(" ", rest) if key in _RE else rest
    dates = tuple(v for v in map(_dated, read(rest)) if v.kind is Kind.DATE)
    for v in reversed(dates):
        rest = f"{rest[: v.start]} {rest[v.end :]}"
    behind = text[grouped.end() :] if grouped else None
    asked = given(replace(query, text=rest, asked=query.text))
    return RowCues(aggregate, sum(ordered), (first, last), behind, asked, dates, against)


def _dated(v: Value) -> Value:
    """A number that may be a year, as that year."""
    if isinstance(v, Quantity) and _is_year(v):
        return replace(v, kind=Kind.DATE, value=Fraction(0), period=Period(int(v.value)))
    return v


# --- Conditions that rows have to pass


@dataclass(frozen=True, slots=True)
class RowFilter:
    """A condition that rows have to pass: SQL with question marks, and the same in the table's words."""

    sql: str
    parameters: tuple[Cellular, ...]
    words: str

    @property
    def column(self) -> str:
        return self.sql.split()[0]


def equal_to(column: TypedColumn, cells: Sequence[str]) -> RowFilter:
    places = ", ".join("?" * len(cells))
    return RowFilter(f"{column.name} IN ({places})", tuple(cells), f"{column.head} {' / '.join(cells)}")


def bounded(column: TypedColumn, value: Value) -> RowFilter | None:
    """That a column's numbers, in its own unit, or its dates lie within a value; None where they are of
    another kind."""
    ends = (value.low, value.high) if isinstance(value, Range) else (value, value)
    open_ = (not value.low_in, not value.high_in) if isinstance(value, Range) else (False, False)
    limits: list[Fraction | float | Decimal | None]
    if column.dated:
        days = extent(value, "day") if value.kind is Kind.DATE else None
        if days is None or any(q and q.period and q.period.swapped for q in ends):
            return None
        limits, open_ = [days[0][0], days[1][0]], (False, False)
    elif column.counts:
        limits = [None if end is None else _stored(end, column) for end in ends]
        if any(end and limit is None for end, limit in zip(ends, limits, strict=True)):
            return None
    else:
        return None
    sql = [
        f"{column.name} {sign}{'' if out else '='} {limit}"
        for sign, limit, out in zip("><", limits, open_, strict=True)
        if limit is not None and isfinite(limit)
    ]
    return RowFilter(" AND ".join(sql), (), f"{column.head} {value.text}")


def _stored(end: Quantity, column: TypedColumn) -> Decimal | None:
    """A quantity as a column's numbers are stored; None for one of another kind or unit."""
    unit, plain = column.unit, as_written(end).value
    if column.percent != (end.kind is Kind.SHARE):
        return None
    said = search_tokens(" ".join(re.findall(r"[^\W\d_]+", end.text)))
    named = said and all(map(HeldWords(column.head).hold, said))  # "Days overdue", 逾期天数
    points = unit is None and (named or _RE["points"].search(end.text))
    if end.kind not in (Kind.NUMBER, Kind.SHARE) and not points:
        if unit is None or (unit.kind, unit.unit) != (end.kind, end.unit) or not unit.value:
            return None
        plain = end.value / unit.value
    return column.stored(Decimal(plain.numerator) / Decimal(plain.denominator))


def compared(
    columns: Sequence[TypedColumn],
    sign: str,
    named: str,
    best: Callable[[Sequence[TypedColumn]], list[TypedColumn]],
) -> RowFilter | None:
    """That a column's numbers are below (<) or above (>) those of the one that is `named`, in the same row:
    of the only other one of its kind, else of the `best` by the question, else of what there is in stock;
    None where it is not plain which columns are meant."""
    numbers, said = [c for c in columns if c.counts], search_tokens(named)
    held = {c.number: sum(map(HeldWords(c.head).hold, said)) for c in numbers}
    limits = [c for c in numbers if held[c.number] and held[c.number] == max(held.values())]
    if len(limits) != 1:
        return None
    (limit,) = limits
    alike = [c for c in numbers if c != limit and (c.percent, c.unit) == (limit.percent, limit.unit)]
    others = alike if len(alike) == 1 else best(alike) or stocked(alike)
    if len(others) != 1:
        return None
    (own,) = others
    more = own.decimals - limit.decimals
    sql = f"{own.name} * {10 ** max(0, -more)} {sign} {limit.name} * {10 ** max(0, more)}"
    return RowFilter(sql, (), f"{own.head} {sign} {limit.head}")


def stocked(columns: Sequence[TypedColumn]) -> list[TypedColumn]:
    """Those of what there is, not of the least or the most that there should be."""
    ends = [c for c in columns if _RE["highest"].search(c.head) or _RE["lowest"].search(c.head)]
    return [c for c in columns if c.counts and c not in ends and _RE["stock"].search(c.head)]
