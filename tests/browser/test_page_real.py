"""The page over the real index, embedder and language model, from an empty index to a cited answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.config import load_config
from tests.browser.conftest import ask
from tests.page_fakes import make_pdf
from ui.app import serve

pytestmark = [pytest.mark.models]
SECONDS = 90_000  # milliseconds; loading the models included

TENANCY = """# Tenancy agreement

## 4 Deposit

The tenant pays a deposit of 1,850 euros before moving in.
The landlord returns the deposit within 45 days after the end of the tenancy.

## 5 Pets

Dogs are allowed with the landlord's written consent.

As typed: <script>window.pwned = 1</script><img src=x onerror="window.pwned = 2">
"""
LABOUR = """劳动合同

第五条 试用期

本合同的试用期为三个月，试用期工资为转正工资的百分之八十。

第六条 年休假

员工每年享有十天带薪年休假。
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page served as the command line serves it, on any free port, with no index yet."""
    folder = tmp_path_factory.mktemp("indexes")
    config = load_config(index=folder / "case", ui_port=0)
    ready: list[str] = []
    page = serve(config, on_ready=ready.append, block=False)
    yield ready[0]
    page.close()


@pytest.fixture(scope="module")
def page(browser: Browser, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One page whose index was made and filled by hand, with the requests it made."""
    files = tmp_path_factory.mktemp("files")
    (files / "tenancy.md").write_text(TENANCY, encoding="utf-8")
    (files / "劳动合同.txt").write_text(LABOUR, encoding="gb18030")
    (files / "broken.pdf").write_bytes(b"%PDF-1.7 cut off")
    make_pdf(files / "agreement.pdf")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    opened = context.new_page()
    opened.set_default_timeout(SECONDS)
    expect.set_options(timeout=SECONDS)
    opened.goto(address)
    opened.get_by_role("button", name="New index").click()
    opened.fill("#cw-new-name input, #cw-new-name textarea", "case")
    opened.locator("#cw-create").click()
    expect(opened.locator("#cw-index input")).to_have_value("case")
    opened.locator("#cw-library input[type=file]").set_input_files(sorted(files.iterdir()))
    expect(opened.locator("#cw-upload-status")).to_contain_text("3 of 4 files can be asked")
    yield opened
    assert [r for r in requests if not r.startswith((address, "data:", "blob:"))] == []
    context.close()


def turns(page: Page) -> int:
    return page.locator(".cw-turn").count()


def test_a_broken_file_is_named_and_the_others_can_be_asked(page: Page) -> None:
    bad = page.locator("#cw-upload-status .cw-file-row--bad")
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text("broken.pdf")


def test_a_question_is_answered_with_words_that_stand_in_the_document(page: Page) -> None:
    ask(page, "How much is the deposit that the tenant pays?", turn=turns(page) + 1)
    answer = page.locator(".cw-turn").last
    expect(answer.locator(".cw-answer-line")).to_contain_text("1,850")
    answer.locator(".cw-answer-line .cw-cite").first.click()
    mark = page.locator("#cw-source-pane mark")
    expect(mark).to_contain_text("1,850 euros")
    assert mark.inner_text() in TENANCY
    expect(page.locator("#cw-source-pane .cw-place").first).to_contain_text("tenancy.md")


def test_a_chinese_question_finds_the_clause(page: Page) -> None:
    ask(page, "本合同的试用期为几个月？", turn=turns(page) + 1)
    answer = page.locator(".cw-turn").last
    expect(answer.locator(".cw-answer-line")).to_contain_text("三个月")
    answer.locator(".cw-answer-line .cw-cite").first.click()
    expect(page.locator("#cw-source-pane mark")).to_contain_text("试用期为三个月")


def test_a_pdf_answer_leads_to_the_boxed_words_on_its_page(page: Page) -> None:
    ask(page, "What is the total consideration in euros?", turn=turns(page) + 1)
    answer = page.locator(".cw-turn").last
    expect(answer.locator(".cw-answer-line")).to_contain_text("4,250,000")
    answer.locator(".cw-answer-line .cw-cite").first.click()
    expect(page.locator("#cw-source-pane h3")).to_contain_text("Share Purchase Agreement")
    expect(page.locator(".cw-box").first).to_be_visible()
    expect(page.locator("#cw-source-pane .cw-page").first).to_have_text("page 2 of 2")


def test_what_the_documents_do_not_say_is_refused_with_a_certificate(page: Page) -> None:
    ask(page, "Who is the chief executive of the Jupiter space agency?", turn=turns(page) + 1)
    answer = page.locator(".cw-turn").last
    expect(answer.locator(".cw-outcome--absent, .cw-outcome--nearby")).to_be_visible()
    expect(answer.locator(".cw-certificate")).to_contain_text("broken.pdf")


def test_no_sentence_shown_as_supported_holds_a_number_that_no_document_holds(page: Page) -> None:
    known = TENANCY + LABOUR + "3 Consideration: EUR 4,250,000"
    displayed = (
        ".cw-answer--answered :not(.cw-claims--dropped *).cw-sentence"  # what did not pass is folded away
    )
    for claim in page.locator(displayed).all():
        for number in re.findall(r"\d[\d,.]*\d|\d", claim.text_content() or ""):
            assert number in known


def test_script_in_a_document_is_shown_and_never_run(page: Page) -> None:
    ask(page, "Are dogs allowed with the landlord's written consent?", turn=turns(page) + 1)
    answer = page.locator(".cw-turn").last
    answer.locator(".cw-cite").first.click()
    expect(page.locator("#cw-source-pane .cw-passage")).to_contain_text("<script>window.pwned = 1</script>")
    assert page.evaluate("window.pwned") is None
