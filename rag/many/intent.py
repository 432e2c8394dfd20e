"""What a question about many passages asks for, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ask(StrEnum):
    """What is to be done with every passage that matches."""

    COUNT = "count"
    LIST = "list"
    COMPARE = "compare"
    SUMMARISE = "summarise"


class CountUnit(StrEnum):
    """What is counted or listed. ROW: entries, which are rows where they stand in a table; THING: what only
    a reader can distinguish, so passages are counted for it."""

    DOCUMENT = "document"
    SECTION = "section"
    ROW = "row"
    PASSAGE = "passage"
    THING = "thing"


@dataclass(frozen=True, slots=True)
class Intent:
    """`topic` is what the passages have to be about, as typed, "" for all of them; `noun` what is counted or
    listed, as typed ("contracts"); `sides` what is compared, `topic` then being in what respect. Where it is
    not `sure`, the wording is taken so only if the topic names a document."""

    ask: Ask
    topic: str
    unit: CountUnit = CountUnit.PASSAGE
    noun: str = ""
    sides: tuple[str, ...] = ()
    sure: bool = True
