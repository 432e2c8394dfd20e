"""The page behind a password: nothing is told to anybody who has not given it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from rag.config import Config
from tests.browser.conftest import SECONDS
from tests.page_fakes import make_workspace
from ui.app import build_page, launch_options
from ui.handlers import Handlers

expect.set_options(timeout=SECONDS)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    workspace = make_workspace(tmp_path_factory.mktemp("indexes"))[0]
    page = build_page(Handlers(workspace, default_index="contracts"))
    options = launch_options(Config(ui_port=0, ui_user="ann", ui_password="correct horse"))
    _, url, _ = page.launch(prevent_thread_lock=True, **options)
    yield url
    page.close()


@pytest.mark.parametrize("path", ["config", "gradio_api/info", "gradio_api/queue/data?session_hash=x"])
def test_without_the_password_nothing_is_told(address: str, path: str) -> None:
    assert httpx.get(address + path).status_code == 401


def test_without_the_password_no_question_is_taken(address: str) -> None:
    body = {"data": [], "fn_index": 0, "session_hash": "x"}
    assert httpx.post(address + "gradio_api/queue/join", json=body).status_code == 401
    assert "contracts" not in httpx.get(address).text


def log_in(page: Page, password: str) -> None:
    page.get_by_label("username").fill("ann")
    page.get_by_label("password").fill(password)
    page.get_by_role("button", name="Login").click()


def test_only_the_right_password_opens_the_page(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="en-US")
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    page.goto(address)
    log_in(page, "wrong")
    expect(page.get_by_text("Incorrect Credentials")).to_be_visible()
    expect(page.locator(".cw-welcome")).to_have_count(0)
    log_in(page, "correct horse")
    expect(page.locator(".cw-welcome .cw-sample").first).to_be_visible()
    assert [r for r in requests if not r.startswith((address, "data:", "blob:"))] == []
    context.close()
