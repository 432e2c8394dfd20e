"""GGUF models by llama.cpp: one owner thread, greedy decoding, stoppable within a slice of the prompt.

A `Llama` is not thread-safe, so one thread owns it and serves requests in order. Prompts are evaluated in
slices of fixed size that begin at multiples of that size; what is kept of an earlier prompt ends at such a
border. Every slice is therefore always computed with the same shape, and the same prompt gives the same
answer to the last bit, whatever was asked before."""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import os
import queue
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rag.checksum import verified_sha256
from rag.errors import CitewiseError, GenerationError, ModelError
from rag.generation import Delivery, LLMInfo, Prompt
from rag.template import CHATML, PLAIN, ChatTemplate

# Tokens of a prompt that are evaluated at a time. A stop is heard between slices; larger ones were not faster
# on a CPU (SmolLM2-135M, two cores: 32 and 512 both about 300 tokens/s).
SLICE = 32
_WAITING = 32
_CLOSED = "the language model was closed; open it again to go on"


class _Vocabulary:
    """The tokenizer of a loaded model. Calls only read the model, so any thread may make them."""

    def __init__(self, llama: Any) -> None:
        import llama_cpp

        self._llama = llama
        self._api = llama_cpp
        self._vocab = llama_cpp.llama_model_get_vocab(llama.model)

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

    def is_end(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_eog(self._vocab, token))

    def text_of(self, token: int) -> str:
        return self.bytes_of(token, special=True).decode("utf-8", "replace")

    def bytes_of(self, token: int, *, special: bool = False) -> bytes:
        piece: bytes = self._llama.detokenize([token], special=special)
        return piece

    def written(self, token: int) -> str:
        """How a single special token is written; "" for none (-1)."""
        return self.text_of(token) if token >= 0 else ""


class _Request(Delivery):
    def __init__(self, tokens: list[int], max_tokens: int, stop: threading.Event | None) -> None:
        super().__init__(stop)
        self.tokens = tokens
        self.max_tokens = max_tokens


class _Engine:
    """The model, and the only thread that touches its state. It does not refer to its `LlamaCpp`, so that one
    can be collected."""

    def __init__(self, path: Path, *, threads: int, context_tokens: int) -> None:
        self.llama = _open(path, threads=threads, context_tokens=context_tokens)
        self.vocabulary = _Vocabulary(self.llama)
        self.context_tokens = int(self.llama.n_ctx())
        self.reading = threading.Lock()  # held while the vocabulary is read, so that closing waits
        self.closed = False
        self._gate = threading.Lock()
        self._kept: list[int] = []  # tokens whose keys and values are in memory, in whole slices
        self._requests: queue.Queue[_Request | None] = queue.Queue(_WAITING)
        self._current: _Request | None = None
        self._thread = threading.Thread(target=self._serve, name="citewise-llama", daemon=True)
        self._thread.start()

    def submit(self, request: _Request) -> None:
        """Queues a request; waits while the queue is full. Raises GenerationError once the engine is
        closed."""
        while not request.cancelled:
            with self._gate:  # nothing may slip into the queue behind the end mark
                if self.closed:
                    raise GenerationError(_CLOSED)
                with contextlib.suppress(queue.Full):
                    self._requests.put_nowait(request)
                    return
            time.sleep(0.02)

    def close(self) -> None:
        """Stops what runs, answers what waits with an error, frees the native memory."""
        with self._gate:
            first, self.closed = not self.closed, True
        if first:
            if (current := self._current) is not None:
                current.cancel()
            self._requests.put(None)  # the owner is emptying the queue
        self._thread.join()

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            self._current = request
            if self.closed:
                request.finish(GenerationError(_CLOSED))
                continue
            try:
                self._answer(request)
            except Exception as error:  # whatever llama.cpp raises ends this request, not the thread
                self._kept = []
                request.finish(_as_generation_error(error))
            else:
                request.finish()
        with self.reading:
            self.llama.close()
        self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        while not self._requests.empty():
            if (request := self._requests.get_nowait()) is not None:
                request.finish(GenerationError(_CLOSED))

    def _answer(self, request: _Request) -> None:
        if not self._prefill(request):
            return
        # A character may span tokens; one that is cut off by the end is left out.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for position in range(request.max_tokens):
            token = self._best()
            if self.vocabulary.is_end(token) or request.cancelled:
                break
            if text := decoder.decode(self.vocabulary.bytes_of(token)):
                request.put(text)
            if position + 1 < request.max_tokens:
                self.llama.eval([token])

    def _prefill(self, request: _Request) -> bool:
        """Evaluates the prompt behind what is kept of the last one; False when it was stopped."""
        tokens = request.tokens
        start = _shared_slices(self._kept, tokens)
        if start and not self._forget_after(start):
            start = 0
        if not start:
            self._forget_after(0)
            self.llama.reset()
        self.llama.n_tokens = start
        self._kept = tokens[:start]
        for begin in range(start, len(tokens), SLICE):
            if request.cancelled:
                return False
            part = tokens[begin : begin + SLICE]
            self.llama.eval(part)
            if len(part) == SLICE:
                self._kept += part
        return not request.cancelled

    def _forget_after(self, position: int) -> bool:
        import llama_cpp

        memory = llama_cpp.llama_get_memory(self.llama.ctx)
        return bool(llama_cpp.llama_memory_seq_rm(memory, -1, position, -1))

    def _best(self) -> int:
        """The likeliest next token; of equals the one with the lowest id."""
        import llama_cpp

        pointer = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
        logits = np.ctypeslib.as_array(pointer, shape=(self.llama.n_vocab(),))
        best = int(np.argmax(logits))
        if not np.isfinite(logits[best]):
            raise GenerationError("the language model computed no valid next word; its file may be damaged")
        return best


