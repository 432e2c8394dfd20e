"""References and validity where they are read: in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.facts.crossrefs import CrossReference
from rag.index import open_index
from rag.types import Filters
from tests.fakes import FakeEmbedder, fake_answer, fake_document, fake_evidence, fake_hit
from tests.indexing import write_files
from tests.page_fakes import HOSTILE, FakeIndex
from ui import sources
from ui.handlers import Handlers
from ui.render import fill
from ui.texts import CHINESE, ENGLISH

FILES = {
    "湖泊法(2001-01-01).md": "# 湖泊法\n\n2001年1月1日会议通过\n\n第一条　旧湖泊保护。\n",
    "湖泊法(2020-05-28).md": "# 湖泊法\n\n2020年5月28日会议通过\n\n"
    "第一条　捕捞依照第二条处罚，见《湿地条例》第三条。\n\n"
    "第二条　处一万元罚款。\n\n第三条　本法自2021年1月1日起施行。\n",
    "湿地条例.md": "# 湿地条例\n\n第三条　湿地另行规定。\n",
}  # fmt: skip


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs `citewise` with an index of three laws."""
    with open_index(tmp_path / "index", embedder=FakeEmbedder(), create=True) as index:
        index.ingest(write_files(tmp_path / "files", FILES))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("rag.cli.shared.open_configured_index", lambda *_, **__: index)
        yield lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments]).output


def test_a_hit_of_a_superseded_law_is_marked_and_one_in_force_is_not(terminal: Any) -> None:
    assert "⚠ superseded by 湖泊法 from 2021-01-01" in terminal("search", "旧湖泊保护", "-k", "1")
    assert "⚠" not in terminal("search", "一万元罚款", "-k", "1")


def test_evidence_and_citations_of_an_answer_are_marked_in_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from tests.fakes import FakeAssistant

    old = fake_document("old.md", metadata={"repealed": "2015-01-01", "repealed_by": "New\x1b[31m Rules"})
    found = fake_evidence("Thirty days.", document=old)
    fake = FakeAssistant()
    fake.script = {"Why?": fake_answer("Why?", "Thirty days.", evidence=[found])}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rag.assistant.build_assistant", lambda config, **_: fake)
    output = CliRunner().invoke(app, ["ask", "Why?"]).output
    assert output.count("⚠ repealed by New[31m Rules from 2015-01-01") == 2


# The page


def source(views: Any) -> str:
    return str(list(views)[-1].source)


def linked(handlers: Handlers, turn_of: str = "a") -> FakeIndex:
    """The fake index with one reference from every passage to passage 77."""
    list(handlers.ask(turn_of, "How much notice?", "contracts", []))
    index: FakeIndex = handlers.workspace.assistant("contracts").index
    target = replace(fake_hit("9 Sums due under this clause.", document=index.infos["lease.md"]), chunk_id=77)
    index.passages[77] = target
    reference = CrossReference(1, 1, 0, 8, "section", "9", "", target.document.id, 77, "clause 9")
    for chunk_id in range(1, 10):
        index.links[chunk_id] = (reference, replace(reference, target_document_id=None, target_chunk_id=None))
    return index


def test_an_opened_citation_lists_its_references_and_each_opens_its_passage(handlers: Handlers) -> None:
    linked(handlers)
    pane = source(handlers.open_source("a", "cite", 1, 1))
    assert ENGLISH.refers_to in pane
    assert pane.count('data-action="passage"') == 1  # what is not in the index is no link
    assert 'data-turn="1" data-number="77"' in pane and "clause 9" in pane
    opened = source(handlers.open_source("a", "passage", 1, 77))
    assert "9 Sums due under this clause." in opened and "Lease of 14 Harbour Street" in opened


@pytest.mark.parametrize(("turn", "chunk_id"), [(1, 78), (9, 77), (-1, -1), (1, 10**30)])
def test_a_passage_that_does_not_exist_opens_nothing(handlers: Handlers, turn: int, chunk_id: int) -> None:
    linked(handlers)
    assert "cw-source--empty" in source(handlers.open_source("a", "passage", turn, chunk_id))


def test_a_page_cannot_follow_a_reference_of_another_page(handlers: Handlers) -> None:
    linked(handlers)
    assert "cw-source--empty" in source(handlers.open_source("b", "passage", 1, 77))


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE])
def test_references_and_marks_are_escaped(texts: Any) -> None:
    document = fake_document(
        "x.md", title=HOSTILE, metadata={"superseded": "2001-01-01", "superseded_by": HOSTILE}
    )
    lead = sources.Lead(HOSTILE, HOSTILE, HOSTILE, 5)
    html = str(fill("source.leads", texts, (lead,), turn=1)) + str(fill("answer.validity", texts, document))
    html += str(sources.source_pane(sources.of_hit(fake_hit(HOSTILE, document=document)), texts))
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_evidence_of_a_superseded_document_is_marked_on_its_card_and_in_the_pane() -> None:
    old = fake_document("old.md", metadata={"superseded": "2021-01-01", "superseded_by": "New Rules"})
    card = str(fill("answer.evidence_card", ENGLISH, fake_evidence("Thirty days.", document=old), turn=1))
    pane = str(sources.source_pane(sources.of_hit(fake_hit("Thirty days.", document=old)), CHINESE))
    assert "Superseded by New Rules from 2021-01-01" in card
    assert "自 2021-01-01 起已被取代（New Rules）" in pane
    now = replace(old, metadata={"superseded": "9999-01-01"})
    assert "cw-ended" not in str(
        fill("answer.evidence_card", ENGLISH, fake_evidence("x", document=now), turn=1)
    )


def test_a_reference_to_a_whole_document_opens_its_first_passage(tmp_path: Path) -> None:
    files = {"湿地条例.md": FILES["湿地条例.md"], "通知.md": "# 通知\n\n依照《湿地条例》办理。\n"}
    with open_index(tmp_path / "index", embedder=FakeEmbedder(), create=True) as index:
        index.ingest(write_files(tmp_path / "files", files))
        chunk_id = next(int(i) for i in index.store.chunk_ids(Filters(documents=("通知.md",))))
        (lead,) = sources.leads(index, chunk_id)
        assert (lead.words, lead.document) == ("《湿地条例》", "湿地条例")
        assert index.passage(lead.chunk_id).document.path == "湿地条例.md"
        assert sources.leads(None, chunk_id) == ()
