"""A file of questions in, a file of answers out; can be killed at any point and run again to go on.

The input's columns are kept and these added: `line`, `verdict` (answered, nearby, absent), `confidence`
(0..1), `answer` (all that is displayed, cautions last), `citations` (what the line rests on), `error`. In
jsonl, citations are objects with document, page, quote and offsets; in csv and xlsx one line of text each."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.batch_tables import INPUTS, OUTPUTS, BatchRow, BatchTable, read_table, write_table
from rag.errors import CitewiseError, GenerationError, InputError
from rag.files import Journal
from rag.types import Answer, Outcome, Progress

if TYPE_CHECKING:
    from rag.assistant import Assistant

ADDED = ("line", "verdict", "confidence", "answer", "citations", "error")
_QUESTION_NAMES = ("question", "questions", "query", "q", "问题", "提问", "题目", "問題")
_CITED = ("number", "document", "page", "location", "start", "end", "quote", "leads", "words")


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
        run = _Run(assistant, journal, table.rows, column, max(1, parallel))
        stopped = run.ask_all(progress or (lambda _: None), stop or threading.Event())
        if not stopped:
            names = _added_names(table.columns)
            as_text = output.suffix.lower() != ".jsonl"
            rows = [_merged(row, run.results[at], names, as_text) for at, row in enumerate(table.rows)]
            write_table(output, [*table.columns, *names.values()], rows)
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


_Result = dict[str, Any]
_Place = tuple[int, str]


@dataclass(slots=True)
class _Run:
    """The rows of one table, their results so far, by row number, and the questions in hand."""

    assistant: Assistant
    journal: Journal
    rows: Sequence[BatchRow]
    column: str
    parallel: int
    results: dict[int, _Result] = field(default_factory=dict)
    pending: dict[Future[_Result], _Place] = field(default_factory=dict)
    resumed: int = 0
    begun: float = field(default_factory=time.perf_counter)

    def ask_all(self, progress: Callable[[Progress], None], stop: threading.Event) -> bool:
        """Fill `results`; True where `stop` ended it early. An error that ends the run is raised when the
        questions in hand are answered and kept."""
        pool = ThreadPoolExecutor(self.parallel, thread_name_prefix="citewise-batch")
        stopped = False
        try:
            for number, row in enumerate(self.rows):
                while len(self.pending) >= self.parallel:
                    self._collect()
                if stopped := stop.is_set():
                    break
                progress(self._progress())
                self._take(number, row, pool)
            while self.pending and not stopped:
                self._collect()
            self._collect_rest()
        except Exception:
            self._collect_rest()
            raise
        finally:  # a second Ctrl-C waits for nothing: closing the model ends what is in hand
            pool.shutdown(wait=False, cancel_futures=True)
        if not stopped:
            progress(self._progress())
        return stopped

    def _take(self, number: int, row: BatchRow, pool: ThreadPoolExecutor) -> None:
        """The row's result, from the run before or from its error, or its question on its way."""
        value = row.values.get(self.column)
        question = "" if value is None else str(value)
        key = hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()
        if (known := self.journal.entries.get((number, key))) is not None:
            self.resumed += 1
            self.results[number] = known
        elif row.error:
            self._keep((number, key), _failed(row.error))
        elif self.parallel == 1:
            self._keep((number, key), self._ask(question))
        else:
            self.pending[pool.submit(self._ask, question)] = (number, key)

    def _collect(self) -> None:
        """Keeps what is answered, waiting for the first. Raises what ends the run."""
        for future in wait(self.pending, return_when=FIRST_COMPLETED).done:
            place = self.pending.pop(future)
            self._keep(place, future.result())

    def _collect_rest(self) -> None:
        """Keeps what is still in hand, whatever else happened; where that fails, too, one error is enough."""
        while self.pending:
            future, place = self.pending.popitem()
            if future.exception() is None:
                self._keep(place, future.result())

    def _keep(self, place: _Place, result: _Result) -> None:
        self.journal.add(*place, result)
        self.results[place[0]] = result

    def _ask(self, question: str) -> _Result:
        try:
            return _result(self.assistant.ask(question))
        except (InputError, GenerationError) as error:  # about this question; others may do
            return _failed(str(error))
        except (CitewiseError, OSError, MemoryError):  # about the index, the model or the machine
            raise
        except Exception as error:  # a fault of ours must not hold up the other rows, run after run
            return _failed(f"unexpected {type(error).__name__}: {error}")

    def _progress(self) -> Progress:
        seconds = time.perf_counter() - self.begun
        done, fresh = len(self.results), len(self.results) - self.resumed
        rate = fresh / seconds if fresh and seconds else 0.0
        remaining = (len(self.rows) - done) / rate if rate else None
        return Progress("questions", done, len(self.rows), rate, remaining)


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
    if llm is None:
        return f"{where} quotes"
    return f"{where} {llm.info.name} {llm.info.fingerprint}"


def _result(answer: Answer) -> dict[str, Any]:
    return {
        "line": answer.line,
        "verdict": answer.verdict.value,
        "confidence": answer.confidence,
        "answer": "\n\n".join(filter(None, (answer.text, "\n".join(answer.cautions)))),
        "citations": [{name: getattr(c, name) for name in _CITED} for c in answer.quotes],
        "error": "",
    }


def _failed(error: str) -> dict[str, Any]:
    return {"line": "", "verdict": "", "confidence": None, "answer": "", "citations": [], "error": error}


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
    added = {names[k]: v for k, v in result.items()}
    if as_text:
        added[names["citations"]] = "\n".join(map(_citation_line, result["citations"]))
    return {**row.values, **added}


def _citation_line(citation: Mapping[str, Any]) -> str:
    place = f"page {citation['page']}" if citation["page"] else citation["location"]
    where = f"{citation['document']}, {place}" if place else citation["document"]
    return f"[{citation['number']}] {where}: “{' '.join(citation['words'].split())}”"
