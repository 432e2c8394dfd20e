"""Prompts: order, language, and fitting the model's context."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answers.prompt import build_prompt
from rag.errors import GenerationError
from rag.models.llm import LlamaCpp
from rag.models.registry import find_llm
from rag.questions.expects import read_wording
from rag.types import Evidence
from tests.fakes import FakeLLM, fake_document, fake_evidence

SENTENCES = [f"Clause {n} obliges the tenant to pay {n}00 euros." for n in range(1, 7)]


def _evidence(texts: list[str]) -> list[Evidence]:
    return [fake_evidence(text, number=n) for n, text in enumerate(texts, 1)]


def _tokens(llm: FakeLLM, prompt: object) -> int:
    return llm.count_tokens(prompt.system) + llm.count_tokens(prompt.user)  # type: ignore[attr-defined]


def test_instructions_are_first_and_the_question_is_last() -> None:
    prompt = build_prompt(
        read_wording("How much?"), _evidence(SENTENCES), llm=FakeLLM(), max_tokens=50, language="en"
    )
    assert prompt.user.endswith("Question: How much?")
    assert all(prompt.user.index(s) < prompt.user.index("Question:") for s in SENTENCES)
    assert prompt.user.index(SENTENCES[0]) < prompt.user.index(SENTENCES[1])


def test_instructions_are_the_same_for_every_question() -> None:
    prompts = [
        build_prompt(read_wording(q), _evidence(SENTENCES[:n]), llm=FakeLLM(), max_tokens=50, language="en")
        for n, q in enumerate(["a?", "b?"], 1)
    ]
    assert prompts[0].system == prompts[1].system


def test_chinese_questions_get_chinese_instructions() -> None:
    prompt = build_prompt(
        read_wording("租金多少？"),
        _evidence(["月租金8,500元。"]),
        llm=FakeLLM(),
        max_tokens=50,
        language="zh",
    )
    assert "引文" in prompt.system
    assert prompt.user.endswith("问题：租金多少？")


def test_unknown_language_is_asked_in_english() -> None:
    prompt = build_prompt(
        read_wording("Q?"), _evidence(SENTENCES), llm=FakeLLM(), max_tokens=50, language="fr"
    )
    assert "Question: Q?" in prompt.user


def test_title_stands_once_for_quotes_of_one_document() -> None:
    lease = fake_document("lease.md", id=1, title="Lease of Harbour House")
    annex = fake_document("annex.md", id=2, title="Annex")
    evidence = [
        fake_evidence("One.", number=1, document=lease),
        fake_evidence("Two.", number=2, document=lease),
        fake_evidence("Three.", number=3, document=annex),
    ]
    user = build_prompt(read_wording("Q?"), evidence, llm=FakeLLM(), max_tokens=50, language="en").user
    assert user.count("Lease of Harbour House") == 1
    assert user.index("[2] Two.") < user.index("Annex") < user.index("[3] Three.")


def test_last_evidence_is_dropped_first() -> None:
    llm = FakeLLM()
    prompt = build_prompt(
        read_wording("Q?"), _evidence(SENTENCES), llm=llm, max_tokens=50, budget=40, language="en"
    )
    kept = [s in prompt.user for s in SENTENCES]
    assert kept[0]
    assert not kept[-1]
    assert kept == sorted(kept, reverse=True)


def test_single_long_piece_of_evidence_is_shortened_and_not_dropped() -> None:
    text = "The rent is due. " + "And so on it goes, " * 500
    prompt = build_prompt(
        read_wording("Q?"), _evidence([text]), llm=FakeLLM(), max_tokens=50, budget=60, language="en"
    )
    assert "The rent is due." in prompt.user
    assert "…" in prompt.user


def test_question_of_50000_characters_keeps_its_beginning_and_end() -> None:
    question = "START " + "please tell me " * 3500 + "END?"
    llm = FakeLLM(context_tokens=1024)
    prompt = build_prompt(
        read_wording(question), _evidence(SENTENCES), llm=llm, max_tokens=100, language="en"
    )
    assert "START" in prompt.user
    assert prompt.user.endswith("END?")
    assert SENTENCES[0] in prompt.user


def test_table_row_is_told_with_its_column_headers() -> None:
    row = fake_evidence("Revenue | 412.6 | 381.3", header="Item | 2023 | 2022")
    user = build_prompt(read_wording("Q?"), [row], llm=FakeLLM(), max_tokens=50, language="en").user
    assert "Item: Revenue; 2023: 412.6; 2022: 381.3" in user


def test_template_that_says_much_itself_leaves_less_room_for_evidence() -> None:
    plain, wordy = FakeLLM(context_tokens=400), FakeLLM(context_tokens=400)
    wordy.template_tokens = 250  # type: ignore[attr-defined]
    lengths = [
        _tokens(
            llm, build_prompt(read_wording("Q?"), _evidence(SENTENCES), llm=llm, max_tokens=50, language="en")
        )
        for llm in (plain, wordy)
    ]
    assert lengths[1] < lengths[0]
    assert lengths[1] + 250 + 50 <= 400


@pytest.mark.models
@pytest.mark.parametrize("context", [256, 512])
def test_prompt_for_the_embedded_model_fits_by_its_own_count(context: int, tmp_path: Path) -> None:
    llm = LlamaCpp(find_llm("embedded", tmp_path), cache_dir=tmp_path, context_tokens=context)
    evidence = _evidence([f"§ {n}: ¥{n},000 — 租金 {text}" for n, text in enumerate(SENTENCES * 4)])
    prompt = build_prompt(read_wording("How much? " * 30), evidence, llm=llm, max_tokens=64, language="en")
    used = len(llm._template.encode(prompt))
    llm.close()
    assert context * 0.6 < used + 64 <= context


def test_context_too_small_for_any_evidence_says_so() -> None:
    with pytest.raises(GenerationError, match="lower max_tokens"):
        build_prompt(
            read_wording("Q?"),
            _evidence(SENTENCES),
            llm=FakeLLM(context_tokens=200),
            max_tokens=160,
            language="en",
        )


@given(
    question=st.text(max_size=3000),
    texts=st.lists(st.text(min_size=1, max_size=2000), max_size=6),
    context=st.integers(256, 2048),
    language=st.sampled_from(["en", "zh"]),
)
def test_prompt_and_answer_always_fit_the_context(
    question: str, texts: list[str], context: int, language: str
) -> None:
    llm = FakeLLM(context_tokens=context)
    prompt = build_prompt(read_wording(question), _evidence(texts), llm=llm, max_tokens=64, language=language)
    assert _tokens(llm, prompt) + 64 + 30 <= context
