"""What every language model offers, replies that are kept, and chat templates of GGUF files: text in, token
ids out, with no way for the text to become a control token.

A template is rendered once with placeholders that occur nowhere else, and cut at them. Only the template's
own pieces are tokenised with control tokens enabled; what a prompt says never is. Rendering runs in
jinja2's immutable sandbox, since a template is code that came with a model file.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Protocol

from rag.errors import ModelError
from rag.files import write_atomically
from rag.types import Queued

# How often a waiting reader looks at its stop event, seconds.
POLL = 0.05
Stop = threading.Event | None
Texts = Sequence[str]
Pieces = Iterator[str | Queued]
_THOUGHT, _THOUGHT_END = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said to the model: instructions, worked examples (user, assistant), and the last turn, which is
    `user` (sources and question) with `ending` (what to do with them) right behind it.

    Instructions and examples are computed once and kept on disk. Prompts that differ in their ending alone
    share all before it, so that a second one costs no more than its ending. All texts are untrusted: none of
    their characters can become a control token."""

    system: str
    user: str
    examples: tuple[tuple[str, str], ...] = ()
    ending: str = ""


@dataclass(frozen=True, slots=True)
class LLMInfo:
    """`fingerprint` names the weights (SHA-256 of the file; of address and name for a server).
    `context_tokens` holds prompt and answer together. `local` is False where the words leave this machine.
    `languages` are those it writes usably, ("*",) for all: in others answers are quotes. `judges`: whether
    its yes or no, and the source that it names, bear on what it read. `probed`: whether its odds are read
    from inside (`rag.models.native`), and so in front of the answer instead of a yes or no."""

    name: str
    fingerprint: str
    context_tokens: int
    local: bool
    languages: tuple[str, ...] = ("*",)
    judges: bool = True
    probed: bool = False

    def writes(self, language: str) -> bool:
        return "*" in self.languages or language in self.languages


class LLM(Protocol):
    """A language model. Safe to call from several threads."""

    @property
    def info(self) -> LLMInfo: ...

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens and chat template not included."""

    def generate(self, prompt: Prompt, *, max_tokens: int, stop: Stop = None) -> Pieces:
        """The answer, without thoughts, in as many pieces as is convenient. `Queued` may come before the
        first one, each time with fewer ahead. The same prompt has the same answer. Ends early, without an
        error, when `stop` is set or the iterator is closed. Raises GenerationError."""

    def odds(self, prompt: Prompt, *, yes: Texts, no: Texts, stop: Stop = None) -> float | None:
        """The natural log-odds that the reply begins as one of the texts of `yes` does, against those of
        `no`, by their first tokens. None where `stop` was set, and from a server that does not say. Raises
        GenerationError."""

    def close(self) -> None:
        """Frees what the model holds; may be called twice."""


def without_thoughts(text: str) -> str:
    """What a model says without what it thinks aloud before that, between <think> and </think>; thoughts that
    never end are no answer."""
    thinks = text.lstrip().startswith(_THOUGHT)
    return text.partition(_THOUGHT_END)[2].lstrip() if thinks else text


_PLACE = "\ue000citewise-{}\ue001"
_SYSTEM = _PLACE.format("system")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# What templates mark turns with: <|user|>, <start_of_turn>, [INST], <<SYS>>, <用户>, </s>.
_MARKER = re.compile(r"<\|[^|\s]{1,40}\|>|<</?\w{1,20}>>|</?[^\W\d][\w▁]{0,40}>|\[/?[A-Z_]{2,30}\]")
# The day that templates are given, which must not change from one day to the next: answers would, too.
_DAY = datetime.date(2024, 7, 26)
# For base models: no control token at all.
PLAIN = "{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"


class TemplateVocabulary(Protocol):
    """What a tokenizer must offer. Ids are the model's."""

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """With `special`, control tokens written in the text become control ids."""

    def is_control(self, token: int) -> bool: ...

    def text_of(self, token: int) -> str:
        """How a token is written, control tokens included."""


