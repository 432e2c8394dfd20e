from __future__ import annotations

import csv
import errno
import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from docx.enum.text import WD_COLOR_INDEX
from hypothesis import example, given
from hypothesis import strategies as st

from rag.batch import run_batch
from rag.batch_tables import harmless, read_table, write_table
from rag.errors import GenerationError, IndexDamaged, InputError, StorageError
from rag.types import Answer
from tests.fakes import FakeAssistant, fake_answer, fake_document, fake_evidence

QUESTIONS = ["What is the notice period?", "租金是多少？", "Who may sublet?"]


def write_questions(path: Path, questions: list[str]) -> Path:
    """The same questions in the format of the suffix, with a column of ids beside them."""
    rows = [{"id": f"r{n}", "question": q} for n, q in enumerate(questions)]
    if path.suffix == ".txt":
        path.write_text("\n".join(questions), encoding="utf-8")
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "question"])
            writer.writeheader()
            writer.writerows(rows)
    else:
        book = openpyxl.Workbook()
        for row in [["id", "question"], *[[r["id"], r["question"]] for r in rows]]:
            book.active.append(row)
        book.save(path)
    return path


def read_answers(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    head, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".xlsx", ".txt"])
@pytest.mark.parametrize("target", [".csv", ".jsonl", ".xlsx"])
def test_every_row_is_answered_in_order_and_keeps_its_columns(
    tmp_path: Path, source: str, target: str
) -> None:
    questions = write_questions(tmp_path / f"in{source}", QUESTIONS)
    report = run_batch(FakeAssistant(), questions, tmp_path / f"out{target}")
    rows = read_answers(tmp_path / f"out{target}")
    assert [r["question"] for r in rows] == QUESTIONS
    assert all("The notice period is 30 days. [1]" in r["answer"] for r in rows)
    assert all(r["line"] == "The notice period is 30 days." for r in rows)
    assert all(r["standing"].startswith("Stated in ") for r in rows)
    assert all(r["verdict"] == "answered" and float(r["confidence"]) == 0.8 for r in rows)
    if source != ".txt":
        assert [r["id"] for r in rows] == ["r0", "r1", "r2"]
    assert (report.rows, report.answered, report.absent, report.failed) == (3, 3, 0, 0)


def test_citations_name_document_page_and_quote(tmp_path: Path) -> None:
    found = fake_evidence("Thirty days’ notice.", document=fake_document("lease.pdf"), page=3)
    assistant = FakeAssistant(lambda q: fake_answer(q, "Thirty days.", evidence=[found]))
    questions = write_questions(tmp_path / "in.csv", QUESTIONS[:1])
    run_batch(assistant, questions, tmp_path / "out.csv")
    run_batch(assistant, questions, tmp_path / "out.jsonl")
    assert (
        read_answers(tmp_path / "out.csv")[0]["citations"] == "[1] lease.pdf, page 3: “Thirty days’ notice.”"
    )
    (citation,) = read_answers(tmp_path / "out.jsonl")[0]["citations"]
    assert (citation["document"], citation["page"], citation["quote"]) == ("lease.pdf", 3, found.text)
    assert (citation["start"], citation["end"]) == (found.start, found.end)


