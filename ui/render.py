"""Exchanges as HTML. Pure: values in, markup out; every string from outside is escaped by `markup.tag`."""

from __future__ import annotations

from markupsafe import Markup

from rag.types import Answer, AnswerKind, Claim, ClaimState, Filters
from ui import reasons as told
from ui.cards import certificate, citation_button, copy_text, evidence_list, explanation, nearest_card, why
from ui.conversation import STAGES, Exchange
from ui.markup import button, folded, join, label, note, tag
from ui.texts import Texts

EVERYTHING = Filters()
# The state is a word and a shape; colour only repeats it.
STATE_SHAPES = {ClaimState.SUPPORTED: "✓", ClaimState.PARTIAL: "◐", ClaimState.UNSUPPORTED: "✕"}


def transcript(exchanges: tuple[Exchange, ...], texts: Texts) -> Markup:
    """The finished exchanges, oldest first; only the last one keeps its evidence unfolded."""
    last = exchanges[-1].number if exchanges else 0
    return join(exchange(e, texts, unfolded=e.number == last) for e in exchanges)


def exchange(e: Exchange, texts: Texts, *, unfolded: bool = True) -> Markup:
    """One question with whatever has come back: an answer, a refusal, an error, or the state of the work."""
    actions = tag("div", _retry(e.number, texts), class_="cw-actions")
    if e.error is not None:
        body = join([_error(e, texts), actions])
    elif e.answer is not None:
        early = tag("p", texts.stopped_early, class_="cw-note cw-early") if e.stopped else None
        rendered = answer(e.answer, e.number, texts, unfolded=unfolded, filters=e.filters)
        body = join([early, rendered])
    elif e.stopped:
        body = join([_stopped(e, texts), actions])
    else:
        body = join(
            [
                stage_line(e.stage, texts),
                told.queue_line(e.ahead, texts),
                explanation(e.understood, e.relaxed, e.filters, texts),
                _draft(e.draft, texts),
                evidence_list(e.evidence, e.number, texts),
            ]
        )
    return tag(
        "article",
        tag("h2", tag("span", texts.you, class_="cw-sr"), e.question, class_="cw-question"),
        body,
        class_="cw-turn",
        data_turn=e.number,
        lang=e.answer.language if e.answer else None,
    )


def stage_line(stage: str, texts: Texts) -> Markup:
    """The four steps with the current one marked, announced to screen readers."""
    current = STAGES.index(stage) if stage in STAGES else -1
    steps = []
    for position, step in enumerate(STAGES):
        state = "done" if position < current else "now" if position == current else "next"
        now = "step" if state == "now" else None
        steps.append(tag("li", texts.stages[step], class_=f"cw-step cw-step--{state}", aria_current=now))
    return tag(
        "div",
        tag("span", texts.stages.get(stage, texts.working), role="status", class_="cw-sr"),
        tag("ol", steps, class_="cw-steps"),
        class_="cw-stage",
    )


def answer(
    a: Answer, turn: int, texts: Texts, *, unfolded: bool = True, filters: Filters = EVERYTHING
) -> Markup:
    """A finished answer: what was understood, sentences with their states, evidence, certificate, actions."""
    if a.kind is AnswerKind.REFUSED:
        return join([_refusal(a, turn, texts, filters), _actions_row(a, turn, texts)])
    evidence = evidence_list(a.evidence, turn, texts, unfolded=unfolded)
    return tag(
        "section",
        _answer_heading(a, texts),
        told.searched_as(a, texts),
        explanation(a.understood, a.relaxed, filters, texts),
        told.read(a.reading, texts),
        _body(a, turn, texts),
        told.calculations(a, turn, texts),
        _actions_row(a, turn, texts),
        evidence,
        _dropped(a.dropped, turn, texts),
        _folded_certificate(a, texts),
        why(a.nearest, texts),
        class_=f"cw-answer cw-answer--{a.kind.value}",
        aria_label=texts.kinds[a.kind],
    )


def _answer_heading(a: Answer, texts: Texts) -> Markup:
    kind = tag("h3", texts.kinds[a.kind])
    return tag("header", kind, note(texts.kind_notes[a.kind]), class_="cw-answer-head")


def _body(a: Answer, turn: int, texts: Texts) -> Markup:
    """The sentences: by the parts of the question, as they were laid out, or one after the other."""
    if told.is_laid_out(a):
        return told.laid_out(a, turn, texts)

    def sentences(claims: tuple[Claim, ...]) -> list[Markup]:
        return [claim(told.without_working(c, a), turn, texts, _header(c, a)) for c in claims]

    grouped, rest = told.by_part(a)
    parts = [told.part(one, sentences(claims), turn, texts) for one, claims in grouped]
    return tag("div", parts, sentences(rest) or (None if parts else a.text), class_="cw-claims")


