"""The filters of the page as Gradio components: one folded group in the documents column. Imports Gradio at
the top: reach it through `ui.app`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.narrow import FilterChoices, Narrow
from ui.texts import Texts

# Components by their name among the page's parts, in the order in which `read` takes their values: four
# lists, two words.
CHOSEN = ("companies", "years", "kinds", "languages", "authority", "in_force")
_CHOICES = {
    "companies": "companies",
    "years": "years",
    "kinds": "kinds",
    "languages": "languages",
    "authority": "authorities",
}


def layout(texts: Texts) -> dict[str, Any]:
    """The components by name; those without a choice are hidden until an index offers some."""
    with gr.Accordion(texts.narrow, open=False, visible=False, elem_id="cw-narrow") as narrow:
        fields: dict[str, Any] = {
            name: gr.Dropdown(
                [],
                multiselect=name != "authority",
                visible=False,
                interactive=True,
                elem_id=f"cw-filter-{name}",
                **_names(texts)[name],
            )
            for name in _CHOICES
        }
        fields["in_force"] = gr.Textbox(
            max_lines=1, visible=False, elem_id="cw-filter-in-force", **_names(texts)["in_force"]
        )
        note = gr.HTML("", apply_default_css=False, js_on_load=None, elem_id="cw-narrow-note")
        clear = gr.Button(texts.clear_filters, size="sm", elem_id="cw-clear-filters")
    return {"narrow": narrow, **fields, "narrow_note": note, "clear_filters": clear}


def labels(texts: Texts) -> dict[str, dict[str, Any]]:
    """Updates for another language."""
    return {
        "narrow": {"label": texts.narrow},
        "clear_filters": {"value": texts.clear_filters},
        **_names(texts),
    }


def _names(texts: Texts) -> dict[str, dict[str, Any]]:
    return {
        "companies": {"label": texts.companies},
        "years": {"label": texts.years},
        "kinds": {"label": texts.formats},
        "languages": {"label": texts.languages},
        "authority": {"label": texts.authority},
        "in_force": {"label": texts.in_force, "placeholder": texts.in_force_hint},
    }


def choice_updates(choices: FilterChoices) -> dict[str, dict[str, Any]]:
    """Updates for what an index offers: a filter without choices is hidden, the group too without any."""
    visible = {
        name: {"choices": list(getattr(choices, field)), "visible": bool(getattr(choices, field))}
        for name, field in _CHOICES.items()
    }
    return {**visible, "in_force": {"visible": choices.dated}, "narrow": {"visible": bool(choices)}}


def set_to(chosen: Narrow) -> dict[str, dict[str, Any]]:
    """Updates that put these values into the components."""
    values = {name: getattr(chosen, name) for name in CHOSEN}
    return {
        name: {"value": list(value) if isinstance(value, tuple) else value or None}
        for name, value in values.items()
    } | {"in_force": {"value": chosen.in_force}}


def read(values: tuple[Any, ...]) -> Narrow:
    """The values of the components in the order of `CHOSEN`, as the browser sent them."""
    given = dict(zip(CHOSEN, values, strict=True))
    lists = {name: tuple(str(v) for v in given[name] or ()) for name in CHOSEN[:4]}
    words = {name: str(given[name] or "") for name in CHOSEN[4:]}
    return Narrow(**lists, **words)
