"""What the page says of an answer besides its sentences, without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest

from rag import languages
from rag.types import (
    Answer,
    Calculation,
    Claim,
    ClaimState,
    Figure,
    FileStatus,
    Outcome,
    Part,
    Queued,
    Reading,
    StageStarted,
)
from tests.fakes import fake_answer
from tests.page_fakes import HOSTILE, ROW, PageAssistant
from tests.ui.test_render import ATTRIBUTE, TAGS, Outline
from ui import CHINESE, ENGLISH, LANGUAGES, Texts, render
from ui.conversation import Exchange, advance, turns
from ui.handlers import Handlers, View
from ui.pictures import draw
from ui.render import fill, without_working


def last(views: Iterator[View]) -> View:
    return list(views)[-1]


def ask(handlers: Handlers, question: str, key: str = "a") -> str:
    handlers.open(key, "en")
    return str(last(handlers.ask(key, question, "contracts")).transcript)


def words(html: str) -> str:
    return " ".join(Outline(html).text.split())


# Figures


def test_a_computed_answer_shows_formula_working_inputs_and_notes(handlers: Handlers) -> None:
    html = ask(handlers, "How much did the consideration grow?")
    shown = words(html)
    for part in (
        "Answered · confidence 0.82",
        "growth of the consideration = (this year - last year) / last year",
        "(4,250,000 - 3,400,000) / 3,400,000 = 25.0%",
        "Consideration paid2022",
        "20% from the question",
        "more than the threshold of 20%",
    ):
        assert part in shown, part
    assert html.count('data-action="figure"') == 2


def test_an_input_opens_its_cell_marked_in_its_row(handlers: Handlers) -> None:
    ask(handlers, "How much did the consideration grow?")
    first, *_, drawn = list(handlers.open_source("a", "figure", 1, 1))
    assert re.search(r"<mark[^>]*>3,400,000</mark>", str(first.source))
    assert "4,250,000" in str(first.source) and "EUR | 2022 | 2021" in str(first.source)
    assert str(drawn.source).count("cw-box") == 1


def test_the_box_of_a_cell_is_a_part_of_the_box_of_its_row(handlers: Handlers) -> None:
    handlers.open("a", "en")
    source = str(handlers.workspace.folder("contracts") / "agreement.pdf")
    at = ROW.index("3,400,000")
    [row], [cell] = draw(source, 2, ROW).boxes, draw(source, 2, ROW, (at, at + 9)).boxes
    assert row[0] < cell[0] and cell[2] <= row[2] and cell[2] - cell[0] < 0.4 * (row[2] - row[0])
    assert row[1] <= cell[1] and cell[3] <= row[3]


@pytest.mark.parametrize("which", [2, 3, -1, 10**9])
def test_an_input_that_was_read_from_no_cell_opens_nothing(handlers: Handlers, which: int) -> None:
    ask(handlers, "How much did the consideration grow?")
    assert "cw-source--empty" in str(last(handlers.open_source("a", "figure", 1, which)).source)


def test_a_figure_whose_cell_is_not_in_its_row_opens_the_row(handlers: Handlers) -> None:
    ask(handlers, "How much did the consideration grow?")
    conversation = handlers.conversations.get("a")
    [exchange] = conversation.exchanges
    assert exchange.answer is not None
    [calculation] = exchange.answer.working
    moved = replace(calculation, inputs=(replace(calculation.inputs[0], start=0, end=5),))
    conversation.exchanges = (replace(exchange, answer=replace(exchange.answer, working=(moved,))),)
    assert f">{ROW}</mark>" in str(next(handlers.open_source("a", "figure", 1, 0)).source)


def test_an_opened_cell_speaks_the_new_language_of_the_page(handlers: Handlers) -> None:
    ask(handlers, "How much did the consideration grow?")
    list(handlers.open_source("a", "figure", 1, 0))
    assert "4,250,000</mark>" in str(handlers.relabel("a", "zh", "contracts").source)


def test_formula_and_working_stand_below_the_sentence_and_not_in_it_too() -> None:
    figure = Figure("margin", Decimal(12), "%", "2022", "12%")
    made = Calculation("margin", "profit / sales", (figure,), figure, "12 / 100 = 12%")
    for text, left in (
        ("Margin: 12% (margin = profit / sales; 12 / 100 = 12%).", "Margin: 12%."),
        ("毛利率：12%（margin = profit / sales；12 / 100 = 12%）。", "毛利率：12%。"),
    ):
        claim = Claim(text, ClaimState.SUPPORTED, (1,), ("computed",))
        answer = replace(fake_answer("q"), claims=(claim,), working=(made,), line=left)
        assert without_working(claim, answer).text == left
        assert without_working(replace(claim, quoted=True), answer).text == text
        assert f">{left}<" in str(fill("answer.answer", ENGLISH, answer, turn=1))


# Parts and reading


def test_each_part_is_shown_with_its_sentences_or_with_why_it_has_none(handlers: Handlers) -> None:
    html = ask(handlers, "What is the deposit, and who won the regatta?")
    answered, missing = re.findall(r'<section class="cw-part.*?</section>', html, re.DOTALL)
    assert "£18,500" in words(answered) and "answered" in words(answered)
    assert "in no document searched: regatta" in words(missing) and "not found" in words(missing)
    assert "cw-claim" not in missing


def test_a_sentence_that_two_parts_rest_on_is_shown_once() -> None:
    answer = replace(fake_answer("q"), parts=(Part("a", True, (1,)), Part("b", True, (1,))))
    grouped = render.by_part(answer)
    assert len(grouped[0][1]) == len(answer.claims) and grouped[1][1] == ()
    html = str(fill("answer.answer", ENGLISH, answer, turn=1))
    assert html.count("cw-claim ") == len(answer.claims)


def test_a_refusal_says_why_and_which_part_had_no_support() -> None:
    refusal = replace(
        fake_answer("q"),
        verdict=Outcome.ABSENT,
        reason="in no document searched: regatta",
        parts=(Part("who won the regatta", False, (), "in no document searched: regatta"),),
    )
    html = str(fill("answer.answer", ENGLISH, refusal, turn=1))
    assert 'class="cw-why-not"' in html and "who won the regatta" in words(html)


def test_a_count_says_that_all_was_read_and_keeps_its_lines(handlers: Handlers) -> None:
    html = ask(handlers, "How many clauses speak of the Tenant?")
    assert "every matching passage was read (passages: 14, documents: 3)" in words(html)
    text = html[html.index("cw-text") : html.index("cw-actions")]
    assert text.count('data-action="cite"') == 2 and "not a mark [7]" in words(text)


def test_what_was_read_in_part_only_says_so(handlers: Handlers) -> None:
    partly = replace(fake_answer("q"), reading=Reading("summarise", 40, 8, 2))
    html = str(fill("answer.answer", ENGLISH, partly, turn=1))
    assert "only 8 of 40 matching passages" in words(html) and "cw-quotes" in html
    assert "40 个相符段落里的 8 个" in words(str(fill("answer.answer", CHINESE, partly, turn=1)))


# Follow-ups


def test_a_follow_up_shows_as_what_it_was_searched_with_a_field_to_change_it(handlers: Handlers) -> None:
    html = ask(handlers, "And that?")
    assert "Searched as What is the deposit of Harbour Street?" in words(html)
    assert re.search(r'<textarea class="cw-edit"[^>]*>What is the deposit of Harbour Street\?<', html)
    assert "cw-edit" not in ask(handlers, "What is the deposit?", "b")


def test_an_edited_question_is_asked_as_it_is_and_replaces_nothing(handlers: Handlers) -> None:
    ask(handlers, "What is the deposit?")
    html = str(last(handlers.ask("a", "And that?", "contracts", alone=True)).transcript)
    assistant: PageAssistant = handlers.workspace.assistant("contracts")
    assert [len(call["history"]) for call in assistant.calls] == [0, 0]
    assert html.count('class="cw-turn"') == 2
    last(handlers.ask("a", "What is the deposit?", "contracts"))
    assert [turn.question for turn in assistant.calls[-1]["history"]] == [
        "What is the deposit of Harbour Street?"
    ]


@pytest.mark.parametrize("edited", ["", "   "])
def test_an_emptied_question_is_not_asked(handlers: Handlers, edited: str) -> None:
    handlers.open("a", "en")
    assert list(handlers.ask("a", edited, "contracts", alone=True)) == [View()]


def test_a_question_asked_alone_stays_alone_when_asked_again(handlers: Handlers) -> None:
    ask(handlers, "What is the deposit?")
    last(handlers.ask("a", "How much notice?", "contracts", alone=True))
    last(handlers.retry("a", 2, "contracts"))
    assistant: PageAssistant = handlers.workspace.assistant("contracts")
    assert assistant.calls[-1]["history"] == ()


def test_history_is_what_was_searched_and_nothing_from_before_a_question_asked_alone() -> None:
    def done(number: int, question: str, alone: bool = False) -> Exchange:
        answer = replace(fake_answer(question), searched=f"{question} in full" if number == 3 else "")
        return replace(Exchange(number, "i", question, alone=alone), answer=answer)

    exchanges = (done(1, "one"), done(2, "two", alone=True), done(3, "three"))
    assert [t.question for t in turns(exchanges, "i")] == ["two", "three in full"]


# The queue


def test_a_waiting_question_says_how_many_are_ahead_until_it_is_served() -> None:
    waiting = advance(Exchange(1, "i", "q", stage="reading"), Queued(3))
    assert "3 questions are ahead" in words(str(render.exchange(waiting, ENGLISH)))
    assert "one question is ahead" in words(str(render.exchange(advance(waiting, Queued(1)), ENGLISH)))
    assert "ahead" not in words(str(render.exchange(advance(waiting, StageStarted("verifying")), ENGLISH)))
    assert "前面还有 3 个问题" in words(str(render.exchange(waiting, CHINESE)))


def test_the_place_in_the_queue_is_seen_while_it_lasts(handlers: Handlers) -> None:
    handlers.open("a", "en")
    live = [str(v.live) for v in handlers.ask("a", "queued: how much notice?", "contracts") if v.live]
    assert any("are ahead" in html for html in live)
    assert "cw-queue" not in live[-1]


# Words and escaping


def test_nothing_a_figure_a_part_or_a_follow_up_says_becomes_markup() -> None:
    figure = Figure(HOSTILE, Decimal(1), HOSTILE, HOSTILE, HOSTILE, 1, 0, 1)
    inputs = (figure, replace(figure, citation=None))
    evil: Answer = replace(
        fake_answer(HOSTILE),
        searched=HOSTILE,
        working=(Calculation(HOSTILE, HOSTILE, inputs, figure, HOSTILE, (HOSTILE,)),),
        parts=(Part(HOSTILE, False, (), HOSTILE), Part(HOSTILE, True, (9,))),
        reading=Reading(HOSTILE, 1, 0, 1),
        reason=HOSTILE,
    )
    laid_out = replace(evil, model="", working=(), reading=Reading(HOSTILE, 1, 1, 1), text=HOSTILE + " [1]")
    for answer in (evil, laid_out, replace(evil, verdict=Outcome.ABSENT)):
        for texts in LANGUAGES.values():
            outline = Outline(str(fill("answer.answer", texts, answer, turn=1)))
            assert {name for name, _ in outline.elements} <= TAGS
            assert all(ATTRIBUTE.fullmatch(a) for _, attributes in outline.elements for a in attributes)


def test_both_languages_fill_every_field_with_the_same_values_to_put_in() -> None:
    def flat(texts: Texts) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in vars(texts).items():
            entries = value.items() if isinstance(value, dict) else [("", value)]
            found |= {f"{name}.{key}": words for key, words in entries}
        return found

    english, chinese = flat(ENGLISH), flat(CHINESE)
    assert english.keys() == chinese.keys()
    for name, said in english.items():
        assert said.strip() and chinese[name].strip(), name
        if name not in ("queued_one.",):
            assert {f for _, f, _, _ in Formatter().parse(said) if f} == {
                f for _, f, _, _ in Formatter().parse(chinese[name]) if f
            }, name


def test_every_file_of_words_has_the_fields_of_the_others_in_the_same_order() -> None:
    files = [language.folder / "page.toml" for language in languages.LANGUAGES.values()]
    keys = [re.findall(r"^([\w\[\]\" ]+?)(?: =|$)", file.read_text("utf-8"), re.M) for file in files]
    assert keys[0] == keys[1]


def test_the_words_are_those_that_the_page_names_and_every_state_has_its_own() -> None:
    files = [path for path in Path(render.__file__).parent.iterdir() if path.suffix in (".py", ".jinja")]
    code = "".join(path.read_text("utf-8") for path in files)
    assert set(re.findall(r"\btexts\.([a-z_]+)", code)) == vars(ENGLISH).keys()
    for texts in LANGUAGES.values():
        assert texts.verdicts.keys() == set(Outcome)
        assert texts.states.keys() == set(ClaimState)
        assert texts.statuses.keys() == set(FileStatus)
