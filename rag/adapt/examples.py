"""Training examples: numbered sentences, a question, which sentence answers it and in which words.

From questions with evidence: sentences as `rag.evidence` ranks them for that very question, so that what is
trained is what is later asked. From documents: questions that `rag.adapt.cloze` makes of a sentence, among
the sentences most like the question. Either with the right sentence taken out, where "none" is right."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag import metrics
from rag.adapt.cloze import Made, altered, questions_from, questions_from_row
from rag.evalset import Question
from rag.evidence import rank_sentences
from rag.index import Index
from rag.metrics import EvidenceEntry, Passage
from rag.pointer import MOST, line_of, stands_in
from rag.text import content_tokens, detect_language, search_tokens, sentences
from rag.types import Progress

_PASSAGES = 8
_WIDE = 14
_SHARE_ABSENT = 0.3
_SHARE_LOWER = 0.35
ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence that may be shown: its document's title and path."""

    title: str
    text: str
    document: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """`right` is the 1-based number of the sentence that answers, 0 for none of them."""

    question: str
    sources: tuple[Source, ...]
    right: int
    answer: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with every sentence that may be shown for it, best first, and which of them answer it, with
    the words."""

    question: Question
    sources: tuple[Source, ...]
    right: tuple[int, ...]
    answers: tuple[str, ...]


def asked_of(index: Index, question: Question) -> Asked:
    """What a search brings for the question: its ranked sentences (at most 14), and among them the right
    ones. Where the search missed them, one is added from the evidence itself."""
    hits = index.search(question.question, _PASSAGES)
    embedder = index.embedder_for(detect_language(question.question))
    ranked = rank_sentences(question.question, hits, index, embedder)
    sources = []
    for sentence in ranked.sentences[:_WIDE]:
        hit = hits[sentence.hit]
        header = getattr(sentence, "header", "")
        sources.append(
            Source(hit.document.title, line_of(sentence.text, header), hit.document.path, hit.chunk.page)
        )
    sources = list(dict.fromkeys(sources))
    right = [i for i, s in enumerate(sources) if _is_right(s, question)]
    if question.answerable and not right:
        for entry in question.evidence:
            if entry.quote:
                title = next(
                    (s.title for s in sources if metrics.same_document(s.document, entry.document)), ""
                )
                sources.append(Source(title or _title(index, entry), entry.quote, entry.document, entry.page))
                right = [len(sources) - 1]
                break
    answers = tuple(_answer_in(sources[i].text, question) for i in right)
    return Asked(question, tuple(sources), tuple(right), answers)


def _title(index: Index, entry: EvidenceEntry) -> str:
    found = (d.title for d in index.documents() if metrics.same_document(d.path, entry.document))
    return next(found, "") or entry.document


def _is_right(source: Source, question: Question) -> bool:
    """A sentence of the evidence; where several answers are accepted, one that holds any of them."""
    passage = Passage(source.document, source.text, source.page, source.page)
    if not any(metrics.is_hit(passage, e) for e in question.evidence):
        return False
    narrow = any(e.quote for e in question.evidence)
    return bool(_answer_in(source.text, question)) or (narrow and not question.answers)


def _answer_in(text: str, question: Question) -> str:
    """The accepted answer that stands in the sentence in the fewest words, "" for none."""
    found = [a for a in question.answers if stands_in(a, text)]
    return min(found, key=len, default="")


def augment(asked: Asked, rng: random.Random, *, count: int) -> Iterator[Example]:
    """`count` examples of one question: other distractors and another order each time; of an answerable
    question about a third without its right sentences."""
    wrong = [i for i in range(len(asked.sources)) if i not in asked.right and not _gives_away(asked, i)]
    if not wrong and not asked.right:
        return
    for number in range(count):
        absent = not asked.right or (bool(wrong) and number % 3 == 2)
        kept = [] if absent else [rng.choice(asked.right)]
        kept += _drawn(wrong, _how_many(rng, len(wrong)) - len(kept), rng)
        shown = kept if rng.random() < 0.3 else rng.sample(kept, len(kept))
        shown = sorted(shown) if rng.random() < 0.3 else shown  # as ranked, as they are at use
        right = 0 if absent else shown.index(kept[0]) + 1
        answer = "" if absent else asked.answers[asked.right.index(kept[0])]
        sources = tuple(asked.sources[i] for i in shown)
        yield Example(_spoken(asked.question.question, rng), sources, right, answer, "question")


def _gives_away(asked: Asked, number: int) -> bool:
    """Whether a sentence that is not evidence holds an accepted answer all the same."""
    return any(stands_in(a, asked.sources[number].text) for a in asked.question.answers)


def _how_many(rng: random.Random, most: int) -> int:
    """How many sentences are shown: mostly as many as fit, as at use."""
    return max(1, min(most + 1, rng.choice((2, 3, 4, 5, 6, 6, 6)), MOST))


def _drawn(wrong: Sequence[int], count: int, rng: random.Random) -> list[int]:
    """Distractors, those ranked high rather than low."""
    weights = {i: rng.random() ** (1.0 + 0.15 * place) for place, i in enumerate(wrong)}
    return sorted(wrong, key=lambda i: -weights[i])[: max(0, count)]


def _spoken(question: str, rng: random.Random) -> str:
    """As people type: sometimes without capitals, sometimes without the mark at the end."""
    said = question.lower() if rng.random() < _SHARE_LOWER else question
    return said.rstrip("?？ ") if rng.random() < 0.2 else said


class Pool:
    """The English sentences and table rows of documents, with a BM25 (Robertson and Zaragoza, 2009) over
    them: what a search would show beside the right one."""

    def __init__(self, index: Index, leave_out: Callable[[str], bool], *, most: int, seed: int) -> None:
        self.rows: list[tuple[Source, str, str]] = []  # source, header, row
        self._sources: list[Source] = []
        documents = [d for d in index.documents() if d.chunks and not leave_out(d.path)]
        random.Random(seed).shuffle(documents)
        for document in documents:
            if len(self._sources) >= most:
                break
            self._read(index, document)
        self._postings: dict[str, list[int]] = defaultdict(list)
        self._lengths = []
        for i, source in enumerate(self._sources):
            tokens = search_tokens(f"{source.title} {source.text}")
            self._lengths.append(len(tokens))
            for token in set(tokens):
                self._postings[token].append(i)
        self._average = sum(self._lengths) / max(1, len(self._lengths))

    def _read(self, index: Index, document: Any) -> None:
        for _, _, chunk in index.store.document_chunks(document.id):
            if detect_language(chunk.text) != "en":
                continue
            if chunk.kind == "table":
                self._read_rows(index, document, chunk)
                continue
            for span in sentences(chunk.text):
                text = " ".join(chunk.text[span.start : span.end].split())
                if 25 <= len(text) <= 600:
                    self._sources.append(Source(document.title, text, document.path, chunk.page))

    def _read_rows(self, index: Index, document: Any, chunk: Any) -> None:
        for block in index.store.blocks(document.id, chunk.start, chunk.end):
            row = chunk.text[max(0, block.start - chunk.start) : block.end - chunk.start]
            source = Source(document.title, line_of(row, block.header)[:600], document.path, chunk.page)
            if source.text:
                self._sources.append(source)
                self.rows.append((source, block.header, row))

    @property
    def sources(self) -> Sequence[Source]:
        return self._sources

    def like(self, question: str, count: int) -> list[Source]:
        """The sentences whose words are most like the question's."""
        scores: dict[int, float] = defaultdict(float)
        total = len(self._sources)
        for token in set(content_tokens(question)):
            posted = self._postings.get(token, ())
            if not posted or len(posted) > total / 3:
                continue
            weight = math.log(1 + (total - len(posted) + 0.5) / (len(posted) + 0.5))
            for i in posted:
                scores[i] += weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * self._lengths[i] / self._average))
        best = sorted(scores, key=lambda i: (-scores[i], i))[:count]
        return [self._sources[i] for i in best]


