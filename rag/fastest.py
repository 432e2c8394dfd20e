"""A staged search for the fastest way to run a model: formats, then threads, then flash attention, then the
size of prompt slices, then the survivors against the defaults.

A full grid would take hours. Each stage keeps the two best formats; within a stage the candidates take turns,
so that whatever else the machine does meets all of them, and medians are compared. The last stage compares
answer by answer (the ratio to the defaults measured in the same round): what is not faster by more than the
noise of those ratios is not taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from rag.errors import ModelError
from rag.generation import EngineSettings

_LEAST_GAIN = 0.03
_STOP_SECONDS = 0.3
"""Longest slice of a prompt: a stop is heard between slices."""
_SLICES = (16, 64, 128, 256)
_SHARES = {"formats": 0.3, "threads": 0.45, "attention": 0.6, "slices": 0.7, "finals": 1.0}
_FEWEST_FINALS = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """What one answer costs: tokens of the prompt, how many of its first are known from before, and tokens of
    the answer. The defaults are the app's own: six sentences of evidence, one or two sentences of answer."""

    prompt: int = 250
    prefix: int = 40
    answer: int = 60

    def scaled(self, factor: float) -> Shape:
        """A shorter answer over a shorter prompt, for models that would take too long to measure."""
        new = max(32, round((self.prompt - self.prefix) * factor))
        return Shape(self.prefix + new, self.prefix, max(8, round(self.answer * factor)))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A format of the model, and how it is run."""

    format: str
    settings: EngineSettings = field(default_factory=EngineSettings)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to read the new part of the prompt, and to write the answer."""

    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one candidate in one stage, in tokens a second and in seconds of a whole answer of the usual
    shape; `spread` is the interquartile range over the median, `runs` how often it was timed."""

    stage: str
    candidate: Candidate
    prefill_rate: float
    decode_rate: float
    seconds: float
    spread: float
    runs: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The choice, and all that was measured. `noise` is half the interquartile range of the ratios of the
    last stage; `notes` say what was left out and why."""

    chosen: Candidate
    default_seconds: float
    chosen_seconds: float
    noise: float
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


Time = Callable[[Candidate, Shape], Timing]


