"""What depends on a language, a folder each: `en`, `zh`.

`words.toml` holds the words and patterns by which texts are understood, `says.toml` what answers say and
`page.toml` what the page says. A language is there because its folder is; nothing else names it. English and
Chinese are complete; another may leave out what it does not say, and is then answered in English.

Readers of text take the union over `LANGUAGES`; what speaks asks `say`."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import ConfigError

T = TypeVar("T")
_PART = re.compile(r"\{([a-z]\w*)\}")
COMPLETE = ("en", "zh")
"""Languages that leave nothing out; the first is what others fall back to."""


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """The words of a language, lower-case, each with what it stands for.

    `code` is the name of its `folder` ("en"), `name` what its speakers call it. `months` are 1 to 12,
    `scales` what multiplies the number before it, `ordinals` 1 for the first and -1 for the last. Units of
    time and measure have their base unit and the exact factor to it ("week": ("day", 7)), currencies a code
    or a sign that several share, `article_words` the kind of numbered part ("clause": "section"). Words that
    bound a value stand before it ("under": "<") or behind it ("or more": ">="), `label_nouns` are those that
    a letter or numeral tells apart, by the side where it stands ("party": "behind", 方: "both").

    `script` are the letters that are only the language's, as in a set of a regular expression; `unspaced`:
    its words are not written apart. `ends` matches what ends a sentence (where words are written apart,
    before a capital), `items` what begins a line of a list; a full stop behind one of the `abbreviations`
    ends none. `asking` matches what only asks; `opposites` exclude each other. `wordings` ask for many
    passages ("count document" and a pattern), `sides` compare; `asked` find in a question what it asks for.
    `patterns` are those of the file's tables by their keys:
    "cues.negation.not"."""

    code: str
    folder: Path
    name: str
    script: str = ""
    unspaced: bool = False
    months: Mapping[str, int] = field(default_factory=dict)
    numerals: Mapping[str, int] = field(default_factory=dict)
    scales: Mapping[str, int] = field(default_factory=dict)
    ordinals: Mapping[str, int] = field(default_factory=dict)
    time_units: Mapping[str, tuple[str, Fraction]] = field(default_factory=dict)
    measures: Mapping[str, tuple[str, Fraction]] = field(default_factory=dict)
    currencies_before: Mapping[str, str] = field(default_factory=dict)
    currencies_after: Mapping[str, str] = field(default_factory=dict)
    article_words: Mapping[str, str] = field(default_factory=dict)
    label_nouns: Mapping[str, str] = field(default_factory=dict)
    bounds_before: Mapping[str, str] = field(default_factory=dict)
    bounds_behind: Mapping[str, str] = field(default_factory=dict)
    stop_words: frozenset[str] = frozenset()
    ends: str = ""
    items: str = ""
    abbreviations: frozenset[str] = frozenset()
    asking: str = ""
    opposites: tuple[tuple[str, str], ...] = ()
    wordings: tuple[tuple[str, str], ...] = ()
    sides: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    patterns: Mapping[str, str] = field(default_factory=dict)


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}, a file of a language, cannot be read: {error}.") from error


def _whole(pattern: str | Sequence[str], parts: Mapping[str, str]) -> str:
    """The pieces of a pattern as one; {name} in it is one of the parts."""
    return _PART.sub(lambda m: _whole(parts[m[1]], parts), "".join(pattern))


class Patterns(dict[str, re.Pattern[str]]):
    """The regular expressions of a module by their names, each compiled when first asked for: the table that
    is called like the module (for that of a package, like it) in the patterns.toml beside it. {name} in one
    is an entry of the file's [part], or one of `parts`."""

    def __init__(self, module: str, **parts: str) -> None:
        path = Path(module)
        read = _kept(path.with_name("patterns.toml"))
        self._texts = read[path.parent.name if path.stem == "__init__" else path.stem]
        self._parts = dict(_texts(read.get("part", {}))) | parts

    def __missing__(self, name: str) -> re.Pattern[str]:
        found = self[name] = re.compile(_whole(self._texts[name], self._parts))
        return found

    def table(self, name: str) -> dict[str, re.Pattern[str]]:
        """The patterns of a table within it, in their order."""
        return {key: re.compile(_whole(text, self._parts)) for key, text in self._texts[name].items()}

    def words(self, name: str) -> frozenset[str]:
        """The words of a list of the table."""
        return frozenset("".join(self._texts[name]).split())

    def pairs(self, name: str) -> dict[str, str]:
        """What a list of the table that is written "key=word …" has for each key, in its order."""
        return dict(pair.split("=", 1) for pair in "".join(self._texts[name]).split())


_kept = cache(_read)


