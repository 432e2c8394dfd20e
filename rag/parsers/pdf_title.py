"""What a PDF is called: by its metadata, by the cover of a filing, or by its most prominent line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

from rag.parsers.base import one_line
from rag.parsers.pdf_layout import PageLines, Style, running_key

_FILE_NAME = re.compile(
    r"\.(?:docx?|pdf|xlsx?|indd|pptx?|rtf|html?|tmp|qxd)\b|^untitled|^microsoft word|^[\W\d_]*$"
    r"|^(?:document|print|form 10-?[kq])$",
    re.I,
)
_REGISTRANT = re.compile(r"^\W*exact name of (?:the )?registrant", re.I)
_FORM = re.compile(r"^\W*form\s+(10-[kq]t?(?:/a)?|8-k(?:/a)?|20-f|40-f|6-k|s-[134])\b", re.I)
_DATE = r"([a-z]+ \d{1,2}\s?,? \d{4})"
_PERIOD = re.compile(rf"for the ((?:fiscal )?year|quarterly period|transition period) ended:? {_DATE}", re.I)
_REPORTED = re.compile(rf"date of report[^:]{{0,40}}:? {_DATE}|{_DATE} ?date of report", re.I)
_NO_NAME = re.compile(r"\d{4}$|^[\W\d_]*$|^for the|commission|washington|^\(", re.I)


def sensible_title(title: str) -> str:
    """A metadata title, or "" for what word processors and converters put there by themselves."""
    line = one_line(title)
    return line if len(line) > 3 and line.isprintable() and not _FILE_NAME.search(line) else ""


def read_cover(pages: Sequence[PageLines]) -> dict[str, str]:
    """Company, form and period from the cover of a filing with the U.S. Securities and Exchange Commission;
    {} elsewhere."""
    lines = [line.text for page in pages[:2] for line in page.lines[:80]]
    at = next((n for n, text in enumerate(lines) if _REGISTRANT.match(text)), 0)
    above = [text for text in lines[max(0, at - 3) : at] if not _NO_NAME.search(text)]
    form = next((match.group(1).upper() for match in map(_FORM.match, lines) if match), "")
    if not above or not form:
        return {}
    found = {"company": one_line(above[-1]).strip(" _"), "form": form}
    text = one_line(" ".join(lines))
    period, reported = _PERIOD.search(text), _REPORTED.search(text)
    if period:
        found["period"] = f"{period.group(1).lower()} ended {period.group(2)}"
    elif reported:
        found["period"] = f"reported {reported.group(1) or reported.group(2)}"
    return found


def cover_title(cover: Mapping[str, str]) -> str:
    """ "ACME, INC., Form 10-K, fiscal year ended December 31, 2023"; "" without a cover."""
    if not cover:
        return ""
    return ", ".join(
        [cover["company"], f"Form {cover['form']}", *([cover["period"]] if "period" in cover else [])]
    )


def prominent_line(pages: Sequence[PageLines], style: Style) -> str:
    """The first lines of the largest type on the first page with text; its first line where no type is
    larger."""
    page = next(page for page in pages if page.lines)
    lines = [
        line
        for line in page.lines[:40]
        if running_key(line.text) not in style.repeated and sum(c.isalpha() for c in line.text) > 3
    ]
    if not lines:
        return ""
    largest = max(line.size for line in lines)
    if largest <= style.size * 1.15:
        return lines[0].text if len(lines[0].text) <= 120 else ""
    first = next(n for n, line in enumerate(lines) if line.size == largest)
    same = takewhile(lambda line: abs(line.size - largest) <= 0.5, lines[first : first + 3])
    return " ".join(line.text for line in same)