def test_a_quoted_row_has_its_heads_and_the_cell_that_holds_the_answer(tmp_path: Path) -> None:
    found = fake_evidence("Associate | 268", header="Grade | Rate")
    answer = replace(fake_answer("What is the rate?", evidence=[found]), line="The rate is 268.")
    answer = replace(answer, quotes=answer.citations)
    questions = write_questions(tmp_path / "in.csv", ["What is the rate?"])
    for suffix in (".csv", ".jsonl", ".xlsx", ".docx"):
        run_batch(FakeAssistant(lambda _: answer), questions, tmp_path / f"out{suffix}")
    (citation,) = read_answers(tmp_path / "out.jsonl")[0]["citations"]
    assert citation["row"] == [["Grade", "Associate"], ["Rate", "268"]] and citation["answers"] == [1]
    assert read_answers(tmp_path / "out.csv")[0]["citations"].endswith(
        "“Associate | 268” (Grade: Associate; Rate: 268)"
    )
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["quoted rows"]
    assert [[c.value for c in row][:2] for row in sheet.iter_rows(min_row=2, max_row=3)] == [
        ["Grade", "Rate"],
        ["Associate", "268"],
    ]
    assert [cell.fill.fill_type for cell in sheet[3][:2]] == [None, "solid"]
    (table,) = docx.Document(str(tmp_path / "out.docx")).tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Grade", "Rate"],
        ["Associate", "268"],
    ]
    runs = [cell.paragraphs[0].runs[0] for cell in table.rows[1].cells]
    assert [run.font.highlight_color for run in runs] == [None, WD_COLOR_INDEX.YELLOW]


def test_a_word_document_has_each_question_its_line_how_it_stands_and_its_words(tmp_path: Path) -> None:
    found = fake_evidence("Thirty days’ notice.", document=fake_document("lease.pdf"), page=3)

    def told(question: str) -> Answer:
        if "bells" in question:
            raise GenerationError("the model stopped\x00")
        answer = fake_answer(question, "Thirty days.", evidence=[found])
        return replace(answer, cautions=("An older version says sixty.",))

    questions = write_questions(tmp_path / "in.csv", ["How long is the notice?", "Who rings the bells?"])
    run_batch(FakeAssistant(told), questions, tmp_path / "out.docx")
    said = [(p.style.name, p.text) for p in docx.Document(str(tmp_path / "out.docx")).paragraphs]
    assert said == [
        ("Heading 2", "How long is the notice?"),
        ("Normal", "Thirty days."),
        ("Normal", "Stated in lease, page 3"),
        ("Normal", "An older version says sixty."),
        ("List Bullet", "[1] lease.pdf, page 3: “Thirty days’ notice.”"),
        ("Heading 2", "Who rings the bells?"),
        ("Normal", "the model stopped"),
    ]


def test_only_citations_that_the_line_rests_on_are_written(tmp_path: Path) -> None:
    shown = [fake_evidence("Thirty days."), fake_evidence("No pets.", number=2)]
    answer = fake_answer("q", "Thirty days.", evidence=shown)
    answer = replace(answer, quotes=answer.citations[:1])
    run_batch(
        FakeAssistant(lambda _: answer), write_questions(tmp_path / "in.txt", ["q"]), tmp_path / "o.jsonl"
    )
    (row,) = read_answers(tmp_path / "o.jsonl")
    assert [c["quote"] for c in row["citations"]] == ["Thirty days."]


def test_refusal_is_a_row_that_says_so_and_not_an_error(tmp_path: Path) -> None:
    assistant = FakeAssistant({QUESTIONS[0]: fake_answer(QUESTIONS[0], refused=True)})
    report = run_batch(assistant, write_questions(tmp_path / "in.csv", QUESTIONS), tmp_path / "out.jsonl")
    rows = read_answers(tmp_path / "out.jsonl")
    assert [r["verdict"] for r in rows] == ["absent", "answered", "answered"]
    assert (rows[0]["line"], rows[0]["error"]) == ("The documents do not answer this question.", "")
    assert (report.answered, report.nearby, report.absent, report.failed) == (2, 0, 1, 0)


def test_cautions_stand_behind_the_answer(tmp_path: Path) -> None:
    whole = fake_answer("q")
    given = {"all": whole, "some": replace(whole, cautions=("Not found: the regatta.",))}
    run_batch(FakeAssistant(given), write_questions(tmp_path / "in.txt", list(given)), tmp_path / "o.jsonl")
    every, some = (row["answer"] for row in read_answers(tmp_path / "o.jsonl"))
    assert every == whole.text and some == f"{whole.text}\n\nNot found: the regatta."


