"""What is said comes from the files of the languages, which agree on what there is to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rag
import ui
from rag import languages
from rag.errors import ConfigError
from rag.languages import COMPLETE, LANGUAGES, say, sayings

# `say("answers.refused"` and `f"cli.{`: a key, or what it begins with.
_KEY = re.compile(r'\bsay\(\s*f?["\']([\w.]+)(\{?)')
_TABLE = re.compile(r'\bnamed\(\s*["\'](\w+)["\']')


def _sources() -> str:
    packages = (Path(module.__file__ or "").parent for module in (rag, ui))
    return "\n".join(path.read_text("utf-8") for folder in packages for path in folder.rglob("*.py"))


def test_english_and_chinese_say_the_same_with_the_same_placeholders() -> None:
    for file in ("says", "page"):
        keys = [set(sayings(file, code)) for code in COMPLETE]
        assert keys[0] == keys[1] and keys[0]
        assert all(text for code in COMPLETE for text in sayings(file, code).values())


def test_every_key_that_the_program_says_is_there_and_no_other() -> None:
    source, known = _sources(), set(sayings("says", "en"))
    quoted = set(re.findall(r'"[^"\n]*"', source))
    keys = _KEY.findall(source)
    assert keys and not [k for k, more in keys if not more and k not in known]
    tables = {key.partition(".")[0] for key in known}
    assert not [k for k, more in keys if more and k.partition(".")[0] not in tables]
    called = {*_TABLE.findall(source), "statement"}
    assert called <= tables
    own = [key for key in known if key.partition(".")[0] not in called and f"'{key}'" not in source]
    assert not [key for key in own if not {f'"{key}"', f'"{key.partition(".")[2]}"'} & quoted]


@pytest.mark.parametrize(
    ("english", "chinese", "named"),
    [
        ('a = "one"\nb = "two"', 'a = "一"', "b"),
        ('a = "one"', 'a = "一"\nb = "二"', "b"),
        ('a = "{n} of {m}"', 'a = "{n}"', "m"),
        ('a = "{n}"', 'a = "{n} {count}"', "count"),
    ],
)
def test_a_missing_or_surplus_text_or_placeholder_is_an_error_that_names_it(
    english: str, chinese: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, texts in zip(COMPLETE, (english, chinese), strict=True):
        (tmp_path / code).mkdir()
        (tmp_path / code / "trial.toml").write_text(texts, "utf-8")
        words = (LANGUAGES[code].folder / "words.toml").read_text("utf-8")
        (tmp_path / code / "words.toml").write_text(words, "utf-8")
    own = {code: languages._load(tmp_path / code) for code in COMPLETE}
    monkeypatch.setattr(languages, "LANGUAGES", own)
    with pytest.raises(ConfigError, match=rf"zh/trial.toml .*\b{named}\b"):
        sayings("trial", "en")


def test_counts_choose_their_words_and_lists_their_separators() -> None:
    one, two = (say("tasks.apart", "en", count=n) for n in (1, 1200))
    assert one.startswith("1 more passage holds these words, but not")
    assert two.startswith("1,200 more passages hold these words, but not")
    assert say("answers.absent", "en", words=["wage", "pay"]).endswith(": wage, pay")
    assert say("answers.absent", "zh", words=["工资", "薪"]).endswith("：工资、薪")


def test_what_is_put_in_is_never_read_as_a_format() -> None:
    said = say("answers.part", "en", question="{reason} | {0}", reason="a|b {x!r}")
    assert said == "{reason} | {0} (a|b {x!r})"
