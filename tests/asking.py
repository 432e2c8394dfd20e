"""Questions as the stages take them, understood without an index."""

from __future__ import annotations

from rag.documents.catalogue import Catalogue
from rag.domains import load_domains
from rag.questions.query import Query, Readers, understand
from tests.catalogues import catalogue

NOTHING = catalogue()


def asked(question: str, documents: Catalogue = NOTHING) -> Query:
    """The question, held against these documents by all fields and their lexicon."""
    domains = load_domains()
    return understand(question, Readers(documents, domains.each, domains.lexicon))
