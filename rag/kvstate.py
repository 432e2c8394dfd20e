"""The state of a model behind its instructions, kept for the next question and for the next start.

The first tokens of every prompt are the same; their keys and values are computed once for each model and
setting. A file holds one state: a line that names the format, a line of JSON that says what it belongs
to, the SHA-256 of the rest, the rest. One that is of another kind, damaged or for something else is not used,
and written anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.errors import StorageError
from rag.files import write_atomically

_MAGIC = b"citewise prefix 1\n"
_IN_MEMORY = 8
_ON_DISK = 24
# Shorter beginnings are computed as fast as they are read.
_LEAST = 16


class Prefixes:
    """States by tokens. `belongs` names all else that they depend on (model, build, settings). Without a
    folder they live in memory only."""

    def __init__(self, folder: Path | None, belongs: Mapping[str, object]) -> None:
        self._folder = folder
        self._belongs = dict(belongs)
        self._states: OrderedDict[str, bytes] = OrderedDict()
        self._unsaved: dict[str, bytes] = {}

    def get(self, tokens: Sequence[int]) -> bytes | None:
        """The state behind these tokens, from memory or from the folder."""
        if len(tokens) < _LEAST:
            return None
        key = self._key(tokens)
        state = self._states.get(key)
        if state is None and (state := self._read(key)) is not None:
            self._remember(key, state)
        elif state is not None:
            self._states.move_to_end(key)
        return state

    def wants(self, tokens: Sequence[int]) -> bool:
        return len(tokens) >= _LEAST and self._key(tokens) not in self._states

    def put(self, tokens: Sequence[int], state: bytes) -> None:
        """Keeps a state in memory; `save` writes it."""
        if state:
            key = self._key(tokens)
            self._remember(key, state)
            self._unsaved[key] = state

    def save(self) -> None:
        """Writes what is new. A folder that cannot be written only means that it is computed again."""
        unsaved, self._unsaved = self._unsaved, {}
        if self._folder is None:
            return
        for key, state in unsaved.items():
            head = key.encode() + b"\n" + hashlib.sha256(state).digest()
            with contextlib.suppress(StorageError, OSError):
                write_atomically(self._path(key), _MAGIC + head + state)
        if unsaved:
            self._drop_oldest()

    def _remember(self, key: str, state: bytes) -> None:
        self._states[key] = state
        self._states.move_to_end(key)
        while len(self._states) > _IN_MEMORY:
            self._states.popitem(last=False)

    def _read(self, key: str) -> bytes | None:
        if self._folder is None:
            return None
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        head = _MAGIC + key.encode() + b"\n"
        digest, state = content[len(head) : len(head) + 32], content[len(head) + 32 :]
        if not content.startswith(head) or hashlib.sha256(state).digest() != digest:
            return None
        return state

    def _key(self, tokens: Sequence[int]) -> str:
        """One line of JSON: all that the state depends on."""
        return json.dumps(self._belongs | {"tokens": list(tokens)}, sort_keys=True)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.kv"

    def _drop_oldest(self) -> None:
        """States of models and versions that are no longer used would add up."""
        assert self._folder is not None
        with contextlib.suppress(OSError):
            files = sorted(self._folder.glob("*.kv"), key=lambda f: f.stat().st_mtime)
            for file in files[:-_ON_DISK]:
                file.unlink(missing_ok=True)