def _load(folder: Path) -> Language:
    """The language of a folder; {name} in a pattern is an entry of the file's [part], {numeral} the letters
    that are numerals, as in a set of a regular expression."""
    path = folder / "words.toml"
    raw = _read(path)
    patterns = dict(_texts({key: value for key, value in raw.items() if isinstance(value, dict)}))
    parts = {key[5:]: text for key, text in patterns.items() if key.startswith("part.")}
    counted = (row[1:] for key in ("numerals", "scales") for row in raw.get(key, ()))
    parts["numeral"] = "".join(word for words in counted for word in words if len(word) == 1)

    def whole(pattern: str | Sequence[str]) -> str:
        return _whole(pattern, parts)

    raw = {key: value for key, value in raw.items() if not isinstance(value, dict)} | {
        "months": [[number, *words] for number, words in enumerate(raw.get("months", ()), 1)],
        "patterns": {key: whole(pattern) for key, pattern in patterns.items()},
        "wordings": tuple((asked, whole(pattern)) for asked, *pattern in raw.get("wordings", ())),
        **{key: tuple(map(whole, raw.get(key, ()))) for key in ("sides", "asked")},
    }
    known = {each.name for each in fields(Language)} - {"code", "folder"}
    _same(path, "keys", known, known if folder.name in COMPLETE else set(), set(raw))
    words = {key: _words(key, value) for key, value in raw.items()}
    return Language(**{"name": folder.name, **words}, code=folder.name, folder=folder)


def _words(key: str, value: Any) -> Any:
    """A key of words.toml as the field of `Language`; lists of a list begin with what its words stand for."""
    match key:
        case "stop_words" | "abbreviations":
            return frozenset(value.split())
        case "asking":
            return "".join(value)
        case "opposites":
            return tuple(tuple(pair.split("/")) for pair in value)
        case "time_units" | "measures":
            units = [(row[0].split(" ", 1), row[1:]) for row in value]
            return {word: (base, Fraction(factor)) for (factor, base), names in units for word in names}
    if not isinstance(value, list):
        return value
    return {word: row[0] for row in value for word in row[1:]}


def _same(path: Path, what: str, known: set[str], needed: set[str], found: set[str]) -> None:
    """Raises ConfigError that names what a file lacks of the `needed`, or has beside the `known`."""
    if surplus := found - known:
        raise ConfigError(f"{path} has {what} that English has not: {', '.join(sorted(surplus))}.")
    if missing := needed - found:
        raise ConfigError(f"{path} lacks {what}: {', '.join(sorted(missing))}.")


@cache
def _known() -> dict[str, Language]:
    folders = [path.parent for path in Path(__file__).parent.glob("*/words.toml")]
    folders.sort(key=lambda folder: (folder.name not in COMPLETE, folder.name))
    known = {folder.name: _load(folder) for folder in folders}
    default, *others = ({k for k in known[code].patterns if k[:5] != "part."} for code in COMPLETE)
    for code, keys in zip(COMPLETE[1:], others, strict=True):
        _same(known[code].folder / "words.toml", "patterns", default, default, keys)
    return known


class _Languages(Mapping[str, Language]):
    """Read when the first is asked for: help needs none."""

    def __getitem__(self, code: str) -> Language:
        return _known()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(_known())

    def __len__(self) -> int:
        return len(_known())


LANGUAGES: Mapping[str, Language] = _Languages()
"""Every language by its code."""


def register(folder: Path) -> Language:
    """Adds the language of a folder elsewhere; its name is the code. To be called before the packages that
    read text are imported: their patterns are the union of the languages at hand. Raises ConfigError for a
    file that cannot be read."""
    found = _known()[folder.name] = _load(folder)
    sayings.cache_clear()
    return found


def language(code: str) -> Language:
    """The language of a code ("zh", "zh-CN"), else English."""
    return LANGUAGES.get(code[:2].lower(), LANGUAGES[COMPLETE[0]])


def model_instructions(name: str, code: str, made: Callable[[dict[str, Any]], T]) -> T:
    """What is made of the file of a language that says how a language model is asked ("reading"), or of that
    of English where it has none. Raises ConfigError for a file that does not fit."""
    default = LANGUAGES[COMPLETE[0]]
    paths = (of.folder / f"{name}.toml" for of in (language(code), default))
    path = next(p for p in paths if p.is_file() or p.parent == default.folder)
    try:
        return made(_read(path))
    except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
        raise ConfigError(f"{path}, how a language model is asked, cannot be used: {error!r}.") from error


def unspaced(code: str) -> bool:
    """Whether the words of a language are not written apart."""
    return language(code).unspaced


def union(words: Callable[[Language], Mapping[str, T]]) -> dict[str, T]:
    """Words of all languages with what they stand for: `union(lambda of: of.months)`."""
    return {word: value for known in LANGUAGES.values() for word, value in words(known).items()}


