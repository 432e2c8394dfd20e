"""The line of an answer: one sentence to act on, without marks, made of a verified sentence or of evidence
itself. A row is read with its column heads, a list item with the words that lead into its list."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.languages import LANGUAGES, say
from rag.languages.text import has_han, in_one_piece, search_tokens, sentences
from rag.types import Calculation, Claim, Evidence

_MARK = re.compile(r"\s*\[\d{1,3}\]")
_CLAUSE = re.compile(r"\s*(?P<section>\d{1,3})(?:\.\d{1,3})+\.?\s+(?=[^\W\d_])")
_NUMBERED = "|".join(of.items for of in LANGUAGES.values() if of.items)
_ITEM = re.compile(rf"[ \t\u3000]*(?:[-*•·▪]|{_NUMBERED})(?!\d)\s*")
_BARE = re.compile(r"[-(]?\d[\d,. ]*\)?")
_GROUPING = re.compile(r"(?<=\d)[,\s](?=\d{3}(?!\d))")


def line_of(claim: Claim, evidence: Sequence[Evidence]) -> str:
    """The line that the first sentence of an answer gives: a written one as it is, a quote cleaned for
    display."""
    if not claim.quoted:
        return first_sentence(claim.text)
    cited = next((e for e in evidence if e.number in claim.citations), None)
    return _led(cited) if cited else in_one_piece(claim.text)


def first_sentence(text: str) -> str:
    """The first sentence of a text, without [n] marks, its white space folded."""
    plain = in_one_piece(_MARK.sub("", text))
    return next((plain[span.start : span.end] for span in sentences(plain)), "")


def worked_line(line: str, working: Sequence[Calculation], language: str) -> str:
    """The line without formula and numbers in brackets, which stand in the working."""
    for one in working:
        if how := one.derivation:
            line = line.replace(say("figures.how", language, how=how), "")
    return line


def in_one_line(piece: Evidence) -> str:
    """The quote with its white space folded; a table row with its column heads, cell by cell where they
    match."""
    if not piece.heads or len(piece.heads) != len(piece.cells):
        text = in_one_piece(piece.words)
        return f"{piece.header}: {text}" if piece.heads else text
    return row_line(piece.row)


def row_line(row: Sequence[tuple[str, str]]) -> str:
    """A row on one line: "head: cell; head: cell"."""
    return "; ".join(f"{head}: {cell}" if head else cell for head, cell in row if cell)


def with_heads(piece: Evidence, words: str) -> str:
    """The cell of a row that is a bare number, with what the row is called, which is no running number, and
    its head, which have its unit: "Overdraft: Drawn (EUR thousand) 1,850"; "" for other words."""
    if not piece.heads or len(piece.heads) != len(piece.cells) or not _BARE.fullmatch(words):
        return ""
    label = next((cell for _, cell in piece.row if cell and not _BARE.fullmatch(cell)), piece.row[0][1])
    head = next((head for head, cell in piece.row if head and cell == words != label), "")
    return f"{label}{'：' if has_han(label) else ': '}{head} {words}" if label and head else ""


def answering(line: str, typed: str, row: Sequence[tuple[str, str]]) -> tuple[int, ...]:
    """Which cells of a quoted row the line says and the question, as typed, does not, those first whose heads
    it asks for, and the label in front only by itself; none where that tells no cell from the others."""
    filled = [n for n, (_, cell) in enumerate(row) if cell]
    found = [n for n in filled if _stands(row[n][1], line) and not _stands(row[n][1], typed)]
    asked = set(search_tokens(typed))
    headed = [n for n in found if asked & set(search_tokens(row[n][0]))]
    found = headed or found
    if len(found) == len(filled):
        return ()
    return tuple(n for n in found if n or len(found) == 1)


def _stands(cell: str, text: str) -> bool:
    """Whether the words of a cell stand in a text, numbers however their digits are grouped."""
    cell, text = (_GROUPING.sub("", part.casefold()) for part in (cell, text))
    return re.search(rf"(?<![a-z0-9]){re.escape(cell)}(?![a-z0-9]|[.,]\d)", text) is not None


def counted(text: str) -> int:
    """How much of a text's beginning is the number of a clause or of a list item, or its bullet."""
    mark = _CLAUSE.match(text) or _ITEM.match(text)
    return mark.end() if mark else 0


def _led(piece: Evidence) -> str:
    """What stands in a list without numbers and bullets, behind the words that lead into it; a sentence
    without the number of its clause, where a heading above bears that of the section; anything else as in
    `in_one_line`."""
    if not piece.leads and (piece.heads or not _ITEM.match(piece.text)):
        clause = None if piece.heads else _CLAUSE.match(piece.text)
        if clause and any(heading.startswith(f"{clause['section']}.") for heading in piece.heading_path):
            return in_one_piece(piece.text[clause.end() :])
        return in_one_line(piece)
    line = ""
    for text in (*(lead.text for lead in piece.leads), piece.text):
        mark = _ITEM.match(text)
        part = in_one_piece(text[mark.end() if mark else 0 :])
        colon = ":："[has_han(part)] if text in piece.heading_path else ""
        line += f"{' ' * (bool(line) and not has_han(part))}{part}{colon}"
    return line
