"""What the lines above a table say that its own head leaves out: units, and the periods of its columns."""

from __future__ import annotations

import re

_UNIT_LINE = re.compile(
    r"[^\n]*(?:\bin (?:thousands|millions|billions)\b|[$€£]\s?(?:million|billion|thousand)s?\)|单位\s*[:：])"
    r"[^\n]*",
    re.I,
)
_HEAD_PERIOD = re.compile(
    r"(?:(?:three|six|nine|twelve|3|6|9|12) months|(?:fiscal )?(?:quarter|year)) ended "
    r"[A-Z][a-z]+ \d{1,2}, ?(?:19|20)\d\d|(?:FY|fiscal(?: year)? )(?:19|20)\d\d",
    re.I,
)


def units_sentence(above: str) -> str:
    """The last line above a table that speaks of units."""
    found = [m.group() for m in _UNIT_LINE.finditer(above) if len(m.group()) <= 160]
    return found[-1] if found else ""


def period_heads(text: str) -> tuple[str, ...]:
    """The periods that the last lines with at least two of them name, each once, in order."""
    for line in reversed(text.split("\n")):
        found = tuple(dict.fromkeys(m.group() for m in _HEAD_PERIOD.finditer(line)))
        if len(found) > 1 and len(line) <= 160:
            return found
    return ()
