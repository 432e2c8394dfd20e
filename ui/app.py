"""Starts the chat page: `serve(config)` for the command line, `build_page(...)` for a page of one's own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.config import Config
from rag.errors import ConfigError
from ui.handlers import Handlers
from ui.security import Guard, check_exposure, is_loopback
from ui.workspace import Workspace

_HERE = Path(__file__).parent


def _silence_gradio() -> None:
    """Switches off what Gradio would send home. It reads these when it is imported, so this comes first."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def build_page(workspace: Workspace, *, default_index: str = "") -> Any:
    """The page as a `gradio.Blocks`, not yet launched; `launch_options` gives what to launch it with."""
    _silence_gradio()
    from ui.page import build

    return build(Handlers(workspace, default_index=default_index))


def launch_options(
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    user: str = "citewise",
    password: str = "",
    max_file_mb: int = 200,
) -> dict[str, Any]:
    """Keyword arguments for `Blocks.launch`: own styles, nothing shared, no other host. Raises ConfigError
    where the address can be reached from other machines and there is no password."""
    check_exposure(host, password)
    from starlette.middleware import Middleware

    return {
        "server_name": host,
        "server_port": port or None,
        "auth": (user, password) if password else None,
        "share": False,
        "quiet": True,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": [],
        "max_file_size": f"{max_file_mb}mb",
        "theme": _theme(),
        "css": (_HERE / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{(_HERE / 'page.js').read_text(encoding='utf-8')}</script>",
        "app_kwargs": {
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
            "middleware": [Middleware(Guard, local_only=is_loopback(host) and not password)],
        },
    }


def _theme() -> Any:
    """Gradio's plain theme with fonts that are on the machine: its default names a font service."""
    _silence_gradio()
    import gradio as gr

    sans = [
        "system-ui",
        "-apple-system",
        "Segoe UI",
        "PingFang SC",
        "Microsoft YaHei",
        "Noto Sans CJK SC",
        "sans-serif",
    ]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
    return gr.themes.Base(
        primary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        font=[gr.themes.Font(name) for name in sans],
        font_mono=[gr.themes.Font(name) for name in mono],
    )


def workspace_of(config: Config) -> Workspace:
    """The indexes beside the configured one, all answered with one embedder and one language model."""
    from rag.assistant import Assistant, build_assistant
    from rag.domains import load_domains
    from rag.index import open_index
    from rag.models.remote import leaves_for

    first: list[Any] = []

    def open_assistant(folder: Path) -> Any:
        if not first:
            first.append(build_assistant(config, index=folder))
            return first[0]
        index = open_index(
            folder,
            embedder=first[0].index.embedder,
            cache_dir=config.cache_dir,
            domains=load_domains(config.lexicons, config.concepts),
        )
        return Assistant(
            index,
            first[0].llm,
            top_k=config.top_k,
            max_evidence=config.max_evidence,
            threshold=config.threshold,
            max_tokens=config.max_tokens,
        )

    def create_index(folder: Path) -> None:
        open_index(folder, embedder=config.embedder, create=True, cache_dir=config.cache_dir).close()

    # Forbidden, nothing is sent: every question then ends with the error that says so.
    remote = leaves_for(config.llm) if config.allow_remote else ""
    return Workspace(config.index.absolute().parent, open_assistant, create_index, remote=remote)


def serve(config: Config, *, on_ready: Callable[[str], None] | None = None, block: bool = True) -> Any:
    """Serves the page until interrupted; `on_ready` is given its address. With `block=False` returns the
    running page.

    Raises ConfigError where `ui_host` can be reached from other machines and `ui_password` is empty."""
    check_exposure(config.ui_host, config.ui_password)
    _silence_gradio()
    from ui.page import build

    handlers = Handlers(workspace_of(config), default_index=config.index.name)
    page = build(handlers)
    uploads = _private_folder()
    address = _launch(page, config)
    if on_ready is not None:
        on_ready(address)
    if block:
        try:
            page.block_thread()
        finally:
            handlers.close()
            shutil.rmtree(uploads, ignore_errors=True)
    return page


def _launch(page: Any, config: Config) -> str:
    options = launch_options(
        host=config.ui_host,
        port=config.ui_port,
        user=config.ui_user,
        password=config.ui_password,
        max_file_mb=config.max_file_mb,
    )
    try:
        _, address, _ = page.launch(prevent_thread_lock=True, **options)
    except OSError as error:
        raise ConfigError(
            f"The page cannot be served at {config.ui_host}:{config.ui_port}: {error} Is another one running "
            "there? Choose another port with ui_port (CITEWISE_UI_PORT)."
        ) from error
    return str(address)


def _private_folder() -> str:
    """Where uploads land until an index has taken them over: readable by this user only, and not in the
    folder that every Gradio program on the machine shares."""
    folder = tempfile.mkdtemp(prefix="citewise-uploads-")
    os.environ["GRADIO_TEMP_DIR"] = folder
    return folder
