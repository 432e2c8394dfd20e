"""Evidence is verbatim, on its right page, with its column heads; headings are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index import Index
from rag.search.evidence import Selection, rank_closer, rank_sentences, select
from rag.search.sufficiency import SENTENCE_SIGNALS
from rag.search.verdict import Veto, names_without_passages, outcome
from rag.types import Filters, Outcome, Page
from tests.archive import archive
from tests.fakes import FakeEmbedder
from tests.files import pdf_bytes
from tests.indexing import document, new_index, put, run_here, write_files
from tests.statements_files import FILES

QUESTIONS = [
    "How many days of notice must the tenant give?",
    "What does a late delivery cost the supplier?",
    "What is the daily dosage of velnorade?",
    "monthly fee of a Premier account",
    "How many people did Larkwell employ?",
    "试用期有多长？",
    "逾期交货的违约金是多少？",
    "Who won the football match?",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with archive(tmp_path_factory.mktemp("archive")) as opened:
        yield opened


def selected(index: Index, question: str, *, limit: int = 6, filters: Filters | None = None) -> Selection:
    return select(index.understand(question), index.search(question, 8, filters=filters), index, limit=limit)


@pytest.mark.parametrize("question", QUESTIONS)
def test_evidence_is_the_text_of_its_document_at_its_offsets(index: Index, question: str) -> None:
    for piece in selected(index, question).evidence:
        assert index.text(piece.document.id)[piece.start : piece.end] == piece.text
        passage = index.passage(piece.chunk_id)
        assert passage.document == piece.document
        assert passage.chunk.start <= piece.start < piece.end <= passage.chunk.end


@pytest.mark.parametrize("question", QUESTIONS)
def test_evidence_is_numbered_from_one_best_first_distinct_and_limited(index: Index, question: str) -> None:
    found = selected(index, question, limit=3)
    scores = [e.score for e in found.evidence]
    assert [e.number for e in found.evidence] == list(range(1, len(scores) + 1))
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= s <= 1.0 for s in [*scores, found.verdict.confidence, found.verdict.least])
    assert len({e.text for e in found.evidence}) == len(scores) <= 3


def test_first_evidence_is_the_sentence_that_answers(index: Index) -> None:
    assert "60 days" in selected(index, QUESTIONS[0]).evidence[0].text
    assert "2 percent" in selected(index, QUESTIONS[1]).evidence[0].text
    assert "85 people" in selected(index, QUESTIONS[4]).evidence[0].text
    assert "三个月" in selected(index, QUESTIONS[5]).evidence[0].text


def test_titles_and_headings_are_no_evidence(index: Index) -> None:
    asked = ["deposit", "Rent", "Dosage of velnorade", "Larkwell annual report", "采购合同", "Notice"]
    for question in asked:
        for piece in selected(index, question).evidence:
            assert piece.text.strip("# ") not in {
                *("Deposit", "Rent", "Notice", "Dosage", "Warnings", "Velnorade", "Larkwell annual report"),
                *("采购合同", "劳动合同", "Hand hygiene", "Revenue", "People", "Lease of Harbour Lane 4"),
            }


def test_row_of_a_table_is_one_piece_with_its_column_heads(index: Index) -> None:
    found = selected(index, "monthly fee of a Premier account", filters=Filters(kinds=("csv",))).evidence
    assert {e.text.split(" | ")[0] for e in found} <= {"Basic", "Plus", "Premier"}
    (premier,) = [e for e in found if "Premier" in e.text]
    assert "12.50 EUR" in premier.text and "4.90" not in premier.text
    assert list(premier.heads) == [
        "Account",
        "Monthly fee",
        "Minimum balance",
    ]
    assert premier.location == "row 4"


def test_no_hit_gives_no_evidence_and_is_insufficient(index: Index) -> None:
    found = select(index.understand(QUESTIONS[0]), (), index)
    assert (found.evidence, found.sufficient) == ((), False)
    assert found.verdict.confidence == 0.0 and Veto.NOTHING in found.verdict.vetoes


def test_threshold_decides_what_suffices(index: Index) -> None:
    hits = index.search(QUESTIONS[0])
    low, high = (select(index.understand(QUESTIONS[0]), hits, index, threshold=t) for t in (0.0, 1.0))
    assert low.sufficient and not high.sufficient
    assert (low.verdict.least, high.verdict.least) == (0.0, 1.0)
    assert low.evidence == high.evidence and low.verdict.confidence == high.verdict.confidence


def test_answered_question_scores_higher_than_one_about_nothing_here(index: Index) -> None:
    elsewhere = selected(
        index, "Which goalkeeper saved the decisive shot of the football final?"
    ).verdict.confidence
    assert all(selected(index, q).verdict.confidence > elsewhere for q in QUESTIONS[:5])


def test_language_that_the_embedder_does_not_know_is_judged_by_words(tmp_path: Path) -> None:
    with archive(tmp_path, FakeEmbedder(languages=("en",))) as index:
        assert not selected(index, "试用期有多长？").verdict.dense
        assert selected(index, QUESTIONS[0]).verdict.dense


def test_page_is_that_of_the_sentence_not_of_the_passage_that_it_begins(tmp_path: Path) -> None:
    first = "The caretaker lives on the ground floor. The roof is made of slate."
    second = "The boiler was replaced in the spring of 2019. The lift holds eight people."
    text = f"{first} {second}"
    cut = len(first) + 1
    pages = (Page(4, 0, cut), Page(5, cut, len(text)))
    with new_index(tmp_path / "index") as index:
        put(index.store, document("house.pdf", [text], pages=pages), vectors=True)
        (hit,) = index.search("boiler")
        assert (hit.chunk.page, hit.chunk.last_page) == (4, 5)  # else this test shows nothing
        page_of = {
            e.text: e.page
            for q in ("caretaker floor", "roof slate", "boiler replaced", "lift holds people")
            for e in select(index.understand(q), index.search(q), index).evidence
        }
    expected = dict.fromkeys(("The caretaker lives on the ground floor.", "The roof is made of slate."), 4)
    expected |= {"The boiler was replaced in the spring of 2019.": 5, "The lift holds eight people.": 5}
    assert page_of == expected


def test_pages_of_a_real_pdf_are_those_that_hold_the_words(tmp_path: Path) -> None:
    lines = [[f"On page {n} the value of item {n}00 is {n}{n}{n} euros in total."] for n in range(1, 6)]
    with archive(tmp_path, values__pdf=pdf_bytes(lines)) as index:
        for n in range(1, 6):
            best = selected(index, f"What is the value of item {n}00?").evidence[0]
            assert (best.page, f"{n}{n}{n} euros" in best.text) == (n, True)


def test_sentence_of_enormous_length_is_cut_to_a_readable_quote(tmp_path: Path) -> None:
    with archive(tmp_path, long__txt="The turbine " + "spins and hums and " * 2000 + "stops.") as index:
        for piece in selected(index, "What does the turbine do?").evidence:
            assert len(piece.text) <= 1200
            assert index.text(piece.document.id)[piece.start : piece.end] == piece.text


@pytest.fixture(scope="module")
def filings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    root = tmp_path_factory.mktemp("statements")
    folder = write_files(root / "files", FILES)
    with mock.patch("rag.store.ingest.run_in_workers", run_here), new_index(root / "index") as made:
        made.ingest(folder)
        yield made


@pytest.mark.parametrize("company", ["Dorrick & Vale Inc.", "3V"])
def test_question_about_a_company_that_no_document_bears_is_refused(filings: Index, company: str) -> None:
    question = f"What was {company}'s net income in FY2023?"
    found = select(filings.understand(question), filings.search(question), filings, threshold=0.0)
    assert found.evidence and not found.sufficient


@pytest.mark.parametrize(
    ("question", "name", "said"),
    [
        ("What was Vale's net income in FY2023?", "Vale", "Vale is a subsidiary."),
        ("岭川股份2023年的净利润是多少？", "岭川股份", "岭川纱厂是其子公司。"),
    ],
)
def test_company_of_which_a_passage_speaks_is_left_to_the_score(
    filings: Index, question: str, name: str, said: str
) -> None:
    hits = list(filings.search(question)) or list(filings.search("What was net income in FY2023?"))
    told = replace(hits[0].chunk, text=f"{said} {hits[0].chunk.text}")
    query = filings.understand(question)
    assert names_without_passages(query, hits) == (name,)
    assert names_without_passages(query, [replace(hits[0], chunk=told), *hits[1:]]) == ()


def test_a_name_at_the_beginning_of_a_document_found_is_of_nobody_else(tmp_path: Path) -> None:
    deed = "# Hosting Agreement\n\nThis is made between TESSIN, INC. and Varn.\n\n"
    deed += "\n\n".join(f"{n}. The server of the client is kept in hall {n}." for n in range(1, 90))
    with archive(tmp_path, deed__md=deed) as index:
        query = index.understand("In which hall does Tessin Inc. keep server 70 of its client?")
        query = replace(query, constraints=replace(query.constraints, unknown_names=("Tessin Inc.",)))
        hits = [hit for hit in index.search(query, 30) if "TESSIN" not in hit.chunk.text]
        assert hits and names_without_passages(query, hits) == ("Tessin Inc.",)
        assert names_without_passages(query, hits, index.store) == ()


def test_row_of_other_years_than_the_one_asked_about_does_not_suffice(filings: Index) -> None:
    def found(year: int) -> Selection:
        question = f"What was Marrowby's net income in FY{year}?"
        return select(filings.understand(question), filings.search(question), filings, threshold=0.0)

    assert found(2023).sufficient
    assert found(1997).evidence and not found(1997).sufficient


def test_row_that_says_no_word_of_what_is_asked_is_at_best_nearby(tmp_path: Path) -> None:
    with archive(tmp_path, sheet__csv="Item,2024\nTurnover,310\nEquipment,95\n") as index:
        for wanted, told in (("turnover", Outcome.ANSWERED), ("headcount", Outcome.NEARBY)):
            question = f"What was the {wanted} in 2024?"
            hits = index.search(question, filters=Filters(documents=("*sheet*",)))
            found = select(index.understand(question), hits, index, threshold=0.01)
            assert outcome(found.verdict) is told


class _ReadsParts(FakeEmbedder):
    """Makes the vectors of sentences with those of their passages."""

    def __init__(self) -> None:
        super().__init__()
        self.info = replace(self.info, cosines=(("en", 0.0, 1.0), ("zh", 0.0, 1.0)))

    def embed_with_parts(
        self, texts: Sequence[str], starts: Sequence[Sequence[int]]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        bounds = [[*begins, len(text)] for text, begins in zip(texts, starts, strict=True)]
        parts = [[text[a:b] for a, b in pairwise(at)] for text, at in zip(texts, bounds, strict=True)]
        return self.embed_passages(texts), [self.embed_passages(part) for part in parts]


def test_sentences_whose_vectors_the_index_holds_are_not_embedded_again(tmp_path: Path) -> None:
    embedder = _ReadsParts()
    with archive(tmp_path, embedder) as index:
        for question in QUESTIONS:
            before = embedder.passages_embedded
            found = selected(index, question)
            assert embedder.passages_embedded == before
            assert found.evidence


class _Prefers(FakeEmbedder):
    """Finds one text near every question."""

    def __init__(self, words: str) -> None:
        super().__init__(languages=("en",))
        self.words = words

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.info.dimension, dtype=np.float32)
        vector[0 if self.words in text or text.endswith("?") else 1] = 1.0
        return vector


def test_an_embedder_of_the_language_compares_the_likeliest_sentences_beside_one_of_many(
    tmp_path: Path,
) -> None:
    lines = " ".join(f"The tenant of flat {n} pays a rent of {n}00 a month." for n in range(1, 20))
    with archive(tmp_path, _ReadsParts(), leases__md=f"# Leases\n\n{lines}") as index:
        query = index.understand("What rent does the tenant pay a month?")
        hits = tuple(index.search(query, 8))
        first = rank_sentences(query, hits, index, index.embedder)
        assert first.mode == "multilingual"
        for words in (first.sentences[1].text, first.sentences[5].text):
            closer = _Prefers(words)
            with mock.patch.object(index, "closer_for", lambda language, it=closer: it):
                ranked = rank_closer(query, first, hits, index)
            assert ranked.mode == "closer" and words in ranked.sentences[0].text
            assert 1 < closer.passages_embedded <= 8
        with mock.patch.object(index, "closer_for", lambda language: None):
            assert rank_closer(query, first, hits, index) is first


def test_changed_documents_have_vectors_of_their_sentences_and_no_others(tmp_path: Path) -> None:
    files = write_files(
        tmp_path / "files", {"a.md": "The rent is 900. It is paid monthly.", "b.csv": "x,y\n1,2\n3,4"}
    )
    with (
        mock.patch("rag.store.ingest.run_in_workers", run_here),
        new_index(tmp_path / "index", _ReadsParts()) as index,
    ):
        index.ingest(files)
        write_files(files, {"a.md": "The rent is 950. It is paid monthly. It rises."})
        index.ingest(files)
        assert index.verify().ok
        space = index.store.space
        ids = [int(i) for i in index.store.chunk_ids(None)]
        held = {chunk.text: space.sentences([i])[i].rows for i, _, chunk in index.store.chunks(ids)}
        text = next(text for text in held if "rent" in text)
        assert [text[a:b].strip() for a, b in held[text][["start", "end"]].tolist()] == [
            "The rent is 950.",
            "It is paid monthly.",
            "It rises.",
        ]


EXCLUSIONS = ("cash above EUR 90;", "skis left on a car roof;", "theft where no force was used.")
POLICY = "# Policy of Larchmont\n\n## Covered\n\nWe cover loss by fire and by hail.\n\n## Not covered\n\n"
LEAD = "We do not pay for:"


def test_an_item_is_quoted_with_its_lead_and_a_question_about_a_short_list_with_the_whole_of_it(
    tmp_path: Path,
) -> None:
    text = POLICY + f"{LEAD}\n\n" + "\n".join(f"- {item}" for item in EXCLUSIONS)
    with archive(tmp_path, policy__md=text) as index:
        for piece in selected(index, "Are skis on a car roof covered by the Larchmont policy?").evidence:
            held = index.text(piece.document.id)
            assert [held[lead.start : lead.end] for lead in piece.leads] == [
                lead.text for lead in piece.leads
            ]
            if "skis" in piece.text and piece.leads:
                assert piece.words == f"{LEAD} … - {EXCLUSIONS[1]}"
        whole = selected(index, "What does the policy of Larchmont not pay for?").evidence[0]
        assert whole.text.startswith(LEAD) and whole.text.endswith(EXCLUSIONS[2])
        assert not any(piece.text == LEAD for piece in selected(index, "pay for").evidence)


def test_an_item_in_another_passage_than_its_lead_is_found_and_quoted_with_it(tmp_path: Path) -> None:
    many = [f"wear of part number {n} of the heating plant and its pipes in the cellar" for n in range(60)]
    text = POLICY + f"{LEAD}\n\n" + "\n".join(f"- {item}" for item in [*many, "frost on rooftop beehives"])
    with archive(tmp_path, policy__md=text) as index:
        first = selected(index, "What about frost on beehives?").evidence[0]
        assert first.words == f"{LEAD} … - frost on rooftop beehives"
        assert LEAD not in index.passage(first.chunk_id).chunk.text


def test_a_row_is_judged_with_its_heads_and_the_title_of_its_table(tmp_path: Path) -> None:
    with archive(tmp_path, regions__csv="Region,Members\nCoast,9141\nValley,1207\n") as index:
        found = selected(index, "How many members are there in the Coast region?")
        assert found.evidence[0].text == "Coast | 9141" and found.sufficient


def test_what_is_not_covered_is_not_answered_by_what_is(tmp_path: Path) -> None:
    text = POLICY + f"{LEAD}\n\n" + "\n".join(f"- {item}" for item in EXCLUSIONS)
    with archive(tmp_path, policy__md=text) as index:
        denied = selected(index, "What is NOT covered by the policy of Larchmont?").evidence[0]
        assert denied.text.startswith(LEAD)
        covered = selected(index, "What is covered by the policy of Larchmont?").evidence[0]
        assert covered.text == "We cover loss by fire and by hail."


def test_rows_are_judged_alike_wherever_their_table_was_cut_into_passages(tmp_path: Path) -> None:
    rows = [
        f"| Quay {n} to pier {n + 1} over the sound of Ardmore | {n} o'clock | Gannet |" for n in range(60)
    ]
    lines = ["# Boats", "| Route | Departs | Ship |", "|---|---|---|", *rows, "", "The Petrel is in dock."]
    with new_index(tmp_path / "index", embedder=FakeEmbedder()) as opened:
        opened.ingest(write_files(tmp_path / "files", {"boats.md": "\n".join(lines)}), workers=1)
        query = opened.understand("Which ship goes from quay 50 to pier 51?")
        hits = tuple(opened.search(query, 8))
        ranked = rank_sentences(query, hits, opened, opened.embedder_for("en"))
    of_rows = [n for n, one in enumerate(ranked.sentences) if one.unit.row]
    places = {hits[ranked.sentences[n].hit].chunk_id for n in of_rows}
    by = SENTENCE_SIGNALS.index("passage_rank")
    assert len(places) > 1 and len({ranked.signals[n, by] for n in of_rows}) == 1
