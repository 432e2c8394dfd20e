"""The embedded model writing several answers."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.models.generation import Prompt
from rag.models.llm import LlamaCpp
from rag.models.native import Model
from rag.models.registry import find_llm

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
def many(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCpp]:
    loaded = LlamaCpp(path, cache_dir=tmp_path_factory.mktemp("cache"), parallel=3)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def alone(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What each prompt is answered by a model that answers nothing beside it."""
    one = LlamaCpp(path, cache_dir=tmp_path_factory.mktemp("cache"))
    yield [answer(one, p) for p in PROMPTS]
    one.close()


def answer(llm: LlamaCpp, prompt: Prompt, max_tokens: int = 16) -> str:
    pieces = llm.generate(prompt, max_tokens=max_tokens)
    return "".join(piece for piece in pieces if isinstance(piece, str))


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


def test_answers_written_together_are_to_the_letter_those_written_alone(
    many: LlamaCpp, alone: list[str]
) -> None:
    assert many._engine.context.sequences == 3
    assert at_once([lambda p=p: answer(many, p) for p in PROMPTS]) == alone


def test_prompt_is_read_once_for_all_its_endings(many: LlamaCpp, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Prompt(SYSTEM, "Quotes from the minutes: " + "The board met and spoke of the roof. " * 20)
    read, evaluate = [], many._engine.context.evaluate

    def counting(tokens: Any, *rest: Any, **more: Any) -> None:
        read.append(len(tokens))
        evaluate(tokens, *rest, **more)

    monkeypatch.setattr(many._engine.context, "evaluate", counting)
    for ending in ("", "In one word.", "In short."):
        answer(many, replace(fresh, ending=ending))
    assert sum(n for n in read if n > 1) <= len(many._template.encode(fresh)) + 3 * 32


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
    tokens, (stable, _) = again._template.encode_parts(PROMPTS[1])
    assert answer(again, PROMPTS[1]) == alone[1]
    again.close()
    assert stable > 16
    assert sum(n for n in read if n > 1) <= len(tokens) - stable
    file.write_bytes(file.read_bytes()[:-100] + b"\0" * 100)
    damaged = LlamaCpp(path, cache_dir=tmp_path)
    assert answer(damaged, PROMPTS[1]) == alone[1]
    damaged.close()


def test_stop_before_the_first_word_frees_the_model_at_once(many: LlamaCpp) -> None:
    long = Prompt("Read.", " ".join(f"Clause {n} binds the parties to article {n * 7}." for n in range(100)))
    whole = time.monotonic()
    answer(many, PROMPTS[3], max_tokens=1)
    short = time.monotonic() - whole  # the load of the machine, in a prompt of 150 tokens
    stop = threading.Event()
    pieces = many.generate(long, max_tokens=50, stop=stop)
    timer = threading.Timer(0.15, stop.set)
    timer.start()
    assert list(pieces) == []
    timer.join()
    begun = time.monotonic()
    while many._engine.running:
        time.sleep(0.001)
    assert time.monotonic() - begun < 0.3 + short


def test_more_sequences_than_memory_holds_are_fewer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.models.native.MEMORY", 100 << 20)
    model = Model(path)
    assert [model.sequences(wanted, 2048) for wanted in (1, 2, 32)] == [1, 2, 2]
    model.close()


def test_cache_that_is_gone_is_made_anew(path: Path, alone: list[str], tmp_path: Path) -> None:
    model = LlamaCpp(path, cache_dir=tmp_path / "cache")
    assert answer(model, PROMPTS[0]) == alone[0]
    shutil.rmtree(tmp_path / "cache")
    assert answer(model, PROMPTS[1]) == alone[1]
    model.close()
