"""A query over the rows of a table, as the model proposes it: one SELECT over a table that it is shown as its
heads and a few cells.

Code takes nothing of it on trust. The SELECT is read into a `RowQuery` (what else it may say is refused), its
values have to be cells or numbers that the question states, every cell, value and date that code finds in the
question has to be among its conditions, and what it does has to be what the question's wording asks for. Then
it is run like any other."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from rag.answers.choosing import RowAggregate, RowCues, RowFilter, cues_of, equal_to
from rag.answers.grid import TypedColumn, grids
from rag.answers.queries import AskedTable, RowQuery, asked_table, filters_of
from rag.answers.request import AnswerRequest, Setup
from rag.answers.results import run
from rag.domains.finance.figures import Computed
from rag.errors import GenerationError
from rag.languages import model_instructions, patterns
from rag.languages.text import search_tokens
from rag.models.llm import Prompt
from rag.questions.query import Query
from rag.types import Event, Hit, Queued, StageStarted

_MOST_COLUMNS, _SHOWN = 12, 3
_TOKENS = 72
_LONGEST_CELL = 24
_AGGREGATES = {"sum": RowAggregate.TOTAL, "avg": RowAggregate.AVERAGE, "count": RowAggregate.COUNT}
_SELECT = re.compile(
    r"SELECT\s+(?:DISTINCT\s+)?(?P<what>.+?)\s+FROM\s+\S+(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+GROUP\s+BY\s+(?P<group>@\d+))?(?:\s+ORDER\s+BY\s+(?P<order>\S.*?)(?:\s+(?P<way>ASC|DESC))?)?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?\s*;?",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"(?:(?P<f>SUM|AVG|COUNT|MAX|MIN)\s*\(\s*(?:DISTINCT\s+)?)?(?P<c>@\d+|\*)(?:\s*\))?(?:\s+AS\s+\w+)?",
    re.IGNORECASE,
)
_LITERAL = r"'(?:[^']|'')*'|-?\d+(?:\.\d+)?"
_CONDITION = re.compile(rf"(?P<c>@\d+)\s*(?P<op><=|>=|=|<|>|LIKE)\s*(?P<value>{_LITERAL})", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_MOST_UNHELD = 2
_RE = patterns("rows")


@dataclass(frozen=True, slots=True)
class QueryInstructions:
    """How a model is asked for a query, from querying.toml; `none` matches a reply that gives none."""

    system: str
    table: str
    question: str
    ending: str
    none: re.Pattern[str]
    examples: tuple[tuple[str, str], ...]

    def user(self, table: str, wording: str) -> str:
        return f"{self.table} {table.strip()}\n{self.question} {wording}\n"


@cache
def query_instructions(code: str) -> QueryInstructions:
    """Those of a language. Raises ConfigError for a file that does not fit."""

    def made(raw: dict[str, Any]) -> QueryInstructions:
        examples = raw.pop("examples")
        bare = QueryInstructions(**raw | {"none": re.compile(raw["none"])}, examples=())
        turns = [
            (bare.user(one["table"], asked) + bare.ending, reply)
            for one in examples
            for asked, reply in one["turns"]
        ]
        return replace(bare, examples=tuple(turns))

    return model_instructions("querying", code, made)


def propose(
    setup: Setup, request: AnswerRequest, query: Query, hits: Sequence[Hit]
) -> Generator[Event, None, Computed | None]:
    """What the query that the model proposes comes to; None where the question asks for nothing over rows,
    where no table was found, without a model that judges, and where what it proposes does not hold."""
    llm, cues = setup.llm, None if query.withdrawn else cues_of(query)
    if cues is None or llm is None or not llm.info.judges or not llm.info.writes(query.language):
        return None
    tables = [t for grid in grids(hits, setup.index.store, whole=True) if (t := asked_table(cues, grid))]
    tables = [t for t in tables if any(c.counts for c in t.columns)]
    if not tables or request.stopped:
        return None
    table = min(tables, key=lambda t: (len(t.unheld), _beside(t)))
    yield StageStarted("reading")
    asked = query_instructions(query.language)
    user = asked.user(_shown(table), query.text)
    draft = ""
    try:
        prompt = Prompt(asked.system, user, asked.examples, asked.ending)
        for piece in llm.generate(prompt, max_tokens=_TOKENS, stop=request.stop):
            if isinstance(piece, Queued):
                yield piece
            else:
                draft += piece
    except GenerationError:
        return None  # it is read like any other question
    finally:
        request.clock.lap("querying")
    made = None if asked.none.match(draft.strip()) else accepted(draft, table)
    found = run(made, table.grid, query.language) if made else None
    return None if made and found and _guessed(made, found, table) else found


def _guessed(made: RowQuery, found: Computed, table: AskedTable) -> bool:
    """Whether an order of rows, or a total of one cell, is of a column the question does not name, beside
    others like it: how many were randomised is not how many to 200 mg, and what was most expensive is not
    what had the largest budget."""
    column, total = made.column, made.aggregate is RowAggregate.TOTAL and len(found.evidence) < 2
    ordered = made.order and made.group is None
    if column is None or not (total or ordered):
        return False
    alike = [c for c in table.columns if c.dated == column.dated and (c.dated or c.counts)]
    others = [c for c in alike if c.number != column.number and (ordered or c.summable)]
    return bool(others) and _unnamed(column, table)


def _unnamed(column: TypedColumn, table: AskedTable) -> bool:
    """Whether the question says no word of a column's head but what the title says anyway: the share of
    patients on a drug is not named by the drug whose leaflet it is."""
    said = table.cues.asked.tokens.difference(search_tokens(table.grid.hit.document.title))
    return said.isdisjoint(search_tokens(column.head))


def _beside(table: AskedTable) -> int:
    """How much more the head of the rows says than the question: of "Revenue" and "Revenue by destination"
    the second is another matter."""
    head = table.texts[0].head
    return sum(token not in table.cues.asked.tokens for token in search_tokens(head))


def _shown(table: AskedTable) -> str:
    """The table as the model sees it: what it is called, and its columns with a few cells, those first that
    the question names."""
    grid, body = table.grid, table.grid.body.typed
    called = [
        grid.hit.document.title,
        *(grid.table.heading_path[-1:] if grid.table else ()),
        grid.table.title if grid.table else "",
    ]
    lines = [", ".join(dict.fromkeys(filter(None, called)))]
    for column in [c for c in table.columns if c.filled][:_MOST_COLUMNS]:
        found = body.data.select(
            f"SELECT DISTINCT {column.name} FROM t WHERE {column.name} IS NOT NULL ORDER BY id LIMIT {_SHOWN}"
        )
        if column.dated:
            cells, kind = [f"{date.fromordinal(int(str(v))):%Y%m%d}" for (v,) in found], " (date)"
        elif column.counts:
            cells, kind = [f"{Decimal(str(v)).scaleb(-column.decimals):f}" for (v,) in found], " (number)"
        else:
            named = [*table.named.get(column.number, ()), *(str(v) for (v,) in found)]
            cells, kind = [f"'{v[:_LONGEST_CELL]}'" for v in dict.fromkeys(named)][:_SHOWN], ""
        lines.append(f'"{column.head}"{kind}: {", ".join(cells)}')
    return "\n".join(lines)


def accepted(select: str, table: AskedTable) -> RowQuery | None:
    """The query that a SELECT says, where its columns and values exist, the question names its values, and
    what it does is what the question asks for; None for any other."""
    cues = table.cues
    said = _SELECT.fullmatch(_columns_named(select.strip().split("\n")[0], table))
    terms = [_TERM.fullmatch(one.strip()) for one in said["what"].split(",")] if said else []
    filters = _conditions(said["where"] or "", table) if said else None
    if said is None or filters is None or not all(terms) or not _bears(table):
        return None
    by = {f"@{c.number}": c for c in table.columns}
    read = [(t["f"], by.get(t["c"])) for t in (*terms, _TERM.fullmatch(said["order"] or "")) if t]
    plain = [c for f, c in read[: len(terms)] if not f and c]
    function, column = next((one for one in read[: len(terms)] if one[0]), read[-1])
    numbers = [c for c in plain if c.measured]
    if said["order"] and column is not None and not column.measured and len(numbers) == 1:
        column = numbers[0]  # ordered by the head of the labels, which says what the numbers are
    group, function = by.get(said["group"] or ""), (function or "").lower()
    order = (1 if (said["way"] or "").upper() == "DESC" else -1) if said["order"] else 0
    order = {"max": 1, "min": -1}.get(function, order) if group is None else order
    aggregate = _AGGREGATES.get(function, RowAggregate.ROWS)
    shown = [] if _RE["who"].search(cues.asked.query.text) else plain
    label = next((c for c in shown if c is not column and not c.measured), table.label())
    listed = aggregate is RowAggregate.ROWS
    named = listed and not order and any(f.column == label.name for f in filters)
    whole = listed and not cues.order and not filters and table.unheld
    if named or whole or not _fits(cues, aggregate, order, group is not None, bool(filters)):
        return None  # neither the row that is asked about is an answer, nor all rows where some are
    if cues.aggregate is RowAggregate.SHARE:
        aggregate, unnamed = RowAggregate.SHARE, column and _unnamed(column, table)
        if unnamed and filters and sum(c.counts for c in table.columns) > 1:  # none of what managers are paid
            return RowQuery(aggregate, None, label, filters)
    counted, listing = aggregate is RowAggregate.COUNT, aggregate is RowAggregate.ROWS
    measured = column if column is not None and (column.measured or counted) else None
    if not counted and (order or not listing) and (measured is None or not (listing or measured.counts)):
        return None
    if aggregate is RowAggregate.TOTAL and measured is not None and not measured.summable:
        return None
    if counted:
        measured = None if group else measured or label
    return RowQuery(aggregate, measured, label, filters, group, cues.order, cues.ranks)


_FITTING = {
    RowAggregate.SHARE: (RowAggregate.TOTAL, RowAggregate.ROWS),
    RowAggregate.COUNT: (RowAggregate.COUNT, RowAggregate.TOTAL),
}


def _fits(cues: RowCues, aggregate: RowAggregate, order: int, grouped: bool, filtered: bool) -> bool:
    """Whether what a SELECT does is what the wording asks for."""
    asked = cues.aggregate
    if (cues.order and order != cues.order) or (asked is RowAggregate.SHARE and (grouped or not filtered)):
        return False
    return aggregate in _FITTING.get(asked, (asked,)) or (asked is RowAggregate.ROWS and grouped)


def _bears(table: AskedTable) -> bool:
    """Whether the table holds most of the question, which says more than what is worked out, what it asks
    which of, and every name and number."""
    asked, typed = table.cues.asked, table.cues.asked.query
    unheld = table.unheld
    names = [w for name in (*typed.names, *typed.labelled) for w in search_tokens(str(name))]
    if noun := _RE["asked_noun"].search(typed.text):
        names += search_tokens(next(filter(None, noun.groups())))
    known = not any(w in names or any(map(str.isdigit, w)) for w in unheld)
    held = any(map(table.grid.about.hold, asked.words)) or any(table.named.values())
    said = held or bool(asked.values or table.cues.dates)
    return known and said and len(unheld) <= min(_MOST_UNHELD, len(asked.words) - len(unheld))


def _columns_named(select: str, table: AskedTable) -> str:
    """The SELECT with `@N` for each head of a column, quoted or not."""
    heads = sorted(table.columns, key=lambda c: -len(c.head))
    pattern = "|".join(f"(?P<c{c.number}>{re.escape(c.head)})" for c in heads if c.head)
    named = re.compile(rf"[\"`\[]?(?:{pattern})[\"`\]]?", re.IGNORECASE)
    parts, at = [], 0
    for literal in (*_QUOTED.finditer(select), None):
        between = select[at : literal.start() if literal else len(select)]
        parts += [named.sub(lambda m: f"@{(m.lastgroup or 'c')[1:]}", between), literal[0] if literal else ""]
        at = literal.end() if literal else at
    return "".join(parts)


def _conditions(where: str, table: AskedTable) -> tuple[RowFilter, ...] | None:
    """The conditions of a SELECT; None where one is no plain comparison, names a cell that does not exist or
    a value that the question does not, or where one is lacking that the question names."""
    pieces = re.split(r"\s+AND\s+", where, flags=re.IGNORECASE) if where else []
    by_code = filters_of(table)
    filters, bound = list(by_code or ()), {one.column for one in by_code or ()}
    for piece in pieces:
        one = _CONDITION.fullmatch(piece.strip(" ()"))
        column = next((c for c in table.columns if one and one["c"] == f"@{c.number}"), None)
        if one is None or column is None:
            return None
        if column.name in bound:
            continue  # as code read it
        said = one["value"].strip("'%").casefold()
        cells = [cell for cell in column.values if cell.casefold() == said]
        # What titles say anyway names no row: of "Tarrow v Kelmont" not the offers by Tarrow Shipping.
        own, about = set(search_tokens(cells[0])) if cells else set(), table.grid.about
        asked = own & table.cues.asked.tokens
        known = cells and (asked == own or any(not about.hold(word) for word in asked))
        if not known or one["op"] not in ("=", "like", "LIKE"):
            return None
        filters.append(equal_to(column, cells))
    return None if by_code is None else tuple(filters)