def patterns(
    table: str, flags: re.RegexFlag = re.IGNORECASE, *, unspaced: bool | None = None
) -> dict[str, re.Pattern[str]]:
    """The patterns of a table of words.toml by their keys, in the order in which English has them, each of
    which matches what that of any language matches, of those alone that are `unspaced`, or are not."""
    keys = (key for key in language(COMPLETE[0]).patterns if key.startswith(f"{table}."))
    spoken = [of for of in LANGUAGES.values() if unspaced in (None, of.unspaced)]
    found = {k: [of.patterns.get(k, "") for of in spoken] for k in keys}
    return {k[len(table) + 1 :]: re.compile("|".join(filter(None, own)), flags) for k, own in found.items()}


def listed(name: str) -> frozenset[str]:
    """The words of one of the [lists] of every language."""
    texts = (of.patterns.get(f"lists.{name}", "") for of in LANGUAGES.values())
    return frozenset(word for text in texts for word in text.split())


def in_order(
    listed: Callable[[Language], Sequence[str]], *, unspaced: bool | None = None
) -> list[re.Pattern[str]]:
    """The patterns of a list of every language, or of those alone that are `unspaced`, or are not."""
    spoken = [of for of in LANGUAGES.values() if unspaced in (None, of.unspaced)]
    return [re.compile(pattern, re.IGNORECASE | re.DOTALL) for of in spoken for pattern in listed(of)]


def either(pattern: Callable[[Language], str]) -> str:
    """A regular expression that matches what that of any language matches."""
    return "|".join(filter(None, map(pattern, LANGUAGES.values()))) or "(?!)"


def say(key: str, language: str, /, **values: object) -> str:
    """A text of says.toml in a language: `say("answers.refused", "en", documents=3, passages=12)`.

    The placeholders of a text, `{name}` or `{name:how}`, take values by name; `how` is a format of Python
    (`{count:,}`), what stands between the members of a tuple (`{names:, }`), or a choice: `{count:is|are}`
    takes the first of two for 1, true or anything there, `{way:the same|more|less}` one of three for 0, 1 and
    -1. What is chosen may hold placeholders, choices among them. `{name!u}` begins with a capital."""
    return _fill(sayings("says", language)[key], values)


@lru_cache(maxsize=32)
def sayings(file: str, code: str) -> Mapping[str, str]:
    """The texts of a file ("says" or "page") in a language by their keys ("answers.refused"), in English
    where it has none. Raises ConfigError where it, or English or Chinese, lacks or invents a text or a
    placeholder; one that English only chooses by may be left out."""
    default, *others = (LANGUAGES[known] for known in COMPLETE)
    chosen = language(code)
    texts = dict(_texts(_read(default.folder / f"{file}.toml")))
    for other in dict.fromkeys((*others, chosen)):
        path = other.folder / f"{file}.toml"
        found = dict(_texts(_read(path)))
        _same(path, "texts", set(texts), set(texts) if other.code in COMPLETE else set(), set(found))
        for key, text in found.items():
            wanted, held = dict(_names(texts[key])), set(dict(_names(text)))
            _same(path, f"placeholders in {key}", set(wanted), {n for n in wanted if wanted[n]}, held)
    return texts if chosen is default else texts | found


def named(table: str, name: str, language: str) -> str:
    """What a table of says.toml calls something; its own name where it has none."""
    return sayings("says", language).get(f"{table}.{name}", name)


def own(texts: Sequence[T], language: str) -> T:
    """Of a text in each of the complete languages the one in this language, else the first."""
    return texts[COMPLETE.index(language) if language in COMPLETE else 0]


def _texts(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{above}{key}.")
        else:
            yield above + key, "".join(value)


def _names(text: str) -> Iterator[tuple[str, bool]]:
    """The placeholders of a text, last those that are put in and do not only choose."""
    named = [(name, _choices(how or "")) for _, name, how, _ in string.Formatter().parse(text) if name]
    yield from ((name, False) for name, choices in named if len(choices) > 1)
    for name, choices in named:
        if len(choices) == 1:
            yield name, True
        else:
            yield from (inner for choice in choices for inner in _names(choice))


def _choices(how: str) -> list[str]:
    depth, choices = 0, [""]
    for character in how:
        depth += (character == "{") - (character == "}")
        if character == "|" and not depth:
            choices.append("")
        else:
            choices[-1] += character
    return choices


def _fill(text: str, values: Mapping[str, object]) -> str:
    parts = []
    for literal, name, how, capital in string.Formatter().parse(text):
        put = _filled(values[name], how or "", values) if name is not None else ""
        parts += [literal, put[:1].upper() + put[1:] if capital else put]
    return "".join(parts)


def _filled(value: Any, how: str, values: Mapping[str, object]) -> str:
    choices = _choices(how)
    if len(choices) == 3:
        return _fill(choices[value], values)
    if len(choices) == 2:
        return _fill(choices[not (value == 1 if isinstance(value, int) else value)], values)
    return how.join(value) if isinstance(value, (list, tuple)) else format(value, how)
