"""The learned order as a file: written, read, and refused in words when it is damaged."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fitting import _AGAINST, _EITHER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.index import Index
from rag.search.ranker import FEATURES, SHIPPED, TUNED, Ranker, load_ranker, parse
from tests.archive import archive

WEIGHT = st.floats(-50, 50, allow_subnormal=False)
RANKERS = st.builds(
    Ranker,
    st.lists(WEIGHT, min_size=len(FEATURES), max_size=len(FEATURES)).map(np.array),
    st.floats(1e-7, 100),
    WEIGHT,
    st.one_of(st.none(), st.floats(0, 1)),
)


def good() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SHIPPED.read_text("utf-8"))
    return loaded


def changed(**weights: object) -> dict[str, Any]:
    data = good()
    return data | {"weights": data["weights"] | weights}


# The shipped one


def test_shipped_ranker_fits_this_version() -> None:
    ranker = load_ranker()
    assert ranker.weights.shape == (len(FEATURES),)
    assert np.isfinite(ranker.weights).all()
    assert ranker.weights.any()
    assert ranker.threshold is None


def test_shipped_weights_have_the_signs_that_their_features_may_have() -> None:
    for name, weight in zip(FEATURES, load_ranker().weights, strict=True):
        if name not in _EITHER:
            assert weight <= 0 if name in _AGAINST else weight >= 0, name


def test_what_a_question_names_speaks_for_a_passage_in_the_shipped_order() -> None:
    weights = dict(zip(FEATURES, load_ranker().weights, strict=True))
    assert all(weights[n] > 0 for n in ("name", "year", "law", "article_named", "page_lines", "role"))
    assert weights["superseded"] < 0


@pytest.mark.parametrize("name", ["ranker.json", "calibration.json"])
def test_shipped_weights_state_what_they_were_fitted_on_and_a_licence_that_allows_it(name: str) -> None:
    stated = json.loads(SHIPPED.with_name(name).read_text("utf-8"))
    assert stated["data"] and stated["note"]
    for one in stated["data"]:
        assert set(one) == {"set", "licence", "source", "part"} and all(one.values())
        assert "NC" not in one["licence"]


# Probabilities


@given(RANKERS, st.lists(st.floats(-1, 1), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_probability_is_one_and_its_parts_add_up_to_its_log_odds(ranker: Ranker, row: list[float]) -> None:
    rows = np.array([row])
    (p,) = ranker.probability(rows)
    assert 0.0 <= p <= 1.0
    odds = ranker.parts(rows).sum() + ranker.bias
    if abs(odds) < 20:
        assert math.log(p / (1 - p)) == pytest.approx(odds, rel=1e-6, abs=1e-6)


def test_feature_that_does_not_apply_adds_nothing() -> None:
    ranker = Ranker(np.ones(len(FEATURES)), bias=-1.0)
    rows = np.full((1, len(FEATURES)), math.nan)
    assert (ranker.parts(rows) == 0).all()
    assert ranker.probability(rows)[0] == pytest.approx(1 / (1 + math.e))
    assert ranker.probability(np.zeros((0, len(FEATURES)))).shape == (0,)


@pytest.mark.filterwarnings("error")
def test_heavy_weights_overflow_nothing() -> None:
    ranker = Ranker(np.full(len(FEATURES), 1e8))
    rows = np.array([np.ones(len(FEATURES)), -np.ones(len(FEATURES))])
    np.testing.assert_allclose(ranker.probability(rows), [1.0, 0.0], atol=1e-12)


# The file


@given(RANKERS)
def test_file_gives_the_ranker_back_to_four_digits(ranker: Ranker) -> None:
    back = parse(json.loads(ranker.to_json()))
    np.testing.assert_allclose(back.weights, ranker.weights, rtol=1e-4)
    assert back.scale == pytest.approx(ranker.scale, rel=1e-4)
    assert back.bias == pytest.approx(ranker.bias, rel=1e-4)
    if ranker.threshold is None:
        assert back.threshold is None
    else:
        assert back.threshold == pytest.approx(ranker.threshold, rel=1e-4)
    assert parse(json.loads(back.to_json())).to_json() == back.to_json()


def test_scale_of_a_faint_order_is_not_rounded_to_nothing() -> None:
    rows = np.zeros((2, len(FEATURES)))
    rows[1, 0] = 1.0
    faint = parse(json.loads(Ranker(np.full(len(FEATURES), 3.0), scale=2e-6).to_json()))
    low, high = faint.probability(rows)
    assert low < high


def test_order_of_the_names_in_the_file_does_not_matter(tmp_path: Path) -> None:
    data = good()
    turned = data | {"weights": dict(reversed(data["weights"].items()))}
    file = tmp_path / TUNED
    file.write_text(json.dumps(turned), "utf-8")
    np.testing.assert_array_equal(load_ranker(file).weights, load_ranker().weights)


DAMAGE: dict[str, Any] = {
    "an empty file": "",
    "half a file": SHIPPED.read_text("utf-8")[:400],
    "no JSON": "weights: 1",
    "no UTF-8": b"\xff\xfe\x00{",
    "nothing": "null",
    "a list": "[]",
    "a number": "3",
    "a text": '"weights"',
    "deep nesting": "[" * 200_000,
    "no weights": {k: v for k, v in good().items() if k != "weights"},
    "no scale": {k: v for k, v in good().items() if k != "scale"},
    "no bias": {k: v for k, v in good().items() if k != "bias"},
    "weights as a list": good() | {"weights": list(FEATURES)},
    "weights as nothing": good() | {"weights": None},
    "a weight missing": good() | {"weights": dict.fromkeys(FEATURES[1:], 1.0)},
    "a weight too many": changed(charm=1.0),
    "a weight of another name": good() | {"weights": {k.upper(): 1.0 for k in FEATURES}},
    "a weight as a text": changed(fused="much"),
    "a weight as nothing": changed(fused=None),
    "a weight as a list": changed(fused=[1.0]),
    "a weight that is not a number": changed(fused=math.nan),
    "an infinite weight": changed(fused=math.inf),
    "a weight of 400 digits": changed(fused=10**400),
    "a weight beyond all measure": changed(fused=1e300),
    "a scale of nothing": good() | {"scale": 0},
    "a scale that turns the order around": good() | {"scale": -0.3},
    "a bias that is not a number": good() | {"bias": math.nan},
    "a threshold that is no probability": good() | {"threshold": 7},
    "a threshold as a list": good() | {"threshold": []},
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path, what: str) -> None:
    damage = DAMAGE[what]
    file = tmp_path / TUNED
    file.write_bytes(
        damage
        if isinstance(damage, bytes)
        else (damage if isinstance(damage, str) else json.dumps(damage)).encode()
    )
    with pytest.raises(ConfigError) as caught:
        load_ranker(file)
    said = str(caught.value)
    assert str(file) in said
    assert "scripts/tune.py" in said
    assert "delete it" in said
    assert len(said) < 2000


def test_odd_features_are_named(tmp_path: Path) -> None:
    file = tmp_path / TUNED
    file.write_text(json.dumps(changed(charm=1.0)), "utf-8")
    with pytest.raises(ConfigError, match="charm"):
        load_ranker(file)


def test_absent_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json"):
        load_ranker(tmp_path / "none.json")


def test_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no ranker"):
        load_ranker(tmp_path)


def test_damage_to_the_shipped_file_does_not_advise_to_delete_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ranker.json"
    file.write_text("{}", "utf-8")
    monkeypatch.setattr("rag.search.ranker.SHIPPED", file)
    with pytest.raises(ConfigError, match="install") as caught:
        load_ranker()
    assert "delete" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=60), st.integers(0, 2000))
def test_bytes_of_any_kind_in_the_file_give_a_ranker_or_the_error(
    tmp_path: Path, junk: bytes, place: int
) -> None:
    data = SHIPPED.read_bytes()
    file = tmp_path / f"{TUNED}-{os.urandom(6).hex()}"
    file.write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        assert load_ranker(file).weights.shape == (len(FEATURES),)
    except ConfigError as error:
        assert "scripts/tune.py" in str(error)


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / TUNED
    for bias in (1.0, 22.0):
        file.write_text(Ranker(np.ones(len(FEATURES)), bias=bias).to_json(), "utf-8")
        assert load_ranker(file).bias == bias


# In an index


@pytest.fixture
def index(tmp_path: Path):  # type: ignore[no-untyped-def]
    with archive(tmp_path) as opened:
        yield opened


def test_index_without_its_own_ranker_uses_the_shipped_one(index: Index) -> None:
    assert index.ranker().to_json() == load_ranker().to_json()


def test_index_uses_its_own_ranker_as_soon_as_it_is_there_and_until_it_is_gone(index: Index) -> None:
    question = "How many days of notice must the tenant give?"
    before = index.search(question, 5)
    own = index.folder / TUNED
    own.write_text(Ranker(np.array([float(n == "place") for n in FEATURES])).to_json(), "utf-8")
    after = index.search(question, 5)
    assert {r.name for h in after for r in h.reasons} == {"place"}
    assert [h.chunk_id for h in after] != [h.chunk_id for h in before]
    own.unlink()
    assert index.search(question, 5) == before


def test_search_of_an_index_whose_ranker_does_not_fit_says_so(index: Index) -> None:
    (index.folder / TUNED).write_text(json.dumps(good() | {"weights": {"old_feature": 1.0}}), "utf-8")
    with pytest.raises(ConfigError, match="old_feature"):
        index.search("notice")
