"""The page's components and the events between them. Imports Gradio at the top: reach it through `ui.app`,
which first switches off everything in Gradio that would call home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag.parsers import SUFFIXES
from ui import chrome, filters, panes
from ui.handlers import Handlers, View
from ui.narrow import Narrow
from ui.texts import ENGLISH, Texts, texts_for

COOKIE = "citewise_language"
ASKED_AT_ONCE = 16
WAITING_AT_MOST = 32
# Gradio finds the names of custom events in this script, so they are listed in it.
_BRIDGE = """
window.citewise = window.citewise || {};
window.citewise.trigger = trigger;
const events = ['cite', 'near', 'passage', 'retry', 'sample', 'language', 'fresh'];
"""
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components that a `View` or a change of language can change, in the order of `outputs`."""

    header: gr.HTML
    index: gr.Dropdown
    scope: gr.Dropdown
    narrow: gr.Accordion
    companies: gr.Dropdown
    years: gr.Dropdown
    kinds: gr.Dropdown
    languages: gr.Dropdown
    authority: gr.Dropdown
    in_force: gr.Textbox
    narrow_note: gr.HTML
    clear_filters: gr.Button
    upload: gr.UploadButton
    upload_hint: gr.HTML
    upload_status: gr.HTML
    documents: gr.HTML
    new_index: gr.Accordion
    new_name: gr.Textbox
    create: gr.Button
    transcript: gr.HTML
    live: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    keys: gr.HTML
    source: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [getattr(self, field) for field in self.__dataclass_fields__]

    @property
    def asked(self) -> list[Any]:
        """What every question is asked with: the index, the documents in it, the other filters."""
        return [self.index, self.scope, *(getattr(self, name) for name in filters.CHOSEN)]

    def changes(self, view: View, texts: Texts | None = None, remote: str = "") -> list[Any]:
        """Updates for `outputs`; with `texts`, every label too (`remote`: where questions are sent)."""
        values = {**(_labels(texts, remote) if texts else {})}
        for part, shown in (
            ("transcript", view.transcript),
            ("live", view.live),
            ("source", view.source),
            ("upload_status", view.upload),
            ("documents", view.documents),
            ("narrow_note", view.narrow_note),
        ):
            if shown is not None:
                values.setdefault(part, {})["value"] = str(shown)
        if view.indexes is not None:
            values.setdefault("index", {})["choices"] = list(view.indexes)
        if view.index is not None:
            values.setdefault("index", {})["value"] = view.index or None
            values.setdefault("new_name", {})["value"] = ""
        if view.scope is not None:
            values.setdefault("scope", {})["choices"] = list(view.scope)
        if view.scope_chosen is not None:
            values.setdefault("scope", {})["value"] = list(view.scope_chosen)
        more = [filters.offered(view.choices)] if view.choices is not None else []
        more += [filters.set_to(view.chosen)] if view.chosen is not None else []
        for name, change in (item for updates in more for item in updates.items()):
            values.setdefault(name, {}).update(change)
        if view.running is not None:
            values.setdefault("ask", {})["visible"] = not view.running
            values.setdefault("stop", {})["visible"] = view.running
        if view.clear_question:
            values.setdefault("question", {})["value"] = ""
        return [gr.update(**values[f]) if f in values else gr.skip() for f in self.__dataclass_fields__]


def _labels(texts: Texts, remote: str) -> dict[str, dict[str, Any]]:
    return {
        "header": {"value": str(chrome.header(texts, remote))},
        "index": {"label": texts.index},
        "scope": {"label": texts.scope, "info": texts.scope_hint},
        "upload": {"label": texts.upload},
        "upload_hint": {"value": str(chrome.hint(texts.upload_hint))},
        "new_index": {"label": texts.new_index},
        "new_name": {"label": texts.new_index_hint},
        "create": {"value": texts.create},
        "question": {"label": texts.question, "placeholder": texts.question_hint},
        "ask": {"value": texts.ask},
        "stop": {"value": texts.stop},
        "keys": {"value": str(chrome.hint(texts.keys))},
        **filters.labels(texts),
    }


def build(handlers: Handlers) -> gr.Blocks:
    """The page, wired. One conversation per open page; at most ASKED_AT_ONCE questions run, WAITING_AT_MOST
    wait."""
    page: gr.Blocks
    with gr.Blocks(
        title="Citewise", analytics_enabled=False, fill_width=True, delete_cache=(3600, 3600)
    ) as page:
        parts = _layout(ENGLISH, handlers.workspace.remote)
        bridge = gr.HTML("", js_on_load=_BRIDGE, elem_id="cw-bridge", apply_default_css=False)
    with page:
        _wire_page(page, parts, bridge, handlers)
        _wire_questions(parts, bridge, handlers)
        _wire_documents(parts, handlers)
        _wire_filters(parts, handlers)
    page.queue(max_size=WAITING_AT_MOST, default_concurrency_limit=8, api_open=False)
    return page


def _html(value: Any = "", **more: Any) -> gr.HTML:
    return gr.HTML(str(value), apply_default_css=False, js_on_load=None, **more)


