"""A document that a question names by its title, parties or file name is chosen; what is asked about it ranks
inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive import archive

PARTIES = "This {title} is made between {one} and {other}, each a party to this agreement."
ASSIGNED = "Neither side may assign its rights without the written consent of the other."
FILLER = "The parties meet every quarter to review the services."
CONTRACTS = (
    ("Reseller Agreement", "Northlight Limited", "Diversa Corp"),
    ("Hosting Agreement", "Bluefin Inc", "Quillon Machines Corp"),
    ("Sponsorship Agreement", "Harrow Racing Inc", "Logan Roadhouse Inc"),
)


@pytest.mark.parametrize("number", range(3))
def test_what_is_asked_about_a_named_contract_ranks_above_the_page_of_its_parties(
    tmp_path: Path, number: int
) -> None:
    files = {}
    for n, (title, one, other) in enumerate(CONTRACTS):
        opening = PARTIES.format(title=title, one=one, other=other)
        sections = [opening, *([FILLER] * 3), ASSIGNED, *([FILLER] * 2)]
        body = "\n\n".join(f"## Section {at}\n\n{text} ({n}.{at})" for at, text in enumerate(sections, 1))
        files[f"contract{n}__md"] = f"# {title}\n\n{body}\n"
    title, one, other = CONTRACTS[number]
    question = f"Under what conditions may the {title} between {one} and {other} be assigned?"
    with archive(tmp_path, **files) as index:
        hits = index.search(question, 4)
    assert hits[0].document.path == f"contract{number}.md"
    assert ASSIGNED in hits[0].chunk.text


def test_names_that_several_documents_bear_stay_in_the_question(tmp_path: Path) -> None:
    files = {
        f"leaflet{n}__md": f"# Velnorin\n\n## Use\n\nVelnorin {what}.\n\n## Other\n\nKeep it cool.\n"
        for n, what in enumerate(("is taken with water", "lowers the pressure of the blood"))
    }
    with archive(tmp_path, **files) as index:
        first, second, *_ = index.search("How is Velnorin taken?", 4)
    assert {first.document.path, second.document.path} == {"leaflet0.md", "leaflet1.md"}
