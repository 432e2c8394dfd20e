"""What is said to the program itself: a greeting, thanks, what it can do, which documents it has. The reply
speaks of the documents at hand, within the filters, and offers questions to go on with."""

from __future__ import annotations

from collections.abc import Sequence

from rag.documents.validity import copies_of
from rag.languages import say
from rag.search.evidence import Selection
from rag.search.verdict import COUNTED
from rag.tasks.intents import Ask
from rag.tasks.survey import TaskRequest
from rag.types import Answer, DocumentInfo, FileStatus

# Documents that are listed, and that a question to go on with is offered for.
_MOST, _OFFERED = 50, 3
_UNTITLED = 2


def talk(request: TaskRequest) -> Answer:
    """The reply; it rests on no passage."""
    ask, language = request.intent.ask, request.language
    documents = request.index.documents(request.filters)
    readable = [d for d in documents if d.status is FileStatus.OK]
    line = say(f"talk.{ask}", language, documents=len(readable))
    more = []
    if ask is Ask.DOCUMENTS:
        every, copies = copies_of([*readable, *(d for d in documents if d not in readable)])
        more = [_listed(d, language, copies.get(d.id, ())) for d in every[:_MOST]]
        if (left := len(every) - _MOST) > 0:
            more.append(say("talk.more", language, count=left))
    elif ask is Ask.HELP:
        more = [say("talk.examples", language)]
    text = "\n\n".join(filter(None, (line, "\n".join(more))))
    basis = request.basis(Selection((), COUNTED), ())
    return basis.answer(line, text, choices=_choices(ask, readable, language))


def _listed(document: DocumentInfo, language: str, copies: Sequence[str]) -> str:
    if document.status is not FileStatus.OK:
        return say("cli.unread", language, path=document.path, status=document.status.value)
    pages, path = document.pages, document.path
    title = document.title or path
    said = {"title": title, "path": "" if title == path else path, "pages": str(pages or "")}
    return say("talk.document", language, **said, copies=copies)


def _choices(ask: Ask, documents: list[DocumentInfo], language: str) -> tuple[str, ...]:
    """Questions to go on with, each of which is understood."""
    asked = [] if ask in (Ask.HELP, Ask.DOCUMENTS) else [say("talk.ask_help", language)]
    asked += [] if ask is Ask.DOCUMENTS else [say("talk.ask_documents", language)]
    titles = dict.fromkeys(d.title for d in documents if len(d.title) > _UNTITLED)
    offered = {Ask.DOCUMENTS: _OFFERED, Ask.HELP: 1}.get(ask, 0)
    return (*asked, *(say("talk.ask_summary", language, title=title) for title in list(titles)[:offered]))
