"""`citewise models tune`: the fastest way to run a model file on this machine, measured, kept and read again.

Each try runs in a process of its own with a time limit (`python -m rag.models.tuning`): one on which
llama.cpp crashes or hangs costs that try and nothing else. What is found is one JSON file a model under
`cache_dir/tuned`, named by the SHA-256 of the model and by the machine: elsewhere, after an update of
llama.cpp or for another file it does not apply, and one of another version is as none."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter

from rag.errors import CitewiseError, ModelError
from rag.files import storage_error, write_atomically
from rag.models.generation import EngineSettings
from rag.models.registry import NO_SOURCES, Sources, quantisations, verified_sha256
from rag.types import Progress

_FORMAT = 3
_WRITTEN = 32  # tokens of answer that are measured
_LEAST_LIMIT = 60.0  # seconds that one process may take, and more where the whole run may
_SLICES = (32, 64, 128, 512)
_SLICE_SECONDS = 3.0  # answers that are being written wait for a slice: none may take longer to read
_LEAST_GAIN = 0.03
# What would not write the same token in this share of places is not taken. Made from the embedded model, Q8_0
# and flash attention have 0.96, F16 0.97 (other rounding of activations), Q4_0 0.62.
_LEAST_AGREEMENT = 0.9
_PROCESSOR = re.compile(r"^model name\s*:\s*(.*\S)", re.MULTILINE)
# The register of what is asked: law, finance and medicine, in English and Chinese. Written for this purpose.
_TEXT = (
    "The tenant may end this lease by giving sixty days of written notice. The deposit of EUR 2,900 is "
    "returned within thirty days, less the cost of repairs. Net revenue rose by 12 % to USD 418.6 million in "
    "fiscal 2023, mainly because of higher volumes in packaging. Adults take one tablet of 10 mg twice a day "
    "with food. The dose must not exceed 40 mg in any period of 24 hours. The most common side effects were "
    "headache and nausea. 承租人应当在每月五日前支付租金。逾期三十日仍未支付的，出租人可以书面通知解除合同。"
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A file, how it was run, and tokens a second: of a prompt that is read, of an answer that is written."""

    file: Path
    settings: EngineSettings
    read: float
    write: float

    @property
    def seconds(self) -> float:
        """Of one answer of the app's usual shape: a question with three sentences of evidence, two short
        instructions behind them, a few words of answer."""
        return 180 / self.read + 12 / self.write


@dataclass(frozen=True, slots=True)
class Tuned:
    """The choice for a model: `file` (itself or another quantisation) and how it is run. Seconds are those of
    one answer, by the defaults and by this choice, measured in turn; `noise` is half the interquartile range
    of their ratios."""

    file: Path
    settings: EngineSettings
    default_seconds: float
    tuned_seconds: float
    noise: float = 0.0
    file_sha256: str = ""

    @property
    def summary(self) -> str:
        """One line for people."""
        s = self.settings
        how = f"{self.file.name}, {s.threads or 'all'} threads ({s.threads_batch or 'all'} for the prompt)"
        how += f", prompt by {s.slice_tokens}" + (", flash attention" if s.flash_attention else "")
        how += ", repacked" if s.repack else ""
        return f"{how}: {self.tuned_seconds:.2f} s an answer instead of {self.default_seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class ModelTuning:
    """What a run found: the choice, all that was measured, and in `notes` what was left out and why."""

    tuned: Tuned
    measured: tuple[Trial, ...]
    notes: tuple[str, ...]


def record_path(source: Path, cache_dir: Path) -> Path:
    """The record of a model on this machine (processor, cores that this process may use, version of
    llama-cpp-python), whether it is there or not. Raises OSError."""
    sha256, cpus = verified_sha256(source, cache_dir), Path("/proc/cpuinfo")
    named = _PROCESSOR.search(cpus.read_text("utf-8", "replace") if cpus.is_file() else "")
    processor = f"{named[1] if named else os.uname().machine}, {len(os.sched_getaffinity(0))} cores"
    key = f"{sha256}\n{processor}\n{version('llama-cpp-python')}".encode()
    return cache_dir / "tuned" / f"{sha256[:12]}-{hashlib.sha256(key).hexdigest()[:16]}.json"


