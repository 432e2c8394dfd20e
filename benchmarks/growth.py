"""Does retrieval hold as an index grows? The sample corpora and their questions, among ever more documents
that look like theirs: copies with other names, years and amounts, each embedded like any other document.

Only what a question names tells the copies from the original. One that names nothing ("How long is the notice
period?") has as many right answers as there are copies, and one of them counts: see the questions by which a
document is named."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from enlarged import Growing
from latency import forget, percentile
from rivals import rivals

from rag.errors import ParseError
from rag.index import Index
from rag.measure import metrics
from rag.measure.evaluate import STAGE_NAMES, stages_without
from rag.measure.metrics import passage
from rag.measure.yardstick import EvalQuestion, load_questions
from rag.parsers import parse
from rag.types import Document
from rag.types.documents import several

TIMES = (0, 1, 4, 16)
PLAIN = "every stage off"
OURS = "Citewise"
_WORD = re.compile(r"[A-Za-z]+")
_YEAR = re.compile(r"(?<!\d)20[0-3]\d(?!\d)")
_DIGITS = re.compile(r"\d")
# Every name of a Chinese organisation in the samples ends in 示例, "example".
_ZH_NAME = re.compile(r"[\u4e00-\u9fff]{2}(?=示例)")
_ZH_SYLLABLES = "青白玄朱金木水火土石松柏竹梅兰菊荷桐枫桂"
_ADDRESS = re.compile(r"\S+@\S+|\w+(?:[./]\w+)+")


@dataclass(frozen=True, slots=True)
class Step:
    """One size: `copies` of every document beside it; hit@5 of all questions, and of those that name a
    document, by system; p95 in milliseconds (best of three) by system."""

    copies: int
    passages: int
    hits: dict[str, float]
    hits_naming: dict[str, float]
    p95: dict[str, float]


def samples(corpora: Path) -> tuple[list[Document], list[EvalQuestion]]:
    """All documents of the sample corpora, paths below their domain, and the questions that retrieval can be
    measured on."""
    documents, questions = [], []
    for folder in sorted(f for f in corpora.iterdir() if (f / "questions.jsonl").exists()):
        root = folder / "documents"
        for file in sorted(f for f in root.rglob("*") if f.is_file()):
            try:
                documents.append(parse(file, path=f"{folder.name}/{file.relative_to(root)}"))
            except ParseError:
                continue
        questions += [q for q in load_questions(folder) if q.located]
    return documents, questions


def names_in(
    documents: Iterable[Document], count_tokens: Callable[[Sequence[str]], list[int]]
) -> frozenset[str]:
    """Names of people, places, companies and drugs, in lower case: words that are written with a capital
    wherever they stand, addresses aside, and that the embedder's vocabulary does not know whole."""
    capital: set[str] = set()
    lower: set[str] = set()
    for document in documents:
        for word in _WORD.findall(_ADDRESS.sub(" ", document.text)):
            (lower if word[0].islower() else capital).add(word)
    found = sorted({w.lower() for w in capital if len(w) > 3 and w[1:].islower()} - lower)
    return frozenset(w for w, pieces in zip(found, count_tokens(found), strict=True) if pieces > 1)


def disguised(document: Document, copy: int, names: frozenset[str]) -> Document:
    """The same document of somebody else: names, years and amounts are others, every offset is as before."""
    change = partial(_changed, copy=copy, names=names)
    path = f"copy-{copy}/{change(document.path)}"
    tables = {
        id(table): replace(table, heads=tuple(tuple(map(change, parts)) for parts in table.heads))
        for table in document.tables
    }
    blocks = tuple(
        replace(b, table=tables.get(id(b.table)), heading_path=tuple(map(change, b.heading_path)))
        for b in document.blocks
    )
    return replace(
        document,
        path=path,
        source=f"/{path}",
        title=change(document.title),
        text=change(document.text),
        blocks=blocks,
        sha256=f"{copy:08d}{document.sha256[8:]}",
        metadata={key: tuple(map(change, several(document.metadata, key))) for key in document.metadata},
    )


def _changed(text: str, copy: int, names: frozenset[str]) -> str:
    text = _WORD.sub(lambda m: _renamed(m.group(), copy) if m.group().lower() in names else m.group(), text)
    for name in set(_ZH_NAME.findall(text)):
        other = "".join(_ZH_SYLLABLES[(ord(c) + 7 * copy) % len(_ZH_SYLLABLES)] for c in name)
        text = text.replace(name, other)
    return _renumbered(text, copy)


