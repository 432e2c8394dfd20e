"""Law: names, rank and force of statutes.

Modules are imported where they are needed: a worker that reads files loads nothing of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.types import Chunk, Document

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction, Sought
    from rag.store.store import Store

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Law:
    """The field of law; see `rag.domains.Domain`."""

    lexicon: Path = _HERE / "lexicon.toml"
    describes_rest: bool = False
    own_keys: frozenset[str] = frozenset(("issued", "effective", "amended", "repealed", "review", "repeals"))
    columns: tuple[str, ...] = ("law",)

    def describe(self, document: Document, known: Mapping[str, str]) -> Mapping[str, str]:
        """Name, rank and year of a statute, rank and year of a case, and when a text of any kind is in
        force."""
        from rag.domains.law.force import validity
        from rag.domains.law.statutes import describe_statute

        return {**describe_statute(document), **validity(document)}

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        return ()

    def asked(self, question: str, catalogue: Catalogue) -> Restriction:
        from rag.domains.law.naming import asked_statutes

        return asked_statutes(question, catalogue)

    def sought(self, question: str) -> tuple[Sought, ...]:
        return ()

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        """The rank of a legal text, 0.5 for what is none."""
        from rag.domains.law.naming import AUTHORITY, UNRANKED

        facts = catalogue.facts.get(document_id)
        return {"authority": AUTHORITY.get(facts.authority, UNRANKED) if facts else UNRANKED}

    def sources(self, store: Store) -> frozenset[int]:
        return frozenset()
