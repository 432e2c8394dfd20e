"""One side of a comparison as a process that waits: requests and replies are JSON, one a line.

Standard library alone, since it runs in every rival's environment."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

# llama.cpp's threads spin where they meet. Beside other work that slows a side down several times; ours
# spins this briefly, and so must the rivals, or spinning is what is compared. libgomp reads it when loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
PASSAGES = 4
MAX_TOKENS = 160


def serve(load: Callable[[], dict[str, Callable[..., Any]]]) -> None:
    """Loads once, says so, then answers each request {"do": NAME, ...} by the function of that name until the
    input ends. An exception is the reply to the request that caused it."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print, and must not print between the replies
    begun = time.perf_counter()
    verbs = load() | {"memory": peak_mb}
    ready = {"ready": time.perf_counter() - begun}
    replies.write(json.dumps(ready) + "\n")
    replies.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            reply = {"reply": verbs[asked.pop("do")](**asked)}
        except Exception as error:  # a rival may fail in any way: it is counted, not hidden
            reply = {"error": f"{type(error).__name__}: {error}"[:500]}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def peak_mb() -> float:
    """Peak resident memory of this process so far, as the kernel counted it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def timed(
    question: str, evidence: Callable[[], Any], write: Callable[[Any], Iterable[str]]
) -> dict[str, Any]:
    """One answer: `evidence` gives the passages, `write` the pieces of the answer from them. Milliseconds
    since the question was asked."""
    begun = time.perf_counter()
    passages = evidence()
    found = time.perf_counter()
    text = "".join(write(passages))
    whole = time.perf_counter()
    return {
        "question": question,
        "evidence_ms": 1000 * (found - begun),
        "whole_ms": 1000 * (whole - begun),
        "text": text,
    }


def batch(questions: list[str], answer: Callable[[list[str]], list[str]]) -> dict[str, Any]:
    """Seconds for all of them together, how many came back with words, and how many characters."""
    begun = time.perf_counter()
    texts = answer(questions)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "answers": sum(map(bool, texts)), "characters": sum(map(len, texts))}


def passages(folder: Path) -> tuple[list[str], Any]:
    """The texts of the passages of `answers.py`, and their vectors (float32, one row each)."""
    import numpy as np

    lines = (folder / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], np.load(folder / "vectors.npy")


def chatml(prompt: str) -> str:
    """The prompt in the model's own chat template, so that it knows when to stop."""
    return f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
