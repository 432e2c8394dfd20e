"""What was searched, so that a refusal can be weighed. Pure."""

from __future__ import annotations

from markupsafe import Markup

from rag.types import Certificate
from ui.markup import join, name, tag
from ui.texts import Texts


def certificate(c: Certificate, texts: Texts) -> Markup:
    """What was searched: counts, unreadable files, the best score against the threshold, scope and method."""
    unread = [
        tag("li", name(path), " ", tag("em", texts.statuses.get(status, status)))
        for path, status in c.unreadable
    ]
    rows = [
        (texts.searched_documents, f"{c.documents:,}"),
        (texts.searched_passages, f"{c.passages:,}"),
        (texts.unreadable, tag("ul", unread) if unread else texts.none),
        (texts.best_score, _meter(c, texts)),
        (texts.scope_used, c.scope or texts.whole_index),
        (texts.method, texts.method_dense if c.dense else texts.method_lexical),
    ]
    return tag("dl", [join([tag("dt", label), tag("dd", value)]) for label, value in rows], class_="cw-dl")


def _meter(c: Certificate, texts: Texts) -> Markup:
    words = f"{c.best_score:.2f} · {texts.threshold} {c.threshold:.2f}"
    if c.best_score < c.threshold:
        words += f" · {texts.below}"
    fill = tag("span", class_="cw-meter-fill", style=f"width:{_percent(c.best_score)}%")
    line = tag("span", class_="cw-meter-line", style=f"left:{_percent(c.threshold)}%")
    bar = tag("span", fill, line, class_="cw-meter", aria_hidden="true")
    return join([bar, tag("span", words)])


def _percent(score: float) -> int:
    return round(100 * min(max(score, 0.0), 1.0))
