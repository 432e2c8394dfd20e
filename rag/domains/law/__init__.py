"""Law: names, rank and force of statutes.

What searches is imported where it is needed: a worker that reads files loads nothing of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.domains.law.statutes import describe_statute, validity
from rag.types import Document

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction
    from rag.questions.expects import Wording


class Law(Field):
    """The field of law; see `rag.domains.Domain`."""

    lexicon = Path(__file__).with_name("lexicon.toml")
    own_keys = frozenset(("issued", "effective", "amended", "repealed", "review", "repeals"))
    columns = ("law",)

    def describe(self, document: Document, known: Mapping[str, str]) -> Mapping[str, str]:
        """Name, rank and year of a statute, rank and year of a case, and when a text of any kind is in
        force."""
        return {**describe_statute(document), **validity(document)}

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.law.naming import asked_statutes

        return asked_statutes(wording, catalogue)

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        """The rank of a legal text, 0.5 for what is none."""
        from rag.domains.law.naming import AUTHORITY, UNRANKED

        info = catalogue.documents.get(document_id)
        rank = info.metadata.get("authority", "") if info else ""
        return {"authority": AUTHORITY.get(rank, UNRANKED)}
