"""Prompts and targets as token ids, by the model's own tokenizer and chat template, as they are at use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.adapt.examples import Example
from rag.generation import Prompt
from rag.pointer import pointer_prompt, target_text
from rag.template import CHATML, PLAIN, ChatTemplate


@dataclass(frozen=True, slots=True)
class Encoded:
    """Ids of prompt and target together; `start` is where the target begins."""

    ids: tuple[int, ...]
    start: int


class Encoder:
    """The vocabulary of a GGUF file, without its weights."""

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self._api = llama_cpp
        self._llama = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
        self._vocab = llama_cpp.llama_model_get_vocab(self._llama.model)
        written = [
            self.text_of(t) if t >= 0 else "" for t in (self._llama.token_bos(), self._llama.token_eos())
        ]
        source = self._llama.metadata.get("tokenizer.chat_template")
        if not source:
            source = CHATML if len(self.tokenize("<|im_start|>", special=True)) == 1 else PLAIN
        self._template = ChatTemplate(source, self, bos=written[0], eos=written[1])
        self.end = int(self._api.llama_vocab_eot(self._vocab))
        if self.end < 0:
            self.end = self._llama.token_eos()

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        tokens: list[int] = (
            self._llama.tokenize(text.encode(), add_bos=False, special=special) if text else []
        )
        return tokens

    def is_control(self, token: int) -> bool:
        return bool(
            self._api.llama_vocab_is_control(self._vocab, token)
            or self._api.llama_vocab_is_eog(self._vocab, token)
        )

    def text_of(self, token: int) -> str:
        piece: bytes = self._llama.detokenize([token], special=True)
        return piece.decode("utf-8", "replace")

    def text(self, tokens: Sequence[int]) -> str:
        plain = [t for t in tokens if not self.is_control(t)]
        piece: bytes = self._llama.detokenize(plain) if plain else b""
        return piece.decode("utf-8", "replace")

    def prompt(self, prompt: Prompt) -> list[int]:
        return self._template.encode(prompt)

    def example(self, example: Example) -> Encoded:
        """Prompt, target and the end of the turn."""
        prompt = self.prompt(pointer_prompt(example.question, [(s.title, s.text) for s in example.sources]))
        target = self._template.encode_content(target_text(example.right, example.answer))
        return Encoded((*prompt, *target, self.end), len(prompt))

    def numbers(self, count: int) -> list[int]:
        """The ids of "0" to `count` as a target's first token."""
        return [self._template.encode_content(str(n))[0] for n in range(count + 1)]

    def close(self) -> None:
        self._llama.close()


def batches(
    encoded: Sequence[Encoded], order: Sequence[int], *, tokens: int, step: int
) -> Iterator[list[int]]:
    """Places of examples of about one length, at most `tokens` ids with their padding to a multiple of
    `step`; `order` says in which order examples are drawn."""
    window = max(1, 16 * tokens // 256)
    for begin in range(0, len(order), window):
        near = sorted(order[begin : begin + window], key=lambda i: len(encoded[i].ids))
        batch: list[int] = []
        ready: list[list[int]] = []
        for i in near:
            if batch and padded(len(encoded[i].ids), step) * (len(batch) + 1) > tokens:
                ready.append(batch)
                batch = []
            batch.append(i)
        yield from _mixed([*ready, batch] if batch else ready)


def padded(length: int, step: int) -> int:
    """The length rounded up to a multiple of `step`."""
    return -(-length // step) * step


def _mixed(found: list[Any]) -> list[Any]:
    """Short and long by turns, so that no stretch of training sees one kind alone."""
    return [found[i * 7 % len(found)] for i in range(len(found))] if len(found) % 7 else found[::-1]
