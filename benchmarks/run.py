"""Citewise and the usual LangChain pipeline on the same PDFs, same models, same machine, same run.

    .venv/bin/python benchmarks/run.py FOLDER_OF_PDFS [--pages 600] [--questions questions.jsonl]

Writes benchmarks/results/<date>.json and .md. What is measured, and how, is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent))
from corpus import choose, place, questions
from processes import Run, run
from table import markdown

HERE = Path(__file__).resolve().parent
_RIVALS = os.environ.get("RIVALS", "")
RIVAL_PYTHON = (
    Path(_RIVALS).resolve() / "langchain" if _RIVALS else HERE / ".venv-rival-langchain"
) / "bin/python"
REFUSED = 10
RIVAL_PACKAGES = (
    "langchain",
    "langchain-community",
    "sentence-transformers",
    "faiss-cpu",
    "pypdf",
    "llama-cpp-python",
    "torch",
)


class Bench:
    """One comparison in a scratch folder. Each step runs in a process of its own."""

    def __init__(self, scratch: Path, models: dict[str, Any]) -> None:
        self.scratch = scratch
        self.models = models
        self.ours: dict[str, Any] = {}
        self.rival: dict[str, Any] = {}

    def run_ours(self, *arguments: str | Path, tree: bool = False) -> Run:
        return run([sys.executable, HERE / "ours.py", *arguments], cwd=self.scratch, tree=tree)

    def run_rival(self, verb: str, *arguments: str | Path, tree: bool = False) -> Run:
        models = ("--embedder", self.models["embedder"], "--gguf", self.models["gguf"])
        return run(
            [RIVAL_PYTHON, HERE / "rival_langchain.py", verb, *models, *arguments],
            cwd=self.scratch,
            tree=tree,
        )

    def ingest(self, name: str, corpus: Path) -> None:
        """Both sides; `name` is "" for the whole corpus, "small_" for the quarter of it."""
        for side, execute in ((self.ours, self.run_ours), (self.rival, self.run_rival)):
            index = self.scratch / f"{name}{'ours' if side is self.ours else 'rival'}"
            done = execute("ingest", "--corpus", corpus, "--index", index, tree=True)
            side[f"{name}ingest"] = done.output
            side[f"{name}ingest_wall"] = _cost(done)

    def search(self, question: str, times: int) -> None:
        """Fresh processes, in turn, so that whatever else the machine does meets both."""
        self.ours["search_seconds"], self.rival["search_seconds"] = [], []
        for _ in range(times + 1):
            mine = run(self._citewise("search", question, "--json"), cwd=self.scratch)
            theirs = self.run_rival("search", "--index", self.scratch / "rival", "--question", question)
            self.ours["search_seconds"].append(mine.seconds)
            self.rival["search_seconds"].append(theirs.seconds)
        for side in (self.ours, self.rival):
            side["search_seconds"] = side["search_seconds"][1:]  # the first only fills the page cache

    def ask(self, question: str) -> None:
        mine = run(self._citewise("ask", question, "--json"), cwd=self.scratch, allowed=(0, REFUSED))
        theirs = self.run_rival("ask", "--index", self.scratch / "rival", "--question", question)
        self.ours["ask"], self.rival["ask"] = _cost(mine), _cost(theirs)

    def questions(self, asked: list[str]) -> None:
        file = self.scratch / "questions.json"
        file.write_text(json.dumps(asked))
        for side, execute, name in (
            (self.ours, self.run_ours, "ours"),
            (self.rival, self.run_rival, "rival"),
        ):
            done = execute("questions", "--index", self.scratch / name, "--questions", file)
            side["questions"] = done.output
            side["questions_wall"] = _cost(done)

    def large(self, pages: int) -> None:
        """The latency of evidence on an index of `pages` pages, made of synthetic variations where the
        corpus is smaller."""
        index, file = self.scratch / "ours", self.scratch / "questions.json"
        if pages > self.ours["ingest"]["pages"]:
            self.run_ours(
                "enlarge", "--index", index, "--into", self.scratch / "large", "--pages", str(pages)
            )
            index = self.scratch / "large"
        self.ours["large"] = self.run_ours("evidence", "--index", index, "--questions", file).output

    def _citewise(self, *arguments: str) -> list[str | Path]:
        script = Path(sys.executable).parent / "citewise"
        command: list[str | Path] = [script] if script.exists() else [sys.executable, "-m", "rag.cli"]
        return [*command, *arguments, "--index", self.scratch / "ours"]


def _cost(done: Run) -> dict[str, float]:
    cost = asdict(done)
    return {name: cost[name] for name in ("seconds", "peak_mb", "tree_mb")}


def machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else "unknown processor",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": psutil.virtual_memory().total / 2**30,
        "load_before": os.getloadavg()[0],
        "python": sys.version.split()[0],
        "citewise": version("citewise"),
    }


def rival_versions(scratch: Path) -> dict[str, str]:
    code = (
        "import json, importlib.metadata as m; "
        f"print(json.dumps({{p: m.version(p) for p in {RIVAL_PACKAGES!r}}}))"
    )
    versions: dict[str, str] = run([RIVAL_PYTHON, "-c", code], cwd=scratch).output
    return versions


def compare(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    chosen = choose(given.folder, given.pages)
    quarter = choose(given.folder, max(1, sum(chosen.values()) // 4))
    place(chosen, scratch / "corpus")
    place(quarter, scratch / "quarter")
    before = machine()
    models = run([sys.executable, HERE / "ours.py", "models"], cwd=scratch).output
    bench = Bench(scratch, models)
    say(f"{len(chosen)} PDFs, {sum(chosen.values())} pages. Ingest of a quarter, both sides ...")
    bench.ingest("small_", scratch / "quarter")
    say("Ingest of the whole, both sides ...")
    bench.ingest("", scratch / "corpus")
    asked = questions(given.questions, chosen, bench.ours["ingest"].pop("headings"), given.asked)
    say(f"{len(asked)} questions, both sides ...")
    bench.questions(asked)
    say("Fresh processes ...")
    bench.search(asked[0], given.repeats)
    bench.ask(asked[0])
    say(f"Evidence at {given.large_pages} pages ...")
    bench.large(given.large_pages)
    return {
        "date": datetime.now().isoformat(timespec="minutes"),
        "machine": before,
        "rival_versions": rival_versions(scratch),
        "corpus": {"files": len(chosen), "pages": sum(chosen.values()), "questions": len(asked)},
        "citewise": bench.ours,
        "langchain": bench.rival,
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Citewise against the usual LangChain pipeline.")
    parser.add_argument("folder", type=Path, help="a folder of PDFs")
    parser.add_argument("--pages", type=int, default=600, help="how much of the folder (default: 600 pages)")
    parser.add_argument(
        "--questions", type=Path, help="JSON lines with `question` (and `evidence`); default: about headings"
    )
    parser.add_argument("--asked", type=int, default=10, help="how many questions (default: 10)")
    parser.add_argument("--repeats", type=int, default=5, help="fresh processes per side (default: 5)")
    parser.add_argument(
        "--large-pages", type=int, default=10_000, help="size of the latency test (default: 10000)"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results")
    given = parser.parse_args()
    if not RIVAL_PYTHON.exists():
        raise SystemExit(
            "The rival's environment is missing. Make it once with: benchmarks/setup_rival.sh langchain"
        )
    given.folder = given.folder.resolve()
    with tempfile.TemporaryDirectory(prefix="citewise-benchmark-") as scratch:
        result = compare(given, Path(scratch))
    given.results.mkdir(parents=True, exist_ok=True)
    stem = given.results / result["date"].replace(":", "")
    stem.with_suffix(".json").write_text(
        json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    stem.with_suffix(".md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))


if __name__ == "__main__":
    main()
