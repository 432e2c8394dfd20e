"""In a real browser: narrowing the search, and what the page says it understood."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Served, ask
from tests.page_fakes import HOSTILE

pytestmark = pytest.mark.browser


def choose(page: Page, name: str, option: str) -> None:
    page.locator(f"#cw-filter-{name} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def test_filters_narrow_the_search_are_said_above_the_answer_and_can_be_cleared(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    page.get_by_role("button", name="Narrow the search").click()
    expect(page.locator("#cw-filter-authority")).to_be_hidden()
    choose(page, "companies", "Meridian Foods plc")
    group, button = (
        page.locator("#cw-narrow").bounding_box(),
        page.locator("#cw-clear-filters").bounding_box(),
    )
    assert group and button and button["y"] + button["height"] <= group["y"] + group["height"], "not cut off"
    choose(page, "years", "2022")
    choose(page, "kinds", "PDF")
    page.fill("#cw-filter-in-force input, #cw-filter-in-force textarea", "2024/5/1")
    ask(page, "What were net sales in 2021?")
    asked = served.assistants["contracts"].calls[-1]["filters"]
    assert (asked.companies, asked.years, asked.kinds) == (("Meridian Foods plc",), ("2022",), ("pdf",))
    assert asked.in_force == "2024-05-01"
    lines = page.locator(".cw-answer .cw-understood")
    expect(lines).to_contain_text("company Meridian Foods plc")
    expect(lines).to_contain_text("in force on 2024-05-01")
    expect(lines.locator(".cw-gap")).to_contain_text("nearest: Meridian Foods plc, 2022 (agreement.pdf)")
    page.get_by_text("Why these passages").click()
    expect(page.locator(".cw-why-list")).to_contain_text("its document is of another period")
    page.locator("#cw-clear-filters").click()
    expect(page.locator("#cw-filter-in-force input, #cw-filter-in-force textarea")).to_have_value("")
    ask(page, "What is the deposit?", turn=2)
    assert served.assistants["contracts"].calls[-1]["filters"] is None


def test_a_bad_day_is_told_beside_its_field_and_the_question_waits(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    page.get_by_role("button", name="Narrow the search").click()
    day = page.locator("#cw-filter-in-force input, #cw-filter-in-force textarea")
    day.fill("next week")
    day.blur()
    expect(page.locator("#cw-narrow-note")).to_contain_text("“next week” is not a date")
    before = len(served.assistants["contracts"].calls)
    page.fill("#cw-question textarea", "What is the deposit?")
    page.press("#cw-question textarea", "Enter")
    expect(page.locator("#cw-live")).to_contain_text("“next week” is not a date")
    expect(page.locator("#cw-question textarea")).to_have_value("What is the deposit?")
    assert len(served.assistants["contracts"].calls) == before
    day.fill("2024-05-01")
    day.blur()
    expect(page.locator("#cw-narrow-note")).to_have_text("")
    ask(page, "What is the deposit?")
    expect(page.locator("#cw-live")).not_to_contain_text("next week")


def test_filters_keep_their_values_in_another_language_and_an_empty_index_offers_none(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    page.get_by_role("button", name="Narrow the search").click()
    choose(page, "languages", "中文")
    page.get_by_role("button", name="中文", exact=True).click()
    expect(page.get_by_role("button", name="缩小检索范围")).to_be_visible()
    ask(page, "What is the deposit?")
    assert served.assistants["contracts"].calls[-1]["filters"].languages == ("zh",)
    expect(page.locator(".cw-understood")).to_contain_text("限于")
    page.locator("#cw-index input").click()
    page.get_by_role("option", name="empty").click()
    expect(page.locator("#cw-narrow")).to_be_hidden()


def test_company_name_of_a_document_never_runs_as_script(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Narrow the search").click()
    page.locator("#cw-filter-companies input").click()
    hostile = page.get_by_role("option").filter(has_text="onerror")
    expect(hostile).to_be_visible()
    hostile.click()
    page.keyboard.press("Escape")
    ask(page, "What is the deposit?")
    expect(page.locator(".cw-understood")).to_contain_text(HOSTILE)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#cw-main img[src='x']").count() == 0
