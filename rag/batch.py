"""A file of questions in, a file of answers out; can be killed at any point and run again to go on.

The input's columns are kept and these added: `line`, `verdict` (answered, nearby, absent), `confidence`
(0..1), `answer` (all that is displayed, cautions last), `citations` (what the line rests on), `error`. In
jsonl, citations are objects with document, page, quote and offsets; in csv and xlsx one line of text each.
A docx has a section for each question instead."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answers.line import answering, row_line
from rag.batch_tables import (
    INPUTS,
    OUTPUTS,
    Answered,
    BatchRow,
    BatchTable,
    Quoted,
    read_table,
    write_document,
    write_table,
)
from rag.errors import CitewiseError, GenerationError, InputError
from rag.files import Journal
from rag.search.explain import standing
from rag.types import Answer, Outcome, Pace, Progress

if TYPE_CHECKING:
    from rag.assistant import Assistant

_Result = dict[str, Any]
ADDED = ("line", "verdict", "confidence", "standing", "answer", "citations", "error")
_QUESTION_NAMES = ("question", "questions", "query", "q", "问题", "提问", "题目", "問題")
_CITED = ("number", "document", "page", "location", "start", "end", "quote", "leads", "words", "row")


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a run did: rows by verdict, and those that failed. `resumed` rows were answered by a run before;
    with `stopped` the output is not written yet."""

    rows: int
    answered: int
    nearby: int
    absent: int
    failed: int
    resumed: int
    seconds: float
    output: str
    stopped: bool = False


def check_paths(questions: Path, output: Path) -> None:
    """Raises InputError where the files cannot be what they should be; reads nothing but their
    names."""
    if output.suffix.lower() not in OUTPUTS:
        raise InputError(f"{output} is not a kind of answer file. End its name in {', '.join(OUTPUTS)}.")
    if output.is_dir():
        raise InputError(f"{output} is a folder. Name a file in it.")
    if not questions.is_file():
        raise InputError(f"{questions} is not a file. Give one that ends in {', '.join(INPUTS)}.")
    if questions.resolve() == output.resolve():
        raise InputError(f"{output} is the file with the questions. Give the answers another name.")


def run_batch(
    assistant: Assistant,
    questions: Path,
    output: Path,
    *,
    question_column: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    parallel: int = 1,
) -> BatchReport:
    """Ask every row's question and write `output`, atomically, when all are answered.

    `parallel` questions are asked at a time; the answers are the same, in the order of the rows. A row that
    cannot be read or answered becomes a row with an error. `stop` ends the run after the questions in hand;
    what was answered is kept in a journal beside `output`, and the same call goes on from
    there. Raises InputError (no such column, naming those there are), StorageError, and IndexProblem or
    ModelError where no row can be answered."""
    check_paths(questions, output)
    table = read_table(questions)
    column = _question_column(table, question_column, questions)
    with Journal(output.with_name(f".{output.name[:200]}.journal"), setup=_setup(assistant)) as journal:
        run = _Run(assistant, journal, table.rows, column, stop or threading.Event())
        stopped = run.ask_all(max(1, parallel), Pace(progress))
        if not stopped:
            _write(output, table, column, run.results)
            journal.remove()
    verdicts = Counter(r["verdict"] for r in run.results.values())
    return BatchReport(
        rows=len(table.rows),
        answered=verdicts[Outcome.ANSWERED],
        nearby=verdicts[Outcome.NEARBY],
        absent=verdicts[Outcome.ABSENT],
        failed=verdicts[""],
        resumed=run.resumed,
        seconds=time.perf_counter() - run.begun,
        output=str(output),
        stopped=stopped,
    )


