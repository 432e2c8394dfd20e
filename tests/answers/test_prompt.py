"""Prompts: order, language, examples, and fitting the model's context."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers.prompt import MOST_SOURCES, instructions, reading_prompt
from rag.errors import GenerationError
from rag.languages import COMPLETE
from rag.models.llm import LlamaCpp, Prompt
from rag.models.registry import find_llm
from rag.questions.expects import read_wording
from rag.types import ChangedBy, Evidence, MarkKind
from tests.fakes import FakeLLM, fake_document, fake_evidence

SENTENCES = [f"Clause {n} obliges the tenant to pay {n}00 euros." for n in range(1, 7)]


def _evidence(texts: list[str]) -> list[Evidence]:
    return [fake_evidence(text, number=n) for n, text in enumerate(texts, 1)]


def _tokens(llm: FakeLLM, prompt: Prompt) -> int:
    examples = (text for turn in prompt.examples for text in turn)
    return sum(map(llm.count_tokens, (prompt.system, prompt.user, *examples)))


def read_for(question: str, texts: list[str], *, llm: FakeLLM | None = None, language: str = "en") -> Prompt:
    llm = llm or FakeLLM()
    asked = replace(read_wording(question), language=language)
    return reading_prompt(asked, _evidence(texts), llm=llm, max_tokens=50)


def test_instructions_and_examples_are_first_and_the_question_is_last() -> None:
    prompt = read_for("How much?", SENTENCES)
    assert prompt.examples and prompt.ending == ""
    assert prompt.user.endswith("Question: How much?\n")
    assert prompt.user.index(SENTENCES[0]) < prompt.user.index(SENTENCES[1]) < prompt.user.index("Question:")


def test_few_sources_are_read_under_their_own_numbers() -> None:
    prompt = read_for("How much?", SENTENCES)
    assert [s in prompt.user for s in SENTENCES] == [True] * MOST_SOURCES + [False] * 3
    assert f"[{MOST_SOURCES}] lease: {SENTENCES[MOST_SOURCES - 1]}" in prompt.user


@pytest.mark.parametrize(
    ("question", "language", "read"),
    [
        ("What was the rent of the mill on 30 April 2023?", "en", "What was the rent of the mill?"),
        ("In 2021, how much was the rent?", "en", ", how much was the rent?"),
        ("磨坊2021年10月的租金是多少？", "zh", "磨坊的租金是多少？"),
        ("What is the rent of the mill today?", "en", "What is the rent of the mill ?"),
        ("磨坊目前的租金是多少？", "zh", "磨坊租金是多少？"),
    ],
)
def test_words_in_force_on_the_day_asked_about_are_read_without_it(
    question: str, language: str, read: str
) -> None:
    piece = replace(_evidence(SENTENCES)[0], changes=(ChangedBy(2, 0, "2024-01-01", made=False),))
    asked = replace(read_wording(question), language=language)
    prompt = reading_prompt(asked, [piece], llm=FakeLLM(), max_tokens=50)
    assert f"{read}\n" in prompt.user and "202" not in prompt.user
    assert read_for(question, SENTENCES, language=language).user.endswith(f"{question}\n")


@pytest.mark.parametrize(
    ("question", "language", "read"),
    [
        ("When does the Hosting Agreement between Tessin Bank, Inc and Varn.com, LLC end?", "en",
         "When does the Hosting Agreement  end?"),
        ("《车险条款（A款）》：什么时候开始？", "zh", "什么时候开始？"),
        ("What is the difference between Schedule A and Schedule B?", "en", ""),
        ("《民法典》第三条规定了什么？", "zh", ""),
    ],
)  # fmt: skip
def test_between_whom_a_contract_is_is_not_read_where_all_sources_are_of_one_document(
    question: str, language: str, read: str
) -> None:
    asked = replace(read_wording(question), language=language)
    one = _evidence(SENTENCES)[:2]
    other = replace(one[1], document=replace(one[1].document, id=77))
    for pieces, text in ((one, read or question), ([one[0], other], question)):
        assert reading_prompt(asked, pieces, llm=FakeLLM(), max_tokens=50).user.endswith(f"{text}\n")


def test_instructions_and_examples_are_the_same_for_every_question() -> None:
    one, other = read_for("a?", SENTENCES[:1]), read_for("b?", SENTENCES[:2])
    assert (one.system, one.examples) == (other.system, other.examples)


@pytest.mark.parametrize("code", COMPLETE)
def test_examples_are_laid_out_as_what_is_asked_and_show_every_ending_and_reply(code: str) -> None:
    asked = instructions(code)
    prompt = read_for("Q?", SENTENCES, language=code)
    assert prompt.user.startswith(asked.sources + "\n[1] ")
    for said, reply in prompt.examples:
        assert said.startswith(asked.sources + "\n[1] ") and asked.question in said
        if said.endswith(asked.answer):
            assert re.search(r"\[\d\]$", reply) and not asked.none.fullmatch(reply)
        else:
            assert said.endswith(asked.ask) and reply in asked.yes + asked.no
    given = {reply for said, reply in prompt.examples if said.endswith(asked.ask)}
    assert given & {*asked.yes} and given & {*asked.no}


def test_every_language_that_is_complete_says_how_a_model_is_asked() -> None:
    english = instructions("en")
    for code in COMPLETE[1:]:
        other = instructions(code)
        assert other.system != english.system and other.ask != english.ask and other.answer != english.answer
        assert len(other.examples) == len(english.examples)
    chinese = read_for("租金多少？", ["月租金8,500元。"], language="zh").user
    assert "月租金8,500元。\n问题：" in chinese and chinese.endswith("租金多少？\n")


def test_language_that_does_not_is_asked_in_english() -> None:
    assert instructions("fr") == instructions("en")
    assert "Question: Q?" in read_for("Q?", SENTENCES, language="fr").user


def test_title_and_heading_stand_in_front_of_each_source() -> None:
    lease = fake_document("lease.md", id=1, title="Lease of Harbour House")
    evidence = [
        replace(fake_evidence("One.", number=1, document=lease), heading_path=("A", "Rent")),
        fake_evidence("Two.", number=2, document=replace(lease, title="")),
    ]
    user = reading_prompt(read_wording("Q?"), evidence, llm=FakeLLM(), max_tokens=50).user
    assert "[1] Lease of Harbour House, Rent: One.\n[2] lease.md: Two." in user


def test_last_source_is_dropped_first() -> None:
    llm, long = FakeLLM(), [f"{s} " + "And so on. " * 40 for s in SENTENCES[:3]]
    whole = _tokens(llm, read_for("Q?", long))
    llm.info = replace(llm.info, context_tokens=whole + 50 + 100)
    kept = [any(s in line for line in read_for("Q?", long, llm=llm).user.splitlines()) for s in SENTENCES[:3]]
    assert kept[0] and not kept[-1] and kept == sorted(kept, reverse=True)


def test_long_source_keeps_its_beginning_and_end() -> None:
    text = "The rent is due. " + "And so on it goes, " * 500 + "until the end."
    prompt = read_for("Q?", [text])
    assert "The rent is due." in prompt.user and "…" in prompt.user and "until the end." in prompt.user
    assert len(prompt.user) < 1000


def test_question_of_50000_characters_keeps_its_beginning_and_end() -> None:
    prompt = read_for("START " + "please tell me " * 3500 + "END?", SENTENCES)
    assert "START" in prompt.user and prompt.user.endswith("END?\n")
    assert SENTENCES[0] in prompt.user


def test_table_row_is_said_with_its_column_headers() -> None:
    row = fake_evidence("Revenue | 412.6 | 381.3", header="Item | 2023 | 2022")
    user = reading_prompt(read_wording("Q?"), [row], llm=FakeLLM(), max_tokens=50).user
    assert "Item: Revenue; 2023: 412.6; 2022: 381.3" in user


def test_template_that_says_much_itself_leaves_less_room_for_evidence() -> None:
    long = [f"{s} " + "And so on. " * 40 for s in SENTENCES[:3]]
    plain, wordy = FakeLLM(), FakeLLM()
    wordy.template_tokens = 60  # type: ignore[attr-defined]
    room = _tokens(plain, read_for("Q?", long)) + 50
    for llm in (plain, wordy):
        llm.info = replace(llm.info, context_tokens=room + 60)
    lengths = [_tokens(llm, read_for("Q?", long, llm=llm)) for llm in (plain, wordy)]
    assert lengths[1] < lengths[0]


@pytest.mark.models
@pytest.mark.parametrize("more", [100, 300])
def test_prompt_for_the_embedded_model_fits_by_its_own_count(more: int, tmp_path: Path) -> None:
    llm = LlamaCpp(find_llm("embedded", tmp_path), cache_dir=tmp_path)
    question, evidence = (
        read_wording("How much? " * 30),
        _evidence([f"§ ¥1,000 — 租金 {s}" * 9 for s in SENTENCES]),
    )
    bare = reading_prompt(read_wording("?"), [], llm=llm, max_tokens=64)
    context = len(llm._template.encode(bare)) + 64 + more
    llm.info = replace(llm.info, context_tokens=context)
    prompt = reading_prompt(question, evidence, llm=llm, max_tokens=64)
    used = len(llm._template.encode(prompt))
    llm.close()
    assert used + 64 <= context


def test_context_too_small_for_any_evidence_says_so() -> None:
    with pytest.raises(GenerationError, match="lower max_tokens"):
        read_for("Q?", SENTENCES, llm=FakeLLM(context_tokens=200))


@given(
    question=st.text(max_size=3000),
    texts=st.lists(st.text(min_size=1, max_size=2000), max_size=6),
    context=st.integers(1700, 3072),
    language=st.sampled_from(["en", "zh"]),
)
def test_prompt_and_answer_always_fit_the_context(
    question: str, texts: list[str], context: int, language: str
) -> None:
    llm = FakeLLM(context_tokens=context)
    prompt = read_for(question, texts, llm=llm, language=language)
    assert _tokens(llm, prompt) + 50 + 30 <= context


def test_a_source_that_does_not_stand_says_so() -> None:
    struck = replace(fake_evidence("The fee is EUR 950.", number=1), withdrawn=MarkKind.STRUCK)
    llm = FakeLLM("")
    for code, label in (("en", "before the change"), ("zh", "修改前")):
        prompt = reading_prompt(
            replace(read_wording("What was the fee?"), language=code), [struck], llm=llm, max_tokens=32
        )
        assert label in prompt.user
