"""Profiles as look-ups, and the names under which one and the same company or statute is found."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.documents.catalogue import NameKind, singular
from rag.domains.law.naming import related, statutes
from rag.domains.medicine.naming import subject_key, subjects
from rag.facts.names import acronyms, name_key, short_name, shorter_name, squash
from tests.catalogues import annual, catalogue, info, law, page


def kinds(name: str, names: str = "") -> dict[str, NameKind]:
    built = catalogue(annual(1, name, 2020, names))
    return {key: found[0][1] for key, found in built.company_keys.items()}


def test_company_is_held_by_its_full_short_and_leading_names_and_initials() -> None:
    assert kinds("The Thornfield & Marsh Holdings, Inc.", "TMHX|Old Kolbar Corp") == {
        "thornfieldmarshholdingsinc": NameKind.NAME,
        "thornfieldmarshholdings": NameKind.NAME,
        "thornfieldmarsh": NameKind.NAME,
        "thornfield": NameKind.LEAD,
        "tmh": NameKind.ACRONYM,
        "tmhx": NameKind.TICKER,
        "oldkolbarcorp": NameKind.NAME,
        "oldkolbar": NameKind.NAME,
        "ok": NameKind.ACRONYM,
    }


def test_common_first_word_does_not_stand_for_a_company() -> None:
    assert "general" not in kinds("General Kolbar Foods Inc")


def test_chinese_company_is_held_without_its_legal_form() -> None:
    assert {"岚海示例材料", "岚海示例材料股份有限公司"} <= set(kinds("岚海示例材料股份有限公司"))


def test_reports_of_one_company_share_its_names_whatever_the_spelling_on_the_cover() -> None:
    built = catalogue(annual(1, "VEXTRA FOODS, INC.", 2019), annual(2, "Vextra Foods Inc", 2020, "VXTR"))
    assert built.company_documents == ((1, 2),)
    assert built.company_keys["vxtr"] == ((0, NameKind.TICKER),)


def test_full_name_of_one_company_is_not_the_first_word_of_another() -> None:
    built = catalogue(annual(1, "Vextra Inc", 2020), annual(2, "Vextra Foods Inc", 2020))
    assert built.company_keys["vextra"] == ((0, NameKind.NAME),)


def test_statute_is_held_by_all_its_names_and_leads_to_what_applies_it() -> None:
    built = catalogue(
        law(1, "中华人民共和国示例法", "示例法"),
        law(2, "示例法实施条例"),
        law(3, "最高人民法院关于适用《中华人民共和国示例法》若干问题的解释", "示例法司法解释"),
    )
    assert statutes(built).keys["示例法"] == (1,)
    assert related(built)["示例法"] == [2, 3]
    assert statutes(built).keys["示例法司法解释"] == (3,)


def test_page_is_held_by_its_subject_and_its_other_names() -> None:
    built = catalogue(page(1, "Velnorade Syndromes", ("VS", "Kolbar rash")))
    assert subjects(built).keys == {"velnoradesyndrome": (1,), "vs": (1,), "kolbarrash": (1,)}


def test_remark_in_a_files_properties_is_no_subject() -> None:
    built = catalogue(info(1, subject="Form 10-K filed on 2023-02-10"), info(2, subject="x " * 100))
    assert subjects(built).keys == {}


def test_document_without_passages_is_left_out() -> None:
    assert catalogue(replace(page(1, "Velnorade"), chunks=0)).documents == {}


@pytest.mark.parametrize(
    ("name", "short", "shorter"),
    [
        ("THE KOLBAR COMPANY", "KOLBAR", ""),
        ("Kolbar & Co.", "Kolbar", ""),
        ("Kolbar N.V.", "Kolbar", ""),
        ("KOLBAR, Inc .", "KOLBAR", ""),
        ("Kolbar Corp /DE/", "Kolbar", ""),
        ("Kolbar International Group plc", "Kolbar International Group", "Kolbar"),
        ("Company", "Company", ""),
        ("岚海示例集团股份有限公司", "岚海示例", ""),
        ("岚海示例(集团)有限公司", "岚海示例", ""),
    ],
)
def test_name_without_its_legal_form(name: str, short: str, shorter: str) -> None:
    assert (short_name(name), shorter_name(name)) == (short, shorter)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Kolbar & Mirves", {"km": True, "knm": False, "kandm": False}),
        ("Bank of Kolbar Mirves", {"bokm": False, "bkm": False}),
        ("Kolbar", {}),
    ],
)
def test_initials_of_a_name(name: str, expected: dict[str, bool]) -> None:
    assert acronyms(name) == expected


@given(st.text(max_size=30))
def test_keys_hold_letters_and_digits_only_and_are_their_own_key(text: str) -> None:
    assert squash(squash(text)) == squash(text)
    assert all(c.isalnum() for c in name_key(text))


@given(st.lists(st.text("bcdfgklmnprt", min_size=4, max_size=8), min_size=1, max_size=4), st.randoms())
def test_spelling_of_a_name_does_not_change_its_key(words: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    spelt = [chance.choice((str.upper, str.title, str.lower))(w) for w in words]
    joined = chance.choice((" ", "  ", "-", " & ", " and ")).join(spelt)
    assert name_key(f"The {joined}'s") == "".join(words)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("falls", "fall"),
        ("virus", "virus"),
        ("illness", "illness"),
        ("sclerosis", "sclerosis"),
        ("gas", "gas"),
    ],
)
def test_only_a_plural_loses_its_s(word: str, expected: str) -> None:
    assert singular(word) == expected
    assert subject_key(f"{word} of Kolbar") == f"{expected}ofkolbar"


def test_six_thousand_documents_are_catalogued_in_a_fraction_of_a_second() -> None:
    companies = [f"Kolbar{n:03} Mirves Holdings, Inc." for n in range(300)]
    documents = [annual(n, companies[n // 20], 2004 + n % 20, f"KM{n // 20}") for n in range(6000)]
    catalogue(*documents)
    start = time.process_time()
    catalogue(*documents)
    assert time.process_time() - start < 0.6  # 0.1 s where nothing else runs
