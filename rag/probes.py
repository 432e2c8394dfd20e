"""The measuring processes of `citewise models tune`, one for each format of a model (see `rag.probe`)."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.fastest import Candidate, Shape, Timing

_ANSWER_SECONDS = 900.0
"""A format that says nothing for longer is given up."""


class Probes:
    """The measuring processes, by format; they end with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def open(self, name: str, file: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "rag.probe", str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._processes[name] = process
        self._stack.callback(self.close, name)

    def close(self, name: str) -> None:
        if (process := self._processes.pop(name, None)) is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def ask(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One reply. Raises ModelError where llama.cpp refused, crashed or is silent for long."""
        process = self._processes.get(name)
        if process is None or process.stdin is None or process.stdout is None:
            raise ModelError("not running")
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], _ANSWER_SECONDS)
            reply: dict[str, Any] = json.loads(process.stdout.readline()) if ready else {"error": "too slow"}
        except (OSError, ValueError):
            code = process.poll()
            self.close(name)
            raise ModelError(f"llama.cpp crashed with it (exit code {code})") from None
        if "error" in reply:
            raise ModelError(str(reply["error"]))
        return reply

    def time(self, candidate: Candidate, shape: Shape) -> Timing:
        request = {"do": "time", "settings": asdict(candidate.settings), "shape": asdict(shape)}
        reply = self.ask(candidate.format, request)
        return Timing(reply["prefill"], reply["decode"])
