"""The page in a real browser, with scripted answers behind it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SECONDS, OpenPage, Served, ask, serve_workspace
from tests.page_fakes import HOSTILE, make_workspace
from ui.handlers import Handlers

expect.set_options(timeout=SECONDS)


def pwned(page: Page) -> object:
    return page.evaluate("window.pwned")


def test_a_sample_question_is_one_click_away(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="How much notice ends the lease?").click()
    expect(page.locator(".cw-question")).to_contain_text("How much notice ends the lease?")
    expect(page.locator(".cw-answer-line")).to_be_visible()


def test_the_line_shows_its_verdict_and_each_further_sentence_its_state_and_reason(
    open_page: OpenPage,
) -> None:
    page = open_page()
    ask(page, "How much notice ends the lease?")
    expect(page.locator(".cw-answer-line")).to_contain_text("at least six months' written notice. [1]")
    expect(page.locator(".cw-outcome")).to_contain_text("Answered · confidence 0.82")
    claims = page.locator(".cw-claims .cw-claim")
    expect(claims).to_have_count(2)
    for number, (state, reason) in enumerate(
        [("Partly supported", "deposit"), ("Not supported", "three months")]
    ):
        expect(claims.nth(number).locator(".cw-state")).to_have_text(state)
        expect(claims.nth(number).locator(".cw-reason")).to_contain_text(reason)


def test_clicking_a_citation_marks_the_exact_words_in_their_passage(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "How much notice ends the lease?")
    page.locator('.cw-claim [data-action="cite"][data-number="2"]').click()
    mark = page.locator("#cw-source-pane mark")
    expect(mark).to_have_text("Notice under this clause takes effect on the last day of a calendar month.")
    expect(mark).to_be_in_viewport()
    expect(page.locator("#cw-source-pane h3")).to_have_text("Lease of 14 Harbour Street")
    expect(page.locator("#cw-source-pane .cw-passage")).to_contain_text("unpaid for 21 days")
    expect(page.locator(".cw-quotes .cw-card.cw-lit")).to_have_attribute("data-number", "2")


def test_a_citation_opens_by_keyboard_and_escape_gives_the_focus_back(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 800, "height": 900})
    ask(page, "How much notice ends the lease?")
    cite = page.locator('.cw-claim [data-action="cite"]').first
    cite.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cw-source-pane mark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#cw-source-pane")).to_be_hidden()
    expect(cite).to_be_focused()


def test_a_slash_goes_to_the_question_and_tab_reaches_the_ask_button(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("[data-action=theme]").focus()
    page.keyboard.press("/")
    expect(page.locator("#cw-question textarea")).to_be_focused()
    expect(page.locator("#cw-question textarea")).to_have_value("")
    page.keyboard.press("Tab")
    expect(page.locator("#cw-ask")).to_be_focused()


def test_a_pdf_citation_shows_the_page_with_a_box_around_the_words(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is the consideration?")
    page.locator(".cw-answer-line .cw-cite").click()
    image = page.locator(".cw-sheet img")
    expect(image).to_be_visible()
    page.wait_for_function("document.querySelector('.cw-sheet img').naturalWidth > 500")
    sheet, box = page.locator(".cw-sheet").bounding_box(), page.locator(".cw-box").bounding_box()
    assert sheet and box
    # Drawn at 730 pt from the bottom of an A4 page of 842 pt, 12 pt high.
    assert 0.10 < (box["y"] - sheet["y"]) / sheet["height"] < 0.14
    assert 0.10 < (box["x"] - sheet["x"]) / sheet["width"] < 0.14


def test_evidence_comes_first_with_a_provisional_word_then_the_line_and_the_verdict(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    ask(page, "slow notice", wait=".cw-card")
    expect(page.locator(".cw-outcome--reading")).to_contain_text("reading …")
    expect(page.locator(".cw-step--now")).to_have_text("Reading")
    expect(page.locator(".cw-turn")).not_to_contain_text("Either party can end")
    page.locator("#cw-stop").click()
    expect(page.locator(".cw-outcome--reading")).to_have_count(0)
    expect(page.locator(".cw-outcome--answered")).to_contain_text("confidence 0.82")
    expect(page.locator(".cw-answer-line")).to_contain_text("Either party can end the lease")


def test_stop_ends_the_work_and_the_next_question_is_answered_at_once(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    ask(page, "slow notice", wait=".cw-outcome--reading")
    expect(page.locator("#cw-ask")).to_be_hidden()
    page.locator("#cw-stop").click()
    expect(page.locator(".cw-early")).to_contain_text("Stopped early")
    assert served.assistants["contracts"].stopped.wait(3)
    ask(page, "What is the deposit?", turn=2)
    expect(page.locator('.cw-turn[data-turn="2"] .cw-quotes')).to_contain_text("exact words")


def test_retry_asks_again_in_place(open_page: OpenPage, served: Served) -> None:
    page = open_page()
    ask(page, "What is the deposit?")
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_selector('.cw-turn[data-turn="2"] .cw-answer')
    expect(page.locator(".cw-turn")).to_have_count(1)


def test_a_refusal_shows_its_certificate_and_opens_the_nearest_passage(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Who won the cup in 1966?")
    certificate = page.locator(".cw-certificate")
    for words in ("Documents searched", "37", "Password needed", "0.31", "0.45", "below"):
        expect(certificate).to_contain_text(words)
    page.locator('[data-action="near"]').first.click()
    expect(page.locator("#cw-source-pane .cw-passage")).to_contain_text("deposit")


def test_a_follow_up_carries_the_conversation(open_page: OpenPage, served: Served) -> None:
    page = open_page()
    ask(page, "How much notice ends the lease?")
    ask(page, "and the deposit?", turn=2)
    history = served.assistants["contracts"].calls[-1]["history"]
    assert [turn.question for turn in history] == ["How much notice ends the lease?"]


def test_copying_gives_text_with_references(open_page: OpenPage, served: Served) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask(page, "What is the deposit?")
    page.get_by_role("button", name="Copy with references").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1] Lease of 14 Harbour Street, lease.md: “The Tenant has paid a deposit of £18,500.”" in copied


def test_the_scope_limits_the_search(open_page: OpenPage, served: Served) -> None:
    page = open_page()
    page.locator("#cw-scope input").click()
    page.get_by_role("option", name="lease.md").click()
    page.keyboard.press("Escape")
    ask(page, "What is the deposit?")
    assert served.assistants["contracts"].calls[-1]["filters"].documents == ("lease.md",)


def test_a_chinese_question_is_answered_and_cited_in_chinese(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "逾期付款的违约金是多少？")
    expect(page.locator(".cw-answer-line")).to_contain_text("万分之五")
    page.locator(".cw-answer-line .cw-cite").click()
    expect(page.locator("#cw-source-pane mark")).to_contain_text("每逾期一日")


def test_the_page_speaks_chinese_when_told_and_remembers_it(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "How much notice ends the lease?")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".cw-outcome")).to_contain_text("已找到答案")
    expect(page.locator(".cw-claim .cw-state").first).to_have_text("部分有依据")
    expect(page.locator("#cw-ask")).to_have_text("提问")
    expect(page.locator("#cw-scope")).to_contain_text("检索范围")
    page.reload()
    expect(page.locator(".cw-welcome h2")).to_have_text("您想在这些文件中查什么？")


def test_a_chinese_browser_gets_a_chinese_page(open_page: OpenPage) -> None:
    expect(open_page(locale="zh-CN").locator("#cw-ask")).to_have_text("提问")


def test_light_and_dark_follow_the_system_and_the_switch(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    page.locator("[data-action=theme]").click()
    expect(page.locator("body")).not_to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    page.wait_for_selector(".cw-welcome")
    expect(page.locator("body")).not_to_have_class(re.compile(r"\bdark\b"))
    expect(open_page(color_scheme="light").locator("body")).not_to_have_class(re.compile(r"\bdark\b"))


def test_nothing_is_cut_off_on_a_narrow_screen(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 400, "height": 800})
    ask(page, "How much notice ends the lease?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for element in (".cw-question", ".cw-answer-line", ".cw-outcome", "#cw-ask", "[data-action=theme]"):
        box = page.locator(element).first.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400
    page.locator("[data-action=library]").click()
    expect(page.locator("#cw-library")).to_be_visible()


def test_document_text_never_runs_as_script(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "hostile")
    page.locator(".cw-claim .cw-cite").click()
    expect(page.locator("#cw-source-pane mark")).to_have_text(HOSTILE)
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".cw-claim .cw-state")).to_have_text("部分有依据")
    expect(page.locator(".cw-claim .cw-sentence")).to_have_text(HOSTILE)
    page.locator("#cw-scope input").click()
    expect(page.get_by_role("option").filter(has_text="onerror")).to_be_visible()
    assert pwned(page) is None
    assert page.locator("#cw-main img[src='x'], #cw-main a[href^='javascript']").count() == 0


def test_a_question_never_runs_as_script(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, HOSTILE)
    expect(page.locator(".cw-question")).to_contain_text(HOSTILE)
    assert pwned(page) is None


def test_two_pages_do_not_see_each_other(open_page: OpenPage) -> None:
    one, two = open_page(), open_page()
    ask(one, "slow notice", wait=".cw-outcome--reading")
    ask(two, "What is the deposit?")
    expect(two.locator(".cw-turn")).to_have_count(1)
    expect(one.locator("#cw-scroll")).not_to_contain_text("deposit?")
    expect(one.locator(".cw-outcome--reading")).to_be_visible()
    one.locator("#cw-stop").click()
    expect(one.locator(".cw-claim")).to_have_count(2)
    expect(two.locator(".cw-answer-line")).to_have_count(1)


def test_uploaded_files_each_get_a_status_and_can_be_asked(open_page: OpenPage, tmp_path: Path) -> None:
    good, shut, empty = tmp_path / "合同 A.txt", tmp_path / "locked.pdf", tmp_path / "empty.md"
    good.write_text("The fee is 30 dollars.")
    shut.write_bytes(b"%PDF-locked")
    empty.write_text("")
    page = open_page()
    page.locator("#cw-index input").click()
    page.get_by_role("option", name="empty").click()
    expect(page.locator("#cw-documents")).to_contain_text("No documents yet")
    page.locator("#cw-library input[type=file]").set_input_files([good, shut, empty])
    status = page.locator("#cw-upload-status")
    expect(status).to_contain_text("1 of 3 files can be asked")
    for state in ("ok", "password", "empty"):
        expect(status.locator(f'[data-status="{state}"]')).to_have_count(1)
    page.locator("#cw-scope input").click()
    expect(page.get_by_role("option", name="合同 A.txt")).to_be_visible()


def test_a_new_index_is_made_and_chosen(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="New index").click()
    page.fill("#cw-new-name input, #cw-new-name textarea", "Case 7")
    page.locator("#cw-create").click()
    expect(page.locator("#cw-index input")).to_have_value("Case 7")


def test_a_file_with_a_hostile_name_is_shown_as_text(open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "x' onmouseover='window.pwned=6' <b>.txt"
    file.write_text("text")
    page = open_page()
    page.locator("#cw-library input[type=file]").set_input_files([file])
    expect(page.locator("#cw-upload-status")).to_contain_text("1 of 1 files")
    assert pwned(page) is None and page.locator("#cw-library b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(open_page: OpenPage, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    ask(page, "How much notice ends the lease?")
    page.locator(".cw-claim .cw-cite").first.click()
    page.wait_for_selector("#cw-source-pane mark")
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 8
    assert [r for r in ratios if r[1] < 4.5] == []


# WCAG 2.2, 1.4.3: relative luminance of the text against the first opaque background behind it.
CONTRAST = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = (c) => { const [r, g, b] = c.slice(0, 3).map(v => v / 255)
      .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const of = ['.cw-question', '.cw-sentence', '.cw-reason', '.cw-state', '.cw-note', '.cw-cite', '.cw-quote',
      '.cw-place', '.cw-score', 'mark', '.cw-passage', '.cw-tagline', '.cw-local', '#cw-ask', '.cw-action',
      '.cw-status'];
  return of.flatMap(s => [...document.querySelectorAll(s)].filter(e => e.offsetWidth).map(e => {
    const [a, b] = [lum(rgb(getComputedStyle(e).color)), lum(behind(e))].sort((x, y) => y - x);
    return [s + ' ' + e.className, (a + .05) / (b + .05)]; }));
}"""


