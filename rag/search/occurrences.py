"""Where the tokens of a question stand in many passages: all of them at once, as arrays.

A few hundred passages are looked at for each question; one step of Python for each of their tokens would be
most of the time that a search takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
# Letters without a digit among them, that most texts are made of: up to the first, and the second from to.
_LATIN = 0x7F
_HAN = (0x3400, 0x9FFF)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """n passages against q tokens of a question, a further tokens and r phrases of tokens.

    `title`, `heading`, `body`, each (n, q), count the tokens by field; `sizes` (n, 3) counts all tokens of
    the fields in the same order; `digits` (n,) those of the body that begin with a digit; `added` (n, a)
    counts the further tokens in the body; `phrases` (n, r) says whether all tokens of a phrase stand in
    heading or body, `phrases_title` whether they stand in the title. `window` (n,) and `pairs` (n,): see
    `_windows` and `_pairs`."""

    title: Numbers
    heading: Numbers
    body: Numbers
    sizes: Numbers
    digits: Numbers
    added: Numbers
    phrases: NDArray[np.bool_]
    phrases_title: NDArray[np.bool_]
    window: Numbers
    pairs: Numbers


def occurrences(
    fields: Sequence[tuple[str, str, str]],
    tokens: Sequence[str],
    weights: Numbers,
    added: Sequence[str],
    phrases: Sequence[Sequence[str]],
    window: int,
) -> Occurrences:
    """Looks `tokens` (distinct), with their `weights` (q,), up in passages given as (title, heading, body),
    each its tokens joined by blanks. `window` counts tokens."""
    codes = {token: n for n, token in enumerate(dict.fromkeys(chain(tokens, added, *phrases)))}
    titles = {title: n for n, title in enumerate(dict.fromkeys(title for title, _, _ in fields))}
    shared = [titles[title] for title, _, _ in fields]  # the passages of a document share one
    title, title_sizes = _counted(codes, *_coded(codes, list(titles)))
    title, title_sizes = title[shared], title_sizes[shared]
    heading, heading_sizes = _counted(codes, *_coded(codes, [heading for _, heading, _ in fields]))
    bodies = [body for _, _, body in fields]
    code, sizes = _coded(codes, bodies)
    body, body_sizes = _counted(codes, code, sizes)
    size = len(tokens)
    row = np.repeat(np.arange(len(fields)), sizes)
    at = np.arange(len(code)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = (code >= 0) & (code < size)
    row, at, which = row[places], at[places], code[places]
    near = (heading + body) > 0
    return Occurrences(
        title=title[:, :size],
        heading=heading[:, :size],
        body=body[:, :size],
        sizes=np.column_stack([title_sizes, heading_sizes, body_sizes]).astype(np.float64),
        digits=_digits(bodies),
        added=body[:, [codes[token] for token in added]],
        phrases=_whole(codes, near, phrases),
        phrases_title=_whole(codes, title > 0, phrases),
        window=_windows(row, at, which, weights, window, len(fields)),
        pairs=_pairs(row, at, which, size, len(fields)),
    )


def _coded(codes: Mapping[str, int], texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of all tokens, text after text, -1 for those without one; and how many each text has."""
    numbers = [list(map(codes.get, text.split(), repeat(-1))) for text in texts]
    sizes = np.fromiter(map(len, numbers), dtype=np.int64, count=len(numbers))
    return np.fromiter(chain.from_iterable(numbers), dtype=np.int64, count=int(sizes.sum())), sizes


def _counted(
    codes: Mapping[str, int], code: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[Numbers, NDArray[np.int64]]:
    """(n, vocabulary): how often each token stands in each text; and the sizes again."""
    width, known = len(codes), code >= 0
    row = np.repeat(np.arange(len(sizes)), sizes)[known]
    flat = np.bincount(row * width + code[known], minlength=len(sizes) * width)
    return flat.reshape(len(sizes), width).astype(np.float64), sizes


def _digits(texts: Sequence[str]) -> Numbers:
    """How many tokens of each text begin with a digit, of whatever script."""
    whole = "".join(f" {text}" for text in texts)
    points = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    starts = np.flatnonzero(points[:-1] == ord(" ")) + 1
    first = points[starts]
    digit = (first >= ord("0")) & (first <= ord("9"))
    rare = (first > _LATIN) & ((first < _HAN[0]) | (first > _HAN[1]))
    for point in set(first[rare].tolist()):
        if chr(point).isdigit():
            digit |= first == point
    ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)
    rows = np.searchsorted(ends, starts[digit], side="right")
    return np.bincount(rows, minlength=len(texts)).astype(np.float64)


def _whole(
    codes: Mapping[str, int], present: NDArray[np.bool_], phrases: Sequence[Sequence[str]]
) -> NDArray[np.bool_]:
    held = [present[:, [codes[token] for token in phrase]].all(axis=1) for phrase in phrases]
    return np.column_stack(held) if held else np.zeros((len(present), 0), dtype=bool)


def _windows(
    row: NDArray[np.int64],
    at: NDArray[np.int64],
    which: NDArray[np.int64],
    weights: Numbers,
    window: int,
    passages: int,
) -> Numbers:
    """The largest weight of distinct tokens within `window` neighbouring tokens of each body.

    Every place is looked at as the last of a window: a token is inside when its latest place up to here is.
    Token by token, so that equal passages get equal sums."""
    best = np.zeros(passages)
    if not len(row):
        return best
    # No window reaches from one passage into the next.
    line = at + row * (int(at.max()) + 1 + window)
    held = np.zeros(len(row))
    for token in np.flatnonzero(weights):
        latest = np.maximum.accumulate(np.where(which == token, line, -window))
        held += np.where(line - latest < window, weights[token], 0.0)
    np.maximum.at(best, row, held)
    return best


def _pairs(
    row: NDArray[np.int64], at: NDArray[np.int64], which: NDArray[np.int64], size: int, passages: int
) -> Numbers:
    """Share of the neighbouring tokens of a question that stand together, or one apart, in the same order."""
    if size < 2:
        return np.zeros(passages)
    found = np.zeros((passages, size), dtype=bool)
    for ahead in (1, 2):
        here, there = slice(None, -ahead), slice(ahead, None)
        follow = (row[there] == row[here]) & (at[there] - at[here] <= 2) & (which[there] == which[here] + 1)
        found[row[here][follow], which[here][follow]] = True
    result: Numbers = found.sum(axis=1) / (size - 1)
    return result
