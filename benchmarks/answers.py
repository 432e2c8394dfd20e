"""Answers from 20,000 passages: Citewise, LangChain, LlamaIndex and txtai over the same passages, vectors,
GGUF and embedder, in turn at each question, in one run.

    benchmarks/setup_rival.sh                      # once
    .venv/bin/python benchmarks/answers.py         # about 10 minutes on two cores, the first time 3 more

Writes benchmarks/results/answers-<date>.json and .md. What is measured, and how, is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from answers_table import OURS, RIVALS, markdown
from processes import BenchmarkError, run
from run import machine, say

HERE = Path(__file__).resolve().parent
_LONGEST = 900.0
WARM_UP = "What is this document about?"
PARALLEL = (1, 2, 4, 8)
PACKAGES = (
    "langchain",
    "langchain-community",
    "llama-index-core",
    "llama-index-llms-llama-cpp",
    "txtai",
    "llama-cpp-python",
    "sentence-transformers",
    "faiss-cpu",
    "torch",
)


class Side:
    """A waiting process (see worker.py). Raises BenchmarkError where it does not come up; a request that
    fails is None, and what it said is kept in `errors`."""

    def __init__(self, name: str, command: Sequence[str | Path], cwd: Path) -> None:
        self.name = name
        self.errors: list[str] = []
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [str(c) for c in command],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self.ready = self._read().get("ready")
        if self.ready is None:
            raise BenchmarkError(f"{name} did not start:\n{self._last_words()}")

    def ask(self, verb: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": verb, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            self.errors.append(f"{verb}: the process has ended: {self._last_words()[-300:]}")
            return None
        said = self._read()
        if "reply" not in said:
            self.errors.append(f"{verb}: {said.get('error') or self._last_words()[-300:]}")
        return said.get("reply")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _LONGEST)[0]:
            self._process.kill()  # each later request then says that it has ended
            return {"error": f"no answer within {_LONGEST:.0f} s"}
        line = self._process.stdout.readline()
        return json.loads(line) if line else {}

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read().decode(errors="replace")[-2000:]


class Bench:
    """One comparison over the prepared passages in `data`."""

    def __init__(self, data: Path, venvs: dict[str, Path], models: dict[str, Any], stack: ExitStack) -> None:
        self.data = data
        self._venvs = venvs
        self._models = models
        self._stack = stack

    def start_ours(self, parallel: int = 1) -> Side:
        command = [sys.executable, HERE / "ours_answers.py", "serve", "--folder", self.data]
        return self._started(OURS, [*command, "--parallel", str(parallel)])

    def start_rival(self, name: str) -> Side:
        return self._started(name, self._rival(name, "serve"))

    def build(self, name: str) -> None:
        """A rival's own store, once."""
        if not (self.data / name).exists():
            say(f"{name}: storing the passages ...")
            run(self._rival(name, "build"), cwd=self.data)

    def _rival(self, name: str, verb: str) -> list[str | Path]:
        command: list[str | Path] = [self._venvs[name], HERE / f"rival_{name.lower()}.py", verb]
        command += ["--passages", self.data, "--store", self.data / name]
        return [*command, "--embedder", self._models["embedder"], "--gguf", self._models["gguf"]]

    def _started(self, name: str, command: Sequence[str | Path]) -> Side:
        side = Side(name, command, self.data)
        self._stack.callback(side.close)
        return side


