"""Medicine: the subject of a page, by its title, and the words of patients and of physicians."""

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
class Medicine:
    """The field of medicine; see `rag.domains.Domain`."""

    lexicon: Path = _HERE / "lexicon.toml"
    describes_rest: bool = True
    # The "subject" of a file's properties is a free remark; ours is what the page is about.
    own_keys: frozenset[str] = frozenset(("subject",))
    columns: tuple[str, ...] = ("subject",)

    def describe(self, document: Document, known: Mapping[str, str]) -> Mapping[str, str]:
        """The subject and its other names, of any page that is neither a company's nor a statute."""
        from rag.domains.medicine.subjects import subject_names

        if known.get("company") or known.get("law"):
            return {}
        subject, others = subject_names(document.title)
        return {"subject": subject, "names": "|".join(others)}

    def roles(self, document: Document, passages: Sequence[Chunk]) -> Sequence[tuple[str, ...]]:
        return ()

    def asked(self, question: str, catalogue: Catalogue) -> Restriction:
        from rag.domains.medicine.naming import asked_subjects

        return asked_subjects(question, catalogue)

    def sought(self, question: str) -> tuple[Sought, ...]:
        return ()

    def ranks(self, document_id: int, catalogue: Catalogue) -> Mapping[str, float]:
        return {}

    def sources(self, store: Store) -> frozenset[int]:
        return frozenset()
