"""Exchanges as HTML: the question, the line that answers it, verdict and quotes, and what an answer says of
itself besides (as what a follow-up was searched, which parts were answered, how much was read).
Pure: values in, markup out; every string from outside is escaped by `markup.tag`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from rag.answers.line import answering
from rag.types import Answer, Claim, ClaimState, Filters, Outcome, Part, Reading
from ui.cards import (
    calculations,
    certificate,
    citation_button,
    copy_text,
    evidence_list,
    explanation,
    nearest_card,
    outcome_words,
    quoted,
    why,
    without_working,
)
from ui.conversation import STAGES, Exchange
from ui.markup import Child, button, folded, join, label, tag
from ui.texts import Texts

EVERYTHING = Filters()
# The state is a word and a shape; colour only repeats it.
STATE_SHAPES = {ClaimState.SUPPORTED: "✓", ClaimState.PARTIAL: "◐", ClaimState.UNSUPPORTED: "✕"}
OUTCOME_SHAPES = {Outcome.ANSWERED: "✓", Outcome.NEARBY: "◐", Outcome.ABSENT: "∅"}
_MARK = re.compile(r"\[(\d{1,3})\]")


def transcript(exchanges: tuple[Exchange, ...], texts: Texts) -> Markup:
    """The finished exchanges, oldest first."""
    return join(exchange(e, texts) for e in exchanges)


def exchange(e: Exchange, texts: Texts) -> Markup:
    """One question with whatever has come back: an answer, a refusal, an error, or the state of the work."""
    actions = tag("div", _retry(e.number, texts), class_="cw-actions")
    body: list[Child]
    if e.error is not None:
        words = (tag("h3", texts.error), tag("p", e.error or texts.unexpected))
        body = [tag("section", words, class_="cw-problem", role="alert"), actions]
    elif e.answer is not None:
        early = tag("p", texts.stopped_early, class_="cw-note cw-early") if e.stopped else None
        body = [early, answer(e.answer, e.number, texts, filters=e.filters)]
    else:
        so_far = (
            _provisional(texts) if e.evidence and not e.stopped else None,
            explanation(e.understood, e.relaxed, e.filters, texts),
            evidence_list(e.evidence, e.number, texts),
        )
        if e.stopped:
            words = (tag("h3", texts.stopped), tag("p", texts.stopped_note, class_="cw-note"))
            body = [tag("section", words, so_far, class_="cw-stopped"), actions]
        else:
            body = [stage_line(e.stage, texts), queue_line(e.ahead, texts), so_far]
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


def answer(a: Answer, turn: int, texts: Texts, *, filters: Filters = EVERYTHING) -> Markup:
    """A finished answer: the line, the verdict, what to mind, the quotes that it rests on; then further
    sentences, how figures were come by, the evidence, what was searched."""
    refused = a.verdict is not Outcome.ANSWERED
    actions = _actions_row(a, turn, texts)
    section = tag(
        "section",
        _line_of(a, turn, texts),
        None if a.talk else outcome(a, texts),
        [tag("p", words, class_="cw-gap cw-caution", role="note") for words in a.cautions],
        searched_as(a, texts),
        explanation(a.understood, a.relaxed, filters, texts),
        read(a.reading, texts),
        _choices(a, texts),
        _refusal(a, turn, texts) if refused else _answered(a, turn, texts, actions),
        why(a.nearest, texts),
        class_=f"cw-answer cw-answer--{a.verdict.value}",
        aria_label=texts.verdicts[a.verdict],
    )
    return join([section, actions]) if refused else section


def _line_of(a: Answer, turn: int, texts: Texts) -> Markup:
    """The answer to act on: in quotation marks where it is the document's own sentence."""
    buttons = [citation_button(n, turn, texts) for n in a.marks]
    words = tag("q" if _is_quote(a) else "span", a.line, class_="cw-sentence")
    return tag("p", words, " ", buttons, class_="cw-line cw-answer-line")


def _is_quote(a: Answer) -> bool:
    """Whether the line is the words of a document as they stand; a row needs its column heads."""
    line = " ".join(a.line.split())
    own = [c for c in a.quotes if c.number in a.marks and not c.heads]
    return any(" ".join(c.words.split()) == line for c in own)


