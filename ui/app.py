"""Starts the chat page: `serve(config)` for the command line, `build_page(...)` for a page of one's own.
Here it is settled, too, who may reach the page, and that it reaches nothing but itself."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.config import Config
from rag.errors import CitewiseError, ConfigError
from rag.models.remote import is_address, is_loopback, leaves_for
from ui.handlers import Handlers
from ui.workspace import Workspace

_HERE = Path(__file__).parent
# Gradio's own start-up code is inline and compiles its templates; document text never becomes either.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_FOREIGN_META = re.compile(rb"<meta\s[^>]*?(?:property=\"og:|name=\"twitter:)[^>]*?/?>", re.S)


def is_local(host: str) -> bool:
    """True for localhost and the addresses that only this machine can reach, with a port or without."""
    return is_loopback(f"//[{host}]" if host.count(":") > 1 and "[" not in host else f"//{host}")


def check_exposure(host: str, password: str) -> None:
    """Raises ConfigError where others could reach the page without a password."""
    if not is_local(host) and not password.strip():
        raise ConfigError(
            f"ui_host is {host!r}, which other machines can reach, and ui_password is empty. Set ui_password "
            '(CITEWISE_UI_PASSWORD, or ui_password in citewise.toml), or use ui_host = "127.0.0.1".'
        )


class Guard:
    """ASGI middleware: security headers on every answer, no link previews that name other hosts in the page,
    and, where `local_only`, no answer to a host name that is not this machine's (a foreign site could point
    its name at 127.0.0.1)."""

    def __init__(self, app: ASGIApp, *, local_only: bool) -> None:
        self._app = app
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        held: list[Message] = []  # an HTML page until it is whole, so that it can be changed

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if headers.get("content-type", "").startswith("text/html"):
                    held.append(message)
                    return
            elif held and message["type"] == "http.response.body":
                held.append(message)
                if message.get("more_body"):
                    return
                start, *pieces = held
                body = _FOREIGN_META.sub(b"", b"".join(piece.get("body", b"") for piece in pieces))
                MutableHeaders(scope=start)["content-length"] = str(len(body))
                held.clear()
                await send(start)
                message = {**message, "body": body}
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._local_only and not is_local(Headers(scope=scope).get("host", "localhost")):
            refusal = PlainTextResponse("This page is served to this machine only.\n", 421)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, guarded)


def _silence_gradio() -> None:
    """Switches off what Gradio would send home. It reads these when it is imported, so this comes first."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def build_page(handlers: Handlers) -> Any:
    """The page as a `gradio.Blocks`, not yet launched; `launch_options` gives what to launch it with."""
    _silence_gradio()
    from ui.page import build

    return build(handlers)


def launch_options(config: Config) -> dict[str, Any]:
    """Keyword arguments for `Blocks.launch`: own styles, nothing shared, no other host. Raises ConfigError
    where the address can be reached from other machines and there is no password."""
    host, password = config.ui_host, config.ui_password
    check_exposure(host, password)
    return {
        "server_name": host,
        "server_port": config.ui_port or None,
        "auth": (config.ui_user, password) if password else None,
        "share": False,
        "quiet": True,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": [],
        "max_file_size": f"{config.max_file_mb}mb",
        "theme": _theme(),
        "css": (_HERE / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>",
        "app_kwargs": {
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
            "middleware": [Middleware(Guard, local_only=is_local(host) and not password)],
        },
    }


def _theme() -> Any:
    """Gradio's plain theme with fonts that are on the machine: its default names a font service."""
    _silence_gradio()
    import gradio as gr

    sans = "system-ui, -apple-system, Segoe UI, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
    mono = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
    slate = gr.themes.colors.slate
    font, font_mono = ([gr.themes.Font(name) for name in names.split(", ")] for names in (sans, mono))
    return gr.themes.Base(primary_hue=slate, neutral_hue=slate, font=font, font_mono=font_mono)


def workspace_of(config: Config) -> Workspace:
    """The indexes beside the configured one, all answered with one language model."""
    from rag.assistant import build_assistant, load_reader
    from rag.index import open_configured

    first: list[Any] = []

    def open_assistant(folder: Path) -> Any:
        assistant = build_assistant(config, index=folder, with_llm=not first)
        if first:
            assistant.llm = first[0].llm
        first.append(assistant)
        return assistant

    def create_index(folder: Path) -> None:
        open_configured(config, folder, create=True).close()

    def read_with(name: str) -> Any:
        nonlocal config
        config = config.model_copy(update={"llm": name})
        return load_reader(config) if first else None

    # Forbidden, nothing is sent: every question then ends with the error that says so.
    remote = leaves_for(config.llm) if config.allow_remote else ""
    return Workspace(
        config.index.absolute().parent,
        open_assistant,
        create_index,
        remote=remote,
        readers=_readers(config),
        load_reader=read_with,
    )


def _readers(config: Config) -> tuple[str, ...]:
    """The language models to choose from, the configured one first; none where it is no file of a name."""
    from rag.models.registry import find_reader, readers_here

    if config.llm == "none" or is_address(config.llm):
        return ()
    try:
        used = find_reader(config.llm, config.cache_dir, config.models).name
    except CitewiseError:  # the first question says what is wrong
        return ()
    others = readers_here(config.cache_dir, config.models)
    return tuple(dict.fromkeys([used, *others])) if used else ()


def serve(config: Config, *, on_ready: Callable[[str], None] | None = None, block: bool = True) -> Any:
    """Serves the page until interrupted; `on_ready` is given its address. With `block=False` returns the
    running page.

    Raises ConfigError where `ui_host` can be reached from other machines and `ui_password` is empty."""
    check_exposure(config.ui_host, config.ui_password)
    handlers = Handlers(workspace_of(config), default_index=config.index.name)
    page = build_page(handlers)
    # Where uploads land until an index has taken them over: readable by this user only, and not in the folder
    # that every Gradio program on the machine shares.
    os.environ["GRADIO_TEMP_DIR"] = uploads = tempfile.mkdtemp(prefix="citewise-uploads-")
    try:
        _, address, _ = page.launch(prevent_thread_lock=True, **launch_options(config))
    except OSError as error:
        raise ConfigError(
            f"The page cannot be served at {config.ui_host}:{config.ui_port}: {error} Is another one running "
            "there? Choose another port with ui_port (CITEWISE_UI_PORT)."
        ) from error
    if on_ready is not None:
        on_ready(str(address))
    if block:
        try:
            page.block_thread()
        finally:
            handlers.close()
            shutil.rmtree(uploads, ignore_errors=True)
    return page