def test_no_request_went_to_any_other_host(open_page: OpenPage, served: Served) -> None:
    """Last: counts the requests of every test above, and of one more page used for all it can do."""
    page = open_page()
    ask(page, "What is the consideration?")
    page.locator(".cw-answer-line .cw-cite").click()
    page.wait_for_selector(".cw-sheet img")
    assert len(served.requests) > 20
    assert served.foreign == []


def test_an_input_of_a_computed_figure_opens_its_page_with_the_cell_boxed(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "How much did the consideration grow?")
    page.get_by_role("button", name="Open Consideration paid 2021: 3,400,000 where it stands").click()
    expect(page.locator("#cw-source-pane mark")).to_have_text("3,400,000")
    expect(page.locator("#cw-source-pane .cw-box")).to_have_count(1)
    expect(page.locator("button.cw-cell.cw-lit")).to_have_count(1)


def test_a_choice_of_a_question_back_is_asked_by_a_click(open_page: OpenPage, served: Served) -> None:
    page = open_page()
    ask(page, "Which lease?")
    page.get_by_role("button", name="What is the deposit of Harbour Street?").click()
    expect(page.locator('.cw-turn[data-turn="2"] .cw-question')).to_contain_text("deposit of Harbour Street?")
    expect(page.locator('.cw-turn[data-turn="2"] .cw-answer-line')).to_contain_text("£18,500")
    assert served.assistants["contracts"].calls[-1]["history"] == ()


