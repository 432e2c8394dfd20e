"""Trains one adapter for the embedded language model from several sets of questions.

    scripts/train_adapter.py INDEX=SET[*TIMES] ... [--out adapters/embedded.gguf] [--minutes M]

INDEX is an index over SET/documents. Half of each set's questions, told apart by documents, is trained on,
the other measures (`rag.adapt`); the card beside the file says which sets made it. None is shipped so far:
docs/answers.md has the numbers.
"""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack, closing
from pathlib import Path

# Threads that wait do not spin: training shares the machine with whatever else runs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from rag.adapt.adapting import Source, adapt
from rag.adapt.train import Plan
from rag.config import load_config
from rag.index import open_index
from rag.models import find_llm
from rag.types import Progress


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", metavar="INDEX=SET[*TIMES]")
    parser.add_argument("--out", type=Path, default=Path("adapters/embedded.gguf"))
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--first-block", type=int, default=10)
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--about", default="", help="source and licence of the sets, for the card")
    given = parser.parse_args()
    config = load_config()
    plan = Plan(
        rank=given.rank,
        alpha=2.0 * given.rank,
        passes=given.passes,
        minutes=given.minutes,
        first_block=given.first_block,
        threads=given.threads,
    )
    with ExitStack() as stack:
        sources = []
        for one in given.sets:
            folder, _, rest = one.partition("=")
            name, _, times = rest.partition("*")
            index = stack.enter_context(closing(open_index(Path(folder), cache_dir=config.cache_dir)))
            sources.append(Source(Path(name), index, int(times or 6)))
        found = adapt(
            sources,
            find_llm("embedded", config.cache_dir),
            given.out,
            plan=plan,
            start=given.start,
            about={"sources": given.about} if given.about else {},
            cache_dir=config.cache_dir,
            progress=_printed(),
        )
    print(f"{found.finished}\nbefore {found.before}\nafter  {found.after}\n{found.card}")


def _printed():  # type: ignore[no-untyped-def]
    last: dict[str, int] = {}

    def show(progress: Progress) -> None:
        if progress.done - last.get(progress.stage, -100) >= 20 or progress.done == progress.total:
            last[progress.stage] = progress.done
            print(progress.stage, progress.done, progress.total, progress.current[:80], flush=True)

    return show


if __name__ == "__main__":
    main()
