"""The indexes that the page offers: folders below one root, each opened once, all with one language model."""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.files import write_atomically
from rag.store.schema import DATABASE

UPLOADS = "uploads"
_NAME = re.compile(r"[^\W_][\w .-]{0,63}")


class Workspace:
    """`open_assistant(folder)` gives the assistant of one index; `create_index(folder)` makes an empty
    one. `remote` is the host that questions are sent to, "" where they stay on this machine. `readers` are
    the language models that can be chosen, the one in use first; `load_reader(name)` opens one."""

    def __init__(
        self,
        root: Path,
        open_assistant: Callable[[Path], Any],
        create_index: Callable[[Path], None],
        *,
        remote: str = "",
        readers: Sequence[str] = (),
        load_reader: Callable[[str], Any] = lambda _: None,
    ) -> None:
        self.root = root
        self.remote = remote
        self.readers = tuple(readers)
        self.reader = readers[0] if readers else ""
        self._load_reader = load_reader
        self._open = open_assistant
        self._create = create_index
        self._assistants: dict[str, Any] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Names of the indexes, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(
            p.name
            for p in self.root.iterdir()
            if p.is_dir() and not p.is_symlink() and (p / DATABASE).is_file()
        )

    def folder(self, name: str) -> Path:
        """The folder of an index that exists. Raises InputError for any other name: names come from the
        browser."""
        if name not in self.names():
            raise InputError(f"There is no index named {name!r} in {self.root}. Choose another one.")
        return self.root / name

    def assistant(self, name: str) -> Any:
        """The assistant of an index, opened at the first call. Raises what opening raises."""
        folder = self.folder(name)
        with self._lock:
            if name not in self._assistants:
                self._assistants[name] = self._open(folder)
            return self._assistants[name]

    def read_with(self, name: str) -> None:
        """Another language model for every index and page; a question under way ends with the one it began
        with. Raises InputError for one that is not offered, and what loading raises."""
        if name not in self.readers:
            raise InputError(f"There is no language model named {name!r} here. Choose another one.")
        with self._lock:
            if name == self.reader:
                return
            llm = self._load_reader(name)
            for assistant in self._assistants.values():
                assistant.llm = llm
            self.reader = name

    def create(self, name: str) -> str:
        """Makes an empty index and returns its name. Raises InputError for a name that is taken or not
        allowed."""
        name = unicodedata.normalize("NFC", name).strip()
        if not _NAME.fullmatch(name) or name.endswith("."):
            raise InputError(
                "An index name begins with a letter or digit and has at most 64 letters, digits, blanks, "
                "dots, hyphens or underscores."
            )
        if name in self.names():
            raise InputError(f"There is already an index named {name!r}. Choose another name.")
        with self._lock:
            self._create(self.root / name)
        return name

    def samples(self, name: str, *, most: int = 6) -> tuple[str, ...]:
        """Sample questions from the index's optional `samples.json`: a list of strings or of {"question":
        ...}."""
        try:
            entries = json.loads((self.folder(name) / "samples.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, InputError):
            return ()
        if not isinstance(entries, list):
            return ()
        questions = [e.get("question") if isinstance(e, dict) else e for e in entries]
        return tuple(q for q in questions if isinstance(q, str) and q.strip())[:most]

    def keep(self, name: str, files: Sequence[Path]) -> list[Path]:
        """Copies uploaded files, whose names Gradio has made safe, into the index's own folder, each whole or
        not at all, and removes the originals. Raises StorageError."""
        target, kept = self.folder(name) / UPLOADS, []
        for file in files:
            kept.append(target / file.name)
            with file.open("rb") as source:
                write_atomically(kept[-1], source)
            file.unlink(missing_ok=True)
        return kept

    def close(self) -> None:
        """Closes every assistant that was opened."""
        with self._lock:
            for assistant in self._assistants.values():
                assistant.close()
            self._assistants.clear()
