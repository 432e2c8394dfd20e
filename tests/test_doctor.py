from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from rag import doctor
from rag.config import Config
from rag.doctor import Check, examine
from rag.errors import ModelMissing
from rag.models.registry import embedded
from rag.store.schema import DATABASE


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return Config(index=tmp_path / "index", cache_dir=tmp_path / "cache")


def named(checks: tuple[Check, ...], name: str) -> Check:
    return next(c for c in checks if c.name == name)


def test_machine_libraries_models_and_index_are_all_looked_at(config: Config) -> None:
    names = [c.name for c in examine(config)]
    assert names == [
        "citewise",
        "processor",
        "memory",
        "disk",
        "libraries",
        "embedder",
        "language model",
        "index",
        "network",
        "audit",
    ]


@pytest.mark.models
def test_embedded_models_are_found_with_their_hashes(config: Config) -> None:
    checks = examine(config)
    assert embedded("embedder").sha256 in named(checks, "embedder").value
    assert embedded("reader").sha256 in named(checks, "language model").value
    assert all(c.ok for c in checks if c.name in ("embedder", "language model"))


def test_index_that_is_not_there_yet_is_no_fault_and_says_how_to_make_one(config: Config) -> None:
    check = named(examine(config), "index")
    assert check.ok
    assert "citewise ingest" in check.advice


def test_model_that_is_missing_is_a_fault_with_its_remedy(config: Config) -> None:
    check = named(examine(config.model_copy(update={"llm": "/nowhere/big.gguf"})), "language model")
    assert not check.ok
    assert "/nowhere/big.gguf" in check.value


def test_file_that_is_no_model_is_a_fault(config: Config, tmp_path: Path) -> None:
    (tmp_path / "fake.gguf").write_bytes(b"not a model")
    check = named(examine(config.model_copy(update={"llm": str(tmp_path / "fake.gguf")})), "language model")
    assert not check.ok


def test_damaged_index_is_a_fault(config: Config) -> None:
    config.index.mkdir()
    (config.index / DATABASE).write_bytes(b"this is not a database" * 100)
    assert not named(examine(config), "index").ok


def test_network_is_needed_only_for_a_language_model_elsewhere(config: Config) -> None:
    assert named(examine(config), "network").value == "not needed"
    remote = config.model_copy(update={"llm": "https://models.example.org/v1"})
    assert "models.example.org" in named(examine(remote), "network").value


def test_nothing_is_asked_of_the_network(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("doctor opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    checks = examine(config.model_copy(update={"llm": "https://models.example.org/v1"}))
    assert not [c for c in checks if "opened a connection" in c.value]


def test_library_that_is_missing_is_a_fault(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LIBRARIES", ("numpy", "no-such-library-here"))
    check = named(examine(config), "libraries")
    assert not check.ok
    assert "no-such-library-here" in check.advice


def test_little_memory_and_little_disk_are_faults(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_LEAST_MEMORY", 1 << 60)
    monkeypatch.setattr(doctor, "_LEAST_DISK", 1 << 60)
    checks = examine(config)
    assert not named(checks, "memory").ok
    assert not named(checks, "disk").ok


def test_check_that_fails_itself_does_not_hide_the_others(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr("rag.models.registry.find_embedder", broken)
    checks = examine(config)
    assert "no such thing" in named(checks, "embedder").value
    assert named(checks, "network").ok


def test_error_of_ours_is_split_into_what_and_what_to_do() -> None:
    def _embedder(_: Config) -> Check:
        raise ModelMissing("the model is gone; run: pip install it")

    check = doctor._guarded(_embedder, Config())
    assert (check.name, check.value, check.advice) == ("embedder", "the model is gone", "run: pip install it")
