"""The benchmark of drafts counts what it says that it counts."""

from __future__ import annotations

from pathlib import Path

from benchmarks.drafts import measure
from rag.assistant import Assistant
from rag.measure.evalset import EvalQuestion
from tests.archive import archive
from tests.fakes import FakeDrafts

RIGHT = "The tenant may end this lease by giving 60 days of notice."
WRONG = "The tenant may end this lease by giving 90 days of notice."


def test_written_answers_and_right_ones_are_counted_by_number_of_drafts(tmp_path: Path) -> None:
    question = EvalQuestion("notice", "How many days of notice must the tenant give?", answers=("60 days",))
    with archive(tmp_path) as index:
        llm = FakeDrafts([WRONG, RIGHT])
        assistants = [Assistant(index, llm, threshold=0.0, drafts=n) for n in (1, 2)]
        one, two = measure(assistants, [question, question])
    assert (one.drafts, one.asked, one.written, one.right) == (1, 2, 0, 0)
    assert (two.drafts, two.asked, two.written, two.right) == (2, 2, 2, 2)
    assert str(two).startswith("| 2 | 2 | 1.00 | 1.00 | 1.00 |")
