"""Finance: companies' reports, the statements in them and the line items that answer a question.

Modules are imported where they are needed: a worker that reads files loads nothing of the search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.facts.dates import MONTHS
from rag.languages import Patterns
from rag.types import Chunk, Document
from rag.types.documents import Metadata

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction, Sought
    from rag.questions.expects import Wording
    from rag.store.store import Store

_RE = Patterns(__file__)


class Finance(Field):
    """The field of finance; see `rag.domains.Domain`."""

    columns = ("year", "form")
    # What stands in capitals in titles of accounts and begins questions.
    common_words = _RE.words("common") | MONTHS.keys()

    def describe(self, document: Document, known: Metadata) -> Metadata:
        """Company, form and fiscal period of a report; {} for a legal text."""
        from rag.domains.finance.reports import describe_report

        return {} if "authority" in known else describe_report(document)

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        """The statements, notes and sections of a report (`rag.domains.finance.sections.KINDS`)."""
        from rag.domains.finance.sections import kinds_between, roles

        found = roles(document)
        return [kinds_between(found, p.start, p.end) for p in passages] if found else ()

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.finance.concepts import asked_reports

        return asked_reports(wording, catalogue)

    def sought(self, wording: Wording) -> tuple[Sought, ...]:
        """The statements and line items that the question's concepts need."""
        from rag.domains.finance.concepts import sought_items

        return sought_items(wording.text)

    def sources(self, store: Store) -> frozenset[int]:
        """The documents that are financial reports."""
        from rag.domains.finance.concepts import reports

        return reports(store)
