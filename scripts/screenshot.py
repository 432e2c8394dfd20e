"""Takes docs/page.png: the page over the sample corpus of law, one question asked, its first source open.

scripts/screenshot.py [QUESTION]      needs chromium (scripts/chromium.sh) and the extras `embedded` and `dev`
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from rag.config import load_config
from rag.index import open_index
from ui.app import serve

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "Who may audit the books of the supplier?"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]


def main(question: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(index=Path(folder) / "legal", ui_port=0)
        index = open_index(config.index, embedder=config.embedder, create=True, cache_dir=config.cache_dir)
        with index:
            index.ingest(ROOT / "corpora" / "legal" / "documents")
        addresses: list[str] = []
        served = serve(config, on_ready=addresses.append, block=False)
        try:
            take(addresses[0], question, ROOT / "docs" / "page.png")
        finally:
            served.close()


def take(address: str, question: str, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": 1440, "height": 900}, device_scale_factor=1.5, locale="en-GB"
        )
        page.set_default_timeout(60_000)
        page.goto(address)
        page.wait_for_selector(".cw-file-row", state="attached")
        page.fill("#cw-question textarea", question)
        page.press("#cw-question textarea", "Enter")
        page.click(".cw-answer .cw-cite")
        page.wait_for_selector(".cw-sheet img, .cw-passage mark")
        page.wait_for_selector(".cw-sheet img")
        page.wait_for_timeout(1000)
        target.parent.mkdir(exist_ok=True)
        page.screenshot(path=target)
        browser.close()
    print(target)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else QUESTION)
