"""Turns the Markdown sources under `corpora/content` into PDF, DOCX, HTML, XLSX, CSV, Markdown, text."""
