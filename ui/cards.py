"""Passages as cards, what was understood of a question and why each passage was chosen, what was searched;
how the figures of an answer were come by; and an answer as plain text for somebody else's document. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from markupsafe import Markup

from rag.answers.line import row_line
from rag.documents.validity import ended
from rag.languages import LANGUAGES, named, say
from rag.search.explain import (
    gap_words,
    is_informative,
    leg_words,
    loss_words,
    note_values,
    reason_words,
    short,
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
    Filters,
    Gap,
    Hit,
    MarkKind,
    Note,
    Outcome,
)
from rag.types.documents import withdrawn
from ui.filters import limits
from ui.markup import button, folded, join, label, name, note, tag
from ui.texts import Texts

_REASONS = 5


def citation_button(number: int, turn: int, texts: Texts) -> Markup:
    """An inline [n] that opens the source pane."""
    words = texts.open_source.format(number=number)
    return button(f"[{number}]", "cw-cite", "cite", data_turn=turn, data_number=number, aria_label=words)


def evidence_list(
    evidence: tuple[Evidence, ...], turn: int, texts: Texts, *, unfolded: bool = True
) -> Markup:
    """The evidence of one exchange, folded where `unfolded` is False; nothing where there is none."""
    if not evidence:
        return Markup("")
    found = texts.evidence_found if len(evidence) > 1 else texts.evidence_found_one
    cards = tag("ol", [evidence_card(e, turn, texts) for e in evidence], class_="cw-cards")
    return folded(texts.evidence, found.format(count=len(evidence)), cards, "cw-evidence", unfolded=unfolded)


def evidence_card(e: Evidence, turn: int, texts: Texts) -> Markup:
    """A statement in the document's own words, with where it stands."""
    header = tag("span", e.header, class_="cw-header") if e.header else None
    words = table_row(e.row) or tag("p", header, e.text, class_="cw-quote")
    return _card("cite", e.number, turn, citation_button(e.number, turn, texts), [words, _about(e, e, texts)])


def table_row(row: Sequence[tuple[str, str]], marked: Sequence[int] = ()) -> Markup | None:
    """A row of a table below its heads, cells that hold the answer `marked`; nothing for fewer than two."""
    shown = [n for n, (head, cell) in enumerate(row) if head or cell]
    if len(shown) < 2:
        return None
    heads = tag("tr", [tag("th", row[n][0], scope="col") for n in shown])
    cells = [tag("td", tag("mark", row[n][1]) if n in marked else row[n][1]) for n in shown]
    head = tag("thead", heads) if any(row[n][0] for n in shown) else None
    return tag("div", tag("table", head, tag("tbody", tag("tr", cells))), class_="cw-row")


def nearest_card(position: int, hit: Hit, turn: int, texts: Texts) -> Markup:
    hint = texts.open_source.format(number=position + 1)
    opener = button("↗", "cw-cite", "near", data_turn=turn, data_number=position, aria_label=hint)
    words = tag("p", hit.chunk.text, class_="cw-quote cw-quote--clamped")
    return _card("near", position, turn, opener, [words, _about(hit, hit.chunk, texts)])


def _card(action: str, number: int, turn: int, opener: Markup, body: list[Markup]) -> Markup:
    acts: dict[str, str | int] = {"data_action": action, "data_turn": turn, "data_number": number}
    return tag("li", opener, tag("div", body), class_="cw-card", **acts)


def _about(found: Evidence | Hit, passage: Evidence | Chunk, texts: Texts) -> Markup:
    where = place(found.document, passage, texts)
    kind = passage.withdrawn if isinstance(passage, Evidence) else withdrawn(passage.roles)
    notes = (withdrawn_note(kind, texts), validity_note(found.document, texts))
    return tag("p", where, notes, relevance(found, texts), class_="cw-place")


def withdrawn_note(kind: MarkKind | None, texts: Texts) -> Markup | None:
    """That the words do not stand: struck, deleted, or hidden; nothing where they do."""
    words = named("withdrawn", kind, texts.code) if kind else ""
    return tag("span", words, class_="cw-ended", role="note") if kind else None


def validity_note(document: DocumentInfo, texts: Texts) -> Markup | None:
    """That the document has been superseded or repealed, by what and when; nothing where it is in force."""
    force = ended(document)
    if force is None:
        return None
    kind = texts.superseded if force.reason == "superseded" else texts.repealed
    by = texts.ended_by.format(name=force.by_name) if force.by_name else ""
    return tag("span", kind.format(by=by, date=force.end), class_="cw-ended", role="note")


def place(document: DocumentInfo, passage: Evidence | Chunk, texts: Texts) -> Markup:
    """Document, page or cell range; the file name too where the title does not already say it."""
    where = _where(document.title, document.path, passage, texts)
    return _spans(where)


