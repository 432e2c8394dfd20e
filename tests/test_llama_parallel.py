"""The embedded model writing several answers, several drafts, and with adapters."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import GenerationError, ModelError
from rag.generation import Piece, Prompt
from rag.llama import LlamaCpp
from rag.models import find_llm
from tests.lora_files import query_lora, write_lora

pytestmark = pytest.mark.models

SYSTEM = "Answer the question from the quotes only, in one short sentence. Copy numbers and names exactly."


def prompt(n: int) -> Prompt:
    names = ("Anna", "Bert", "Carl", "Dora")
    quotes = "\n".join(
        f"[{k}] The tenant of flat {n + k} pays EUR {n * 100 + k * 13} to {name} each month."
        for k, name in enumerate(names[: 2 + n % 3], 1)
    )
    return Prompt(SYSTEM, f"Quotes from Lease {n}:\n{quotes}\n\nQuestion: What does flat {n + 1} pay?")


PROMPTS = [prompt(n) for n in range(5)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return find_llm("embedded", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    return {
        "nothing": write_lora(folder / "nothing.gguf", query_lora(1, strength=0.0)),
        "law": write_lora(folder / "law.gguf", query_lora(2)),
        "tax": write_lora(folder / "tax.gguf", query_lora(3)),
    }


@pytest.fixture(scope="module")
def many(
    path: Path, adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LlamaCpp]:
    loaded = LlamaCpp(path, cache_dir=tmp_path_factory.mktemp("cache"), parallel=3, adapters=adapters)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def alone(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What each prompt is answered by a model that answers nothing beside it."""
    one = LlamaCpp(path, cache_dir=tmp_path_factory.mktemp("cache"))
    yield [answer(one, p) for p in PROMPTS]
    one.close()


def answer(llm: LlamaCpp, prompt: Prompt, adapter: str = "", max_tokens: int = 16) -> str:
    return "".join(llm.generate(prompt, max_tokens=max_tokens, adapter=adapter))


