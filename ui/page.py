"""The events between the page's components. Imports Gradio at the top: reach it through `ui.app`,
which first switches off everything in Gradio that would call home."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ui import filters
from ui.handlers import Handlers
from ui.layout import Parts, layout
from ui.narrow import Narrow
from ui.sources import OPENED
from ui.texts import ENGLISH, texts_for

COOKIE = "citewise_language"
ASKED_AT_ONCE = 16
WAITING_AT_MOST = 32
# Gradio finds the names of custom events in this script, so they are listed in it.
_BRIDGE = """
window.citewise = window.citewise || {};
window.citewise.trigger = trigger;
const events = ['cite', 'near', 'passage', 'figure', 'again', 'retry', 'sample', 'language', 'fresh'];
"""
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(handlers: Handlers) -> gr.Blocks:
    """The page, wired. One conversation per open page; at most ASKED_AT_ONCE questions run, WAITING_AT_MOST
    wait."""
    page: gr.Blocks
    with gr.Blocks(
        title="Citewise", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)
    ) as page:
        parts = layout(ENGLISH, handlers.workspace.remote)
        bridge = gr.HTML("", js_on_load=_BRIDGE, elem_id="cw-bridge", apply_default_css=False)
    with page:
        _wire_page(page, parts, bridge, handlers)
        _wire_questions(parts, bridge, handlers)
        _wire_documents(parts, handlers)
        _wire_filters(parts, handlers)
    page.queue(max_size=WAITING_AT_MOST, default_concurrency_limit=8, api_open=False)
    return page


def _number(event: gr.EventData, name: str) -> int:
    """A number that the page's script sent with an event; -1 for anything else."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _text(event: gr.EventData, name: str) -> str:
    """A text that the page's script sent with an event; "" for anything else."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, str) else ""


def _wire_page(page: gr.Blocks, parts: Parts, bridge: gr.HTML, handlers: Handlers) -> None:
    def on_load(request: gr.Request) -> list[Any]:
        language = request.cookies.get(COOKIE) or request.headers.get("accept-language", "en")
        view = handlers.open(request.session_hash, language)
        return parts.changes(view, texts_for(language), handlers.workspace.remote)

    def on_language(index: str | None, event: gr.EventData, request: gr.Request) -> list[Any]:
        code = str(event._data.get("code", "en"))
        view = handlers.relabel(request.session_hash, code, index or "")
        return parts.changes(view, texts_for(code), handlers.workspace.remote)

    def on_choose(index: str | None, request: gr.Request) -> list[Any]:
        return parts.changes(handlers.choose(request.session_hash, index))

    def on_fresh(index: str | None, request: gr.Request) -> list[Any]:
        return parts.changes(handlers.fresh(request.session_hash, index))

    def on_unload(request: gr.Request) -> None:
        handlers.forget(request.session_hash)

    quick: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs, "queue": False}
    page.load(on_load, **quick)
    page.unload(on_unload)
    bridge.language(on_language, inputs=parts.index, **quick)
    bridge.fresh(on_fresh, inputs=parts.index, **quick)
    parts.index.input(on_choose, inputs=parts.index, **quick)


def _wire_questions(parts: Parts, bridge: gr.HTML, handlers: Handlers) -> None:
    def asked(handle: Any, sent: Any, values: tuple[Any, ...], request: gr.Request) -> Iterator[list[Any]]:
        index, scope, *chosen = values
        for view in handle(request.session_hash, sent, index, scope, filters.read(tuple(chosen))):
            yield parts.changes(view)

    # Gradio finds event and request by their types, and only before what takes any number of inputs.
    def on_ask(request: gr.Request, question: str, *values: Any) -> Iterator[list[Any]]:
        yield from asked(handlers.ask, question, values, request)

    def on_retry(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from asked(handlers.retry, _number(event, "turn"), values, request)

    def on_again(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from asked(handlers.again, _text(event, "question"), values, request)

    def on_sample(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        yield from asked(handlers.sample, _number(event, "number"), values, request)

    def on_stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash)

    def opening(kind: str) -> Any:
        def on_open(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
            turn, number = _number(event, "turn"), _number(event, "number")
            for view in handlers.open_source(request.session_hash, kind, turn, number):
                yield parts.changes(view)

        return on_open

    asking: dict[str, Any] = {
        **_PRIVATE,
        "outputs": parts.outputs,
        "concurrency_id": "ask",
        "concurrency_limit": ASKED_AT_ONCE,
    }
    gr.on([parts.ask.click, parts.question.submit], on_ask, inputs=[parts.question, *parts.asked], **asking)
    bridge.retry(on_retry, inputs=parts.asked, **asking)
    bridge.again(on_again, inputs=parts.asked, **asking)
    bridge.sample(on_sample, inputs=parts.asked, **asking)
    parts.stop.click(on_stop, queue=False, **_PRIVATE)
    for kind in OPENED:
        reading = {**_PRIVATE, "outputs": parts.outputs, "trigger_mode": "always_last"}
        getattr(bridge, kind)(opening(kind), **reading)


def _wire_documents(parts: Parts, handlers: Handlers) -> None:
    def on_upload(paths: list[str], index: str | None, request: gr.Request) -> Iterator[list[Any]]:
        for view in handlers.upload(request.session_hash, paths, index):
            yield parts.changes(view)

    def on_create(name: str, index: str | None, request: gr.Request) -> list[Any]:
        return parts.changes(handlers.create(request.session_hash, name, index))

    made: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs}
    parts.upload.upload(on_upload, inputs=[parts.upload, parts.index], concurrency_limit=2, **made)
    gr.on(
        [parts.create.click, parts.new_name.submit], on_create, inputs=[parts.new_name, parts.index], **made
    )


def _wire_filters(parts: Parts, handlers: Handlers) -> None:
    def on_change(in_force: str, request: gr.Request) -> list[Any]:
        return parts.changes(handlers.narrowed(request.session_hash, Narrow(in_force=in_force or "")))

    def on_clear(request: gr.Request) -> list[Any]:
        return parts.changes(handlers.everything(request.session_hash))

    quick: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs, "queue": False}
    gr.on([parts.in_force.blur, parts.in_force.submit], on_change, inputs=parts.in_force, **quick)
    parts.clear_filters.click(on_clear, **quick)
