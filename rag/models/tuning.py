"""`citewise models tune`: the fastest way to run a model file on this machine, measured, kept and read again.

Tried are the quantisations of the model that are at hand, numbers of threads, flash attention and slices of
the prompt, each in a process of its own with a time limit (`python -m rag.models.tuning`): one on which
llama.cpp crashes or hangs costs that try and nothing else. What is found is one JSON file a model under
`cache_dir/tuned`, named by the SHA-256 of the model and by the machine: elsewhere, after an update of
llama.cpp or for another file it does not apply, and one of another version is as none."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rag.errors import CitewiseError, ModelError
from rag.files import storage_error, write_atomically
from rag.models.fetch import verified_sha256
from rag.models.generation import EngineSettings
from rag.models.registry import NO_SOURCES, Sources, find_llm
from rag.types import Progress

_FORMAT = 2
_WRITTEN = 32  # tokens of answer that are measured
_LEAST_LIMIT = 60.0  # seconds that one process may take, and more where the whole run may
_SLICES = (16, 64, 128, 256)
_STOP_SECONDS = 0.3  # a stop is heard between slices: none may take longer to read
_LEAST_GAIN = 0.03
# What would not write the same token in this share of places is not taken. Made from the embedded model, Q8_0
# and flash attention have 0.96, F16 0.97 (other rounding of activations), Q4_0 0.62.
_LEAST_AGREEMENT = 0.9
_QUANTISATION = re.compile(r"[-._]((I?Q|TQ|MXFP)\d\w*|B?F16|F32)$", re.IGNORECASE)
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
    """A file, and how it is run."""

    file: Path
    settings: EngineSettings = field(default_factory=EngineSettings)

    def having(self, **settings: Any) -> Trial:
        return replace(self, settings=replace(self.settings, **settings))


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second: of a prompt that is read, of an answer that is written."""

    read: float
    write: float

    @property
    def seconds(self) -> float:
        """Of one answer of the app's usual shape: six sentences of evidence, one or two of answer."""
        return 210 / self.read + 60 / self.write


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
        return f"{how}: {self.tuned_seconds:.2f} s an answer instead of {self.default_seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class ModelTuning:
    """What a run found: the choice, all that was measured, and in `notes` what was left out and why."""

    tuned: Tuned
    measured: tuple[tuple[Trial, Speed], ...]
    notes: tuple[str, ...]


# ------------------------------------------------------------------ what is kept


def machine() -> str:
    """What a record holds for: processor, cores that this process may use, version of llama-cpp-python."""
    name, llama = platform.processor() or platform.machine(), ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    with contextlib.suppress(PackageNotFoundError):
        llama = version("llama-cpp-python")
    return f"{name}, {len(os.sched_getaffinity(0))} cores\n{llama}"


def record_path(source: Path, cache_dir: Path) -> Path:
    """The record of a model on this machine, whether it is there or not. Raises OSError."""
    sha256 = verified_sha256(source, cache_dir)
    key = hashlib.sha256(f"{sha256}\n{machine()}".encode()).hexdigest()
    return cache_dir / "tuned" / f"{sha256[:12]}-{key[:16]}.json"


def find_tuned(source: Path, cache_dir: Path) -> Tuned | None:
    """What was found for this file on this machine; None where there is nothing that can be read, or the
    chosen file is no longer the one that was measured: the model then runs as it is."""
    found = _record(source, cache_dir)
    with contextlib.suppress(OSError):
        if found is not None and verified_sha256(found.file, cache_dir) == found.file_sha256:
            return found
    return None


def describe(source: Path, cache_dir: Path, *, used: bool = True) -> str:
    """One line about how this file is run here; "" where it was never tuned. `used`: the setting."""
    if source.suffix != ".gguf" or (found := _record(source, cache_dir)) is None:
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


