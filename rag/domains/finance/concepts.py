"""Financial concepts of a question -> the statements and line items that answer it.

"What was the quick ratio?" is answered by no sentence that says "quick ratio", but by a balance sheet with
cash, receivables and total current liabilities. concepts.toml holds that knowledge as data, in two sorts
of table:

    [[line]]                                    # one line of a statement or note
    id = "capex"
    names = ["capital expenditure", "capex"]    # what questions call it
    wordings = ["capital expenditures", "additions to property"]    # what filings print, the commonest first
    statements = ["cash flow"]                  # where it stands: kinds of rag.domains.finance.sections

    [[concept]]                                 # made of lines, or recognised by wordings, or just a place
    names = ["free cash flow", "fcf"]
    lines = ["operating cash flow", "capex"]
    statements = ["cash flow"]                  # may be left out: those of the lines

Names match as in `rag.languages.lexicon`: whole stemmed words, the longest form in one place wins. Every
place counts, so that a definition inside a question ("defined as: revenue / average PP&E") brings the line
items it names. A concept with Chinese among its names speaks to questions that hold Chinese, any other to
all. A user's own file is read before the shipped one, may use its lines, and takes over the names that it
defines too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rag.domains.finance.asked import report_facts
from rag.domains.finance.sections import KINDS, PRIMARY
from rag.errors import ConfigError
from rag.languages.lexicon import (
    MAX_CHARS,
    Forms,
    check_words,
    compiled,
    file_state,
    longest,
    matches,
    read_toml,
    words_of,
)
from rag.languages.text import has_han, normalise
from rag.questions.constraints import Sought
from rag.store.store import Store

CONCEPTS = Path(__file__).with_name("concepts.toml")
_SHAPE = (
    "Write it as [[line]] with id, names, wordings and statements, and [[concept]] with names and at least"
    " one of lines, wordings and statements; all but id are lists of strings."
)
_LINE, _WHERE = frozenset({"id", "names", "wordings", "statements"}), {"lines", "wordings", "statements"}
_KEYS = {"line": (_LINE, _LINE), "concept": (frozenset({"names"}), _WHERE | {"names"})}


@dataclass(frozen=True, slots=True)
class Concept:
    """An entry of a file: the names that questions use, and what they need."""

    names: tuple[str, ...]
    item: Sought

    @property
    def chinese(self) -> bool:
        return any(map(has_han, self.names))


@dataclass(frozen=True, slots=True)
class ConceptTable:
    """A file of concepts. `lines` are the wordings and statements of its line items, by id."""

    concepts: tuple[Concept, ...]
    lines: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]


def sought_items(question: str, *, extra: Sequence[Path] = ()) -> tuple[Sought, ...]:
    """What the financial concepts of a question need, in order of occurrence, each once. A line item whose
    wordings another of them holds already says nothing new and is left out.

    `extra` are the user's own concept files. Raises ConfigError for one that cannot be used; a question
    itself never raises."""
    text = normalise(question[:MAX_CHARS])
    words = words_of(text)
    languages = (True, False) if has_han(text) else (False,)
    found: list[tuple[int, int, Sought]] = []
    for forms in _tables(tuple(extra), languages):
        # A file that comes first has the say about a place that a later one would name too.
        taken = {(start, end) for start, end, _ in found}
        found += [match for match in matches(forms, text, words) if match[:2] not in taken]
    return _distinct(need for _, _, need in longest(found))


def reports(store: Store) -> frozenset[int]:
    """The documents that are financial reports: they hold a primary statement, or are of a known form.
    "Associated" is no question about associates, nor "restructuring" of a tissue one about its cost: only
    these are asked for line items."""
    facts = report_facts(store.catalogue())
    return frozenset({d for d in facts if facts[d].form} | store.with_roles(PRIMARY))


def load(path: Path, *, base: ConceptTable | None = None) -> ConceptTable:
    """The concepts of a file, which may use the lines of `base`. Raises ConfigError naming file, entry and
    what to write instead."""
    table = read_toml(path, "concept file", _SHAPE)
    if set(table) - set(_KEYS) or not table or not all(isinstance(rows, list) for rows in table.values()):
        raise ConfigError(f"The concept file {path} has to be [[line]] and [[concept]] tables. {_SHAPE}")
    lines = dict(base.lines) if base else {}
    concepts: list[Concept] = []
    expected: set[str] = set()
    for sort in _KEYS:
        for number, row in enumerate(table.get(sort, ()), 1):
            where = f"The concept file {path}, {sort} {number},"
            _check(row, sort, where)
            if sort == "line":
                if (name := row["id"]) in expected:
                    raise ConfigError(f"{where} has the id {name!r} a second time. Give every line its own.")
                expected.add(name)
                lines[name] = (tuple(row["wordings"]), tuple(row["statements"]))
            concepts.append(_concept(row, lines, where))
    return ConceptTable(tuple(concepts), lines)


def load_user_table(path: Path) -> ConceptTable:
    """A user's own file, which may use the lines of the shipped one. Raises ConfigError."""
    return load(path, base=_read(CONCEPTS, 0, 0))


