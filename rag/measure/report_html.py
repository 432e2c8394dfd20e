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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from rag.files import write_atomically
from rag.measure import metrics
from rag.measure.report import Report, Section, risk_curve
from rag.measure.yardstick import QuestionResult
from rag.types import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that no plot uses, each replaced by a variable of the page with what stands for it elsewhere: ink,
# grid, and two data colours that differ in lightness too (after Okabe and Ito, 2008).
_INK, _GRID, _BLUE, _ORANGE = "#010101", "#010102", "#010104", "#010105"
_VARIABLES = {
    _INK: "var(--ink, #333)",
    _GRID: "var(--grid, #ccc)",
    _BLUE: "var(--data-1, #1f6fb2)",
    _ORANGE: "var(--data-2, #d9822b)",
}
_INKED = "text.color axes.labelcolor axes.edgecolor xtick.color ytick.color legend.labelcolor".split()
_OFF = ("text.parse_math", "axes.spines.top", "axes.spines.right", "legend.frameon")
_STYLE = {
    **dict.fromkeys(_INKED, _INK),
    **dict.fromkeys(_OFF, False),
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
}


def to_html(report: Report, more: Sequence[Section] = ()) -> str:
    """The page: the plots, the report's sections, `more`. The same values give the same page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rag", "measure"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    hits = hit_curve(report.results, int(report.settings.get("depth") or 100))
    plots = {"hits": Markup(hits), "risk": Markup(risk_plot(report.results))}
    sections = [*more, *report.sections()]
    return environment.get_template("report.html.jinja").render(report=report, sections=sections, **plots)


def write_html(report: Report, folder: Path, more: Sequence[Section] = ()) -> Path:
    """`report.html` in `folder`, written atomically. Raises StorageError."""
    path = folder / "report.html"
    # A lone surrogate of a question is no text.
    write_atomically(path, to_html(report, more).encode("utf-8", "replace"))
    return path


def hit_curve(results: Sequence[QuestionResult], depth: int) -> str:
    """Share of questions whose evidence, and whose document, is among the first k passages, for every k up to
    `depth`; bars are 95 % intervals. "" where retrieval was not measured."""
    searched = [r for r in results if r.searched or "MRR@10" in r.scores]  # those that failed, too
    if not searched:
        return ""
    marks = [k for k in metrics.CUTOFFS if k <= depth]
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
            places, values = [k * shift for k in marks], [m.value for m in measured]
            axes.errorbar(
                places, values, yerr=errors, fmt="o", color=colour, markersize=4, elinewidth=1.2, capsize=2.5
            )
        axes.set_xscale("log")
        axes.set_xticks(marks, [str(k) for k in marks])
        axes.minorticks_off()
        share = f"share of {len(searched)} questions"
        axes.set(ylim=(0, 1.03), xlabel="k (passages, log scale)", ylabel=share)
        axes.legend(title="first k passages hold the", loc="lower right", alignment="left")

    return _svg("hits", draw, "Hit rate by number of passages")


def risk_plot(results: Sequence[QuestionResult]) -> str:
    """Share of wrong answers against the share of questions answered as the threshold of refusal falls, with
    the point where it stands. "" without judged answers."""
    points = risk_curve(results)
    if not points:
        return ""
    judged = [r for r in results if r.score is not None and r.wrong is not None]
    answered = [r for r in judged if r.verdict == Outcome.ANSWERED]

    def draw(axes: Axes) -> None:
        coverages, risks = [p.coverage for p in points], [p.risk for p in points]
        axes.plot(coverages, risks, color=_BLUE, label="if another threshold were set")
        axes.axhline(risks[-1], color=_GRID, linestyle="--", label="if nothing were refused")
        if answered:
            risk = sum(bool(r.wrong) for r in answered) / len(answered)
            label = f"as it is: {len(answered) / len(judged):.2f} answered, {risk:.2f} of them wrong"
            axes.plot([len(answered) / len(judged)], [risk], "o", color=_ORANGE, markersize=8, label=label)
        axes.set(xlim=(0, 1.02), ylim=(0, max(0.1, *risks) * 1.35))
        axes.set_xlabel(f"coverage: share of {len(judged)} questions answered")
        axes.set_ylabel("risk: share of answers that are wrong")
        axes.legend(loc="upper left")

    return _svg("risk", draw, "Risk against coverage")


def _svg(name: str, draw: Callable[[Axes], None], title: str) -> str:
    """One figure as an <svg> element for a page. `name` keeps its ids apart from other plots'."""
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
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    # No prolog, metadata and name spaces (HTML knows them), ids of its own, the page's colours.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", file.getvalue(), flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", svg[svg.index("<svg") :])
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"#01010[1245]\b", lambda m: _VARIABLES[m[0]], svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1).strip()
