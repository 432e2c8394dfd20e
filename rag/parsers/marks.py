"""Words that stand otherwise than the rest, on their way from a parser to its `TextBuilder`: struck, hidden,
raised, lowered.

Marks travel within a parser's strings as noncharacters, which no text may hold (Unicode 23.7): one opens what
the next U+FDDF closes. `TextBuilder` takes them out and notes where they stood."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from rag.languages import Patterns
from rag.types import MarkKind
from rag.types.documents import WITHDRAWN

_RE = Patterns(__file__)
_KINDS = tuple(MarkKind)
_NOTE, _NOTE_BODY, _CLOSE = "\ufddc", "\ufddd", "\ufddf"
_SIGNS = re.compile("[\ufdd0-\ufddf]")
_NOTE_SIGN = re.compile(f"[{_NOTE}{_NOTE_BODY}][^{_CLOSE}]*{_CLOSE}")
_SIGN_RUN = re.compile(f"[{_NOTE}{_NOTE_BODY}][^{_CLOSE}]*{_CLOSE}|[\ufdd0-\ufddf]")
SUPERSCRIPTS = str.maketrans("0123456789+-−–in()=", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻ⁱⁿ⁽⁾⁼")
_TRADE = {"tm": "™", "sm": "℠", "r": "®", "c": "©"}

# A mark of text that starts at 0, and of a note its label: (kind, start, end, label). None is where a note
# begins.
FoundMark = tuple[MarkKind | None, int, int, str]


def marked(kind: MarkKind, text: str) -> str:
    """`text` with a mark on all of it, as `TextBuilder` takes it; `unmarked` gives it back."""
    return f"{chr(0xFDD0 + _KINDS.index(kind))}{text}{_CLOSE}" if text else ""


def note_mark(label: str) -> str:
    """The raised mark of a note behind a word: no part of the text, but a mark of no length where it stands,
    which leads to the note that begins at `note_body(label)`: the next one behind it, or the last one."""
    return f"{_NOTE}{label}{_CLOSE}"


def note_body(label: str) -> str:
    """Put in front of the words of a note."""
    return f"{_NOTE_BODY}{label}{_CLOSE}"


def unmarked(text: str) -> str:
    """The text alone, without any mark."""
    return taken(text)[0] if _SIGNS.search(text) else text


def without_notes(text: str) -> str:
    """Without the marks of notes and where they begin: what is repeated does not lead to them again."""
    return _NOTE_SIGN.sub("", text) if _NOTE in text or _NOTE_BODY in text else text


def without_signs(text: str) -> str:
    """What a file holds of the noncharacters that stand for marks is dropped."""
    return _SIGNS.sub("", text)


def note_labels(text: str) -> tuple[str, ...]:
    """The labels of notes that a raised text names, as notes carry them: "1", "[12]", "a,b", "*", "(iii)",
    "注2", "1–3"; () for a text that is none."""
    bare = "".join(text.split())
    if _RE["label"].fullmatch(bare) is None:
        return ()
    if _RE["letters"].fullmatch(bare):
        return tuple(bare)
    spread = _RE["range"].fullmatch(bare)
    if spread and 0 < int(spread[2]) - int(spread[1]) < 20:
        return tuple(str(n) for n in range(int(spread[1]), int(spread[2]) + 1))
    return tuple(label[0].rstrip(".") for label in _RE["single"].finditer(bare))


def raised(before: str, text: str, after: str = "") -> str:
    """How raised text reads behind `before`, the text of its line so far, and in front of `after`, where that
    is known: an exponent (m², 10⁹, s⁻¹) or a charge (Ca²⁺) in superscript characters; a mark of a note; an
    ordinal, a trade mark or a word joined under a RAISED mark.

    A digit is an exponent behind a power of ten or a unit that is squared or cubed, signed behind anything;
    else it is the mark of a note."""
    inner = text.strip()
    tail = text[len(text.rstrip()) :]
    front = unmarked(before[-200:]) + (" " if before[-1:].isspace() else "")
    if not inner or (_RE["separator"].fullmatch(inner) and before.endswith(_CLOSE)):
        return tail
    if _is_exponent(front, inner, after):
        return inner.translate(SUPERSCRIPTS) + tail
    if _RE["exponent_point"].fullmatch(inner) and _RE["ten"].search(front):
        return f"^{inner}{tail}"
    if _RE["degree"].fullmatch(front[-1:] + inner + after.lstrip()[:1]):
        return f"°{tail}"
    nuclide = (
        _RE["symbol"].match(after) and _RE["opens_word"].search(front) and _RE["isotope"].fullmatch(inner)
    )
    trade = _TRADE.get(inner.strip("()").casefold()) if len(inner) > 1 else None
    joined = trade or nuclide or _RE["ordinal"].fullmatch(inner) or _RE["title"].search(f"{front}|{inner}")
    labels = () if joined else note_labels(inner)
    if not labels:
        return text.replace(inner, marked(MarkKind.RAISED, trade or inner))
    return "".join(map(note_mark, labels)) + tail


def _is_exponent(before: str, text: str, after: str) -> bool:
    """Whether raised text is an exponent or a charge."""
    if _RE["signed"].fullmatch(text):
        return before[-1:].isalnum() or before[-1:] in ")]）"
    if _RE["charge"].fullmatch(text):
        return _RE["ion"].search(before) is not None
    power = _RE["times_ten"] if text in ("1", "2") and not after.startswith(("/", "–", "-")) else _RE["ten"]
    return (
        (_RE["digits"].fullmatch(text) is not None and power.search(before) is not None)
        or (_RE["square"].fullmatch(text) is not None and _RE["unit"].search(before) is not None)
        or (_RE["variable_power"].fullmatch(text) is not None and _RE["variable"].search(before) is not None)
    )


def taken(text: str) -> tuple[str, list[FoundMark]]:
    """The text without white space around it and without marks, and the marks in order of their start."""
    if _SIGNS.search(text) is None:
        return text.strip(), []
    pieces: list[str] = []
    found: list[FoundMark] = []
    opened: list[tuple[MarkKind, int]] = []
    at = last = 0
    for sign in _SIGN_RUN.finditer(text):
        piece = text[last : sign.start()]
        blank = not pieces or pieces[-1][-1:].isspace()
        piece = piece.lstrip() if blank else piece  # what stood between two blanks is gone
        if piece:
            pieces.append(piece)
            at += len(piece)
        last = sign.end()
        kind, label = sign[0][0], sign[0][1:-1]
        if kind in (_NOTE, _NOTE_BODY) and len(sign[0]) > 1:
            found.append((MarkKind.RAISED if kind == _NOTE else None, at, at, label))
        elif kind == _CLOSE and opened:
            of, start = opened.pop()
            found.append((of, start, at, ""))
        elif ord(kind) < 0xFDD0 + len(_KINDS):
            opened.append((_KINDS[ord(kind) - 0xFDD0], at))
    rest = text[last:]
    pieces.append(rest.lstrip() if not pieces or pieces[-1][-1:].isspace() else rest)
    plain = "".join(pieces).rstrip()
    return plain, sorted(
        ((k, min(a, len(plain)), min(b, len(plain)), label) for k, a, b, label in found if a < b or label),
        key=lambda mark: mark[1:3],
    )


def on_the_line(runs: Iterable[tuple[MarkKind | None, int, str]]) -> list[tuple[MarkKind | None, str]]:
    """Runs of a paragraph or cell (kind, 1 for raised and -1 for lowered ones, text) as `as_it_stands` takes
    them, neighbours of a kind together. A raised label at the beginning opens a note."""
    kept = [
        (kind, shift, "".join(text for _, _, text in run))
        for (kind, shift), run in groupby(runs, key=itemgetter(0, 1))
    ]
    said: list[tuple[MarkKind | None, str]] = []
    for n, (kind, shift, text) in enumerate(kept):
        if shift > 0 and text.strip():
            before = "".join(t for of, t in said if of is kind or of not in WITHDRAWN)
            labels = note_labels(text) if not unmarked(before).strip() else ()
            after = unmarked(kept[n + 1][2]) if n + 1 < len(kept) else ""
            text = "".join(map(note_body, labels)) or raised(before, text, after)
        elif shift < 0 and text.strip():
            text = marked(MarkKind.LOWERED, text)
        said.append((kind, text))
    return [(kind, "".join(t for _, t in run)) for kind, run in groupby(said, key=itemgetter(0))]


def as_it_stands(pieces: Iterable[tuple[MarkKind | None, str]]) -> tuple[str, dict[MarkKind, str]]:
    """The text of a paragraph or cell as it reads today, with insertions and without what is struck, deleted
    or hidden; and by each of these kinds that has words in it the text as it read with them and without what
    was inserted or took the place of struck words, wholly under one mark."""
    kept = list(pieces)
    if not any(kind for kind, _ in kept):
        return "".join(text for _, text in kept), {}
    said = ((of, unmarked(text)) for of, text in kept if of in WITHDRAWN)  # hidden signs only keep a distance
    words = {of for of, text in said if text and (of is not MarkKind.HIDDEN or any(map(str.isalnum, text)))}
    new = MarkKind.INSERTED if words else None
    today = [(of, marked(of, text) if of and of is new and text.strip() else text) for of, text in kept]
    former = {of: _without({*MarkKind} - {of}, _before(kept, of)) for of in WITHDRAWN if of in words}
    return _without(WITHDRAWN, today), {kind: marked(kind, unmarked(text)) for kind, text in former.items()}


def _before(pieces: list[tuple[MarkKind | None, str]], kind: MarkKind) -> list[tuple[MarkKind | None, str]]:
    """The pieces without words of the same form (an amount, a day) in the place of those of a kind."""
    found: list[tuple[MarkKind | None, str]] = []
    gone: list[str] = []
    for of, text in pieces:
        if of is None and gone and text.strip():
            new = list(zip(gone, _RE["word"].finditer(text), strict=False))
            alike = len(new) == len(gone) and all(_alike(old, match[0]) for old, match in new)
            if alike:
                text = text[new[-1][1].end() :]
                while found and found[-1][0] is None and not found[-1][1].strip():
                    found.pop()  # what set the two apart
            gone = []
        elif of is kind:
            gone = _RE["word"].findall(text)
            gone = gone if any(word[0].isdigit() for word in gone) else []
        found.append((of, text))
    return found


def _alike(old: str, new: str) -> bool:
    if old[0].isdigit() or new[0].isdigit():
        return old[0].isdigit() and new[0].isdigit()
    return old.casefold() == new.casefold() or (old[0].isupper() and new[0].isupper())


def _without(kinds: Collection[MarkKind], pieces: Sequence[tuple[MarkKind | None, str]]) -> str:
    """The text of pieces of other kinds; of the blanks on both sides of what is left out one is kept."""
    text, left_out = "", False
    for kind, piece in pieces:
        if kind in kinds:
            left_out = True
            continue
        text += piece.lstrip(" ") if left_out and text[-1:].isspace() else piece
        left_out = left_out and not piece
    return text


def rows_before(passages: Sequence[tuple[str, Mapping[MarkKind, str]]]) -> list[list[str]]:
    """The rows of a table as they read before something in them was struck, deleted or hidden, one a kind;
    for each cell what `as_it_stands` gave."""
    kinds = [kind for kind in WITHDRAWN if any(kind in former for _, former in passages)]
    return [[former.get(of) or marked(of, unmarked(words)) for words, former in passages] for of in kinds]
