"""A language model behind an OpenAI-compatible address: llama-server, vLLM, Ollama, or a service elsewhere.

Only an address that the user set is ever contacted; redirects are not followed, so that no server can send
the words on to another host. A host that is not this machine needs `allow_remote`, and each request to it is
one line of `cache_dir/audit.jsonl`: when, where to, how many bytes and the SHA-256 of the prompt, so that a
prompt at hand can be proved to have been sent or not; it holds no text. The line is on disk before the
request is made: where it cannot be written, nothing is sent."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import os
import re
import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rag.errors import CitewiseError, ConfigError, GenerationError, Offline
from rag.files import storage_error
from rag.models.generation import POLL, LLMInfo, Pieces, Prompt, Stop, Texts, without_thoughts

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 300.0  # a large prompt on a slow machine says nothing for minutes
# Servers put the text into a template themselves and may take these for control tokens; broken up, they stay
# readable.
_MARKERS = re.compile(r"<\||\|>|\[(?=/?INST\])|<(?=/?s>)|<<(?=/?SYS>>)|<(?=(?:start|end)_of_turn>)")
_TOP = 20  # likeliest tokens asked for: OpenAI and vLLM give no more
_NOT_UNDERSTOOD = (400, 422)  # how a server answers that knows no `logprobs`
_HAN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


def audit_file(cache_dir: Path) -> Path:
    """Where the requests of this user are written down."""
    return cache_dir / "audit.jsonl"


def record(file: Path, *, host: str, what: str, body: bytes, prompt: str = "") -> None:
    """Adds a line and syncs it. Lines of several processes do not mix. Raises StorageError."""
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": host,
        "what": what,
        "bytes": len(body),
        "prompt_sha256": hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest() if prompt else "",
    }
    line = json.dumps(entry).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(handle, line) != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise storage_error(file, error) from error


def is_loopback(url: str) -> bool:
    """Whether an address certainly means this machine."""
    host = ""
    try:
        host = urlsplit(url).hostname or ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_address(llm: str) -> bool:
    """Whether an `llm` setting is the address of a server."""
    return llm.lower().startswith(("http://", "https://"))


def leaves_for(llm: str) -> str:
    """The host that questions and evidence are sent to by this `llm` setting; "" where they stay here."""
    return (urlsplit(llm).hostname or "") if is_address(llm) and not is_loopback(llm) else ""


class OpenAIServer:
    """Chat completions at temperature 0.

    `url` is the base ("http://127.0.0.1:8080/v1"; "/v1" is added to a bare host). `model` "": the first that
    the server lists. Token counts are estimates on the high side, since the server's tokenizer is not known.
    `audit_to`: the file for requests to another machine, which needs one (Offline without)."""

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        api_key: str = "",
        allow_remote: bool = False,
        context_tokens: int = 2048,
        audit_to: Path | None = None,
    ) -> None:
        import httpx

        parts = urlsplit(url)
        if not parts.hostname:
            raise ConfigError(f"llm = {url!r} names no host; an address looks like http://127.0.0.1:8080/v1")
        local = is_loopback(url)
        if not local and not allow_remote:
            raise Offline(
                f"{parts.hostname} is another machine: questions and passages would leave this one. "
                "If that is wanted, set allow_remote = true"
            )
        if not local and audit_to is None:
            raise Offline(f"what is sent to {parts.hostname} must be written down: give audit_to a file")
        self._host, self._audit = parts.hostname, None if local else audit_to
        self._base = url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")
        self._model = model
        self.info = LLMInfo(
            name=model or parts.netloc.rpartition("@")[2],
            fingerprint=hashlib.sha256(f"{self._base}\n{model}".encode()).hexdigest(),
            context_tokens=context_tokens,
            local=local,
        )
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=not local,  # a proxy must not see what is meant for this machine
        )

    def count_tokens(self, text: str) -> int:
        """An estimate, rather too high: one per Han character, and one for each three bytes of the rest."""
        rest = len(_HAN.sub("", text).encode("utf-8", "replace"))
        return len(_HAN.findall(text)) + -(-rest // 3)

    def generate(self, prompt: Prompt, *, max_tokens: int, stop: Stop = None) -> Pieces:
        """The reply in one piece: it is short, and nothing of it is shown before it is verified."""
        said = (self._reply(self._body(prompt, max_tokens), stop).get("message") or {}).get("content")
        if answer := without_thoughts(str(said or "")):
            yield answer

    def odds(self, prompt: Prompt, *, yes: Texts, no: Texts, stop: Stop = None) -> float | None:
        """By the `top_logprobs` of one token, each of which counts for the side whose texts alone can begin
        with it; a side that is not among them has at most the probability of the least one. None where the
        server gives none, or neither side is among them."""
        body = self._body(prompt, 1) | {"logprobs": True, "top_logprobs": _TOP}
        reply = self._reply(body, stop)
        try:
            tops = reply["logprobs"]["content"][0]["top_logprobs"]
            likely = [(str(top["token"]).strip(), float(top["logprob"])) for top in tops]
        except (LookupError, TypeError, ValueError):
            return None
        sides: tuple[list[float], list[float]] = ([], [])
        for token, logprob in likely:
            begins = [token and any(text.startswith(token) for text in texts) for texts in (yes, no)]
            if begins[0] != begins[1]:
                sides[begins.index(True)].append(logprob)
        if not any(sides) or (stop is not None and stop.is_set()):
            return None
        least = min(logprob for _, logprob in likely)
        for_yes, for_no = (math.log(sum(map(math.exp, side))) if side else least for side in sides)
        return for_yes - for_no

    def close(self) -> None:
        self._client.close()

    def _reply(self, body: dict[str, Any], stop: Stop) -> dict[str, Any]:
        """The first choice of the reply; {} where `stop` was set, which is noticed since a thread waits for
        the server, and where that does not know what is asked for."""
        job: Future[dict[str, Any]] = Future()

        def post() -> None:
            try:
                job.set_result(self._post(body))
            except Exception as error:  # raised again by who asked
                job.set_exception(error)

        threading.Thread(target=post, name="citewise-remote", daemon=True).start()
        while stop is None or not stop.is_set():
            with suppress(TimeoutError):
                return job.result(POLL)
        return {}

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        messages = [("system", prompt.system)]
        for asked, answer in prompt.examples:
            messages += [("user", asked), ("assistant", answer)]
        messages.append(("user", prompt.user + prompt.ending))
        return {
            "model": self._model,
            "messages": [{"role": role, "content": _defused(text)} for role, text in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "seed": 0,
        }

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        import httpx

        text = ""
        try:
            body["model"] = body["model"] or self._model or self._first_model()
            content = json.dumps(body, ensure_ascii=False).encode()
            self._write_down("chat", content, body["messages"][-1]["content"])
            how: dict[str, Any] = {"content": content, "headers": {"Content-Type": "application/json"}}
            response = self._client.post(f"{self._base}/chat/completions", **how)
            text = response.text
            if response.status_code in _NOT_UNDERSTOOD and "logprobs" in body:
                return {}
            if response.status_code != 200:
                raise self._refusal(response.status_code, text)
            return dict(response.json()["choices"][0])
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # RuntimeError: closed client
            why = error or type(error).__name__
            raise GenerationError(f"{self._base} did not answer ({why}); is the server running?") from error
        except (ValueError, LookupError, TypeError) as error:
            said = f"something that is not a chat completion: {text[:200]}"
            raise GenerationError(f"{self._base} sent {said}") from error

    def _write_down(self, what: str, content: bytes = b"", prompt: str = "") -> None:
        if self._audit is None:
            return
        try:
            record(self._audit, host=self._host, what=what, body=content, prompt=prompt)
        except CitewiseError as error:
            raise GenerationError(f"nothing was sent to {self._host}: {error}") from error

    def _first_model(self) -> str:
        self._write_down("models")
        response = self._client.get(f"{self._base}/models")
        if response.status_code != 200:
            raise self._refusal(response.status_code, response.text)
        try:
            self._model = str(response.json()["data"][0]["id"])
        except (ValueError, LookupError, TypeError) as error:
            raise GenerationError(f"{self._base} lists no model; set llm_model") from error
        return self._model

    def _refusal(self, status: int, body: str) -> GenerationError:
        key = "; check llm_api_key"
        hint = {401: key, 403: key, 404: "; check the address and llm_model"}.get(status, "")
        return GenerationError(f"{self._base} answered {status}: {body.strip()[:300]}{hint}")


def _defused(text: str) -> str:
    """Text in which nothing reads as a chat template's marker: a blank goes into each."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _MARKERS.sub(lambda match: f"{match.group()[0]} {match.group()[1:]}", text)