def at_once(calls: list[Any]) -> list[Any]:
    results: list[Any] = [None] * len(calls)

    def run(n: int) -> None:
        results[n] = calls[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results


def drafts_of(llm: LlamaCpp, prompt: Prompt, count: int, seed: int) -> dict[int, str]:
    said: dict[int, str] = {}
    for piece in llm.write(prompt, max_tokens=16, drafts=count, seed=seed):
        if isinstance(piece, Piece):
            said[piece.draft] = said.get(piece.draft, "") + piece.text
    return said


def test_answers_written_together_are_to_the_letter_those_written_alone(
    many: LlamaCpp, alone: list[str]
) -> None:
    assert many.parallel == 3
    assert at_once([lambda p=p: answer(many, p) for p in PROMPTS]) == alone


def test_drafts_are_the_same_together_and_one_after_the_other(
    many: LlamaCpp, path: Path, alone: list[str], tmp_path: Path
) -> None:
    together = drafts_of(many, PROMPTS[0], 3, seed=11)
    one = LlamaCpp(path, cache_dir=tmp_path)
    assert drafts_of(one, PROMPTS[0], 3, seed=11) == together
    one.close()
    assert together[0] == alone[0]
    assert len(set(together.values())) > 1
    assert drafts_of(many, PROMPTS[0], 3, seed=12) != together


def test_prompt_is_read_once_for_all_its_drafts(many: LlamaCpp, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Prompt(SYSTEM, "Quotes from the minutes: " + "The board met and spoke of the roof. " * 20)
    read, evaluate = [], many._engine.context.evaluate

    def counting(tokens: Any, positions: Any, sequences: Any, **more: Any) -> None:
        if len(set(sequences)) < len(sequences):
            read.append(len(tokens))
        evaluate(tokens, positions, sequences, **more)

    monkeypatch.setattr(many._engine.context, "evaluate", counting)
    drafts_of(many, fresh, 3, seed=1)
    assert 0 < sum(read) <= len(many.encode(fresh))


def test_state_behind_the_instructions_is_taken_from_disk_and_changes_no_letter(
    path: Path, alone: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = LlamaCpp(path, cache_dir=tmp_path)
    assert answer(first, PROMPTS[1]) == alone[1]
    first.close()
    (file,) = (tmp_path / "prefixes").iterdir()
    again = LlamaCpp(path, cache_dir=tmp_path)
    read, evaluate = [], again._engine.context.evaluate

    def counting(tokens: Any, *rest: Any, **more: Any) -> None:
        read.append(len(tokens))
        evaluate(tokens, *rest, **more)

    monkeypatch.setattr(again._engine.context, "evaluate", counting)
    tokens, stable = again._template.encode_parted(PROMPTS[1])
    assert answer(again, PROMPTS[1]) == alone[1]
    again.close()
    assert stable > 16
    assert sum(n for n in read if n > 1) <= len(tokens) - stable
    file.write_bytes(file.read_bytes()[:-100] + b"\0" * 100)
    damaged = LlamaCpp(path, cache_dir=tmp_path)
    assert answer(damaged, PROMPTS[1]) == alone[1]
    damaged.close()


def test_adapter_changes_the_answer_and_one_that_changes_nothing_does_not(
    many: LlamaCpp, alone: list[str]
) -> None:
    assert many.adapters == ("nothing", "law", "tax")
    assert answer(many, PROMPTS[2], "nothing") == alone[2]
    law, tax = answer(many, PROMPTS[2], "law"), answer(many, PROMPTS[2], "tax")
    assert len({law, tax, alone[2]}) == 3


def test_adapters_asked_for_at_once_do_not_mix(many: LlamaCpp, alone: list[str]) -> None:
    wanted = [(n, adapter) for n in (0, 1) for adapter in ("", "law", "tax", "law", "")]
    expected = {(n, a): answer(many, PROMPTS[n], a) for n, a in set(wanted)}
    assert expected[0, ""] == alone[0]
    together = at_once([lambda n=n, a=a: answer(many, PROMPTS[n], a) for n, a in wanted])
    assert together == [expected[key] for key in wanted]


def test_options_are_weighed_by_what_the_model_would_write_first(many: LlamaCpp) -> None:
    said = many.encode(PROMPTS[0])
    first = next(iter(many.generate(PROMPTS[0], max_tokens=1)))
    shares = many.weigh(PROMPTS[0], [first, "7", "Zebra"])
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == max(shares) > 0.9
    assert many.weigh(PROMPTS[0], ["7", first]) != many.weigh(PROMPTS[0], ["7", first], adapter="law")
    assert many.encode(PROMPTS[0]) == said


def test_answer_goes_on_from_its_opening(many: LlamaCpp, alone: list[str]) -> None:
    opening = alone[0][: alone[0].index(" ", 8)]
    opened = Prompt(PROMPTS[0].system, PROMPTS[0].user, opening)
    assert many.encode(opened)[: len(many.encode(PROMPTS[0]))] == many.encode(PROMPTS[0])
    assert alone[0].startswith(opening + answer(many, opened, max_tokens=2))


def test_unknown_adapter_is_an_error_that_names_those_there_are(many: LlamaCpp) -> None:
    with pytest.raises(GenerationError, match=r"no adapter 'medical'.*nothing, law, tax"):
        answer(many, PROMPTS[0], "medical")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"architecture": "qwen3"}, "mismatch"),
        ({"kind": "model"}, "adapter"),
        ({"tensors": query_lora(1, width=512)}, "shape"),
        ({"tensors": {"blk.0.attn_q.weight.lora_a": np.zeros((4, 576), np.float32)}}, ""),
    ],
)
def test_adapter_of_another_model_is_a_model_error_that_says_so(
    path: Path, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    tensors = change.pop("tensors", query_lora(1))
    file = write_lora(tmp_path / "other.gguf", tensors, **change)
    with pytest.raises(
        ModelError, match=r"other\.gguf is no adapter for this model.*architecture 'llama'"
    ) as said:
        LlamaCpp(path, cache_dir=tmp_path, adapters={"other": file})
    assert reason in str(said.value)


def test_damaged_or_absent_adapter_is_a_model_error(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a file"):
        LlamaCpp(path, cache_dir=tmp_path, adapters={"a": tmp_path / "nowhere.gguf"})
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 60)
    with pytest.raises(ModelError, match="no adapter for this model"):
        LlamaCpp(path, cache_dir=tmp_path, adapters={"a": tmp_path / "broken.gguf"})


def test_stop_before_the_first_word_frees_the_model_at_once(many: LlamaCpp) -> None:
    long = Prompt("Read.", " ".join(f"Clause {n} binds the parties to article {n * 7}." for n in range(100)))
    whole = time.monotonic()
    answer(many, PROMPTS[3], max_tokens=1)
    short = time.monotonic() - whole  # the load of the machine, in a prompt of 150 tokens
    stop = threading.Event()
    pieces = many.write(long, max_tokens=50, stop=stop)
    timer = threading.Timer(0.15, stop.set)
    timer.start()
    assert [p for p in pieces if isinstance(p, Piece)] == []
    timer.join()
    begun = time.monotonic()
    while many._engine._running():
        time.sleep(0.001)
    assert time.monotonic() - begun < 0.3 + short


def test_more_sequences_than_memory_holds_are_fewer(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.llama.MEMORY", 100 << 20)
    model = LlamaCpp(path, cache_dir=tmp_path, parallel=32)
    assert model.parallel == 2
    model.close()


def test_cache_that_is_gone_is_made_anew(path: Path, alone: list[str], tmp_path: Path) -> None:
    model = LlamaCpp(path, cache_dir=tmp_path / "cache")
    assert answer(model, PROMPTS[0]) == alone[0]
    shutil.rmtree(tmp_path / "cache")
    assert answer(model, PROMPTS[1]) == alone[1]
    model.close()
