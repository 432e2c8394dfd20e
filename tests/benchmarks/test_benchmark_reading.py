"""`benchmarks/reading.py` counts the words of a folder of PDFs against a second reader."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import reading
from tests.files import pdf_bytes, write


def test_a_folder_of_two_pdfs_lacks_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "a.pdf", pdf_bytes([["The rent of the mill is due in May."], ["It is 90 marks."]]))
    write(tmp_path, "b.pdf", pdf_bytes([["The garden is let too."]]))
    monkeypatch.setattr(sys, "argv", ["reading.py", str(tmp_path)])
    reading.main()
    shown = capsys.readouterr().out
    assert "second reader: pdftotext" in shown or "pypdfium2" in shown
    assert "2 files, 3 pages, 18 words" in shown
    assert "lacking: 0 (0.00%)" in shown
    assert "files with fewer than 90% of the words: 0" in shown
    assert "pdfium alone:" in shown