def single(sides: Sequence[Side], questions: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Each question once on every side, in turn, and no question twice: nobody finds what he kept of it. The
    first question warms up, and is what peak memory is read after."""
    rows: dict[str, list[dict[str, Any]]] = {side.name: [] for side in sides}
    for number, question in enumerate(questions):
        turn = number % len(sides)
        for side in [*sides[turn:], *sides[:turn]]:
            row = side.ask("answer", question=question)
            if number and row is not None:
                rows[side.name].append(row)
            elif not number:
                rows[side.name].append({"question": question, "peak_mb": side.ask("memory")})
    return rows


def together(bench: Bench, questions: Sequence[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Batches of ours by how many are written at a time, in turn."""
    sides = {}
    for n in PARALLEL:
        try:
            sides[str(n)] = bench.start_ours(n)
        except BenchmarkError as error:
            say(f"parallel {n}: {error}")
    return _batches(sides, questions, rounds)


def _batches(
    sides: dict[str, Side], questions: Sequence[str], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for side in sides.values():
        side.ask("batch", questions=[WARM_UP])
    for number in range(rounds):
        names = list(sides)
        turn = number % max(1, len(names))
        for name in names[turn:] + names[:turn]:
            row = sides[name].ask("batch", questions=list(questions))
            if row is not None:
                rows[name].append(row | {"per_minute": 60 * row["answers"] / row["seconds"]})
    return rows


def compare(given: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    before = machine()
    venvs = {name: _python(given.rivals, name) for name in RIVALS}
    venvs = {name: path for name, path in venvs.items() if path.exists()}
    for name in sorted(set(RIVALS) - set(venvs)):
        say(f"{name} has no environment and is left out. Make it: benchmarks/setup_rival.sh {name.lower()}")
    models = run([sys.executable, HERE / "ours.py", "models"], cwd=HERE).output
    if given.rival_embedder:
        models["embedder"] = str(given.rival_embedder.resolve())
    _prepare(given)
    bench = Bench(given.data.resolve(), venvs, models, stack)
    for name in venvs:
        bench.build(name)
    ours = [sys.executable, HERE / "ours_answers.py"]
    chosen = run([*ours, "questions", "--folder", bench.data], cwd=HERE).output
    written = chosen["written"]
    alone, batched = written[: given.asked + 1], written[given.asked + 1 :][: given.batch]
    say(f"{len(written)} of {len(chosen['all'])} questions are written by the model. One by one, in turn ...")
    sides = [bench.start_ours(), *(bench.start_rival(name) for name in venvs)]
    result: dict[str, Any] = {
        "date": datetime.now().isoformat(timespec="minutes"),
        "machine": before,
        "model": sides[0].ask("model"),
        "size": given.size,
        "rival_versions": {name: _versions(path, HERE) for name, path in venvs.items()},
        "single": single(sides, alone),
        "loaded_seconds": {side.name: side.ready for side in sides},
    }
    say("Evidence ...")
    evidence = sides[0].ask("evidence", questions=chosen["all"][: given.evidence])
    result["evidence"] = [*evidence, *sides[0].ask("evidence", questions=chosen["all"][: given.evidence])]
    say(f"Batches of {len(batched)} questions ...")
    result["batch_rivals"] = _batches({s.name: s for s in sides[1:]}, batched[: given.rival_batch], 1)
    result["errors"] = {side.name: side.errors for side in sides}
    for side in sides:
        side.close()
    result["batch"] = together(bench, batched, given.rounds)
    return result


def _prepare(given: argparse.Namespace) -> None:
    """The passages, made once: kept beside the models."""
    made = given.data / "made.json"
    wanted = {"size": given.size, "real": given.real, "embedder": given.embedder}
    if not given.rebuild and made.is_file() and json.loads(made.read_text()) == wanted:
        return
    say(f"Making {given.size:,} passages (kept in {given.data}) ...")
    for name in RIVALS:
        _remove(given.data / name)
    command = [sys.executable, HERE / "ours_answers.py", "prepare", "--folder", given.data]
    command += ["--size", str(given.size), "--real", str(given.real), "--embedder", given.embedder]
    run(command, cwd=HERE)
    made.write_text(json.dumps(wanted))


def _remove(folder: Path) -> None:
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file():
            path.unlink()
    if folder.is_dir():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir()
        folder.rmdir()


def _python(rivals: Path | None, name: str) -> Path:
    folder = rivals / name.lower() if rivals else HERE / f".venv-rival-{name.lower()}"
    return folder.resolve() / "bin" / "python"


def _versions(python: Path, cwd: Path) -> dict[str, str]:
    code = (
        f"import json, importlib.metadata as m; names = {PACKAGES!r}; "
        "found = {d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}; "
        "print(json.dumps({n: found[n] for n in names if n in found}))"
    )
    versions: dict[str, str] = run([python, "-c", code], cwd=cwd).output
    return versions


def main() -> None:
    import platformdirs

    parser = argparse.ArgumentParser(
        description="Answers of Citewise and three rivals over the same passages."
    )
    parser.add_argument("--size", type=int, default=20_000, help="passages (default: 20000)")
    parser.add_argument("--real", type=int, default=1_500, help="of them embedded (default: 1500)")
    parser.add_argument("--embedder", default="embedded", help="that of the passages (default: embedded)")
    parser.add_argument(
        "--rival-embedder",
        type=Path,
        help="the folder of the same one for sentence-transformers, where needed",
    )
    parser.add_argument("--asked", type=int, default=10, help="questions asked one by one (default: 10)")
    parser.add_argument("--evidence", type=int, default=40, help="questions for evidence alone (default: 40)")
    parser.add_argument("--batch", type=int, default=16, help="questions of our batches (default: 16)")
    parser.add_argument("--rival-batch", type=int, default=6, help="questions of theirs (default: 6)")
    parser.add_argument("--rounds", type=int, default=3, help="batches of ours (default: 3)")
    parser.add_argument(
        "--rivals",
        type=Path,
        default=os.environ.get("RIVALS") and Path(os.environ["RIVALS"]),
        help="folder of the rivals' environments (default: the variable RIVALS)",
    )
    parser.add_argument(
        "--data", type=Path, default=Path(platformdirs.user_cache_dir("citewise")) / "benchmark"
    )
    parser.add_argument("--rebuild", action="store_true", help="make the passages anew")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        result = compare(given, stack)
    given.results.mkdir(parents=True, exist_ok=True)
    stem = given.results / f"answers-{result['date'].replace(':', '')}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    stem.with_suffix(".md").write_text(markdown(result), "utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
