"""Which cell of a quoted row holds what the line says."""

from __future__ import annotations

import pytest

from rag.answers.line import answering, row_line

ROW = (
    ("Tenant", "Parrow Dental"), ("Unit", "A2"), ("Yearly rent (EUR)", "18400"), ("Break date", "2027-03-31"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "question", "cells"),
    [
        ("The yearly rent is EUR 18,400.", "What rent does Parrow Dental pay for unit A2?", (2,)),
        (row_line(ROW), "What is the yearly rent of A2?", (2,)),
        ("Unit A2 is let to Parrow Dental.", "Who holds unit A2?", (0,)),
        ("A2 breaks on 2027-03-31.", "When is the break date of A2?", (3,)),
        ("Tenant Parrow Dental: unit A2", "Which unit has the tenant with a rent of 18400?", (1,)),
        ("It is not stated.", "What is the rent?", ()),
        ("The rent is 1840.", "What is the rent?", ()),
        (row_line(ROW), "What does the file say?", ()),
    ],
)
def test_the_cell_is_what_the_line_says_and_the_question_does_not(
    line: str, question: str, cells: tuple[int, ...]
) -> None:
    assert answering(line, question, ROW) == cells


def test_chinese_words_are_found_within_others() -> None:
    row = (("证券代码", "000858"), ("证券名称", "岭川酒业"), ("占比", "23.1%"))
    assert answering("证券代码000858是岭川酒业。", "证券代码000858是哪只证券？", row) == (1,)