def _layout(texts: Texts, remote: str) -> _Parts:
    header = _html(chrome.header(texts, remote), elem_id="cw-header")
    with gr.Row(elem_id="cw-main", equal_height=False):
        with gr.Column(elem_id="cw-library", scale=0, min_width=0):
            index = gr.Dropdown([], label=texts.index, elem_id="cw-index", interactive=True)
            scope = gr.Dropdown(
                [],
                label=texts.scope,
                info=texts.scope_hint,
                multiselect=True,
                allow_custom_value=True,
                elem_id="cw-scope",
                interactive=True,
            )
            narrowing = filters.layout(texts)
            upload = gr.UploadButton(
                texts.upload,
                file_count="multiple",
                file_types=sorted(SUFFIXES),
                elem_id="cw-upload",
                size="md",
            )
            upload_hint = _html(chrome.hint(texts.upload_hint))
            upload_status = _html(elem_id="cw-upload-status")
            documents = _html(elem_id="cw-documents")
            with gr.Accordion(texts.new_index, open=False, elem_id="cw-new-index") as new_index:
                new_name = gr.Textbox(label=texts.new_index_hint, max_lines=1, elem_id="cw-new-name")
                create = gr.Button(texts.create, size="sm", elem_id="cw-create")
        with gr.Column(elem_id="cw-talk", scale=1, min_width=0):
            with gr.Column(elem_id="cw-scroll"):
                transcript = _html(elem_id="cw-transcript")
                live = _html(elem_id="cw-live")
            with gr.Row(elem_id="cw-composer", equal_height=True):
                question = gr.Textbox(
                    label=texts.question,
                    placeholder=texts.question_hint,
                    show_label=False,
                    container=False,
                    lines=1,
                    max_lines=8,
                    autofocus=True,
                    elem_id="cw-question",
                    scale=1,
                )
                ask = gr.Button(texts.ask, variant="primary", elem_id="cw-ask", scale=0, min_width=96)
                stop = gr.Button(
                    texts.stop, variant="stop", visible=False, elem_id="cw-stop", scale=0, min_width=96
                )
            keys = _html(chrome.hint(texts.keys), elem_id="cw-keys")
        with gr.Column(elem_id="cw-source-pane", scale=0, min_width=0):
            source = _html(panes.empty_pane(texts), elem_id="cw-source")
    return _Parts(
        header=header,
        index=index,
        scope=scope,
        upload=upload,
        upload_hint=upload_hint,
        upload_status=upload_status,
        documents=documents,
        new_index=new_index,
        new_name=new_name,
        create=create,
        transcript=transcript,
        live=live,
        question=question,
        ask=ask,
        stop=stop,
        keys=keys,
        source=source,
        **narrowing,
    )


def _number(event: gr.EventData, name: str) -> int:
    """A number that the browser sent; -1 for anything else."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _wire_page(page: gr.Blocks, parts: _Parts, bridge: gr.HTML, handlers: Handlers) -> None:
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


def _wire_questions(parts: _Parts, bridge: gr.HTML, handlers: Handlers) -> None:
    # Gradio finds event and request by their types, and only before what takes any number of inputs.
    def on_ask(request: gr.Request, question: str, *asked: Any) -> Iterator[list[Any]]:
        index, scope, *chosen = asked
        narrow = filters.read(tuple(chosen))
        for view in handlers.ask(request.session_hash, question, index, scope, narrow):
            yield parts.changes(view)

    def on_retry(event: gr.EventData, request: gr.Request, *asked: Any) -> Iterator[list[Any]]:
        index, scope, *chosen = asked
        narrow = filters.read(tuple(chosen))
        for view in handlers.retry(request.session_hash, _number(event, "turn"), index, scope, narrow):
            yield parts.changes(view)

    def on_sample(event: gr.EventData, request: gr.Request, *asked: Any) -> Iterator[list[Any]]:
        index, scope, *chosen = asked
        narrow = filters.read(tuple(chosen))
        for view in handlers.sample(request.session_hash, _number(event, "number"), index, scope, narrow):
            yield parts.changes(view)

    def on_stop(request: gr.Request) -> None:
        handlers.stop(request.session_hash)

    def on_cite(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
        for view in handlers.cite(request.session_hash, _number(event, "turn"), _number(event, "number")):
            yield parts.changes(view)

    def on_near(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
        for view in handlers.near(request.session_hash, _number(event, "turn"), _number(event, "number")):
            yield parts.changes(view)

    def on_passage(event: gr.EventData, request: gr.Request) -> Iterator[list[Any]]:
        for view in handlers.passage(request.session_hash, _number(event, "turn"), _number(event, "number")):
            yield parts.changes(view)

    asking: dict[str, Any] = {
        **_PRIVATE,
        "outputs": parts.outputs,
        "concurrency_id": "ask",
        "concurrency_limit": ASKED_AT_ONCE,
    }
    gr.on([parts.ask.click, parts.question.submit], on_ask, inputs=[parts.question, *parts.asked], **asking)
    bridge.retry(on_retry, inputs=parts.asked, **asking)
    bridge.sample(on_sample, inputs=parts.asked, **asking)
    parts.stop.click(on_stop, queue=False, **_PRIVATE)
    reading: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs, "trigger_mode": "always_last"}
    bridge.cite(on_cite, **reading)
    bridge.near(on_near, **reading)
    bridge.passage(on_passage, **reading)


def _wire_documents(parts: _Parts, handlers: Handlers) -> None:
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


def _wire_filters(parts: _Parts, handlers: Handlers) -> None:
    def on_change(in_force: str, request: gr.Request) -> list[Any]:
        return parts.changes(handlers.narrowed(request.session_hash, Narrow(in_force=in_force or "")))

    def on_clear(request: gr.Request) -> list[Any]:
        return parts.changes(handlers.everything(request.session_hash))

    quick: dict[str, Any] = {**_PRIVATE, "outputs": parts.outputs, "queue": False}
    gr.on([parts.in_force.blur, parts.in_force.submit], on_change, inputs=parts.in_force, **quick)
    parts.clear_filters.click(on_clear, **quick)
