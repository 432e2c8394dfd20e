"""Explanations: what was understood, what gave way, why each passage; in the terminal and in answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.assistant import Assistant
from rag.cli import app
from rag.errors import InputError
from rag.index import Index
from rag.languages import sayings
from rag.search.explain import (
    Explanation,
    gap_words,
    is_informative,
    leg_words,
    note_words,
    reason_words,
    short,
    standing,
)
from rag.search.ranker import FEATURES
from rag.types import Answer, Calculation, ClaimState, Figure, Filters, Gap, Leg, Note, Outcome, Reason
from tests.fakes import FakeAssistant, fake_answer, fake_document, fake_evidence
from tests.indexing import document, new_index, put

LAW = ("Harbour Safety Act 2015", ["Article 11 Ships carry lights.", "Article 12 Lights are lit at dusk."])
REPORTS = {
    f"{name.split()[0].upper()}_{year}_10K.pdf": (f"{name}, Form 10-K", name, year)
    for name in ("Vextra Foods plc", "Mirves Motors plc")
    for year in (2021, 2022)
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Annual reports of two companies for two years, an act, and notes about nothing."""
    with new_index(tmp_path_factory.mktemp("explain") / "index") as made:
        reports = [
            document(
                path,
                [
                    f"{name} annual report for fiscal year {year}.",
                    f"Net sales of {name} rose to {year} million dollars.",
                    "Consolidated Balance Sheets\n\nTotal current assets 500",
                ],
                title=title,
            )
            for path, (title, name, year) in REPORTS.items()
        ]
        law = document("harbour.pdf", LAW[1], title=LAW[0])
        notes = [document(f"note{n}.pdf", [f"The committee met in room {n}."]) for n in range(6)]
        put(made.store, *reports, law, *notes, vectors=True)
        yield made


def said(told: Explanation) -> dict[str, tuple[str, ...]]:
    return {note.what: note.values for note in told.understood}


# What was understood


def test_company_form_and_year_are_understood_and_the_document_is_named(index: Index) -> None:
    told = index.explain("What were net sales in the 2022 10-K of Vextra Foods?")
    assert said(told)["company"] == ("Vextra Foods plc",)
    assert said(told)["year"] == ("2022",) and said(told)["form"] == ("10-K",)
    assert told.documents[0] == "VEXTRA_2022_10K.pdf"
    assert told.relaxed == ()
    assert {"company", "year", "form"} <= set(told.hits[0].agrees) and told.hits[0].clashes == ()


def test_article_of_a_statute_is_understood_and_met(index: Index) -> None:
    told = index.explain("What does article 12 of the Harbour Safety Act 2015 say?")
    assert said(told)["passage"] == ("article 12",) and said(told)["statute"] == (LAW[0],)
    assert told.relaxed == () and "passage" in told.hits[0].agrees


def test_financial_concept_is_told_with_its_statements_where_there_are_reports(index: Index) -> None:
    told = index.explain("What was the current ratio of Vextra Foods in 2022?")
    assert "current ratio" in said(told)["concept"] and "balance" in said(told)["statement"]
    elsewhere = index.explain("current ratio of lights lit at dusk", filters=only("harbour*"))
    assert "concept" not in said(elsewhere)


def test_professional_words_for_the_question_are_told(index: Index) -> None:
    assert said(index.explain("租客搬走后押金归谁？"))["words"]


def test_question_that_names_nothing_has_nothing_to_explain_but_its_hits(index: Index) -> None:
    told = index.explain("In which room was the committee?")
    assert told.relaxed == () and told.documents == () and short(told.understood) == ()
    assert len(told.hits) == len(index.search("In which room was the committee?"))


def test_question_without_a_word_is_refused(index: Index) -> None:
    with pytest.raises(InputError):
        index.explain("?!")


# What gave way


def only(*documents: str) -> Filters:
    return Filters(documents=documents)


def test_year_that_no_passage_is_of_is_said_with_the_nearest(index: Index) -> None:
    question = "What were net sales in the 2021 10-K of Vextra Foods?"
    (gap,) = index.explain(question, filters=only("VEXTRA_2022*")).relaxed
    assert gap.missed == ("year",) and gap.rank is None
    assert gap_words(gap) == (
        "no passage of Vextra Foods plc 10-K for 2021 was found; "
        "nearest: Vextra Foods plc, 10-K, 2022 (VEXTRA_2022_10K.pdf)"
    )
    assert gap_words(gap, "zh").startswith("未找到Vextra Foods plc 2021 年 10-K的段落；最接近：")


def test_company_that_no_passage_is_of_is_said(index: Index) -> None:
    (gap,) = index.explain("What were net sales of Vextra Foods?", filters=only("MIRVES*", "note*")).relaxed
    assert gap.missed == ("company",) and "Mirves Motors plc" in gap.nearest