def made_examples(pool: Pool, rng: random.Random, count: int) -> Iterator[Example]:
    """At most `count` examples of questions made from the pool's sentences and rows; fewer where it holds
    little. A sentence is asked about twice at most, and no pattern is more than a fifth of `count`."""
    found: list[tuple[Source, Made]] = []
    for source in pool.sources:
        made = questions_from(source.text, source.title, rng)
        like_people = [m for m in made if not m.pattern.startswith("replaced")]
        found += [(source, m) for m in rng.sample(like_people or made, min(2, len(like_people or made)))]
    for source, header, row in pool.rows:
        if cells := questions_from_row(header, row):
            found.append((source, rng.choice(cells)))
    rng.shuffle(found)
    asked: dict[str, int] = defaultdict(int)
    for source, one in found[: 2 * count]:
        asked[one.pattern] += 1
        if asked[one.pattern] > count / 5:
            continue
        example = _made_example(pool, source, one.question, one.answer, rng)
        if example is not None:
            yield replace(example, origin=one.pattern)


def _made_example(
    pool: Pool, source: Source, question: str, answer: str, rng: random.Random
) -> Example | None:
    near = [s for s in pool.like(question, 10) if s != source and not stands_in(answer, s.text)]
    absent, asked = rng.random() < _SHARE_ABSENT, question
    if absent and rng.random() < 0.4 and (other := altered(question, rng)):
        asked, near = other, [source, *near]
    wanted = rng.choice((2, 3, 4, 5, 6, 6))
    kept = near[: wanted if absent else wanted - 1]
    if not kept and absent:
        return None
    sources = [*kept] if absent else [source, *kept]
    rng.shuffle(sources)
    right = 0 if absent else sources.index(source) + 1
    return Example(_spoken(asked, rng), tuple(sources), right, "" if absent else answer, "")
