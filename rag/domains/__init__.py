"""What law, medicine and finance add to documents, questions and search, a package each.

What is below knows no field: each package there declares the slice of a field that it calls (`Describes`,
`Searches`), and is handed the fields by `open_index`. To add a field: a package here whose object satisfies
`Domain`, and its place in `load_domains`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.types import Chunk, Document, Relation

if TYPE_CHECKING:  # a worker that reads files must not load the search
    from rag.documents.catalogue import Catalogue
    from rag.documents.description import Describes
    from rag.languages.lexicon import Lexicon
    from rag.questions.constraints import Sought
    from rag.questions.expects import Wording
    from rag.questions.mentions import Known
    from rag.search.pool import Searches
    from rag.store.store import Store

    class Domain(Describes, Searches, Protocol):
        """A field: its documents, and what a question of it needs."""


LEXICON = Path(__file__).with_name("lexicon.toml")


class Field:
    """What a field may leave as it is: it adds nothing."""

    describes_rest = False
    own_keys: frozenset[str] = frozenset()
    common_words: frozenset[str] = frozenset()

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        return ()

    def relations(self, document: Document) -> Sequence[Relation]:
        return ()

    def sought(self, wording: Wording) -> tuple[Sought, ...]:
        return ()

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        return {}

    def sources(self, store: Store) -> frozenset[int]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Domains:
    """The fields, in the order in which they are asked, and lay words with those that documents use."""

    each: tuple[Domain, ...]
    lexicon: Lexicon


def load_domains(lexicons: Sequence[Path | str] = ()) -> Domains:
    """All fields, with the user's own lexicons (`rag.languages.lexicon`) before the shipped one. They are
    read now: a mistake in one is told when an index is opened. Raises ConfigError."""
    from rag.domains.finance import Finance
    from rag.domains.law import Law
    from rag.domains.medicine import Medicine
    from rag.languages.lexicon import load

    own = [Path(path).expanduser() for path in lexicons]
    return Domains((Law(), Medicine(), Finance()), load([*own, LEXICON]))


def known_names(catalogue: Catalogue) -> Known:
    """What the names of an index are: companies, statutes, and the subjects of documents."""
    from rag.domains.law.naming import statutes
    from rag.domains.law.statutes import law_key
    from rag.domains.medicine.naming import subject_key, subjects
    from rag.facts.names import name_key, short_name
    from rag.languages.text import has_han
    from rag.questions.mentions import MentionKind

    def known(text: str) -> MentionKind | None:
        if has_han(text) or not (text.islower() or text.isupper() or len(text) < 3):
            if name_key(short_name(text)) in catalogue.company_keys:
                return MentionKind.COMPANY
            if law_key(text) in statutes(catalogue).keys:
                return MentionKind.STATUTE
        return MentionKind.SUBJECT if subject_key(text) in subjects(catalogue).keys else None

    return known
