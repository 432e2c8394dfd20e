"""How `citewise ask` prints an answer: evidence (where its references lead, whether it is still in force),
sentences with their states, parts, what was read, refusals; in the language of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from rag.cli import output

if TYPE_CHECKING:
    from rag.index import Index
    from rag.types import Answer, Certificate, Citation, Claim, DocumentInfo, Evidence, Hit, Part

_MOST, _WIDTH = 8, 160
QUOTE = 320
_COLOURS = {"supported": "green", "partial": "yellow", "unsupported": "red"}
_EN = {
    "evidence": "Evidence",
    "columns": "columns: {}",
    "written": "Answer",
    "quoted": "Answer, in the documents' own words",
    "computed": "Answer, computed from the documents",
    "references": "References",
    "mark": "✓ quoted",
    "supported": "✓ supported",
    "partial": "~ partly supported",
    "unsupported": "✗ not supported",
    "absent": "✗ not found in the documents",
    "nearest": "Nearest passages",
    "words": "words",
    "both": "words and meaning",
    "scope": " ({})",
    "searched": (
        "Searched by {how}: {passages:,} passages of {documents:,} documents{scope}. "
        "Best score {best:.2f}, needed {needed:.2f}."
    ),
    "unread": "not read: {} ({})",
    "page": "page {}",
}
_ZH = {
    "evidence": "依据",
    "columns": "列：{}",
    "written": "回答",
    "quoted": "回答（文件原文）",
    "computed": "回答（由文件中的数字算出）",
    "references": "出处",
    "mark": "✓ 原文",
    "supported": "✓ 有依据",
    "partial": "~ 部分有依据",
    "unsupported": "✗ 没有依据",
    "absent": "✗ 文件中没有找到",
    "nearest": "最接近的段落",
    "words": "词语",
    "both": "词语与语义",
    "scope": "（{}）",
    "searched": (
        "按{how}检索：{documents} 份文件{scope}、{passages} 个段落。最高分 {best:.2f}，需达到 {needed:.2f}。"
    ),
    "unread": "未读取：{}（{}）",
    "page": "第 {} 页",
}


def followed(index: Index, chunk_id: int) -> list[str]:
    """One line for each passage or document of the index that the passage refers to, each once."""
    lines: dict[tuple[int, int | None], str] = {}
    for reference in index.references(chunk_id):
        document, passage = reference.target_document_id, reference.target_chunk_id
        if document is None or (document, passage) in lines:
            continue
        info = index.store.document(document)
        words = output.one_line(index.passage(passage).chunk.text, _WIDTH) if passage is not None else ""
        place = info.path if document != reference.document_id else ""
        target = ": ".join(part for part in (place, words) if part)
        lines[document, passage] = output.one_line(f"→ {reference.text}  {target}")
    page = list(lines.values())
    return page[:_MOST] + ([f"→ and {len(page) - _MOST} more"] if len(page) > _MOST else [])


def validity_line(document: DocumentInfo) -> str:
    """ "superseded by Harbour Rules from 2021-01-01"; "" for what is in force, or says nothing of it."""
    from rag.documents.validity import ended

    force = ended(document)
    if force is None:
        return ""
    by = f" by {output.one_line(force.by_name)}" if force.by_name else ""
    return f"{force.reason}{by} from {force.end}"


def _words(language: str) -> dict[str, str]:
    return _ZH if language == "zh" else _EN


def print_evidence(evidence: Sequence[Evidence], language: str = "en") -> None:
    """The sentences that bear on the question, before any answer."""
    words = _words(language)
    typer.secho(words["evidence"], bold=True)
    for found in evidence:
        typer.echo(f"  [{found.number}] {output.one_line(found.text, QUOTE)}")
        if found.header:
            columns = words["columns"].format(output.one_line(found.header, QUOTE))
            typer.secho(f"      {columns}", dim=True)
        place = where(found.document.path, found.page, found.heading_path, found.location, language)
        typer.secho(f"      {place}", dim=True)
        print_validity(found.document)
    typer.echo()


def print_answer(answer: Answer) -> None:
    """The answer with its references, or the refusal."""
    if answer.refused:
        _print_refusal(answer)
        return
    words = _words(answer.language)
    typer.secho(words[answer.kind.value], bold=True)
    if answer.reading is not None:  # grouped by document, side or heading: the text says it all
        typer.echo("\n".join(f"  {line}".rstrip() for line in output.clean(answer.text).splitlines()))
    elif answer.parts:
        for part in answer.parts:
            _print_part(part, answer)
    else:
        for claim in answer.claims:
            _print_claim(claim, answer.language)
    typer.echo()
    typer.secho(words["references"], bold=True)
    documents = {e.number: e.document for e in answer.evidence}
    for citation in answer.cited:
        _print_citation(citation, answer.language)
        if citation.number in documents:
            print_validity(documents[citation.number])
    seconds = answer.timings.get("total", sum(answer.timings.values()))
    output.message(f"\n{output.duration(seconds)}{f', {answer.model}' if answer.model else ''}")


def _print_part(part: Part, answer: Answer) -> None:
    typer.secho(f"  {output.one_line(part.question)}", bold=True)
    if not part.answered:
        typer.secho(f"    {_words(answer.language)['absent']}", fg="yellow", nl=False)
        typer.echo(f": {output.one_line(part.reason)}" if part.reason else "")
        return
    for claim in answer.claims:
        if set(claim.citations) & set(part.citations):
            _print_claim(claim, answer.language, indent="    ")


def _print_claim(claim: Claim, language: str, indent: str = "  ") -> None:
    words = _words(language)
    marks = "".join(f"[{n}]" for n in claim.citations)
    colour = _COLOURS[claim.state.value]
    typer.echo(f"{indent}{output.one_line(claim.text)} {marks}  ", nl=False)
    typer.secho(words["mark"] if claim.quoted else words[claim.state.value], fg=colour)
    if claim.state.value != "supported":
        for reason in claim.reasons:
            typer.secho(f"{indent}    {output.one_line(reason)}", fg=colour)


def _print_citation(citation: Citation, language: str) -> None:
    place = where(citation.document, citation.page, citation.heading_path, citation.location, language)
    columns = _words(language)["columns"].format(output.one_line(citation.header))
    beside = f" ({columns})" if citation.header else ""
    typer.echo(f"  [{citation.number}] {place}: “{output.one_line(citation.quote)}”{beside}")


def print_validity(document: DocumentInfo, indent: str = "      ") -> None:
    """Whether a document is known to be no longer in force; nothing where it is not."""
    if validity := validity_line(document):
        typer.secho(f"{indent}⚠ {validity}", fg="yellow")


def _print_refusal(answer: Answer) -> None:
    typer.secho(output.clean(answer.text), fg="yellow", bold=True)
    if answer.reason:
        typer.echo(output.one_line(answer.reason))
    _print_certificate(answer.certificate, answer.language)
    if answer.nearest:
        typer.secho(f"\n{_words(answer.language)['nearest']}", bold=True)
    for hit in answer.nearest[:3]:
        typer.echo(f"  {place_of(hit, answer.language)}: {output.one_line(hit.chunk.text, QUOTE)}")
        print_validity(hit.document)


def _print_certificate(searched: Certificate, language: str) -> None:
    words = _words(language)
    line = words["searched"].format(
        how=words["both"] if searched.dense else words["words"],
        passages=searched.passages,
        documents=searched.documents,
        scope=words["scope"].format(output.one_line(searched.scope)) if searched.scope else "",
        best=searched.best_score,
        needed=searched.threshold,
    )
    typer.echo(f"\n{line}")
    for path, status in searched.unreadable:
        typer.echo(f"  {words['unread'].format(output.one_line(path), status)}")


def place_of(hit: Hit, language: str = "en") -> str:
    """Where a passage stands: "lease.pdf, page 3, 5 Termination > 5.2 Notice"."""
    chunk = hit.chunk
    return where(hit.document.path, chunk.page, chunk.heading_path, chunk.location, language)


def where(
    document: str, page: int | None, heading_path: Sequence[str], location: str, language: str = "en"
) -> str:
    """The same from its pieces; what is not known is left out."""
    paged = _words(language)["page"].format(page) if page else location
    return output.one_line(", ".join(part for part in (document, paged, " > ".join(heading_path)) if part))
