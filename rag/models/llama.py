"""GGUF models by llama.cpp: greedy, several answers at a time, stoppable at any moment.

`rag.models.engine` says how answers are written side by side, `rag.models.native` speaks to llama.cpp."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rag.errors import GenerationError
from rag.models.engine import CLOSED, Engine, Request
from rag.models.fetch import verified_sha256
from rag.models.generation import EngineSettings, LLMInfo, Prompt
from rag.models.native import Context, Model, Prefixes, build
from rag.models.template import CHATML, PLAIN, ChatTemplate
from rag.types import Queued

# Keys and values of all sequences together, bytes: fewer answers are written at a time where they need more.
MEMORY = 1 << 30


class LlamaCpp:
    """A GGUF model. `threads` 0: all available cores, or what `settings` say. `context_tokens` is cut to what
    the model was trained for. `parallel` answers are written at a time, as far as memory allows.

    Raises ModelError for a file that is no model."""

    def __init__(
        self,
        path: Path,
        *,
        cache_dir: Path,
        threads: int = 0,
        context_tokens: int = 2048,
        languages: tuple[str, ...] = ("*",),
        settings: EngineSettings | None = None,
        parallel: int = 1,
    ) -> None:
        settings = settings or EngineSettings()
        if threads:
            settings = replace(settings, threads=threads, threads_batch=threads)
        self._model = model = Model(path)
        try:
            context_tokens = min(context_tokens, model.trained_tokens) or context_tokens
            sequences = _sequences(model, parallel, context_tokens)
            context = Context(model, sequences=sequences, context_tokens=context_tokens, settings=settings)
            self._template = _template(model)
        except Exception:
            model.close()
            raise
        self._info = LLMInfo(
            name=path.stem,
            fingerprint=verified_sha256(path, cache_dir),
            context_tokens=min(context.context_tokens, context_tokens),
            local=True,
            languages=languages,
        )
        belongs = {
            "model": self._info.fingerprint,
            "build": build(),
            "flash_attention": settings.flash_attention,
            "slice": settings.slice_tokens,
            "sequences": sequences,
        }
        self._reading = lock = threading.Lock()  # held while the vocabulary is read, so that closing waits
        self._engine = engine = Engine(
            context,
            model.vocabulary,
            slice_tokens=settings.slice_tokens,
            prefixes=Prefixes(cache_dir / "prefixes", belongs),
            dispose=lambda: _close(model, lock),
        )
        self._release = weakref.finalize(self, engine.close)

    @property
    def info(self) -> LLMInfo:
        return self._info

    @property
    def parallel(self) -> int:
        """How many answers are written at a time."""
        return self._engine.context.sequences

    @property
    def template_tokens(self) -> int:
        """Tokens that the chat template puts around a prompt."""
        with self._open() as template:
            return len(template.encode(Prompt("a", "a"))) - 2 * len(template.encode_content("a"))

    def count_tokens(self, text: str) -> int:
        with self._open() as template:
            return len(template.encode_content(text))

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of the prompt in the model's chat template."""
        with self._open() as template:
            return template.encode(prompt)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None, draft: int = 0
    ) -> Iterator[str | Queued]:
        """See `rag.models.generation.LLM`. What was read of a prompt is kept for its further drafts."""
        with self._open() as template:
            tokens, stable = template.encode_parts(prompt)
        room = self._info.context_tokens - len(tokens)
        if room <= 0:
            raise GenerationError(
                f"the prompt has {len(tokens)} tokens and the context of {self._info.name} holds "
                f"{self._info.context_tokens}; ask a shorter question or use less evidence"
            )
        request = Request(tokens, max_tokens=min(max_tokens, room), stable=stable, draft=draft, stop=stop)
        while not self._engine.offer(request):
            if request.cancelled:
                return
            time.sleep(0.02)
        yield from request.follow()

    def close(self) -> None:
        self._release()

    @contextlib.contextmanager
    def _open(self) -> Iterator[ChatTemplate]:
        """Holds the vocabulary open: reading from a model that was freed would end the process."""
        with self._reading:
            if self._engine.closed:
                raise GenerationError(CLOSED)
            yield self._template


def _close(model: Model, lock: threading.Lock) -> None:
    with lock:
        model.close()


def _sequences(model: Model, parallel: int, context_tokens: int) -> int:
    """How many sequences the memory holds; one for models with a running state, which cannot be cut back."""
    if not model.forgets_in_parts:
        return 1
    return max(1, min(parallel, MEMORY // max(1, model.bytes_per_token() * context_tokens)))


def _template(model: Model) -> ChatTemplate:
    vocabulary = model.vocabulary
    source = model.metadata("tokenizer.chat_template")
    if not source:
        chatml = len(vocabulary.tokenize("<|im_start|>", special=True)) == 1
        source = CHATML if chatml else PLAIN
    begin, end = vocabulary.ends()
    return ChatTemplate(source, vocabulary, bos=begin, eos=end)
