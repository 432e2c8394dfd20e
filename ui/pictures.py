"""Pictures of PDF pages with the cited words boxed, drawn in a worker process.

A PDF that makes the renderer crash or hang ends the worker, never the page's server; the words are still
shown as text. A module of its own, because the worker has to import it: nothing here brings Gradio in."""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.files import sha256_file
from rag.parsers import content, holder
from rag.parsers.pool import Worker
from rag.types import DocumentInfo
from ui import Texts

_log = logging.getLogger(__name__)
_SECONDS, _MEMORY_MB = 20.0, 2048
_MOST_KEPT = 32  # pages of about 100 kB each


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded page and boxes (left, top, right, bottom) as shares of its width and height, from the top
    left."""

    data: bytes
    mime: str
    width: int
    height: int
    boxes: tuple[tuple[float, float, float, float], ...]

    @property
    def data_uri(self) -> str:
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def draw(
    source: str, page: int, quote: str, part: tuple[int, int] | None = None, scale: float = 1.5
) -> Picture:
    """Renders one page (1-based) as WebP, the quote boxed, or the `part` (start, end) of
    it. Runs inside the worker; imports the renderer only there."""
    import io

    from rag.parsers.page_image import find_boxes, render_page

    image = render_page(Path(source), page, scale=scale)
    boxes = find_boxes(Path(source), page, quote, part=part) if quote else []
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=82)
    return Picture(buffer.getvalue(), "image/webp", image.width, image.height, tuple(boxes))


class _Changed(Exception):
    """The file is no longer the one that was indexed."""


class Pictures:
    """Draws pages on demand and keeps the last few. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._drawn = lru_cache(_MOST_KEPT)(self._draw)

    def page(
        self, info: DocumentInfo, page: int, quote: str, texts: Texts, *, part: tuple[int, int] | None = None
    ) -> Picture | str:
        """The picture, or a sentence for the reader that says why there is none."""
        try:
            return self._drawn(info.source, info.sha256, page, quote, part)
        except FileNotFoundError:
            return texts.page_gone.format(source=info.source)
        except _Changed:
            return texts.page_changed
        except Exception as error:  # whatever goes wrong in a renderer, the reader still has the text
            _log.warning("page %s of %s could not be drawn: %r", page, info.source, error)
            return texts.page_failed

    def _draw(self, source: str, sha256: str, *how: Any) -> Picture:
        if not (outer := holder(Path(source))).is_file():
            raise FileNotFoundError(source)
        inside = outer != Path(source)
        known = (
            hashlib.sha256(content(Path(source), path=source)).hexdigest() if inside else sha256_file(outer)
        )
        if known != sha256:
            raise _Changed
        with self._lock:
            try:
                self._worker = self._worker or Worker(_draw_job, _MEMORY_MB, None, ())
                picture: Picture = self._worker.run((source, *how), _SECONDS)
            except Exception:  # the next page has a new worker
                self._end()
                raise
        return picture

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def close(self) -> None:
        """Ends the worker."""
        with self._lock:
            self._end()


def _draw_job(job: tuple[Any, ...]) -> Picture:
    return draw(*job)
