"""What several drafts buy, and what they cost.

    python -m benchmarks.drafts QUESTIONS --index FOLDER [--drafts 1,2,4] [--half dev] [--limit 60]

Asks the answerable questions that have accepted answers with one number of drafts after the other, and prints
a row for each number: the share of questions with a written sentence that passed verification, the share
where it holds an accepted answer, how many of the written ones do, and seconds for a whole answer (median,
and by processor time)."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.assistant import Assistant, build_assistant
from rag.config import load_config
from rag.measure.evalset import Choice, EvalQuestion, choose, load_questions
from rag.measure.metrics import contains_answer
from rag.types import Answer


@dataclass
class Row:
    """Counts and times of one number of drafts."""

    drafts: int
    asked: int = 0
    written: int = 0
    right: int = 0
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, answer: Answer, accepted: Sequence[str], wall: float, processor: float) -> None:
        said = " ".join(claim.text for claim in answer.claims if not claim.quoted)
        self.asked += 1
        self.written += bool(said)
        self.right += bool(said) and contains_answer(said, accepted)
        self.wall.append(wall)
        self.processor.append(processor)

    def __str__(self) -> str:
        return (
            f"| {self.drafts} | {self.asked} | {self.written / self.asked:.2f} "
            f"| {self.right / self.asked:.2f} | "
            f"{self.right / self.written if self.written else 0:.2f} | {statistics.median(self.wall):.2f} | "
            f"{statistics.median(self.processor):.2f} |"
        )


HEAD = (
    "| drafts | questions | written | with an accepted answer | of the written | s | processor s |\n"
    "|---|---|---|---|---|---|---|"
)


def measure(assistants: Sequence[Assistant], questions: Sequence[EvalQuestion]) -> list[Row]:
    """One row for each assistant; refusals and answers computed from cells need no draft and are left out."""
    rows = [Row(assistant.drafts) for assistant in assistants]
    for assistant, row in zip(assistants, rows, strict=True):
        for question in questions:  # not in turn: the next one would find the prompt already read
            wall, processor = time.perf_counter(), time.process_time()
            answer = assistant.ask(question.question)
            if answer.draft:
                spent = time.perf_counter() - wall, time.process_time() - processor
                row.add(answer, question.answers, *spent)
    return [row for row in rows if row.asked]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--drafts", default="1,2,4")
    parser.add_argument("--half", choices=["dev", "test"])
    parser.add_argument("--limit", type=int, default=60)
    given = parser.parse_args(arguments)
    counts = [int(n) for n in given.drafts.split(",")]
    answerable = [q for q in load_questions(given.questions) if q.answerable and q.answers]
    questions = choose(answerable, Choice(limit=given.limit, half=given.half))
    with build_assistant(load_config(index=given.index, drafts=max(counts))) as most:
        assistants = [replace_drafts(most, n) for n in counts]
        print(HEAD)
        for row in measure(assistants, questions):
            print(row)


def replace_drafts(assistant: Assistant, drafts: int) -> Assistant:
    """Another one over the same index and model."""
    return Assistant(assistant.index, assistant.llm, drafts=drafts)


if __name__ == "__main__":
    main()