def _record(source: Path, cache_dir: Path) -> Tuned | None:
    if not (cache_dir / "tuned").is_dir():
        return None  # and the file need not be hashed
    try:
        values: dict[str, Any] = json.loads(record_path(source, cache_dir).read_text("utf-8"))
        if values.pop("record") != _FORMAT:
            return None
        values["settings"] = EngineSettings(**values["settings"])
        values["file"] = Path(values["file"]) if values["file"] else source
        return Tuned(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


# ------------------------------------------------------------------ measuring


def tune_model(
    source: Path,
    cache_dir: Path,
    *,
    models: Sources = NO_SOURCES,
    seconds: float = 180.0,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ModelTuning:
    """Finds the fastest way to run a GGUF file on this machine, in about `seconds`; `models` are the
    configured ones, among which quantisations of it are looked for, as in its folder. Keeps nothing.

    Raises ModelError for a file that cannot be run."""
    begun, limit, cores = time.monotonic(), max(_LEAST_LIMIT, seconds), len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]

    def measure(candidate: Trial) -> tuple[Speed, list[int]]:
        progress(Progress("measure", round(time.monotonic() - begun), round(seconds)))
        reply = _ask({"file": str(candidate.file), "settings": asdict(candidate.settings)}, limit)
        return Speed(reply["read"], reply["write"]), reply["choices"]

    others = quantisations(source, cache_dir, models)
    found = search(measure, source, others, thread_counts(cores), seconds=seconds)
    tuned = replace(found.tuned, file_sha256=verified_sha256(found.tuned.file, cache_dir))
    busy = f"the machine was busy (load {load:.1f} on {cores} cores): run it again when nothing else runs"
    return replace(found, tuned=tuned, notes=(*([busy] if load > 0.5 * cores else []), *found.notes))


def quantisations(source: Path, cache_dir: Path, models: Sources = NO_SOURCES) -> list[Path]:
    """Other files of the same model, in its folder and among the configured ones: those whose names differ
    in the quantisation alone (`model-Q4_K_M.gguf`, `model-Q8_0.gguf`)."""
    source = source.absolute()
    names = {path: path.stem for path in source.parent.glob("*.gguf")}
    for name, spec in models.items():
        with contextlib.suppress(CitewiseError):  # an embedder, not fetched, or not what is pinned
            path = find_llm(name, cache_dir, models).absolute()
            names[path] = path.stem if spec.path else Path(spec.url.partition("?")[0]).stem
    model = _QUANTISATION.sub("", names.get(source, source.stem))
    return sorted(path for path in names if path != source and _QUANTISATION.sub("", names[path]) == model)


def thread_counts(cores: int) -> list[int]:
    """Numbers of threads worth a try: all (0, the default), one less, half (the physical cores), one."""
    return [0, *sorted({n for n in (1, cores // 2, cores - 1) if 1 <= n < cores}, reverse=True)]


def search(
    measure: Callable[[Trial], tuple[Speed, list[int]]],
    source: Path,
    others: Sequence[Path],
    threads: Sequence[int],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> ModelTuning:
    """The best of the files, of the numbers of threads (for the prompt and for the answer), with flash
    attention or without, and of the sizes of slices, one after the other; then against the defaults in turn:
    what is not faster by more than the noise is not taken.

    `measure` gives the speed and the tokens chosen over a text; it raises ModelError where a candidate cannot
    be run; that of the source as it is ends the search. A third of the `seconds` is left for the end."""
    begun, default = clock(), Trial(source)
    notes: list[str] = []
    speeds: dict[Trial, Speed] = {}
    speeds[default], usual = measure(default)

    def left(share: float) -> bool:
        return clock() - begun < seconds * share

    def fastest(candidates: Sequence[Trial], cost: Callable[[Speed], float]) -> Trial:
        for candidate in candidates:
            if candidate in speeds or not left(2 / 3):
                continue
            try:
                speed, chosen = measure(candidate)
            except ModelError as error:
                notes.append(f"{candidate.file.name}: {error}")
                continue
            same = sum(map(int.__eq__, usual, chosen)) / max(len(usual), len(chosen))
            if same >= _LEAST_AGREEMENT:
                speeds[candidate] = speed
            else:
                notes.append(f"{candidate.file.name}: the same words in {same:.0%} of places only, not used")
        timed = [c for c in candidates if c in speeds]
        return min(timed, key=lambda c: cost(speeds[c]), default=candidates[0])

    best = fastest([default, *(Trial(file) for file in others)], lambda s: s.seconds)
    sizes = [n for n in _SLICES if n <= _STOP_SECONDS * speeds[best].read]
    tried = [best.having(threads=n, threads_batch=n) for n in threads]
    writing, reading = fastest(tried, lambda s: -s.write), fastest(tried, lambda s: -s.read)
    best = best.having(threads=writing.settings.threads, threads_batch=reading.settings.threads_batch)
    best = fastest([best, best.having(flash_attention=True)], lambda s: s.seconds)
    fastest([best, *(best.having(slice_tokens=n) for n in sizes)], lambda s: -s.read)
    best = min(speeds, key=lambda c: speeds[c].seconds)
    if not left(2 / 3):
        notes.append("the time was up before all was tried; give it more with --minutes")
    base, ratios = [speeds[default].seconds], [1.0, 1.0]
    if best != default:
        base, ratios = [], []
        while len(ratios) < 3 or (len(ratios) < 9 and left(1)):
            base.append(measure(default)[0].seconds)
            ratios.append(measure(best)[0].seconds / base[-1])
    low, ratio, high = quantiles(ratios, n=4)
    noise = (high - low) / 2
    if ratio >= 1 - max(_LEAST_GAIN, noise):
        best, ratio = default, 1.0
    tuned = Tuned(best.file, best.settings, median(base), median(base) * ratio, noise)
    return ModelTuning(tuned, tuple(speeds.items()), tuple(notes))


def _ask(request: Mapping[str, Any], limit: float) -> dict[str, Any]:
    """The reply of a process of its own. Raises ModelError where it refuses, crashes or takes too long."""
    command = [sys.executable, "-m", __name__, json.dumps(request)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limit)
        reply: dict[str, Any] = json.loads(done.stdout.rpartition(b"\n")[2])  # a library may have printed
    except subprocess.TimeoutExpired:
        raise ModelError(f"given up after {limit:.0f} s; give it more with --minutes") from None
    except ValueError:
        raise ModelError(f"llama.cpp crashed with it (exit code {done.returncode})") from None
    if "error" in reply:
        raise ModelError(reply["error"])
    return reply


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the built-in text twice, then writes: the first time says which token the model would put at each
    place (and warms up), the second how fast it reads."""
    from rag.models.native import Context, Model

    settings = EngineSettings(**request["settings"])
    model = Model(Path(request["file"]))
    context = Context(model, sequences=1, context_tokens=1024, settings=settings)
    text = model.tokenize(_TEXT, special=False)

    def read(tokens: Sequence[int], begin: int, first_wanted: int = 0) -> list[int]:
        """The likeliest token after each from the first one wanted."""
        chosen: list[int] = []
        for at in range(0, len(tokens), settings.slice_tokens):
            part = tokens[at : at + settings.slice_tokens]
            rows = range(max(0, first_wanted - at), len(part))
            positions = range(begin + at, begin + at + len(part))
            context.evaluate(part, positions, [0] * len(part), wanted=rows)
            chosen += [int(context.logits(row).argmax()) for row in rows]
        return chosen

    choices = read(text, 0)
    times = [time.perf_counter()]
    token = read(text, len(text), len(text) - 1)
    times.append(time.perf_counter())
    for at in range(_WRITTEN):
        token = read(token, 2 * len(text) + at)
    times.append(time.perf_counter())
    rates = {"read": len(text) / (times[1] - times[0]), "write": _WRITTEN / (times[2] - times[1])}
    return rates | {"choices": choices}


def main() -> None:
    """`python -m rag.models.tuning REQUEST`: one measurement; request and reply are JSON."""
    try:
        reply = _answer(json.loads(sys.argv[1]))
    except CitewiseError as error:
        reply = {"error": str(error)}
    sys.stdout.write("\n" + json.dumps(reply))


if __name__ == "__main__":
    main()
