"""Words that pdfium hands over broken, mended once the whole document is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.parsers.pdf_lines import TextLine

CUT = "\ufffe"  # pdfium's mark where a word was cut at a line's end
_CUT_WORD = re.compile(f"([^\\W\\d_]*){CUT}([^\\W\\d_]*)")
_LETTERS = re.compile(r"[^\W\d_]+")
# In some fonts the ligature "ff" comes as "f" and a blank: "ef ective", "Of icer".
_LIGATURE = re.compile(
    r"\b((?:in|un|non)?(?:ef|dif|af|suf|coef|traf|buf)|of(?= (?:icer|icial|ering|ered\b|ers\b)))"
    r" (?=[a-z]{2})",
    re.I,
)
# These could be two words; they are one in a document that has the others.
_PERHAPS_LIGATURE = re.compile(r"\b(of) (?=(?:ices?|set|sets|setting|shore|er)\b)", re.I)


def mend(lines: Sequence[TextLine]) -> None:
    """Mend the texts of all lines of a document in place."""
    _join_cut_words(lines)
    broken = [line for line in lines if "f " in line.text]
    if any(_LIGATURE.search(line.text) for line in broken):
        for line in broken:
            # As long as before, so that offsets into pdfium's characters still hold.
            line.text = _PERHAPS_LIGATURE.sub(r"\1f", _LIGATURE.sub(r"\1f", line.text))


def _join_cut_words(lines: Sequence[TextLine]) -> None:
    """The mark becomes a hyphen ("long-term"), unless the document writes the word without one elsewhere
    ("information")."""
    cut = [line for line in lines if CUT in line.text]
    if not cut:
        return
    words = {word.casefold() for line in lines for word in _LETTERS.findall(line.text)}

    def resolve(match: re.Match[str]) -> str:
        first, second = match.groups()
        joined = first and second.islower() and (first + second).casefold() in words
        return first + second if joined else f"{first}-{second}"

    for line in cut:
        line.text = _CUT_WORD.sub(resolve, line.text)
