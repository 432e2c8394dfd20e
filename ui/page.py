"""The page's components, where they stand, and the events between them. Imports Gradio at the top: reach it
through `ui.app`, which first switches off everything in Gradio that would call home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr

from rag.parsers import SUFFIXES
from ui import filters, markup, panes
from ui.filters import Narrow, View
from ui.handlers import Handlers
from ui.sources import OPENED
from ui.texts import ENGLISH, Texts, texts_for

# Which property of which component a field of a `View` sets.
_SETS = {
    "transcript": ("transcript", "value"),
    "live": ("live", "value"),
    "source": ("source", "value"),
    "upload": ("upload_status", "value"),
    "documents": ("documents", "value"),
    "narrow_note": ("narrow_note", "value"),
    "indexes": ("index", "choices"),
    "index": ("index", "value"),
    "scope": ("scope", "choices"),
    "scope_chosen": ("scope", "value"),
    "running": ("stop", "visible"),
}
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


class Parts(SimpleNamespace):
    """The components that a `View` or a change of language can change, by name, in the order of `outputs`."""

    @property
    def outputs(self) -> list[Any]:
        return list(vars(self).values())

    @property
    def asked(self) -> list[Any]:
        """What every question is asked with: the index, the documents in it, the other filters."""
        return [self.index, self.scope, *(getattr(self, name) for name in filters.CHOSEN)]

    def changes(self, view: View, texts: Texts | None = None, remote: str = "") -> list[Any]:
        """Updates for `outputs`; with `texts`, every label too (`remote`: where questions are sent)."""
        values: dict[str, dict[str, Any]] = defaultdict(dict, labels(texts, remote) if texts else {})
        for field, (part, what) in _SETS.items():
            if (selected := getattr(view, field)) is not None:
                values[part][what] = _plain(selected)
        if view.index is not None:
            values["index"]["value"] = view.index or None
            values["new_name"]["value"] = ""
        if view.running is not None:
            values["ask"]["visible"] = not view.running
        if view.clear_question:
            values["question"]["value"] = ""
        more = [filters.choice_updates(view.choices)] if view.choices is not None else []
        more += [filters.set_to(view.chosen)] if view.chosen is not None else []
        for name, change in (item for updates in more for item in updates.items()):
            values[name].update(change)
        return [gr.update(**values[name]) if name in values else gr.skip() for name in vars(self)]


def _plain(shown: Any) -> Any:
    return list(shown) if isinstance(shown, tuple) else str(shown) if isinstance(shown, str) else shown


def labels(texts: Texts, remote: str) -> dict[str, dict[str, Any]]:
    """What the components are called in a language."""
    return {
        "header": {"value": str(markup.header(texts, remote))},
        "index": {"label": texts.index},
        "scope": {"label": texts.scope, "info": texts.scope_hint},
        "upload": {"label": texts.upload},
        "upload_hint": {"value": str(markup.hint(texts.upload_hint))},
        "new_index": {"label": texts.new_index},
        "new_name": {"label": texts.new_index_hint},
        "create": {"value": texts.create},
        "question": {"label": texts.question, "placeholder": texts.question_hint},
        "ask": {"value": texts.ask},
        "stop": {"value": texts.stop},
        "keys": {"value": str(markup.hint(texts.keys))},
        **filters.labels(texts),
    }


def _html(value: Any = "", **more: Any) -> gr.HTML:
    return gr.HTML(str(value), apply_default_css=False, js_on_load=None, **more)


def layout(texts: Texts, remote: str) -> Parts:
    """The components, in the order of the page."""
    named = labels(texts, remote)
    at = Parts(header=_html(**named["header"], elem_id="cw-header"))
    with gr.Row(elem_id="cw-main", equal_height=False):
        with gr.Column(elem_id="cw-library", scale=0, min_width=0):
            at.index = gr.Dropdown([], **named["index"], elem_id="cw-index", interactive=True)
            at.scope = gr.Dropdown(
                [],
                **named["scope"],
                multiselect=True,
                allow_custom_value=True,
                elem_id="cw-scope",
                interactive=True,
            )
            vars(at).update(filters.layout(texts))
            at.upload = gr.UploadButton(
                **named["upload"],
                file_count="multiple",
                file_types=sorted(SUFFIXES),
                elem_id="cw-upload",
                size="md",
            )
            at.upload_hint = _html(**named["upload_hint"])
            at.upload_status = _html(elem_id="cw-upload-status")
            at.documents = _html(elem_id="cw-documents")
            with gr.Accordion(**named["new_index"], open=False, elem_id="cw-new-index") as at.new_index:
                at.new_name = gr.Textbox(**named["new_name"], max_lines=1, elem_id="cw-new-name")
                at.create = gr.Button(**named["create"], size="sm", elem_id="cw-create")
        with gr.Column(elem_id="cw-talk", scale=1, min_width=0):
            with gr.Column(elem_id="cw-scroll"):
                at.transcript = _html(elem_id="cw-transcript")
                at.live = _html(elem_id="cw-live")
            with gr.Row(elem_id="cw-composer", equal_height=True):
                at.question = gr.Textbox(
                    **named["question"],
                    show_label=False,
                    container=False,
                    lines=1,
                    max_lines=8,
                    autofocus=True,
                    elem_id="cw-question",
                    scale=1,
                )
                size: dict[str, Any] = {"scale": 0, "min_width": 96}
                at.ask = gr.Button(**named["ask"], variant="primary", elem_id="cw-ask", **size)
                at.stop = gr.Button(**named["stop"], variant="stop", visible=False, elem_id="cw-stop", **size)
            at.keys = _html(**named["keys"], elem_id="cw-keys")
        with gr.Column(elem_id="cw-source-pane", scale=0, min_width=0):
            at.source = _html(panes.empty_pane(texts), elem_id="cw-source")
    return at


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


def _sent(event: gr.EventData, name: str, otherwise: Any) -> Any:
    """What the page's script sent with an event; `otherwise` for anything that is of another type."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if type(value) is type(otherwise) else otherwise


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

    def sending(handle: Any, name: str, otherwise: Any) -> Any:
        def on_event(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[list[Any]]:
            yield from asked(handle, _sent(event, name, otherwise), values, request)

        return on_event

    def on_stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash)

    def opening(kind: str) -> Any:
        def on_open(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
            turn, number = _sent(event, "turn", -1), _sent(event, "number", -1)
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
    bridge.retry(sending(handlers.retry, "turn", -1), inputs=parts.asked, **asking)
    bridge.again(sending(handlers.again, "question", ""), inputs=parts.asked, **asking)
    bridge.sample(sending(handlers.sample, "number", -1), inputs=parts.asked, **asking)
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
