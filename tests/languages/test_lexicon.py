"""Lay words find the professional words of documents; a user's own file is read, or refused with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domains import load_domains
from rag.errors import ConfigError
from rag.languages.lexicon import MAX_TERMS, Entry, load
from rag.languages.lexicon import expand as expand_with
from rag.languages.text import has_han, normalise, query_tokens, search_tokens

ANY_TEXT = st.text(st.characters(), max_size=300)
LEXICONS = load_domains().lexicons
FORMS = sorted({form for path in LEXICONS for entry in load(path) for form in entry.lay})
LAY_TEXT = st.lists(st.sampled_from(FORMS), max_size=30).map(" ".join)


def expand(question: str, *, extra: Sequence[Path] = ()) -> tuple[str, ...]:
    """With the shipped lexicons behind those given."""
    return expand_with(question, (*extra, *LEXICONS))


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text('[[entry]]\nlay = ["gizmo"]\nterms = ["apparatus"]\n', encoding="utf-8")
    return path


def write(path: Path, *entries: Entry) -> Path:
    rows = [
        f"[[entry]]\nlay = {json.dumps(e.lay, ensure_ascii=False)}\nterms = {json.dumps(e.terms)}\n"
        for e in entries
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("Can we walk away from the contract without a reason?", "terminate for convenience"),
        ("What happens if a natural disaster stops the work?", "force majeure"),
        ("Who pays if we get sued by a customer?", "indemnification"),
        ("Is it safe for someone with bad kidneys?", "renal impairment"),
        ("I forgot to take it this morning", "missed dose"),
        ("Can it cause a heart attack?", "myocardial infarction"),
        ("What was capex in 2023?", "purchases of property, plant and equipment"),
        ("How much cash is left?", "cash and cash equivalents"),
        ("What is the current ratio?", "total current liabilities"),
        ("怀孕能吃吗", "妊娠期妇女禁用"),
        ("肾不好的人能用吗", "肾功能不全"),
        ("忘了吃一次怎么办", "漏服"),
        ("被公司辞退有赔偿吗", "经济补偿"),
        ("撞了人要赔多少", "交通事故"),
        ("爸爸死了房子归谁", "法定继承"),
        ("手里还有多少现金", "货币资金"),
        ("今年分红多少", "每10股派发现金红利"),
        ("退保能拿回多少钱", "现金价值"),
        ("公司一直不给我交社保", "社会保险费"),
        ("房东押金不退怎么办", "返还"),
        ("净身出户的协议算不算数", "夫妻财产约定"),
        ("快递丢了谁来赔", "承运人"),
        ("邻居半夜太吵", "相邻关系"),
        ("没领证，彩礼能要回来吗", "未办理结婚登记"),
        ("商标被抢注了", "以不正当手段抢先注册"),
        ("孩子打赏主播的钱能退吗", "法定代理人"),
        ("飞机晚点赔钱吗", "迟延运输"),
        ("在学校摔伤算谁的", "教育、管理职责"),
        ("失踪多少年算死亡", "宣告死亡"),
        ("被网暴了", "侵犯公民个人信息"),
        ("处罚不服去哪说", "行政复议机关"),
        ("醉驾判多久", "危险驾驶罪"),
        ("一人公司的债股东要还吗", "不能证明公司财产独立"),
        ("公司破产，我的工资还有吗", "所欠职工的工资"),
        ("发票怎么开，个税怎么算", "综合所得"),
        ("专利保护多少年", "发明专利权的期限"),
        ("Can the landlord come in without asking?", "right of entry"),
        ("Do we get first dibs on the shares?", "right of first refusal"),
        ("Can they watch employees reading mail?", "expectation of privacy"),
        ("Who has to prove it?", "burden of proof"),
        ("How do you catch ringworm?", "transmission"),
        ("Is it passed down from my parents?", "inherited"),
        ("What is the outlook for people who have it?", "prognosis"),
        ("Can COPD be cured?", "chronic obstructive pulmonary disease"),
        ("What are the symptoms of a myocardial infarction?", "heart attack"),
        ("Is urticaria dangerous?", "hives"),
        ("My A1C is 8, is that bad?", "glycated hemoglobin"),
        ("Can I take Advil with Coumadin?", "warfarin"),
        ("Does Lipitor hurt the baby?", "atorvastatin"),
        ("There is blood in my stool", "rectal bleeding"),
        ("Why do my ears ring?", "tinnitus"),
        ("I am on the pill", "oral contraceptives"),
        ("Which tests before they take out the uterus?", "hysterectomy"),
        ("How strong is the evidence?", "certainty of evidence"),
        ("Who should be screened?", "asymptomatic adults"),
        ("What should they try first?", "first-line treatment"),
        ("Where should I keep it?", "storage and handling"),
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


def test_with_too_many_terms_every_form_gives_its_first_one() -> None:
    question = (
        "Heart attack, blood clot, seizures, insomnia, can't sleep, fever, capex, dividend, eps, landlord"
    )
    terms = expand(question)
    assert len(terms) == MAX_TERMS
    assert "lessor" in terms
    assert "myocardial infarction" in terms


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


def test_a_changed_file_is_read_again(lexicon: Path) -> None:
    assert expand("gizmo", extra=[lexicon]) == ("apparatus",)
    write(lexicon, Entry(("gizmo",), ("contrivance",)))
    os.utime(lexicon, ns=(1, 1))
    assert expand("gizmo", extra=[lexicon]) == ("contrivance",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[[entry", "not valid TOML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "has to be [[entry]] tables"),
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
        with pytest.raises(ConfigError, match="cannot be read"):
            expand("anything", extra=[path])


def test_a_file_with_a_byte_order_mark_is_read(lexicon: Path) -> None:
    lexicon.write_bytes(b"\xef\xbb\xbf" + lexicon.read_bytes())
    assert expand("gizmo", extra=[lexicon]) == ("apparatus",)


@pytest.mark.parametrize("path", LEXICONS, ids=lambda path: path.parent.name)
def test_a_shipped_file_speaks_both_languages_and_names_no_form_twice(path: Path) -> None:
    entries = load(path)
    for chinese in (True, False):
        mine = [entry for entry in entries if entry.chinese == chinese]
        keys = [form if has_han(form) else tuple(search_tokens(form)) for e in mine for form in e.lay]
        assert len(mine) >= 60
        assert sorted(map(str, {k for k in keys if keys.count(k) > 1})) == []


@pytest.mark.parametrize("path", LEXICONS, ids=lambda path: path.parent.name)
def test_a_shipped_entry_is_of_one_language_and_says_something_new(path: Path) -> None:
    for entry in load(path):
        assert len(entry.terms) == len(set(entry.terms)) <= 6
        assert set(entry.terms) - set(entry.lay), entry
        assert entry.chinese or not any(has_han(form) for form in entry.lay), entry
        assert all(len(form) > 1 for form in entry.lay), entry


@pytest.mark.parametrize("path", LEXICONS, ids=lambda path: path.parent.name)
def test_every_shipped_form_is_found_when_typed_alone(path: Path) -> None:
    for entry in load(path):
        for form in entry.lay:
            question = form.replace("…", "了") if not entry.chinese or has_han(form) else f"请问{form}"
            wanted = [t for t in entry.terms if t not in question]
            assert set(wanted) & set(expand(question)) or not wanted, form


@pytest.mark.parametrize("path", LEXICONS, ids=lambda path: path.parent.name)
def test_no_shipped_term_is_an_empty_search(path: Path) -> None:
    # Stop words alone are kept when nothing else is asked, so each term is asked together with a word.
    terms = [term for entry in load(path) for term in entry.terms]
    assert [term for term in terms if query_tokens(f"{term} zebra") == ["zebra"]] == []


@pytest.mark.parametrize(
    "question",
    [
        "一共有多少种",  # 共有
        "相关人员和执行人员",  # 关人, 行人
        "计提存货跌价准备",  # 提存
        "募集资金的用途",  # 集资
        "部分包括在内",  # 分包
        "规定制造商",  # 定制
        "登记过的品种",  # 记过
        "每年检查一次",  # 年检
        "这是大麻烦",  # 大麻
        "What works for migraine prophylaxis?",
        "Are reactions severe?",
    ],
)
def test_a_form_is_not_seen_across_the_border_of_other_words(question: str) -> None:
    legal = {term for entry in load(LEXICONS[0]) for term in entry.terms}
    assert legal.isdisjoint(expand(question))


@pytest.mark.parametrize(
    "question",
    [
        "What does the appendix in Annex IV say?",
        "Can I exercise the options?",
        "Is a lump sum paid to the gas company?",
        "How common shares are issued, and do sales fall or add to margin?",
        "Is there state aid, et al.?",
        "Weak demand in conjunction with a staggered board and legal counsel, by topic",
    ],
)
def test_a_question_of_law_or_finance_gets_no_medical_terms(question: str) -> None:
    medical = {term for entry in load(LEXICONS[1]) for term in entry.terms}
    assert medical.isdisjoint(expand(question))


def test_chinese_is_matched_without_loading_the_word_cutter() -> None:
    check = "assert expand('怀孕能吃吗', load_domains().lexicons); assert 'jieba' not in sys.modules"
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from rag.domains import load_domains; "
            f"from rag.languages.lexicon import expand; {check}",
        ],
        check=True,
    )
