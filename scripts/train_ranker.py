"""Fits rag/search/ranker.json, the order of passages that ships with the project.

    scripts/train_ranker.py INDEX=SET[*WEIGHT] ... [--write --data FILE]

SET is a folder in the shape that `citewise eval` reads, INDEX an index of its documents. The first half of
the questions of each set, by the documents that hold their evidence (`fitting.whole_half_of`),
is fitted on; everything printed was measured on the second; questions with documents on both sides are left
out. A set counts by its WEIGHT (1), however many questions it has.

What is fitted ships: take only sets whose licence allows that. FILE, JSON, says which they are: "data", a
list of {"set", "licence", "source", "part"}, and "note"; ranker.json itself is one, where the sets stay the
same.

What a question demands of documents (company, year, form, line items, statements) is not learned: sets with
such questions are small or may not be trained on. Those weights stand below, chosen by hand.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
from fitting import Example, examples, fit, hits, whole_half_of

from rag.index import open_index
from rag.measure.yardstick import load_questions
from rag.search.ranker import FEATURES, SHIPPED, Ranker

DEMANDED = {
    "name": 4.0,
    "year": 4.0,
    "form": 1.0,
    "law": 4.0,
    "article_named": 4.0,
    "lines": 1.0,
    "page_lines": 3.0,
    "role": 3.0,
}


def read(pair: str) -> tuple[str, list[Example], list[Example]]:
    """Name, first and second half of one INDEX=SET[*WEIGHT]."""
    index_path, _, rest = pair.partition("=")
    folder, _, weight = rest.partition("*")
    questions = [q for q in load_questions(Path(folder)) if whole_half_of(q)]
    with open_index(index_path) as index:
        pools = {e.id: e for e in examples(index, questions)}
    halves: dict[str, list[Example]] = {"dev": [], "test": []}
    for q in questions:
        halves[whole_half_of(q) or ""].append(pools[q.id])
    share = float(weight or 1) / max(1, len(halves["dev"]))
    dev = [dataclasses.replace(e, weight=share) for e in halves["dev"]]
    return Path(folder).name, dev, [e for e, q in _paired(halves["test"], questions) if q.answerable]


def _paired(some, questions):
    by_id = {q.id: q for q in questions}
    return [(e, by_id[e.id]) for e in some]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", nargs="+", metavar="INDEX=SET[*WEIGHT]")
    parser.add_argument("--write", action="store_true", help=f"replace {SHIPPED.name}")
    parser.add_argument("--data", type=Path, metavar="FILE", help="what is fitted on, and its licences")
    arguments = parser.parse_args()
    if arguments.write and not arguments.data:
        parser.error("--write needs --data: the file says what it was fitted on")
    known = json.loads(arguments.data.read_text("utf-8")) if arguments.data else {}
    sets = [read(pair) for pair in arguments.pairs]
    begin = Ranker(np.array([DEMANDED.get(name, 0.0) for name in FEATURES]))
    ranker = fit([e for _, dev, _ in sets for e in dev], begin, fixed=DEMANDED)
    fused = Ranker(np.array([float(name == "fused") for name in FEATURES]))
    for name, dev, test in sets:
        print(f"{name}: {len(dev)} fitted, {len(test)} held out")
        for what, order in (("fused", fused), ("ranker", ranker)):
            print(f"  {what:7}", "  ".join(f"{k} {v:.3f}" for k, v in hits(test, order).items()))
    for weight, name in sorted(zip(ranker.weights, FEATURES, strict=True), key=lambda row: -abs(row[0])):
        if weight:
            print(f"  {name}: {weight:.2f}")
    if arguments.write:
        stated = {"data": known["data"], "note": known["note"]}
        text = json.dumps(json.loads(ranker.to_json()) | stated, indent=1, ensure_ascii=False)
        SHIPPED.write_text(f"{text}\n", "utf-8")
        print(f"wrote {SHIPPED}")


if __name__ == "__main__":
    main()
