"""The page's components and where they stand. Imports Gradio at the top: reach it through `ui.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from rag.parsers import SUFFIXES
from ui import chrome, filters, panes
from ui.texts import Texts
from ui.view import View


@dataclass(frozen=True, slots=True)
class Parts:
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
        values = {**(labels(texts, remote) if texts else {})}
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


def labels(texts: Texts, remote: str) -> dict[str, dict[str, Any]]:
    """What the components are called in a language."""
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


def _html(value: Any = "", **more: Any) -> gr.HTML:
    return gr.HTML(str(value), apply_default_css=False, js_on_load=None, **more)


def layout(texts: Texts, remote: str) -> Parts:
    """The components, in the order of the page."""
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
    return Parts(
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