def _check(row: object, sort: str, where: str) -> None:
    needed, allowed = _KEYS[sort]
    if not isinstance(row, dict) or not needed <= set(row) <= allowed:
        raise ConfigError(f"{where} has to hold {', '.join(sorted(needed))} and nothing unknown. {_SHAPE}")
    for key, value in row.items():
        check_words([value] if key == "id" else value, key, where, _SHAPE)
    if unknown := [kind for kind in row.get("statements", ()) if kind not in KINDS]:
        raise ConfigError(
            f"{where} names the statement {unknown[0]!r}. Known are: {', '.join(sorted(KINDS))}."
        )
    if sort == "concept" and not _WHERE & set(row):
        raise ConfigError(f"{where} says nothing about {row['names'][0]!r}. {_SHAPE}")
    if "wordings" in row and "statements" not in row:
        raise ConfigError(f"{where} has wordings without the statements they stand in. {_SHAPE}")


def _concept(
    row: Mapping[str, list[str]], lines: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]], where: str
) -> Concept:
    inputs = []
    places: list[str] = list(row.get("statements", ()))
    if "wordings" in row:
        inputs.append(tuple(row["wordings"]))
    for name in row.get("lines", ()):
        if name not in lines:
            raise ConfigError(
                f"{where} uses the line {name!r}, which is not defined. Add a [[line]] with that id."
            )
        wordings, statements = lines[name]
        inputs.append(wordings)
        # A line's first place is where it is read; its others only where it is asked for itself.
        if "statements" not in row:
            places.append(statements[0])
    return Concept(tuple(row["names"]), Sought(row["names"][0], tuple(dict.fromkeys(places)), tuple(inputs)))


def _tables(extra: tuple[Path, ...], languages: Sequence[bool]) -> list[Forms[Sought]]:
    files = [(path.absolute(), *file_state(path, "concept file")) for path in extra] + [(CONCEPTS, 0, 0)]
    return [_ready(*file, chinese) for file in files for chinese in languages]


@lru_cache(maxsize=32)
def _ready(path: Path, changed_ns: int, size: int, chinese: bool) -> Forms[Sought]:
    concepts = _read(path, changed_ns, size).concepts
    return compiled((name, c.item) for c in concepts if c.chinese == chinese for name in c.names)


@lru_cache(maxsize=16)
def _read(path: Path, changed_ns: int, size: int) -> ConceptTable:
    return load(path) if path == CONCEPTS else load_user_table(path)


def _distinct(found: Iterable[Sought]) -> tuple[Sought, ...]:
    distinct = list(dict.fromkeys(found))
    held = [set(need.lines) for need in distinct]
    return tuple(n for n in distinct if not n.lines or not any(set(n.lines) < other for other in held))