@pytest.mark.parametrize(
    "error", [InputError("too odd"), GenerationError("no more memory"), ValueError("a fault of ours")]
)
def test_question_that_fails_becomes_a_row_with_its_error(tmp_path: Path, error: Exception) -> None:
    assistant = FakeAssistant({QUESTIONS[1]: error})
    report = run_batch(assistant, write_questions(tmp_path / "in.csv", QUESTIONS), tmp_path / "out.csv")
    rows = read_answers(tmp_path / "out.csv")
    assert str(error) in rows[1]["error"]
    assert rows[1]["answer"] == ""
    assert rows[0]["answer"]
    assert rows[2]["answer"]
    assert report.failed == 1


def test_broken_index_stops_the_run_and_what_was_answered_is_kept(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path / "in.csv", QUESTIONS), tmp_path / "out.csv"
    with pytest.raises(IndexDamaged):
        run_batch(FakeAssistant({QUESTIONS[2]: IndexDamaged("gone")}), questions, out)
    assert not out.exists()
    assistant = FakeAssistant()
    assert run_batch(assistant, questions, out).resumed == 2
    assert assistant.asked == QUESTIONS[2:]


def test_stopped_run_goes_on_without_asking_twice_or_losing_a_row(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path / "in.xlsx", QUESTIONS), tmp_path / "out.xlsx"
    stop = threading.Event()

    def answer_one(question: str) -> Any:
        stop.set()
        return fake_answer(question)

    first, second = FakeAssistant(answer_one), FakeAssistant()
    report = run_batch(first, questions, out, stop=stop)
    assert report.stopped
    assert not out.exists()
    assert not run_batch(second, questions, out).stopped
    assert first.asked + second.asked == QUESTIONS
    assert len(read_answers(out)) == 3


def test_nothing_but_the_answers_is_left_behind(tmp_path: Path) -> None:
    run_batch(FakeAssistant(), write_questions(tmp_path / "in.txt", QUESTIONS), tmp_path / "out.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.txt", "out.csv"]


def test_question_that_was_changed_meanwhile_is_asked_again(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path / "in.txt", QUESTIONS), tmp_path / "out.csv"
    with pytest.raises(IndexDamaged):
        run_batch(FakeAssistant({QUESTIONS[2]: IndexDamaged("gone")}), questions, out)
    write_questions(questions, ["Something else?", *QUESTIONS[1:]])
    assistant = FakeAssistant()
    run_batch(assistant, questions, out)
    assert assistant.asked == ["Something else?", QUESTIONS[2]]


def test_answers_of_another_model_are_not_taken_over(tmp_path: Path) -> None:
    from tests.fakes import FakeLLM

    questions, out = write_questions(tmp_path / "in.txt", QUESTIONS), tmp_path / "out.csv"
    with pytest.raises(IndexDamaged):
        run_batch(FakeAssistant({QUESTIONS[2]: IndexDamaged("gone")}), questions, out)
    assistant = FakeAssistant(llm=FakeLLM())
    assert run_batch(assistant, questions, out).resumed == 0
    assert assistant.asked == QUESTIONS


def test_line_of_the_journal_that_was_cut_short_costs_only_its_own_question(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path / "in.txt", QUESTIONS), tmp_path / "out.csv"
    with pytest.raises(IndexDamaged):
        run_batch(FakeAssistant({QUESTIONS[2]: IndexDamaged("gone")}), questions, out)
    (journal,) = tmp_path.glob(".out.csv*")
    journal.write_bytes(journal.read_bytes()[:-7])
    assistant = FakeAssistant()
    run_batch(assistant, questions, out)
    assert assistant.asked == QUESTIONS[1:]
    assert [r["question"] for r in read_answers(out)] == QUESTIONS


