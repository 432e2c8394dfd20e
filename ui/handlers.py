"""What happens when somebody does something on the page: plain functions over the workspace and one
conversation.

No Gradio here: a `View` says what each part of the page shall show, with None for "as it is"; `ui.page`
carries it over."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from markupsafe import Markup

from rag.errors import CitewiseError
from rag.types import DocumentInfo, FileStatus, Filters, Progress
from ui import Texts, render, texts_for
from ui.conversation import Conversation, Conversations, run, turns
from ui.filters import EVERYTHING, View, bad_day, choices
from ui.pictures import Pictures
from ui.render import fill
from ui.sources import Sources
from ui.workspace import Workspace

__all__ = ["Handlers", "View"]
_log = logging.getLogger(__name__)


class Handlers:
    """One for the whole server; everything that belongs to a page is looked up by its session key."""

    def __init__(self, workspace: Workspace, *, default_index: str = "") -> None:
        self.workspace = workspace
        self.conversations = Conversations()
        self.pictures = Pictures()
        self._sources = Sources(workspace, self.pictures)
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
        try:
            names = tuple(self.workspace.names())
            index = self._default if self._default in names else names[0] if names else ""
            view, readers = self.choose(key, index), self.workspace.readers
            view = replace(view, readers=readers, reader=self.workspace.reader or None)
            return replace(view, indexes=names, index=index, source=fill("source.empty_pane", texts))
        except Exception:
            _log.exception("the page could not be filled")
            return View(upload=fill("page.problem", texts, texts.unexpected))

    def relabel(self, key: str | None, code: str, index: str) -> View:
        """The same page in another language."""
        conversation, _ = self._of(key)
        conversation.language = texts_for(code).code
        chosen = self.choose(key, index)
        view = replace(chosen, scope=None, scope_chosen=None, chosen=None, upload=Markup(""))
        return replace(view, source=self._sources.current(conversation))

    def choose(self, key: str | None, index: str | None) -> View:
        """Another index: its documents, its samples. The conversation stays."""
        conversation, texts = self._of(key)
        return replace(
            self._column(index, texts),
            transcript=self._transcript(conversation, index, texts),
            scope_chosen=(),
            chosen=EVERYTHING,
            narrow_note=Markup(""),
        )

    def read_with(self, key: str | None, name: str) -> View:
        """Another language model, for every page."""
        _, texts = self._of(key)
        try:
            self.workspace.read_with(name)
        except CitewiseError as error:
            return View(upload=fill("page.problem", texts, str(error)), reader=self.workspace.reader)
        return View(reader=name, upload=Markup(""))

    def narrowed(self, key: str | None, day: str | None) -> View:
        """The day of the filters was changed: one that is none is reported at once."""
        _, texts = self._of(key)
        wrong = bad_day(day or "")
        words = texts.bad_day.format(day=wrong)
        return View(narrow_note=fill("page.mistake", texts, words) if wrong else Markup(""))

    def everything(self, key: str | None) -> View:
        """No filters any more."""
        return View(scope_chosen=(), chosen=EVERYTHING, narrow_note=Markup(""))

    def fresh(self, key: str | None, index: str | None) -> View:
        """A new conversation."""
        conversation, texts = self._of(key)
        conversation.clear()
        return View(
            transcript=self._transcript(conversation, index, texts),
            live=Markup(""),
            source=fill("source.empty_pane", texts),
            running=False,
        )

    def forget(self, key: str | None) -> None:
        """The page was closed: its question is stopped and its conversation dropped."""
        self.conversations.forget(key)

    def close(self) -> None:
        """Ends the drawing worker and closes every index that was opened."""
        self.pictures.close()
        self.workspace.close()

    def _column(self, index: str | None, texts: Texts) -> View:
        """The documents of an index, which of them can be asked, what is wrong where it cannot be opened."""
        infos: list[DocumentInfo] = []
        wrong = Markup("")
        try:
            infos = self.workspace.assistant(index).index.documents() if index else []
        except CitewiseError as error:
            wrong = fill("page.problem", texts, str(error))
        askable = sorted((d.path for d in infos if d.status is FileStatus.OK), key=str.lower)
        shown = render.documents(infos, texts) if index else fill("answer.note", texts, texts.no_index)
        return View(upload=wrong, documents=shown, scope=tuple(askable), choices=choices(infos, texts))

    def _transcript(self, conversation: Conversation, index: str | None, texts: Texts) -> Markup:
        if conversation.exchanges or conversation.live:
            return render.transcript(conversation.exchanges, texts)
        return fill("page.welcome", texts, self.workspace.samples(index) if index else ())

    # ---------------------------------------------------------------- questions

    def ask(
        self,
        key: str | None,
        question: str,
        index: str | None,
        filters: Filters = EVERYTHING,
        *,
        alone: bool = False,
    ) -> Iterator[View]:
        """The question, its evidence and its answer, as they come. With a day in the filters that
        is none, nothing is asked and the question stays where it is. `alone`: nothing is carried into it from
        the conversation, as when the reader edits the question that a follow-up was searched as."""
        conversation, texts = self._of(key)
        if not question or not question.strip():
            yield View()
            return
        if bad_day(filters.in_force):
            wrong = self.narrowed(key, filters.in_force)
            yield replace(wrong, live=wrong.narrow_note) if conversation.live is None else wrong
            return
        exchange, stop = conversation.begin(index or "", question.strip(), filters, alone=alone)
        yield View(
            transcript=render.transcript(conversation.exchanges, texts),
            live=render.exchange(exchange, texts),
            running=True,
            clear_question=not alone,
        )
        try:
            assistant = self.workspace.assistant(index or "")
        except CitewiseError as error:
            conversation.update(replace(exchange, error=str(error)))
            yield self._finished(conversation)
            return
        history = () if alone else turns(conversation.exchanges, exchange.index)
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
        self, key: str | None, number: int, index: str | None, filters: Filters = EVERYTHING
    ) -> Iterator[View]:
        """The same question again, in the index and filters chosen now; it replaces the last one."""
        conversation, _ = self._of(key)
        exchange = conversation.find(number)
        if exchange is None:
            yield View()
            return
        latest = conversation.exchanges and conversation.exchanges[-1].number == number
        if latest and not bad_day(filters.in_force):
            conversation.drop(number)
        yield from self.ask(key, exchange.question, index, filters, alone=exchange.alone)

    def stop(self, key: str | None) -> None:
        """Ends the question under way; `ask` then hands in what there is."""
        self.conversations.get(key).stop()

    # ---------------------------------------------------------------- sources

    def open_source(self, key: str | None, kind: str, turn: int, number: int) -> Iterator[View]:
        """Opens a source of an exchange: the words at once, the picture of the page as soon as it is drawn.
        `number` is what `kind` (one of OPENED) counts."""
        conversation, _ = self._of(key)
        conversation.open_source = (kind, turn, number)
        for pane in self._sources.open(conversation):
            yield View(source=pane)

    # ---------------------------------------------------------------- documents

    def create(self, key: str | None, name: str, index: str | None) -> View:
        """A new, empty index, chosen at once."""
        _, texts = self._of(key)
        try:
            name = self.workspace.create(name or "")
        except CitewiseError as error:
            return View(upload=fill("page.problem", texts, str(error)))
        return replace(self.choose(key, name), indexes=tuple(self.workspace.names()), index=name)

    def upload(self, key: str | None, paths: Sequence[str], index: str | None) -> Iterator[View]:
        """Reads files into the index, with progress and one line per file at the end."""
        _, texts = self._of(key)
        if not paths:
            return
        if not index:
            yield View(upload=fill("page.problem", texts, texts.no_index))
            return
        yield View(upload=fill("page.progress", texts, Progress("scan", 0, 0)))
        try:
            kept = self.workspace.keep(index, [Path(p) for p in paths])
            opened, channel = self.workspace.assistant(index).index, SimpleQueue[Progress | None]()
            with ThreadPoolExecutor(1) as reader:
                read = reader.submit(opened.ingest, *kept, progress=channel.put)
                read.add_done_callback(lambda _: channel.put(None))
                while (progress := channel.get()) is not None:
                    yield View(upload=fill("page.progress", texts, progress))
            report = fill("page.report", texts, read.result())
            yield replace(self._column(index, texts), upload=report)
        except CitewiseError as error:
            yield View(upload=fill("page.problem", texts, str(error)))
        except Exception:
            _log.exception("upload failed")
            yield View(upload=fill("page.problem", texts, texts.unexpected))