def test_the_searched_question_can_be_edited_and_asked_anew(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "And that?")
    field = page.locator(".cw-edit")
    expect(field).to_be_hidden()
    page.get_by_role("button", name="Edit").click()
    expect(field).to_be_focused()
    field.fill("How much notice ends the lease of Harbour Street?")
    field.press("Enter")
    expect(page.locator('.cw-turn[data-turn="2"] .cw-question')).to_contain_text("of Harbour Street?")
    expect(page.locator('.cw-turn[data-turn="2"] .cw-answer-line')).to_be_visible()
    expect(page.locator('.cw-turn[data-turn="1"] .cw-question')).to_contain_text("And that?")


def test_what_is_done_first_is_kept_however_late_the_page_is_filled(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_page = Handlers.open

    def late(handlers: Handlers, *given: str) -> object:
        view = fill_page(handlers, *given)
        time.sleep(2)
        return view

    monkeypatch.setattr(Handlers, "open", late)
    served, url = serve_workspace(make_workspace(tmp_path)[0], "contracts")
    page = browser.new_page()
    page.set_default_timeout(SECONDS)
    page.goto(url)
    page.get_by_role("button", name="New index").click()
    page.fill("#cw-new-name input, #cw-new-name textarea", "case")
    page.locator("#cw-create").click()
    expect(page.locator("#cw-index input")).to_have_value("case")
    time.sleep(2)
    expect(page.locator("#cw-index input")).to_have_value("case")
    page.close()
    served.close()
