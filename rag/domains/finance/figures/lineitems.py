"""Which line of a document's statements carries a line item, and what it says for a period.

Labels are compared with the wordings of a concept (concepts.toml; see `labels`). The line of the
primary statement is preferred; other tables are looked into only where no statement has the item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from rag.domains.finance.concepts import concepts, report_facts
from rag.domains.finance.figures.cells import calling_score, calling_words, wording_score
from rag.domains.finance.figures.formulas import book, concept_unit
from rag.domains.finance.figures.lines import PER_SHARE, Amount, TableLine, ledger, table_lines
from rag.domains.finance.sections import PRIMARY
from rag.facts.dates import MONTH_NAME
from rag.languages import Patterns, own
from rag.languages.text import search_tokens
from rag.store.store import Store
from rag.types import Evidence, Figure

_ENOUGH = 0.6
_ENOUGH_ELSEWHERE = 0.75
_ELSEWHERE, _REPEATED = 0.2, 0.12
_REPEATING_ROLES = frozenset(("selected data", "discussion", "quarterly", "segments"))
_LOOKED_AT = 24
# A line called by name: how surely, and how much surer than another of different value.
_SURE, _AS_GOOD = 0.85, 0.025
_RE = Patterns(__file__, month_name=MONTH_NAME)
# The wordings of a line, and the statements that it stands in.
_Wordings = tuple[tuple[str, ...], tuple[str, ...]]
# What a statement does not print, no other table does: one that seems to is about something else.
_CORE = frozenset(
    ("revenue", "cost of sales", "gross profit", "operating income", "net income", "pretax income",
     "operating cash flow", "营业收入", "营业成本", "净利润", "营业利润")
)  # fmt: skip
_TAXES = frozenset(("income tax", "所得税费用"))


@dataclass(frozen=True, slots=True)
class Item:
    """What is looked for: a concept's key, the wordings of its line and the statements it stands in."""

    key: str
    wordings: tuple[str, ...]
    statements: tuple[str, ...]

    @property
    def instant(self) -> bool:
        return self.statements[:1] == ("balance",)


@dataclass(frozen=True, slots=True)
class FigureReading:
    """A figure found: its line, its cell, its value in single units with the sign that its concept has (costs
    and payments are positive), and how surely it is the item, 0..1."""

    line: TableLine
    amount: Amount
    value: Decimal
    score: float

    @property
    def place(self) -> tuple[int, int]:
        """Its document and where its row begins there."""
        return self.line.row.document.id, self.line.row.start

    def figure(self, label: str, value: Decimal, period: str, citation: int) -> Figure:
        """As an input of a calculation."""
        cell = self.amount.cell
        return Figure(label, value, self.amount.unit, period, cell.printed, citation, cell.start, cell.end)

    def evidence(self, number: int) -> Evidence:
        """Its row as evidence."""
        return replace(self.line.row, number=number, score=round(min(self.score, 0.99), 4))


@lru_cache(maxsize=512)
def item(key: str, language: str = "en") -> Item | None:
    """The item of a concept's key; None for an unknown one. In documents in Chinese an English key stands for
    the Chinese line that says the same."""
    lines, others = _concepts()
    there = own((key, book().twins.get(key, key)), language)
    wordings, statements = lines.get(there) or others.get(there) or ((), ())
    return Item(key, wordings, statements) if wordings else None


@lru_cache(maxsize=1)
def _concepts() -> tuple[Mapping[str, _Wordings], Mapping[str, _Wordings]]:
    table = concepts()
    single = [c for c in table.concepts if len(c.item.lines) == 1]
    return table.lines, {c.names[0]: (c.item.lines[0], c.item.roles) for c in single}


def find_figure(
    store: Store, documents: Sequence[int], wanted: Item, year: int, part: str
) -> FigureReading | None:
    """The figure of an item for a fiscal period in the first of `documents` that has it: their statements are
    looked through first, then their other tables. None where none has it."""
    for document in documents:
        lines = ledger(store, document)
        found = _best(lines, wanted, year, part)
        if found is not None and wanted.key == "cost of sales" and _is_a_part(lines, found):
            return None  # costs in several rows without a total: no one of them is the cost of sales
        if found is not None and wanted.key in _TAXES:
            found = _with_tax_sign(lines, found, year, part)
        if found is not None:
            return found
    if wanted.instant or wanted.key in _CORE:
        core = wanted.statements[0]
        shown = {d: [one for one in ledger(store, d) if one.statement == core] for d in documents}
        documents = [d for d in shown if not any(figure_for(one, year, part) for one in shown[d])]
    for document in documents:
        found = _best(_other_tables(store, document, wanted), wanted, year, part, _ENOUGH_ELSEWHERE)
        if found is not None:
            return found
    return None


