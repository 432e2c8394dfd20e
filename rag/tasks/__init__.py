"""Tasks: questions about many passages, answered by reading all that match, and small talk.

A task has a name and answers a `TaskRequest` from every passage that matters; `TASKS` holds them by name.
What is counted and chosen, code counts and chooses. `read_intents` recognises by its wording which task a
question asks for. Where a task gives None the question is answered like any other (`plain_question`), and
`partly_read` says that not everything was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag.tasks.comparing import compared
from rag.tasks.counting import count_or_list
from rag.tasks.intents import read_intents
from rag.tasks.provision import provide
from rag.tasks.summing import summarise
from rag.tasks.survey import TaskRequest, partly_read, plain_question
from rag.tasks.talking import talk
from rag.types import Answer

Task = Callable[[TaskRequest], Answer | None]
TASKS: Mapping[str, Task] = {
    "count": count_or_list,
    "list": count_or_list,
    "provision": provide,
    "summarise": summarise,
    **dict.fromkeys(("greeting", "thanks", "help", "documents"), talk),
}
"""Every task but comparing by its name, which is that of the intent it serves. An answer's timings are left
empty; None: the question has to be answered like any other."""

__all__ = ["TASKS", "Task", "TaskRequest", "compared", "partly_read", "plain_question", "read_intents"]
