"""What is drawn in a Word file or on a slide and holds words: charts, diagrams (SmartArt); and what to call
what cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from rag.languages import Patterns
from rag.parsers.base import TextBuilder, one_line, shows_text
from rag.parsers.docx_text import Drawn
from rag.parsers.grids import rows_to
from rag.parsers.number_format import show
from rag.parsers.office import DGM, VML, A, C, Package, W
from rag.types import LossKind

_MOST_POINTS = 2000
# A picture that takes this share of a page's width and height is a page of its own.
_PAGE_SIZE = 0.7, 0.6
_LEAST_PICTURE = 0.08  # of the page, of one that may hold words
_RE = Patterns(__file__)
_PROGRAMS = _RE.pairs("programs")


class Drawings:
    """Adds the words of what is drawn to a document, and what could not be read as losses, by a number of its
    kind as a reader counts them."""

    def __init__(self, package: Package, builder: TextBuilder) -> None:
        self._package, self._builder = package, builder
        self.numbers: Counter[str] = Counter()  # how many there are of a kind: "picture", "chart"
        self.page = [0, 0]  # width and height of a page, in English Metric Units

    def may_hold_words(self, size: Sequence[float], target: str) -> bool:
        """Whether a picture of a width and height, in English Metric Units, is as large as a page, or large
        and looks like print."""
        width, height = (own / side if side else 0.0 for own, side in zip(size, self.page, strict=True))
        if width >= _PAGE_SIZE[0] and height >= _PAGE_SIZE[1]:
            return True
        return width * height >= _LEAST_PICTURE and shows_text(self._package.read(target), least=0)

    def add(self, drawn: Drawn, target: str, *, under: str | None = None) -> None:
        """`target`: the part that it leads to; `under`: as `TextBuilder.lose` takes it."""
        kind = drawn.kind
        if kind == "picture":
            self.numbers[kind] += 1
            if self.may_hold_words(_size(drawn.element), target):
                self._builder.lose(LossKind.PICTURE_WITH_TEXT, f"picture {self.numbers[kind]}")
            return
        if kind == "object":
            name = drawn.name.casefold()
            kind = "embedded " + next((of for key, of in _PROGRAMS.items() if key in name), "object")
        kind = kind.removeprefix("new ")
        self.numbers[kind] += 1
        root = self._package.xml(target) if target else None
        read = root is not None and (
            (drawn.kind == "chart" and self._chart(root)) or (kind == "diagram" and self._diagram(root))
        )
        if not read:
            self._builder.lose(LossKind.UNSUPPORTED_PART, f"{kind} {self.numbers[kind]}", under=under)

    def _chart(self, root: Any) -> bool:
        """The title, and a table with a row for each category and a column for each series; False where the
        file keeps no values."""
        title = one_line(" ".join(_text(t) for t in root.iterfind(f"{C}chart/{C}title")))
        axes = [one_line(_text(t)) for t in root.iterfind(f".//{C}plotArea/*/{C}title")]
        names, columns = [], []
        categories: dict[int, str] = {}
        for series in root.iter(C + "ser"):
            names.append(" ".join(_points(series.find(C + "tx")).values()))
            for place, name in _points(_either(series, "cat", "xVal")).items():
                categories.setdefault(place, name)
            columns.append(_points(_either(series, "val", "yVal")))
        places = sorted({place for column in columns for place in column})
        if not places:
            return False
        self._builder.paragraph(title)
        head = [" / ".join(dict.fromkeys(filter(None, axes))), *(n or title for n in names)]
        rows = ([categories.get(p, ""), *(c.get(p, "") for c in columns)] for p in places)
        rows_to(self._builder, [head, *rows], heads=1, title=title)
        return True

    def _diagram(self, root: Any) -> bool:
        points = (p for p in root.iter(DGM + "pt") if p.get("type") in (None, "node", "asst"))
        lines = [line for point in points if (line := _text(point)).strip()]
        self._builder.start_group()
        for line in lines:
            self._builder.paragraph(line, listed=0)
        return bool(lines)


def _either(series: Any, *names: str) -> Any:
    return next((found for name in names if (found := series.find(C + name)) is not None), None)


def _points(data: Any) -> dict[int, str]:
    """The values that a chart keeps of its cells as they show, by their place; the levels of a category put
    together."""
    found: dict[int, str] = {}
    code = data.findtext(f".//{C}formatCode") or "" if data is not None else ""
    for point in data.iter(C + "pt") if data is not None else ():
        place = point.get("idx") or ""
        if place.isdecimal() and len(found) < _MOST_POINTS:
            value, form = one_line(point.findtext(C + "v") or ""), point.get("formatCode") or code
            with suppress(ValueError):
                value = show(float(value), form) if form else value
            found[int(place)] = f"{value} {found[int(place)]}" if int(place) in found else value
    return found


def drawn_lines(element: Any) -> Iterator[str]:
    """The paragraphs of a text that is drawn (DrawingML)."""
    for paragraph in element.iter(A + "p"):
        runs = paragraph.iter(A + "t", A + "br")
        yield "".join("\n" if run.tag == A + "br" else run.text or "" for run in runs)


def _text(element: Any) -> str:
    return " ".join(drawn_lines(element))


def _size(element: Any) -> list[float]:
    """Width and height of a drawing, in English Metric Units."""
    for extent in (e for above in element.iterancestors(W + "drawing") for e in above.iter("{*}extent")):
        return [int(side) if (side := extent.get(name, "")).isdigit() else 0 for name in ("cx", "cy")]
    shape = next(element.iterancestors(f"{VML}shape"), element)
    found = dict(re.findall(r"(width|height):([\d.]+)pt", shape.get("style") or ""))
    return [float(found.get(side, 0)) * 12_700 for side in ("width", "height")]
