"""What the page shows, as HTML: the templates beside this module, which see all of its names, filled with
values, which they escape: the only way for text of a document onto the page. And an answer as plain text for
somebody else's document. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from rag.answers.line import answering, row_line
from rag.documents.description import day_of
from rag.documents.validity import ended
from rag.languages import named, say
from rag.search.explain import (
    gap_words,
    is_informative,
    leg_words,
    loss_words,
    note_values,
    reason_words,
    short,
    standing,
)
from rag.types import (
    Answer,
    Calculation,
    Certificate,
    Chunk,
    Citation,
    Claim,
    ClaimState,
    DocumentInfo,
    Evidence,
    Figure,
    FileStatus,
    Hit,
    Leg,
    Outcome,
    Part,
    Reason,
)
from rag.types.documents import several, single, withdrawn
from ui import LANGUAGES, Texts
from ui.conversation import STAGES, Exchange
from ui.filters import EVERYTHING, KINDS, limits

# The state is a word and a shape; colour only repeats it.
STATE_SHAPES = {ClaimState.SUPPORTED: "✓", ClaimState.PARTIAL: "◐", ClaimState.UNSUPPORTED: "✕"}
OUTCOME_SHAPES = {Outcome.ANSWERED: "✓", Outcome.NEARBY: "◐", Outcome.ABSENT: "∅"}
_MARK = re.compile(r"\[(\d{1,3})\]")
_REASONS = 5
_MOST_LISTED = 200


def fill(part: str, texts: Texts, *values: Any, turn: int = 0) -> Markup:
    """One part of the page by its template and macro, "answer.claim", filled with values."""
    template, _, macro = part.partition(".")
    module = _templates.get_template(f"{template}.html.jinja").make_module({"texts": texts, "turn": turn})
    return Markup(getattr(module, macro)(*values))


def transcript(exchanges: Iterable[Exchange], texts: Texts) -> Markup:
    """The finished exchanges, oldest first."""
    return Markup("").join(exchange(e, texts) for e in exchanges)


def exchange(e: Exchange, texts: Texts) -> Markup:
    """One question with whatever has come back: an answer, a refusal, an error, or the state of the work."""
    return fill("answer.exchange", texts, e, turn=e.number)


def documents(infos: Sequence[DocumentInfo], texts: Texts) -> Markup:
    """Every document of the index; those that could not be read come first, with the reason."""
    if not infos:
        return fill("answer.note", texts, texts.no_documents)
    ordered = sorted(infos, key=lambda d: (d.status is FileStatus.OK, d.path.lower()))
    unfolded = len(ordered) <= 8 or ordered[0].status is not FileStatus.OK
    more = max(0, len(ordered) - _MOST_LISTED)
    return fill("page.documents", texts, ordered[:_MOST_LISTED], more, len(ordered), unfolded)


def described(info: DocumentInfo, kind: str, texts: Texts) -> str:
    """What a document is, as read at its ingest: its format, type, parties and day."""
    meta = info.metadata
    type_of = single(meta, "document_type")
    said = [named("types", type_of, texts.code)] if type_of else []
    said += [", ".join(several(meta, "parties") or several(meta, "company")), day_of(meta)]
    return " · ".join(filter(None, [kind, *said]))


def copy_text(a: Answer, texts: Texts) -> str:
    """The answer as plain text: the line, the verdict, further sentences (those not fully supported say so),
    cautions, and what the line rests on as numbered references: document, page, quote."""
    if a.talk:
        return f"{a.question}\n\n{a.text}"
    c = a.certificate
    stands = standing(a, None, texts.code)
    lines = [a.question, "", _marked(a.line, a.marks), *filter(None, (outcome_words(a, texts), stands))]
    for claim in a.further:
        caution = "" if claim.state is ClaimState.SUPPORTED else f" ({texts.states[claim.state]})"
        lines.append(_marked(claim.text, claim.citations) + caution)
    lines += a.cautions
    if a.verdict is not Outcome.ANSWERED:
        lines += [f"{texts.searched_documents}: {c.documents}", f"{texts.searched_passages}: {c.passages}"]
    if a.quotes:
        lines += ["", texts.references]
    for quote in a.quotes:
        place = ", ".join(words for _, words in where(quote.title, quote.document, quote, texts))
        said = row_line(quote.row) or " ".join(quote.words.split())
        lines.append(f"[{quote.number}] {place}: “{said}”")
    return "\n".join(lines)


def _marked(text: str, numbers: Sequence[int]) -> str:
    return f"{text} {''.join(f'[{n}]' for n in numbers)}".rstrip()


def outcome_words(a: Answer, texts: Texts) -> str:
    return f"{texts.verdicts[a.verdict]} · {texts.confidence.format(score=f'{a.confidence:.2f}')}"


def made_by(a: Answer, texts: Texts) -> str:
    total = a.timings.get("total", sum(a.timings.values()))
    took = texts.took.format(seconds=f"{total:.1f}") if a.timings else ""
    return " · ".join(filter(None, (a.model, took)))


def where(
    title: str, path: str, passage: Evidence | Chunk | Citation, texts: Texts
) -> Iterator[tuple[str, str]]:
    """The pieces of a place, class and words."""
    yield "cw-doc", title or path
    if title and title not in path:
        yield "cw-path", path
    if passage.page is not None:
        yield "cw-page", texts.page.format(page=passage.page)
    if passage.location:
        yield "cw-page", passage.location


def columns(row: Sequence[tuple[str, str]]) -> list[tuple[int, str, str]]:
    """The columns of a row that hold something, by their number; none for fewer than two."""
    shown = [(n, head, cell) for n, (head, cell) in enumerate(row) if head or cell]
    return shown if len(shown) > 1 else []


def is_quote(a: Answer) -> bool:
    """Whether the line is the words of a document as they stand; a row needs its column heads."""
    line = " ".join(a.line.split())
    own = [c for c in a.quotes if c.number in a.marks and not c.heads]
    return any(" ".join(c.words.split()) == line for c in own)


def is_laid_out(a: Answer) -> bool:
    """Whether the text of the answer is more than its sentences in a row: counted, listed by document, set
    side by side."""
    counted = bool(a.claims) and not a.claims[0].quoted
    return a.reading is not None and counted and not a.model and not a.working


def marked_lines(a: Answer) -> Iterator[list[tuple[str, int]]]:
    """The lines of the text below the answer's own line, each as words and the citation behind them."""
    known = {c.number for c in a.citations}
    for line in a.text.removeprefix(a.line).strip().splitlines():
        pieces, at = [], 0
        for mark in _MARK.finditer(line):
            if (number := int(mark[1])) in known:
                pieces.append((line[at : mark.start()], number))
                at = mark.end()
        yield [*pieces, (line[at:], 0)]


