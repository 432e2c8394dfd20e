"""A report as one page that needs nothing else: no network, no script, plots inline.

Everything that comes from a set or a model (names, questions, answers, errors) is escaped by the template;
the page's own content policy forbids scripts and loading anything besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from rag import metrics, plots
from rag.ablation import COLUMNS, Ablation, Variant
from rag.files import write_atomically
from rag.metrics import Difference, Measure
from rag.report import QuestionResult, Report, Turned, risk_curve, tag_columns, to_look_at
from rag.scoring import RISK

if TYPE_CHECKING:
    from jinja2 import Template

_FALLING_IS_BETTER = (RISK, "refused, answerable")
_HEADLINES = (
    "hit@1",
    "hit@5",
    "document hit@1",
    "MRR@10",
    "evidence shown",
    "citation precision",
    "numbers correct",
    "refused, answerable",
    "refused, unanswerable",
    RISK,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A former report's name, the questions that turned since, and the paired differences by measure."""

    former: str
    turned: tuple[Turned, ...] = ()
    differences: Mapping[str, Difference] | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """An inline <svg> with its caption."""

    svg: Markup
    caption: str


def to_html(report: Report, *, change: Change | None = None, ablation: Ablation | None = None) -> str:
    """The page. Pure: the same values give the same page."""
    return _template().render(
        report=report,
        headlines=[(n, report.measures[n]) for n in _HEADLINES if n in report.measures],
        plots=_plots(report),
        tag_columns=tag_columns(report.by_tag),
        aurc=_aurc(report.results),
        change=change,
        turned=_by_direction(change.turned if change else ()),
        differences=_told(change.differences or {}) if change else [],
        ablation=ablation,
        ablation_plot=Markup(plots.ablation_plot(ablation)) if ablation else "",
        columns=COLUMNS,
        to_look_at=to_look_at(report.results),
    )


def write_html(
    report: Report, folder: Path, *, change: Change | None = None, ablation: Ablation | None = None
) -> Path:
    """`report.html` in `folder`, written atomically. Raises StorageError."""
    path = folder / "report.html"
    page = to_html(report, change=change, ablation=ablation)
    write_atomically(path, page.encode("utf-8", "replace"))  # a lone surrogate of a question is no text
    return path


def _plots(report: Report) -> list[Plot]:
    depth = int(report.settings.get("depth") or 100)
    drawn = [
        (
            plots.hit_curve(report.results, depth),
            "How many of the questions have their evidence, or its document, among the first k passages. "
            "Vertical bars: 95 % bootstrap intervals.",
        ),
        (plots.rank_bars(report.results, depth), "Where the first passage with evidence stands."),
        (
            plots.risk_plot(report.results),
            "Answers and errors as the threshold of refusal falls. An error is an answer whose evidence is "
            "not shown, or any answer to a question that the documents do not answer. Lower is better.",
        ),
    ]
    times = plots.time_histograms(report.results)
    drawn += [(svg, f"Time from the question to: {stage}.") for stage, svg in times.items()]
    drawn.append((plots.tag_bars(report.by_tag), "By tag, number of questions in brackets."))
    return [Plot(Markup(svg), caption) for svg, caption in drawn if svg]


def _aurc(results: Sequence[QuestionResult]) -> float | None:
    points = risk_curve(results)
    return metrics.area_under_risk(points) if points else None


def _by_direction(turned: Iterable[Turned]) -> list[tuple[str, list[Turned]]]:
    every = list(turned)
    return [
        (name, [t for t in every if t.better is better])
        for name, better in (("worse", False), ("better", True))
    ]


def _told(differences: Mapping[str, Difference]) -> list[tuple[str, Difference, str]]:
    """Each difference with its class: "good" or "bad" where the interval leaves out zero, "" where the change
    may be chance."""
    return [(name, d, _verdict(name, d)) for name, d in differences.items()]


def _verdict(name: str, change: Difference) -> str:
    if change.low <= 0 <= change.high:
        return ""
    return "good" if (change.value > 0) != (name in _FALLING_IS_BETTER) else "bad"


def _interval(value: Measure | Difference, form: str = ".3f") -> str:
    return f"{value.low:{form}} to {value.high:{form}}"


def _change(variant: Variant, name: str) -> tuple[Difference, str] | None:
    found = variant.differences.get(name)
    return (found, _verdict(name, found)) if found else None


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"interval": _interval, "change": _change}
    source = resources.files("rag").joinpath("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)
