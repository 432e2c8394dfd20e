"""`citewise models tune`: makes other formats of a model, measures them on this machine, keeps the fastest.

Every file is made and measured in a process of its own (`rag.formats`, `rag.probe`), so that a format on
which llama.cpp crashes costs that format and nothing else. Whatever ends the run, an error, Ctrl-C or a full
disk, leaves neither half-written files nor files without a record."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag import tuned
from rag.checksum import verified_sha256
from rag.errors import ModelError, StorageError
from rag.fastest import Candidate, Outcome, Search
from rag.files import storage_error
from rag.formats import FORMATS, Made, expected_bytes, source_format
from rag.probes import Probes
from rag.tuned import SOURCE, Tuned
from rag.types import Progress

# A made format may be no worse than the source by more than this: nats a token over the built-in texts, and
# the share of tokens where it would write the same. Q8_0 of the embedded model differs by -0.005 and 0.94
# (other rounding of activations), its Q4_0 by 0.22 and 0.55.
_WORST_LOSS = 0.02
_LEAST_AGREEMENT = 0.9


@dataclass(frozen=True, slots=True)
class Quality:
    """A made format against its source: nats a token that it is worse by, share of the same best tokens."""

    format: str
    loss: float
    agreement: float

    @property
    def good(self) -> bool:
        return self.loss <= _WORST_LOSS and self.agreement >= _LEAST_AGREEMENT


@dataclass(frozen=True, slots=True)
class ModelTuning:
    """What a run found. `kept` says whether it was written down; `notes` what was left out and why."""

    tuned: Tuned
    outcome: Outcome
    quality: tuple[Quality, ...]
    notes: tuple[str, ...]
    kept: bool


def tune_model(
    source: Path,
    cache_dir: Path,
    *,
    seconds: float = 180.0,
    keep: bool = True,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ModelTuning:
    """Finds the fastest way to run a GGUF file on this machine, in about `seconds`.

    With `keep` False nothing is left behind. Raises ModelError for a file that cannot be run or while another
    run is under way, StorageError where the cache cannot be written."""
    sha256 = verified_sha256(source, cache_dir)
    with _only_one(cache_dir), ExitStack() as stack:
        before = tuned.read_record(source, cache_dir)
        stem = f"{sha256[:12]}-{os.getpid()}"
        made: dict[str, Made] = {}
        stack.callback(_tidy, cache_dir, made, stem)
        probes = Probes(stack)
        probes.open(SOURCE, source)
        notes = _busy()
        _make_all(source, cache_dir, stem, probes, made, notes, progress)
        judged = tuple(_judged(probes, list(made), notes))
        good = [SOURCE, *(q.format for q in judged if q.good)]
        for other in set(made) - set(good):
            probes.close(other)
        outcome = _searched(probes, good, seconds, progress)
        result = _record(source, sha256, outcome, made, judged)
        if keep:
            result = _keep(result, before, made, cache_dir)
        return ModelTuning(result, outcome, judged, (*notes, *outcome.notes), keep)


def _searched(
    probes: Probes, formats: Sequence[str], seconds: float, progress: Callable[[Progress], None]
) -> Outcome:
    cores, physical = _cores()

    def report(stage: str, done: int, total: int) -> None:
        progress(Progress(stage, done, total))

    search = Search(
        probes.time, Candidate(SOURCE), cores=cores, physical=physical, seconds=seconds, report=report
    )
    return search.run(formats)


def _record(
    source: Path, sha256: str, outcome: Outcome, made: Mapping[str, Made], judged: Sequence[Quality]
) -> Tuned:
    chosen = outcome.chosen
    file = made.get(chosen.format)
    return Tuned(
        source=source.name,
        sha256=sha256,
        processor=tuned.processor(),
        llama=tuned.llama_version(),
        format=chosen.format,
        file=file.file if file else source,
        file_sha256=file.sha256 if file else sha256,
        settings=chosen.settings,
        default_seconds=outcome.default_seconds,
        tuned_seconds=outcome.chosen_seconds,
        noise=outcome.noise,
        agreement=next((q.agreement for q in judged if q.format == chosen.format), 1.0),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _keep(result: Tuned, before: Tuned | None, made: dict[str, Made], cache_dir: Path) -> Tuned:
    """Writes the record, then lets go of the file of the one before: a kill between the two leaves a file too
    many, which the next run or --reset removes, and never a record without its file."""
    tuned.write_record(result, cache_dir)
    made.pop(result.format, None)  # no longer ours to delete
    if before is not None and before.format != SOURCE and before.file != result.file:
        before.file.unlink(missing_ok=True)
    return result


# ------------------------------------------------------------------ making


def _make_all(
    source: Path,
    cache_dir: Path,
    stem: str,
    probes: Probes,
    made: dict[str, Made],
    notes: list[str],
    progress: Callable[[Progress], None],
) -> None:
    """Makes and opens every format that this machine has room for."""
    import psutil

    kind = int(probes.ask(SOURCE, {"do": "about"})["file_type"])
    size = source.stat().st_size
    room = 0.8 * psutil.virtual_memory().available
    for number, target in enumerate(FORMATS):
        progress(Progress("make", number, len(FORMATS), current=target))
        expected = expected_bytes(size, kind, target)
        if target == source_format(kind):
            continue
        if 1.3 * expected > room:
            notes.append(f"{target}: not made, it would take {expected / 1e9:.1f} GB of memory")
            continue
        try:
            made[target] = _made(source, target, cache_dir, stem, expected)
            probes.open(target, made[target].file)
        except (ModelError, StorageError) as error:
            notes.append(f"{target}: {error}")
            continue
        room -= 1.3 * expected


def _made(source: Path, target: str, cache_dir: Path, stem: str, expected: int) -> Made:
    """One format, by `rag.formats` in a process of its own. Raises what it raises."""
    arguments = [source, target, tuned.folder(cache_dir), stem, expected, _cores()[0]]
    command = [sys.executable, "-m", "rag.formats", *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        raise ModelError(f"llama.cpp ended while making it (exit code {done.returncode})") from None
    if "error" in reply:
        raise (StorageError if reply["storage"] else ModelError)(reply["error"])
    return Made(target, Path(reply["file"]), reply["sha256"])


def _judged(probes: Probes, formats: Sequence[str], notes: list[str]) -> Iterator[Quality]:
    """Each made format against the source, over the built-in texts."""
    true = probes.ask(SOURCE, {"do": "judge"})
    for made in formats:
        try:
            other = probes.ask(made, {"do": "judge"})
        except ModelError as error:
            notes.append(f"{made}: {error}")
            continue
        count = len(true["nll"])
        same = sum(a == b for a, b in zip(true["best"], other["best"], strict=True)) / count
        quality = Quality(made, (sum(other["nll"]) - sum(true["nll"])) / count, same)
        if not quality.good:
            notes.append(
                f"{made}: worse than the source ({quality.loss:+.3f} nats a token, {same:.0%} of the same "
                "words), not used"
            )
        yield quality


def _tidy(cache_dir: Path, made: Mapping[str, Made], stem: str) -> None:
    """Deletes what was made and not kept, whole or half."""
    for path in [*(m.file for m in made.values()), *tuned.folder(cache_dir).glob(f".making-{stem}-*")]:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_one(cache_dir: Path) -> Iterator[None]:
    """Two runs at once would measure each other. What killed runs left is removed. Raises ModelError,
    StorageError."""
    folder = tuned.folder(cache_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"{folder} is in use by another `citewise models tune`; wait for it") from None
        for path in [*tuned.partial_files(cache_dir), *_orphans(folder)]:
            path.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)


def _orphans(folder: Path) -> Iterator[Path]:
    """Made files that no record names."""
    named = set()
    for record in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            named.add(json.loads(record.read_text("utf-8")).get("file"))
    return (path for path in folder.glob("*.gguf") if path.name not in named)


def _busy() -> list[str]:
    """A note where other programs use the processor: what is fastest beside them may not be when they are
    gone."""
    load, cores = os.getloadavg()[0], _cores()[0]
    if load < 0.5 * cores:
        return []
    return [f"the machine was busy (load {load:.1f} on {cores} cores): run it again when nothing else runs"]


def _cores() -> tuple[int, int]:
    """Cores that this process may use, and physical ones among them."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores, min(cores, psutil.cpu_count(logical=False) or cores)
