"""llama.cpp as it is loaded here: once, quietly, with what it complains about kept for error messages."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from rag.errors import ModelError


def build() -> str:
    """Which llama.cpp this is, with what it uses of the processor: both decide the last bits of a result."""
    api = library()
    return f"{api.__version__} {api.llama_print_system_info().decode('utf-8', 'replace')}"


_silence: Any = None
_said: deque[str] = deque(maxlen=20)


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
    """The most telling line, without the name of the function that wrote it."""
    lines = [line.partition(": ")[2] or line for line in said if line]
    return f" ({lines[0].rstrip('.')})" if lines else ""


def c_library() -> Any:
    return ctypes.CDLL("msvcrt" if os.name == "nt" else None)
