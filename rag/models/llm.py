"""Language models: the one function that opens any of them, and GGUF models by llama.cpp: greedy, several
answers at a time, stoppable at any moment.

`rag.models.engine` says how answers are written side by side, `rag.models.native` speaks to llama.cpp."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import GenerationError
from rag.files import verified_sha256
from rag.models.engine import CLOSED, Engine, Odds, Request
from rag.models.generation import (
    CHATML,
    LLM,
    PLAIN,
    ChatTemplate,
    LLMInfo,
    Pieces,
    Prompt,
    Stop,
    Texts,
    without_thoughts,
)
from rag.models.native import Context, Judge, Model, Prefixes, build, judge_of
from rag.models.registry import NO_SOURCES, Sources, find_reader
from rag.models.remote import OpenAIServer, audit_file, is_address

__all__ = ["LLM", "LLMInfo", "Prompt", "ServerAccess", "load_llm"]


# Qwen2.5-Coder-1.5B (Q4_K_M), ms of processor time for a token: read in slices of 32 it took 24, of 256 17.
SLICE_TOKENS = 256


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """How a server may be asked: whether one on another machine at all, with which key, for which model."""

    allow_remote: bool = False
    api_key: str = ""
    model: str = ""


def load_llm(
    spec: str,
    *,
    cache_dir: Path,
    models: Sources = NO_SOURCES,
    threads: int = 0,
    context_tokens: int = 0,
    server: ServerAccess = ServerAccess(),
    parallel: int = 1,
) -> LLM | None:
    """The language model that `spec` means; None for "none": answers are then quotes only.

    An http(s) address is an OpenAI-compatible server; anything else is resolved by
    `rag.models.registry.find_reader` and run by llama.cpp with `threads` (0: all available cores),
    `context_tokens` (0: what is known to suit the model, else 2,048) and `parallel` answers at a time. Raises
    Offline for a server on another machine without `server.allow_remote`, ModelMissing, ModelMismatch or
    ModelError."""
    if spec.lower() in ("", "none"):
        return None
    if is_address(spec):
        return OpenAIServer(
            spec,
            model=server.model,
            api_key=server.api_key,
            allow_remote=server.allow_remote,
            context_tokens=context_tokens or 2048,
            audit_to=audit_file(cache_dir),
        )
    reader = find_reader(spec, cache_dir, models)
    known, path = reader.known, reader.path
    tokens = context_tokens or (known.context_tokens if known else 2048)
    llm = LlamaCpp(path, cache_dir=cache_dir, threads=threads, context_tokens=tokens, parallel=parallel)
    if known:
        llm.judge = judge_of(known.name)
        probed = llm.judge is not None
        llm.info = replace(llm.info, languages=known.languages, judges=known.judges, probed=probed)
    return llm


class LlamaCpp:
    """A GGUF model. `threads` 0: all available cores. `context_tokens` is cut to what the model was trained
    for. `parallel` answers are written at a time, as far as memory allows. A prompt is evaluated
    `slice_tokens` at a time, and answers that are being written go on between them.

    Raises ModelError for a file that is no model."""

    def __init__(
        self,
        path: Path,
        *,
        cache_dir: Path,
        threads: int = 0,
        context_tokens: int = 2048,
        parallel: int = 1,
        slice_tokens: int = SLICE_TOKENS,
    ) -> None:
        self._model = model = Model(path)
        try:
            source = model.metadata("tokenizer.chat_template")
            if not source:
                source = CHATML if len(model.tokenize("<|im_start|>", special=True)) == 1 else PLAIN
            begin, end = model.ends()
            self._template = ChatTemplate(source, model, bos=begin, eos=end)
            context_tokens = min(context_tokens, model.trained_tokens) or context_tokens
            sequences, size = model.sequences(parallel, context_tokens), slice_tokens
            room = {"sequences": sequences, "context_tokens": context_tokens}
            context = Context(model, **room, threads=threads, slice_tokens=size)
        except Exception:
            model.close()
            raise
        self.judge: Judge | None = None
        self.info = LLMInfo(
            name=path.stem,
            fingerprint=verified_sha256(path, cache_dir),
            context_tokens=min(context.context_tokens, context_tokens),
            local=True,
        )
        weights = {"model": self.info.fingerprint, "build": build()}
        prefixes = Prefixes(cache_dir / "prefixes", {**weights, "slice": size, "sequences": sequences})
        self._engine = Engine(context, model, slice_tokens=size, prefixes=prefixes)
        self._release = weakref.finalize(self, self._engine.close)

    @property
    def template_tokens(self) -> int:
        """Tokens that the chat template puts around a prompt."""
        with self._open() as template:
            return len(template.encode(Prompt("a", "a"))) - 2 * len(template.encode_content("a"))

    def count_tokens(self, text: str) -> int:
        with self._open() as template:
            return len(template.encode_content(text))

    def generate(self, prompt: Prompt, *, max_tokens: int, stop: Stop = None) -> Pieces:
        """See `rag.models.generation.LLM`. What was read of a prompt is kept for others that begin alike."""
        tokens, borders = self._encoded(prompt)
        room = self.info.context_tokens - len(tokens)
        request = Request(tokens, max_tokens=min(max_tokens, room), borders=borders, stop=stop)
        self._engine.offer(request)
        said = ""
        for piece in request.follow():
            if isinstance(piece, str):
                said += piece
            else:
                yield piece
        if answer := without_thoughts(said):
            yield answer

    def odds(self, prompt: Prompt, *, yes: Texts, no: Texts, stop: Stop = None) -> float | None:
        """See `rag.models.generation.LLM`; where there is a `judge`, what it says. Raises ValueError where
        the two begin with the same tokens."""
        tokens, borders = self._encoded(prompt)
        with self._open() as template:
            first = [{template.encode_content(text)[0] for text in texts} for texts in (yes, no)]
        if not (first[0] - first[1] and first[1] - first[0]):
            raise ValueError(f"{yes} and {no} begin with the same tokens")
        request = Odds(tokens, yes=first[0], no=first[1], judge=self.judge, borders=borders, stop=stop)
        self._engine.offer(request)
        for _ in request.follow():  # how many are ahead
            pass
        return request.value

    def _encoded(self, prompt: Prompt) -> tuple[list[int], tuple[int, int]]:
        with self._open() as template:
            tokens, borders = template.encode_parts(prompt)
        if len(tokens) >= self.info.context_tokens:
            raise GenerationError(
                f"the prompt has {len(tokens)} tokens and the context of {self.info.name} holds "
                f"{self.info.context_tokens}; ask a shorter question or use less evidence"
            )
        return tokens, borders

    def close(self) -> None:
        self._release()

    @contextlib.contextmanager
    def _open(self) -> Iterator[ChatTemplate]:
        """Holds the vocabulary open: reading from a model that was freed would end the process."""
        with self._model.lock:
            if self._engine.closed:
                raise GenerationError(CLOSED)
            yield self._template
