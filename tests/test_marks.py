"""What stands otherwise on the page, behind the parsers: struck, deleted and hidden words are no evidence of
what a document says, notes come with what they are about, and what could not be read is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docx
import pytest

from rag.assistant import Assistant
from rag.index import Index
from rag.parsers.base import TextBuilder
from rag.parsers.marks import marked, note_body, note_mark
from rag.types import Answer, Document, Loss, LossKind, MarkKind, Outcome
from rag.types.documents import withdrawn
from tests.archive import FILES
from tests.indexing import new_index, put, run_here, write_files

_STRUCK, _DELETED, _HIDDEN = MarkKind.STRUCK, MarkKind.DELETED, MarkKind.HIDDEN


def written(
    path: str, write: Callable[[TextBuilder], None], *, title: str = "", losses: tuple[Loss, ...] = ()
) -> Document:
    """A document as its parser would build it."""
    builder = TextBuilder()
    write(builder)
    text, blocks, pages = builder.build()
    kind, language = path.rsplit(".", 1)[1], "en" if text.isascii() else "zh"
    name = title or path.rsplit(".", 1)[0]
    return Document(
        path, f"/d/{path}", name, text, kind, language, "0" * 64, pages, blocks, builder.marks(), losses
    )


def agreement(builder: TextBuilder) -> None:
    builder.heading("4 Fees", 1)
    builder.paragraph("4.1 Brackwater pays the consultant EUR 1,120 for each day worked.")
    builder.paragraph(marked(_STRUCK, "4.1 Brackwater pays the consultant EUR 950 for each day worked."))
    builder.paragraph("4.2 The consultant sends an invoice at the end of each calendar month.")
    builder.heading("5 Exclusivity", 1)
    builder.paragraph(
        marked(_DELETED, "5.1 The consultant shall not work for another producer of frozen foods.")
    )
    builder.paragraph("5.2 The consultant keeps the recipes of Brackwater secret.")


def prices(builder: TextBuilder) -> None:
    builder.heading("Prices", 1)
    builder.table([["Item"], ["Price per tonne"]])
    builder.row(["Item", "Price per tonne"])
    builder.row([marked(_HIDDEN, "Rye flour"), marked(_HIDDEN, "310 euros")], location="Prices!A2:B2")
    builder.row(["Rye flour", "355 euros"], location="Prices!A3:B3")
    builder.row(["Barley", "280 euros"], location="Prices!A4:B4")
    builder.row([marked(_HIDDEN, "Buckwheat"), marked(_HIDDEN, "990 euros")], location="Prices!A5:B5")


def leaflet(builder: TextBuilder) -> None:
    builder.heading("Dosage", 1)
    builder.paragraph(f"The usual dose of Metrovine is 25 mg{note_mark('1')} twice daily.")
    builder.paragraph(f"{note_body('1')}With food, and never with grapefruit juice.")


def contract(builder: TextBuilder) -> None:
    builder.paragraph("第四条 顾问的日酬金为人民币 1,120 元。")
    builder.paragraph(marked(_STRUCK, "第四条 顾问的日酬金为人民币 950 元。"))


@contextmanager
def opened(folder: Path, *documents: Document) -> Iterator[Index]:
    """An index of these and, so that rare words are rare, of the usual archive."""
    with pytest.MonkeyPatch.context() as patch, new_index(folder / "index") as index:
        patch.setattr("rag.store.ingest.run_in_workers", run_here)
        index.ingest(write_files(folder / "files", FILES))
        put(index.store, *documents, vectors=True)
        yield index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    scan = (Loss(LossKind.PAGE_WITHOUT_TEXT, page=2), Loss(LossKind.PAGE_WITHOUT_TEXT, page=5))
    leaflet_of = written("metrovine.html", leaflet, losses=(Loss(LossKind.UNSUPPORTED_PART, "drawing 1"),))
    made = [
        written("consultancy.docx", agreement, title="Consultancy agreement"),
        written("prices.xlsx", prices),
        leaflet_of,
        written("survey.pdf", lambda b: b.paragraph("The harbour wall was surveyed in May."), losses=scan),
        written("顾问合同.docx", contract),
    ]
    with opened(tmp_path_factory.mktemp("marks"), *made) as of_these:
        yield of_these


def ask(index: Index, question: str) -> Answer:
    return Assistant(index, threshold=0.0).ask(question)


def shown(answer: Answer) -> str:
    """Everything that an answer shows as the documents' words."""
    return "\n".join(
        [answer.text, *(e.text for e in answer.evidence), *(h.chunk.text for h in answer.nearest)]
    )


def test_no_passage_mixes_words_that_stand_with_words_that_do_not(index: Index) -> None:
    for info in index.documents():
        document = index.store.load_document(info.id)
        gone = [(m.start, m.end) for m in document.marks if m.kind in (_STRUCK, _DELETED, _HIDDEN)]
        for _, _, chunk in index.store.document_chunks(info.id):
            under = [
                any(start <= n < end for start, end in gone)
                for n in range(chunk.start, chunk.end)
                if document.text[n].isalnum()
            ]
            assert set(under) == {withdrawn(chunk.roles) is not None}