class Search:
    """One search. `time_one` measures a candidate once, and raises ModelError where it cannot be run;
    `default` is what runs without tuning; `seconds` is about how long it may take."""

    def __init__(
        self,
        time_one: Time,
        default: Candidate,
        *,
        cores: int,
        physical: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        report: Callable[[str, int, int], None] = lambda stage, done, total: None,
    ) -> None:
        self._time = time_one
        self._default = default
        self._threads = thread_counts(cores, physical)
        self._clock = clock
        self._begun = clock()
        self._seconds = seconds
        self._report = report
        self._shape = self._full = Shape()
        self._rows: list[Row] = []
        self._notes: list[str] = []

    def run(self, formats: Sequence[str]) -> Outcome:
        """The fastest of these formats, the default's among them. Raises ModelError where not even the
        default can be run."""
        self._fit_shape()
        default = self._default
        base = [replace(default, format=f) for f in dict.fromkeys((default.format, *formats))]
        best = self._best_formats(self._stage("formats", base, 3))
        best = self._with_threads(best)
        best = self._with_attention(best)
        best = self._with_slices(best)
        return self._decide([c for c in best if c != default])

    def _fit_shape(self) -> None:
        """The first run warms up and says how long an answer takes; about sixty such are wanted."""
        try:
            self._time(self._default, self._shape.scaled(0.2))
            begun = self._clock()
            self._time(self._default, self._shape.scaled(0.2))
        except ModelError as error:
            raise ModelError(f"the model cannot be run as it is: {error}") from error
        whole = 5 * (self._clock() - begun)
        factor = min(1.0, self._seconds / (60 * whole)) if whole > 0 else 1.0
        if factor < 1.0:
            self._shape = self._full.scaled(max(0.2, factor))
            self._notes.append(
                f"shortened runs: {self._shape.prompt} tokens of prompt and {self._shape.answer} of answer, "
                "scaled up"
            )

    # ------------------------------------------------------------------ stages

    def _best_formats(self, timed: dict[Candidate, list[Timing]]) -> list[Candidate]:
        return sorted(timed, key=lambda c: self._median(timed[c]))[:2]

    def _with_threads(self, best: list[Candidate]) -> list[Candidate]:
        """Reading and writing like different numbers of threads: each gets the one that is best for it."""
        tried = [
            replace(c, settings=replace(c.settings, threads=n, threads_batch=n))
            for c in best
            for n in reversed(self._threads)  # of equals the most, which is the default
        ]
        timed = self._stage("threads", tried, 3)
        chosen = []
        for candidate in best:
            of = {c: rows for c, rows in timed.items() if c.format == candidate.format}
            if not of:
                chosen.append(candidate)
                continue
            read = min(of, key=lambda c: median(t.prefill for t in of[c])).settings.threads_batch
            write = min(of, key=lambda c: median(t.decode for t in of[c])).settings.threads
            most = max(self._threads)
            # "All there are" is written as 0, so that the choice is the default where it is.
            settings = replace(
                candidate.settings,
                threads=0 if write == most else write,
                threads_batch=0 if read == most else read,
            )
            chosen.append(replace(candidate, settings=settings))
        return chosen

    def _with_attention(self, best: list[Candidate]) -> list[Candidate]:
        tried = [
            replace(c, settings=replace(c.settings, flash_attention=on)) for c in best for on in (False, True)
        ]
        return self._best_of(best, self._stage("attention", tried, 3), lambda t: t.prefill + t.decode)

    def _with_slices(self, best: list[Candidate]) -> list[Candidate]:
        """Slices change the reading alone, so the answer is short here; one that takes too long to be stopped
        is not tried."""
        tried = []
        for candidate in best:
            rate = max(r.prefill_rate for r in self._rows if r.candidate.format == candidate.format)
            sizes = [n for n in _SLICES if n / rate <= _STOP_SECONDS]
            tried += [
                replace(candidate, settings=replace(candidate.settings, slice_tokens=n))
                for n in (candidate.settings.slice_tokens, *sizes)
            ]
        shape = replace(self._shape, answer=1)
        return self._best_of(best, self._stage("slices", tried, 3, shape), lambda t: t.prefill)

    def _best_of(
        self,
        before: list[Candidate],
        timed: dict[Candidate, list[Timing]],
        cost: Callable[[Timing], float],
    ) -> list[Candidate]:
        """The best candidate of each format, the one from before where nothing was timed."""
        chosen = []
        for candidate in before:
            of = {c: median(map(cost, rows)) for c, rows in timed.items() if c.format == candidate.format}
            chosen.append(min(of, key=lambda c: of[c]) if of else candidate)
        return chosen

    def _decide(self, finalists: list[Candidate]) -> Outcome:
        timed = self._stage("finals", [self._default, *finalists], 9, least=_FEWEST_FINALS)
        if self._default not in timed:
            raise ModelError("the model could not be run as it is any more; run the command again")
        base = [self._whole(t) for t in timed[self._default]]
        chosen, ratio, noise = self._default, 1.0, _noise([b / median(base) for b in base])
        for candidate in finalists:
            if len(rows := timed.get(candidate, [])) < len(base):
                continue
            ratios = [self._whole(t) / b for t, b in zip(rows, base, strict=True)]
            spread = _noise(ratios)
            if median(ratios) < min(ratio, 1 - max(_LEAST_GAIN, spread)):
                chosen, ratio, noise = candidate, median(ratios), spread
        seconds = median(base)
        return Outcome(chosen, seconds, seconds * ratio, noise, tuple(self._rows), tuple(self._notes))

    # ------------------------------------------------------------------ measuring

    def _stage(
        self,
        name: str,
        candidates: Sequence[Candidate],
        rounds: int,
        shape: Shape | None = None,
        *,
        least: int = 1,
    ) -> dict[Candidate, list[Timing]]:
        """Times the candidates in turn, `rounds` times or until the stage's share of the time is used up."""
        shape = shape or self._shape
        end = self._begun + self._seconds * _SHARES[name]
        if self._clock() >= end and name not in ("formats", "finals"):
            self._notes.append(f"{name}: not tried, the time was up")
            return {}
        left = list(dict.fromkeys(candidates))
        timed: dict[Candidate, list[Timing]] = {c: [] for c in left}
        for number in range(rounds):
            if number >= least and self._clock() >= end:
                break
            turn = number % max(1, len(left))
            for candidate in left[turn:] + left[:turn]:
                self._report(name, sum(map(len, timed.values())), rounds * len(timed))
                try:
                    timed[candidate].append(self._time(candidate, shape))
                except ModelError as error:
                    self._notes.append(f"{candidate.format}: {error}")
                    del timed[candidate]
            left = [c for c in left if c in timed]
        self._rows += [self._row(name, c, rows, shape) for c, rows in timed.items()]
        return timed

    def _row(self, stage: str, candidate: Candidate, rows: list[Timing], shape: Shape) -> Row:
        prefill, decode = median(t.prefill for t in rows), median(t.decode for t in rows)
        read = shape.prompt - shape.prefix
        whole = [t.prefill + t.decode for t in rows]
        return Row(
            stage,
            candidate,
            read / prefill if prefill else 0.0,
            (shape.answer - 1) / decode if decode and shape.answer > 1 else 0.0,
            self._whole(Timing(prefill, decode)) if shape.answer > 1 else 0.0,
            2 * _noise(whole) / median(whole) if median(whole) else 0.0,
            len(rows),
        )

    def _median(self, rows: Iterable[Timing]) -> float:
        return median(self._whole(t) for t in rows)

    def _whole(self, timing: Timing) -> float:
        """Seconds of an answer of the usual shape; what was measured shorter is scaled up."""
        full, shape = self._full, self._shape
        read = (full.prompt - full.prefix) / (shape.prompt - shape.prefix)
        write = (full.answer - 1) / (shape.answer - 1)
        return timing.prefill * read + timing.decode * write


def thread_counts(cores: int, physical: int) -> tuple[int, ...]:
    """Numbers of threads worth a try: one, half, the physical cores, one less than all, all."""
    wanted = {1, cores // 2, physical, cores - 1, cores}
    return tuple(sorted(n for n in wanted if 1 <= n <= cores))


def _noise(values: Sequence[float]) -> float:
    """Half the interquartile range."""
    ordered = sorted(values)
    count = len(ordered)
    if count < 2:
        return 0.0
    return (ordered[(3 * count - 1) // 4] - ordered[count // 4]) / 2
