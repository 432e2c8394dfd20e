"""What the page shows for an answer, and that no text of a document ever becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from rag.languages import say
from rag.search.explain import loss_words
from rag.types import (
    Answer,
    Certificate,
    Claim,
    ClaimState,
    DocumentInfo,
    Evidence,
    EvidenceFound,
    FileResult,
    FileStatus,
    Filters,
    Finished,
    Gap,
    IngestReport,
    Leg,
    Loss,
    LossKind,
    Note,
    Outcome,
    Reason,
    StageStarted,
)
from tests.fakes import fake_answer, fake_citation, fake_document, fake_evidence, fake_hit
from tests.page_fakes import HOSTILE
from ui import CHINESE, ENGLISH, LANGUAGES, Texts, render, sources, texts_for
from ui.conversation import Exchange, advance, turns
from ui.render import copy_text, fill

# What render may ever produce; anything else came from a document.
TAGS = {
    *("article", "b", "bdi", "button", "dd", "details", "div", "dl", "dt", "em", "h2", "h3", "h4", "header"),
    *("li", "mark", "ol", "p", "q", "section", "span", "summary", "textarea", "ul"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTE = re.compile(
    r"class|id|type|title|scope|lang|role|open|hidden|readonly|tabindex|style|data-[a-z]+|aria-[a-z]+"
)


class Outline(HTMLParser):
    """The elements and attribute names of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.values: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("!--", ()))


def document_of(text: str) -> DocumentInfo:
    return fake_document(text or "x", title=text, detail=text, source=text, status=FileStatus.PASSWORD)


def evidence_of(text: str) -> Evidence:
    evidence = fake_evidence(text, document=document_of(text), header=text)
    return replace(evidence, heading_path=(text,), location=text)


def everything(text: str, texts: Texts = ENGLISH) -> str:
    """Every part of the page with `text` in every field that comes from a document, a model, a user or a file
    system."""
    evidence = evidence_of(text)
    citation = replace(fake_citation(evidence), heading_path=(text,), location=text)
    claims = (
        *(Claim(text, state, (1,), (text,)) for state in ClaimState),
        Claim(text, ClaimState.SUPPORTED, (1,), (text,), quoted=True),
    )
    proof = Certificate(1, 2, ((text, "password"), (text, text)), 0.3, 0.4, scope=text)
    answer = replace(
        fake_answer(text),
        line=text,
        text=text,
        claims=claims,
        quotes=(citation,),
        citations=(citation,),
        cautions=(text,),
        choices=(text,),
        evidence=(evidence,),
        certificate=proof,
        model=text,
        reason=text,
        dropped=claims,
        searched=text,
        language=text,
        understood=tuple(Note(what, (text,)) for what in (text, "company", "concept", "statement")),
        relaxed=(
            Gap((Note("company", (text,)),), ("company",), text),
            Gap((Note("unknown", (text,)),), ("unknown",)),
        ),
    )
    hit = fake_hit(text, document=document_of(text))
    hit = replace(hit, legs=(Leg(text, 1, 0.5),), reasons=(Reason(text, 1.0, 0.5),))
    answer = replace(answer, nearest=(hit,))
    refusal = replace(answer, verdict=Outcome.ABSENT, claims=(), nearest=(hit,))
    view = sources.look_up(None, replace(citation, heads=(text,)), texts, claims)
    exchange = Exchange(
        1, text, text, Filters((text,), (text,), (text,), {"authority": text}, (text,), (text,), text)
    )
    report = IngestReport((FileResult(text, FileStatus.CORRUPT, text, text),), 1, 1, 0, 0)
    return str(
        Markup("").join(
            [
                render.transcript(
                    (replace(exchange, answer=answer), replace(exchange, answer=refusal)), texts
                ),
                render.exchange(replace(exchange, error=text), texts),
                render.exchange(replace(exchange, stage=text, evidence=(evidence,)), texts),
                render.exchange(replace(exchange, stopped=True, evidence=(evidence,)), texts),
                sources.source_pane(view, texts, text),
                sources.source_pane(sources.of_hit(hit), texts),
                render.documents([document_of(text)], texts),
                fill("page.report", texts, report),
                fill("page.problem", texts, text),
                fill("page.mistake", texts, text),
                fill("page.welcome", texts, (text,)),
            ]
        )
    )


