"""Who may reach the page, and what the page may reach: nothing but itself."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from rag.errors import ConfigError

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio's own start-up code is inline and compiles its templates; document text never becomes either.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'none'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_FOREIGN_META = re.compile(rb"<meta\s[^>]*?(?:property=\"og:|name=\"twitter:)[^>]*?/?>", re.S)


def is_loopback(host: str) -> bool:
    """True for localhost and the addresses that only this machine can reach."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, password: str) -> None:
    """Raises ConfigError where others could reach the page without a password."""
    if not is_loopback(host) and not password.strip():
        raise ConfigError(
            f"ui_host is {host!r}, which other machines can reach, and ui_password is empty. Set ui_password "
            '(CITEWISE_UI_PASSWORD, or ui_password in citewise.toml), or use ui_host = "127.0.0.1".'
        )


class Guard:
    """ASGI middleware: security headers on every answer, no link previews that name other hosts in the page,
    and, where `local_only`, no answer to a host name that is not this machine's (a foreign site could point
    its name at 127.0.0.1)."""

    def __init__(self, app: Any, *, local_only: bool) -> None:
        self._app = app
        self._local_only = local_only

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._local_only and not is_loopback(_host(scope)):
            await _refuse(send)
            return
        await self._app(scope, receive, _Cleaner(send))


def _host(scope: dict[str, Any]) -> str:
    header = next((value for key, value in scope["headers"] if key == b"host"), b"localhost")
    host: str = header.decode("latin-1")
    return host.rsplit("]", 1)[0].strip("[") if host.startswith("[") else host.rsplit(":", 1)[0]


async def _refuse(send: Any) -> None:
    await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This page is served to this machine only.\n"})


class _Cleaner:
    """Passes a response on; an HTML page is held back until it is whole, so that it can be changed."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self._start: dict[str, Any] | None = None
        self._body = b""

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
            kind = next((v for k, v in message["headers"] if k.lower() == b"content-type"), b"")
            if kind.startswith(b"text/html"):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            await self._finish()
            return
        await self._send(message)

    async def _finish(self) -> None:
        assert self._start is not None
        body = _FOREIGN_META.sub(b"", self._body)
        headers = [(k, v) for k, v in self._start["headers"] if k.lower() != b"content-length"]
        start = {**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
        self._start = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
