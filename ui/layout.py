"""The page's components and where they stand. Imports Gradio at the top: reach it through `ui.app`."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import gradio as gr

from rag.parsers import SUFFIXES
from ui import chrome, filters, panes
from ui.texts import Texts
from ui.view import View

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