def heads_of(c: Claim, a: Answer) -> str:
    """The column headers of a quoted table row: figures without them say nothing."""
    return next((e.header for e in a.evidence if e.heads and c.quoted and e.number in c.citations), "")


def by_part(a: Answer) -> list[tuple[Part, tuple[Claim, ...]]]:
    """The sentences of each part of the question, each once."""
    left = list(a.claims)
    grouped = []
    for one in a.parts:
        own = tuple(c for c in left if one.answered and set(c.citations) & set(one.citations))
        left = [c for c in left if c not in own]
        grouped.append((one, own))
    return grouped


def further_claims(a: Answer) -> list[Claim]:
    made = (without_working(c, a) for c in a.further)
    return [c for c in made if c.text != a.line or c.state is not ClaimState.SUPPORTED]


def without_working(claim: Claim, a: Answer) -> Claim:
    """A sentence that code made of a figure, without the formula and working that stand below it."""
    text = claim.text
    for one in () if claim.quoted else a.working:
        for code in LANGUAGES if (how := one.derivation) else ():
            text = text.replace(say("figures.how", code, how=how), "")
    return replace(claim, text=text)


def numbered_inputs(a: Answer) -> list[tuple[Calculation, list[tuple[int, Figure]]]]:
    """The calculations of an answer with their inputs, counted through."""
    numbers = count()
    return [(one, [(next(numbers), figure) for figure in one.inputs]) for one in a.working]


def percent(score: float) -> int:
    return round(100 * min(max(score, 0.0), 1.0))


def with_reasons(hits: Iterable[Hit]) -> list[tuple[Hit, list[Reason]]]:
    """The passages of which there is something to say, with the reasons that weigh most."""
    found = ((hit, [r for r in hit.reasons if is_informative(r)][:_REASONS]) for hit in hits)
    return [(hit, reasons) for hit, reasons in found if reasons]


def legs_words(legs: Iterable[Leg], code: str) -> str:
    words: str = say("search.legs", code, legs=[leg_words(leg, code) for leg in legs])
    return words


def unread_files(c: Certificate, texts: Texts) -> list[tuple[str, str]]:
    unread = [(path, texts.statuses.get(status, status)) for path, status in c.unreadable]
    return unread + [(path, loss_words(losses, texts.code)) for path, losses in c.losses]


class _OneLine(Extension):
    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template without line breaks and indentation, which would be blanks on the page."""
        return re.sub(r"\s*\n\s*", "", source)


_templates = Environment(
    loader=PackageLoader("ui", "."), autoescape=True, undefined=StrictUndefined, extensions=[_OneLine]
)
_templates.globals.update(globals())
