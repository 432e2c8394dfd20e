"""Options that several commands share, and what they mean together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rag.config import Config
    from rag.index import Index
    from rag.types import Filters

IndexOption = Annotated[
    Path | None, typer.Option("--index", "-i", help="Folder of the index.  [default: indexes/default]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
TopK = Annotated[int | None, typer.Option("--top", "-k", help="Passages to retrieve.  [default: 8]")]
Documents = Annotated[
    list[str] | None,
    typer.Option("--documents", "-d", metavar="GLOB", help="Only documents whose path matches; repeatable."),
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only this format (pdf, docx, html, markdown, text, csv, xlsx); repeatable."),
]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only documents in this language (en, zh); repeatable.")
]
Llm = Annotated[
    str | None,
    typer.Option(
        "--llm", help='Language model: "embedded", "none" (quotes only), a GGUF, a name or address.'
    ),
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help='Embedder: "embedded", folder, or configured name.')
]


def config(**flags: Any) -> Config:
    """The settings in force under the given flags; the import is here because pydantic takes a fifth of a
    second."""
    from rag.config import load_config

    return load_config(**flags)


def filters(
    documents: list[str] | None, kinds: list[str] | None, languages: list[str] | None
) -> Filters | None:
    """The filters asked for, or None for all documents."""
    from rag.types import Filters

    asked = Filters(tuple(documents or ()), tuple(kinds or ()), tuple(languages or ()))
    return asked or None


def open_configured_index(settings: Config, *, create: bool = False, rebuild: bool = False) -> Index:
    """The index that the settings name. Raises IndexMissing, IndexMismatch."""
    from rag.index import open_index

    return open_index(
        settings.index,
        embedder=settings.embedder,
        create=create,
        rebuild=rebuild,
        cache_dir=settings.cache_dir,
        models=settings.models,
        threads=settings.threads,
    )
