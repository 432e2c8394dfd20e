"""Every kind of answer leaves through every way out: text, JSON, batch files, the stream and the page.

No answer asks back today; the nearest are a refusal that names what is missing and a follow-up completed from
the conversation, which only the stream and the page can ask."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from rag.assistant import Assistant
from rag.batch import run_batch
from rag.cli import app
from rag.files import to_json
from rag.index import Index
from rag.types import Answer, EvidenceFound, Finished, StageStarted, Turn
from tests.archive import archive
from tests.fakes import FakeLLM, manner
from tests.statements_files import MARROWBY_2023
from ui import texts_for
from ui.conversation import Exchange
from ui.render import exchange

FAITHFUL = "The tenant may end this lease by giving 60 days of written notice."
NOTICE = "How may the tenant end the lease of Harbour Lane?"
HALF = "How many days of notice must the tenant give, and which goalkeeper saved the decisive shot?"
MILL = "# Lease of Mill Street 9\n\n## Deposit\n\nThe deposit is 800 euros.\n"


@dataclass(frozen=True)
class Case:
    """A question, how its answer is come by, and words that the answer must show in every way out."""

    question: str
    manner: str
    words: str
    draft: str = ""


CASES: Mapping[str, Case] = {
    "quoted": Case(NOTICE, "quoted", "60 days"),
    "written": Case(NOTICE, "written", "60 days", FAITHFUL),
    "computed": Case("By how much did Marrowby Foods' net income grow in FY2023?", "computed", "105,000"),
    "a ratio": Case("What was the current ratio of Marrowby Foods for FY2023?", "computed", "1.25"),
    "worked out from the question": Case(
        "What is the simple interest on 1,000 euros at 5% for 2 years?", "computed", "100"
    ),
    "listed": Case("List all clauses on notice", "quoted", "Notice by electronic mail"),
    "counted": Case("How many documents mention the committee?", "quoted", "8 of"),
    "compared": Case(
        "Compare the deposit in the Harbour Lane lease and the Mill Street lease", "quoted", "800"
    ),
    "refused": Case("Which goalkeeper saved the decisive shot?", "absent", "goalkeeper"),
    "refused in Chinese": Case("谁赢得了世界杯？", "absent", "文件"),
    "refused as of another year": Case("What was Marrowby Foods' net income in FY2019?", "absent", "2019"),
    "in parts": Case(HALF, "quoted", "goalkeeper"),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    more = {"contracts/lease-mill.md": MILL, "marrowby-2023.md": MARROWBY_2023}
    with archive(tmp_path_factory.mktemp("archive"), **more) as opened:
        yield opened


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def answer(index: Index, case: Case) -> Answer:
    return assistant(index, case).ask(case.question)


def assistant(index: Index, case: Case) -> Assistant:
    return Assistant(index, FakeLLM(case.draft) if case.draft else None)


def ask(monkeypatch: pytest.MonkeyPatch, index: Index, case: Case, *options: str) -> tuple[str, int]:
    """What `citewise ask` prints on standard output, and its exit code."""
    made = assistant(index, case)
    monkeypatch.setattr(made, "close", lambda: None)  # the index serves the next case, too
    monkeypatch.setattr("rag.assistant.build_assistant", lambda config, **_: made)
    done = CliRunner().invoke(app, ["ask", case.question, *options])
    assert "should not have happened" not in done.stderr
    return done.stdout, done.exit_code


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_question_gives_an_answer_of_its_kind(answer: Answer, case: Case) -> None:
    assert manner(answer) == case.manner
    assert case.words in " ".join((answer.text, answer.reason, *answer.cautions))


def test_text_shows_the_answer_and_says_refusals_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, index: Index, case: Case
) -> None:
    text, code = ask(monkeypatch, index, case)
    assert case.words in text
    assert code == (10 if case.manner == "absent" else 0)


def test_json_holds_every_field_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, index: Index, case: Case, answer: Answer
) -> None:
    text, code = ask(monkeypatch, index, case, "--json")
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == (0 if read["verdict"] == "answered" else 10)
    assert (read["line"], read["verdict"]) == (answer.line, answer.verdict.value)
    assert (read["text"], read["reason"]) == (answer.text, answer.reason)
    assert [c["number"] for c in read["quotes"]] == [c.number for c in answer.quotes]
    assert [(c["number"], c["start"], c["quote"]) for c in read["citations"]] == [
        (c.number, c.start, c.quote) for c in answer.citations
    ]
    assert [c["result"]["value"] for c in read["working"]] == [
        pytest.approx(float(c.result.value)) for c in answer.working
    ]
    assert [p["answered"] for p in read["parts"]] == [p.answered for p in answer.parts]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx"])
def test_batch_writes_the_answer(
    tmp_path: Path, index: Index, case: Case, answer: Answer, suffix: str
) -> None:
    questions, output = tmp_path / "questions.txt", tmp_path / f"answers{suffix}"
    questions.write_text(case.question, "utf-8")
    report = run_batch(assistant(index, case), questions, output)
    (row,) = rows(output)
    assert (report.rows, report.failed) == (1, 0)
    assert not row["error"]
    assert (row["line"], row["verdict"]) == (answer.line, answer.verdict.value)
    assert float(row["confidence"]) == answer.confidence
    assert row["answer"].startswith(answer.text) and all(c in row["answer"] for c in answer.cautions)
    for citation in answer.quotes:
        assert squeezed(citation.quote) in squeezed(str(row["citations"]).replace("\\n", " "))


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    head, *values = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in values]


def test_stream_ends_with_the_answer_and_shows_its_evidence_first(
    index: Index, case: Case, answer: Answer
) -> None:
    events = list(assistant(index, case).stream(case.question))
    assert isinstance(events[0], StageStarted)
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(e, Finished) for e in events) == 1
    (found,) = [e for e in events if isinstance(e, EvidenceFound)]
    assert (events[-1].answer.text, found.evidence) == (answer.text, events[-1].answer.evidence)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_renders_the_answer_as_whole_elements(case: Case, answer: Answer, language: str) -> None:
    page = _Elements()
    page.feed(str(exchange(Exchange(1, "docs", case.question, answer=answer), texts_for(language))))
    assert page.open == []
    assert squeezed(case.words) in squeezed(page.text)


def test_follow_up_shows_on_the_page_and_in_json_what_it_was_searched_with(index: Index) -> None:
    first = Assistant(index).ask(NOTICE)
    *_, last = Assistant(index).stream("And the deposit?", history=[Turn(NOTICE, first.text)])
    assert isinstance(last, Finished) and last.answer.searched
    page = _Elements()
    page.feed(str(exchange(Exchange(2, "docs", "And the deposit?", answer=last.answer), texts_for("en"))))
    assert page.open == [] and last.answer.searched in page.text
    assert json.loads(to_json(last.answer))["searched"] == last.answer.searched


class _Elements(HTMLParser):
    """The visible text of a piece of HTML, and the elements that were not closed."""

    _EMPTY = frozenset({"br", "hr", "img", "input", "path", "circle", "rect", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open += [tag] if tag not in self._EMPTY else []

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += re.sub(r"\s+", " ", data)
