"""Lay words find the professional words of documents; a user's own file is read, or refused with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains import LEXICON
from rag.errors import ConfigError
from rag.languages.lexicon import MAX_TERMS, Entry, load
from rag.languages.lexicon import expand as expand_with
from rag.languages.text import has_han, normalise, query_tokens


def entries_of(path: Path) -> list[Entry]:
    rows = tomllib.loads(path.read_text("utf-8"))["entry"]
    return [Entry(tuple(row["lay"]), tuple(row["terms"])) for row in rows]


ANY_TEXT = st.text(st.characters(), max_size=300)
SHIPPED = [
    Entry(tuple(e["lay"]), tuple(e["terms"])) for e in tomllib.loads(LEXICON.read_text("utf-8"))["entry"]
]
WORDS = Path(__file__).parents[1] / "data" / "lay_words.toml"
OWN, SHIPPED = map(entries_of, (WORDS, LEXICON))
LAY_TEXT = st.lists(st.sampled_from([f for e in (*OWN, *SHIPPED) for f in e.lay]), max_size=30).map(" ".join)


def write(path: Path, *entries: Entry) -> Path:
    rows = [
        f"[[entry]]\nlay = {json.dumps(e.lay, ensure_ascii=False)}\nterms = {json.dumps(e.terms)}\n"
        for e in entries
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def expand(question: str, *, extra: Sequence[Path] = ()) -> tuple[str, ...]:
    """With a lexicon of two languages and the shipped one behind those given."""
    return expand_with(question, load([*extra, WORDS, LEXICON]))


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    return write(tmp_path / "own.toml", Entry(("gizmo",), ("apparatus",)))


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("Can we walk away from the contract without a reason?", "terminate for convenience"),
        ("Can it cause a heart attack?", "myocardial infarction"),
        ("How much cash is left?", "cash and cash equivalents"),
        ("怀孕能吃吗", "妊娠期妇女禁用"),
        ("快递丢了谁来赔", "承运人"),
        ("邻居半夜太吵", "相邻关系"),
    ],
)
def test_a_lay_question_finds_the_words_of_the_document(question: str, term: str) -> None:
    assert term in expand(question)


@pytest.mark.parametrize(
    "question",
    ["They walked away.", "WALKING AWAY?", "walk right away", "ｗａｌｋ ａｗａｙ", "walk-away clause"],
)
def test_inflection_case_width_and_a_word_before_a_particle_do_not_matter(question: str) -> None:
    assert "terminate for convenience" in expand(question)


@pytest.mark.parametrize(
    "question", ["sidewalk away", "walk. 我们 away", "walk the long way", "away walk", "walk"]
)
def test_other_words_than_the_form_do_not_match(question: str) -> None:
    assert "terminate for convenience" not in expand(question)


def test_a_pronoun_inside_a_form_is_passed_over_but_a_content_word_is_not() -> None:
    assert "trade payables" in expand("What do they owe their suppliers?")
    assert "trade payables" not in expand("What do they owe large suppliers?")
    assert "acute coronary syndrome" not in expand("heart valve attack")


def test_a_gap_in_a_chinese_form_spans_six_characters_and_no_more(tmp_path: Path) -> None:
    own = write(tmp_path / "own.toml", Entry(("甲乙…丙丁",), ("某术语",)))
    assert expand("甲乙一二三四五六丙丁", extra=[own]) == ("某术语",)
    assert expand("甲乙丙丁", extra=[own]) == ("某术语",)
    assert expand("甲乙一二三四五六七丙丁", extra=[own]) == ()


def test_only_the_longer_of_two_forms_in_one_place_speaks() -> None:
    terms = expand("What is the free cash flow?")
    assert "net cash provided by operating activities" in terms
    assert "restricted cash" not in terms
    both = expand("Free cash flow, and how much cash is left?")
    assert {"net cash provided by operating activities", "restricted cash"} <= set(both)


def test_terms_come_in_order_of_occurrence() -> None:
    first = expand("capex and dividend")
    second = expand("dividend and capex")
    assert first[0] == "purchases of property, plant and equipment"
    assert second[0] == "dividends declared per share"
    assert set(first) == set(second)


def test_of_many_terms_the_first_are_taken() -> None:
    terms = expand("Heart attack, blood clot, fever, capex, dividend, eps, landlord")
    assert len(terms) == MAX_TERMS
    assert terms[0] == "myocardial infarction" and "lessor" not in terms


def test_a_chinese_question_gets_chinese_terms_for_a_short_form_in_latin_letters() -> None:
    assert expand("这家公司的capex是多少")[0] == "购建固定资产、无形资产和其他长期资产支付的现金"
    assert not any(has_han(term) for term in expand("What is the capex?"))


def test_what_stands_in_the_question_is_not_said_again() -> None:
    assert "termination" not in expand("Can we walk away, or is termination barred? Terminate when?")
    assert "妊娠" not in expand("妊娠或者怀孕能吃吗")


def test_a_question_without_lay_words_is_left_alone() -> None:
    assert expand("") == ()
    assert expand("???") == ()
    assert expand("Purple elephants dance quietly") == ()


@given(ANY_TEXT | LAY_TEXT)
def test_terms_are_few_distinct_new_and_always_the_same(question: str) -> None:
    terms = expand(question)
    assert terms == expand(question)
    assert len(terms) == len(set(terms)) <= MAX_TERMS
    text = normalise(question)
    assert not any(has_han(term) and normalise(term) in text for term in terms)


@given(ANY_TEXT, st.sampled_from(["capex", "Force majeure!", "怀孕"]), ANY_TEXT)
def test_any_unicode_around_a_form_raises_nothing(before: str, form: str, after: str) -> None:
    assert isinstance(expand(f"{before} {form} {after}"), tuple)


def test_a_users_own_file_speaks_and_before_the_shipped_ones(tmp_path: Path, lexicon: Path) -> None:
    assert expand("Is the gizmo safe?", extra=[lexicon]) == ("apparatus",)
    assert expand("Is the gizmo safe?") == ()
    own = write(tmp_path / "second.toml", Entry(("capex",), ("additions to plant",)))
    assert expand("capex", extra=[lexicon, own])[0] == "additions to plant"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[[entry", "Expected"),
        (b"\xff\xfe\x00", "utf-8"),
        (b"", "to be [[entry]] tables"),
        (b'title = "x"\n[[entry]]\nlay = ["a"]\nterms = ["b"]', "nothing else"),
        (b'[[entry]]\nlay = ["a"]\nterms = ["b"]\n[[entry]]\nlay = ["a"]', "entry 2"),
        (b'[[entry]]\nlay = ["a"]\nterms = ["b"]\nnote = "c"', "entry 1"),
        (b'[[entry]]\nlay = "a"\nterms = ["b"]', "no list under lay"),
        (b'[[entry]]\nlay = ["a"]\nterms = []', "no list under terms"),
        (b'[[entry]]\nlay = ["?!"]\nterms = ["b"]', "'?!' under lay"),
        (b'[[entry]]\nlay = ["a"]\nterms = [3]', "3 under terms"),
        ('[[entry]]\nlay = ["pay…back"]\nterms = ["b"]'.encode(), "'pay…back' under lay"),
        ('[[entry]]\nlay = ["欠…"]\nterms = ["b"]'.encode(), "'欠…' under lay"),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_the_reason(
    lexicon: Path, content: bytes, said: str
) -> None:
    lexicon.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        expand("anything", extra=[lexicon])
    assert str(lexicon) in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be used"):
            expand("anything", extra=[path])


def test_a_file_with_a_byte_order_mark_is_read(lexicon: Path) -> None:
    lexicon.write_bytes(b"\xef\xbb\xbf" + lexicon.read_bytes())
    assert expand("gizmo", extra=[lexicon]) == ("apparatus",)


def test_no_shipped_form_is_named_twice() -> None:
    forms = [form for entry in SHIPPED for form in entry.lay]
    assert sorted({form for form in forms if forms.count(form) > 1}) == []


def test_a_shipped_entry_is_chinese_and_says_something_new() -> None:
    for entry in SHIPPED:
        assert entry.chinese and all(len(form) > 1 for form in entry.lay), entry
        assert len(entry.terms) == len(set(entry.terms)) <= 6
        assert set(entry.terms) - set(entry.lay), entry


def test_every_shipped_form_is_found_when_typed_alone() -> None:
    for entry in SHIPPED:
        for form in entry.lay:
            question = form.replace("…", "了") if has_han(form) else f"请问{form}"
            wanted = [t for t in entry.terms if t not in question]
            assert set(wanted) & set(expand(question)) or not wanted, form


def test_no_shipped_term_is_an_empty_search() -> None:
    # Stop words alone are kept when nothing else is asked, so each term is asked together with a word.
    terms = [term for entry in SHIPPED for term in entry.terms]
    assert [term for term in terms if query_tokens(f"{term} zebra") == ["zebra"]] == []


@pytest.mark.parametrize(
    "question",
    [
        "一共有多少种",  # 共有
        "募集资金的用途",  # 集资
        "部分包括在内",  # 分包
        "规定制造商",  # 定制
        "登记过的品种",  # 记过
        "What works for migraine prophylaxis?",
    ],
)
def test_a_form_is_not_seen_across_the_border_of_other_words(question: str) -> None:
    legal = {term for entry in SHIPPED for term in entry.terms}
    assert legal.isdisjoint(expand(question))


def test_chinese_is_matched_without_loading_the_word_cutter() -> None:
    check = "assert expand('邻居太吵', load_domains().lexicon); assert 'jieba' not in sys.modules"
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from rag.domains import load_domains; "
            f"from rag.languages.lexicon import expand; {check}",
        ],
        check=True,
    )