def outcome(a: Answer, texts: Texts) -> Markup:
    """The verdict as a word with a shape and a colour, and its confidence."""
    return tag(
        "p",
        tag("span", OUTCOME_SHAPES[a.verdict], class_="cw-shape", aria_hidden="true"),
        tag("span", outcome_words(a, texts), class_="cw-state"),
        tag("span", texts.verdict_notes[a.verdict], class_="cw-reason"),
        class_=f"cw-verdict cw-outcome cw-outcome--{a.verdict.value}",
        data_verdict=a.verdict.value,
    )


def _provisional(texts: Texts) -> Markup:
    """What stands where the verdict will, while the evidence is read."""
    words = tag("span", texts.provisional, class_="cw-state")
    return tag("p", words, class_="cw-verdict cw-outcome cw-outcome--reading", role="status")


def _choices(a: Answer, texts: Texts) -> Markup | None:
    """Ready questions to go on with; page.js asks the one that is chosen."""
    ready = [tag("li", button(question, "cw-sample", "choice")) for question in a.choices]
    listed = tag("ul", ready, class_="cw-samples")
    return (
        tag("div", tag("h4", texts.choices, class_="cw-label"), listed, class_="cw-choices")
        if ready
        else None
    )


def _answered(a: Answer, turn: int, texts: Texts, actions: Markup) -> list[Child]:
    if a.talk:
        return [laid_out(a, turn, texts), actions]
    summary = tag("summary", label(texts.certificate_title))
    return [
        _body(a, turn, texts),
        calculations(a, turn, texts),
        actions,
        evidence_list(a.evidence, turn, texts, unfolded=False),
        _dropped(a.dropped, turn, texts),
        tag("details", summary, certificate(a.certificate, texts), class_="cw-searched"),
    ]


def _body(a: Answer, turn: int, texts: Texts) -> Markup | None:
    """What stands below the line: the parts of the question with their sentences, the text as it was laid
    out, or further sentences and the quotes that the line rests on."""
    if is_laid_out(a):
        return laid_out(a, turn, texts)
    if a.parts:
        parts = [
            part(one, [claim(c, turn, texts, _header(c, a)) for c in claims], turn, texts)
            for one, claims in by_part(a)
        ]
        return tag("div", parts, class_="cw-claims")
    made = (without_working(c, a) for c in a.further)
    further = [claim(c, turn, texts) for c in made if c.text != a.line or c.state is not ClaimState.SUPPORTED]
    return join([tag("div", further, class_="cw-claims") if further else None, _quotes(a, turn, texts)])


def _quotes(a: Answer, turn: int, texts: Texts) -> Markup | None:
    stated = a.marks if _is_quote(a) else ()
    cards = [
        quoted(c, turn, texts, words=c.number not in stated, marked=answering(a.line, a.question, c.row))
        for c in a.quotes
    ]
    title = texts.quotes if a.verdict is Outcome.ANSWERED else texts.nearest_sentences
    listed = tag("ol", cards, class_="cw-cards")
    return tag("section", tag("h4", title, class_="cw-label"), listed, class_="cw-quotes") if cards else None


def _dropped(claims: tuple[Claim, ...], turn: int, texts: Texts) -> Markup | None:
    """What the model wrote and the check did not pass: out of the answer, but not hidden."""
    if not claims:
        return None
    sentences = tag("div", [claim(c, turn, texts) for c in claims], class_="cw-claims cw-claims--dropped")
    return folded(texts.dropped, texts.dropped_note, sentences, "cw-dropped")


def _header(c: Claim, a: Answer) -> str:
    """The column headers of a quoted table row: figures without them say nothing."""
    return next((e.header for e in a.evidence if e.heads and c.quoted and e.number in c.citations), "")


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


def _refusal(a: Answer, turn: int, texts: Texts) -> list[Child]:
    nearest = [nearest_card(position, hit, turn, texts) for position, hit in enumerate(a.nearest)]
    parts = [part(one, (), turn, texts) for one in a.parts]  # none of which was answered
    return [
        tag("p", a.reason, class_="cw-why-not") if a.reason and a.reason not in a.line else None,
        tag("div", parts, class_="cw-parts", aria_label=texts.parts) if parts else None,
        _quotes(a, turn, texts),
        tag("div", tag("h4", texts.certificate), certificate(a.certificate, texts), class_="cw-certificate"),
        tag("h4", texts.nearest, class_="cw-label") if nearest else None,
        tag("ol", nearest, class_="cw-cards") if nearest else None,
    ]


