"""Work on files in processes of their own: each job has a time limit, each worker a memory limit, and a bad
job is a value.

A worker never imports the caller's `__main__`: a script without the usual guard would otherwise start itself
again in every worker, and one that imports torch would pay for it each time."""

from __future__ import annotations

import ctypes
import multiprocessing.popen_spawn_posix as popen_spawn
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import CitewiseError, ParseError
from rag.parsers.base import Limits

T = TypeVar("T")
R = TypeVar("R")

_LAUNCH = threading.Lock()
_WORKER_NICE = 5  # the process that answers questions goes first
_BEAT = 0.1  # seconds between looks at `stop` and at the pool's health
_FRESH_POOLS = 2  # a pool that breaks is replaced so often in a row before its jobs are given up


class Watch:
    """Ends a worker whose native code is stuck: `beat` gives it as many seconds until the next one (0: no
    end). SIGALRM needs no bytecode to be run. Elsewhere than in a worker nothing is watched."""

    in_worker = False

    @classmethod
    def beat(cls, seconds: float) -> None:
        if cls.in_worker:
            signal.setitimer(signal.ITIMER_REAL, seconds)


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """What is started meanwhile never sees Ctrl-C: a terminal sends SIGINT to the workers too, and one that
    still starts would die of it before it can choose to ignore it. A process inherits what is blocked."""
    resource_tracker.ensure_running()  # its own start would unblock the signal
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


class _WorkerPopen(popen_spawn.Popen):
    """Starts a worker without telling it where `__main__` is."""

    def _launch(self, process_obj: Any) -> None:
        spawn = popen_spawn.spawn  # type: ignore[attr-defined]
        with _LAUNCH, _no_interrupts():
            original = spawn.get_preparation_data
            spawn.get_preparation_data = lambda name: {
                key: value for key, value in original(name).items() if not key.startswith("init_main")
            }
            try:
                super()._launch(process_obj)  # type: ignore[misc]
            finally:
                spawn.get_preparation_data = original


class _WorkerProcess(SpawnProcess):
    _Popen = _WorkerPopen  # type: ignore[assignment]


class _WorkerContext(SpawnContext):
    Process = _WorkerProcess  # type: ignore[assignment]


def _in_worker(function: Callable[[T], R], job: T) -> R:
    """With the worker's start-up error in front: a failing initializer fails each job, not the pool."""
    if _start_error is not None:
        raise _start_error
    try:
        return function(job)
    finally:
        Watch.beat(0)


_start_error: BaseException | None = None


def _start_worker(
    memory_mb: int, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]
) -> None:
    global _start_error
    with suppress(OSError, AttributeError):
        # glibc sets aside 64 MiB of addresses per thread; counted against RLIMIT_AS that would hit on
        # machines with many cores.
        ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX
    Watch.in_worker = True
    with suppress(OSError):
        os.nice(_WORKER_NICE)
    try:
        if initializer is not None:
            initializer(*initargs)
    except Exception as error:
        _start_error = error
    with suppress(OSError, ValueError):
        # The address space may grow by so much over what the idle worker maps.
        mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (min(limit, hard) if hard >= 0 else limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_in_workers(
    function: Callable[[T], R],
    jobs: Iterable[T],
    *,
    workers: int,
    limits: Limits,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
    stop: threading.Event | None = None,
) -> Iterator[tuple[T, R | CitewiseError]]:
    """Call `function` on each job in `workers` processes (0: one per core) and yield (job, result) as they
    complete.

    A job never raises: its CitewiseError is yielded in place of a result; other exceptions ("corrupt"), a
    dead worker ("unreadable": it may have died of something else), one that ran out of memory ("too_large")
    or over `limits.seconds` ("timeout") become a ParseError. Jobs are drawn at most two per worker ahead, so
    memory does not grow with their number. Closing the iterator kills the workers, and so does `stop`, within
    a beat: what is in hand then is not yielded. `function`, `initializer`, jobs and results must be picklable
    and importable from a module other than `__main__`."""
    from pebble import ProcessPool

    count = workers if workers > 0 else len(os.sched_getaffinity(0))

    def start_pool() -> Any:
        return ProcessPool(
            max_workers=count,
            initializer=_start_worker,
            initargs=(limits.memory_mb, initializer, initargs),
            context=_WorkerContext(),
        )

    pool, broken = start_pool(), 0
    pending: dict[Future[R], T] = {}
    source, again = iter(jobs), list[T]()
    try:
        while stop is None or not stop.is_set():
            for job in [*again, *islice(source, max(0, 2 * count - len(pending) - len(again)))]:
                pending[_scheduled(pool, function, job, limits.seconds)] = job
            if not pending:
                return
            done, _ = wait(pending, timeout=_BEAT, return_when=FIRST_COMPLETED)
            ended = [future for future in done if not isinstance(future.exception(), BrokenExecutor)]
            for future in ended:
                yield pending.pop(future), _outcome(future, limits)
            broken, again = broken * (not ended), []
            if len(ended) == len(done) and pool.active:
                continue
            # Workers died before they took a job: the pool is replaced, and the jobs, which are not to blame,
            # start over.
            again, broken = list(pending.values()), broken + 1
            pending.clear()
            if broken > _FRESH_POOLS:
                error = ParseError("not read: the worker processes do not start. Try again.", "unreadable")
                yield from ((job, error) for job in again)
                again = []
            _kill(pool)
            pool = start_pool()
    finally:
        _kill(pool)


def _scheduled(pool: Any, function: Callable[[T], R], job: T, seconds: float) -> Future[R]:
    try:
        future: Future[R] = pool.schedule(_in_worker, args=[function, job], timeout=seconds)
    except RuntimeError as error:  # it broke a moment ago
        future = Future()
        future.set_exception(BrokenExecutor(str(error)))
    return future


def _kill(pool: Any) -> None:
    pool.stop()
    pool.join()


def _outcome(future: Future[Any], limits: Limits) -> Any:
    from pebble import ProcessExpired

    match future.exception():
        case None:
            return future.result()
        case CitewiseError() as error:
            return error
        case TimeoutError():
            why, status = f"not read within {limits.seconds:g} seconds. Raise file_timeout", "timeout"
        case MemoryError():
            status = "too_large"
            why = f"needs more than {limits.memory_mb} MB of memory. Raise file_memory_mb"
        case ProcessExpired() as error if error.exitcode == -signal.SIGALRM:
            why = f"a page of it is not read within {limits.step_seconds:g} seconds."
            return ParseError(why, "timeout")
        case ProcessExpired() as error:
            # Native code that gets no memory aborts instead of raising, so the two cannot be distinguished
            # for certain.
            why = f"the file is damaged or needs more than {limits.memory_mb} MB"
            return ParseError(
                f"the worker process died (exit code {error.exitcode}): {why}. It is tried again at the next "
                "ingest.",
                "too_large" if error.exitcode in (-9, 137) else "unreadable",
            )
        case error:
            return ParseError(f"{type(error).__name__}: {error}", "corrupt")
    return ParseError(f"{why} to allow more.", status)
