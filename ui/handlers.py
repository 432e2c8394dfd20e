"""What happens when somebody does something on the page: plain functions over the workspace and one
conversation.

No Gradio here: a `View` says what each part of the page shall show, with None for "as it is"; `ui.page`
carries it over.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from rag import compose
from rag.errors import CitewiseError
from rag.types import DocumentInfo, FileStatus, Hit, IngestReport, Progress
from ui import chrome, listing, panes, render
from ui.conversation import Conversation, Conversations, run
from ui.exchange import turns
from ui.narrow import ALL, Choices, Narrow, choices
from ui.pictures import Pictures
from ui.texts import Texts, texts_for
from ui.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """Parts of the page; None leaves a part as it is. `scope` are the documents that can be chosen;
    `scope_chosen` which are; `choices` and `chosen` the same for the other filters, `narrow_note` what is
    wrong with them."""

    transcript: Markup | None = None
    live: Markup | None = None
    source: Markup | None = None
    upload: Markup | None = None
    documents: Markup | None = None
    indexes: tuple[str, ...] | None = None
    index: str | None = None
    scope: tuple[str, ...] | None = None
    scope_chosen: tuple[str, ...] | None = None
    choices: Choices | None = None
    chosen: Narrow | None = None
    narrow_note: Markup | None = None
    running: bool | None = None
    clear_question: bool = False


class Handlers:
    """One for the whole server; everything that belongs to a page is looked up by its session key."""

    def __init__(self, workspace: Workspace, *, default_index: str = "") -> None:
        self.workspace = workspace
        self.conversations = Conversations()
        self.pictures = Pictures()
        self._default = default_index

    def _of(self, key: str | None) -> tuple[Conversation, Texts]:
        conversation = self.conversations.get(key)
        return conversation, texts_for(conversation.language)

    # ---------------------------------------------------------------- the page as a whole

    def open(self, key: str | None, language: str) -> View:
        """A page that has just been loaded."""
        conversation, _ = self._of(key)
        texts = texts_for(language)
        conversation.language = texts.code
        names = tuple(self.workspace.names())
        index = self._default if self._default in names else names[0] if names else ""
        return replace(self.choose(key, index), indexes=names, index=index, source=panes.empty_pane(texts))

    def relabel(self, key: str | None, code: str, index: str) -> View:
        """The same page in another language."""
        conversation, _ = self._of(key)
        conversation.language = texts_for(code).code
        chosen = self.choose(key, index)
        view = replace(chosen, scope=None, scope_chosen=None, chosen=None, upload=Markup(""))
        return replace(view, source=self._shown(conversation))

    def choose(self, key: str | None, index: str | None) -> View:
        """Another index: its documents, its samples. The conversation stays."""
        conversation, texts = self._of(key)
        infos, problem = self._documents(index)
        return View(
            transcript=self._transcript(conversation, index, texts),
            upload=listing.problem(problem, texts) if problem else Markup(""),
            documents=listing.documents(infos, texts) if index else listing.note(texts.no_index),
            scope=_askable(infos),
            scope_chosen=(),
            choices=choices(infos, texts),
            chosen=ALL,
            narrow_note=Markup(""),
        )

    def narrowed(self, key: str | None, narrow: Narrow) -> View:
        """The filters were changed: a day that is none is told at once."""
        _, texts = self._of(key)
        note = listing.mistake(texts.bad_day.format(day=narrow.bad_day)) if narrow.bad_day else Markup("")
        return View(narrow_note=note)

    def everything(self, key: str | None) -> View:
        """No filters any more."""
        return View(scope_chosen=(), chosen=ALL, narrow_note=Markup(""))

    def fresh(self, key: str | None, index: str | None) -> View:
        """A new conversation."""
        conversation, texts = self._of(key)
        conversation.clear()
        return View(
            transcript=self._transcript(conversation, index, texts),
            live=Markup(""),
            source=panes.empty_pane(texts),
            running=False,
        )

    def forget(self, key: str | None) -> None:
        """The page was closed: its question is stopped and its conversation dropped."""
        self.conversations.forget(key)

    def close(self) -> None:
        """Ends the drawing worker and closes every index that was opened."""
        self.pictures.close()
        self.workspace.close()

    def _transcript(self, conversation: Conversation, index: str | None, texts: Texts) -> Markup:
        if conversation.exchanges or conversation.live:
            return render.transcript(conversation.exchanges, texts)
        return chrome.welcome(self.workspace.samples(index) if index else (), texts)

    def _documents(self, index: str | None) -> tuple[list[DocumentInfo], str]:
        if not index:
            return [], ""
        try:
            return list(self.workspace.assistant(index).index.documents()), ""
        except CitewiseError as error:
            return [], str(error)

    # ---------------------------------------------------------------- questions

    def ask(
        self, key: str | None, question: str, index: str | None, scope: Sequence[str], narrow: Narrow = ALL
    ) -> Iterator[View]:
        """The question, its evidence, its draft and its answer, as they come. With a day in the filters that
        is none, nothing is asked and the question stays where it is."""
        conversation, texts = self._of(key)
        if not question or not question.strip():
            yield View()
            return
        if narrow.bad_day:
            wrong = self.narrowed(key, narrow)
            yield replace(wrong, live=wrong.narrow_note) if conversation.live is None else wrong
            return
        filters = narrow.filters(scope or ())
        exchange, stop = conversation.begin(index or "", question.strip(), filters)
        yield View(
            transcript=render.transcript(conversation.exchanges, texts),
            live=render.exchange(exchange, texts),
            running=True,
            clear_question=True,
        )
        try:
            assistant = self.workspace.assistant(index or "")
        except CitewiseError as error:
            conversation.update(replace(exchange, error=str(error)))
            yield self._finished(conversation)
            return
        history = turns(conversation.exchanges, exchange.index)
        for grown in run(assistant, exchange, history=history, stop=stop):
            if not conversation.update(grown):
                return
            texts = texts_for(conversation.language)
            yield (self._finished(conversation) if grown.done else View(live=render.exchange(grown, texts)))

    def _finished(self, conversation: Conversation) -> View:
        texts = texts_for(conversation.language)
        return View(
            transcript=render.transcript(conversation.exchanges, texts), live=Markup(""), running=False
        )

    def retry(
        self, key: str | None, number: int, index: str | None, scope: Sequence[str], narrow: Narrow = ALL
    ) -> Iterator[View]:
        """The same question again, in the index and scope chosen now; it takes the place of the last one."""
        conversation, _ = self._of(key)
        exchange = conversation.find(number)
        if exchange is None:
            yield View()
            return
        latest = conversation.exchanges and conversation.exchanges[-1].number == number
        if latest and not narrow.bad_day:
            conversation.drop(number)
        yield from self.ask(key, exchange.question, index, scope, narrow)

    def sample(
        self, key: str | None, number: int, index: str | None, scope: Sequence[str], narrow: Narrow = ALL
    ) -> Iterator[View]:
        """One of the index's sample questions."""
        samples = self.workspace.samples(index) if index else ()
        question = samples[number] if 0 <= number < len(samples) else ""
        yield from self.ask(key, question, index, scope, narrow)

    def stop(self, key: str | None) -> None:
        """Ends the question under way; `ask` then hands in what there is."""
        self.conversations.get(key).stop()

    # ---------------------------------------------------------------- sources

    def cite(self, key: str | None, number: int, citation: int) -> Iterator[View]:
        """Opens a citation: the words at once, the picture of the page as soon as it is drawn."""
        conversation, _ = self._of(key)
        conversation.shown = ("cite", number, citation)
        yield from self._open(conversation)

    def near(self, key: str | None, number: int, position: int) -> Iterator[View]:
        """Opens one of the nearest passages of a refusal."""
        conversation, _ = self._of(key)
        conversation.shown = ("near", number, position)
        yield from self._open(conversation)

    def passage(self, key: str | None, number: int, chunk_id: int) -> Iterator[View]:
        """Opens a passage that another one refers to, in the index of that exchange."""
        conversation, _ = self._of(key)
        conversation.shown = ("passage", number, chunk_id)
        yield from self._open(conversation)

    def _open(self, conversation: Conversation) -> Iterator[View]:
        texts = texts_for(conversation.language)
        found = self._look_up(conversation, texts)
        if found is None:
            yield View(source=panes.empty_pane(texts))
            return
        view, info = found
        if info is None or info.kind != "pdf" or view.page is None:
            yield View(source=panes.source_pane(view, texts))
            return
        yield View(source=panes.source_pane(view, texts, texts.page_loading))
        picture = self.pictures.page(info, view.page, view.quote if view.mark else "", texts)
        yield View(source=panes.source_pane(view, texts, picture))

    def _shown(self, conversation: Conversation) -> Markup | None:
        """The pane that is open, anew."""
        if conversation.shown is None:
            return panes.empty_pane(texts_for(conversation.language))
        return [view.source for view in self._open(conversation)][-1]

    def _look_up(
        self, conversation: Conversation, texts: Texts
    ) -> tuple[panes.PassageView, DocumentInfo | None] | None:
        if conversation.shown is None:
            return None
        kind, number, which = conversation.shown
        exchange = conversation.find(number)
        if exchange is None:
            return None
        answer = exchange.answer
        try:
            index = self.workspace.assistant(exchange.index).index
        except CitewiseError:
            index = None
        if kind == "near":
            if answer is None or not 0 <= which < len(answer.nearest):
                return None
            return _whole(answer.nearest[which], index, number)
        if kind == "passage":
            try:
                return _whole(index.passage(which), index, number) if index is not None else None
            except CitewiseError:  # removed since the link was drawn
                return None
        evidence = next((e for e in exchange.shown_evidence if e.number == which), None)
        citation = next((c for c in answer.citations if c.number == which), None) if answer else None
        if citation is None and evidence is not None:
            citation = compose.citation(evidence)
        if citation is None:
            return None
        view, info = panes.look_up(
            index,
            citation,
            texts,
            header=evidence.header if evidence else "",
            claims=answer.claims if answer else (),
        )
        return replace(view, turn=number), info

    # ---------------------------------------------------------------- documents

    def create(self, key: str | None, name: str, index: str | None) -> View:
        """A new, empty index, chosen at once."""
        _, texts = self._of(key)
        try:
            name = self.workspace.create(name or "")
        except CitewiseError as error:
            return View(upload=listing.problem(str(error), texts))
        return replace(self.choose(key, name), indexes=tuple(self.workspace.names()), index=name)

    def upload(self, key: str | None, paths: Sequence[str], index: str | None) -> Iterator[View]:
        """Keeps the files with the index and reads them in, with progress and one line per file at the
        end."""
        _, texts = self._of(key)
        if not paths:
            return
        if not index:
            yield View(upload=listing.problem(texts.no_index, texts))
            return
        yield View(upload=listing.progress(Progress("scan", 0, 0), texts))
        try:
            with self.workspace.writing(index):
                kept = self.workspace.keep(index, [Path(p) for p in paths])
                opened = self.workspace.assistant(index).index
                for item in _in_thread(lambda tell: opened.ingest(*kept, progress=tell)):
                    if isinstance(item, Progress):
                        yield View(upload=listing.progress(item, texts))
                    else:
                        yield self._uploaded(index, item, texts)
        except CitewiseError as error:
            yield View(upload=listing.problem(str(error), texts))
        except Exception:
            _log.exception("upload failed")
            yield View(upload=listing.problem(texts.unexpected, texts))

    def _uploaded(self, index: str, report: IngestReport, texts: Texts) -> View:
        infos, _ = self._documents(index)
        return View(
            upload=listing.report(report, texts),
            documents=listing.documents(infos, texts),
            scope=_askable(infos),
            choices=choices(infos, texts),
        )


def _whole(hit: Hit, index: Any, turn: int) -> tuple[panes.PassageView, DocumentInfo]:
    return replace(panes.of_hit(hit, index), turn=turn), hit.document


def _askable(infos: Sequence[DocumentInfo]) -> tuple[str, ...]:
    return tuple(sorted((d.path for d in infos if d.status is FileStatus.OK), key=str.lower))


def _in_thread(
    work: Callable[[Callable[[Progress], None]], IngestReport],
) -> Iterator[Progress | IngestReport]:
    """Progress of `work` as it happens (the latest, not each one), then its result; raises what it raised."""
    channel: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def target() -> None:
        try:
            channel.put(work(channel.put))
        except Exception as error:  # raised again in the page's thread
            channel.put(error)

    threading.Thread(target=target, name="citewise-upload", daemon=True).start()
    while True:
        item = channel.get()
        while isinstance(item, Progress) and not channel.empty():
            item = channel.get()
        if isinstance(item, Exception):
            raise item
        yield item
        if not isinstance(item, Progress):
            return
