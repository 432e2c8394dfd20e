"""Sixteen users ask at the same moment, each about a document of its own, over the passages of answers.py.

    .venv/bin/python benchmarks/users.py [--users 16] [--parallel 4] [--data FOLDER]

Measures when each user sees evidence, its first word and its answer; that each gets the answer it gets when
it is alone; what is said about waiting; and how soon a stop frees the place. Writes
benchmarks/results/users-<date>.json and .md."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from latency import forget
from run import machine

HERE = Path(__file__).resolve().parent


@dataclass
class Seen:
    """What one user saw, milliseconds after all asked. `ahead` are the places told while waiting; `answer`
    the verdict, text and quoted spans."""

    question: str
    evidence_ms: float = 0.0
    whole_ms: float = 0.0
    ahead: tuple[int, ...] = ()
    answer: tuple[Any, ...] = ()
    error: str = ""


def ask(assistant: Any, question: str, begun: float, stop: threading.Event | None = None) -> Seen:
    """One user's question to its end."""
    from rag.types import EvidenceFound, Finished, Queued

    seen = Seen(question)
    try:
        for event in assistant.stream(question, stop=stop):
            elapsed = 1000 * (time.perf_counter() - begun)
            if isinstance(event, EvidenceFound):
                seen.evidence_ms = elapsed
            elif isinstance(event, Queued):
                seen.ahead += (event.ahead,)
            elif isinstance(event, Finished):
                a = event.answer
                spans = tuple((c.document, c.start, c.end) for c in a.quotes)
                seen.whole_ms, seen.answer = elapsed, (str(a.verdict), a.text, spans)
    except Exception as error:  # counted, not hidden
        seen.error = f"{type(error).__name__}: {error}"
    return seen


def together(assistant: Any, questions: list[str]) -> list[Seen]:
    """All at the same moment, each in a thread of its own, as the page does it."""
    forget(assistant.index)
    gate = threading.Barrier(len(questions) + 1)
    begun = [0.0]
    found: dict[int, Seen] = {}

    def user(number: int) -> None:
        gate.wait()
        found[number] = ask(assistant, questions[number], begun[0])

    threads = [threading.Thread(target=user, args=(n,)) for n in range(len(questions))]
    for thread in threads:
        thread.start()
    begun[0] = time.perf_counter()
    gate.wait()
    for thread in threads:
        thread.join()
    return [found[n] for n in range(len(questions))]


def stopped(assistant: Any, questions: list[str]) -> float:
    """Milliseconds from the first user's stop, in the middle of its answer while others wait, to its end."""
    stop, writing, done = threading.Event(), threading.Event(), [0.0]

    def first() -> None:
        from rag.types import StageStarted

        for event in assistant.stream(questions[0], stop=stop):
            if event == StageStarted("reading"):
                writing.set()
        done[0] = time.perf_counter()
        writing.set()

    begun = time.perf_counter()
    threads = [threading.Thread(target=first)]
    threads += [threading.Thread(target=ask, args=(assistant, q, begun)) for q in questions[1:]]
    for thread in threads:
        thread.start()
    writing.wait()
    at = time.perf_counter()
    stop.set()
    for thread in threads:
        thread.join()
    return max(0.0, 1000 * (done[0] - at))


def measure(given: argparse.Namespace) -> dict[str, Any]:
    from ours_answers import questions as chosen

    from rag.assistant import build_assistant
    from rag.config import load_config

    before = machine()
    asked = chosen(given.data)["written"][: given.users]
    with build_assistant(load_config(index=given.data / "index", parallel=given.parallel)) as assistant:
        alone = [ask(assistant, question, time.perf_counter()) for question in asked]
        rounds = [together(assistant, asked) for _ in range(given.rounds)]
        ended = [stopped(assistant, asked) for _ in range(given.rounds)]
    return {
        "date": datetime.now().isoformat(timespec="minutes"),
        "machine": before,
        "parallel": given.parallel,
        "alone": [asdict(seen) for seen in alone],
        "rounds": [[asdict(seen) for seen in users] for users in rounds],
        "stop_ms": ended,
        "crossed": sum(
            seen.answer != own.answer for users in rounds for seen, own in zip(users, alone, strict=True)
        ),
    }


def markdown(result: dict[str, Any]) -> str:
    users = [seen for one in result["rounds"] for seen in one]
    last = median(max(seen["evidence_ms"] for seen in one) for one in result["rounds"])
    waited = [seen for seen in users if seen["ahead"]]
    told = sum(list(seen["ahead"]) == sorted(seen["ahead"], reverse=True) for seen in waited)
    wrong = sum(bool(seen["error"]) for seen in users)
    machine = result["machine"]
    count = len(result["alone"])
    own = median(seen["evidence_ms"] for seen in result["alone"])
    rows = [
        f"{result['date']}, {machine['processor']}, {machine['cores']} cores, load before "
        f"{machine['load_before']:.1f}; {count} users at once, {result['parallel']} answers at a time, "
        f"{len(result['rounds'])} rounds.",
        "",
        "| | value | goal | met |",
        "|---|---|---|---|",
        f"| Evidence, one user alone | {own:.0f} ms | | |",
        f"| Evidence, median user | {median(s['evidence_ms'] for s in users):.0f} ms | | |",
        f"| Evidence, last user (median of rounds) | {last:.0f} ms | ≤ 1,000 ms | {_yes(last <= 1000)} |",
        f"| Whole answer, median and last user | {median(s['whole_ms'] for s in users) / 1000:.1f} s, "
        f"{max(s['whole_ms'] for s in users) / 1000:.1f} s | | |",
        f"| Answers that differ from the user's own | {result['crossed']} of {len(users)} | 0 | "
        f"{_yes(result['crossed'] == 0)} |",
        f"| Users told their place, of them with fewer ahead each time | {len(waited)}, {told} | "
        f"all | {_yes(bool(waited) and told == len(waited))} |",
        f"| A stop while writing, to its end | {median(result['stop_ms']):.0f} ms | ≤ 300 ms | "
        f"{_yes(median(result['stop_ms']) <= 300)} |",
        f"| Errors | {wrong} | 0 | {_yes(not wrong)} |",
        "",
    ]
    return "\n".join(rows)


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def main() -> None:
    import platformdirs

    parser = argparse.ArgumentParser(description="Many users at once.")
    parser.add_argument("--users", type=int, default=16)
    parser.add_argument("--parallel", type=int, default=4, help="answers written at a time (default: 4)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--data", type=Path, default=Path(platformdirs.user_cache_dir("citewise")) / "benchmark"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    given = parser.parse_args()
    if not (given.data / "index").is_dir():
        raise SystemExit(
            "The passages are not there. Make them: .venv/bin/python benchmarks/ours_answers.py prepare "
            f"--folder {given.data}"
        )
    result = measure(given)
    given.results.mkdir(parents=True, exist_ok=True)
    stem = given.results / f"users-{result['date'].replace(':', '')}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    stem.with_suffix(".md").write_text(markdown(result), "utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
