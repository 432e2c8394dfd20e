"""Values of a question against heads that are ranges, and figures below heads that bound them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.types import Outcome
from tests.indexing import new_index, write_files

SYRUP = """# Orlimet syrup

## Single dose by weight and age (ml)

| Weight | under 3 months | 3 months to 2 years | over 2 years |
|---|---|---|---|
| under 6 kg | 1.5 | 2 | – |
| 6 to under 16 kg | 2.5 | 3.5 | 5 |
| 16 kg and more | – | – | 9 |
"""
LIMITS = """# Approval limits of Orsett Mills

| Spend | From (GBP) | To (GBP) | Approved by |
|---|---|---|---|
| Goods | 0 | 25,000 | Team lead |
| | 25,000 | 250,000 | Finance director |
| Services | 0 | 10,000 | Team lead |
| | 10,000 | 250,000 | Board |
"""
TARIFF = """# Parcel rates of Holm Post

| Weight up to (kg) | Price (EUR) |
|---|---|
| 2 | 5.40 |
| 10 | 8.75 |
| 20 | 14.20 |
"""


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder: Path = tmp_path_factory.mktemp("ranges")
    index = new_index(folder / "index")
    files = {"syrup.md": SYRUP, "limits.md": LIMITS, "tariff.md": TARIFF}
    index.ingest(write_files(folder / "documents", files), workers=1)
    with Assistant(index) as made:
        yield made


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How much Orlimet syrup does a child of 8 kg aged 18 months get?", ": 3 months to 2 years 3.5"),
        ("How much Orlimet syrup does a baby of 8 weeks get who weighs 5 kg?", ": under 3 months 1.5"),
        (
            "Who approves goods for GBP 120,000?",
            "Goods, From (GBP) 25,000, To (GBP) 250,000: Finance director",
        ),
        ("Who approves services for GBP 120,000?", "Services, From (GBP) 10,000, To (GBP) 250,000: Board"),
        ("What is the parcel rate for 7 kg?", "Weight up to (kg) 10: Price (EUR) 8.75"),
        ("What is the parcel rate for 1.5 kg?", "Weight up to (kg) 2: Price (EUR) 5.40"),
    ],
)
def test_a_value_chooses_by_heads_that_are_ranges_or_bound_figures(
    assistant: Assistant, question: str, line: str
) -> None:
    answer = assistant.ask(question)
    assert answer.verdict is Outcome.ANSWERED
    assert answer.line.endswith(line) and len(answer.quotes) == 1


@pytest.mark.parametrize(
    ("question", "none"),
    [
        ("How much Orlimet syrup does a child of 20 kg aged 1 year get?", "20 kg (Weight) and 1 year"),
        ("What is the parcel rate for 35 kg?", "35 kg (Weight up to (kg))"),
    ],
)
def test_where_no_row_holds_a_value_or_its_cell_is_empty_it_is_said(
    assistant: Assistant, question: str, none: str
) -> None:
    answer = assistant.ask(question)
    assert answer.verdict is Outcome.NEARBY
    assert none in answer.line


def test_where_groups_of_rows_hold_a_value_and_none_is_named_all_are_given(assistant: Assistant) -> None:
    answer = assistant.ask("Who approves spending of GBP 120,000?")
    assert "Finance director" in answer.line and "Board" in answer.line and len(answer.quotes) == 2
