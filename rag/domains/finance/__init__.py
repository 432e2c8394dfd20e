"""Finance: companies' reports, the statements in them and the line items that answer a question.

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
class Finance:
    """The field of finance; see `rag.domains.Domain`. `concepts` are the user's own concept files
    (`rag.domains.finance.concepts`)."""

    concepts: tuple[Path, ...] = ()
    lexicon: Path = _HERE / "lexicon.toml"
    describes_rest: bool = False
    own_keys: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ("year", "form")

    def describe(self, document: Document, known: Mapping[str, str]) -> Mapping[str, str]:
        """Company, form and fiscal period of a report; {} for a legal text."""
        from rag.domains.finance.companies import describe_report

        return {} if "authority" in known else describe_report(document)

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        """The statements, notes and sections of a report (`rag.domains.finance.sections.KINDS`)."""
        from rag.domains.finance.statements import kinds_between, roles

        found = roles(document)
        return [kinds_between(found, p.start, p.end) for p in passages] if found else ()

    def asked(self, question: str, catalogue: Catalogue) -> Restriction:
        from rag.domains.finance.asked import asked_reports

        return asked_reports(question, catalogue)

    def sought(self, question: str) -> tuple[Sought, ...]:
        """The statements and line items that the question's concepts need."""
        from rag.domains.finance.concepts import sought_items

        return sought_items(question, extra=self.concepts)

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        return {}

    def sources(self, store: Store) -> frozenset[int]:
        """The documents that are financial reports."""
        from rag.domains.finance.concepts import reports

        return reports(store)