def _spans(where: Iterable[tuple[str, str]]) -> Markup:
    return join(tag("span", text if part == "cw-page" else name(text), class_=part) for part, text in where)


def _where(
    title: str, path: str, passage: Evidence | Chunk | Citation, texts: Texts
) -> Iterator[tuple[str, str]]:
    """What `place` is made of: class and words."""
    yield "cw-doc", title or path
    if title and title not in path:
        yield "cw-path", path
    if passage.page is not None:
        yield "cw-page", texts.page.format(page=passage.page)
    if passage.location:
        yield "cw-page", passage.location


def relevance(found: Evidence | Hit, texts: Texts) -> Markup:
    return tag("span", texts.relevance.format(score=f"{found.score:.2f}"), class_="cw-score")


def explanation(
    notes: Sequence[Note], relaxed: Sequence[Gap], filters: Filters, texts: Texts
) -> Markup | None:
    """The lines above an answer: what the question names, what the search was limited to, what gave way;
    nothing for a question that names nothing in a search of everything."""
    matters = [
        tag(
            "li",
            tag("span", named("matters", note.what, texts.code)),
            " ",
            name(note_values(note, texts.code)),
        )
        for note in short(notes)
    ]
    within = [tag("li", name(words)) for words in limits(filters, texts)]
    gaps = [tag("p", gap_words(gap, texts.code), class_="cw-gap", role="note") for gap in relaxed]
    if not (matters or within or gaps):
        return None
    lines = (_line(texts.understood, matters), _line(texts.limited, within))
    return tag("div", lines, gaps, class_="cw-understood")


def _line(title: str, items: Sequence[Markup]) -> Markup | None:
    return tag("div", label(title), tag("ul", items), class_="cw-named") if items else None


def why(hits: Sequence[Hit], texts: Texts) -> Markup | None:
    """For each passage where it stands in both searches and the reasons that weigh most, folded; nothing
    where no hit has reasons."""
    rows = [_why_one(hit, texts) for hit in hits if any(map(is_informative, hit.reasons))]
    listed = tag("ol", rows, class_="cw-why-list")
    return folded(texts.why, texts.why_note, listed, "cw-why") if rows else None


def _why_one(hit: Hit, texts: Texts) -> Markup:
    reasons = [
        tag(
            "li",
            tag("span", f"{reason.adds:+.1f}".replace("-", "−"), class_="cw-adds"),
            tag("span", reason_words(reason, texts.code)),
            class_="cw-against" if reason.adds < 0 else None,
        )
        for reason in list(filter(is_informative, hit.reasons))[:_REASONS]
    ]
    legs = say("search.legs", texts.code, legs=[leg_words(leg, texts.code) for leg in hit.legs])
    return tag(
        "li",
        tag("p", place(hit.document, hit.chunk, texts), relevance(hit, texts)),
        tag("p", legs, class_="cw-note") if legs else None,
        tag("ul", reasons),
    )


def certificate(c: Certificate, texts: Texts) -> Markup:
    """What was searched: counts, unreadable files, the best score against the threshold, scope and method."""
    unread = [(path, texts.statuses.get(status, status)) for path, status in c.unreadable]
    unread += [(path, loss_words(losses, texts.code)) for path, losses in c.losses]
    listed = [tag("li", name(path), " ", tag("em", why)) for path, why in unread]
    rows = [
        (texts.searched_documents, f"{c.documents:,}"),
        (texts.searched_passages, f"{c.passages:,}"),
        (texts.unreadable, tag("ul", listed) if listed else texts.none),
        (texts.best_score, _meter(c, texts)),
        (texts.scope_used, c.scope or texts.whole_index),
        (texts.method, texts.method_dense if c.dense else texts.method_lexical),
    ]
    return tag("dl", [join([tag("dt", label), tag("dd", value)]) for label, value in rows], class_="cw-dl")


def _meter(c: Certificate, texts: Texts) -> Markup:
    words = f"{c.confidence:.2f} · {texts.threshold} {c.least:.2f}"
    if c.confidence < c.least:
        words += f" · {texts.below}"
    fill = tag("span", class_="cw-meter-fill", style=f"width:{_percent(c.confidence)}%")
    line = tag("span", class_="cw-meter-line", style=f"left:{_percent(c.least)}%")
    bar = tag("span", fill, line, class_="cw-meter", aria_hidden="true")
    return join([bar, tag("span", words)])


def _percent(score: float) -> int:
    return round(100 * min(max(score, 0.0), 1.0))


