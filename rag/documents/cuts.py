"""Where a text too large for one passage is cut: at sentences, then lines, then between words, all by
langchain-text-splitters, whose offsets are checked; then anywhere.

It is imported when a worker meets the first text too long for a passage (0.4 s, 35 MB), never for a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rag.languages.text import ABBREVIATIONS, SPACED_ENDS, UNSPACED_ENDS
from rag.types import Span

if TYPE_CHECKING:
    from langchain_text_splitters import TextSplitter

# A token of running text is 1 to 7 characters long. Where a tokenizer sees fewer (blank-filled tables, a
# megabyte without a blank), characters are charged instead, so that no passage is ever unbounded.
CHARS_PER_TOKEN = 16
# Running text of more characters than this per token is hardly ever within the limit: it is cut without
# asking first.
PROSE_CHARS_PER_TOKEN = 7
# Bounds the tokenizer's memory: it keeps several objects per token of a batch.
_BATCH = 256
_WORD_BATCH = 4096
_WORDS_CHECKED = 500
_UNSPACED = 12  # characters a word on average: from here on hardly any word comes twice
_LEARNT = 100_000  # characters of a range; a longer one is counted piece by piece
_SOFT_STOPS = frozenset(" \t\r\n\u3000,，、;；:：)）]】")

_ENDS = "。！？；…：.!?;:”’」』）)\"'|"

# Pieces are at most one of so many parts of a passage, so that passages are filled well with them.
_PARTS = 4
# The ends of sentences as `rag.languages.text.sentences` has them: not after abbreviations, initials, list
# numbers.
_NOT_AFTER = "".join(rf"(?<!\b(?i:{re.escape(word)}))" for word in sorted(ABBREVIATIONS))
_SENTENCES = (
    rf"(?:{UNSPACED_ENDS})|(?=(?:{SPACED_ENDS})\s+[\"'“‘(\[]*[^\W_a-z])"
    rf"{_NOT_AFTER}(?<!\b[A-HJ-Z])(?<!^\d)(?<!^\d\d)(?:{SPACED_ENDS})\s+",
)
_WITHIN = (r"\n", r"[,，、;；:：)）\]】]|\s+")

Range = tuple[int, int]
Piece = tuple[int, int, int]


class Meter:
    """Weighs ranges of one text in tokens, and short texts once each.

    Running text counts as the sum of its words, each distinct word tokenised once: a document has a tenth as
    many of those. Word-piece tokenizers never join across white space, so the sums are exact; a tokenizer
    whose sums differ on the first few hundred words gets whole texts to count."""

    def __init__(self, text: str, count_tokens: Callable[[Sequence[str]], list[int]]) -> None:
        self.text = text
        self._count = count_tokens
        self._counts: dict[str, int] = {"": 0}
        self._words: dict[str, int] = {}
        self._unchecked = _WORDS_CHECKED
        self._exact = True

    def count(self, texts: Sequence[str]) -> list[int]:
        """Exact tokens of whole texts (but for the floor of one in 16 characters)."""
        batches = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
        counts = [count for batch in batches for count in self._count(batch)]
        return [max(count, len(text) // CHARS_PER_TOKEN) for text, count in zip(texts, counts, strict=True)]

    def words(self, text: str) -> int:
        if text not in self._counts:
            self._counts[text] = self.count([text])[0]
        return self._counts[text]

    def ranges(self, ranges: Sequence[Range], limit: int, density: int = CHARS_PER_TOKEN) -> list[int]:
        """Weights of ranges. One that is over `limit` at `density` characters per token is not tokenised: a
        line may have megabytes."""
        weights = [(end - start) // density for start, end in ranges]
        small = [i for i, weight in enumerate(weights) if weight <= limit]
        for first in range(0, len(small), _BATCH):
            batch = small[first : first + _BATCH]
            texts = [self.text[slice(*ranges[i])] for i in batch]
            for i, text, count in zip(batch, texts, self._sums(texts), strict=True):
                weights[i] = max(count, len(text) // CHARS_PER_TOKEN)
        return weights

    def learn(self, ranges: Sequence[Range]) -> None:
        """Count the words of ranges at once, before `length` asks for them one by one."""
        self._sums([self.text[start:end] for start, end in ranges if end - start < _LEARNT])

    def length(self, text: str, limit: int) -> int:
        """Weight of a piece as the splitter asks for it, at least 1; `limit` as in `ranges`."""
        weight = len(text) // PROSE_CHARS_PER_TOKEN
        return weight if weight > limit else max(1, self._sums([text])[0], len(text) // CHARS_PER_TOKEN)

    def _sums(self, texts: Sequence[str]) -> list[int]:
        split = [text.split() for text in texts]
        if not self._exact or sum(map(len, texts)) > _UNSPACED * sum(map(len, split)):
            return self._count(texts)
        new = list(dict.fromkeys(word for words in split for word in words if word not in self._words))
        for first in range(0, len(new), _WORD_BATCH):
            batch = new[first : first + _WORD_BATCH]
            self._words.update(zip(batch, self._count(batch), strict=True))
        sums = [sum(map(self._words.__getitem__, words)) for words in split]
        if self._unchecked > 0:
            counts = self._count(texts)
            self._exact = counts == sums
            self._unchecked -= sum(map(len, split))
            return counts
        return sums


def cut(meter: Meter, ranges: Sequence[Range], room: int) -> list[Piece]:
    """(start, end, weight) of pieces of `ranges`, in order, none heavier than `room` unless it is one code
    point.

    Sentences are kept whole where they fit, a few short ones in one piece; what is longer is cut at lines,
    commas and blanks. White space between pieces is dropped."""

    def weighed(some: Sequence[Range]) -> list[Piece]:
        weights = meter.ranges(some, room, PROSE_CHARS_PER_TOKEN)
        return [(start, end, weight) for (start, end), weight in zip(some, weights, strict=True)]

    def refined(cutter: Callable[[int, int], list[Range]]) -> list[Piece]:
        made = ([(a, b, w)] if w <= room else weighed(cutter(a, b)) for a, b, w in pieces)
        return [part for parts in made for part in parts]

    pieces = weighed(ranges)
    meter.learn([(start, end) for start, end, weight in pieces if weight > room])
    for separators in (_SENTENCES, _WITHIN):
        splitter = _splitter(meter, separators, max(1, room // _PARTS))
        pieces = refined(partial(_split, splitter, meter.text))
    while any(weight > room and end - start > 1 for start, end, weight in pieces):
        pieces = refined(partial(halves, meter.text))
    return pieces


def halves(text: str, start: int, end: int) -> list[Range]:
    """The range cut in two near its middle, at white space if there is any; itself when it is one code
    point."""
    middle = start + (end - start) // 2
    if middle == start:
        return [(start, end)]
    soft = (at for at in range(middle, start, -1) if text[at - 1] in _SOFT_STOPS)
    at = next(soft, middle)  # right after white space or a comma
    return _visible(text, [(start, at), (at, end)])


def _splitter(meter: Meter, separators: Sequence[str], size: int) -> TextSplitter:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        list(separators),
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=size,
        chunk_overlap=0,
        length_function=partial(meter.length, limit=size),
        add_start_index=True,
    )


def _split(splitter: TextSplitter, text: str, start: int, end: int) -> list[Range]:
    """Ranges of what the splitter makes of a range. A piece that does not stand where the splitter says, or
    not right behind the one before, is looked for there; what is not found stays whole, to be halved."""
    found: list[Range] = []
    at = start
    for piece in splitter.create_documents([text[start:end]]):
        body = piece.page_content
        begin = start + piece.metadata["start_index"]
        if begin < at or not text.startswith(body, begin, end) or text[at:begin].strip():
            begin = text.find(body, at, end)
        if begin < 0 or text[at:begin].strip():
            break
        at = begin + len(body)
        found.append((begin, at))
    return _visible(text, [*found, (at, end)])


def _visible(text: str, ranges: Iterable[Range]) -> list[Range]:
    return [(span.start, span.end) for start, end in ranges if (span := trim(text, start, end))]


def trim(text: str, start: int, end: int) -> Span | None:
    """The range without white space at its ends; None when nothing visible is left."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if end > start else None


def ended(text: str, begin: int, end: int, also: str = "") -> bool:
    """Whether what stands before a line break had ended, also with one of these characters: a number or a
    mention that a narrow column wrapped opens nothing."""
    before = trim(text, begin, end)
    return before is None or text[before.end - 1] in _ENDS + also or text.count("\n", before.end, end) > 1
