"""Medicine: the subject of a page, by its title, and the words of patients and of physicians."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.types import Document
from rag.types.documents import Metadata

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction
    from rag.questions.expects import Wording


class Medicine(Field):
    """The field of medicine; see `rag.domains.Domain`."""

    lexicon = Path(__file__).with_name("lexicon.toml")
    describes_rest = True
    # The "subject" of a file's properties is a free remark; ours is what the page is about.
    own_keys = frozenset(("subject",))
    columns = ("subject",)

    def describe(self, document: Document, known: Metadata) -> Metadata:
        """The subject and its other names, of any page that is neither a company's nor a statute."""
        from rag.domains.medicine.subjects import subject_names

        if known.get("company") or known.get("law"):
            return {}
        subject, others = subject_names(document.title)
        return {"subject": subject, "names": others}

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.medicine.naming import asked_subjects

        return asked_subjects(wording, catalogue)
