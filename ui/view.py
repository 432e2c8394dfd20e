"""What each part of the page shall show: the answer of a handler, carried over by `ui.page`."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ui.narrow import FilterChoices, Narrow


@dataclass(frozen=True, slots=True)
class View:
    """Parts of the page; None leaves a part as it is. `scope` are the documents that can be chosen;
    `scope_chosen` which are; `choices` and `chosen` the same for the other filters, `narrow_note` what is
    wrong with them."""

    transcript: Markup | None = None
    live: Markup | None = None
    source: Markup | None = None
    upload: Markup | None = None
    documents: Markup | None = None
    indexes: tuple[str, ...] | None = None
    index: str | None = None
    scope: tuple[str, ...] | None = None
    scope_chosen: tuple[str, ...] | None = None
    choices: FilterChoices | None = None
    chosen: Narrow | None = None
    narrow_note: Markup | None = None
    running: bool | None = None
    clear_question: bool = False
