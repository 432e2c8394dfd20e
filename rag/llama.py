"""GGUF models by llama.cpp: greedy, several answers at a time, stoppable at any moment.

`rag.engine` says how answers are written side by side, `rag.native` speaks to llama.cpp."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from rag.checksum import verified_sha256
from rag.engine import CLOSED, Engine
from rag.errors import GenerationError
from rag.generation import EngineSettings, LLMInfo, Piece, Prompt
from rag.kvstate import Prefixes
from rag.llama_library import build
from rag.native import Context, Model
from rag.requests import Request
from rag.sampling import Sampling
from rag.template import CHATML, PLAIN, ChatTemplate
from rag.types import Queued

# Keys and values of all sequences together, bytes: fewer answers are written at a time where they need more.
MEMORY = 1 << 30


class LlamaCpp:
    """A GGUF model. `threads` 0: all available cores, or what `settings` say. `context_tokens` is cut to what
    the model was trained for. `parallel` answers are written at a time, as far as memory allows. `name` "":
    that of the file.

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
        sampling: Sampling | None = None,
        name: str = "",
    ) -> None:
        settings = _settings(settings or EngineSettings(), threads)
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
            name=name or path.stem,
            fingerprint=verified_sha256(path, cache_dir),
            context_tokens=min(context.context_tokens, context_tokens),
            local=True,
            languages=languages,
        )
        self._reading = lock = threading.Lock()  # held while the vocabulary is read, so that closing waits
        self._engine = engine = Engine(
            context,
            model.vocabulary,
            slice_tokens=settings.slice_tokens,
            prefixes=Prefixes(
                cache_dir / "prefixes",
                _belongs(self._info.fingerprint, settings, sequences),
            ),
            sampling=sampling,
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
        with _Open(self):
            return len(self._template.encode(Prompt("a", "a"))) - 2 * len(self._template.encode_content("a"))

    def count_tokens(self, text: str) -> int:
        with _Open(self):
            return len(self._template.encode_content(text))

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of the prompt in the model's chat template."""
        with _Open(self):
            return self._template.encode(prompt)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str]:
        for piece in self.write(prompt, max_tokens=max_tokens, stop=stop):
            if isinstance(piece, Piece):
                yield piece.text

    def write(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        stop: threading.Event | None = None,
        drafts: int = 1,
        seed: int = 0,
    ) -> Iterator[Piece | Queued]:
        """See `rag.generation.DraftingLLM`. The prompt is read once for all drafts; models that cannot take
        back the end of a sequence write one."""
        tokens, stable = self._encoded(prompt)
        request = Request(
            tokens,
            stable=stable,
            max_tokens=min(max_tokens, self._info.context_tokens - len(tokens)),
            drafts=drafts if self._model.forgets_in_parts else 1,
            seed=seed,
            stop=stop,
        )
        yield from self._served(request)

    def _encoded(self, prompt: Prompt) -> tuple[list[int], int]:
        with _Open(self):
            tokens, stable = self._template.encode_parted(prompt)
        if len(tokens) >= self._info.context_tokens:
            raise GenerationError(
                f"the prompt has {len(tokens)} tokens and the context of {self._info.name} holds "
                f"{self._info.context_tokens}; ask a shorter question or use less evidence"
            )
        return tokens, stable

    def _served(self, request: Request) -> Iterator[Piece | Queued]:
        while not self._engine.offer(request):
            if request.cancelled:
                return
            time.sleep(0.02)
        yield from request.follow()

    def close(self) -> None:
        self._release()


class _Open:
    """Holds the vocabulary open: reading from a model that was freed would end the process."""

    def __init__(self, llm: LlamaCpp) -> None:
        self._lock, self._engine = llm._reading, llm._engine

    def __enter__(self) -> None:
        self._lock.acquire()
        if self._engine.closed:
            self._lock.release()
            raise GenerationError(CLOSED)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _close(model: Model, lock: threading.Lock) -> None:
    with lock:
        model.close()


def _settings(settings: EngineSettings, threads: int) -> EngineSettings:
    if not threads:
        return settings
    return EngineSettings(threads, threads, settings.flash_attention, settings.slice_tokens)


def _sequences(model: Model, parallel: int, context_tokens: int) -> int:
    """How many sequences the memory holds; one for models with a running state, which cannot be moved."""
    if not model.forgets_in_parts:
        return 1
    each = max(1, model.bytes_per_token() * context_tokens)
    return max(1, min(parallel, MEMORY // each))


def _belongs(fingerprint: str, settings: EngineSettings, sequences: int) -> dict[str, object]:
    return {
        "model": fingerprint,
        "build": build(),
        "flash_attention": settings.flash_attention,
        "slice": settings.slice_tokens,
        "sequences": sequences,
    }


def _template(model: Model) -> ChatTemplate:
    vocabulary = model.vocabulary
    source = model.metadata.get("tokenizer.chat_template")
    if not source:
        chatml = len(vocabulary.tokenize("<|im_start|>", special=True)) == 1
        source = CHATML if chatml else PLAIN
    return ChatTemplate(source, vocabulary, bos=vocabulary.begin, eos=vocabulary.end)
