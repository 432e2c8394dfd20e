"""What stands on a PDF page above its content: form fields with their values, drawn or only stored, tick
boxes, and annotations that show words. pypdf reads their dictionaries."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rag.parsers.base import one_line
from rag.parsers.pdf_lines import Box, PlacedWord, TextLine, without
from rag.types import LossKind

_HIDDEN = 0b100010  # hidden, or not shown on the screen
_PUSH_BUTTON, _PASSWORD = 1 << 16, 1 << 13
_MOST = 2000  # annotations of a page
_COMMENTS = frozenset(
    "/Text /Highlight /Underline /Squiggly /StrikeOut /Caret /Line /Square /Circle /Polygon /PolyLine".split()
)


@dataclass(slots=True)
class Overlay:
    """What stands above a page's content: `words` at their place, `comments` apart from it, the boxes of what
    was `struck` out, and what was lost."""

    words: list[tuple[str, Box]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    struck: list[Box] = field(default_factory=list)
    losses: list[LossKind] = field(default_factory=list)


def read_overlay(page: Any) -> Overlay:
    """The fields and annotations of a pypdf page. Damaged ones are passed over."""
    overlay = Overlay()
    fields: list[bool] = []
    with suppress(Exception):
        for entry in list(page.get("/Annots") or ())[:_MOST]:
            with suppress(Exception):
                _read_one(page, entry.get_object(), overlay, fields)
    if fields and not any(fields):
        overlay.losses.append(LossKind.FORM_WITHOUT_VALUES)
    return overlay


def _read_one(page: Any, annotation: Any, overlay: Overlay, fields: list[bool]) -> None:
    kind = str(annotation.get("/Subtype", ""))
    if int(annotation.get("/F", 0)) & _HIDDEN or kind in ("/Popup", "/Link"):
        return
    left, low, right, top = (float(x) for x in annotation["/Rect"])
    box = min(left, right), max(low, top), max(left, right), min(low, top)
    contents = one_line(str(annotation.get("/Contents") or ""))
    text = ""
    if kind == "/Widget":
        text = _value(page, annotation)
        if str(_inherited(annotation, "/FT")) in ("/Tx", "/Ch", "/Btn") and not _is_button(annotation):
            fields.append(bool(text) and text != "☐")
    elif kind == "/FreeText":
        text = contents or _drawn(page, annotation)
    elif kind == "/Stamp":
        text = _drawn(page, annotation) or contents or str(annotation.get("/Name", "")).strip("/")
    elif kind in _COMMENTS:
        if contents:
            overlay.comments.append(contents)
        if kind == "/StrikeOut":
            points = [float(x) for x in annotation.get("/QuadPoints") or ()]
            quads = [points[n : n + 8] for n in range(0, len(points) - 7, 8)]
            overlay.struck += [(min(q[::2]), max(q[1::2]), max(q[::2]), min(q[1::2])) for q in quads] or [box]
    if text:
        overlay.words.append((text, box))


def xfa_values(reader: Any) -> list[str] | None:
    """ "Caption: value" of each filled field of an XFA form of a pypdf reader, by its name where it has no
    caption; None where there is no such form."""
    from lxml import etree

    with suppress(Exception):
        packets = reader.trailer["/Root"]["/AcroForm"]["/XFA"].get_object()
        parts = packets[1::2] if isinstance(packets, list) else [packets]
        data = b"".join(part.get_object().get_data() for part in parts)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
        root = etree.fromstring(data, parser)
        captions = {
            one.get("name"): one_line("".join(one.xpath("./*[local-name()='caption']//text()"))).rstrip(":：")
            for one in root.iter("{*}field")
        }
        filled = root.xpath("//*[local-name()='data' and contains(namespace-uri(), 'xfa-data')]//*[not(*)]")
        found = [(etree.QName(one).localname, one_line(one.text or "")) for one in filled]
        return [f"{captions.get(name) or name}: {value}" for name, value in found if value]
    return None


def _inherited(annotation: Any, key: str) -> Any:
    node = annotation
    for _ in range(20):
        if key in node:
            return node[key].get_object()
        if "/Parent" not in node:
            break
        node = node["/Parent"].get_object()
    return None


def _is_button(annotation: Any) -> bool:
    flags = int(_inherited(annotation, "/Ff") or 0)
    return bool(flags & _PUSH_BUTTON) and _inherited(annotation, "/FT") == "/Btn"


def _value(page: Any, annotation: Any) -> str:
    """The value of a field as it shows."""
    kind, value = str(_inherited(annotation, "/FT")), _inherited(annotation, "/V")
    flags = int(_inherited(annotation, "/Ff") or 0)
    if _is_button(annotation) or (kind == "/Tx" and flags & _PASSWORD):
        return ""
    if kind == "/Btn":
        state = annotation.get("/AS")
        if state is None:
            states = (annotation.get("/AP") or {}).get("/N") or {}
            state = value if value in states else "/Off"
        return "☐" if str(state) in ("/Off", "None") else "☒"
    if kind == "/Ch" and value is not None:
        shown = {}
        for option in _inherited(annotation, "/Opt") or ():
            option = option.get_object()
            pair = option if isinstance(option, list) and len(option) > 1 else (option, option)
            shown[str(pair[0])] = str(pair[1])
        chosen = value if isinstance(value, list) else [value]
        return one_line(", ".join(shown.get(str(one), str(one)) for one in chosen))
    if kind == "/Tx" and value is not None:
        stored = value.get_data().decode("utf-8", "replace") if hasattr(value, "get_data") else str(value)
        if one_line(stored):
            return one_line(stored)
    return _drawn(page, annotation)


def _drawn(page: Any, annotation: Any) -> str:
    """The words of the picture of a field or annotation."""
    with suppress(Exception):
        face = annotation["/AP"]["/N"].get_object()
        if not hasattr(face, "get_data"):
            face = face[annotation["/AS"]].get_object()
        return one_line(page.extract_xform_text(face))
    return ""


def lay_over(lines: list[TextLine], words: list[tuple[str, Box]]) -> list[TextLine]:
    """The lines with what stands above the page put where it stands: within the line at its height, else
    as a line of its own."""
    result = list(lines)
    for text, box in sorted(words, key=lambda one: (-one[1][1], one[1][0])):
        left, top, _, bottom = box
        own = TextLine.within(text, box)
        overlap = ((n, line, min(line.top, top) - max(line.bottom, bottom)) for n, line in enumerate(result))
        at = max(
            (n for n, o, h in overlap if o.words and h > 0.5 * min(o.top - o.bottom, top - bottom)),
            key=lambda n: (result[n].left <= left, result[n].left),
            default=-1,
        )
        if at >= 0:
            result[at] = _within(result[at], own)
            continue
        own.size = min(own.size, 12.0)
        middle = (top + bottom) / 2
        below = (n for n, line in enumerate(result) if line.size and line.top < middle)
        result.insert(next(below, len(result)), own)
    return result


def _within(line: TextLine, own: TextLine) -> TextLine:
    """The line with the words in it, in place of a line of underscores to write on."""

    def is_blank(word: PlacedWord) -> bool:
        written = set(word.text) <= {"_", "."} and len(word.text) > 2
        return written and word.first[0] < own.right and word.last[2] > own.left

    rest, _ = without(line, is_blank)
    words = rest.words if rest is not None else []
    at = sum((word.first[0] + word.last[2]) / 2 < own.left + 1 for word in words)
    made = TextLine.of([*words[:at], *own.words, *words[at:]], line.bold)
    made.size, made.top, made.bottom, made.edge = line.size, line.top, line.bottom, line.edge
    return made
