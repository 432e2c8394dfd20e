"""Medicine: the subject of a page, by its title, and the words of patients and of physicians."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.facts.names import squash
from rag.languages import Patterns
from rag.languages.text import has_han
from rag.types import Document
from rag.types.documents import Metadata

if TYPE_CHECKING:
    from rag.documents.catalogue import Catalogue
    from rag.questions.constraints import Restriction
    from rag.questions.expects import Wording


class Medicine(Field):
    """The field of medicine; see `rag.domains.Domain`."""

    describes_rest = True
    # The "subject" of a file's properties is a free remark; ours is what the page is about.
    own_keys = frozenset(("subject",))
    columns = ("subject",)

    def describe(self, document: Document, known: Metadata) -> Metadata:
        """The subject and its other names, of any page that is neither a company's nor a statute."""
        if known.get("company") or known.get("law"):
            return {}
        subject, others = subject_names(document.title)
        return {"subject": subject, "names": others}

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.medicine.naming import asked_subjects

        return asked_subjects(wording, catalogue)


# What a page is about

_RE = Patterns(__file__)
_GENERIC = _RE.words("generic")
_MOST_WORDS = 14


def subject_names(title: str) -> tuple[str, tuple[str, ...]]:
    """(subject, other names of it) of a page with such a title; ("", ()) where the title is no name: a
    number, a common heading, a sentence."""
    text = " ".join(title.split())
    if " " not in text and re.fullmatch(r"[a-z]+(?:[-_][a-z]+)+", text):
        text = re.sub("[-_]", " ", text)  # a file name in place of a title
    others: list[str] = []
    if m := _RE["also"].search(text):
        others = [n.strip() for n in re.split(r"[;；]", m["names"])]
        text = text[: m.start()].strip()
    if has_han(text):
        subject, more = _chinese(text)
        return subject, tuple(more)
    text = _RE["tail"].sub("", text.strip(" ?."))
    text = _RE["frame"].sub("", text, count=1) if _RE["frame"].match(text) and len(text.split()) > 1 else text
    others += [b for b in _RE["bracket"].findall(text) if len(b.split()) <= 6]
    text = _RE["bracket"].sub("", text).strip(" ?.,")
    parts = _RE["aside"].split(text)
    subject = parts[0].strip()
    if len(parts) > 1:
        others.append(text)
    if not _is_name(subject):
        return "", ()
    named = (n for n in dict.fromkeys(others) if _is_name(n) and squash(n) != squash(subject))
    return subject, tuple(named)


def _is_name(text: str) -> bool:
    key = squash(text)
    return (
        len(key) > 1
        and sum(c.isalpha() for c in key) * 2 >= len(key)
        and key not in _GENERIC
        and len(text.split()) <= _MOST_WORDS
    )


def _chinese(text: str) -> tuple[str, list[str]]:
    others = [b for b in _RE["bracket"].findall(text) if len(b) <= 12 and not re.match(r"\d{4}年", b)]
    bare = _RE["bracket"].sub("", text).strip("《》 。？?")
    subject = _RE["zh_frame"].sub("", bare).strip() or bare
    parts = [p for p in _RE["aside"].split(subject) if p]
    if not 2 <= len(subject) <= 40 or re.search("[，。；]", subject):
        return "", []
    others += [bare] if bare != subject else []
    others += [p for p in re.split(r"[-－—:：\s]+", bare) if len(p) >= 3 and p not in (subject, bare)]
    return (parts[0] if parts else subject), list(dict.fromkeys(others))
