"""`citewise adapt`: from a user's questions to a file that llama.cpp answers with, and what is said when it
cannot be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rag.adapt import adapting, embedder
from rag.adapt.distil import is_supported, targets_from
from rag.adapt.lora import read_adapter
from rag.checksum import sha256_file
from rag.cli import app
from rag.config import default_cache_dir
from rag.errors import InputError
from rag.index import Index, open_index
from rag.llama import LlamaCpp
from rag.models import find_llm
from rag.pointing import DEFAULT, point
from rag.remote import OpenAIServer
from tests.fakes import FakeEmbedder, FakeLLM, fake_evidence
from tests.llm_server import ChatServer
from tests.training.towns import towns


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("towns")
    with towns(folder):
        pass
    return folder


@pytest.fixture(autouse=True)
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def opened(settings: Any, **_: Any) -> Index:
        return open_index(settings.index, embedder=FakeEmbedder())

    monkeypatch.setattr("rag.cli.options.open_configured_index", opened)
    yield


def run(made: Path, *arguments: object) -> Any:
    line = ["adapt", made / "questions.jsonl", "--index", made / "index", *arguments]
    return CliRunner().invoke(app, [str(a) for a in line])


@pytest.mark.models
def test_an_adapter_is_trained_measured_and_answers(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapting, "_MOST_MADE", 10)
    monkeypatch.setattr(adapting, "LEAST", 3)
    monkeypatch.setattr("rag.pointing.MAX_ANSWER_TOKENS", 4)
    lines = (made / "questions.jsonl").read_text().split("\n")
    some = tmp_path / "some.jsonl"
    some.write_text("\n".join([*lines[:14], lines[-1]]))
    out = tmp_path / "towns.gguf"
    options = ["--index", made / "index", "--rank", 2, "--minutes", 0.1, "--out", out, "--json"]
    done = CliRunner().invoke(app, [str(a) for a in ["adapt", some, *options]])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["finished"] == "the time is up"
    assert told["after"]["answerable"] >= adapting.LEAST
    card = json.loads(out.with_suffix(".json").read_text())
    base = find_llm("embedded", default_cache_dir())
    assert card["base"]["sha256"] == sha256_file(base)
    assert card["adapter"]["sha256"] == sha256_file(out)
    assert card["held_out"]["after"] == told["after"]
    assert read_adapter(out)[1] == 4.0
    model = LlamaCpp(base, cache_dir=default_cache_dir(), adapters={DEFAULT: out})
    sentence = fake_evidence("The mayor of Ashbury receives 200 silver marks each year.")
    assert point(model, "What does the mayor receive?", [sentence], adapter=DEFAULT).number == 1
    model.close()


def test_too_few_questions_are_said_before_anything_is_read(made: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join((made / "questions.jsonl").read_text().split("\n")[:9]))
    done = CliRunner().invoke(app, ["adapt", str(few), "--index", str(made / "index")])
    assert done.exit_code == 2
    assert "at least 20 of each" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--ranker", "--embedder"], "one at a time"),
        (["--llm", "none"], "is no model file"),
        (["--llm", "http://127.0.0.1:1/v1"], "is no model file"),
        (["--distil", "a-bigger-model"], "is no address"),
        (["--distil", "https://models.example.com/v1"], "is another machine"),
    ],
)
def test_what_cannot_be_done_is_said(made: Path, arguments: list[str], says: str) -> None:
    done = run(made, *arguments)
    assert done.exit_code != 0
    assert says in done.output


def test_a_missing_extra_is_named(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    done = run(made)
    assert done.exit_code == 5
    assert "citewise[adapt]" in done.output


def test_ranker_is_what_tune_does(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def tuned(source: Path, *_: object, **__: object) -> None:
        seen.append(source)
        raise InputError("that is enough")

    monkeypatch.setattr("rag.cli.tune._tuned", tuned)
    run(made, "--ranker")
    assert seen == [made / "questions.jsonl"]


def test_only_what_stands_in_the_sentence_is_learned_from_a_larger_model() -> None:
    sentence = "The mayor of Ashbury receives 200 silver marks each year."
    question = "What does the mayor of Ashbury receive?"
    assert targets_from(FakeLLM("200 silver marks."))(question, sentence) == "200 silver marks"
    assert targets_from(FakeLLM("300 silver marks"))(question, sentence) == ""
    assert targets_from(FakeLLM(sentence))(question, sentence) == ""
    assert not is_supported("", sentence, question)


def test_a_larger_model_is_asked_by_its_address() -> None:
    with ChatServer(("200 ", "silver ", "marks")) as server:
        teacher = OpenAIServer(server.url)
        target = targets_from(teacher)("What does the mayor receive?", "The mayor receives 200 silver marks.")
        teacher.close()
    assert target == "200 silver marks"
    assert "The mayor receives" in server.requests[0]["messages"][1]["content"]


@pytest.mark.models
def test_an_embedder_is_written_only_where_it_finds_more(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "embedder"
    done = run(made, "--embedder", "--minutes", 0.05, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["before"].keys() == told["after"].keys() == {"hit@1", "hit@5", "hit@10"}
    assert told["kept"] == (sum(told["after"].values()) > sum(told["before"].values())) == out.exists()
    scores = iter([{"hit@1": 0.1}, {"hit@1": 0.2}])
    monkeypatch.setattr(embedder, "_hits", lambda *_: next(scores))
    done = run(made, "--embedder", "--minutes", 0.05, "--out", out)
    assert "citewise ingest --rebuild" in done.output
    assert (out / "modules.json").is_file()
