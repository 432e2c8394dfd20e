"""Debian's chromium, the page behind it, and a record of every request that the browser makes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from rag.config import Config
from tests.page_fakes import PageAssistant, make_workspace
from ui.app import build_page, launch_options
from ui.handlers import Handlers
from ui.workspace import Workspace

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 15_000  # milliseconds; generous, because the machine may be busy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = os.environ.get("CITEWISE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(chromium).is_file():
        pytest.fail("There is no chromium. Run: apt-get install chromium (or name one in CITEWISE_CHROMIUM)")
    return {**browser_type_launch_args, "executable_path": chromium, "args": ARGUMENTS}


@dataclass
class Served:
    """A running page with fakes behind it."""

    url: str
    workspace: Workspace
    assistants: dict[str, PageAssistant]
    requests: list[str] = field(default_factory=list)

    @property
    def foreign(self) -> list[str]:
        """Requests that went, or tried to go, to any other host."""
        own = (self.url, "data:", "blob:", "about:")
        return [r for r in self.requests if not r.startswith(own)]


def serve_workspace(workspace: Workspace, default: str) -> tuple[Any, str]:
    page = build_page(Handlers(workspace, default_index=default))
    _, url, _ = page.launch(prevent_thread_lock=True, **launch_options(Config(ui_port=0)))
    return page, url


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page over the fakes, started once for a module."""
    workspace, assistants = make_workspace(tmp_path_factory.mktemp("indexes"))
    page, url = serve_workspace(workspace, "contracts")
    yield Served(url, workspace, assistants)
    page.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[OpenPage]:
    """Opens the page in a browser context of its own and waits until it can be used."""
    contexts: list[BrowserContext] = []

    def opened(**options: Any) -> Page:
        options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("request", lambda request: served.requests.append(request.url))
        page = context.new_page()
        page.set_default_timeout(SECONDS)
        page.goto(served.url)
        page.wait_for_selector(".cw-welcome .cw-sample")
        return page

    yield opened
    for context in contexts:
        context.close()


def ask(page: Page, question: str, *, wait: str = ".cw-answer", turn: int = 1) -> None:
    """Types a question, sends it with Enter and waits for what comes of it."""
    page.fill("#cw-question textarea", question)
    page.press("#cw-question textarea", "Enter")
    page.wait_for_selector(f'.cw-turn[data-turn="{turn}"] {wait}')