def test_two_runs_cannot_write_one_output(tmp_path: Path) -> None:
    questions, out = write_questions(tmp_path / "in.txt", QUESTIONS), tmp_path / "out.csv"

    def ask_meanwhile(question: str) -> Any:
        with pytest.raises(InputError, match="Another run"):
            run_batch(FakeAssistant(), questions, out)
        return fake_answer(question)

    assert run_batch(FakeAssistant(ask_meanwhile), questions, out).answered == 3


def test_missing_column_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n1,What?\n")
    with pytest.raises(InputError, match=r"no column called question.*id, text.*--column"):
        run_batch(FakeAssistant(), tmp_path / "in.csv", tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"no column 'ask'.*id, text"):
        run_batch(FakeAssistant(), tmp_path / "in.csv", tmp_path / "out.csv", question_column="ask")
    assistant = FakeAssistant()
    run_batch(assistant, tmp_path / "in.csv", tmp_path / "out.csv", question_column="text")
    assert assistant.asked == ["What?"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_byte_order_mark_and_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = "编号,问题\n1,合同的租金是多少？\n2,租期届满之后如何处理押金？\n"
    (tmp_path / "in.csv").write_bytes(text.encode(encoding))
    assistant = FakeAssistant()
    run_batch(assistant, tmp_path / "in.csv", tmp_path / "out.csv")
    assert assistant.asked == ["合同的租金是多少？", "租期届满之后如何处理押金？"]


def test_broken_csv_row_becomes_a_row_with_an_error_and_the_others_are_answered(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(
        'id,question\n1,First?\n2,"no closing quote\n3,Third?\n4,Fourth?,one,too many\n5\n6,"Six, too?"\n'
    )
    assistant = FakeAssistant()
    report = run_batch(assistant, tmp_path / "in.csv", tmp_path / "out.jsonl")
    rows = read_answers(tmp_path / "out.jsonl")
    assert assistant.asked == ["First?", "Third?", "Six, too?"]
    assert [bool(r["error"]) for r in rows] == [False, True, False, True, True, False]
    assert "line 3" in rows[1]["error"]
    assert "no closing quote" in rows[1]["id"]
    assert "4 cells" in rows[3]["error"]
    assert report.failed == 3


def test_broken_json_line_becomes_a_row_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        '{"question": "One?"}\n{"question": \n["list"]\n\n{"question": "Two?"}\n{}\n'
    )
    assistant = FakeAssistant()
    run_batch(assistant, tmp_path / "in.jsonl", tmp_path / "out.csv")
    errors = [r["error"] for r in read_answers(tmp_path / "out.csv")]
    assert assistant.asked == ["One?", "Two?"]
    assert [bool(e) for e in errors] == [False, True, True, False, True]
    assert "line 2" in errors[1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "in.csv").write_text(f"id{delimiter}question\n1{delimiter}What, and why; how?\n")
    if delimiter in ",;":
        (tmp_path / "in.csv").write_text(f'id{delimiter}question\n1{delimiter}"What, and why; how?"\n')
    assistant = FakeAssistant()
    run_batch(assistant, tmp_path / "in.csv", tmp_path / "out.csv")
    assert assistant.asked == ["What, and why; how?"]


@pytest.mark.parametrize("name", ["in.pdf", "in"])
def test_input_of_another_kind_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("question\nWhat?")
    with pytest.raises(InputError, match=r"\.csv, \.tsv, \.jsonl, \.xlsx, \.txt"):
        run_batch(FakeAssistant(), tmp_path / name, tmp_path / "out.csv")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_empty_or_unreadable_table_is_an_error(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"in{suffix}").write_bytes(b"")
    with pytest.raises(InputError, match="in"):
        run_batch(FakeAssistant(), tmp_path / f"in{suffix}", tmp_path / "out.csv")


def test_output_that_is_the_input_or_of_another_kind_is_an_error_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    questions, assistant = write_questions(tmp_path / "in.csv", QUESTIONS), FakeAssistant()
    for out in (questions, tmp_path / "out.pdf", tmp_path):
        with pytest.raises(InputError):
            run_batch(assistant, questions, out)
    assert not assistant.asked
    assert "answer" not in questions.read_text()


def test_folder_that_cannot_be_written_is_an_error_before_anything_is_asked(tmp_path: Path) -> None:
    questions, assistant = write_questions(tmp_path / "in.csv", QUESTIONS), FakeAssistant()
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        run_batch(assistant, questions, tmp_path / "file" / "out.csv")
    assert not assistant.asked


def test_disk_that_fills_up_is_said_and_what_was_answered_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions, out = write_questions(tmp_path / "in.csv", QUESTIONS), tmp_path / "out.csv"

    def no_space(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("pathlib.Path.replace", no_space)
        with pytest.raises(StorageError, match=r"out\.csv cannot be written: No space left.*Free some space"):
            run_batch(FakeAssistant(), questions, out)
    assert not out.exists()
    assert not list(tmp_path.glob("*.tmp"))
    assistant = FakeAssistant()
    assert run_batch(assistant, questions, out).resumed == 3
    assert not assistant.asked
    assert len(read_answers(out)) == 3


def test_own_column_of_the_input_named_like_ours_is_kept(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("question,answer\nWhat?,my own words\n")
    run_batch(FakeAssistant(), tmp_path / "in.csv", tmp_path / "out.csv")
    (row,) = read_answers(tmp_path / "out.csv")
    assert row["answer"] == "my own words"
    assert row["citewise_answer"].startswith("The notice period")


FORMULAS = ["=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", " =1+1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_a_csv_can_be_read_as_a_formula(tmp_path: Path, formula: str) -> None:
    questions = tmp_path / "in.jsonl"
    questions.write_text(json.dumps({formula: "x", "question": formula}) + "\n")
    assistant = FakeAssistant(lambda q: fake_answer(q, formula))
    run_batch(assistant, questions, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert f"'{formula}" in cells
    assert not [c for c in cells if c.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_text_cell_of_a_workbook_is_typed_as_text(tmp_path: Path, formula: str) -> None:
    write_table(tmp_path / "out.xlsx", [formula], [{formula: formula}])
    cells = [c for row in openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows() for c in row]
    assert [c.data_type for c in cells] == ["s", "s"]
    assert cells[1].value.strip() == formula.strip()


@given(st.text(max_size=20))
@example("\t0")
def test_harmless_never_begins_like_a_formula_and_only_ever_adds_a_quote_mark(cell: str) -> None:
    safe = harmless(cell)
    assert safe.removeprefix("'") == cell.removeprefix("'")
    assert not safe.startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize("number", ["-5", "+3.2", "-1,000", "-12%", "-1e6"])
def test_plain_numbers_stay_numbers(number: str) -> None:
    assert harmless(number) == number


def test_text_that_xml_or_a_cell_cannot_hold_does_not_stop_a_workbook(tmp_path: Path) -> None:
    values = ["bell\x07 and \ud800 half a pair", "x" * 40_000]
    write_table(tmp_path / "out.xlsx", ["question"], [{"question": v} for v in values])
    first, second = [r["question"] for r in read_answers(tmp_path / "out.xlsx")]
    assert first.startswith("bell and ")
    assert len(second) <= 32_767


cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_table_survives_csv_and_back(rows: list[tuple[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_table(path, ["question", "note"], [{"question": q, "note": n} for q, n in rows])
        read = [(r.values["question"], r.values["note"]) for r in read_table(path).rows]
    assert read == [(harmless(q), harmless(n)) for q, n in rows if q.strip() or n.strip()]


def test_progress_counts_every_row_and_tells_the_time_left(tmp_path: Path) -> None:
    seen = []
    questions = write_questions(tmp_path / "in.txt", QUESTIONS)
    run_batch(FakeAssistant(delay=0.01), questions, tmp_path / "out.csv", progress=seen.append)
    assert [(p.done, p.total) for p in seen] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert seen[0].remaining is None
    assert seen[2].remaining is not None
    assert seen[2].remaining > 0


def test_ten_thousand_rows_are_answered_in_seconds_when_answers_cost_nothing(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "in.csv", [f"Question {n}?" for n in range(10_000)])
    begun = time.perf_counter()
    report = run_batch(FakeAssistant(), questions, tmp_path / "out.xlsx")
    assert report.answered == 10_000
    assert time.perf_counter() - begun < 60
    assert len(read_answers(tmp_path / "out.xlsx")) == 10_000


# --- several questions at a time ---


def test_answers_of_many_at_a_time_are_those_of_one_by_one_in_the_order_of_the_rows(tmp_path: Path) -> None:
    names = [f"Question {n}?" for n in range(40)]
    questions = write_questions(tmp_path / "in.csv", names)

    def slow_where_even(question: str) -> Any:
        time.sleep(0.01 if int(question[9:-1]) % 2 == 0 else 0.001)
        return fake_answer(question, f"Answer to {question}")

    one, many = tmp_path / "one.csv", tmp_path / "many.csv"
    run_batch(FakeAssistant(slow_where_even), questions, one)
    report = run_batch(FakeAssistant(slow_where_even), questions, many, parallel=7)
    assert many.read_bytes() == one.read_bytes()
    assert report.answered == 40


def test_as_many_questions_as_asked_for_are_in_hand_and_no_more(tmp_path: Path) -> None:
    lock, running, most = threading.Lock(), 0, 0
    together = threading.Barrier(4)

    def answer(question: str) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(20)  # breaks where fewer than four are ever in hand
        with lock:
            running -= 1
        return fake_answer(question)

    questions = write_questions(tmp_path / "in.txt", [f"Question {n}?" for n in range(16)])
    report = run_batch(FakeAssistant(answer), questions, tmp_path / "out.csv", parallel=4)
    assert (report.answered, most) == (16, 4)


def test_index_that_breaks_among_many_keeps_every_answer_that_was_in_hand(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "in.csv", [f"Question {n}?" for n in range(12)])
    out = tmp_path / "out.csv"
    begun = threading.Barrier(4)

    def answer(question: str) -> Any:
        begun.wait(20)
        if question == "Question 2?":
            raise IndexDamaged("gone")
        time.sleep(0.05)
        return fake_answer(question)

    with pytest.raises(IndexDamaged):
        run_batch(FakeAssistant(answer), questions, out, parallel=4)
    assert not out.exists()
    assistant = FakeAssistant()
    assert run_batch(assistant, questions, out, parallel=4).resumed == 3
    assert len(assistant.asked) == 9
    assert "Question 2?" in assistant.asked


def test_stop_among_many_finishes_what_is_in_hand_and_asks_nothing_more(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "in.csv", [f"Question {n}?" for n in range(12)])
    out, stop = tmp_path / "out.csv", threading.Event()
    begun = threading.Barrier(3)

    def answer(question: str) -> Any:
        begun.wait(20)
        stop.set()
        return fake_answer(question)

    first, second = FakeAssistant(answer), FakeAssistant()
    report = run_batch(first, questions, out, stop=stop, parallel=3)
    assert (report.stopped, report.answered, len(first.asked)) == (True, 3, 3)
    assert run_batch(second, questions, out, parallel=3).resumed == 3
    assert len(read_answers(out)) == 12


def test_questions_that_fail_among_many_are_rows_with_their_errors(tmp_path: Path) -> None:
    names = [f"Question {n}?" for n in range(9)]
    script = {names[n]: GenerationError(f"failed at {n}") for n in (1, 4)}
    questions = write_questions(tmp_path / "in.csv", names)
    report = run_batch(FakeAssistant(script, delay=0.002), questions, tmp_path / "out.jsonl", parallel=3)
    errors = {r["question"]: r["error"] for r in read_answers(tmp_path / "out.jsonl") if r["error"]}
    assert errors == {names[1]: "failed at 1", names[4]: "failed at 4"}
    assert report.failed == 2