def copy_text(a: Answer, texts: Texts) -> str:
    """The answer as plain text: the line, the verdict, further sentences (those not fully supported say so),
    cautions, and what the line rests on as numbered references: document, page, quote."""
    if a.talk:
        return f"{a.question}\n\n{a.text}"
    c = a.certificate
    lines = [a.question, "", _marked(a.line, a.marks), outcome_words(a, texts)]
    lines += [_copied_claim(claim, texts) for claim in a.further]
    lines += a.cautions
    if a.verdict is not Outcome.ANSWERED:
        lines += [f"{texts.searched_documents}: {c.documents}", f"{texts.searched_passages}: {c.passages}"]
    if a.quotes:
        lines += ["", texts.references]
        lines += [_reference(c, texts) for c in a.quotes]
    return "\n".join(lines)


def outcome_words(a: Answer, texts: Texts) -> str:
    """The verdict in words, with its confidence."""
    return f"{texts.verdicts[a.verdict]} · {texts.confidence.format(score=f'{a.confidence:.2f}')}"


def quoted(c: Citation, turn: int, texts: Texts, *, words: bool = True, marked: Sequence[int] = ()) -> Markup:
    """Words that the line rests on and where they stand, that alone where the line is these words. Of a row
    the cells `marked` hold the answer."""
    where = _spans(_where(c.title, c.document, c, texts))
    header = tag("span", c.header, class_="cw-header") if c.header else None
    quote = table_row(c.row, marked) or tag("p", header, tag("q", c.quote), class_="cw-quote")
    about = tag("span", texts.exact_words), withdrawn_note(c.withdrawn, texts)
    place = tag("p", where, about, class_="cw-place")
    return _card(
        "cite",
        c.number,
        turn,
        citation_button(c.number, turn, texts),
        [join([quote if words else None, place])],
    )


def _copied_claim(c: Claim, texts: Texts) -> str:
    caution = "" if c.state is ClaimState.SUPPORTED else f" ({texts.states[c.state]})"
    return _marked(c.text, c.citations) + caution


def _marked(text: str, numbers: Sequence[int]) -> str:
    return f"{text} {''.join(f'[{n}]' for n in numbers)}".rstrip()


def _reference(c: Citation, texts: Texts) -> str:
    where = [words for _, words in _where(c.title, c.document, c, texts)]
    quote = row_line(c.row) or " ".join(c.words.split())
    return f"[{c.number}] {', '.join(where)}: “{quote}”"


def without_working(claim: Claim, a: Answer) -> Claim:
    """A sentence that code made of a figure, without the formula and working that stand below it."""
    text = claim.text
    for one in () if claim.quoted else a.working:
        for code in LANGUAGES if (how := one.derivation) else ():
            text = text.replace(say("figures.how", code, how=how), "")
    return replace(claim, text=text)


def calculations(a: Answer, turn: int, texts: Texts) -> Markup | None:
    """Formula, working and inputs of each figure; an input opens the cell that it was read from."""
    numbers = count()
    rows = [_calculation(one, numbers, turn, texts) for one in a.working]
    return tag("div", rows, class_="cw-calculations") if rows else None


def _calculation(one: Calculation, numbers: Iterator[int], turn: int, texts: Texts) -> Markup:
    details = [
        (texts.formula, f"{one.name} = {one.formula}" if one.formula else ""),
        (texts.with_numbers, one.working),
    ]
    inputs = [tag("li", _input(figure, next(numbers), turn, texts)) for figure in one.inputs]
    notes = [tag("li", words) for words in one.notes]
    return tag(
        "section",
        tag("h4", texts.worked_out if one.formula else texts.read_from, class_="cw-label"),
        tag(
            "p",
            tag("span", one.name),
            tag("span", one.result.period, class_="cw-period") if one.result.period else None,
            tag("b", one.result.printed or f"{one.result.value} {one.result.unit}".strip()),
            class_="cw-result",
        ),
        tag("dl", [(tag("dt", name), tag("dd", words)) for name, words in details if words], class_="cw-dl"),
        [tag("p", texts.inputs, class_="cw-label"), tag("ul", inputs, class_="cw-inputs")]
        if inputs
        else None,
        tag("ul", notes, class_="cw-calc-notes") if notes else None,
        class_="cw-calc",
        aria_label=one.name,
    )


def _input(figure: Figure, number: int, turn: int, texts: Texts) -> list[Markup | None]:
    printed = figure.printed or str(figure.value)
    if figure.citation is None:
        origin = texts.calculated if not figure.printed else texts.from_question
        value = tag("span", tag("b", printed), " ", note(origin))
    else:
        value = button(
            [tag("b", printed), " ", f"[{figure.citation}]"],
            "cw-cell",
            "figure",
            data_turn=turn,
            data_number=number,
            aria_label=texts.open_cell.format(printed=f"{figure.label} {figure.period}: {printed}"),
        )
    return [
        tag("span", figure.label, class_="cw-input-label"),
        tag("span", figure.period, class_="cw-period") if figure.period else None,
        value,
    ]