def test_a_clause_goes_on_behind_struck_words_under_its_own_label(tmp_path: Path) -> None:
    def act(builder: TextBuilder) -> None:
        builder.paragraph("Article 7 The harbour master keeps a register of moorings.")
        builder.paragraph(marked(_STRUCK, "Article 7 The harbour master keeps a list of moorings."))
        builder.paragraph("The register is open to the public on working days.")

    with opened(tmp_path, written("act.docx", act)) as index:
        (info,) = [d for d in index.documents() if d.path == "act.docx"]
        chunks = [(i, chunk) for i, _, chunk in index.store.document_chunks(info.id)]
        assert [withdrawn(chunk.roles) for _, chunk in chunks] == [None, _STRUCK, None]
        assert "Article 7" in chunks[2][1].context


def test_struck_and_deleted_words_are_no_evidence(index: Index) -> None:
    fee = ask(index, "How many euros does Brackwater pay the consultant for each day worked?")
    assert "1,120" in fee.line and "950" not in shown(fee)
    assert fee.cautions == ()
    assert "frozen foods" not in shown(ask(index, "May the consultant work for another producer?"))


@pytest.mark.parametrize(
    ("question", "words", "caution"),
    [
        ("What did Brackwater pay the consultant for each day before the change?", "950", "struck out"),
        ("What did clause 5.1 on another producer of frozen foods say originally?", "frozen", "deleted in"),
        ("顾问的日酬金原来是多少？", "950", "已划去"),
    ],
)
def test_the_former_wording_is_found_where_it_is_asked_for_and_said_to_be_struck(
    index: Index, question: str, words: str, caution: str
) -> None:
    answer = ask(index, question)
    assert words in answer.line
    assert any(caution in one for one in answer.cautions)
    assert answer.quotes[0].withdrawn in (_STRUCK, _DELETED)


def test_visible_rows_come_before_hidden_ones_and_these_with_a_caution(index: Index) -> None:
    seen = ask(index, "What is the price per tonne of rye flour?")
    assert "355" in seen.line and seen.cautions == ()
    hidden = ask(index, "What is the price per tonne of buckwheat?")
    assert "990" in hidden.line
    assert any("hidden row" in one for one in hidden.cautions)


def test_counts_leave_struck_words_out(index: Index) -> None:
    counted = ask(index, "How many passages mention frozen foods?")
    assert "frozen foods" not in "\n".join(e.text for e in counted.evidence)


def test_the_note_of_a_quoted_sentence_comes_with_it(index: Index) -> None:
    answer = ask(index, "What is the usual dose of Metrovine?")
    assert "25 mg twice daily" in answer.line
    assert answer.quotes[0].notes == ("With food, and never with grapefruit juice.",)
    assert "Note to [1]: With food, and never with grapefruit juice." in answer.cautions


def test_a_refusal_names_what_could_not_be_read_of_the_document_asked_about_or_of_any(index: Index) -> None:
    refused = Assistant(index, threshold=1.0)
    whole = refused.ask("Which goalkeeper saved the decisive shot?")
    assert whole.verdict is Outcome.ABSENT
    said = "\n".join(whole.cautions)
    assert "Not read in survey.pdf: 2 pages without text, as scans have (pages 2, 5)." in said
    assert "drawing 1" in said
    assert [path for path, _ in whole.certificate.losses] == ["metrovine.html", "survey.pdf"]
    named = refused.ask("What does the Consultancy agreement say about parking?")
    assert [path for path, _ in named.certificate.losses] == []
    assert "2 页没有文字（如扫描页）（第 2、5 页）" in "\n".join(refused.ask("守门员是谁？").cautions)


def test_withdrawn_words_say_nothing_of_their_document(tmp_path: Path) -> None:
    def rules(builder: TextBuilder) -> None:
        builder.paragraph("湖泊管理办法")
        builder.paragraph(marked(_DELETED, "第九条 本办法自2014年6月1日起施行。"))
        builder.paragraph("第九条 本办法自2019年6月1日起施行。")
        builder.paragraph(marked(_DELETED, "第九条 本办法自2023年6月1日起施行。"))

    with opened(tmp_path, written("湖泊管理办法.docx", rules)) as index:
        (info,) = [d for d in index.documents() if d.path == "湖泊管理办法.docx"]
        assert info.metadata["effective"] == "2019-06-01"


def test_a_word_file_with_struck_words_answers_with_those_that_stand(tmp_path: Path) -> None:
    """Through the parser: what is struck is found where the former wording is asked for."""
    file = docx.Document()
    file.add_paragraph("Consultancy agreement of Orlin Vass")
    fee = file.add_paragraph("The daily fee of the consultant is EUR ")
    fee.add_run("950").font.strike = True
    fee.add_run("1,120")
    fee.add_run(" for each day worked.")
    gone = file.add_paragraph().add_run("The consultant receives a bonus of two percent of the turnover.")
    gone.font.strike = True
    file.save(tmp_path / "files.docx")
    with opened(tmp_path) as index:
        index.ingest(tmp_path / "files.docx")
        now = ask(index, "What is the daily fee of the consultant?")
        assert "1,120" in now.line and "950" not in shown(now) and now.cautions == ()
        before = ask(index, "What was the daily fee of the consultant before the amendment?")
        assert "950" in before.line and any("struck out" in one for one in before.cautions)
        assert "bonus" not in shown(ask(index, "What bonus does the consultant receive?"))
