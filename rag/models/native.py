"""llama.cpp through its C interface: a loaded model with its tokenizer, a context of several sequences, and
the state behind a model's instructions, kept on disk.

Each sequence has a stretch of memory of its own (`kv_unified` off): what one computes is, to the last bit,
what it would compute alone. In one shared stretch, attention runs over the cells of all, and sums come out
otherwise. Nothing here is thread-safe but the tokenizer, which only reads the model.

The first tokens of every prompt are the same; their keys and values are computed once for each model and
setting. A file of one state is named by the hash of all that it belongs to and holds the SHA-256 of the
state, then the state. One that is damaged is not used, and written anew.

Whether sources state an answer is read from those values, too. Halfway up, a small model knows more of it
than its yes or no says: a linear classifier over what its middle layers hold ("probe"; Azaria and Mitchell,
"The Internal State of an LLM Knows When It's Lying", 2023) tells it better than the odds of the reply. It
reads the place in front of the answer, which tells more than the one behind a question for yes or no, above
all of near misses. judge.json has the weights of each model and what they were fitted to;
`scripts/fit_judge.py` fits them."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ConfigError, GenerationError, ModelError, StorageError
from rag.files import write_atomically

# Keys and values of all sequences together, bytes: fewer answers are written at a time where they need more.
MEMORY = 1 << 30
_FORMAT = "citewise prefix 2"
_ON_DISK = 24
_LEAST = 16  # shorter beginnings are computed as fast as they are read
_ABORTED = 2  # what llama_decode returns where it was given up
_WORD = 4
_BLOCK_HEAD = 3 * _WORD  # bytes in front of a layer's values in a state
_FLOAT16 = 1  # GGML_TYPE_F16
_DIGEST = hashlib.sha256().digest_size
_said: deque[str] = deque(maxlen=20)  # what llama.cpp logged as errors
_alive: list[Any] = []  # what it was given to call


class Prefixes:
    """States by tokens, in `folder`. `belongs` names all else that they depend on (model, build,
    settings)."""

    def __init__(self, folder: Path, belongs: Mapping[str, object]) -> None:
        self._folder = folder
        self._belongs = {"format": _FORMAT, **belongs}

    def get(self, tokens: Sequence[int]) -> bytes | None:
        """The state behind these tokens; None where none is kept."""
        with contextlib.suppress(OSError):
            content = self._file(tokens).read_bytes() if len(tokens) >= _LEAST else b""
            if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
                return content[_DIGEST:]
        return None

    def put(self, tokens: Sequence[int], state: bytes) -> None:
        """Keeps a state. A folder that cannot be written only means that it is computed again."""
        if len(tokens) < _LEAST or not state:
            return
        with contextlib.suppress(StorageError, OSError):
            write_atomically(self._file(tokens), hashlib.sha256(state).digest() + state)
            # States of models and versions that are no longer used would add up.
            for file in sorted(self._folder.glob("*.kv"), key=lambda f: f.stat().st_mtime)[:-_ON_DISK]:
                file.unlink(missing_ok=True)

    def _file(self, tokens: Sequence[int]) -> Path:
        key = json.dumps(self._belongs | {"tokens": list(tokens)}, sort_keys=True)
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.kv"


@functools.cache
def library() -> Any:
    """llama_cpp, set up to print nothing. Raises ModelError."""
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

    _alive.append(llama_cpp.llama_log_callback(_note))  # llama.cpp otherwise writes to stderr
    llama_cpp.llama_log_set(_alive[-1], ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


def _note(level: int, text: bytes, data: Any) -> None:
    if level == 4:  # GGML_LOG_LEVEL_ERROR
        _said.append(text.decode("utf-8", "replace").strip())


def build() -> str:
    """Which llama.cpp this is, with what it uses of the processor: both decide the last bits of a result."""
    api = library()
    return f"{api.__version__} {api.llama_print_system_info().decode('utf-8', 'replace')}"


def _made(make: Callable[[], Any], what: str, advice: str) -> Any:
    """A handle of llama.cpp. Raises ModelError, with the first line that it logs as an error, without the
    name of the function that wrote it: the function itself returns no more than a null pointer."""
    _said.clear()
    if handle := make():
        return handle
    lines = [line.partition(": ")[2] or line for line in _said if line]
    why = f" ({lines[0].rstrip('.')})" if lines else ""
    raise ModelError(f"llama.cpp cannot {what}{why}; {advice}")


class Interrupted(Exception):
    """An evaluation was given up in its middle because `interrupt` was called."""


class Model:
    """The weights of a GGUF file and its tokenizer, which any thread may read that holds `lock`: closing
    waits for it. Weights are not repacked for the processor: that took 0.6 GB more and 2.5 s at each start,
    for 8 % less time to read and 13 % to write. Raises ModelError."""

    def __init__(self, path: Path) -> None:
        self.api = api = library()
        self.lock = threading.Lock()
        wanted = api.llama_model_default_params()
        wanted.use_extra_bufts = False
        self.handle = _made(
            lambda: api.llama_model_load_from_file(os.fsencode(path), wanted),
            f"load {path}",
            "the file is damaged, of an unknown kind, or larger than the free memory",
        )
        self._vocab = api.llama_model_get_vocab(self.handle)
        self.size = int(api.llama_vocab_n_tokens(self._vocab))  # of the vocabulary
        self.trained_tokens = int(api.llama_model_n_ctx_train(self.handle))
        self.layers = int(api.llama_model_n_layer(self.handle))
        head = api.llama_model_n_embd(self.handle) // max(1, api.llama_model_n_head(self.handle))
        # Of a token's keys, and of its values.
        self.width = int(head * api.llama_model_n_head_kv(self.handle))

    def sequences(self, wanted: int, context_tokens: int) -> int:
        """How many sequences of that length `MEMORY` holds, at most those wanted; one for models with a
        running state (Mamba), where the end of a sequence cannot be taken back."""
        api, model = self.api, self.handle
        if api.llama_model_is_recurrent(model) or api.llama_model_is_hybrid(model):
            return 1
        numbers = 2 * self.width * self.layers
        return max(1, min(wanted, MEMORY // max(1, numbers * 2 * context_tokens)))  # of 16 bits

    def metadata(self, key: str) -> str:
        """What the file says under a key, at most 1 MiB; "" where it says nothing."""
        buffer = ctypes.create_string_buffer(1 << 20)
        self.api.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    def close(self) -> None:
        """Frees the weights; the contexts must be closed before."""
        with self.lock:
            if self.handle:
                self.api.llama_model_free(self.handle)
                self.handle = None

    # --- the tokenizer ---

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        if not text:
            return []
        data = text.encode()
        room = len(data) + 8
        for _ in range(2):
            tokens = (self.api.llama_token * room)()
            count = self.api.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
            if count >= 0:
                return list(tokens[:count])
            room = -count
        raise GenerationError("a text could not be cut into tokens; leave it out, or use another model")

    def is_control(self, token: int) -> bool:
        return bool(self.api.llama_vocab_is_control(self._vocab, token)) or self.is_end(token)

    def is_end(self, token: int) -> bool:
        return bool(self.api.llama_vocab_is_eog(self._vocab, token))

    def text_of(self, token: int) -> str:
        return self.bytes_of(token, special=True).decode("utf-8", "replace")

    def bytes_of(self, token: int, *, special: bool = False) -> bytes:
        buffer = ctypes.create_string_buffer(1024)
        count = self.api.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, special)
        return buffer.raw[: max(0, count)]

    def ends(self) -> tuple[str, str]:
        """How the tokens of begin and end are written; "" for one that there is not (-1)."""
        ids = self.api.llama_vocab_bos(self._vocab), self.api.llama_vocab_eos(self._vocab)
        begin, end = (self.text_of(int(token)) if token >= 0 else "" for token in ids)
        return begin, end


class Context:
    """The working memory of a model: `sequences` stretches of `context_tokens` each; `threads` 0: all
    available cores, and at most `slice_tokens` are evaluated at a time.

    Positions of a sequence are filled from 0 without gaps. Only one thread may call, `interrupt` excepted."""

    def __init__(
        self, model: Model, *, sequences: int, context_tokens: int, slice_tokens: int, threads: int = 0
    ) -> None:
        self._api = api = model.api
        self._vocabulary = model.size
        self._layers, self._width = model.layers, model.width
        self.sequences = sequences
        wanted = api.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max, wanted.kv_unified = context_tokens * sequences, sequences, False
        wanted.n_batch = wanted.n_ubatch = largest = max(slice_tokens, sequences)
        wanted.n_threads = wanted.n_threads_batch = threads or len(os.sched_getaffinity(0))
        wanted.flash_attn_type = 0  # LLAMA_FLASH_ATTN_TYPE_DISABLED
        wanted.swa_full = True  # so that the end of a sequence can be taken back, with sliding windows too
        wanted.no_perf = True
        self._handle = _made(
            lambda: api.llama_init_from_model(model.handle, wanted),
            f"make room for {sequences} times {context_tokens} tokens",
            "choose a smaller model, or fewer answers at a time",
        )
        self.context_tokens = int(api.llama_n_ctx_seq(self._handle))
        self._memory = api.llama_get_memory(self._handle)
        self._batch = api.llama_batch_init(largest, 0, 1)
        # Asked whether to give up: C's own strlen, over two bytes that `interrupt` writes. A Python function
        # would wait for the interpreter's lock at each of a thousand operations.
        self._flag = ctypes.create_string_buffer(2)
        self._strlen = ctypes.cast(ctypes.CDLL(None).strlen, api.ggml_abort_callback)
        api.llama_set_abort_callback(self._handle, self._strlen, ctypes.cast(self._flag, ctypes.c_void_p))

    def evaluate(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        *,
        wanted: Sequence[int],
    ) -> None:
        """Computes keys and values of the tokens; `wanted` are the rows whose logits will be read.

        Sequences that follow one another (3, 4, 5) are computed as one, others one after the other. Raises
        Interrupted, GenerationError; nothing that the call added may then be relied on."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for row, (token, position, sequence) in enumerate(zip(tokens, positions, sequences, strict=True)):
            batch.token[row], batch.pos[row], batch.logits[row] = token, position, row in wanted
            batch.n_seq_id[row], batch.seq_id[row][0] = 1, sequence
        result = self._api.llama_decode(self._handle, batch)
        if result == _ABORTED:
            raise Interrupted
        if result:
            raise GenerationError(
                f"llama.cpp could not go on (llama_decode returned {result}); ask again, or use another model"
            )

    def logits(self, row: int) -> NDArray[np.float32]:
        """Of one row that was wanted; valid until the next call."""
        pointer = self._api.llama_get_logits_ith(self._handle, row)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary,))

    def interrupt(self, on: bool) -> None:
        """From any thread: gives up the evaluation that runs, and each later one until switched off."""
        self._flag[0] = b"\1" if on else b"\0"

    def cut(self, sequence: int, position: int) -> int:
        """Forgets a sequence from a position on, all of it where parts cannot be. Returns what is left."""
        if position and self._api.llama_memory_seq_rm(self._memory, sequence, position, -1):
            return position
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return 0

    def state(self, sequence: int) -> bytes:
        """Keys and values of a sequence, to be given to `restore`; b"" where there are none."""
        return bytes(self._state(sequence))

    def _state(self, sequence: int) -> memoryview:
        size = self._api.llama_state_seq_get_size(self._handle, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = self._api.llama_state_seq_get_data(self._handle, buffer, size, sequence)
        return memoryview(buffer)[:written]

    def values(self, sequence: int, tokens: int) -> NDArray[np.float16] | None:
        """What attention reads of the last of a sequence's `tokens`, its value vectors: shape (layers,
        width). None for a model, or a llama.cpp, that keeps them otherwise.

        They stand last in the state, a block for each layer: three words (type, bytes of a number, width),
        then of each dimension the numbers of all tokens. Behind them each later sequence says in a word that
        it has none."""
        state, block = self._state(sequence), _BLOCK_HEAD + 2 * self._width * tokens
        start = len(state) - self._layers * block - _WORD * (self.sequences - 1 - sequence)
        if start < 0:
            return None
        blocks = np.frombuffer(state, np.uint8, self._layers * block, start).reshape(self._layers, block)
        if (blocks[:, :_BLOCK_HEAD].view(np.uint32) != (_FLOAT16, 2, self._width)).any():
            return None
        numbers = blocks[:, _BLOCK_HEAD:].view(np.float16)
        return numbers.reshape(self._layers, self._width, tokens)[:, :, -1].copy()

    def restore(self, sequence: int, state: bytes) -> bool:
        """Replaces a sequence by a state; False, and nothing in it to rely on, where that does not fit."""
        self.cut(sequence, 0)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(self._api.llama_state_seq_set_data(self._handle, buffer, len(state), sequence))

    def close(self) -> None:
        if self._handle:
            self._api.llama_batch_free(self._batch)
            self._api.llama_free(self._handle)
            self._handle = None


@dataclass(frozen=True, slots=True)
class Judge:
    """`weights` of shape (len(layers), width) for the value vectors of these `layers`."""

    layers: tuple[int, ...]
    weights: NDArray[np.float32]
    bias: float

    def odds(self, values: NDArray[np.float16]) -> float:
        """How sure it is that the sources state the answer, on the scale of a model's log-odds of yes against
        no, by the value vectors of all its layers behind the prompt: shape (layers of the model, width)."""
        held = values[list(self.layers)].astype(np.float32)
        return float((held * self.weights).sum()) + self.bias


@cache
def judge_of(model: str) -> Judge | None:
    """The one for a model of the registry; None where there is none. Raises ConfigError for weights of
    another shape."""
    data = json.loads(files("rag.models").joinpath("judge.json").read_text("utf-8")).get(model)
    if data is None:
        return None
    weights = np.array(data["weights"], dtype=np.float32)
    if weights.shape[:1] != (len(data["layers"]),) or weights.ndim != 2:
        raise ConfigError("rag/models/judge.json is damaged. Reinstall citewise.")
    return Judge(tuple(data["layers"]), weights, data["bias"])
