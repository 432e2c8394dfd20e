"""The page's components, where they stand, and the events between them. Imports Gradio at the top: reach it
through `ui.app`, which first switches off everything in Gradio that would call home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import gradio as gr

from rag.parsers import SUFFIXES
from ui import ENGLISH, Texts, filters, texts_for
from ui.filters import View
from ui.handlers import Handlers
from ui.render import fill
from ui.sources import OPENED

# Which property of which component a field of a `View` sets.
_VALUES = ("transcript", "live", "source", "documents", "narrow_note", "index", "reader")
_SETS = {name: (name, "value") for name in _VALUES} | {
    "upload": ("upload_status", "value"),
    "indexes": ("index", "choices"),
    "readers": ("reader", "choices"),
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
const events = ['cite', 'near', 'passage', 'figure', 'again', 'retry', 'language', 'fresh'];
"""
# Until the page has been filled nothing in it can be used: a change made before would be overwritten.
_READY = """
() => {
  document.body.classList.add("cw-ready");
  document.querySelector("#cw-question textarea")?.focus();
}
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
        if view.readers is not None:
            values["reader"]["visible"] = len(view.readers) > 1
        if view.running is not None:
            values["ask"]["visible"] = not view.running
        if view.clear_question:
            values["question"]["value"] = ""
        more = [filters.choice_updates(view.choices)] if view.choices is not None else []
        more += [filters.set_to(view.chosen)] if view.chosen is not None else []
        for name, change in (item for updates in more for item in updates.items()):
            values[name].update(change)
        return [gr.update(**values[name]) if name in values else gr.skip() for name in vars(self)]

    # Gradio finds event and request by their types, and only before what takes any number of inputs.

    def once(self, handle: Callable[..., View]) -> Any:
        """An event that gives the page's key and the inputs to `handle` and makes the changes of its view."""

        def on_event(request: gr.Request, *values: Any) -> list[Any]:
            return self.changes(handle(request.session_hash, *values))

        return on_event

    def stream(self, handle: Callable[..., Iterator[View]], **sent: Any) -> Any:
        """The same view by view; before the inputs stands what the page's script sent by the names in `sent`,
        or the value there for anything that is of another type."""

        def on_event(event: gr.EventData, request: gr.Request, *values: Any) -> Iterator[list[Any]]:
            data = event._data if isinstance(event._data, dict) else {}
            given = ((data.get(name), otherwise) for name, otherwise in sent.items())
            known = [value if type(value) is type(otherwise) else otherwise for value, otherwise in given]
            for view in handle(request.session_hash, *known, *values):
                yield self.changes(view)

        return on_event


def _plain(shown: Any) -> Any:
    return list(shown) if isinstance(shown, tuple) else str(shown) if isinstance(shown, str) else shown


def labels(texts: Texts, remote: str) -> dict[str, dict[str, Any]]:
    """What the components are called in a language."""
    return {
        "header": {"value": str(fill("page.header", texts, remote))},
        "index": {"label": texts.index},
        "reader": {"label": texts.reader},
        "scope": {"label": texts.scope, "info": texts.scope_hint},
        "upload": {"label": texts.upload},
        "upload_hint": {"value": str(fill("page.hint", texts, texts.upload_hint))},
        "new_index": {"label": texts.new_index},
        "new_name": {"label": texts.new_index_hint},
        "create": {"value": texts.create},
        "question": {"label": texts.question, "placeholder": texts.question_hint},
        "ask": {"value": texts.ask},
        "stop": {"value": texts.stop},
        "keys": {"value": str(fill("page.hint", texts, texts.keys))},
        **filters.labels(texts),
    }


def _html(value: Any = "", **more: Any) -> gr.HTML:
    return gr.HTML(str(value), apply_default_css=False, js_on_load=None, **more)


