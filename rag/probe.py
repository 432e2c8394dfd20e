"""One model file in a process of its own, measured on request: `python -m rag.probe FILE`.

A file or a setting that makes llama.cpp crash then ends this process and nothing else. Requests and replies
are JSON, one a line:

    {"do": "time", "settings": {...}, "shape": {...}}  ->  {"prefill": seconds, "decode": seconds}
    {"do": "judge"}                                    ->  {"nll": [...], "best": [...]}
    {"do": "about"}                                    ->  {"file_type": 3}

`judge` reads the built-in texts: the negative log-likelihood in nats of each of their tokens, and the token
that the model would have put in its place."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The register of what is asked: law, medicine and finance, in English and Chinese. Written for this purpose.
TEXTS = (
    "The tenant may end this lease by giving sixty days of written notice to the landlord. The deposit of "
    "EUR 2,900 is returned within thirty days after the keys were handed over, less the cost of repairs that "
    "go beyond ordinary wear. Either party may assign its rights only with the consent of the other.",
    "Net revenue rose by 12 % to USD 418.6 million in fiscal 2023, mainly because of higher volumes in "
    "packaging. Operating expenses were USD 97.2 million, or 23 % of revenue, compared with 25 % a year "
    "before. Inventories fell to USD 61.0 million at the end of the year.",
    "Adults take one tablet of 10 mg twice a day with food. The dose must not exceed 40 mg in any period of "
    "24 hours. Patients with a creatinine clearance below 30 ml per minute should not take this medicine. "
    "The most common side effects were headache, nausea and dizziness.",
    "承租人应当在每月五日前支付租金。逾期三十日仍未支付的，出租人可以书面通知解除合同，并要求赔偿损失。",
)
_CONTEXT = 1024


class Probe:
    """A loaded model. Tokens are those of the built-in texts, as often as are needed."""

    def __init__(self, path: str) -> None:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as rag.llama does
        import llama_cpp

        self._api = api = llama_cpp
        self._quiet = api.llama_log_callback(lambda level, text, data: None)
        api.llama_log_set(self._quiet, ctypes.c_void_p(0))
        api.llama_backend_init()
        self._model = api.llama_model_load_from_file(path.encode(), api.llama_model_default_params())
        if not self._model:
            raise RuntimeError(f"llama.cpp cannot load {path}")
        self._vocab = api.llama_model_get_vocab(self._model)
        self._size = api.llama_vocab_n_tokens(self._vocab)
        self._context: Any = None
        self._shape: tuple[bool, int] | None = None
        self._texts = [self._tokens(text) for text in TEXTS]

    def about(self) -> dict[str, Any]:
        buffer = ctypes.create_string_buffer(32)
        api = self._api
        length = api.llama_model_meta_val_str(self._model, b"general.file_type", buffer, 32)
        digits = buffer.value.decode() if length > 0 else ""
        return {"file_type": int(digits) if digits.isdigit() else -1}

    def time(self, settings: dict[str, Any], shape: dict[str, int]) -> dict[str, float]:
        """One answer: `prompt` tokens of which `prefix` are known from before, then `answer` tokens, each the
        likeliest."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        size = settings["slice_tokens"]
        context = self._opened(settings["flash_attention"], size)
        threads, batch = settings["threads"] or cores, settings["threads_batch"] or cores
        self._api.llama_set_n_threads(context, threads, batch)
        self._api.llama_memory_clear(self._api.llama_get_memory(context), True)
        flat = [token for text in self._texts for token in text]
        prompt = (flat * (shape["prompt"] // len(flat) + 1))[: shape["prompt"]]
        self._read(context, prompt[: shape["prefix"]], size)
        begun = time.perf_counter()
        self._read(context, prompt[shape["prefix"] :], size)
        token = self._best(context)
        read = time.perf_counter()
        for _ in range(shape["answer"] - 1):
            self._decode(context, [token])
            token = self._best(context)
        return {"prefill": read - begun, "decode": time.perf_counter() - read}

    def judge(self) -> dict[str, Any]:
        losses: list[float] = []
        best: list[int] = []
        context = self._opened(False, 32)
        for tokens in self._texts:
            self._api.llama_memory_clear(self._api.llama_get_memory(context), True)
            for begin in range(0, len(tokens) - 1, 32):
                part = tokens[begin : min(begin + 32, len(tokens) - 1)]
                for logits, following in zip(
                    self._all_logits(context, part, begin), tokens[begin + 1 :], strict=False
                ):
                    top = float(logits.max())
                    total = top + float(np.log(np.exp(logits - top, dtype=np.float64).sum()))
                    losses.append(total - float(logits[following]))
                    best.append(int(logits.argmax()))
        if not np.isfinite(losses).all():
            raise RuntimeError("the model computed numbers that are none")
        return {"nll": losses, "best": best}

    def _opened(self, flash: bool, size: int) -> Any:
        """The context of these settings: another one takes the place of the last."""
        if self._shape != (flash, size):
            self.close()
            api = self._api
            parameters = api.llama_context_default_params()
            parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = _CONTEXT, size, size
            parameters.flash_attn_type = int(flash)
            self._context = api.llama_init_from_model(self._model, parameters)
            if not self._context:
                raise RuntimeError("llama.cpp cannot make a context with these settings")
            self._shape = (flash, size)
        return self._context

    def close(self) -> None:
        if self._context:
            self._api.llama_free(self._context)
        self._context, self._shape = None, None

    def _read(self, context: Any, tokens: Sequence[int], size: int) -> None:
        for begin in range(0, len(tokens), size):
            self._decode(context, tokens[begin : begin + size])

    def _decode(self, context: Any, tokens: Sequence[int]) -> None:
        array = (self._api.llama_token * len(tokens))(*tokens)
        batch = self._api.llama_batch_get_one(array, len(tokens))
        if self._api.llama_decode(context, batch):
            raise RuntimeError("llama.cpp cannot evaluate the prompt with these settings")

    def _best(self, context: Any) -> int:
        pointer = self._api.llama_get_logits_ith(context, -1)
        return int(np.ctypeslib.as_array(pointer, shape=(self._size,)).argmax())

    def _all_logits(self, context: Any, tokens: Sequence[int], at: int) -> Iterator[NDArray[np.float32]]:
        api = self._api
        batch = api.llama_batch_init(len(tokens), 0, 1)
        try:
            batch.n_tokens = len(tokens)
            for i, token in enumerate(tokens):
                batch.token[i], batch.pos[i], batch.logits[i] = token, at + i, 1
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = 0
            if api.llama_decode(context, batch):
                raise RuntimeError("llama.cpp cannot evaluate the texts")
            for i in range(len(tokens)):
                yield np.ctypeslib.as_array(api.llama_get_logits_ith(context, i), shape=(self._size,))
        finally:
            api.llama_batch_free(batch)

    def _tokens(self, text: str) -> list[int]:
        raw = text.encode()
        room = (self._api.llama_token * (len(raw) + 8))()
        count = self._api.llama_tokenize(self._vocab, raw, len(raw), room, len(room), True, False)
        return [int(token) for token in room[: max(count, 0)]]


def main() -> None:
    """Answers requests until the input ends. A fault of one request is its reply."""
    # Whatever a library prints must not get between the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        probe: Probe | None = None
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                if probe is None:
                    probe = Probe(sys.argv[1])
                reply = _reply(probe, asked)
            except Exception as error:
                reply = {"error": f"{error}" or type(error).__name__}
            replies.write(json.dumps(reply) + "\n")
            replies.flush()


def _reply(probe: Probe, asked: dict[str, Any]) -> dict[str, Any]:
    if asked["do"] == "time":
        return probe.time(asked["settings"], asked["shape"])
    return probe.judge() if asked["do"] == "judge" else probe.about()


if __name__ == "__main__":
    main()
