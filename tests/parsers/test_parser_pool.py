"""Worker processes: limits that hold, and a bad job that stops no other."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from rag.errors import CitewiseError, ConfigError, ParseError
from rag.parsers import Limits, parse
from rag.parsers.pool import run_in_workers
from rag.types import Document
from tests.files import ROOT, pdf_bytes, write

pytestmark = pytest.mark.timeout(120)
_greeting = ""


def work(job: str) -> str:
    if job == "sleep":
        time.sleep(60)
    if job == "memory":
        return str(len(bytearray(3_000_000_000)))
    if job == "abort":
        os.abort()
    if job == "killed":
        os.kill(os.getpid(), 9)
    if job == "password":
        raise ParseError("locked", "password")
    if job == "bug":
        raise ZeroDivisionError("by zero")
    if job == "unpicklable":
        return lambda: None  # type: ignore[return-value]
    if job == "nap":
        time.sleep(0.3)
    return f"{_greeting}{job} done"


def greet(word: str) -> None:
    global _greeting
    _greeting = word


def fail_to_start() -> None:
    raise ConfigError("no tokenizer")


def read(path: Path) -> Document:
    return parse(path, path=path.name)


def outcomes(jobs: list[str], **limits: float) -> dict[str, str]:
    """Status of each job that failed, result of each that did not."""
    run = run_in_workers(work, jobs, workers=2, limits=Limits(**{"seconds": 20, "memory_mb": 512, **limits}))  # type: ignore[arg-type]
    return {
        job: getattr(result, "status", type(result).__name__) if isinstance(result, CitewiseError) else result
        for job, result in run
    }


def test_one_bad_job_stops_no_other() -> None:
    good = [f"file{n}" for n in range(6)]
    jobs = ["abort", *good[:2], "memory", "password", *good[2:4], "bug", "killed", "unpicklable", *good[4:]]
    assert outcomes(jobs) == {
        **{job: f"{job} done" for job in good},
        "abort": "unreadable",
        "memory": "too_large",
        "password": "password",
        "bug": "corrupt",
        "killed": "too_large",
        "unpicklable": "unreadable",
    }


def test_a_job_over_its_time_is_killed_and_the_others_finish() -> None:
    started = time.monotonic()
    assert outcomes(["sleep", "a", "b", "c"], seconds=1.5) == {
        "sleep": "timeout",
        "a": "a done",
        "b": "b done",
        "c": "c done",
    }
    assert time.monotonic() - started < 30


def test_the_initializer_runs_in_each_worker() -> None:
    run = run_in_workers(work, ["a"], workers=1, limits=Limits(), initializer=greet, initargs=("hello ",))
    assert list(run) == [("a", "hello a done")]


def test_a_failing_initializer_fails_each_job_with_its_own_error() -> None:
    run = run_in_workers(work, ["a", "b"], workers=2, limits=Limits(), initializer=fail_to_start)
    results = dict(run)
    assert set(results) == {"a", "b"}
    assert all(
        isinstance(result, ConfigError) and str(result) == "no tokenizer" for result in results.values()
    )


def test_jobs_are_drawn_only_a_little_ahead() -> None:
    drawn = itertools.count()

    def endless() -> Iterator[str]:
        for n in drawn:
            yield f"job{n}"

    run = run_in_workers(work, endless(), workers=2, limits=Limits())
    for _ in range(5):
        next(run)
    run.close()  # type: ignore[attr-defined]
    assert next(drawn) <= 5 + 4 + 1


def test_closing_early_kills_the_workers_at_once() -> None:
    before = set(psutil.Process().children(recursive=True))
    run = run_in_workers(work, itertools.chain(["a"], itertools.repeat("sleep")), workers=2, limits=Limits())
    assert next(run) == ("a", "a done")
    started = time.monotonic()
    run.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 10
    children = set(psutil.Process().children(recursive=True)) - before
    left = [process for process in children if "resource_tracker" not in " ".join(process.cmdline())]
    assert left == []


def test_stopping_kills_the_workers_within_a_beat() -> None:
    stop = threading.Event()
    jobs = itertools.chain(["a"], itertools.repeat("sleep"))
    run = run_in_workers(work, jobs, workers=2, limits=Limits(), stop=stop)
    assert next(run) == ("a", "a done")
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    assert list(run) == []
    assert time.monotonic() - started < 3


def test_interrupt_from_the_terminal_reaches_no_worker_even_while_it_starts() -> None:
    run = run_in_workers(work, ["nap", "nap"], workers=2, limits=Limits(), initializer=interrupt_myself)
    assert sorted(run) == [("nap", "nap done")] * 2


def interrupt_myself() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_worker_is_started_with_interrupts_blocked() -> None:
    ((_, blocked),) = run_in_workers(blocked_signals, ["a"], workers=1, limits=Limits())
    assert signal.SIGINT in blocked
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())  # and the caller is not


def blocked_signals(_: str) -> list[int]:
    return [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())]


def test_jobs_start_over_when_the_workers_died_before_they_took_them(tmp_path: Path) -> None:
    run = run_in_workers(
        work, ["a", "b"], workers=1, limits=Limits(), initializer=die_once, initargs=(tmp_path / "died",)
    )
    assert dict(run) == {"a": "a done", "b": "b done"}


def die_once(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        os._exit(1)


def test_workers_that_never_start_fail_the_jobs_and_end(tmp_path: Path) -> None:
    run = run_in_workers(
        work, ["a", "b", "c"], workers=1, limits=Limits(), initializer=os._exit, initargs=(1,)
    )
    results = dict(run)
    assert set(results) == {"a", "b", "c"}
    assert {getattr(r, "status", r) for r in results.values()} == {"unreadable"}


def test_documents_cross_from_workers_whole(tmp_path: Path) -> None:
    good = write(tmp_path, "good.pdf", pdf_bytes([["Some words."], ["Other words."]]))
    bad = write(tmp_path, "bad.pdf", b"%PDF-1.4 nothing")
    results = dict(run_in_workers(read, [good, bad], workers=2, limits=Limits()))
    assert results[good] == read(good)
    error = results[bad]
    assert isinstance(error, ParseError) and error.status == "corrupt"


def test_a_script_without_a_main_guard_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    script = write(
        tmp_path,
        "script.py",
        "print('started')\n"
        "from functools import partial\nfrom pathlib import Path\n"
        "from rag.parsers import parse, Limits\nfrom rag.parsers.pool import run_in_workers\n"
        "source = Path(__file__).with_name('a.txt')\n"
        "source.write_text('Some words.')\n"
        "job = partial(parse, path='a.txt')\n"
        "run = run_in_workers(job, [source], workers=1, limits=Limits())\n"
        "for _, document in run:\n    print(document.text)\n",
    )
    root = ROOT
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("\n") == ["started", "Some words.", ""], done.stderr


def test_a_worker_loads_no_heavy_library_to_read_a_text_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "Some words.")
    ((_, modules),) = run_in_workers(partial(loaded_after), [path], workers=1, limits=Limits())
    assert not {"torch", "numpy", "pypdfium2", "lxml", "openpyxl", "selectolax", "pypdf"} & set(modules)


def loaded_after(path: Path) -> list[str]:
    read(path)
    return [name for name in sys.modules if name in HEAVY]


HEAVY = ("torch", "numpy", "pypdfium2", "lxml", "openpyxl", "selectolax", "pypdf")
