"""The documents column as HTML: what an index holds, how an upload is getting on, what became of each file.
Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from rag.types import DocumentInfo, FileResult, FileStatus, IngestReport, Progress
from ui.markup import Child, join, name, tag
from ui.texts import Texts

_MOST_LISTED = 200
KINDS = {
    "pdf": "PDF",
    "docx": "Word",
    "html": "HTML",
    "markdown": "Markdown",
    "text": "TXT",
    "csv": "CSV",
    "xlsx": "Excel",
}


def documents(infos: Sequence[DocumentInfo], texts: Texts) -> Markup:
    """Every document of the index; those that could not be read come first, with the reason."""
    if not infos:
        return tag("p", texts.no_documents, class_="cw-note")
    ordered = sorted(infos, key=lambda d: (d.status is FileStatus.OK, d.path.lower()))
    listed = ordered[:_MOST_LISTED]
    rows = [_row(d.path, d.status, _document_detail(d, texts), texts, title=d.title) for d in listed]
    if len(ordered) > len(listed):
        rows.append(
            tag("li", texts.more_documents.format(count=len(ordered) - len(listed)), class_="cw-note")
        )
    unread = any(d.status is not FileStatus.OK for d in infos)
    return tag(
        "details",
        tag("summary", texts.documents.format(count=len(infos))),
        tag("ul", rows, class_="cw-files"),
        class_="cw-documents",
        open=unread or len(infos) <= 8,
    )


def _document_detail(d: DocumentInfo, texts: Texts) -> list[str]:
    why = d.detail if d.status is not FileStatus.OK else ""
    return [KINDS.get(d.kind, d.kind), *_pages(d, texts), why]


def _pages(file: DocumentInfo | FileResult, texts: Texts) -> list[str]:
    words = ((texts.pages, file.pages), (texts.pages_without_text, file.empty_pages))
    return [text.format(count=count) for text, count in words if count]


def _row(path: str, status: FileStatus, detail: Sequence[str], texts: Texts, *, title: str = "") -> Markup:
    ready = status is FileStatus.OK
    return tag(
        "li",
        tag("span", "✓" if ready else "!", class_="cw-shape", aria_hidden="true"),
        tag(
            "div",
            tag("span", name(path), class_="cw-file", title=title or path),
            tag(
                "span",
                tag("span", texts.statuses[status], class_="cw-status"),
                [join([" · ", part]) for part in detail if part],
                class_="cw-note",
            ),
        ),
        class_=f"cw-file-row cw-file-row--{'ok' if ready else 'bad'}",
        data_status=status.value,
    )


def progress(p: Progress, texts: Texts) -> Markup:
    """A bar for a running upload, with the file being read."""
    label = {"scan": texts.scanning, "texts": texts.reading, "vectors": texts.embedding}.get(
        p.stage, texts.working
    )
    share = round(100 * p.done / p.total) if p.total else 0
    return tag(
        "div",
        tag("p", f"{label} {p.done}/{p.total}" if p.total else label, class_="cw-label", role="status"),
        tag("progress", value=share, max=100, aria_label=label),
        tag("p", name(p.current), class_="cw-note") if p.current else None,
        class_="cw-upload",
    )


def report(r: IngestReport, texts: Texts) -> Markup:
    """What became of each file of an upload, in words."""
    ok = sum(f.status is FileStatus.OK for f in r.files)
    head = tag("p", texts.upload_done.format(ok=ok, total=len(r.files)), class_="cw-label", role="status")
    rows = [_row(f.path, f.status, _result_detail(f, texts), texts) for f in r.files]
    return tag("div", head, tag("ul", rows, class_="cw-files"), class_="cw-upload cw-upload--done")


def _result_detail(f: FileResult, texts: Texts) -> list[str]:
    changes = {
        "added": texts.added,
        "updated": texts.updated,
        "skipped": texts.skipped,
        "removed": texts.removed,
        "failed": texts.failed,
    }
    return [changes.get(f.change, f.change), *_pages(f, texts), f.detail]


def problem(message: str, texts: Texts) -> Markup:
    """An upload or an index that failed as a whole."""
    return tag(
        "div",
        tag("p", texts.upload_failed),
        tag("p", message, class_="cw-note"),
        class_="cw-problem",
        role="alert",
    )


def mistake(message: str) -> Markup:
    """Something typed that cannot be used."""
    return tag("div", tag("p", message), class_="cw-problem", role="alert")


def note(message: Child) -> Markup:
    return tag("p", message, class_="cw-note")
