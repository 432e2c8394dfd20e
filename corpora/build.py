"""Builds the sample corpora: `python -m corpora.build [DOMAIN ...] [--font FILE]`.

From `corpora/content/DOMAIN/*.md` and `questions.toml` it writes `corpora/DOMAIN/documents/` and
`corpora/DOMAIN/questions.jsonl`. The built files are kept in the repository; a test holds them to their
sources. `--font` makes the embedded Chinese font anew (needed only when a Chinese PDF uses a character that
is not in it), for example from Debian's fonts-droid-fallback:
/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from corpora.rendering.questions import build_questions, write_jsonl
from corpora.rendering.source import MARKS, Source, read_source
from corpora.rendering.to_docx import render_docx
from corpora.rendering.to_pdf import FONT_FILE, render_pdf
from corpora.rendering.to_sheets import render_csv, render_xlsx
from corpora.rendering.to_text import render_html, render_markdown, render_text

HERE = Path(__file__).parent
DOMAINS = ("legal", "medical", "finance")
RENDERERS: dict[str, Callable[[Source, Path], None]] = {
    ".pdf": render_pdf,
    ".docx": render_docx,
    ".html": render_html,
    ".md": render_markdown,
    ".txt": render_text,
    ".xlsx": render_xlsx,
    ".csv": render_csv,
}


def sources(domain: str) -> list[Source]:
    return [read_source(path) for path in sorted((HERE / "content" / domain).glob("*.md"))]


def build_documents(domain: str, target: Path) -> list[Path]:
    """Renders every source of the domain below `target`; returns the files."""
    built = []
    for source in sources(domain):
        path = target / source.output
        path.parent.mkdir(parents=True, exist_ok=True)
        RENDERERS[path.suffix](source, path)
        built.append(path)
    return built


def build_domain(domain: str) -> None:
    documents = HERE / domain / "documents"
    built = build_documents(domain, documents)
    for stale in sorted(set(documents.rglob("*")) - set(built)):
        if stale.is_file():
            stale.unlink()
    rows = build_questions(HERE / "content" / domain / "questions.toml", documents)
    write_jsonl(rows, HERE / domain / "questions.jsonl")
    refused = f"{len(rows)} questions, {sum(not row['answerable'] for row in rows)} unanswerable"
    size = sum(path.stat().st_size for path in built)
    print(f"{domain}: {len(built)} documents, {size / 1024:.0f} KiB, {refused}")


def subset_font(full_font: Path) -> None:
    """Cuts a TrueType font down to the characters of the Chinese PDFs."""
    from fontTools import subset

    chinese = [s for d in DOMAINS for s in sources(d) if s.output.suffix == ".pdf" and s.language == "zh"]
    text = "".join(s.title + s.subtitle + s.body for s in chinese) + MARKS["zh"] + "目录"
    options = subset.Options(hinting=False, notdef_outline=True, name_IDs=[0, 1, 2, 13])
    font = subset.load_font(str(full_font), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(set(text))))
    subsetter.subset(font)
    FONT_FILE.parent.mkdir(exist_ok=True)
    subset.save_font(font, str(FONT_FILE), options)
    print(f"{FONT_FILE.name}: {FONT_FILE.stat().st_size / 1024:.0f} KiB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the sample corpora.")
    parser.add_argument(
        "domains", nargs="*", metavar="DOMAIN", help=f"any of {', '.join(DOMAINS)}; all when left out"
    )
    parser.add_argument("--font", type=Path, help="full TrueType font to cut the embedded Chinese font from")
    arguments = parser.parse_args()
    if arguments.font:
        subset_font(arguments.font)
    for domain in arguments.domains or DOMAINS:
        build_domain(domain)


if __name__ == "__main__":
    main()
