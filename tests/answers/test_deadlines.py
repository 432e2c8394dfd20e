"""Dates are worked out by code, from the day in the question or from the sentence that says when it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers.deadlines import terms_of
from rag.assistant import Assistant
from rag.types import Outcome
from tests.archive import archive

MORE = {
    "rules.md": "# Rules of the Quay Tribunal\n\nArticle 3. An objection is filed within 30 days after the "
    "decision is served.\n\nArticle 4. A bond is paid within ten (10) Business Days after the decision is "
    "served.\n\n"
    "Article 5. An appeal is lodged within two months after the ruling is published.\n",
    "note.md": "# File note\n\nThe decision was served on our client Vantor Freight on 30 January 2024.\n\n"
    "The barge left on 2 February 2024.\n",
    "charter.md": "# Charter rules of Emden\n\nThese rules are governed by the law of Germany.\n\n"
    "A deposit is lodged within 3 working days after the charter is signed.\n",
    "规则.md": "# 码头仲裁规则\n\n第三条 异议应当自裁决送达之日起三十日内提出。\n",
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with archive(tmp_path_factory.mktemp("archive"), **MORE) as opened:
        yield Assistant(opened)


@pytest.mark.parametrize(
    ("question", "line", "cited"),
    [
        ("What date is 60 days after 3 March 2025?", "2 May 2025: 60 days after 3 March 2025.", []),
        ("What date is three months after 30 November 2024?",
         "28 February 2025: three months after 30 November 2024.", []),
        ("What date is 10 working days before 3 March 2025?",
         "17 February 2025: 10 working days before 3 March 2025.", []),
        ("By what date must an objection be filed, the decision being served on 2024-01-30?",
         "29 February 2024: 30 days after 30 January 2024.", ["rules.md"]),
        ("What is the last day for Vantor Freight to file an objection?",
         "29 February 2024: 30 days after 30 January 2024.", ["rules.md", "note.md"]),
        ("What is the last day for Vantor Freight to pay the bond?",
         "13 February 2024: ten (10) Business Days after 30 January 2024.", ["rules.md", "note.md"]),
        ("How many days lie between 28 February 2024 and 1 March 2024?",
         "2 days from 28 February 2024 to 1 March 2024.", []),
        ("How many days passed from the day the decision was served to 2 February 2024?",
         "3 days from 30 January 2024 to 2 February 2024.", ["note.md"]),
        ("裁决于2024年1月30日送达，异议最迟应在哪天提出？",
         "2024年2月29日：2024年1月30日起三十日。", ["规则.md"]),
        ("从2024年1月1日到2024年3月1日有多少天？", "自2024年1月1日至2024年3月1日共60天。", []),
    ],
)  # fmt: skip
def test_a_date_that_follows_from_a_rule_and_a_day_is_worked_out_and_cited(
    assistant: Assistant, question: str, line: str, cited: list[str]
) -> None:
    answer = assistant.ask(question)
    assert (answer.verdict, answer.line) == (Outcome.ANSWERED, line)
    assert [c.document for c in answer.quotes] == cited


@pytest.mark.parametrize(
    "question",
    [
        "What is the last day for lodging an appeal?",  # nobody says when the ruling was published
        "How many days' rent is the deposit?",
        "How many days passed between the fire and the flood?",
    ],
)
def test_nothing_is_worked_out_from_a_day_that_nobody_states(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert not any(claim.reasons and "computed" in claim.reasons[0] for claim in answer.claims)


def test_a_day_on_a_weekend_says_so(assistant: Assistant) -> None:
    assert "Saturday" in assistant.ask("What date is 5 days after 3 March 2025?").text


@pytest.mark.parametrize(
    ("question", "line", "said"),
    [
        ("What date is 3 working days after 2 October 2025 in Germany?",
         "8 October 2025: 3 working days after 2 October 2025.", "public holidays of DE (3 October 2025)"),
        ("By what date must a Vantor deposit be lodged after the charter is signed on 2 October 2025?",
         "8 October 2025: 3 working days after 2 October 2025.", "public holidays of DE (3 October 2025)"),
        ("法国2025年7月11日后2个工作日是哪一天？",
         "2025年7月16日：2025年7月11日起2个工作日。", "FR 的全国性法定节假日（2025年7月14日）"),
        ("What date is 3 working days after 2 October 2025?",
         "7 October 2025: 3 working days after 2 October 2025.", "by weekends alone"),
    ],
)  # fmt: skip
def test_working_days_leave_out_the_holidays_of_a_country_that_is_named(
    assistant: Assistant, question: str, line: str, said: str
) -> None:
    pytest.importorskip("holidays")
    answer = assistant.ask(question)
    assert answer.line == line and said in answer.text


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 1000))
def test_days_are_counted_as_the_calendar_does(base: date, count: int) -> None:
    [later] = terms_of(f"within {count} days after it")
    [earlier] = terms_of(f"{count} days before it")
    assert later.from_day(base) == base + timedelta(days=count)
    assert earlier.from_day(base) == base - timedelta(days=count)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 300))
def test_working_days_are_those_from_monday_to_friday(base: date, count: int) -> None:
    [term] = terms_of(f"{count} working days after it")
    end = term.from_day(base)
    assert end is not None and end.weekday() < 5
    assert sum((base + timedelta(days=n)).weekday() < 5 for n in range(1, (end - base).days + 1)) == count
