"""llama.cpp through its C interface: a loaded model, its tokenizer, a context of several sequences, and the
state behind a model's instructions, kept on disk.

Each sequence has a stretch of memory of its own (`kv_unified` off): what one computes is, to the last bit,
what it would compute alone. In one shared stretch, attention runs over the cells of all, and sums come out
otherwise. Nothing here is thread-safe but the tokenizer, which only reads the model.

The first tokens of every prompt are the same; their keys and values are computed once for each model and
setting. A file holds one state: a line that names the format, a line of JSON that says what it belongs to,
the SHA-256 of the rest, the rest. One that is of another kind, damaged or for something else is not used, and
written anew."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import GenerationError, ModelError, StorageError
from rag.files import write_atomically
from rag.models.generation import EngineSettings

_MAGIC = b"citewise prefix 1\n"
_ON_DISK = 24
# Shorter beginnings are computed as fast as they are read.
_LEAST = 16
_ABORTED = 2  # what llama_decode returns where it was given up
_silence: Any = None
_said: deque[str] = deque(maxlen=20)


class Prefixes:
    """States by tokens, in `folder`. `belongs` names all else that they depend on (model, build,
    settings)."""

    def __init__(self, folder: Path, belongs: Mapping[str, object]) -> None:
        self._folder = folder
        self._belongs = dict(belongs)

    def get(self, tokens: Sequence[int]) -> bytes | None:
        """The state behind these tokens; None where none is kept."""
        path, head = self._place(tokens)
        try:
            content = path.read_bytes() if len(tokens) >= _LEAST else b""
        except OSError:
            return None
        digest, state = content[len(head) : len(head) + 32], content[len(head) + 32 :]
        return state if content.startswith(head) and hashlib.sha256(state).digest() == digest else None

    def put(self, tokens: Sequence[int], state: bytes) -> None:
        """Keeps a state. A folder that cannot be written only means that it is computed again."""
        if len(tokens) < _LEAST or not state:
            return
        path, head = self._place(tokens)
        with contextlib.suppress(StorageError, OSError):
            write_atomically(path, head + hashlib.sha256(state).digest() + state)
            # States of models and versions that are no longer used would add up.
            for file in sorted(self._folder.glob("*.kv"), key=lambda f: f.stat().st_mtime)[:-_ON_DISK]:
                file.unlink(missing_ok=True)

    def _place(self, tokens: Sequence[int]) -> tuple[Path, bytes]:
        """The file of a state, and how it begins: one line of JSON holds all that the state depends on."""
        key = json.dumps(self._belongs | {"tokens": list(tokens)}, sort_keys=True).encode()
        return self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}.kv", _MAGIC + key + b"\n"


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

    global _silence
    if _silence is None:
        # llama.cpp otherwise writes to stderr; the callback must live as long as the library
        _silence = llama_cpp.llama_log_callback(_note)
        llama_cpp.llama_log_set(_silence, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    return llama_cpp


def _note(level: int, text: bytes, data: Any) -> None:
    if level == 4:  # GGML_LOG_LEVEL_ERROR
        _said.append(text.decode("utf-8", "replace").strip())


@contextlib.contextmanager
def complaints() -> Iterator[deque[str]]:
    """What llama.cpp logs as errors meanwhile: its functions return no more than a null pointer."""
    _said.clear()
    yield _said


def because(said: Sequence[str]) -> str:
    """The most informative line, without the name of the function that wrote it."""
    lines = [line.partition(": ")[2] or line for line in said if line]
    return f" ({lines[0].rstrip('.')})" if lines else ""


def build() -> str:
    """Which llama.cpp this is, with what it uses of the processor: both decide the last bits of a result."""
    api = library()
    return f"{api.__version__} {api.llama_print_system_info().decode('utf-8', 'replace')}"


class Interrupted(Exception):
    """An evaluation was given up in its middle because `interrupt` was called."""


class ModelVocabulary:
    """The tokenizer of a loaded model. Calls only read the model, so any thread may make them."""

    def __init__(self, api: Any, model: Any) -> None:
        self._api = api
        self._vocab = api.llama_model_get_vocab(model)
        self.size = int(api.llama_vocab_n_tokens(self._vocab))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        if not text:
            return []
        data = text.encode()
        room = len(data) + 8
        for _ in range(2):
            tokens = (self._api.llama_token * room)()
            count = self._api.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
            if count >= 0:
                return list(tokens[:count])
            room = -count
        raise GenerationError("a text could not be cut into tokens; leave it out, or use another model")

    def is_control(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_control(self._vocab, token)) or self.is_end(token)

    def is_end(self, token: int) -> bool:
        return bool(self._api.llama_vocab_is_eog(self._vocab, token))

    def text_of(self, token: int) -> str:
        return self.bytes_of(token, special=True).decode("utf-8", "replace")

    def bytes_of(self, token: int, *, special: bool = False) -> bytes:
        room = 64
        for _ in range(2):
            buffer = ctypes.create_string_buffer(room)
            count = self._api.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count
        return b""

    def ends(self) -> tuple[str, str]:
        """How the tokens of begin and end are written; "" for one that there is not (-1)."""
        ids = self._api.llama_vocab_bos(self._vocab), self._api.llama_vocab_eos(self._vocab)
        begin, end = (self.text_of(int(token)) if token >= 0 else "" for token in ids)
        return begin, end


class Model:
    """The weights of a GGUF file. Raises ModelError."""

    def __init__(self, path: Path) -> None:
        self.api = api = library()
        with complaints() as log:
            self.handle = api.llama_model_load_from_file(os.fsencode(path), api.llama_model_default_params())
        if not self.handle:
            raise ModelError(
                f"llama.cpp cannot load {path}{because(log)}; the file is damaged, of an unknown kind, or "
                "larger than the free memory"
            )
        self.vocabulary = ModelVocabulary(api, self.handle)

    @property
    def trained_tokens(self) -> int:
        return int(self.api.llama_model_n_ctx_train(self.handle))

    @property
    def forgets_in_parts(self) -> bool:
        """Whether the end of a sequence can be taken back: not for models with a running state (Mamba)."""
        api = self.api
        return not (api.llama_model_is_recurrent(self.handle) or api.llama_model_is_hybrid(self.handle))

    def bytes_per_token(self) -> int:
        """Keys and values of one token, in bytes at 16 bits."""
        api, model = self.api, self.handle
        width = api.llama_model_n_embd(model) // max(1, api.llama_model_n_head(model))
        return int(api.llama_model_n_layer(model) * api.llama_model_n_head_kv(model) * width * 2 * 2)

    def close(self) -> None:
        """Frees the weights; the contexts must be closed before."""
        if self.handle:
            self.api.llama_model_free(self.handle)
            self.handle = None

    def metadata(self, key: str) -> str:
        """What the file says under a key; "" where it says nothing."""
        room = 1024
        for _ in range(2):
            buffer = ctypes.create_string_buffer(room)
            length = self.api.llama_model_meta_val_str(self.handle, key.encode(), buffer, room)
            if length < room:
                break
            room = length + 1
        return buffer.value.decode("utf-8", "replace")


class Context:
    """The working memory of a model: `sequences` stretches of `context_tokens` each.

    Positions of a sequence are filled from 0 without gaps. Only one thread may call, `interrupt` excepted."""

    def __init__(
        self, model: Model, *, sequences: int, context_tokens: int, settings: EngineSettings
    ) -> None:
        self._api = api = model.api
        self._model = model
        self.sequences = sequences
        largest = max(settings.slice_tokens, sequences)
        cores = len(os.sched_getaffinity(0))
        wanted = api.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max, wanted.kv_unified = context_tokens * sequences, sequences, False
        wanted.n_batch = wanted.n_ubatch = largest
        wanted.n_threads = settings.threads or cores
        wanted.n_threads_batch = settings.threads_batch or cores
        wanted.flash_attn_type = (
            api.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if settings.flash_attention
            else api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        wanted.swa_full = True  # so that the end of a sequence can be taken back, with sliding windows too
        wanted.no_perf = True
        with complaints() as log:
            self._handle = api.llama_init_from_model(model.handle, wanted)
        if not self._handle:
            raise ModelError(
                f"llama.cpp cannot make room for {sequences} times {context_tokens} tokens{because(log)}; "
                "choose a smaller model, or fewer answers at a time"
            )
        self.context_tokens = int(api.llama_n_ctx_seq(self._handle))
        self._memory = api.llama_get_memory(self._handle)
        self._batch = api.llama_batch_init(largest, 0, 1)
        # The abort callback is C's own strlen over two bytes that `interrupt` writes: a Python function here
        # would wait for the interpreter's lock at each of a thousand operations.
        self._flag = ctypes.create_string_buffer(2)
        self._strlen = ctypes.cast(
            ctypes.CDLL("msvcrt" if os.name == "nt" else None).strlen, api.ggml_abort_callback
        )
        api.llama_set_abort_callback(self._handle, self._strlen, ctypes.cast(self._flag, ctypes.c_void_p))

    def evaluate(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        *,
        wanted: Sequence[int] = (),
    ) -> None:
        """Computes keys and values of the tokens; `wanted` are the rows whose logits will be read.

        Sequences that follow one another (3, 4, 5) are computed as one, others one after the other. Raises
        Interrupted, GenerationError; nothing that the call added may then be relied on."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for row, (token, position, sequence) in enumerate(zip(tokens, positions, sequences, strict=True)):
            batch.token[row], batch.pos[row] = token, position
            batch.n_seq_id[row], batch.seq_id[row][0] = 1, sequence
            batch.logits[row] = 0
        for row in wanted:
            batch.logits[row] = 1
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
        return np.ctypeslib.as_array(pointer, shape=(self._model.vocabulary.size,))

    def interrupt(self, on: bool) -> None:
        """From any thread: gives up the evaluation that runs, and each later one until switched off."""
        self._flag[0] = b"\1" if on else b"\0"

    def cut(self, sequence: int, position: int) -> bool:
        """Forgets a sequence from a position on; False, and all of it forgotten, where parts cannot be."""
        if position and self._api.llama_memory_seq_rm(self._memory, sequence, position, -1):
            return True
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return not position

    def state(self, sequence: int) -> bytes:
        """Keys and values of a sequence, to be given to `restore`; b"" where there are none."""
        size = self._api.llama_state_seq_get_size(self._handle, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = self._api.llama_state_seq_get_data(self._handle, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes) -> bool:
        """Replaces a sequence by a state; False, and nothing in it, where that does not fit."""
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if self._api.llama_state_seq_set_data(self._handle, buffer, len(state), sequence):
            return True
        self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def close(self) -> None:
        if self._handle:
            self._api.llama_batch_free(self._batch)
            self._api.llama_free(self._handle)
            self._handle = None
