"""A chat-completions server on the loopback that says what it is told to, for tests of the client."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from typing import Any


class ChatServer:
    """`words` are the reply, `delay` seconds late; `status` other than 200 refuses; `raw` replaces what is
    sent. `requests` are the bodies received, `headers` theirs. `likely` are the first
    tokens with their log-probabilities, for who asks for them; without any it knows of none."""

    def __init__(
        self,
        words: tuple[str, ...] = ("The ", "rent ", "is ", "EUR ", "1,450 ", "per ", "month", "."),
        *,
        delay: float = 0.0,
        status: int = 200,
        raw: str = "",
        likely: tuple[tuple[str, float], ...] = (("The", -0.1), ("No", -3.0)),
    ) -> None:
        self.likely = likely
        self.words, self.delay, self.status, self.raw = words, delay, status, raw
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def reply(self, body: dict[str, Any]) -> str:
        choice: dict[str, Any] = {"message": {"content": "".join(self.words[: body["max_tokens"]])}}
        if body.get("logprobs") and self.likely:
            tops = [{"token": token, "logprob": logprob} for token, logprob in self.likely]
            choice["logprobs"] = {"content": [tops[0] | {"top_logprobs": tops}]}
        return self.raw or json.dumps({"choices": [choice]}, ensure_ascii=False)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"data": [{"id": "first-listed"}]}).encode()
                self.send_response(200 if self.path == "/v1/models" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append(body | {"path": self.path})
                server.headers.append(dict(self.headers))
                self.send_response(server.status)
                self.send_header("Content-Type", "application/json")
                if server.status in (301, 302, 307):
                    self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                if server.status != 200:
                    self.wfile.write(b'{"error": "no such key"}')
                    return
                time.sleep(server.delay)
                with contextlib.suppress(OSError):  # the client went away
                    self.wfile.write(server.reply(body).encode())

            def log_message(self, *args: object) -> None:
                pass

        return Handler
