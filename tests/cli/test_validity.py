"""Validity where it is read: in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.index import open_index
from tests.fakes import FakeEmbedder, fake_answer, fake_document, fake_evidence, fake_hit
from tests.indexing import write_files
from tests.page_fakes import HOSTILE
from ui import CHINESE, ENGLISH, sources
from ui.render import fill

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


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE])
def test_marks_of_validity_are_escaped(texts: Any) -> None:
    document = fake_document(
        "x.md", title=HOSTILE, metadata={"superseded": "2001-01-01", "superseded_by": HOSTILE}
    )
    html = str(fill("answer.validity", texts, document))
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
