"""Options that several commands share, and what they mean together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import InputError

if TYPE_CHECKING:
    from rag.config import Config
    from rag.index import Index
    from rag.types import Filters

IndexOption = Annotated[
    Path | None, typer.Option("--index", "-i", help="Folder of the index.  [default: indexes/default]")
]
SET_HELP = "Folder with documents/ and questions.jsonl, or a file of questions for an index of yours."
SetIndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index", "-i", help="Folder of the index.  [default: indexes/eval-SET, or default for a file]"
    ),
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
Years = Annotated[
    list[str] | None,
    typer.Option(
        "--year", metavar="YYYY", help="Only documents of this fiscal or calendar year; repeatable."
    ),
]
Companies = Annotated[
    list[str] | None,
    typer.Option(
        "--company",
        metavar="NAME",
        help="Only documents of this company: name, short name or ticker; repeatable.",
    ),
]
InForce = Annotated[
    str | None,
    typer.Option(
        "--in-force",
        metavar="YYYY-MM-DD",
        help="Leave out what was not yet, or no longer, in force on this day.",
    ),
]
Llm = Annotated[
    str | None,
    typer.Option(
        "--llm", help='Language model: "embedded", "none" (quotes only), a GGUF, a name or address.'
    ),
]
NoTuned = Annotated[
    bool,
    typer.Option("--no-tuned", help="Run the model's file as it is, whatever `citewise models tune` found."),
]
Drafts = Annotated[
    int | None,
    typer.Option(help="Answers to write for a question; the best by verification is kept.  [default: 1]"),
]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help='Embedder: "embedded", folder, or configured name.')
]


def config(**flags: Any) -> Config:
    """The settings in force under the given flags; the import is here because pydantic takes a fifth of a
    second."""
    from rag.config import load_config

    return load_config(**flags)


def untuned(no_tuned: bool) -> bool | None:
    """The value of `tuned_models` that --no-tuned means; None leaves the setting as it is."""
    return False if no_tuned else None


def filters(
    documents: list[str] | None = None,
    kinds: list[str] | None = None,
    languages: list[str] | None = None,
    years: list[str] | None = None,
    companies: list[str] | None = None,
    in_force: str | None = None,
) -> Filters | None:
    """The filters asked for, or None for all documents. Raises InputError for what is no year or no date."""
    from rag.store.documents import check_filters
    from rag.types import Filters

    asked = Filters(
        documents=tuple(documents or ()),
        kinds=tuple(kinds or ()),
        languages=tuple(languages or ()),
        years=tuple(years or ()),
        companies=tuple(companies or ()),
        in_force=in_force or "",
    )
    check_filters(asked)
    return asked or None


def check_set(source: Path, purpose: str) -> None:
    """Raises InputError for a folder that is no set of questions, and for what is not there; `purpose` is
    what an index of the user's own would be used for."""
    if source.is_file() or ((source / "documents").is_dir() and (source / "questions.jsonl").is_file()):
        return
    raise InputError(
        f"{source} is not a set: it needs a folder documents/ and a file questions.jsonl. To {purpose} "
        "an index of yours give a file of questions and --index."
    )


def open_configured_index(settings: Config, *, create: bool = False, rebuild: bool = False) -> Index:
    """The index that the settings name. Raises IndexMissing, IndexMismatch."""
    from rag.domains import load_domains
    from rag.index import open_index

    return open_index(
        settings.index,
        embedder=settings.embedder,
        create=create,
        rebuild=rebuild,
        cache_dir=settings.cache_dir,
        models=settings.models,
        threads=settings.threads,
        domains=load_domains(settings.lexicons, settings.concepts),
    )
