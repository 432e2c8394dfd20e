"""Law: names, rank and force of statutes.

Modules are imported where they are needed: a worker that reads files loads nothing of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.types import Document, Relation, RelationKind
from rag.types.documents import Metadata, single

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction
    from rag.questions.expects import Wording


class Law(Field):
    """The field of law; see `rag.domains.Domain`."""

    own_keys = frozenset(("issued", "effective", "amended", "repealed", "review"))
    columns = ("law",)

    def describe(self, document: Document, known: Metadata) -> Metadata:
        """Name, rank and year of a statute, rank and year of a case, and when a text of any kind is in
        force."""
        from rag.domains.law.statutes import describe_statute, validity

        return {**describe_statute(document), **validity(document)}

    def relations(self, document: Document) -> Sequence[Relation]:
        """The texts that a text of any kind amends, which may be itself, and repeals, from the day when it is
        in force."""
        from rag.documents.amendments import amendments
        from rag.documents.validity import stated
        from rag.domains.law.statutes import repeals

        start = stated(document.metadata).start or single(document.metadata, "dated")
        amended = dict.fromkeys(a.reference.target or document.title for a in amendments(document))
        amends = [Relation(RelationKind.AMENDS, name, start) for name in amended if name]
        return [*amends, *(Relation(RelationKind.REPEALS, name, start) for name in repeals(document))]

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.law.naming import asked_statutes

        return asked_statutes(wording, catalogue)

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        """The rank of a legal text, 0.5 for what is none."""
        from rag.domains.law.naming import AUTHORITY, UNRANKED

        info = catalogue.documents.get(document_id)
        rank = single(info.metadata, "authority") if info else ""
        return {"authority": AUTHORITY.get(rank, UNRANKED)}
