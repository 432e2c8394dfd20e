"""Work on files in processes of their own: each job has a time limit, each worker a memory limit, and a bad
job is a value.

A worker never imports the caller's `__main__`: a script without the usual guard would otherwise start itself
again in every worker, and one that imports torch would pay for it each time."""

from __future__ import annotations

import ctypes
import math
import multiprocessing.popen_spawn_posix as popen_spawn
import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from pickle import PicklingError
from typing import Any, TypeVar

from rag.errors import CitewiseError, ParseError
from rag.parsers.base import Limits

T = TypeVar("T")
R = TypeVar("R")

_LAUNCH = threading.Lock()
_WORKER_NICE = 5  # the process that answers questions goes first
_BEAT = 0.1  # seconds between looks at `stop` and at the pool's health
_MOST_UNBORN = (
    2  # so many workers in a row die as they start, for each there is to be, before all is given up
)


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


def _serve(
    jobs: Connection,
    answers: Connection,
    function: Callable[[T], R],
    memory_mb: int,
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
) -> None:
    """The life of a worker: it says that it is there, and answers each job with its result or its error; what
    fails at the start fails each job."""
    failed = _start_worker(memory_mb, initializer, initargs)
    with suppress(EOFError, OSError):  # nobody asks any more
        answers.send(None)
        while True:
            job = jobs.recv()
            try:
                if failed is not None:
                    raise failed
                answer: tuple[R | None, BaseException | None] = (function(job), None)
            except BaseException as error:
                answer = (None, error)
            Watch.beat(0)
            try:
                answers.send(answer)
            except (AttributeError, TypeError, PicklingError) as error:
                answers.send((None, ParseError(f"its result cannot be sent: {error}.", "unreadable")))


def _start_worker(
    memory_mb: int, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]
) -> Exception | None:
    """Sets the limits of this process; how the initializer failed, if it did."""
    failed = None
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
        failed = error
    with suppress(OSError, ValueError):
        # The address space may grow by so much over what the idle worker maps.
        mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (min(limit, hard) if hard >= 0 else limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return failed


class Worker:
    """A worker process; `job` is what it has in hand, a tuple of one, and `until` when its time is over."""

    def __init__(self, *of: Any) -> None:
        context = _WorkerContext()
        theirs, self._jobs = context.Pipe(duplex=False)  # pipes, no sockets
        self.connection, answers = context.Pipe(duplex=False)
        self.process = context.Process(target=_serve, args=(theirs, answers, *of), daemon=True)
        self.process.start()
        theirs.close()
        answers.close()
        self.ready, self.job, self.until = False, tuple[Any, ...](), math.inf

    def take(self, job: object, seconds: float) -> bool:
        """Whether it took the job; one that is dead does not."""
        try:
            self._jobs.send(job)
        except OSError:
            return False
        self.job, self.until = (job,), time.monotonic() + seconds
        return True

    def answer(self) -> tuple[Any, BaseException | None]:
        """What it says, or how it came to an end: a TimeoutError, or `_Died`."""
        if not self.connection.poll():
            return None, TimeoutError()
        try:
            answer = self.connection.recv() or (None, None)
        except (EOFError, OSError):
            self.process.join(_BEAT)  # what it died of
            self.end()
            return None, _Died(self.process.exitcode)
        except Exception as error:  # it cannot be unpickled here
            answer = (None, error)
        self.ready, self.job, self.until = True, (), math.inf
        return answer

    def run(self, job: object, seconds: float) -> Any:
        """The result of one job. Raises what the job raises, and TimeoutError or `_Died`, after which the
        worker takes no more."""
        while not self.ready or self.job or self.take(job, seconds):
            if not self.connection.poll(seconds):
                self.end()
                raise TimeoutError(f"not done within {seconds:g} seconds")
            taken = bool(self.job)
            result, error = self.answer()
            if error is not None:
                raise error
            if taken:
                return result
        raise _Died(self.process.exitcode)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()
        self._jobs.close()


class _Died(Exception):
    """A worker process ended; its exit code."""


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
    count = workers if workers > 0 else len(os.sched_getaffinity(0))
    source, team, unborn = iter(jobs), list[Worker](), 0
    waiting = list(islice(source, 1))
    try:
        while (waiting or any(one.job for one in team)) and not (stop is not None and stop.is_set()):
            missing = count - len(team) if waiting else 0
            team += [Worker(function, limits.memory_mb, initializer, initargs) for _ in range(missing)]
            for worker in [one for one in team if one.ready and not one.job]:
                if waiting and worker.take(waiting[0], limits.seconds):
                    waiting = [*waiting[1:], *islice(source, 1 - len(waiting[1:]))]
                elif waiting:  # it died meanwhile
                    worker.end()
                    team.remove(worker)
            heard = wait([one.connection for one in team if one.job or not one.ready], timeout=_BEAT)
            for worker in [one for one in team if one.connection in heard or one.until < time.monotonic()]:
                job, ready = worker.job, worker.ready
                result, error = worker.answer()
                if isinstance(error, TimeoutError | _Died):
                    worker.end()
                    team.remove(worker)
                unborn = 0 if ready or not isinstance(error, _Died) else unborn + 1
                for one in job:
                    yield one, result if error is None else _failure(error, limits)
            if unborn > _MOST_UNBORN * count:
                died = ParseError("not read: the worker processes do not start. Try again.", "unreadable")
                yield from ((one, died) for one in chain(waiting, source))
                return
    finally:
        for worker in team:
            worker.end()


def _failure(failed: BaseException, limits: Limits) -> CitewiseError:
    match failed:
        case CitewiseError() as error:
            return error
        case TimeoutError():
            why, status = f"not read within {limits.seconds:g} seconds. Raise file_timeout", "timeout"
        case MemoryError():
            status = "too_large"
            why = f"needs more than {limits.memory_mb} MB of memory. Raise file_memory_mb"
        case _Died(args=(code,)) if code == -signal.SIGALRM:
            why = f"a page of it is not read within {limits.step_seconds:g} seconds."
            return ParseError(why, "timeout")
        case _Died(args=(code,)):
            # Native code that gets no memory aborts instead of raising, so the two cannot be distinguished
            # for certain.
            why = f"the file is damaged or needs more than {limits.memory_mb} MB"
            return ParseError(
                f"the worker process died (exit code {code}): {why}. It is tried again at the next ingest.",
                "too_large" if code in (-9, 137) else "unreadable",
            )
        case error:
            return ParseError(f"{type(error).__name__}: {error}", "corrupt")
    return ParseError(f"{why} to allow more.", status)
