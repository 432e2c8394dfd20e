"""What the source pane has drawn of a page: of a quoted row the cell that holds the answer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from rag.types import Loss, LossKind
from tests.fakes import fake_answer, fake_document, fake_evidence, fake_hit
from ui import texts_for
from ui.conversation import Conversation, Exchange
from ui.sources import Sources, of_hit, source_pane


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


def test_what_was_not_read_of_the_document_stands_beside_its_words() -> None:
    whole = fake_document("rates.pdf")
    lossy = replace(whole, losses=(Loss(LossKind.PAGE_WITHOUT_TEXT, page=2),))
    panes = [source_pane(of_hit(fake_hit("Ten", document=one)), texts_for("en")) for one in (whole, lossy)]
    assert ["not read" in pane for pane in panes] == [False, True]
    assert "1 page without text, as scans have (page 2)" in panes[1]
