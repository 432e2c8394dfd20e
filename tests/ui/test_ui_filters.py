"""The filters of the page, and what it says of a question: understood, limited, given way, why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.store.documents import check_filters
from rag.types import FileStatus, Filters, Gap, Hit, Leg, Note, Reason
from tests.fakes import fake_answer, fake_document, fake_evidence, fake_hit
from tests.page_fakes import HOSTILE, PageAssistant
from ui import CHINESE, ENGLISH, Texts, render
from ui import filters as components
from ui.conversation import Exchange
from ui.filters import EVERYTHING, FilterChoices, bad_day, choices, limits, read_day
from ui.handlers import Handlers, View
from ui.render import fill


def assistant_of(handlers: Handlers) -> PageAssistant:
    assistant: PageAssistant = handlers.workspace.assistant("contracts")
    return assistant


def last(views: Iterator[View]) -> View:
    return list(views)[-1]


# What can be chosen


def test_choices_are_what_the_documents_say_of_themselves(handlers: Handlers) -> None:
    offered = handlers.open("a", "en").choices
    assert offered is not None
    assert [value for _, value in offered.companies][1:] == [
        "Harbour Street Holdings Ltd",
        "Meridian Foods plc",
    ]
    assert ("2023", "2023") in offered.years and ("2022", "2022") in offered.years
    assert offered.kinds == (("Markdown", "markdown"), ("PDF", "pdf"), ("TXT", "text"))
    assert offered.languages == (("English", "en"), ("中文", "zh"))
    assert offered.authority == () and offered.dated


def test_years_stand_newest_first_and_one_company_under_two_spellings_once() -> None:
    documents = [
        fake_document("a.pdf", metadata={"company": "VEXTRA FOODS, INC.", "fiscal_year": "2021"}),
        fake_document("b.pdf", metadata={"company": "Vextra Foods Inc", "fiscal_year": "2023"}),
        fake_document("c.pdf", metadata={"company": "Mirves plc", "fiscal_year": "2022"}),
    ]
    offered = choices(documents, ENGLISH)
    assert [v for v, _ in offered.years] == ["2023", "2022", "2021"]
    assert [v for v, _ in offered.companies] == ["Mirves plc", "VEXTRA FOODS, INC."]


def test_index_without_companies_offers_none_and_what_all_documents_share_is_no_choice() -> None:
    same = [fake_document(f"{n}.md", metadata={"company": "Vextra plc"}) for n in range(3)]
    assert choices(same, ENGLISH) == FilterChoices()
    assert not choices([fake_document("a.md"), fake_document("b.md")], ENGLISH)
    assert not choices([], ENGLISH)


def test_files_that_could_not_be_read_offer_nothing() -> None:
    gone = fake_document("x.pdf", kind="pdf", status=FileStatus.CORRUPT)
    assert not choices([fake_document("a.md"), gone], ENGLISH)


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE])
def test_kinds_of_legal_texts_have_names_in_the_language_of_the_page(texts: Texts) -> None:
    laws = [fake_document(f"{a}.md", metadata={"authority": a}) for a in ("statute", "case")]
    assert set(choices(laws, texts).authority) == {
        (texts.authorities["statute"], "statute"),
        (texts.authorities["case"], "case"),
    }


def test_hidden_components_are_those_without_a_choice() -> None:
    updates = components.choice_updates(FilterChoices(years=(("2023", "2023"), ("2022", "2022"))))
    assert updates["years"]["visible"] and updates["narrow"]["visible"]
    assert not any(
        updates[n]["visible"] for n in ("companies", "kinds", "languages", "authority", "in_force")
    )
    assert not components.choice_updates(FilterChoices())["narrow"]["visible"]


# What was chosen


def test_values_of_the_components_become_filters_and_go_back_into_them() -> None:
    chosen = components.read(["a*"], (["Vextra plc"], ["2022"], ["pdf"], ["en"], "statute", "2024/5/1"))
    assert chosen == Filters(
        documents=("a*",),
        kinds=("pdf",),
        languages=("en",),
        metadata={"authority": "statute"},
        years=("2022",),
        companies=("Vextra plc",),
        in_force="2024-05-01",
    )
    back = components.set_to(chosen)
    assert components.read(["a*"], [back[name]["value"] for name in components.CHOSEN]) == chosen
    assert components.read(None, (None, None, [], [], None, None)) == EVERYTHING and not EVERYTHING


@pytest.mark.parametrize("typed", ["2024-05-01", "2024-5-1", " 2024/05/01 ", "2024.5.1", "2024年5月1日"])
def test_a_day_is_read_as_people_write_it(typed: str) -> None:
    assert read_day(typed) == "2024-05-01" and bad_day(typed) == ""
    check_filters(components.read([], ([], [], [], [], None, typed)))


@pytest.mark.parametrize(
    "typed", ["yesterday", "2024-13-01", "2024-02-30", "2024", "1 May 2024", "0000-01-01"]
)
def test_what_is_no_day_is_told_in_the_language_of_the_page(handlers: Handlers, typed: str) -> None:
    note = str(handlers.narrowed("a", typed).narrow_note)
    assert "cw-problem" in note and f"“{typed}” is not a date" in note
    handlers.relabel("a", "zh", "contracts")
    assert f"“{typed}”不是日期" in str(handlers.narrowed("a", typed).narrow_note)
    assert handlers.narrowed("a", "2024-05-01").narrow_note == ""


# How it reaches the search


def test_filters_reach_the_assistant_with_the_documents_chosen(handlers: Handlers) -> None:
    narrow = Filters(("lease.md",), companies=("Meridian Foods plc",), years=("2022",), in_force="2022-06-01")
    last(handlers.ask("a", "notice?", "contracts", narrow))
    assert assistant_of(handlers).calls[0]["filters"] == narrow


def test_a_retry_is_asked_with_the_filters_chosen_now(handlers: Handlers) -> None:
    last(handlers.ask("a", "notice?", "contracts"))
    last(handlers.retry("a", 1, "contracts", Filters(kinds=("pdf",))))
    first, second = (call["filters"] for call in assistant_of(handlers).calls)
    assert first is None and second.kinds == ("pdf",)


def test_a_question_with_a_bad_day_is_not_asked_and_stays_with_the_message(handlers: Handlers) -> None:
    bad = Filters(in_force="soon")
    (view,) = handlers.ask("a", "notice?", "contracts", bad)
    assert "“soon” is not a date" in str(view.live) and not view.clear_question and view.running is None
    last(handlers.ask("a", "notice?", "contracts"))
    last(handlers.retry("a", 1, "contracts", bad))
    assert len(handlers.conversations.get("a").exchanges) == 1, "the answer is not thrown away"
    assert len(assistant_of(handlers).calls) == 1


def test_hostile_day_is_escaped(handlers: Handlers) -> None:
    (view,) = handlers.ask("a", "notice?", "contracts", Filters(in_force=HOSTILE))
    assert "<script" not in str(view.live) and "<img" not in str(view.narrow_note)


def test_another_index_and_the_clear_button_take_the_filters_away_and_a_language_does_not(
    handlers: Handlers,
) -> None:
    assert (
        handlers.choose("a", "empty").chosen == EVERYTHING
        and handlers.choose("a", "empty").choices == FilterChoices()
    )
    cleared = handlers.everything("a")
    assert (cleared.chosen, cleared.scope_chosen, cleared.narrow_note) == (EVERYTHING, (), "")
    again = handlers.relabel("a", "zh", "contracts")
    assert again.chosen is None and again.choices and again.scope_chosen is None


def test_uploaded_documents_bring_their_choices(handlers: Handlers, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("text")
    view = last(handlers.upload("a", [str(tmp_path / "new.txt")], "empty"))
    assert view.choices is not None and view.chosen is None


# What the page says of it


NOTES = (Note("company", ("Vextra plc",)), Note("words", ("turnover",)), Note("subject", ("Ships",)))
GAP = Gap((Note("year", ("2021",)),), ("year",), "Vextra plc, 2022 (v.pdf)")


def test_lines_above_an_answer_say_what_was_understood_limited_and_given_way() -> None:
    limited = Filters(kinds=("pdf",), metadata={"authority": "statute"}, in_force="2024-05-01")
    english = str(fill("answer.explanation", ENGLISH, NOTES, (GAP,), limited))
    for words in (
        "Understood",
        "company",
        "<bdi>Vextra plc</bdi>",
        "Limited to",
        "in force on 2024-05-01",
        "Statute",
    ):
        assert words in english
    assert "no passage of a document for 2021 was found; nearest: Vextra plc, 2022 (v.pdf)" in english
    assert "turnover" not in english and "Ships" not in english, "weak hints stay out of the line"
    chinese = str(fill("answer.explanation", CHINESE, NOTES, (GAP,), limited))
    for words in ("理解为", "公司", "限于", "2024-05-01 有效", "未找到2021 年的段落"):
        assert words in chinese


def test_question_that_names_nothing_gets_no_lines() -> None:
    assert fill("answer.explanation", ENGLISH, (), (), Filters()) == ""
    assert fill("answer.explanation", ENGLISH, (Note("words", ("turnover",)),), (), Filters()) == ""
    assert limits(Filters(), ENGLISH) == ()


def hit(**changes: object) -> Hit:
    reasons = (Reason("year", -1.0, -1.84), Reason("name", 1.0, 0.7), Reason("authority", 0.5, 3.0))
    return replace(
        fake_hit("Sales rose.", page=4), legs=(Leg("lexical", 2, 0.4),), **({"reasons": reasons} | changes)
    )


def test_reasons_for_a_passage_are_words_with_what_they_weigh() -> None:
    english = str(fill("answer.why", ENGLISH, [hit()]))
    for words in ("its document is of another period", "−1.8", "+0.7", "words: place 2 (0.40)", "page 4"):
        assert words in english
    assert "rank of the legal text" not in english, "the same for all that is no legal text"
    assert "文件属于其他期间" in str(fill("answer.why", CHINESE, [hit()]))
    assert fill("answer.why", ENGLISH, [hit(reasons=())]) == "" and fill("answer.why", ENGLISH, []) == ""


def test_lines_stand_above_evidence_while_an_answer_grows_and_in_answers_and_refusals() -> None:
    growing = Exchange(1, "i", "q", stage="evidence", understood=NOTES, evidence=(fake_evidence("a"),))
    html = str(render.exchange(growing, ENGLISH))
    assert 0 < html.index("cw-understood") < html.index("cw-card")
    for refused in (False, True):
        answer = replace(
            fake_answer("q", refused=refused), understood=NOTES, relaxed=(GAP,), nearest=(hit(),)
        )
        html = str(render.exchange(replace(growing, answer=answer), ENGLISH))
        assert "Vextra plc" in html and "no passage of a document for 2021" in html and "cw-why" in html
        assert html.index("cw-understood") < html.index("cw-card")


def test_an_exchange_takes_over_what_its_events_say(handlers: Handlers) -> None:
    lives = [str(v.live) for v in handlers.ask("a", "net sales in 2021", "contracts") if v.live]
    assert any("cw-gap" in html for html in lives), "before the answer is there"
    final = str(render.transcript(handlers.conversations.get("a").exchanges, ENGLISH))
    assert "no passage of Meridian Foods plc for 2021 was found" in final