def find_tuned(source: Path, cache_dir: Path, *, altered: bool = False) -> Tuned | None:
    """What was found for this file on this machine; None where there is nothing that can be read or, unless
    `altered`, the chosen file is no longer the one that was measured: the model then runs as it is."""
    with contextlib.suppress(OSError, ImportError, ValueError, TypeError, KeyError, AttributeError):
        if (cache_dir / "tuned").is_dir():  # else the file need not be hashed
            values = json.loads(record_path(source, cache_dir).read_text("utf-8"))
            file, settings = Path(values.pop("file") or source), EngineSettings(**values.pop("settings"))
            found = Tuned(file, settings, **values) if values.pop("record") == _FORMAT else None
            if altered or (found and verified_sha256(file, cache_dir) == found.file_sha256):
                return found
    return None


def describe(source: Path, cache_dir: Path, *, used: bool = True) -> str:
    """One line about how this file is run here; "" where it was never tuned. `used`: the setting."""
    if source.suffix != ".gguf" or not (found := find_tuned(source, cache_dir, altered=True)):
        return ""
    if find_tuned(source, cache_dir) is None:
        return f"tuned, but {found.file} is gone or altered: it runs as it is; run citewise models tune again"
    return f"tuned: {found.summary}" + ("" if used else " (switched off: tuned_models = false)")


def keep(source: Path, tuned: Tuned, cache_dir: Path) -> None:
    """Writes down what was found for `source`, in one step. Raises StorageError."""
    chosen = "" if tuned.file == source else str(tuned.file.absolute())
    values = asdict(tuned) | {"file": chosen, "record": _FORMAT}
    write_atomically(record_path(source, cache_dir), json.dumps(values, indent=1).encode() + b"\n")


def reset(source: Path, cache_dir: Path) -> list[Path]:
    """Deletes every record of a model, whatever machine it is of, and the files that earlier versions made
    from it. Returns what was deleted. Raises StorageError."""
    gone = sorted((cache_dir / "tuned").glob(f"{verified_sha256(source, cache_dir)[:12]}-*"))
    for path in gone:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(path, error) from error
    return gone


