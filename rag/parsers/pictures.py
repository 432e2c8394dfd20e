"""Pictures, of which nothing is read, and whether they look like print."""

from __future__ import annotations

import io
from typing import Any

_LEAST_PIXELS, _MOST_PIXELS = 100_000, 40_000_000  # of a picture that is opened
_SIDE = 100  # pixels, below which a picture is a sign


def shows_text(picture: bytes, *, least: int = _LEAST_PIXELS) -> bool:
    """Whether a picture file with at least so many pixels looks like print; what is drawn with lines (EMF,
    WMF) and what is too large to open may be."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as image:
            pixels = image.width * image.height
            if pixels < least or min(image.size) < _SIDE:
                return False
            if image.format == "WMF" or pixels > _MOST_PIXELS:
                return True
            image.draft("RGB", (800, 800))
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, "white")
                return is_print(Image.alpha_composite(white, image.convert("RGBA")).convert("L"))
            return is_print(image.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def is_print(picture: Any) -> bool:
    """Whether the pixels of a picture look like print: one ground over most of it, and many sharp changes
    from it and back in its rows; no photograph, no plain area."""
    import numpy as np

    pixels = np.asarray(picture)
    some = pixels[:: max(1, len(pixels) // 200)].astype(int)
    grey = some if some.ndim < 3 else some[..., min(1, some.shape[2] - 1)]
    ground = np.bincount(grey.ravel()).argmax()
    inked = abs(grey - ground) > 64
    sharp = abs(np.diff(grey)) > 40
    changing = ((inked[:, 1:] != inked[:, :-1]) & sharp).sum(axis=1) > 12
    return bool(
        0.005 < inked.mean() < 0.4 and changing.mean() > 0.15 and (abs(grey - ground) < 24).mean() > 0.5
    )
