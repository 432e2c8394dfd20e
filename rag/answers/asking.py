"""A question back: where a question names no document, and the best sentences of at least three documents
answer it alike, each with another value, the reader is asked which document is intended. Where there is
doubt of that, nothing is asked: a needless question back is worse than an answer from the best document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from rag.answers.compose import Basis, citation, quote_claim, render_text
from rag.documents.validity import ended
from rag.languages import say
from rag.languages.text import normalise, search_tokens
from rag.questions.expects import KINDS, AnswerType
from rag.questions.query import Query
from rag.search.candidates import answers_in
from rag.search.evidence import Selection
from rag.types import Answer, Evidence, Filters, Outcome

# Rivals stand in as many documents, and score at least this share of the best; of the question's content they
# hold at least half.
_DOCUMENTS, _ALIKE, _HELD = 3, 0.75, 0.5
_VALUES = frozenset({*KINDS, AnswerType.DATE})
_ENDS = " \t\r\n.?!。？！"


def ambiguous(query: Query, found: Selection, filters: Filters | None = None) -> tuple[Evidence, ...]:
    """The best sentence of each document that answers the question as well as the best one does, with another
    value than the others; () for fewer than three, for a question that names anything or was completed from a
    conversation, where documents were chosen, and where one of the sentences holds more of the question than
    the best does."""
    named = query.constraints or query.names or query.labelled or query.numbers or query.periods
    if named or query.completed or query.expects not in _VALUES or (filters and filters.documents):
        return ()
    first: dict[int, Evidence] = {}
    for e in found.evidence:
        first.setdefault(e.document.id, e)
    alike = [
        e for e in first.values() if e.score >= _ALIKE * found.evidence[0].score and not ended(e.document)
    ]
    content = frozenset(query.content)
    said = {e.number: "\n".join([e.document.title, *e.heading_path, e.header, e.text]) for e in alike}
    held = {number: content.intersection(search_tokens(text)) for number, text in said.items()}
    best = held.get(1, frozenset())
    if len(best) < _HELD * max(1, len(content)) or any(own > best for own in held.values()):
        return ()
    known = normalise(query.text)
    by_value: dict[frozenset[str], Evidence] = {}
    for e in (e for e in alike if held[e.number] == best):
        spans = answers_in(e.text, query.expects, known)
        values = frozenset(normalise(e.text[span.start : span.end]) for span in spans)
        if values:
            by_value.setdefault(values, e)
    titles = {_title(e) for e in by_value.values()}
    apart = all(not (a & b) for a in by_value for b in by_value if a is not b)
    return tuple(by_value.values()) if apart and len(titles) == len(by_value) >= _DOCUMENTS else ()


def ask_back(basis: Basis, rivals: Sequence[Evidence]) -> Answer:
    """The question back, with each rival's words, and the same question within each document as choices."""
    language, question = basis.language, basis.query.asked.strip(_ENDS)
    titles = [_title(e) for e in rivals]
    titles = [
        f"{t} ({PurePosixPath(e.document.path).stem})" if sum(t in other for other in titles) > 1 else t
        for t, e in zip(titles, rivals, strict=True)
    ]
    line = say("answers.which", language, titles=titles)
    quotes = render_text([quote_claim(e, language) for e in rivals], rivals)
    choices = tuple(say("answers.within", language, question=question, title=title) for title in titles)
    return replace(
        basis.answer(line, f"{line}\n\n{quotes}", choices=choices),
        verdict=Outcome.NEARBY,
        quotes=tuple(map(citation, rivals)),
    )


def _title(e: Evidence) -> str:
    return e.document.title or e.document.path
