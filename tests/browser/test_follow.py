"""In a real browser: from a citation to its passage, and on to what that passage refers to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from rag.facts.crossrefs import CrossReference
from tests.browser.conftest import OpenPage, Served, ask
from tests.fakes import fake_hit

pytestmark = pytest.mark.browser


def test_a_reference_beside_an_opened_passage_opens_the_passage_it_leads_to(
    open_page: OpenPage, served: Served
) -> None:
    page = open_page()
    ask(page, "How much notice ends the lease?")
    index = served.assistants["contracts"].index
    lease = index.infos["lease.md"]
    index.passages[77] = replace(fake_hit("9 Sums due under this clause.", document=lease), chunk_id=77)
    reference = CrossReference(1, lease.id, 0, 8, "section", "9", "", lease.id, 77, "clause 9")
    index.links.update(dict.fromkeys(range(10), (reference,)))
    page.locator('[data-action="cite"]').first.click()
    page.get_by_role("button", name="Open clause 9").click()
    expect(page.locator("#cw-source-pane .cw-passage")).to_contain_text("9 Sums due under this clause.")