def test_passage_that_is_not_first_is_said_with_its_place(index: Index) -> None:
    question = "What were net sales in the 2022 10-K of Vextra Foods?"
    hits = index.search(question)
    right = next(n for n, hit in enumerate(hits) if hit.document.path == "VEXTRA_2022_10K.pdf")
    wrong = next(hit for hit in index.search("Mirves Motors") if hit.document.path.startswith("MIRVES_2021"))
    (gap,) = index.explain(question, hits=[wrong, hits[right]]).relaxed
    assert gap.rank == 2 and set(gap.missed) == {"company", "year"}
    words = "the first passage is not of Vextra Foods plc 10-K for 2022, but of Mirves"
    assert gap_words(gap).startswith(words)


def test_another_article_than_the_one_named_is_said(index: Index) -> None:
    question = "What does article 12 of the Harbour Safety Act 2015 say?"
    first = [h for h in index.search("Ships carry lights") if h.chunk.text.startswith("Article 11")]
    assert first
    (gap,) = index.explain(question, hits=first[:1]).relaxed
    assert gap.missed == ("passage",) and "article 12 of Harbour Safety Act 2015" in gap_words(gap)


def test_second_company_that_no_passage_is_of_is_said(index: Index) -> None:
    question = "Compare net sales of Vextra Foods and Mirves Motors in 2022"
    assert index.explain(question, 20).relaxed == ()
    only_one = [h for h in index.search(question, 20) if h.document.path == "VEXTRA_2022_10K.pdf"]
    (gap,) = index.explain(question, hits=only_one).relaxed
    assert gap_words(gap) == "no passage of Mirves Motors plc was found"


def test_name_that_no_document_bears_is_said(index: Index) -> None:
    told = index.explain("What were net sales in the 2022 10-K of Quorvane Corp?")
    assert any("Quorvane" in gap_words(g) for g in told.relaxed if g.missed == ("unknown",))
    assert "unknown" not in said(told)


def test_document_that_says_no_year_does_not_clash_with_one(index: Index) -> None:
    told = index.explain("In which room did the committee meet in 2021?", filters=only("note*"))
    assert told.relaxed == ()


def test_nothing_found_leaves_the_whole_demand_open(index: Index) -> None:
    (gap,) = index.explain("What were net sales of Vextra Foods?", hits=[]).relaxed
    assert gap == Gap((Note("company", ("Vextra Foods plc",)),), ("company",))


# Words


def test_every_feature_has_words_in_both_languages_and_every_demand_for_and_against() -> None:
    said = {key.removeprefix("features.") for key in sayings("says", "en") if key.startswith("features.")}
    assert said == set(FEATURES)
    for name in FEATURES:
        for value in (1.0, -1.0):
            english, chinese = (reason_words(Reason(name, value, 1.0), code) for code in ("en", "zh"))
            assert english.isascii() and not chinese.isascii() and name not in ("", english)
    demands = ("name", "year", "form", "law", "article_named")
    assert all(reason_words(Reason(n, 1.0, 1.0)) != reason_words(Reason(n, -1.0, 1.0)) for n in demands)


def test_what_is_the_same_for_every_passage_is_no_reason() -> None:
    assert not is_informative(Reason("authority", 0.5, 2.0)) and is_informative(Reason("authority", 1.0, 2.0))
    assert not is_informative(Reason("dense", 0.5, 0.001)) and is_informative(Reason("dense", 0.5, 0.1))


def test_notes_and_legs_are_told_in_both_languages() -> None:
    note = Note("statement", ("balance", "cash flow", "leases"))
    assert note_words(note) == "stands in: balance sheet, cash flow statement, leases"
    assert note_words(note, "zh") == "所在报表：资产负债表、现金流量表、leases"
    assert leg_words(Leg("dense", 3, 0.414)) == "meaning: place 3 (0.41)"
    assert leg_words(Leg("lexical", None, 0.1), "zh") == "词语：未列前茅（0.10）"


# In answers and in the terminal


def test_answer_and_evidence_carry_what_was_understood_and_what_gave_way(index: Index) -> None:
    question = "What were net sales in the 2021 10-K of Vextra Foods?"
    events = list(Assistant(index).stream(question, filters=only("VEXTRA_2022*")))
    found = next(e for e in events if hasattr(e, "hits"))
    answer = events[-1].answer  # type: ignore[union-attr]
    assert Note("year", ("2021",)) in answer.understood and answer.relaxed[0].missed == ("year",)
    assert (found.understood, found.relaxed) == (answer.understood, answer.relaxed)
    refused = Assistant(index, threshold=1.0).ask(question, filters=only("VEXTRA_2022*"))
    assert refused.verdict is not Outcome.ANSWERED and refused.relaxed == answer.relaxed


