"""What the source pane has drawn of a page: of a quoted row the cell that holds the answer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tests.fakes import fake_answer, fake_document, fake_evidence
from ui.conversation import Conversation, Exchange
from ui.sources import Sources


class Pictures:
    """Notes what is to be boxed and draws nothing."""

    boxed: tuple[str, tuple[int, int] | None] = ("", None)

    def page(self, info: Any, page: int, quote: str, texts: Any, *, part: tuple[int, int] | None) -> str:
        self.boxed = quote, part
        return "no picture"


def test_the_cell_that_holds_the_answer_is_boxed_in_its_row() -> None:
    row, document = "Associate | 268 | day", fake_document("rates.pdf")
    document = replace(document, kind="pdf")
    evidence = fake_evidence(row, document=document, page=1, header="Grade | Rate | Per")
    answer = replace(fake_answer("What is the rate?", row, evidence=[evidence]), line="The rate is 268.")
    index = SimpleNamespace(
        documents=lambda: (document,), text=lambda _: row, marks=lambda *_: (), references=lambda _: ()
    )
    index.store = index
    workspace: Any = SimpleNamespace(assistant=lambda _: SimpleNamespace(index=index))
    exchange = Exchange(1, "rates", "What is the rate?", answer=answer)
    pictures: Any = Pictures()
    Sources(workspace, pictures).current(Conversation("en", (exchange,), open_source=("cite", 1, 1)))
    assert pictures.boxed == (row, (12, 15))
