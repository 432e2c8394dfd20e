"""Medicine: the subject of a page, by its title, and the words of patients and of physicians."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domains import Field
from rag.facts.names import squash
from rag.languages.text import has_han
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
        if known.get("company") or known.get("law"):
            return {}
        subject, others = subject_names(document.title)
        return {"subject": subject, "names": others}

    def asked(self, wording: Wording, catalogue: Catalogue) -> Restriction:
        from rag.domains.medicine.naming import asked_subjects

        return asked_subjects(wording, catalogue)


# What a page is about

_FRAME = re.compile(
    r"^(?:what (?:is|are|was|were)(?: \(are\))?(?: the [\w -]{2,60}? (?:of|for|about|related to"
    r"|associated with))?"
    r"|what (?:causes|treats)|what (?:research|to know)[\w ()]{0,40}? (?:for|about|on)"
    r"|how (?:is|are|do|does|to|can|should|many|common)\b[\w ,()-]{0,60}? (?:by|of|for|with|about"
    r"|prevent|treat|diagnose|take|use)"
    r"|how (?:to|do you|can i) (?:prevent|treat|diagnose|manage)"
    r"|do you have (?:any )?information (?:about|on)"
    r"|where (?:to|can i) find [\w ]{0,40}? (?:with|for|about)|who (?:is|are) at risk (?:for|of)|is"
    r"|are|about|facts about|understanding"
    r"|overview of|introduction to|guide to|questions to ask [\w ]{0,20}? (?:before|about))\s+(?:an? |the )?",
    re.I,
)
_TAIL = re.compile(r"\s*(?:\?|inherited|overview|contagious|fact ?sheet|guidelines?)\s*\?*$", re.I)
_ALSO = re.compile(
    r"\s*\(?\b(?:also (?:called|known as)|aka|formerly)\s*[:：]?\s*(?P<names>[^()]*(?:\([^()]*\)[^()]*)*)\)?",
    re.I,
)
_BRACKET = re.compile(r"\s*[(（]([^()（）]{2,60})[)）]")
_ASIDE = re.compile(r"\s+[-–—:]\s+|:\s+|：")
_GENERIC = frozenset(
    "background objective objectives purpose introduction abstract summary methods results overview aims aim "
    "contents tableofcontents readme document untitled index notes draft report letter memo home page".split()
)
_ZH_FRAME = re.compile(
    r"^(?:什么是|关于|浅谈|如何(?:治疗|预防|使用|应对)|怎[么样](?:治疗|预防|使用))|(?:是什么(?:病|药|意思)?|说明书|使用说明|诊疗(?:指南|规范)|临床路径|的?(?:症状|治疗|病因|预防"
    r"|用法用量|不良反应|简介|概述|介绍|百科|护理))?[?？]?$"
)
_MOST_WORDS = 14


def subject_names(title: str) -> tuple[str, tuple[str, ...]]:
    """(subject, other names of it) of a page with such a title; ("", ()) where the title is no name: a
    number, a common heading, a sentence."""
    text = " ".join(title.split())
    if " " not in text and re.fullmatch(r"[a-z]+(?:[-_][a-z]+)+", text):
        text = re.sub("[-_]", " ", text)  # a file name in place of a title
    others: list[str] = []
    if m := _ALSO.search(text):
        others = [n.strip() for n in re.split(r"[;；]", m["names"])]
        text = text[: m.start()].strip()
    if has_han(text):
        subject, more = _chinese(text)
        return subject, tuple(more)
    text = _TAIL.sub("", text.strip(" ?."))
    text = _FRAME.sub("", text, count=1) if _FRAME.match(text) and len(text.split()) > 1 else text
    others += [b for b in _BRACKET.findall(text) if len(b.split()) <= 6]
    text = _BRACKET.sub("", text).strip(" ?.,")
    parts = _ASIDE.split(text)
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
    others = [b for b in _BRACKET.findall(text) if len(b) <= 12 and not re.match(r"\d{4}年", b)]
    bare = _BRACKET.sub("", text).strip("《》 。？?")
    subject = _ZH_FRAME.sub("", bare).strip() or bare
    parts = [p for p in _ASIDE.split(subject) if p]
    if not 2 <= len(subject) <= 40 or re.search("[，。；]", subject):
        return "", []
    others += [bare] if bare != subject else []
    others += [p for p in re.split(r"[-－—:：\s]+", bare) if len(p) >= 3 and p not in (subject, bare)]
    return (parts[0] if parts else subject), list(dict.fromkeys(others))