PAYLOADS = [
    HOSTILE,
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "<img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</details></section></article><iframe src=//evil.example>",
    "<!-- <b> -->",
    "&lt;script&gt;",
    "[link](javascript:alert(1)) ![](http://evil.example/a.png)",
    "\u202egnp.exe",
    "``` <svg onload=alert(1)> ```",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_adds_an_element_or_attribute_anywhere(payload: str) -> None:
    assert Outline(everything(payload)).elements == Outline(everything("plain")).elements


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_text_at_all_adds_an_element_or_attribute(text: str) -> None:
    # Nothing, or white space where column heads would be, leaves optional parts out.
    text = text.replace("\x00", "").replace("\r", "")
    text = text if text.strip() else "plain"
    assume(text not in ("subject", "words"))  # matters that are named only where somebody asks
    assert Outline(everything(text)).elements == Outline(everything("plain")).elements


def test_only_known_elements_and_attributes_are_ever_made() -> None:
    for element, attributes in Outline(everything(HOSTILE)).elements:
        assert element in TAGS
        assert all(ATTRIBUTE.fullmatch(name) for name in attributes), attributes


def test_no_attribute_holds_an_address_of_another_host() -> None:
    values = Outline(everything("http://evil.example/x")).values
    assert [
        name for name, value in values if name in ("src", "href", "style", "action") and "evil" in value
    ] == []


@given(
    st.text(alphabet=st.characters(blacklist_characters="\x00\r", blacklist_categories=("Cs",)), max_size=80)
)
@settings(max_examples=60, deadline=None)
def test_a_quote_is_shown_verbatim(quote: str) -> None:
    assert quote in Outline(str(fill("answer.evidence_card", ENGLISH, fake_evidence(quote), turn=1))).text


def test_templates_switch_no_escaping_off_and_quote_every_attribute_that_holds_a_value() -> None:
    templates = list(Path(render.__file__).parent.glob("*.jinja"))
    assert templates
    for template in templates:
        code = template.read_text("utf-8")
        assert not re.search(r"\bsafe\b|autoescape|Markup|xmlattr|tojson", code)
        assert not re.search(r"[\w-]={{", re.sub(r"{%.*?%}", "", code))


# ---------------------------------------------------------------- answers


def shown(answer: Answer, texts: Texts = ENGLISH) -> str:
    return Outline(str(fill("answer.answer", texts, answer, turn=1))).text


ASKED = fake_answer("q")


@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("state", ClaimState)
def test_each_sentence_says_its_state_and_reason_in_words(state: ClaimState, texts: Texts) -> None:
    html = str(fill("answer.claim", texts, Claim("A.", state, (1,), ("because of 7",)), ASKED, turn=1))
    assert texts.states[state] in Outline(html).text
    assert "because of 7" in Outline(html).text
    assert 'title="because of 7"' in html


def test_states_differ_in_word_and_shape_not_only_in_colour() -> None:
    for texts in LANGUAGES.values():
        assert len(set(texts.states.values())) == 3
    assert len(set(render.STATE_SHAPES.values())) == 3


def test_an_unsupported_sentence_without_reasons_warns_the_reader() -> None:
    text = Outline(
        str(fill("answer.claim", ENGLISH, Claim("A.", ClaimState.UNSUPPORTED), ASKED, turn=1))
    ).text
    assert "do not rely on it" in text


def test_citation_marks_are_buttons_that_name_turn_and_number() -> None:
    html = str(fill("answer.claim", ENGLISH, Claim("A.", ClaimState.SUPPORTED, (2, 5)), ASKED, turn=7))
    assert re.findall(
        r'data-action="cite" data-turn="7" data-number="(\d)" aria-label="Open source \d"', html
    ) == ["2", "5"]


def test_a_mark_typed_by_the_model_is_text_and_not_a_button() -> None:
    html = str(fill("answer.claim", ENGLISH, Claim("See [9].", ClaimState.SUPPORTED, (1,)), ASKED, turn=1))
    assert 'data-number="9"' not in html and "See [9]." in Outline(html).text


def test_sentences_that_failed_the_check_are_kept_apart_from_the_answer() -> None:
    dropped = Claim("The fee is 99 dollars.", ClaimState.UNSUPPORTED, (), ("99 is not in the source",))
    html = str(fill("answer.answer", ENGLISH, replace(fake_answer("q"), dropped=(dropped,)), turn=1))
    answer, _, rest = html.partition("cw-dropped")
    assert "99 dollars" not in answer.split("<textarea")[0] and "99 dollars" in rest


def test_a_quoted_table_row_stands_below_its_column_headers() -> None:
    row = fake_evidence("Associate | 268 | day", header="Grade | Rate | Per")
    answer = fake_answer("What is the rate?", "Associate | 268 | day", evidence=[row], quoted=True)
    html = str(fill("answer.answer", ENGLISH, replace(answer, line="Grade: Associate; Rate: 268"), turn=1))
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Grade", "Rate", "Per"))
    table = f"<thead><tr>{heads}</tr></thead><tbody><tr>"
    table += "<td>Associate</td><td><mark>268</mark></td><td>day</td></tr></tbody>"
    assert table in html
    assert "“Grade: Associate; Rate: 268; Per: day”" in copy_text(answer, ENGLISH)


def test_a_row_whose_columns_are_not_known_stands_below_its_head_line() -> None:
    row = replace(fake_evidence("Associate | 268", header="Grade | Rate"), cells=())
    answer = replace(fake_answer("q", "Associate | 268", evidence=[row], quoted=True), line="Associate: 268")
    text = shown(answer)
    assert text.index("Grade | Rate") < text.index("Associate | 268")


def test_a_refusal_shows_what_was_searched_and_the_nearest_passages() -> None:
    answer = replace(
        fake_answer("q", refused=True),
        certificate=Certificate(12, 3400, (("scan.pdf", "password"),), 0.31, 0.45, scope="2024/*"),
    )
    text = shown(answer)
    for part in (
        "12",
        "3,400",
        "scan.pdf",
        "Password needed",
        "0.31",
        "0.45",
        "2024/*",
        "A passage about something else.",
    ):
        assert part in text


def test_a_refusal_offers_no_citation_of_an_answer() -> None:
    assert 'data-action="cite"' not in str(
        fill("answer.answer", ENGLISH, fake_answer("q", refused=True), turn=1)
    )


def test_a_follow_up_says_what_was_searched_in_its_place() -> None:
    assert "What is the fee in 2023?" in shown(
        replace(fake_answer("and in 2023?"), searched="What is the fee in 2023?")
    )


def test_evidence_is_unfolded_until_the_quotes_of_the_answer_take_its_place() -> None:
    growing = Exchange(1, "i", "q", evidence=(fake_evidence("a"),))
    done = replace(growing, answer=fake_answer("q"))
    for exchange, state in ((growing, " open"), (done, "")):
        html = str(render.exchange(exchange, ENGLISH))
        assert re.findall(r'<details class="cw-evidence"( open)?>', html) == [state]


@pytest.mark.parametrize(("texts", "word"), [(ENGLISH, "reading …"), (CHINESE, "正在阅读……")])
def test_a_provisional_word_stands_where_the_verdict_will(texts: Texts, word: str) -> None:
    exchange = Exchange(1, "i", "q", evidence=(fake_evidence("a"),), stage="reading")
    assert word in Outline(str(render.exchange(exchange, texts))).text
    done = str(render.exchange(replace(exchange, answer=fake_answer("q")), texts))
    assert word not in done and f"{texts.verdicts['answered']} · " in done


@pytest.mark.parametrize("texts", LANGUAGES.values(), ids=LANGUAGES)
@pytest.mark.parametrize("verdict", Outcome)
def test_the_line_stands_first_and_the_verdict_is_a_word_with_its_confidence(
    verdict: Outcome, texts: Texts
) -> None:
    answer = replace(fake_answer("q", "Thirty days."), verdict=verdict, cautions=("Mind the gap.",))
    text = Outline(str(fill("answer.answer", texts, answer, turn=1))).text
    places = [text.index(w) for w in ("Thirty days.", texts.verdicts[verdict], "0.80", "Mind the gap.")]
    assert places == sorted(places) and places[0] == 0
    assert len(set(render.OUTCOME_SHAPES.values())) == 3


def test_choices_are_buttons_that_ask_them() -> None:
    back = replace(fake_answer("q", refused=True), choices=("In the lease?", "In the loan?"))
    html = str(fill("answer.answer", ENGLISH, back, turn=1))
    assert re.findall(r'data-action="choice">([^<]+)<', html) == ["In the lease?", "In the loan?"]


def test_a_reply_that_rests_on_no_document_shows_neither_verdict_nor_certificate() -> None:
    reply = fake_answer("q", "There are 2 documents here.", evidence=())
    reply = replace(
        reply, text="There are 2 documents here.\n\nLease\nLoan", claims=(), choices=("Summarise Lease",)
    )
    html = str(fill("answer.answer", ENGLISH, reply, turn=1))
    text = Outline(html).text
    assert "cw-outcome" not in html and "cw-searched" not in html
    assert text.count("There are 2 documents here.") == 2, "once shown, once to be copied"
    assert "Loan" in text.split("Copy with references")[0] and "Summarise Lease" in text


def test_quotes_that_the_line_rests_on_stand_below_it_with_their_place() -> None:
    evidence = fake_evidence("Notice is 30 days.", document=fake_document("lease.pdf"), page=3)
    text = shown(fake_answer("q", "One gives 30 days.", evidence=[evidence]))
    assert text.index("One gives 30 days.") < text.index("Stated in ")
    places = [text.rindex(words) for words in ("One gives 30 days.", "Notice is 30 days.", "page 3")]
    assert places == sorted(places)


def test_a_line_that_is_the_quote_itself_is_not_repeated_below() -> None:
    html = str(fill("answer.answer", ENGLISH, fake_answer("q", "Notice is 30 days.", quoted=True), turn=1))
    body = html.split("cw-actions")[0]
    assert body.count("Notice is 30 days.") == 1 and "<q" in body and "exact words" in body


def test_the_current_stage_is_marked_and_announced() -> None:
    html = str(fill("answer.stages", ENGLISH, "reading"))
    assert '<li class="cw-step cw-step--now" aria-current="step">Reading</li>' in html
    assert '<span role="status" class="cw-sr">Reading</span>' in html


# ---------------------------------------------------------------- copying


def test_copied_text_carries_numbered_references_with_document_page_and_quote() -> None:
    evidence = fake_evidence(
        "The fee\nis 30 dollars.", document=fake_document("fees.pdf", title="Fee table"), page=4
    )
    text = copy_text(fake_answer("What is the fee?", "The fee is 30 dollars.", evidence=[evidence]), ENGLISH)
    assert text.splitlines() == [
        "What is the fee?",
        "",
        "The fee is 30 dollars. [1]",
        "Answered · confidence 0.80",
        "Stated in Fee table, page 4",
        "",
        "References",
        "[1] Fee table, fees.pdf, page 4: “The fee is 30 dollars.”",
    ]


def test_copied_text_says_which_sentences_are_not_supported() -> None:
    answer = fake_answer("q", "It is free.", state=ClaimState.UNSUPPORTED)
    text = copy_text(replace(answer, line="It costs nothing."), ENGLISH)
    assert "It is free. [1] (Not supported)" in text


def test_a_copied_refusal_says_what_was_searched() -> None:
    assert "Passages searched: 3" in copy_text(fake_answer("q", refused=True), ENGLISH)


# ---------------------------------------------------------------- exchanges


def test_events_take_an_exchange_from_search_to_answer() -> None:
    answer, evidence = fake_answer("q"), fake_evidence("a")
    exchange = Exchange(1, "i", "q")
    for event in (StageStarted("reading"), EvidenceFound((evidence,), ())):
        exchange = advance(exchange, event)
    assert (exchange.stage, exchange.evidence, exchange.done) == ("reading", (evidence,), False)
    exchange = advance(exchange, Finished(answer))
    assert exchange.done and advance(exchange, StageStarted("late")) == exchange


def test_history_holds_answered_questions_of_the_same_index_only() -> None:
    answered = replace(Exchange(1, "law", "q1"), answer=fake_answer("q1", "a1"))
    other = replace(Exchange(2, "tax", "q2"), answer=fake_answer("q2"))
    failed = replace(Exchange(3, "law", "q3"), error="no")
    assert [t.question for t in turns((answered, other, failed), "law")] == ["q1"]


# ---------------------------------------------------------------- documents and texts


def test_a_file_that_could_not_be_read_is_listed_first_with_its_reason() -> None:
    good = fake_document("a.pdf", kind="pdf", pages=3)
    bad = fake_document("z.pdf", status=FileStatus.PASSWORD, detail="encrypted")
    text = Outline(str(render.documents([good, bad], ENGLISH))).text
    assert text.index("z.pdf") < text.index("a.pdf") and "Password needed" in text and "encrypted" in text


@pytest.mark.parametrize(("texts", "words"), [(ENGLISH, "2 pages without text"), (CHINESE, "2 页没有文字")])
def test_what_could_not_be_read_of_a_file_stands_beside_it_and_in_the_certificate(
    texts: Texts, words: str
) -> None:
    losses = tuple(Loss(LossKind.PAGE_WITHOUT_TEXT, page=n) for n in (2, 9))
    whole, part = fake_document("a.pdf"), fake_document("b.pdf", losses=losses)
    listed = str(render.documents([whole, part], texts))
    assert listed.count("cw-lost") == 1
    assert words in Outline(listed).text and texts.lost.format(count=2) in Outline(listed).text
    reported = FileResult("b.pdf", FileStatus.OK, "added", losses=losses)
    assert words in Outline(str(fill("page.report", texts, IngestReport((reported,), 1, 1, 0, 0)))).text
    searched = Certificate(1, 2, (), 0.3, 0.4)
    nothing = f"<dd>{texts.none}</dd>"
    assert nothing in str(fill("answer.certificate", texts, searched))
    said = str(fill("answer.certificate", texts, replace(searched, losses=(("b.pdf", losses),))))
    assert words in Outline(said).text and nothing not in said


@pytest.mark.parametrize("kind", LossKind)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_every_kind_of_loss_has_words_and_what_to_do(kind: LossKind, code: str) -> None:
    one, many = (
        loss_words([Loss(kind, "B4")], code),
        loss_words([Loss(kind, f"B{n}") for n in range(9)], code),
    )
    assert "B4" in one and "B4" in many and "9" in many and "B6" not in many
    assert say(f"mending.{kind}", code)


@pytest.mark.parametrize("status", FileStatus)
def test_every_file_status_has_words_in_both_languages(status: FileStatus) -> None:
    report = IngestReport((FileResult("f", status, "failed"),), 1, 1, 0, 0)
    for texts in LANGUAGES.values():
        assert texts.statuses[status] in Outline(str(fill("page.report", texts, report))).text


def test_a_very_long_list_is_cut_and_says_so() -> None:
    text = Outline(str(render.documents([fake_document(f"{n}.md") for n in range(250)], ENGLISH))).text
    assert "and 50 more" in text


def test_both_languages_use_the_same_placeholders() -> None:
    for field in vars(ENGLISH):
        english, chinese = getattr(ENGLISH, field), getattr(CHINESE, field)
        if isinstance(english, str):
            assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese)), field
        else:
            assert english.keys() == chinese.keys(), field


@pytest.mark.parametrize(
    ("header", "code"), [("zh-CN,zh;q=0.9", "zh"), ("en-GB", "en"), ("de", "en"), ("", "en"), (None, "en")]
)
def test_the_page_language_follows_the_browser(header: str | None, code: str) -> None:
    assert texts_for(header).code == code