def _renamed(word: str, copy: int) -> str:
    """Vowels for vowels and consonants for consonants, the same for the same word whatever its case."""
    made = []
    for place, letter in enumerate(word):
        row = "aeiou" if letter.lower() in "aeiou" else "bcdfghjklmnpqrstvwxyz"
        other = row[(row.index(letter.lower()) + copy * (place + 3) + 1) % len(row)]
        made.append(other.upper() if letter.isupper() else other)
    return "".join(made)


def _renumbered(text: str, copy: int) -> str:
    """Years move by some, amounts get other digits; short numbers (clauses, days, pages) stay."""

    def year(match: re.Match[str]) -> str:
        return f"20{(int(match.group()[2:]) + 3 * copy) % 30:02d}"

    def amount(match: re.Match[str]) -> str:
        number = match.group()
        if _YEAR.fullmatch(number) or len(_DIGITS.findall(number)) < 3:
            return _YEAR.sub(year, number)
        digits = (int(d) for d in _DIGITS.findall(number))
        other = iter(str((d + copy) % 10 or 1 + copy % 9) for d in digits)
        return _DIGITS.sub(lambda _: next(other), number)

    return re.sub(r"\d+(?:[.,]\d+)*", amount, text)


def grow(index: Index, corpora: Path, times: Sequence[int] = TIMES) -> Iterator[Step]:
    """Fills an empty index with the samples, then with copies; a step at each number of copies."""
    documents, questions = samples(corpora)
    names = names_in(documents, index.embedder.count_tokens)
    copies = (disguised(d, copy, names) for copy in range(1, max(times) + 1) for d in documents)
    growing = Growing(index, iter(()), embed=True, real=1 << 60)
    forget(index)
    done = 0
    naming: list[bool] = []  # by the names of the originals
    growing.add(documents)
    for wanted in times:
        growing.add([next(copies) for _ in range((wanted - done) * len(documents))])
        done = wanted
        if not naming:
            naming = [bool(index.understand(q.question).constraints.named) for q in questions]
        yield _step(index, questions, naming, wanted)


def _step(index: Index, questions: Sequence[EvalQuestion], naming: Sequence[bool], copies: int) -> Step:
    plain = stages_without(n for n in STAGE_NAMES if n != "dense")
    systems: dict[str, Any] = {
        OURS: lambda q: [passage(hit) for hit in index.search(q, 5)],
        PLAIN: lambda q: [passage(hit) for hit in index.search(q, 5, stages=plain)],
    }
    for name, search in rivals(index, dense=True).items():
        systems[name] = lambda q, search=search: [_passage(index, i) for i in search(q, 5)]
    hits: dict[str, list[bool]] = {name: [] for name in systems}
    spent: dict[str, list[list[float]]] = {name: [] for name in systems}
    for run in range(3):
        for name, search in systems.items():
            spent[name].append([])
            for question in questions:
                begun = time.perf_counter()
                found = search(question.question)
                spent[name][-1].append(1000 * (time.perf_counter() - begun))
                if not run:
                    hits[name].append(metrics.first_rank(found, question.evidence) is not None)
    return Step(
        copies,
        index.store.passages(),
        {name: _share(row) for name, row in hits.items()},
        {name: _share([h for h, n in zip(row, naming, strict=True) if n]) for name, row in hits.items()},
        {name: min(percentile(row, 0.95) for row in rows) for name, rows in spent.items()},
    )


def _passage(index: Index, chunk_id: int) -> metrics.Passage:
    return passage(index.passage(chunk_id))


def _share(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def plot(steps: Sequence[dict[str, Any]], file: Path) -> None:
    """hit@5 and p95 against the number of passages, one line for each system."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "citewise", "svg.fonttype": "none"}
    from matplotlib import pyplot

    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    sizes = [step["passages"] for step in steps]
    shown = ((left, "hits", "hit@5, all questions"), (middle, "hits_naming", "hit@5, a document is named"))
    for axes, key, label in (*shown, (right, "p95", "search, p95 (ms)")):
        for name in steps[0][key]:
            axes.plot(sizes, [step[key][name] for step in steps], marker="o", label=name)
        axes.set(xscale="log", xlabel="passages in the index", ylabel=label)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(bottom=0, top=None if key == "p95" else 1.03)
        axes.grid(alpha=0.3)
    left.legend(fontsize=8, loc="lower left")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
