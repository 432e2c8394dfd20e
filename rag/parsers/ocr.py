"""Reading scanned pages by OCR: the extra `ocr` (rapidocr-onnxruntime, whose wheel carries its models;
English and Chinese)."""

from __future__ import annotations

import importlib.util
from typing import Any

from rag.errors import ConfigError
from rag.parsers.base import clean
from rag.parsers.pdf_lines import TextLine, by_height, together

_SCALE = 200 / 72  # 200 dpi
_MIN_CONFIDENCE = 0.5


def installed() -> bool:
    """Whether the extra is."""
    return importlib.util.find_spec("rapidocr_onnxruntime") is not None


class Reader:
    """Reads pages of one open PDF, which it closes. Raises ConfigError where the extra is not installed."""

    def __init__(self, document: Any) -> None:
        if not installed():
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
                pieces.append(TextLine.within(text, (min(xs), max(ys), max(xs), min(ys))))
        return list(map(together, by_height(pieces)))

    def close(self) -> None:
        self._document.close()