def layout(texts: Texts, remote: str) -> Parts:
    """The components, in the order of the page."""
    named = labels(texts, remote)

    def of(name: str, prefix: str = "cw-") -> dict[str, Any]:
        return {"elem_id": prefix + name.replace("_", "-"), **named.get(name, {})}

    at = Parts(header=_html(**of("header")))
    with gr.Row(elem_id="cw-main", equal_height=False):
        with gr.Column(elem_id="cw-library", scale=0, min_width=0):
            usable: dict[str, Any] = {"choices": [], "interactive": True}
            at.index = gr.Dropdown(**usable, **of("index"))
            at.scope = gr.Dropdown(multiselect=True, allow_custom_value=True, **usable, **of("scope"))
            # Those without a choice are hidden until an index offers some.
            with gr.Accordion(open=False, visible=False, **of("narrow")) as at.narrow:
                for name in filters.CHOICES:
                    several, more = name != "authority", {**usable, **of(name, "cw-filter-")}
                    vars(at)[name] = gr.Dropdown(multiselect=several, visible=False, **more)
                at.in_force = gr.Textbox(max_lines=1, visible=False, **of("in_force", "cw-filter-"))
                at.narrow_note = _html(**of("narrow_note"))
                at.clear_filters = gr.Button(size="sm", **of("clear_filters"))
            at.reader = gr.Dropdown(visible=False, **usable, **of("reader"))
            files: dict[str, Any] = {"file_count": "multiple", "file_types": sorted(SUFFIXES)}
            at.upload = gr.UploadButton(size="md", **files, **of("upload"))
            at.upload_hint = _html(**of("upload_hint"))
            at.upload_status = _html(**of("upload_status"))
            at.documents = _html(**of("documents"))
            with gr.Accordion(open=False, **of("new_index")) as at.new_index:
                at.new_name = gr.Textbox(max_lines=1, **of("new_name"))
                at.create = gr.Button(size="sm", **of("create"))
        with gr.Column(elem_id="cw-talk", scale=1, min_width=0):
            with gr.Column(elem_id="cw-scroll"):
                at.transcript = _html(**of("transcript"))
                at.live = _html(**of("live"))
            with gr.Row(elem_id="cw-composer", equal_height=True):
                bare: dict[str, Any] = {"show_label": False, "container": False, "autofocus": True}
                at.question = gr.Textbox(lines=1, max_lines=8, scale=1, **bare, **of("question"))
                size: dict[str, Any] = {"scale": 0, "min_width": 96}
                at.ask = gr.Button(variant="primary", **size, **of("ask"))
                at.stop = gr.Button(variant="stop", visible=False, **size, **of("stop"))
            at.keys = _html(**of("keys"))
        with gr.Column(elem_id="cw-source-pane", scale=0, min_width=0):
            at.source = _html(fill("source.empty_pane", texts), elem_id="cw-source")
    return at


def build(handlers: Handlers) -> gr.Blocks:
    """The page, wired. One conversation per open page; at most ASKED_AT_ONCE questions run, WAITING_AT_MOST
    wait."""
    page = gr.Blocks(title="Citewise", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600))
    with page:
        parts = layout(ENGLISH, handlers.workspace.remote)
        bridge = gr.HTML("", js_on_load=_BRIDGE, elem_id="cw-bridge", apply_default_css=False)
        _wire_page(page, parts, bridge, handlers)
        _wire_questions(parts, bridge, handlers)
    page.queue(max_size=WAITING_AT_MOST, default_concurrency_limit=8, api_open=False)
    return page


def _wire_page(page: gr.Blocks, parts: Parts, bridge: gr.HTML, handlers: Handlers) -> None:
    """Everything but questions and sources."""

    def on_load(request: gr.Request) -> list[Any]:
        language = request.cookies.get(COOKIE) or request.headers.get("accept-language", "en")
        view = handlers.open(request.session_hash, language)
        return parts.changes(view, texts_for(language), handlers.workspace.remote)

    def on_language(index: str | None, event: gr.EventData, request: gr.Request) -> list[Any]:
        code = str(event._data.get("code", "en"))
        view = handlers.relabel(request.session_hash, code, index or "")
        return parts.changes(view, texts_for(code), handlers.workspace.remote)

    def on_unload(request: gr.Request) -> None:
        handlers.forget(request.session_hash)

    made: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs}
    quick = {**made, "queue": False}
    page.load(on_load, **quick).then(None, js=_READY, **_PRIVATE)
    page.unload(on_unload)
    bridge.language(on_language, inputs=parts.index, **quick)
    bridge.fresh(parts.once(handlers.fresh), inputs=parts.index, **quick)
    parts.index.input(parts.once(handlers.choose), inputs=parts.index, **quick)
    parts.reader.input(parts.once(handlers.read_with), inputs=parts.reader, **made)
    reading = parts.stream(handlers.upload)
    parts.upload.upload(reading, inputs=[parts.upload, parts.index], concurrency_limit=2, **made)
    named = [parts.create.click, parts.new_name.submit]
    gr.on(named, parts.once(handlers.create), inputs=[parts.new_name, parts.index], **made)
    on_day = [parts.in_force.blur, parts.in_force.submit]
    gr.on(on_day, parts.once(handlers.narrowed), inputs=parts.in_force, **quick)
    parts.clear_filters.click(parts.once(handlers.everything), **quick)


def _wire_questions(parts: Parts, bridge: gr.HTML, handlers: Handlers) -> None:
    def narrow(handle: Callable[..., Iterator[View]]) -> Callable[..., Iterator[View]]:
        return lambda key, sent, index, scope, *chosen: handle(key, sent, index, filters.read(scope, chosen))

    def on_stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash)

    made: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs}
    asking = {**made, "concurrency_id": "ask", "concurrency_limit": ASKED_AT_ONCE}
    on_ask = parts.stream(narrow(handlers.ask))
    gr.on([parts.ask.click, parts.question.submit], on_ask, inputs=[parts.question, *parts.asked], **asking)
    for event, handle, sent in (
        (bridge.retry, handlers.retry, {"turn": -1}),
        (bridge.again, partial(handlers.ask, alone=True), {"question": ""}),
    ):
        event(parts.stream(narrow(handle), **sent), inputs=parts.asked, **asking)
    parts.stop.click(on_stop, queue=False, **_PRIVATE)
    for kind in OPENED:
        opened = partial(lambda kind, key, *at: handlers.open_source(key, kind, *at), kind)
        getattr(bridge, kind)(parts.stream(opened, turn=-1, number=-1), trigger_mode="always_last", **made)
