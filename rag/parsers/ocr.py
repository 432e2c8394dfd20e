"""Reading scanned pages by OCR: the extra `ocr` (rapidocr-onnxruntime, whose wheel carries its models;
English and Chinese)."""

from __future__ import annotations

import importlib.util
from typing import Any

from rag.errors import ConfigError
from rag.parsers.base import clean
from rag.parsers.pdf_lines import TextLine

_SCALE = 200 / 72  # 200 dpi
_MIN_CONFIDENCE = 0.5


class Reader:
    """Reads pages of one open PDF, which it closes. Raises ConfigError where the extra is not installed."""

    def __init__(self, document: Any) -> None:
        if importlib.util.find_spec("rapidocr_onnxruntime") is None:
            raise ConfigError(
                'reading scanned pages needs the OCR extra; install it with: pip install "citewise[ocr]"'
            )
        from rapidocr_onnxruntime import RapidOCR

        self._engine: Any = RapidOCR()
        self._document = document

    def lines(self, number: int) -> list[TextLine]:
        """Lines of page `number` (1-based) from top to bottom, in PDF points. Words that stand at one height
        make one line."""
        page = self._document[number - 1]
        height = page.get_height()
        image = page.render(scale=_SCALE).to_numpy()
        page.close()
        found, _ = self._engine(image)
        pieces = []
        for corners, text, confidence in found or []:
            text = clean(text).strip()
            if text and float(confidence) >= _MIN_CONFIDENCE:
                xs = [float(x) / _SCALE for x, _ in corners]
                ys = [height - float(y) / _SCALE for _, y in corners]
                pieces.append(TextLine(text, min(xs), max(xs), min(ys), max(ys), max(ys) - min(ys)))
        return _joined(pieces)

    def close(self) -> None:
        self._document.close()


def _joined(pieces: list[TextLine]) -> list[TextLine]:
    rows: list[list[TextLine]] = []
    for piece in sorted(pieces, key=lambda p: -p.top):
        row = rows[-1] if rows else None
        if row and min(row[0].top, piece.top) - max(row[0].bottom, piece.bottom) > 0.5 * min(
            row[0].size, piece.size
        ):
            row.append(piece)
        else:
            rows.append([piece])
    lines = []
    for row in rows:
        row.sort(key=lambda p: p.left)
        text = " ".join(p.text for p in row)
        bottom, top = min(p.bottom for p in row), max(p.top for p in row)
        lines.append(TextLine(text, row[0].left, row[-1].right, bottom, top, top - bottom))
    return lines
