"""Runs ingests in child processes that die or meet a full disk; called by the tests of this folder, prints
JSON.

A child is forked from a process that has imported everything and started no thread, so a run costs
milliseconds and can be repeated at many points.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rag.index
import rag.search.retrieve
import rag.store.ingest
import rag.store.schema
import rag.store.store
from rag.errors import CitewiseError, IndexMissing
from rag.languages.text import search_tokens
from rag.store.schema import DATABASE
from rag.store.store import Store
from tests.indexing import contents, new_index, run_here

rag.store.ingest.run_in_workers = run_here
rag.store.ingest._COMMIT_PASSAGES = 5
rag.store.ingest._EMBEDDED_AT_ONCE = 5


class Steps:
    """Counts everything that a run does to its folder (SQL statements, files opened, renamed, removed) and
    kills the process at one of these steps."""

    def __init__(self, folder: Path, fatal: int = -1) -> None:
        self.count = 0
        self._fatal = fatal
        self._folder = os.fspath(folder)
        real = sqlite3.connect

        def connect(*args: Any, **options: Any) -> sqlite3.Connection:
            connection = real(*args, **options)
            connection.set_trace_callback(lambda _: self.step())
            return connection

        rag.store.schema.sqlite3.connect = connect  # type: ignore[assignment]
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove") and str(arguments[0]).startswith(self._folder):
            self.step()

    def step(self) -> None:
        self.count += 1
        if self.count == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def in_child(work: Callable[[], Any]) -> tuple[int, Any]:
    """(signal or exit status, what `work` returned) of a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writing, json.dumps(work()).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(said) if said else None


def ingest(folder: Path, documents: Path) -> None:
    with new_index(folder) as index:
        index.ingest(documents, sync=True)


def counted(folder: Path, documents: Path) -> int:
    steps = Steps(folder)
    ingest(folder, documents)
    return steps.count


def killed(folder: Path, documents: Path, fatal: int) -> None:
    Steps(folder, fatal)
    ingest(folder, documents)


def fingerprint(folder: Path) -> dict[str, str]:
    """What the index says of every document, as text that can be compared."""
    with Store.open(folder) as store:
        return {os.fsdecode(source): repr(values) for source, values in contents(store).items()}


def broken(folder: Path, whole: dict[str, str]) -> list[str]:
    """What is wrong with an index after a run that was cut short: a fault inside, or half a document."""
    try:
        store = Store.open(folder)
    except IndexMissing:
        return []
    with store:
        problems = store.problems()
        for source, values in contents(store).items():
            held = repr(values).rpartition(", b'")[0]  # vectors may still be missing
            if not whole[os.fsdecode(source)].startswith(held):
                problems.append(f"{os.fsdecode(source)} is not as in the undisturbed run")
    return problems


def finished(folder: Path, documents: Path) -> list[str]:
    """Resumes; what is wrong then. The index is opened as a user opens it."""
    with new_index(folder) as index:
        index.ingest(documents, sync=True)
        report = index.verify()
        problems = [*report.problems]
        problems += [f"left behind: {f.name}" for f in folder.glob("*.tmp")]
        if index.stats().pending:
            problems.append("vectors are missing")
        if not index.search("number", 3):
            problems.append("nothing is found")
    return problems


def kill_at_points(root: Path, documents: Path, points: int) -> dict[str, Any]:
    _, total = in_child(lambda: counted(root / "whole", documents))
    _, whole = in_child(lambda: fingerprint(root / "whole"))
    chosen = sorted(random.Random(11).sample(range(1, total), points))
    outcome: dict[str, Any] = {"total": total, "killed": 0, "wrong": {}}
    for point in chosen:
        folder = root / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        status, _ = in_child(lambda f=folder, p=point: killed(f, documents, p))
        outcome["killed"] += status == -signal.SIGKILL
        _, wrong = in_child(lambda f=folder: broken(f, whole))
        _, unfinished = in_child(lambda f=folder: finished(f, documents))
        _, held = in_child(lambda f=folder: fingerprint(f))
        if wrong != [] or unfinished != [] or held != whole:
            outcome["wrong"][point] = [wrong, unfinished, held == whole]
    return outcome


def refused(folder: Path, documents: Path, limit: int | None) -> str:
    """The error of an ingest on a disk that fills up; `limit`: bytes per file, None: the file system's
    own."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        ingest(folder, documents)
    except CitewiseError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def fill_disk(root: Path, documents: Path, limits: list[float], small: Path | None) -> dict[str, Any]:
    """At each limit (share of the size of a finished index) and, if given, in a small file system: the error,
    then what is wrong with what was left, then what is wrong after a run with room."""
    in_child(lambda: ingest(root / "whole", documents))
    _, whole = in_child(lambda: fingerprint(root / "whole"))
    size = (root / "whole" / DATABASE).stat().st_size
    cases = [(root / f"full-{share}", int(share * size)) for share in limits]
    outcome: dict[str, Any] = {"size": size}
    for folder, limit in [*cases, *([(small, None)] if small else [])]:
        _, error = in_child(lambda f=folder, n=limit: refused(f, documents, n))
        _, wrong = in_child(lambda f=folder: broken(f, whole))
        if folder == small:
            shutil.copytree(folder, root / "roomy")
            folder = root / "roomy"
        _, unfinished = in_child(lambda f=folder: finished(f, documents))
        _, held = in_child(lambda f=folder: fingerprint(f))
        outcome[folder.name] = [error, wrong, unfinished, held == whole]
    return outcome


if __name__ == "__main__":
    import faiss  # noqa: F401  (what takes seconds to load is loaded once)

    search_tokens("劳动合同")
    task, place, files, *rest = sys.argv[1:]
    if task == "kill":
        outcome = kill_at_points(Path(place), Path(files), int(rest[0]))
    else:
        shares = [float(share) for share in rest[0].split(",")]
        outcome = fill_disk(Path(place), Path(files), shares, Path(rest[1]) if rest[1:] else None)
    sys.stdout.write(json.dumps(outcome))
