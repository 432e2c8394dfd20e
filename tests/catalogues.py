"""Builders for tests of what a question means: documents of invented companies, statutes and subjects."""

from __future__ import annotations

from rag.documents.catalogue import Catalogue, build_catalogue
from rag.types import DocumentInfo, FileStatus


def info(number: int, title: str = "", path: str = "", **metadata: str | tuple[str, ...]) -> DocumentInfo:
    path = path or f"{number}.pdf"
    return DocumentInfo(
        number, path, f"/d/{path}", title or path, "pdf", "en", FileStatus.OK, "", "", 0, 1, 3, metadata
    )


def annual(number: int, company: str, year: int, names: str = "", end: str = "12-31") -> DocumentInfo:
    return info(
        number,
        f"{company}, Form 10-K",
        company=company,
        names=tuple(names.split("|")),
        form="10-K",
        fiscal_year=str(year),
        fiscal_period="FY",
        period_end=f"{year}-{end}",
    )


def quarterly(number: int, company: str, year: int, quarter: int, form: str = "10-Q") -> DocumentInfo:
    end = ("03-31", "06-30", "09-30", "12-31")[quarter - 1]
    return info(
        number,
        f"{company}, {form}",
        company=company,
        form=form,
        fiscal_year=str(year),
        fiscal_period=f"Q{quarter}",
        period_end=f"{year}-{end}",
    )


def law(number: int, name: str, names: str = "", **metadata: str) -> DocumentInfo:
    return info(
        number, name, law=name, law_names=tuple(names.split("|")), **({"authority": "statute"} | metadata)
    )


def page(number: int, subject: str, names: str = "") -> DocumentInfo:
    return info(number, subject, f"page-{number}.md", subject=subject, names=names)


def catalogue(*documents: DocumentInfo) -> Catalogue:
    return build_catalogue(documents)