def _actions_row(a: Answer, turn: int, texts: Texts) -> Markup:
    total = a.timings.get("total", sum(a.timings.values()))
    facts = [texts.took.format(seconds=f"{total:.1f}")] if a.timings else []
    if a.model:
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


def searched_as(a: Answer, texts: Texts) -> Markup | None:
    """The stand-alone question that a follow-up was searched as, and a field to ask another one; nothing for
    a question that stood alone."""
    if not a.searched:
        return None
    field = tag(
        "div",
        tag("textarea", a.searched, class_="cw-edit", aria_label=texts.edited_question),
        button(texts.ask_edited, "cw-action", "again"),
        class_="cw-edit-form",
        hidden=True,
    )
    words = f"{texts.edit_searched}: {texts.edited_question}"
    edit = button(texts.edit_searched, "cw-link", "edit", aria_label=words)
    line = tag("p", label(texts.searched_as), " ", tag("span", a.searched), " ", edit)
    return tag("div", line, field, class_="cw-asked")


def queue_line(ahead: int, texts: Texts) -> Markup | None:
    """How many questions the model serves before this one; nothing where it is free."""
    if ahead < 1:
        return None
    words = texts.queued_one if ahead == 1 else texts.queued.format(ahead=ahead)
    return tag("p", words, class_="cw-note cw-queue", role="status")


def read(reading: Reading | None, texts: Texts) -> Markup | None:
    """Whether a question about many passages read all that match."""
    if reading is None:
        return None
    words = (texts.read_all if reading.complete else texts.read_some).format(
        intent=texts.intents.get(reading.intent, reading.intent),
        matching=reading.matching,
        read=reading.read,
        documents=reading.documents,
    )
    return tag("p", words, class_="cw-note cw-read" if reading.complete else "cw-gap cw-read", role="note")


def is_laid_out(a: Answer) -> bool:
    """Whether the text of the answer is more than its sentences in a row: counted, listed by document, set
    side by side."""
    counted = bool(a.claims) and not a.claims[0].quoted
    return a.reading is not None and counted and not a.model and not a.working


def laid_out(a: Answer, turn: int, texts: Texts) -> Markup:
    """The text line by line, its marks as buttons, without the line that stands above it."""
    known = {c.number for c in a.citations}
    text = a.text.removeprefix(a.line).strip()
    lines = [tag("p", _line(line, known, turn, texts), class_="cw-line") for line in text.splitlines()]
    return tag("div", lines, class_="cw-text")


def _line(line: str, known: set[int], turn: int, texts: Texts) -> Iterator[str | Markup]:
    at = 0
    for m in _MARK.finditer(line):
        if int(m[1]) in known:
            yield line[at : m.start()]
            yield citation_button(int(m[1]), turn, texts)
            at = m.end()
    yield line[at:]


def by_part(a: Answer) -> list[tuple[Part, tuple[Claim, ...]]]:
    """The sentences of each part of the question, each once."""
    left = list(a.claims)
    grouped = []
    for one in a.parts:
        own = tuple(c for c in left if one.answered and set(c.citations) & set(one.citations))
        left = [c for c in left if c not in own]
        grouped.append((one, own))
    return grouped


def part(one: Part, claims: Sequence[Markup], turn: int, texts: Texts) -> Markup:
    """One part of the question with its sentences, or why it had no support."""
    state = texts.part_answered if one.answered else texts.part_missing
    shape = "✓" if one.answered else "∅"
    body: list[Markup] = list(claims)
    if one.answered and not claims:
        body.append(tag("p", [citation_button(n, turn, texts) for n in one.citations], class_="cw-line"))
    if one.reason:
        body.append(tag("p", one.reason, class_="cw-note"))
    return tag(
        "section",
        tag(
            "header",
            tag("h4", one.question),
            tag("span", tag("span", shape, aria_hidden="true"), " ", state, class_="cw-state"),
            class_="cw-part-head",
        ),
        body,
        class_=f"cw-part cw-part--{'answered' if one.answered else 'missing'}",
    )
