"""A list that a question asks for, quoted whole: all items under the words or the heading that lead into it,
with their count, over however many passages they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answers.bearing import of_other_degree
from rag.answers.choosing import given
from rag.answers.grid import MEASURED, HeldWords, cited
from rag.answers.line import counted, line_of
from rag.answers.ranges import IN, OUT
from rag.domains.finance.figures import Computed
from rag.facts.values import Range, read, relation
from rag.languages import patterns, say
from rag.languages.text import cues, denials, has_han, in_one_piece, normalise, search_tokens
from rag.questions.query import Query
from rag.store.store import Store
from rag.types import Block, BlockKind, Claim, ClaimState, Evidence, Hit, LeadIn
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
    rows = _rows_of(hit, lead, store)
    if not 2 <= len(rows) <= _MOST:
        return None
    items = [in_one_piece(_RE["last"].sub("", e.text[counted(e.text) :].strip(_ENDS))) for e in rows]
    verb = asked and asked.lastgroup in ("c", "v", "w", "x")  # which is not counted as a noun is
    called, key = (
        (lead.text.rstrip(_ENDS + ":："), "answers.items_under") if verb else (kind, "answers.items")
    )
    line = say(key, query.language, count=len(rows), kind=called, items=items)
    return Computed(tuple(rows), (), ((line, tuple(e.number for e in rows)),))


def _rows_of(hit: Hit, lead: LeadIn, store: Store) -> list[Evidence]:
    """The items under a lead, as they are cited."""
    rows = list[Evidence]()
    for start, end in zip(lead.items, (*lead.items[1:], lead.until), strict=True):
        stop = start + len(store.text(hit.document.id, start, end).rstrip())
        item = Block(BlockKind.LIST_ITEM, start, stop, hit.chunk.heading_path)
        row = cited(store, hit.document, item, len(rows) + 1, (lead,))
        rows += [row] if row.withdrawn is None else []
    return rows


def find_excluded(query: Query, hits: Sequence[Hit], store: Store) -> Computed | None:
    """The item of a list of what is not allowed, or not covered, that holds what a question for yes or no
    asks about, with a "no" in front where no value or exception is left open; None for anything else."""
    if not query.whether or query.withdrawn or query.questions:
        return None
    asked = given(replace(query, text=_RE["light"].sub(" ", query.text)))
    words, found = asked.unheld(), dict[int, tuple[Evidence, bool]]()
    for hit in hits:
        for lead in hit.chunk.leads:
            over = "\n".join([*hit.chunk.heading_path[-1:], lead.text])
            about = HeldWords(hit.document.title, path_words(hit.document.path), over)
            for row in _rows_of(hit, lead, store) if denials(over) else ():
                item, stated = (
                    HeldWords(row.text),
                    [v for v in read(row.text[counted(row.text) :]) if v.kind in MEASURED],
                )
                where = {relation(a, b) for a in asked.values for b in stated if isinstance(b, Range)}
                named = any(item.hold(w) and not about.hold(w) for w in words) or bool(where)
                denied = denials(query.text) > denials(row.text)
                if named and not denied and all(item.hold(w) or about.hold(w) for w in words):
                    if not where.isdisjoint(OUT) or of_other_degree(query, row.text):
                        return None
                    unless = any(cue.group == "condition" for cue in cues(normalise(f"{over}\n{row.text}")))
                    found[row.start] = row, unless or (bool(stated) and where.isdisjoint(IN))
    if len(found) != 1:
        return None
    ((row, open_),) = found.values()
    row = replace(row, number=1)
    line = line_of(Claim("", ClaimState.SUPPORTED, (1,), quoted=True), (row,)).strip(_ENDS)
    line = _RE["last"].sub("", line).strip(_ENDS)
    return Computed((row,), (), ((line if open_ else say("answers.no", query.language, line=line), (1,)),))


def _called(kind: str, lead: LeadIn, above: Sequence[str]) -> bool:
    """Whether a list is called so by what leads into it or its heading; exclusions are also what words that
    say "not" lead into."""
    over = "\n".join([lead.text, *above])
    held = HeldWords(over)
    if all(map(held.hold, [kind] if has_han(kind) else search_tokens(kind))):
        return True
    return denials(over) > 0 and _RE["excluded"].search(kind) is not None
