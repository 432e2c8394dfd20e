"""What a sentence-transformers folder says about itself: dimension, length, pooling, prompts, languages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import ModelError, ModelMissing


@dataclass(frozen=True, slots=True)
class EmbedderFiles:
    """A sentence-transformers model on disk.

    `fingerprint` is the SHA-256 of the weights; `max_tokens` counts special tokens too; `pooling` is "mean",
    "cls" or what else the model says; the prompts are put in front of queries and passages; `languages` as in
    `rag.models.embedder.EmbedderInfo`."""

    name: str
    folder: Path
    weights: Path
    tokenizer: Path | None
    fingerprint: str
    dimension: int
    max_tokens: int
    pooling: str
    normalised: bool
    languages: tuple[str, ...]
    query_prompt: str = ""
    passage_prompt: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


def weight_files(folder: Path) -> list[Path]:
    for pattern in (
        "model.safetensors",
        "model-*.safetensors",
        "pytorch_model.bin",
        "pytorch_model-*.bin",
        "*.safetensors",
    ):
        if found := sorted(folder.glob(pattern)):
            return found
    raise ModelMissing(
        f"{folder} holds no weights (model.safetensors or pytorch_model.bin); download the model again"
    )


def describe(folder: Path, name: str, weights: Path, fingerprint: str) -> EmbedderFiles:
    config = _json(folder / "config.json")
    if not config:
        raise ModelError(f"{folder} has no config.json; it is not a model in sentence-transformers format")
    pooling = _json(folder / "1_Pooling" / "config.json")
    modules = [str(m.get("type", "")) for m in _json(folder / "modules.json", list) or []]
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    tokenizer = folder / "tokenizer.json"
    positions = int(config.get("max_position_embeddings", 512))
    limit = int(_json(folder / "sentence_bert_config.json").get("max_seq_length") or positions)
    kinds = [module.rpartition(".")[2] for module in modules]
    return EmbedderFiles(
        name=name,
        folder=folder,
        weights=weights,
        tokenizer=tokenizer if tokenizer.is_file() else None,
        fingerprint=fingerprint,
        dimension=int(pooling.get("word_embedding_dimension") or config.get("hidden_size") or 0),
        max_tokens=min(limit, positions),
        pooling=_pooling(pooling),
        normalised=kinds == ["Transformer", "Pooling", "Normalize"],
        languages=_languages(folder / "README.md"),
        query_prompt=str(prompts.get("query") or ""),
        passage_prompt=str(prompts.get("document") or prompts.get("passage") or ""),
        config=config,
    )


def _json(path: Path, kind: type = dict) -> Any:
    """The JSON object of a file; an empty one when the file is absent. Raises ModelError for anything
    else."""
    if not path.is_file():
        return kind()
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); download the model again") from error
    if not isinstance(value, kind):
        raise ModelError(
            f"{path} is not what a sentence-transformers model has there; download the model again"
        )
    return value


def _pooling(config: Mapping[str, Any]) -> str:
    on = [
        k.removeprefix("pooling_mode_")
        for k, v in config.items()
        if k.startswith("pooling_mode_") and v is True
    ]
    names = {"mean_tokens": "mean", "cls_token": "cls"}
    return names.get(on[0], on[0]) if len(on) == 1 else "+".join(on)


_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\s*$", re.S | re.M)
_LANGUAGE = re.compile(r"^language:[ \t]*(?P<inline>[^\n]*)\n?(?P<items>(?:[ \t]*-[^\n]*\n?)*)", re.M)


def _languages(card: Path) -> tuple[str, ...]:
    """Language codes from the model card's front matter; ("*",), all, where it names none, "multilingual" or
    more than ten."""
    try:
        front = _FRONT_MATTER.search(card.read_text("utf-8")[:20000])
    except (OSError, UnicodeDecodeError):
        front = None
    match = _LANGUAGE.search(front.group(1) + "\n") if front else None
    if match is None:
        return ("*",)
    codes = re.findall(r"[A-Za-z]{2,}", match["inline"] + " " + match["items"])
    return tuple(codes) if 0 < len(codes) <= 10 and "multilingual" not in codes else ("*",)
