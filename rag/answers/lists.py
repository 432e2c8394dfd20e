"""A list that a question asks for, quoted whole: all items under the words or the heading that lead into it,
with their count, over however many passages they stand."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answers.choosing import given
from rag.answers.grid import HeldWords, cited
from rag.answers.line import counted
from rag.domains.finance.figures import Computed
from rag.languages import patterns, say
from rag.languages.text import cues, has_han, in_one_piece, normalise, search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Block, BlockKind, Evidence, Hit, LeadIn
from rag.types.documents import path_words

_RE = patterns("listing")
_MOST = 60
_ENDS = " \t;；,，.。"


def find_list(query: Query, hits: Sequence[Hit], store: Store) -> Computed | None:
    """All items of the one list that a question asks for; None for any other question, and where no list, or
    more than one, is called so."""
    asked = _RE["items"].search(query.text.strip())
    kind = next(filter(None, asked.groups()), "").strip() if asked else ""
    if not kind or query.withdrawn or query.questions:
        return None
    words = [w for w in given(query).unheld() if w not in search_tokens(kind) and w not in kind]
    found: dict[tuple[int, int], tuple[Hit, LeadIn]] = {}
    for hit in hits:
        document, above = hit.document, hit.chunk.heading_path
        for lead in hit.chunk.leads:
            about = HeldWords(document.title, path_words(document.path), *above, lead.text)
            inner = any(one.start < lead.start < one.until for one in hit.chunk.leads)
            if not inner and _called(kind, lead, above[-1:]) and all(map(about.hold, words)):
                found.setdefault((document.id, lead.start), (hit, lead))
    if len(found) != 1:
        return None
    ((hit, lead),) = found.values()
    document, rows = hit.document, list[Evidence]()
    for start, end in zip(lead.items, (*lead.items[1:], lead.until), strict=True):
        stop = start + len(store.text(document.id, start, end).rstrip())
        item = Block(BlockKind.LIST_ITEM, start, stop, hit.chunk.heading_path)
        row = cited(store, document, item, len(rows) + 1, (lead,))
        rows += [row] if row.withdrawn is None else []
    if not 2 <= len(rows) <= _MOST:
        return None
    items = [in_one_piece(_RE["last"].sub("", e.text[counted(e.text) :].strip(_ENDS))) for e in rows]
    line = say("answers.items", query.language, count=len(rows), kind=kind, items=items)
    return Computed(tuple(rows), (), ((line, tuple(e.number for e in rows)),))


def _called(kind: str, lead: LeadIn, above: Sequence[str]) -> bool:
    """Whether a list is called so by what leads into it or its heading; exclusions are also what words that
    say "not" lead into."""
    over = "\n".join([lead.text, *above])
    held = HeldWords(over)
    if all(map(held.hold, [kind] if has_han(kind) else search_tokens(kind))):
        return True
    denies = any(cue.group in ("negation", "denial") for cue in cues(normalise(over)))
    return denies and _RE["excluded"].search(kind) is not None
