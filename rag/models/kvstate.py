"""The state of a model behind its instructions, kept on disk for the next question and for the next start.

The first tokens of every prompt are the same; their keys and values are computed once for each model and
setting. A file holds one state: a line that names the format, a line of JSON that says what it belongs to,
the SHA-256 of the rest, the rest. One that is of another kind, damaged or for something else is not used, and
written anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.errors import StorageError
from rag.files import write_atomically

_MAGIC = b"citewise prefix 1\n"
_ON_DISK = 24
# Shorter beginnings are computed as fast as they are read.
_LEAST = 16


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
