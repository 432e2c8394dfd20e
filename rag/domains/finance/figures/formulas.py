"""What analysts compute from the statements of a company, by name: formulas.toml.

The book gives the lines that a statement prints (ids of its concepts), the formulas over them, and finds
either by the names that questions use. A key that starts with "=" is a row label as a report prints it, for
what is no line of concepts.toml. English ids serve Chinese questions too: `twins` gives the lines that a
Chinese report prints for them.

Of a name that a line and a formula share the formula speaks: it knows what to do without the line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rag.domains.finance.concepts import concepts, identifier
from rag.domains.finance.figures.expressions import FormulaTerm, Node, parse
from rag.languages import COMPLETE, Patterns, own
from rag.languages.lexicon import Forms, compiled, matches, words_of
from rag.languages.text import has_han, normalise

UNITS = ("%", "times", "days", "money", "money per share", "shares", "")
_RE = Patterns(__file__)
_PLAIN = _RE.words("plain")
_GROWTH = frozenset({"cagr", "one-time items", "quarterly results", "segment revenue", "geographic"})
_SHARES = frozenset({"shares", "shares outstanding"})


@dataclass(frozen=True, slots=True)
class Formula:
    """One way to compute a figure. `unit` is one of UNITS; "%" expressions give a share of one. `better` is
    "higher", "lower" or ""; `healthy` the customary bound in `unit`; `note` a
    choice to be said with the result. A line that is read as it is has no `source`, its key for its
    expression."""

    key: str
    name: str
    name_zh: str
    expression: Node
    unit: str
    expression_zh: Node | None = None
    better: str = ""
    healthy: str = ""
    source: str = ""
    note: str = ""

    def in_words(self, language: str) -> str:
        """Its name in "en" or "zh"."""
        return own((self.name, self.name_zh), language) or self.name

    def form(self, language: str) -> Node:
        """The expression usual where `language` is spoken."""
        return own((self.expression, self.expression_zh), language) or self.expression


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that has a name: formulas by key, line ids with the Chinese one that says the same
    ("revenue": 营业收入), what is paid (its size is intended, however it is printed), and the names of
    formulas and lines in two languages."""

    formulas: Mapping[str, Formula]
    twins: Mapping[str, str]
    outflows: frozenset[str]
    english: Forms[str]
    chinese: Forms[str]

    def find(self, text: str) -> tuple[tuple[int, int, str], ...]:
        """Places in the normalised `text` that name a formula ("f:" and its key) or a line ("l:" and its
        key), the longest name in each place, in order; "x:" is a name of what is neither, "s:"
        a statement's."""
        words = words_of(text)
        found = list(matches(self.english, text, words))
        if has_han(text):
            found += matches(self.chinese, text, words)
        found = [m for m in found if not _RE["no_name"].search(text[m[0] : m[1]])]
        found.sort(key=lambda m: (m[0], -m[1], m[2]))  # "f:" before "l:"
        kept: list[tuple[int, int, str]] = []
        for match in found:
            if not kept or match[0] >= kept[-1][1]:
                kept.append(match)
        return tuple(kept)


@lru_cache(maxsize=1)
def book() -> Book:
    """The shipped formulas and lines, read once."""
    table, raw = concepts(), concepts().rows
    twins: dict[str, str] = raw["twins"]
    # Concepts with wordings of their own that are no [[line]] are known by their first name.
    placeless = [row["names"][0] for row in raw["concept"] if "wordings" in row]
    names: dict[str, Node] = {identifier(key): FormulaTerm(key) for key in [*table.lines, *placeless]}
    names |= {identifier(key): FormulaTerm(f"={label}") for key, label in raw["rows"].items()}
    formulas: dict[str, Formula] = {}
    rows = [{"better": "higher", "source": "CFA"} | row for row in raw["formula"]]
    for row in rows:
        formula = formulas[row["key"]] = _formula(row, names)
        names[identifier(formula.key)] = formula.expression
    pairs = [(name, f"f:{row['key']}") for row in rows for name in dict.fromkeys([*row["names"], row["key"]])]
    back = {zh: en for en, zh in reversed(twins.items())}
    pairs += _line_names(raw["line"], back)
    known = {name for name, _ in pairs}
    pairs += [(name, key) for row in raw["concept"] for name, key in _others(row) if name not in known]
    return Book(
        formulas,
        twins,
        frozenset(raw["outflows"]),
        compiled((n.replace(" & ", " and "), v) for n, v in pairs if not has_han(n)),
        compiled((normalise(n), v) for n, v in pairs if has_han(n)),
    )


@lru_cache(maxsize=512)
def metric(key: str) -> Formula:
    """What a key of `Book.find` stands for: a formula ("f:"), or a line ("l:") by itself."""
    if key.startswith("f:"):
        return book().formulas[key[2:]]
    key = key[2:]
    english, chinese = (concept_name(key, language) for language in COMPLETE)
    return Formula(key, english, chinese, FormulaTerm(key), concept_unit(key), better="higher")


def concept_name(key: str, language: str) -> str:
    """What a line is called in an answer: its id, in Chinese the Chinese line's; a row label as it is."""
    return key[1:] if key.startswith("=") else own((key, book().twins.get(key, key)), language)


def concept_unit(key: str) -> str:
    """ "money", "money per share" or "shares"; "money" where nothing else is known."""
    per_share = "per share" in key or " eps" in f" {key}"
    return "shares" if key in _SHARES else "money per share" if per_share else "money"


def _line_names(rows: Iterable[Mapping[str, Any]], back: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        # What reports print is also what some questions say; one-word wordings are too broad to be names.
        printed = (w for w in row["wordings"] if (len(w) > 2 if has_han(w) else len(w.split()) > 2))
        for name in dict.fromkeys([*row["names"], *printed]):
            # "Change in inventory" is a change of the line, not the line.
            if not name.startswith("change in") or row["id"].startswith("change in"):
                yield name, f"l:{back.get(row['id'], row['id'])}"


def _others(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names of a concept that is neither a line nor computed ("x:"): "revenue recognition" is no revenue."""
    names, key = row["names"], row["names"][0]
    if "lines" in row and "wordings" not in row:
        return []
    if key in _PLAIN:
        return [(name, f"l:{key}") for name in names]
    if key == "product revenue":  # rows that reports print by these names
        return [(n, f"l:={n}") for n in names if n.endswith((" revenue", " sales"))]
    return [(n, f"{'x' if 'wordings' in row else 's'}:{key}") for n in names] if key not in _GROWTH else []


def _formula(row: Mapping[str, Any], names: Mapping[str, Node]) -> Formula:
    first = {has_han(name): name for name in reversed(row["names"])}
    called = {"name": first.get(False, row["key"]), "name_zh": first.get(True, "")}
    forms = {key: parse(row[key], names) for key in ("expression", "expression_zh") if key in row}
    return Formula(**{key: value for key, value in row.items() if key != "names"} | called | forms)
