"""What law, medicine and finance add to documents, questions and search, a package each.

What is below knows no field: each package there declares the slice of a field that it calls (`Describes`,
`Searches`), and is handed the fields by `open_index`. To add a field: a package here whose object satisfies
`Domain`, and its place in `load_domains`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.domains.finance import Finance
from rag.domains.law import Law
from rag.domains.medicine import Medicine

if TYPE_CHECKING:  # a worker that reads files must not load the search
    from rag.documents.description import Describes
    from rag.search.pool import Searches

    class Domain(Describes, Searches, Protocol):
        """A field: its documents, its words, and what a question of it needs."""

        @property
        def lexicon(self) -> Path:
            """Lay words -> professional ones (`rag.languages.lexicon`)."""


@dataclass(frozen=True, slots=True)
class Domains:
    """The fields, in the order in which they are asked, and the lexicons, the user's own first."""

    each: tuple[Domain, ...]
    lexicons: tuple[Path, ...]


def load_domains(lexicons: Sequence[Path | str] = (), concepts: Sequence[Path | str] = ()) -> Domains:
    """All fields, with the user's own lexicons (`rag.languages.lexicon`) and concept files
    (`rag.domains.finance.concepts`). Each is read once: a mistake in one is told when an index is opened, not
    in the middle of a question. Raises ConfigError."""
    from rag.domains.finance.concepts import load_user_table
    from rag.languages.lexicon import load

    words, needed = ([Path(p).expanduser().absolute() for p in paths] for paths in (lexicons, concepts))
    for path in words:
        load(path)
    for path in needed:
        load_user_table(path)
    each = (Law(), Medicine(), Finance(tuple(needed)))
    return Domains(each, (*words, *(field.lexicon for field in each)))