@pytest.fixture
def terminal(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `citewise` over the index, which stays open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(index, "close", lambda: None)
    monkeypatch.setattr("rag.cli.shared.open_configured_index", lambda *_, **__: index)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_search_explains_itself_only_when_asked(terminal: Any) -> None:
    question = "What were net sales in the 2021 10-K of Vextra Foods?"
    plain = terminal("search", question, "-d", "VEXTRA_2022*").output
    assert "Understood" not in plain and "no passage of" not in plain
    told = terminal("search", question, "-d", "VEXTRA_2022*", "--explain").output
    assert "  company: Vextra Foods plc\n" in told
    assert "⚠ no passage of Vextra Foods plc 10-K for 2021 was found; nearest:" in told
    assert "words: place 1 (" in told and "✗ other year" in told and "its document is of" in told


def test_json_holds_hits_and_explanation_together_and_the_old_list_without(terminal: Any) -> None:
    question = "What were net sales of Vextra Foods in 2022?"
    assert isinstance(json.loads(terminal("search", question, "--json").stdout), list)
    told = json.loads(terminal("search", question, "--explain", "--json").stdout)
    assert {"what": "company", "values": ["Vextra Foods plc"]} in told["explanation"]["understood"]
    assert len(told["hits"]) == len(told["explanation"]["hits"]) > 0
    assert told["hits"][0]["reasons"] and "agrees" in told["explanation"]["hits"][0]


def test_ask_says_above_the_evidence_what_was_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notes = (Note("company", ("Vextra\x1b[31m",)), Note("words", ("net sales",)))
    gap = Gap((Note("year", ("2021",)),), ("year",), "Vextra, 2022 (v.pdf)")
    fake = FakeAssistant({"Why?": replace(fake_answer("Why?"), understood=notes, relaxed=(gap,))})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rag.assistant.build_assistant", lambda config, **_: fake)
    output = CliRunner().invoke(app, ["ask", "Why?"]).output
    line, warning = "Understood: company: Vextra[31m\n", "⚠ no passage of a document for 2021 was found"
    assert output.index(line) < output.index(warning) < output.index("Evidence")
    assert "net sales" not in output and "\x1b" not in output


# How the sentences of an answer stand

BARE = fake_evidence("Thirty days.", document=fake_document("lease.pdf", title="Lease"), page=3)
QUOTED = replace(BARE, heading_path=("7.2 Notice",))
STATED = fake_answer("Why?", "Thirty days.", evidence=[QUOTED])


def computed(*citations: int) -> Answer:
    figures = tuple(Figure("rent", Decimal(n), citation=n) for n in citations)
    return replace(STATED, working=(Calculation("sum", "a + b", figures, Figure("sum", Decimal(3))),))


@pytest.mark.parametrize(
    ("answer", "en", "zh"),
    [
        (STATED, "Stated in Lease, 7.2 Notice", "见于 Lease，7.2 Notice"),
        (computed(1, 2), "Worked out from 2 rows", "由 2 行数据计算得出"),
        (computed(1), "Worked out from 1 row", "由 1 行数据计算得出"),
        (computed(), "Worked out: a + b", "计算得出：a + b"),
        (
            replace(STATED, verdict=Outcome.NEARBY),
            "Probably here: Lease, 7.2 Notice",
            "可能在此：Lease，7.2 Notice",
        ),
        (fake_answer("Why?", refused=True), "Not in this document", "这 1 份文件中没有此内容"),
    ],
)
def test_the_line_says_in_plain_words_how_it_stands(answer: Answer, en: str, zh: str) -> None:
    assert (standing(answer, None, "en"), standing(answer, None, "zh")) == (en, zh)


def test_absence_says_how_many_documents_could_not_be_read() -> None:
    answer = fake_answer("Why?", refused=True)
    unread = (("a.pdf", "password"), ("b.pdf", "corrupt"))
    searched = replace(answer.certificate, documents=8, unreadable=unread)
    said = "Not in these 10 documents (2 could not be read)"
    assert standing(replace(answer, certificate=searched)) == said


def test_a_sentence_stands_as_its_state_says() -> None:
    claim = STATED.claims[0]
    assert standing(STATED, claim) == "Stated in Lease, 7.2 Notice"
    assert "in part" in standing(STATED, replace(claim, state=ClaimState.PARTIAL))
    assert "do not rely" in standing(STATED, replace(claim, state=ClaimState.UNSUPPORTED))


def test_where_there_is_no_heading_the_page_is_the_place() -> None:
    assert standing(fake_answer("Why?", "Thirty days.", evidence=[BARE])) == "Stated in Lease, page 3"