def _dropped(claims: tuple[Claim, ...], turn: int, texts: Texts) -> Markup | None:
    """What the model wrote and the check did not pass: out of the answer, but not hidden."""
    if not claims:
        return None
    sentences = tag("div", [claim(c, turn, texts) for c in claims], class_="cw-claims cw-claims--dropped")
    return folded(texts.dropped, texts.dropped_note, sentences, "cw-dropped")


def _header(c: Claim, a: Answer) -> str:
    """The column headers of a quoted table row: figures without them say nothing."""
    return next((e.header for e in a.evidence if c.quoted and e.number in c.citations), "")


def claim(c: Claim, turn: int, texts: Texts, header: str = "") -> Markup:
    """One sentence, its citation buttons, its state as a word with a shape, and the reasons in words."""
    reasons = "" if c.quoted else "; ".join(c.reasons) or texts.state_notes[c.state]
    state = f"{texts.states[c.state]} · {texts.exact_words}" if c.quoted else texts.states[c.state]
    verdict = tag(
        "p",
        tag("span", STATE_SHAPES[c.state], class_="cw-shape", aria_hidden="true"),
        tag("span", state, class_="cw-state"),
        tag("span", reasons, class_="cw-reason") if reasons else None,
        class_="cw-verdict",
        title=reasons or texts.state_notes[c.state],
    )
    sentence = tag("q" if c.quoted else "span", c.text, class_="cw-sentence")
    return tag(
        "div",
        tag("span", header, class_="cw-header") if header else None,
        tag("p", sentence, " ", [citation_button(n, turn, texts) for n in c.citations], class_="cw-line"),
        verdict,
        class_=f"cw-claim cw-claim--{c.state.value}",
        data_state=c.state.value,
    )


def _draft(draft: str, texts: Texts) -> Markup:
    if not draft:
        return Markup("")
    return tag(
        "section",
        tag("header", label(texts.draft), note(texts.draft_note)),
        tag("p", draft, tag("span", class_="cw-caret", aria_hidden="true"), class_="cw-draft-text"),
        class_="cw-draft",
        aria_label=f"{texts.draft}, {texts.draft_note}",
    )


def _refusal(a: Answer, turn: int, texts: Texts, filters: Filters) -> Markup:
    nearest = [nearest_card(position, hit, turn, texts) for position, hit in enumerate(a.nearest)]
    return tag(
        "section",
        _answer_heading(a, texts),
        told.searched_as(a, texts),
        explanation(a.understood, a.relaxed, filters, texts),
        told.read(a.reading, texts),
        tag("p", a.text or texts.refused_why, class_="cw-refusal-text"),
        tag("p", a.reason, class_="cw-why-not") if a.reason and a.reason not in a.text else None,
        told.parts(a.parts, turn, texts),
        tag("div", tag("h4", texts.certificate), certificate(a.certificate, texts), class_="cw-certificate"),
        tag("h4", texts.nearest, class_="cw-label") if nearest else None,
        tag("ol", nearest, class_="cw-cards") if nearest else None,
        why(a.nearest, texts),
        class_="cw-answer cw-answer--refused",
        aria_label=texts.kinds[a.kind],
    )


def _folded_certificate(a: Answer, texts: Texts) -> Markup:
    return tag(
        "details",
        tag("summary", label(texts.certificate_title)),
        certificate(a.certificate, texts),
        class_="cw-searched",
    )


def _actions_row(a: Answer, turn: int, texts: Texts) -> Markup:
    total = a.timings.get("total", sum(a.timings.values()))
    facts = [texts.took.format(seconds=f"{total:.1f}")] if a.timings else []
    if a.model and a.kind is AnswerKind.WRITTEN:
        facts.insert(0, a.model)
    return tag(
        "div",
        button(texts.copy, "cw-action", "copy", data_copied=texts.copied),
        _retry(turn, texts),
        tag("span", " · ".join(facts), class_="cw-note cw-facts"),
        # Read by page.js; a textarea keeps line breaks and is never rendered.
        tag(
            "textarea", copy_text(a, texts), class_="cw-copy", hidden=True, readonly=True, aria_hidden="true"
        ),
        class_="cw-actions",
    )


def _retry(turn: int, texts: Texts) -> Markup:
    return button(texts.retry, "cw-action", "retry", data_turn=turn)


def _error(e: Exchange, texts: Texts) -> Markup:
    return tag(
        "section",
        tag("h3", texts.error),
        tag("p", e.error or texts.unexpected),
        class_="cw-problem",
        role="alert",
    )


def _stopped(e: Exchange, texts: Texts) -> Markup:
    return tag(
        "section",
        tag("h3", texts.stopped),
        tag("p", texts.stopped_note, class_="cw-note"),
        explanation(e.understood, e.relaxed, e.filters, texts),
        _draft(e.draft, texts),
        evidence_list(e.evidence, e.number, texts),
        class_="cw-stopped",
    )