@dataclass(slots=True)
class _Run:
    """The rows of one table and their results so far, by row number."""

    assistant: Assistant
    journal: Journal
    rows: Sequence[BatchRow]
    column: str
    stop: threading.Event
    results: dict[int, _Result] = field(default_factory=dict)
    resumed: int = 0
    failed: bool = False
    begun: float = field(default_factory=time.perf_counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask_all(self, parallel: int, pace: Pace) -> bool:
        """Fill `results`; True where `stop` ended it early. An error that ends the run is raised when the
        questions in hand are answered and kept."""
        pool = ThreadPoolExecutor(parallel, thread_name_prefix="citewise-batch")
        unanswered = list(self._unanswered())
        done = len(self.results)
        pace("questions", done, len(self.rows))
        try:
            asked = [pool.submit(self._answer, *one) for one in unanswered]
            for future in as_completed(asked):
                if future.exception() is None and future.result():
                    done += 1
                    pace("questions", done, len(self.rows))
            for future in asked:
                future.result()  # raises what ended the run
        finally:  # a second Ctrl-C waits for nothing: closing the model ends what is in hand
            pool.shutdown(wait=False, cancel_futures=True)
        return len(self.results) < len(self.rows)

    def _unanswered(self) -> Iterator[tuple[int, str, str]]:
        """The rows to ask: number, hash and words of the question. The others' results are those of the run
        before, or their error."""
        for number, row in enumerate(self.rows):
            value = row.values.get(self.column)
            question = "" if value is None else str(value)
            key = hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()
            if (known := self.journal.entries.get((number, key))) is not None:
                self.resumed += 1
                self.results[number] = known
            elif row.error:
                self._keep(number, key, _failed(row.error))
            else:
                yield number, key, question

    def _answer(self, number: int, key: str, question: str) -> bool:
        """Asks and keeps a row, unless the run ended meanwhile. Raises what ends it."""
        if self.stop.is_set() or self.failed:
            return False
        try:
            self._keep(number, key, self._ask(question))
        except BaseException:
            self.failed = True
            raise
        return True

    def _keep(self, number: int, key: str, result: _Result) -> None:
        with self.lock:
            self.journal.add(number, key, result)
            self.results[number] = result

    def _ask(self, question: str) -> _Result:
        try:
            return _result(self.assistant.ask(question))
        except (InputError, GenerationError) as error:  # about this question; others may do
            return _failed(str(error))
        except (CitewiseError, OSError, MemoryError):  # about the index, the model or the machine
            raise
        except Exception as error:  # a fault of ours must not hold up the other rows, run after run
            return _failed(f"unexpected {type(error).__name__}: {error}")


def _question_column(table: BatchTable, wanted: str | None, path: Path) -> str:
    for name in (wanted,) if wanted else _QUESTION_NAMES:
        if found := [c for c in table.columns if c.strip().lower() == name.strip().lower()]:
            return found[0]
    missing = f"no column {wanted!r}" if wanted else "no column called question"
    there = ", ".join(table.columns) or "none"
    raise InputError(
        f"{path} has {missing}. Its columns are: {there}. Name the right one with --column NAME."
    )


def _setup(assistant: Assistant) -> str:
    """What the answers depend on: answers of another index, another state of it or another model are not
    taken over."""
    index, llm = assistant.index, assistant.llm
    where = f"{index.folder.resolve()}#{index.store.generation()}" if index is not None else ""
    return f"{where} {llm.info.name} {llm.info.fingerprint}" if llm else f"{where} quotes"


def _result(answer: Answer) -> dict[str, Any]:
    return {
        "line": answer.line,
        "verdict": answer.verdict.value,
        "confidence": answer.confidence,
        "standing": standing(answer),
        "answer": "\n\n".join(filter(None, (answer.text, "\n".join(answer.cautions)))),
        "citations": [
            {name: getattr(c, name) for name in _CITED}
            | {"answers": answering(answer.line, answer.question, c.row)}
            for c in answer.quotes
        ],
        "cautions": list(answer.cautions),
        "error": "",
    }


def _write(output: Path, table: BatchTable, column: str, results: Mapping[int, _Result]) -> None:
    suffix, each = output.suffix.lower(), [(row, results[at]) for at, row in enumerate(table.rows)]
    if suffix == ".docx":
        write_document(output, [_answered(str(row.values.get(column) or ""), result) for row, result in each])
        return
    names = _added_names(table.columns)
    rows = [_merged(row, result, names, suffix != ".jsonl") for row, result in each]
    quoted = [
        replace(one, about=f"question {at}: {one.about}")
        for at, (_, result) in enumerate(each, 1)
        for one in map(_quoted, result["citations"])
        if one.row
    ]
    write_table(output, [*table.columns, *names.values()], rows, quoted)


def _answered(question: str, result: _Result) -> Answered:
    said, quotes = result["line"] or result["error"], tuple(map(_quoted, result["citations"]))
    return Answered(question, said, result["standing"], tuple(result.get("cautions", ())), quotes)


def _failed(error: str) -> dict[str, Any]:
    return dict.fromkeys(ADDED, "") | {"confidence": None, "citations": [], "error": error}


def _added_names(columns: Sequence[str]) -> dict[str, str]:
    """Our columns by what they are called in this output: a column of the input keeps its name, ours gives
    way."""
    names: dict[str, str] = {}
    for name in ADDED:
        called = name
        while called in columns or called in names.values():
            called = f"citewise_{called}"
        names[name] = called
    return names


def _merged(
    row: BatchRow, result: Mapping[str, Any], names: Mapping[str, str], as_text: bool
) -> dict[str, Any]:
    added = {called: result.get(name, "") for name, called in names.items()}
    if as_text:
        added[names["citations"]] = "\n".join(map(_citation_line, result["citations"]))
    return {**row.values, **added}


def _quoted(citation: Mapping[str, Any]) -> Quoted:
    """A citation of a result, which may come from the journal."""
    row = tuple(map(tuple, citation.get("row") or ()))
    return Quoted(_citation_line(citation), row, tuple(citation["answers"]))


def _citation_line(citation: Mapping[str, Any]) -> str:
    place = f"page {citation['page']}" if citation["page"] else citation["location"]
    where = f"{citation['document']}, {place}" if place else citation["document"]
    row = row_line(citation.get("row", ()))
    said = f"“{' '.join(citation['words'].split())}”" + (f" ({row})" if row else "")
    return f"[{citation['number']}] {where}: {said}"
