"""Words of PDFs as Citewise reads them against a second reader, and its speed against pypdf and pdfium alone.

    python benchmarks/reading.py FOLDER

The second reader is pdftotext (poppler) where it is installed, else the plain text of pypdfium2; the first
line says which. Marked text (struck, hidden) counts as read. Files with fewer than nine tenths of the second
reader's words are listed with some that are lacking."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rag.errors import ParseError
from rag.parsers import parse

_WORD = re.compile(r"\w+")
_SHARE = 0.9


def words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))


def pdfium_text(path: Path) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\ufffe", "")
    finally:
        document.close()


def pypdf_text(path: Path) -> str:
    import pypdf

    return "\n".join(page.extract_text() for page in pypdf.PdfReader(path, strict=False).pages)


def pdftotext(path: Path) -> str:
    done = subprocess.run(["pdftotext", "-q", str(path), "-"], capture_output=True, timeout=300, check=True)
    return done.stdout.decode("utf-8", "replace")


def timed(read: Callable[[Path], object], path: Path) -> tuple[object, float]:
    """What a reader gives (None where it fails), and its seconds of processor time."""
    start = time.process_time()
    try:
        found = read(path)
    except Exception:
        found = None
    return found, time.process_time() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--pypdf", action="store_true", help="time pypdf too (slow)")
    chosen = options.parse_args()
    tool = shutil.which("pdftotext")
    second = pdftotext if tool else pdfium_text
    print(f"second reader: {'pdftotext' if tool else 'pypdfium2, plain text (pdftotext is not installed)'}")
    lacking: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    all_words = pages = 0
    seconds: Counter[str] = Counter()
    short: list[str] = []
    files = sorted(chosen.folder.rglob("*.pdf"))
    for path in files[:1]:
        timed(lambda one: parse(one, path=one.name), path)  # what is loaded once is not counted
    for path in files:
        start = time.process_time()
        try:
            document = parse(path, path=path.name)
        except ParseError as error:
            print(f"not read: {error}")
            continue
        seconds["citewise"] += time.process_time() - start
        pages += len(document.pages)
        plain, spent = timed(pdfium_text, path)
        seconds["pdfium alone"] += spent
        if chosen.pypdf:
            seconds["pypdf"] += timed(pypdf_text, path)[1]
        other = plain if second is pdfium_text else timed(second, path)[0]
        theirs, ours = words(str(other or "")), words(document.text)
        missing, added = theirs - ours, ours - theirs
        lacking += missing
        beyond += added
        all_words += theirs.total()
        if missing.total() > (1 - _SHARE) * theirs.total():
            share = 1 - missing.total() / theirs.total()
            short.append(
                f"  {path.name}: {share:.2f}, lacking {' '.join(w for w, _ in missing.most_common(8))}"
            )
    if not all_words:
        raise SystemExit(f"{chosen.folder}: no PDF in it with words.")
    print(f"{len(files)} files, {pages} pages, {all_words} words")
    for name, found in (("lacking", lacking), ("beyond", beyond)):
        few = " ".join(word for word, _ in found.most_common(10))
        print(f"{name}: {found.total()} ({found.total() / all_words:.2%}): {few}")
    longer = sum(count for word, count in lacking.items() if len(word) > 1)
    print(f"lacking without single characters, which marks of notes are: {longer} ({longer / all_words:.2%})")
    print(f"files with fewer than {_SHARE:.0%} of the words: {len(short)}", *short, sep="\n")
    base = seconds["citewise"] or 1e-9
    for name, spent in seconds.items():
        rate, ratio = pages / (spent or 1e-9), base / (spent or 1e-9)
        print(f"{name}: {rate:.0f} pages per second, {ratio:.2f} of Citewise's")


if __name__ == "__main__":
    main()