def tune_model(
    source: Path,
    cache_dir: Path,
    *,
    models: Sources = NO_SOURCES,
    seconds: float = 180.0,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ModelTuning:
    """Finds the fastest way to run a GGUF file on this machine, in about `seconds`, and keeps nothing: the
    best of its `quantisations`, of the numbers of threads (all, one less, half, one; for the prompt and for
    the answer), with flash attention or without, repacked or not, and of the sizes of slices, one after the
    other; then against the defaults in turn, for a third of the time: what is not faster by more than the
    noise is not taken. Raises ModelError for a file that cannot be run."""
    begun, cores, load = monotonic(), len(os.sched_getaffinity(0)), os.getloadavg()[0]
    busy = f"the machine was busy (load {load:.1f} on {cores} cores): run it again when nothing else runs"
    notes = [busy] if load > 0.5 * cores else []

    def left(share: float) -> bool:
        return monotonic() - begun < seconds * share

    def timed(file: Path, settings: EngineSettings) -> tuple[Trial, list[int]]:
        progress(Progress("measure", round(monotonic() - begun), round(seconds)))
        return measured(file, settings, max(_LEAST_LIMIT, seconds))

    def best(file: Path, *settings: EngineSettings) -> Trial:
        """Of all trials, after these as far as there is time."""
        for each in settings:
            if (file, each) in trials or not left(2 / 3):
                continue
            try:
                trial, chosen = timed(file, each)
                same = sum(map(int.__eq__, words, chosen)) / max(len(words), len(chosen))
                if same < _LEAST_AGREEMENT:
                    raise ModelError(f"the same words in {same:.0%} of places only, not used")
                trials[file, each] = trial
            except ModelError as error:
                notes.append(f"{file.name}: {error}")
        return min(trials.values(), key=lambda trial: trial.seconds)

    default = EngineSettings()
    usual, words = timed(source, default)
    trials = {(source, default): usual}
    for other in quantisations(source, cache_dir, models):
        best(other, default)
    file = best(source).file
    counts = [n for n in dict.fromkeys((cores - 1, cores // 2, 1)) if 1 <= n < cores]
    best(file, *(replace(default, threads=n, threads_batch=n) for n in counts))
    alike = [trial for trial in trials.values() if trial.file == file]
    write, read = max(alike, key=lambda t: t.write).settings, max(alike, key=lambda t: t.read).settings
    found = best(file, replace(default, threads=write.threads, threads_batch=read.threads_batch))
    found = best(file, replace(found.settings, flash_attention=True))
    found = best(file, replace(found.settings, repack=True))
    sizes = [n for n in _SLICES if n <= _SLICE_SECONDS * found.read]
    found = best(file, *(replace(found.settings, slice_tokens=n) for n in sizes))
    if not left(2 / 3):
        notes.append("the time was up before all was tried; give it more with --minutes")
    pairs: list[list[float]] = []
    while found != usual and (len(pairs) < 3 or (len(pairs) < 9 and left(1))):
        pairs.append([timed(t.file, t.settings)[0].seconds for t in (usual, found)])
    low, ratio, high = quantiles([after / before for before, after in pairs] or [1.0, 1.0], n=4)
    before, noise = median([before for before, _ in pairs] or [usual.seconds]), (high - low) / 2
    if ratio >= 1 - max(_LEAST_GAIN, noise):
        found, ratio = usual, 1.0
    sha256 = verified_sha256(found.file, cache_dir)
    tuned = Tuned(found.file, found.settings, before, before * ratio, noise, sha256)
    return ModelTuning(tuned, tuple(trials.values()), tuple(notes))


def measured(file: Path, settings: EngineSettings, limit: float) -> tuple[Trial, list[int]]:
    """A trial, and the likeliest token after each of the built-in text; by a process of its own. Raises
    ModelError where that refuses, crashes or takes longer than `limit` seconds."""
    command = [sys.executable, "-m", __name__, str(file), json.dumps(asdict(settings))]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limit)
        reply = json.loads(done.stdout.rpartition(b"\n")[2])  # a library may have printed
    except subprocess.TimeoutExpired:
        raise ModelError(f"given up after {limit:.0f} s; give it more with --minutes") from None
    except ValueError:
        raise ModelError(f"llama.cpp crashed with it (exit code {done.returncode})") from None
    if isinstance(reply, str):
        raise ModelError(reply)
    return Trial(file, settings, reply[0], reply[1]), reply[2]


def _measure(file: Path, settings: EngineSettings) -> tuple[float, float, list[int]]:
    """Tokens a second of reading and writing, and which token the model would put at each place of the
    built-in text. That is read twice: the first time warms up."""
    from rag.models.native import Context, Model

    model, size = Model(file, repack=settings.repack), settings.slice_tokens
    context = Context(model, sequences=1, context_tokens=1024, settings=settings)
    text = model.tokenize(_TEXT, special=False)

    def step(tokens: Sequence[int], at: int, wanted: Sequence[int]) -> list[int]:
        context.evaluate(tokens, range(at, at + len(tokens)), [0] * len(tokens), wanted=wanted)
        return [int(context.logits(row).argmax()) for row in wanted]

    slices = [(at, text[at : at + size]) for at in range(0, len(text), size)]
    chosen = [token for at, part in slices for token in step(part, at, range(len(part)))]
    begun = perf_counter()
    for at, part in slices:
        step(part, len(text) + at, [len(part) - 1] if at + size >= len(text) else [])
    between = perf_counter()
    for at in range(_WRITTEN):
        step(chosen[at : at + 1], 2 * len(text) + at, [0])
    return len(text) / (between - begun), _WRITTEN / (perf_counter() - between), chosen


if __name__ == "__main__":  # FILE SETTINGS: one measurement; settings and reply are JSON
    try:
        found = json.dumps(_measure(Path(sys.argv[1]), EngineSettings(**json.loads(sys.argv[2]))))
    except CitewiseError as failure:
        found = json.dumps(str(failure))
    sys.stdout.write("\n" + found)
