"""The plots of a report as inline SVG. Pure: values in, markup out, the same markup for the same values.

Text stays text (the page's fonts draw it, Chinese too) and every colour is a variable of the page, so that
one plot is read in light and dark. Names from outside are escaped by matplotlib's writer and never read as
maths.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rag import metrics
from rag.ablation import Ablation
from rag.metrics import Measure
from rag.report import QuestionResult, risk_curve
from rag.scoring import CUTOFFS

if TYPE_CHECKING:
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
_MOST_TAGS = 24
_RANK_BINS = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 100))


def hit_curve(results: Sequence[QuestionResult], depth: int) -> str:
    """Share of questions whose evidence, and whose document, is among the first k passages, for every k up to
    `depth`; bars are 95 % intervals. "" where retrieval was not measured."""
    searched = _searched(results)
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
            _whiskers(axes, [k * shift for k in marks], measured, colour)
        axes.set_xscale("log")
        axes.set_xticks(marks, [str(k) for k in marks])
        axes.minorticks_off()
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("k (passages, log scale)")
        axes.set_ylabel(f"share of {len(searched)} questions")
        axes.legend(title="first k passages hold the", loc="lower right", alignment="left")

    return _svg("hits", draw, "Hit rate by number of passages")


def rank_bars(results: Sequence[QuestionResult], depth: int) -> str:
    """How many questions have their first evidence at which rank. "" where retrieval was not measured."""
    searched = _searched(results)
    if not searched:
        return ""
    bins = [(a, min(b, depth)) for a, b in _RANK_BINS if a <= depth]
    if depth > bins[-1][1]:
        bins.append((bins[-1][1] + 1, depth))
    counts = [sum(r.rank is not None and a <= r.rank <= b for r in searched) for a, b in bins]
    lost = sum(r.rank is None for r in searched)
    names = [str(a) if a == b else f"{a}–{b}" for a, b in bins]

    def draw(axes: Axes) -> None:
        bars = axes.bar(range(len(bins) + 1), [*counts, lost], color=[_BLUE] * len(bins) + [_RED])
        axes.bar_label(bars, color=_INK, padding=2)
        axes.set_xticks(range(len(bins) + 1), [*names, "none"])
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("rank of the first passage with evidence (none: not in the list)")
        axes.set_ylabel("questions")

    return _svg("ranks", draw, "Ranks of the evidence")


def tag_bars(by_tag: Mapping[str, Mapping[str, Measure]]) -> str:
    """Two measures by tag with their 95 % intervals, the tags with most questions first, at most 24 of them.
    "" without tags."""
    for pair in (("hit@1", "hit@5"), ("evidence shown", "answered with its evidence")):
        rows = [(tag, [m[name] for name in pair]) for tag, m in by_tag.items() if all(n in m for n in pair)]
        if rows:
            break
    else:
        return ""
    rows = sorted(rows, key=lambda row: (-row[1][0].n, row[0]))[:_MOST_TAGS]
    places = range(len(rows))

    def draw(axes: Axes) -> None:
        for offset, number, colour in ((-0.2, 0, _BLUE), (0.2, 1, _GREEN)):
            measured = [m[number] for _, m in rows]
            heights = [p + offset for p in places]
            axes.barh(heights, [m.value for m in measured], 0.36, color=colour, label=pair[number])
            errors = [[m.value - m.low for m in measured], [m.high - m.value for m in measured]]
            axes.errorbar(
                [m.value for m in measured], heights, xerr=errors, fmt="none", ecolor=_INK, elinewidth=0.9
            )
        axes.set_yticks(places, [f"{_short(tag)} ({m[0].n})" for tag, m in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 1.02)
        axes.set_xlabel("share of the tag's questions (bar), 95 % interval (line)")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)

    return _svg("tags", draw, "Measures by tag", height=1.1 + 0.42 * len(rows))


def time_histograms(results: Sequence[QuestionResult]) -> dict[str, str]:
    """A histogram of milliseconds by stage, on a logarithmic axis, with median and 95th percentile."""
    stages = dict.fromkeys(name for r in results for name in r.seconds)
    return {
        stage: _times(stage, [1000 * r.seconds[stage] for r in results if stage in r.seconds])
        for stage in stages
    }


def _times(stage: str, milliseconds: Sequence[float]) -> str:
    shortest, longest = max(min(milliseconds), 1e-3), max(*milliseconds, 2e-3)
    low, high = math.log10(shortest) - 0.05, math.log10(longest) + 0.05
    edges = [10 ** (low + (high - low) * i / 30) for i in range(31)]

    def draw(axes: Axes) -> None:
        axes.hist([max(m, 1e-3) for m in milliseconds], bins=edges, color=_BLUE)
        for share, line in ((0.5, "-"), (0.95, "--")):
            at = metrics.percentile(milliseconds, share)
            label = f"p{share * 100:.0f} {_milliseconds(at)}"
            axes.axvline(at, color=_ORANGE, linestyle=line, linewidth=1.6, label=label)
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if high - low < 1 else "")
        axes.set_xlabel("milliseconds (log scale)")
        axes.set_ylabel("questions")
        axes.legend(loc="best")

    return _svg(f"times-{stage}", draw, f"Times: {stage}", height=3.0)


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


def ablation_plot(ablation: Ablation) -> str:
    """What the measures lose or gain, in points (hundredths), when a stage is switched off, with 95 %
    intervals of the paired differences."""
    rows = [v for v in ablation.variants if v.differences]
    shown = [n for n in ("hit@1", "hit@5", "MRR@10") if all(n in v.differences for v in rows)]

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=_INK, linewidth=1)
        for number, (name, colour, mark) in enumerate(
            zip(shown, (_BLUE, _GREEN, _ORANGE), "osD", strict=False)
        ):
            changes = [v.differences[name] for v in rows]
            values = [100 * c.value for c in changes]
            errors = [[100 * (c.value - c.low) for c in changes], [100 * (c.high - c.value) for c in changes]]
            heights = [i + 0.22 * (number - 1) for i in range(len(rows))]
            axes.errorbar(
                values, heights, xerr=errors, fmt=mark, color=colour, markersize=5, elinewidth=1.6, label=name
            )
        axes.set_yticks(range(len(rows)), [v.name for v in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("difference from all stages (points, 0.01), 95 % interval")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)

    return _svg("ablation", draw, "What each stage gives", width=9.6, height=1.1 + 0.45 * len(rows))


def _searched(results: Sequence[QuestionResult]) -> list[QuestionResult]:
    """Questions that retrieval was measured on, those that failed among them."""
    return [r for r in results if r.searched or "MRR@10" in r.scores]


def _whiskers(axes: Axes, at: Sequence[float], measured: Sequence[Measure], colour: str) -> None:
    errors = [[m.value - m.low for m in measured], [m.high - m.value for m in measured]]
    values = [m.value for m in measured]
    axes.errorbar(at, values, yerr=errors, fmt="o", color=colour, markersize=4, elinewidth=1.2, capsize=2.5)


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _svg(
    name: str, draw: Callable[[Axes], None], title: str, *, width: float = 5.6, height: float = 3.6
) -> str:
    """One figure as an <svg> element for a page; sizes in inches. `name` keeps its ids apart from other
    plots'."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[str, Any] = _STYLE | {"svg.hashsalt": name}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # Glyphs that matplotlib's font lacks are drawn by the page's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(
            file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _inlined(file.getvalue(), re.sub(r"\W+", "-", name), title)


def _inlined(document: str, prefix: str, title: str) -> str:
    """The <svg> element of a document: no prolog, metadata and name spaces (HTML knows them), ids of its own,
    the page's colours."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(?::\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r"#01010[1-7]\b", lambda m: _VARIABLES[m[0]], svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1).strip()