def _shared_slices(kept: list[int], tokens: list[int]) -> int:
    """Length of the common beginning in whole slices, leaving at least one token to evaluate."""
    length = 0
    for a, b in zip(kept, tokens[:-1], strict=False):
        if a != b:
            break
        length += 1
    return length - length % SLICE


def _as_generation_error(error: Exception) -> Exception:
    if isinstance(error, CitewiseError):
        return error
    wrapped = GenerationError(
        f"the language model failed while writing ({error}); ask again, or use another model"
    )
    wrapped.__cause__ = error
    return wrapped


_silence: Any = None


def _open(path: Path, *, threads: int, context_tokens: int) -> Any:
    # llama.cpp's threads meet after every operation, and by default spin there for milliseconds. On two cores
    # with load 7 to 11 beside it, SmolLM2-135M wrote 1 to 2 tokens/s so, 7 to 24 with this count. Never
    # spinning did better still under load (18 to 37), but on idle cores it cost more than half (40 instead of
    # 100).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"llama-cpp-python cannot be loaded ({error}); run: pip install llama-cpp-python"
        ) from error

    global _silence
    if (
        _silence is None
    ):  # llama.cpp otherwise writes to stderr; the callback must live as long as the library
        _silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(_silence, ctypes.c_void_p(0))
    count = threads or len(os.sched_getaffinity(0))
    try:
        return llama_cpp.Llama(
            str(path),
            n_ctx=context_tokens,
            n_batch=SLICE,
            n_ubatch=SLICE,
            n_threads=count,
            n_threads_batch=count,
            verbose=False,
        )
    except (ValueError, OSError, RuntimeError, AssertionError) as error:
        raise ModelError(
            f"llama.cpp cannot load {path} ({error}); the file is damaged, of an unknown "
            "kind, or larger than the free memory"
        ) from error


class LlamaCpp:
    """A GGUF model. `threads` 0: all available cores. `context_tokens` is cut to what the model was trained
    for."""

    def __init__(
        self,
        path: Path,
        *,
        cache_dir: Path,
        threads: int = 0,
        context_tokens: int = 2048,
        languages: tuple[str, ...] = ("*",),
    ) -> None:
        self._engine = engine = _Engine(path, threads=threads, context_tokens=context_tokens)
        self._release = weakref.finalize(self, engine.close)
        trained = int(engine.llama.metadata.get(_trained_key(engine.llama.metadata), engine.context_tokens))
        self._info = LLMInfo(
            name=path.stem,
            fingerprint=verified_sha256(path, cache_dir),
            context_tokens=min(engine.context_tokens, trained),
            local=True,
            languages=languages,
        )
        self._template = _template(engine)

    @property
    def info(self) -> LLMInfo:
        return self._info

    def count_tokens(self, text: str) -> int:
        with self._reading():
            return len(self._template.encode_content(text))

    def encode(self, prompt: Prompt) -> list[int]:
        """Token ids of the prompt in the model's chat template."""
        with self._reading():
            return self._template.encode(prompt)

    def generate(
        self, prompt: Prompt, *, max_tokens: int, stop: threading.Event | None = None
    ) -> Iterator[str]:
        tokens = self.encode(prompt)
        room = self._info.context_tokens - len(tokens)
        if room < 1:
            raise GenerationError(
                f"the prompt has {len(tokens)} tokens and the context of {self._info.name} holds "
                f"{self._info.context_tokens}; ask a shorter question or use less evidence"
            )
        request = _Request(tokens, min(max_tokens, room), stop)
        self._engine.submit(request)
        yield from request.read()

    def close(self) -> None:
        self._release()

    def _reading(self) -> Any:
        return _Reading(self._engine)


class _Reading:
    """Holds the vocabulary open: reading from a model that was freed would end the process."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        self._engine.reading.acquire()
        if self._engine.closed:
            self._engine.reading.release()
            raise GenerationError(_CLOSED)

    def __exit__(self, *_: object) -> None:
        self._engine.reading.release()


def _trained_key(metadata: dict[str, str]) -> str:
    return f"{metadata.get('general.architecture', '')}.context_length"


def _template(engine: _Engine) -> ChatTemplate:
    llama, vocabulary = engine.llama, engine.vocabulary
    bos, eos = vocabulary.written(llama.token_bos()), vocabulary.written(llama.token_eos())
    source = llama.metadata.get("tokenizer.chat_template")
    if not source:
        chatml = len(vocabulary.tokenize("<|im_start|>", special=True)) == 1
        source = CHATML if chatml else PLAIN
    return ChatTemplate(source, vocabulary, bos=bos, eos=eos)
