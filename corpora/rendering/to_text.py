"""HTML, Markdown and plain text."""

from __future__ import annotations

from html import escape
from pathlib import Path

from corpora.rendering.source import PAGE_BREAK, Source

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{author}">
<meta name="description" content="{mark}">
<style>
body{{font-family:sans-serif;max-width:48em;margin:2em auto}}
table{{border-collapse:collapse}}
td,th{{border:1px solid #999;padding:.2em .6em}}
</style>
</head>
<body>
<header><nav><a href="#top">{home}</a> | <a href="#main">{skip}</a></nav></header>
<main id="main">
<h1 id="top">{title}</h1>
{subtitle}{body}</main>
<footer><p>{mark}</p></footer>
</body>
</html>
"""


def render_html(source: Source, target: Path) -> None:
    from markdown_it import MarkdownIt

    chinese = source.language == "zh"
    page = _PAGE.format(
        language="zh-CN" if chinese else "en",
        title=escape(source.title),
        author=escape(source.author),
        mark=escape(source.mark),
        home="首页" if chinese else "Home",
        skip="跳到正文" if chinese else "Skip to content",
        subtitle=f"<p>{escape(source.subtitle)}</p>\n" if source.subtitle else "",
        body=MarkdownIt("commonmark").enable("table").render(source.body),
    )
    target.write_text(page, encoding="utf-8")


def render_markdown(source: Source, target: Path) -> None:
    body = source.body.replace(PAGE_BREAK + "\n", "")
    subtitle = f"{source.subtitle}\n\n" if source.subtitle else ""
    target.write_text(f"# {source.title}\n\n{subtitle}{body}\n---\n\n{source.mark}\n", encoding="utf-8")


def render_text(source: Source, target: Path) -> None:
    text = f"{source.title}\n\n{source.body}\n{source.mark}\n"
    target.write_text(text, encoding=source.encoding)
