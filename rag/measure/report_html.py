"""A report as one page that needs nothing else: no network, no script, two plots inline. Pure.

What comes from a set or a model (names, questions, answers, errors) is escaped by the template, and by
matplotlib's writer, which never reads it as maths; the page's own content policy forbids scripts and loading
anything besides. Text of plots stays text (the page's fonts draw it, Chinese too) and every colour is a
variable of the page, so that one plot is read in light and dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.files import write_atomically
from rag.measure import metrics
from rag.measure.report import QuestionResult, Report, Section, risk_curve
from rag.measure.scoring import CUTOFFS

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.axes import Axes

# Colours that no plot uses, each replaced by a variable of the page with what stands for it elsewhere: ink,
# grid, and four data colours that differ in lightness too (after Okabe and Ito, 2008).
_INK, _GRID, _PAPER = "#010101", "#010102", "#010103"
_BLUE, _ORANGE, _GREEN, _RED = "#010104", "#010105", "#010106", "#010107"
_VARIABLES = {
    _INK: "var(--ink, #333)",
    _GRID: "var(--grid, #ccc)",
    _PAPER: "var(--paper, #fff)",
    _BLUE: "var(--data-1, #1f6fb2)",
    _ORANGE: "var(--data-2, #d9822b)",
    _GREEN: "var(--data-3, #2a9d74)",
    _RED: "var(--data-4, #c8503c)",
}
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "figure.facecolor": "none",
}


def to_html(report: Report, more: Sequence[Section] = ()) -> str:
    """The page: the plots, the report's sections, `more`. The same values give the same page."""
    depth = int(report.settings.get("depth") or 100)
    drawn = [
        (
            hit_curve(report.results, depth),
            "How many of the questions have their evidence, or its document, among the first k passages. "
            "Vertical bars: 95 % bootstrap intervals.",
        ),
        (
            risk_plot(report.results),
            "Answers and errors as the threshold of refusal falls. An error is an answer whose evidence is "
            "not shown, or any answer to a question that the documents do not answer. Lower is better.",
        ),
    ]
    plots = [(Markup(svg), caption) for svg, caption in drawn if svg]
    return _template().render(report=report, plots=plots, sections=[*more, *report.sections()])


def write_html(report: Report, folder: Path, more: Sequence[Section] = ()) -> Path:
    """`report.html` in `folder`, written atomically. Raises StorageError."""
    path = folder / "report.html"
    # A lone surrogate of a question is no text.
    write_atomically(path, to_html(report, more).encode("utf-8", "replace"))
    return path


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("rag.measure").joinpath("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)


def hit_curve(results: Sequence[QuestionResult], depth: int) -> str:
    """Share of questions whose evidence, and whose document, is among the first k passages, for every k up to
    `depth`; bars are 95 % intervals. "" where retrieval was not measured."""
    searched = [r for r in results if r.searched or "MRR@10" in r.scores]  # those that failed, too
    if not searched:
        return ""
    marks = [k for k in CUTOFFS if k <= depth]
    cutoffs = range(1, depth + 1)

    def draw(axes: Axes) -> None:
        evidence, documents = [r.rank for r in searched], [r.document_rank for r in searched]
        # The document's marks stand a little to the right, so that equal intervals do not hide each other.
        series = (("document", _ORANGE, documents, 1.05), ("evidence", _BLUE, evidence, 1.0))
        for name, colour, ranks, shift in series:
            within = [[float(r is not None and r <= k) for r in ranks] for k in cutoffs]
            axes.plot(
                cutoffs, [sum(w) / len(w) for w in within], color=colour, label=name, drawstyle="steps-post"
            )
            measured = [metrics.measure(within[k - 1]) for k in marks]
            errors = [[m.value - m.low for m in measured], [m.high - m.value for m in measured]]
            axes.errorbar(
                [k * shift for k in marks],
                [m.value for m in measured],
                yerr=errors,
                fmt="o",
                color=colour,
                markersize=4,
                elinewidth=1.2,
                capsize=2.5,
            )
        axes.set_xscale("log")
        axes.set_xticks(marks, [str(k) for k in marks])
        axes.minorticks_off()
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("k (passages, log scale)")
        axes.set_ylabel(f"share of {len(searched)} questions")
        axes.legend(title="first k passages hold the", loc="lower right", alignment="left")

    return _svg("hits", draw, "Hit rate by number of passages")


def risk_plot(results: Sequence[QuestionResult]) -> str:
    """Share of wrong answers against the share of questions answered as the threshold of refusal falls, with
    the point where it stands. "" without judged answers."""
    points = risk_curve(results)
    if not points:
        return ""
    judged = [r for r in results if r.score is not None and r.wrong is not None]
    answered = [r for r in judged if r.kind != "refused"]

    def draw(axes: Axes) -> None:
        coverages, risks = [p.coverage for p in points], [p.risk for p in points]
        axes.plot(coverages, risks, color=_BLUE, label="if another threshold were set")
        axes.axhline(risks[-1], color=_GRID, linestyle="--", label="if nothing were refused")
        if answered:
            risk = sum(bool(r.wrong) for r in answered) / len(answered)
            label = f"as it is: {len(answered) / len(judged):.2f} answered, {risk:.2f} of them wrong"
            axes.plot([len(answered) / len(judged)], [risk], "o", color=_ORANGE, markersize=8, label=label)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, max(0.1, *risks) * 1.35)
        axes.set_xlabel(f"coverage: share of {len(judged)} questions answered")
        axes.set_ylabel("risk: share of answers that are wrong")
        axes.legend(loc="upper left")

    return _svg("risk", draw, "Risk against coverage")


def _svg(name: str, draw: Callable[[Axes], None], title: str) -> str:
    """One figure as an <svg> element for a page. `name` keeps its ids apart from other
    plots'."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[str, Any] = _STYLE | {"svg.hashsalt": name}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # Glyphs that matplotlib's font lacks are drawn by the page's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(5.6, 3.6), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(
            file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _inlined(file.getvalue(), name, title)


def _inlined(document: str, prefix: str, title: str) -> str:
    """The <svg> element of a document: no prolog, metadata and name spaces (HTML knows them), ids of its own,
    the page's colours."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r"#01010[1-7]\b", lambda m: _VARIABLES[m[0]], svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1).strip()
