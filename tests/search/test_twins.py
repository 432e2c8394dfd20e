"""Passages that say the same are one; those that differ in a number or in words are not."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rag.search.retrieve import distinct
from tests.indexing import new_index, write_files

CLAUSE = "The contractor warrants the roof against leaks for a period of 24 months after the works are done"
WORDS = st.lists(st.sampled_from("roof leak works warrants 24 36 months 屋顶 保修 days".split()), max_size=12)


def kept(*texts: str, k: int = 8) -> list[tuple[int, tuple[int, ...]]]:
    return distinct(enumerate(texts), k)


def test_case_white_space_and_punctuation_do_not_count() -> None:
    assert kept(CLAUSE, CLAUSE.upper().replace(" ", "  "), f"{CLAUSE}.") == [(0, (1, 2))]


def test_a_number_makes_another_passage() -> None:
    assert kept(CLAUSE, CLAUSE.replace("24", "36"), CLAUSE.replace(" 24", "")) == [(0, ()), (1, ()), (2, ())]


def test_a_word_in_forty_may_differ_and_two_in_ten_may_not() -> None:
    long = " ".join(f"word{'x' * n}" for n in range(40))
    assert kept(long, f"{long} more") == [(0, (1,))]
    assert kept(CLAUSE, CLAUSE.replace("roof", "cellar")) == [(0, ()), (1, ())]


def test_passages_without_a_word_are_never_twins() -> None:
    assert kept("", "", "—", "…") == [(0, ()), (1, ()), (2, ()), (3, ())]


def test_twins_behind_the_last_place_are_still_named() -> None:
    assert kept(CLAUSE, "another thing", CLAUSE, "a third", k=2) == [(0, (2,)), (1, ())]


def test_what_says_the_same_is_quoted_from_the_original_not_from_its_copy(tmp_path: Path) -> None:
    words = f"Roof contract\n\n{CLAUSE}.\n"
    folder = write_files(tmp_path / "in", {"a/Roof contract (copy).md": words, "roof contract.md": words})
    with new_index(tmp_path / "index") as index:
        index.ingest(folder)
        (hit,) = index.search("How long does the contractor warrant the roof against leaks?")
    assert hit.document.path == "roof contract.md"
    assert len(hit.similar) == 1


def test_chinese_passages_are_twins_word_for_word_only() -> None:
    a = "承租人 应当 提前 三十日 通知"
    assert kept(a, a, a.replace("三十日", "六十日")) == [(0, (1,)), (2, ())]


@given(st.lists(WORDS, max_size=12), st.integers(1, 12))
def test_every_key_is_kept_or_named_once_and_in_order(texts: list[list[str]], k: int) -> None:
    found = kept(*(" ".join(words) for words in texts), k=k)
    keys = [key for key, _ in found]
    named = [twin for _, twins in found for twin in twins]
    assert keys == sorted(keys)
    assert len(found) <= k
    assert len({*keys, *named}) == len(keys) + len(named)
    assert all(twin > key for key, twins in found for twin in twins)
    if len(found) < k:
        assert sorted([*keys, *named]) == list(range(len(texts)))


@given(st.lists(WORDS, max_size=12))
def test_what_was_kept_is_kept_again_as_it_is(texts: list[list[str]]) -> None:
    once = [" ".join(texts[key]) for key, _ in kept(*(" ".join(words) for words in texts), k=99)]
    assert kept(*once, k=99) == [(n, ()) for n in range(len(once))]