def find_line(
    store: Store, documents: Sequence[int], name: str, year: int, part: str
) -> FigureReading | None:
    """The figure of the line that a name calls, in the first reports of one period that have it. None where
    lines of different value may be meant."""
    facts = report_facts(store.catalogue())
    for _, alike in groupby(documents, key=lambda d: (facts[d].years[:1], facts[d].part)):
        found = [
            FigureReading(line, amount, (amount.cell.value or Decimal(0)) * amount.factor, score)
            for document in alike
            for line in _lines_with(store, document, name)
            for amount, score in _called(line, name, year, part)
        ]
        best = max((reading.score for reading in found), default=0.0)
        sure = [reading for reading in found if reading.score > best - _AS_GOOD]
        if best >= _SURE:
            if len({r.amount.unit == "%" for r in sure}) > 1:  # a common-size table beside its own
                share = _RE["share"].search(name) is not None
                sure = [r for r in sure if (r.amount.unit == "%") == share]
            scaled = max(sure, key=lambda reading: reading.amount.factor)
            return scaled if len({reading.amount.cell.value for reading in sure}) == 1 else None
    return None


def _called(line: TableLine, name: str, year: int, part: str) -> Iterator[tuple[Amount, float]]:
    """The cell of a line that a name and a period call, and how surely: in the period's column, or in that
    of which the name says the head, where the year stands in the label or around it."""
    around = " ".join((*line.row.heading_path, line.title, line.section))
    words = calling_words(name)
    dated = any(a.column.year for a in line.amounts)
    apart = [
        a for a in line.amounts
        if (said := calling_words(a.column.other or ("" if dated else a.column.text))) and said <= words
    ]  # fmt: skip
    if dated:
        held = replace(line, amounts=tuple(apart)) if apart else line
        printed = [a for a in line.amounts if str(year) in a.column.text and not a.column.other]
        amount = figure_for(held, year, part) or figure_for(line, year, part)
        if amount is None and len(printed) == 1 and part == "FY":  # fiscal 2019 may end in January 2020
            amount = printed[0]
    else:
        labelled = _RE["year"].findall(line.label)
        near = labelled or _RE["year"].findall(f"{around} {line.row.document.title}")
        amount = apart[0] if len(apart) == 1 and str(year) in near else None
    if amount is not None and amount.cell.value is not None:
        head = amount.column.text if amount in apart else ""
        if score := calling_score(_RE["day"].sub("", line.label), around, name, head):
            yield amount, score


def _lines_with(store: Store, document: int, name: str) -> tuple[TableLine, ...]:
    """The lines of a document's tables whose passages or headings hold every word of a name."""
    words = [word for word in name.split() if calling_words(word)]
    held = store.phrase_hits(list(dict.fromkeys(search_tokens(" ".join(words)))), [document])
    ids = set.intersection(*map(set, held.values())) if held else set()
    chunks = [(i, chunk) for i, _, chunk in store.chunks(sorted(ids)[:_LOOKED_AT]) if chunk.kind == "table"]
    return table_lines(store, store.document(document), chunks)


def _best(
    lines: Iterable[TableLine], wanted: Item | None, year: int, part: str, enough: float = _ENOUGH
) -> FigureReading | None:
    best: FigureReading | None = None
    if wanted is None:
        return None
    for line in lines:
        amount = figure_for(line, year, part)
        if amount is None or amount.cell.value is None:
            continue
        score = wording_score(line.label, line.section, wanted.wordings) - _misplaced(line, amount, wanted)
        if score >= enough and (best is None or score > best.score + 1e-9):
            best = FigureReading(line, amount, signed(wanted.key, line, amount), score)
    return best