class ChatTemplate:
    """Turns prompts into token ids for one model."""

    def __init__(self, source: str, vocabulary: TemplateVocabulary, *, bos: str = "", eos: str = "") -> None:
        self._vocabulary = vocabulary
        self._render = _renderer(source, bos, eos)
        self._layouts: dict[int, list[str]] = {}
        if not self._layout(0):
            raise ModelError("the chat template does not show the user's message; use another GGUF file")
        # A token that the template uses to mark turns must not come out of a document, whatever its type is
        # called.
        own = [*self._layout(0)[::2], *self._layout(1)[::2]]
        self._written = set(_MARKER.findall(" ".join(own)))
        tokens = {token for part in own for token in vocabulary.tokenize(part, special=True)}
        texts = {token: vocabulary.text_of(token) for token in tokens}
        self._markers = {token for token, text in texts.items() if re.fullmatch(r"(?s)[<\[].+[>\]]", text)}

    def encode(self, prompt: Prompt) -> list[int]:
        return self.encode_parts(prompt)[0]

    def encode_parts(self, prompt: Prompt) -> tuple[list[int], tuple[int, int]]:
        """The token ids, and the two borders in them that no token crosses: where what is the same whatever
        the user says ends, and where `user` does."""
        system, examples = prompt.system, prompt.examples
        if not (parts := self._layout(len(examples))):  # a template without turns of the assistant
            system = "\n\n".join(filter(None, [system, *map("\n".join, examples)]))
            parts, examples = self._layout(0), ()
        turns = [[text] for example in examples for text in example] + [[prompt.user, prompt.ending]]
        if _SYSTEM not in parts and system:  # nor system messages
            turns[0].insert(0, f"{system}\n\n")
        texts = {_PLACE.format(number): turn for number, turn in enumerate(turns)} | {_SYSTEM: [system]}
        pieces: list[list[int]] = []
        last = 0
        for part in parts:
            if part in texts:
                pieces += map(self.encode_content, texts[part])
                last = len(pieces) if texts[part] is turns[-1] else last
            else:
                pieces.append(self._vocabulary.tokenize(part, special=True))
        stable, end = (sum(map(len, pieces[:count])) for count in (last - 2, last - 1))
        return list(itertools.chain(*pieces)), (stable, end)

    def _layout(self, examples: int) -> list[str]:
        """[template, place, template, ...] for a prompt with that many examples; empty where the template
        leaves some of it out."""
        if examples not in self._layouts:
            turns = [_PLACE.format(number) for number in range(2 * examples + 1)]
            parts = _split(self._render, _SYSTEM, *turns) or _split(self._render, *turns)
            if parts and parts[-1].rstrip().endswith("<think>"):
                # thinking that cannot be switched off ends at once
                parts[-1] = f"{parts[-1].rstrip()}\n\n</think>\n\n"
            self._layouts[examples] = parts
        return self._layouts[examples]

    def encode_content(self, text: str) -> list[int]:
        """Token ids of untrusted text; none of them is a control token or a turn marker of the template."""
        text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")
        for written in self._written:  # markers may be written in several ordinary tokens ([INST])
            text = text.replace(written, f"{written[0]} {written[1:]}")
        tokens: list[int] = []
        for token in self._vocabulary.tokenize(text, special=False):
            if self._forbidden(token):  # some files declare their turn markers as ordinary words
                apart = " ".join(self._vocabulary.text_of(token))
                tokens += self._vocabulary.tokenize(apart, special=False)
            else:
                tokens.append(token)
        return [token for token in tokens if not self._forbidden(token)]

    def _forbidden(self, token: int) -> bool:
        return token in self._markers or self._vocabulary.is_control(token)


def _renderer(source: str, bos: str, eos: str) -> Callable[..., str]:
    """What renders `messages`."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str = "") -> str:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    # Some templates ask for it without a look whether it is there; those that look have a day of their own.
    if "strftime_now is defined" not in source:
        environment.globals["strftime_now"] = _DAY.strftime
    environment.globals.update(bos_token=bos, eos_token=eos, add_generation_prompt=True)
    environment.globals.update(raise_exception=refuse, tools=None, enable_thinking=False)
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    try:
        return environment.from_string(source).render
    except TemplateError as error:
        raise ModelError(f"the chat template is not valid ({error}); use another GGUF file") from error


def _split(render: Callable[..., str], *wanted: str) -> list[str]:
    """[template, place, template, ...] for messages whose contents are these places; empty where the template
    does not show them all (Gemma, early Mistral raise for a system message; others leave it out)."""
    roles = itertools.chain(["system"] * (wanted[0] == _SYSTEM), itertools.cycle(("user", "assistant")))
    messages = [{"role": role, "content": place} for role, place in zip(roles, wanted, strict=False)]
    try:
        text = render(messages=messages)
    except Exception:  # a template may fail in any way that its author's expressions can
        return []
    if any(text.count(each) != 1 for each in wanted):
        return []
    return re.split(f"({'|'.join(wanted)})", text)


class KeptLLM:
    """A language model whose texts are kept in a folder: what it wrote for the same prompt under the same
    settings is read there. A text that was stopped or failed is not kept."""

    def __init__(self, llm: LLM, folder: Path) -> None:
        self._llm, self._folder = llm, folder
        self.info, self.count_tokens, self.close = llm.info, llm.count_tokens, llm.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    def generate(self, prompt: Prompt, *, max_tokens: int, stop: Stop = None) -> Pieces:
        """As `LLM.generate`. Raises GenerationError, StorageError."""
        path, kept = self._kept(prompt, max_tokens)
        if kept:
            yield from kept
            return
        pieces: list[str] = []
        for piece in self._llm.generate(prompt, max_tokens=max_tokens, stop=stop):
            if isinstance(piece, str):
                pieces.append(piece)
            yield piece
        if stop is None or not stop.is_set():
            write_atomically(path, json.dumps(pieces).encode())

    def odds(self, prompt: Prompt, *, yes: Texts, no: Texts, stop: Stop = None) -> float | None:
        """As `LLM.odds`. Raises GenerationError, StorageError."""
        path, kept = self._kept(prompt, list(yes), list(no))
        if kept is None and (kept := self._llm.odds(prompt, yes=yes, no=no, stop=stop)) is not None:
            write_atomically(path, json.dumps(kept).encode())
        return None if kept is None else float(kept)

    def _kept(self, prompt: Prompt, *settings: object) -> tuple[Path, Any]:
        """Where the reply to a prompt belongs, and what is there; None where that is nothing."""
        asked = [self.info.fingerprint, astuple(prompt), *settings]
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        path = self._folder / key[:2] / f"{key}.json"
        try:
            return path, json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return path, None
