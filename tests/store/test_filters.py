"""Filters by year, company and day in force."""

from __future__ import annotations

import pytest

from rag.cli import shared
from rag.errors import InputError
from rag.store.documents import matches
from rag.store.store import Store
from rag.types import Filters
from tests.catalogues import annual, info
from tests.indexing import document, manifest, put

REPORT = annual(1, "Vextra Foods, Inc.", 2022, "VXTR|Kolbar Stores Corp")


@pytest.mark.parametrize(
    "name", ["Vextra Foods, Inc.", "vextra foods", "VXTR", "vxtr", "Kolbar Stores", "KOLBAR STORES CORP."]
)
def test_company_passes_by_any_of_its_names_in_any_case(name: str) -> None:
    assert matches(REPORT, Filters(companies=(name,)))
    assert matches(REPORT, Filters(companies=("Mirves", name)))


@pytest.mark.parametrize("name", ["Vextra Foods Europe", "Mirves", "Foods", ""])
def test_other_company_does_not_pass(name: str) -> None:
    assert not matches(REPORT, Filters(companies=(name,)))


def test_party_of_a_contract_passes() -> None:
    contract = info(1, parties=("Kolbar Systems Ltd", "Mirves GmbH"))
    assert matches(contract, Filters(companies=("mirves",)))


def test_every_reading_of_a_year_passes() -> None:
    unsure = info(1, fiscal_year=("2022", "2023"), year="2022")
    assert [y for y in ("2021", "2022", "2023") if matches(unsure, Filters(years=(y,)))] == ["2022", "2023"]
    assert matches(info(1, year="2019"), Filters(years=("2018", "2019")))
    assert not matches(info(1), Filters(years=("2019",)))


@pytest.mark.parametrize(
    ("metadata", "passes"),
    [
        ({}, True),
        ({"effective": "2021-01-01"}, True),
        ({"effective": "2021-06-01"}, True),
        ({"effective": "2021-06-02"}, False),
        ({"effective": "2021"}, True),
        ({"effective": "2022"}, False),
        ({"effective": "2010-01-01", "repealed": "2021-06-01"}, False),
        ({"effective": "2010-01-01", "repealed": "2021-06-02"}, True),
        ({"superseded": "2020-12-31"}, False),
        ({"superseded": "by the new law"}, True),
    ],
)
def test_text_passes_when_in_force_on_the_day(metadata: dict[str, str], passes: bool) -> None:
    assert matches(info(1, **metadata), Filters(in_force="2021-06-01")) is passes


@pytest.mark.parametrize(
    "bad", [Filters(in_force="1 June 2021"), Filters(in_force="2021-02-30"), Filters(in_force="20210601"),
            Filters(years=("FY22",))],
)  # fmt: skip
def test_what_is_no_date_or_year_is_told(bad: Filters, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with (
        Store.create(tmp_path / "index", manifest()) as store,
        pytest.raises(InputError, match=r"no (date|year)"),
    ):
        store.documents(bad)


def test_each_new_filter_alone_is_a_filter() -> None:
    assert Filters(years=("2022",)) and Filters(companies=("Vextra",)) and Filters(in_force="2021-06-01")
    assert not Filters()


def test_options_make_filters_and_refuse_a_bad_day(monkeypatch: pytest.MonkeyPatch) -> None:
    def filters(**given: object) -> Filters | None:
        names = ("documents", "kinds", "languages", "years", "companies", "in_force")
        monkeypatch.setattr(shared, "_given", dict.fromkeys(names) | given)
        return shared.asked_filters()

    asked = filters(years=["2022"], companies=["Vextra"], in_force="2021-06-01")
    assert asked == Filters(years=("2022",), companies=("Vextra",), in_force="2021-06-01")
    assert filters() is None
    with pytest.raises(InputError, match="2024-05-01"):
        filters(in_force="yesterday")


def test_ingest_keeps_the_profile_and_the_catalogue_follows_the_documents(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Store.create(tmp_path / "index", manifest()) as store:
        assert store.catalogue().companies == ()
        put(store, document("VEXTRA_2022_10K.pdf", ["Sales rose."], title="Vextra plc, Form 10-K"))
        (kept,) = store.documents(Filters(years=("2022",), companies=("vextra",)))
        assert kept.metadata["company"] == "Vextra plc"
        assert store.catalogue().companies == ("Vextra plc",)
        assert store.catalogue() is store.catalogue()