def figure_for(line: TableLine, year: int, part: str) -> Amount | None:
    """The cell of a line for a period: of the column that only the period heads, else of the one that says
    to be the whole; None where it may be either of several."""
    instant = line.statement == "balance"
    fits = [
        a for a in line.amounts
        if a.column.year == year and not a.column.change and same_part(a.column.part, part, instant)
    ]  # fmt: skip
    plain = [a for a in fits if not a.column.other] or [
        a for a in fits if _RE["whole"].search(a.column.other)
    ]
    return plain[0] if plain else fits[0] if len(fits) == 1 else None


def same_part(printed: str, wanted: str, instant: bool) -> bool:
    """Whether a column is of the asked part of a year. A balance at the end of a half or of nine months is
    that of its last quarter; that of a year is its fourth's."""
    if instant:
        ends = {"H1": "Q2", "9M": "Q3", "Q4": "FY", "H2": "FY"}
        return ends.get(printed, printed) == ends.get(wanted, wanted)
    return printed == wanted


def _misplaced(line: TableLine, amount: Amount, wanted: Item) -> float:
    """What a line loses because of where it stands."""
    cost = 0.15 if amount.column.other else 0.0
    if wanted.statements and line.statement:
        places = [s for s in wanted.statements if s in PRIMARY]
        if line.statement not in places:
            # A change in payables stands in the cash flow statement under the balance sheet's name.
            cost += 0.5 if places else 0.1
        elif line.statement != places[0]:
            cost += 0.1
    if not line.statement and wanted.statements and not set(wanted.statements) & set(line.roles):
        cost += _ELSEWHERE
    elif _REPEATING_ROLES.intersection(line.roles).difference(wanted.statements):
        cost += _REPEATED
    if amount.unit == "%" and "%" not in " ".join(wanted.wordings):
        cost += 0.5
    cost += 0.04 if line.implied else 0.0
    unit = concept_unit(wanted.key)
    per_share = PER_SHARE.search(f"{line.section} {line.label}") is not None
    if (unit == "shares") != (amount.unit == "shares") or (
        per_share and amount.unit != "shares" and unit == "money" and wanted.statements
    ):
        cost += 0.5
    return cost


def signed(key: str, line: TableLine, amount: Amount) -> Decimal:
    """The value in single units, with the sign that the concept has whatever way the table prints it."""
    value = (amount.cell.value or Decimal(0)) * amount.factor
    if key in book().outflows:
        return value if re.search(r"(?i)\(income\)|\(gain\)", line.label) else abs(value)
    pure_loss = _RE["loss"].search(line.label) and not _RE["gain"].search(_RE["loss"].sub("", line.label))
    if pure_loss and all((a.cell.value or 0) >= 0 for a in line.amounts if not a.column.change):
        return -value
    return value


def _with_tax_sign(lines: Sequence[TableLine], tax: FigureReading, year: int, part: str) -> FigureReading:
    """The tax with the sign that makes it what lies between pretax and net income, where both stand in its
    statement; labels alone ("provision for income taxes (35)") do not decide it."""
    table = tax.line.row.heads, tax.line.statement
    own = [line for line in lines if (line.row.heads, line.statement) == table]
    language = tax.line.row.document.language
    pretax, net = (_best(own, item(f"{of} income", language), year, part) for of in ("pretax", "net"))
    if pretax is None or net is None:
        return tax
    size = abs(tax.value)
    as_expense, as_benefit = abs(pretax.value - size - net.value), abs(pretax.value + size - net.value)
    if as_expense == as_benefit:
        return tax
    return replace(tax, value=size if as_expense < as_benefit else -size)


def _is_a_part(lines: Sequence[TableLine], found: FigureReading) -> bool:
    """Whether a cost of sales is one of several of its statement, and not their total."""
    if "total" in found.line.label.lower():
        return False
    same = [
        line for line in lines if line.statement == "income" and line.row.heads == found.line.row.heads
        and _RE["cost_of"].match(line.label)
    ]  # fmt: skip
    return len({line.label for line in same}) > 1


def _other_tables(store: Store, document: int, wanted: Item) -> tuple[TableLine, ...]:
    """Lines of the tables outside the primary statements whose passages print one of the wordings."""
    held = store.phrase_hits([" ".join(search_tokens(w)[:8]) for w in wanted.wordings], [document])
    ids = list(dict.fromkeys(i for found in held.values() for i in found))[:_LOOKED_AT]
    chunks = [(i, chunk) for i, _, chunk in store.chunks(sorted(ids)) if chunk.kind == "table"]
    return table_lines(store, store.document(document), chunks)
