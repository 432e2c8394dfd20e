"""Office files are zip archives with the time of writing inside; here that time is taken out."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(<)")


def freeze_zip(path: Path) -> None:
    """Rewrites an office file so that the same content always gives the same bytes."""
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>2025-01-01T00:00:00Z\3", data)
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
