"""The book of formulas is whole, and every formula can be computed from the figures that it needs."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from rag.domains.finance.concepts import concepts, identifier
from rag.domains.finance.figures.asked import FigureRequest, FiscalTerm
from rag.domains.finance.figures.computing import compute
from rag.domains.finance.figures.expressions import terms
from rag.domains.finance.figures.formulas import UNITS, Formula, book, concept_name
from rag.domains.finance.printing import Rounding
from rag.languages.text import has_han, normalise
from rag.types import Calculation, Figure

BOOK = book()
LINES = concepts().lines


@pytest.mark.parametrize("formula", BOOK.formulas.values(), ids=lambda f: f.key)
def test_a_formula_names_known_lines_and_says_whose_it_is(formula: Formula) -> None:
    assert formula.unit in UNITS and formula.source and formula.better in ("higher", "lower", "")
    for term in terms(formula.expression):
        assert term.concept.startswith("=") or term.concept in LINES or term.concept in ("restructuring",)
        assert -2 <= term.offset <= 0


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("formula", BOOK.formulas.values(), ids=lambda f: f.key)
def test_a_formula_is_computed_from_what_it_needs(formula: Formula, language: str) -> None:
    wanted = FigureRequest(formula, (FiscalTerm(2022),), Rounding(), language=language)
    asked: set[tuple[str, int]] = set()

    def lookup(concept: str, offset: int) -> Figure:
        asked.add((concept, offset))
        # Distinct primes-like values keep every divisor away from nought.
        return Figure(concept, D(1000 + sum(map(ord, concept)) + 37 * offset), "USD")

    found = compute(wanted, lookup)
    assert isinstance(found, Calculation), found
    assert found.result.printed and found.result.period == FiscalTerm(2022).in_words(language)
    known = {(t.concept, t.offset) for t in terms(formula.form(language))}
    assert asked <= known


def test_every_name_leads_to_its_formula() -> None:
    for formula in BOOK.formulas.values():
        for name in filter(None, (formula.name, formula.name_zh)):
            found = {
                key
                for _, _, key in BOOK.find(
                    normalise(f"what was {name} in 2022" if not has_han(name) else name)
                )
            }
            assert f"f:{formula.key}" in found, name


def test_the_usual_ratios_of_both_languages_are_there() -> None:
    names = (
        "gross margin|operating margin|net margin|ebitda margin|free cash flow|current "
        "ratio|quick ratio|cash ratio|working capital|"
        "asset turnover|fixed asset turnover|inventory turnover|dso|dio|dpo|cash conversion "
        "cycle|debt to equity|net debt|"
        "debt to ebitda|interest coverage|equity multiplier|roa|roe|roic|effective tax "
        "rate|payout ratio|retention ratio|"
        "dividends per share|book value per "
        "share|毛利率|净利率|流动比率|速动比率|资产负债率|应收账款周转天数|存货周转率|净资产收益率|"
        "总资产周转率|利息保障倍数|权益乘数|每股净资产|自由现金流|营运资本|股利支付率|实际税率|现金比率|产权比率"
    )
    for name in names.split("|"):
        assert any(key.startswith("f:") for _, _, key in BOOK.find(name)), name


def test_one_name_stands_for_one_thing() -> None:
    for forms in (BOOK.english.worded, BOOK.chinese.chinese):
        seen: dict[tuple[str, ...], str] = {}
        for entries in forms.values():
            for stems, key in entries:
                if key.startswith("f:"):
                    assert seen.setdefault(stems, key) == key, stems


def test_twins_are_lines_of_both_languages() -> None:
    for english, chinese in book().twins.items():
        assert english in LINES and chinese in LINES and has_han(chinese)


def test_a_line_has_a_name_in_each_language() -> None:
    assert concept_name("revenue", "en") == "revenue"
    assert concept_name("revenue", "zh") == "营业收入"
    assert concept_name("=cloud revenue", "en") == "cloud revenue"
    assert identifier("short-term debt") == "short_term_debt"


def test_the_longest_name_wins_and_operators_part_names() -> None:
    def keys(text: str) -> list[str]:
        return [key for _, _, key in BOOK.find(text)]

    assert keys("free cash flow") == ["f:free cash flow"]
    assert keys("total debt + equity") == ["f:total debt", "l:equity"]
    assert keys("long-term debt to equity")[-1] == "l:equity"
    assert keys("is it profitable") == []
