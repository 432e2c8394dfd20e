"""A language is one folder: a made-up one of ten words is known, read, spoken, and falls back to English."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag import languages
from rag.answers.prompt import instructions
from rag.errors import ConfigError

WORDS = r"""
name = "Velish"
months = [[], [], ["morsk", "mor"], [], ["vei"]]
numerals = [[7, "siebun"]]
scales = [[1000, "tusun"]]
time_units = [["1 day", "taag"]]
stop_words = "zur ol ke"
ends = '‡'
asking = '\bwanik\b'

[expects]
date = '\bwanik\b'
"""
SAYS = """
[answers]
refused = "Ne treft: {documents} skrifs, {passages} stucks."
"""
# In a process of its own: the patterns of readers are the union of the languages when they are imported.
ASK = """
import json, sys
from pathlib import Path
from rag import languages
velish = languages.register(Path(sys.argv[1]))
from rag.answers.prompt import instructions
from rag.assistant import Assistant
from rag.facts.quantities import extract
from rag.languages.text import sentences
from rag.questions.expects import read_wording
from tests.fakes import FakeEmbedder
from tests.indexing import document, new_index, put
from ui import LANGUAGES
index = new_index(Path(sys.argv[2]) / "index")
put(index.store, document("lease.md", ["The lease begins on 5 Morsk 2021. Ol flut wird betalt."]))
read = read_wording("Wanik beginnt ol lease, zur Morsk 2021?")
answer = Assistant(index=index).ask("Wanik zur ol zeppelin ke?")
print(json.dumps({
    "name": LANGUAGES["ve"].code + " " + velish.name,
    "language": read.language,
    "expects": read.expects,
    "periods": [(p.year, p.ended) for p in read.periods],
    "values": [(q.text, str(q.value), q.unit) for q in extract("Ol flut wird zur siebun taag betalt")],
    "date": [q.text for q in extract("zur 5 Morsk 2021")],
    "english": read_wording("When does the lease begin?").language,
    "sentences": len(sentences("Ol flut wird betalt‡ Zur taag. The lease ends.")),
    "verdict": answer.verdict,
    "text": answer.text,
    "reason": answer.reason,
    "page": LANGUAGES["ve"].ask,
    "model": instructions("ve") == instructions("en"),
}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages") / "ve"
    folder.mkdir()
    (folder / "words.toml").write_text(WORDS, "utf-8")
    (folder / "says.toml").write_text(SAYS, "utf-8")
    return folder


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", ASK, str(folder), str(folder.parent)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[2])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_question_in_a_language_of_ten_words_is_known_and_read(asked: dict[str, Any]) -> None:
    assert (asked["language"], asked["english"]) == ("ve", "en")
    assert asked["expects"] == "date"
    assert [year for year, _ in asked["periods"]] == [2021]
    assert asked["sentences"] == 3


def test_its_dates_numerals_and_units_are_values(asked: dict[str, Any]) -> None:
    assert asked["date"] == ["5 Morsk 2021"]
    assert asked["values"] == [["siebun taag", "7", "day"]]


def test_an_answer_speaks_its_words_and_english_where_it_has_none(asked: dict[str, Any]) -> None:
    assert asked["verdict"] == "absent"
    assert asked["text"] == "Ne treft: 1 skrifs, 1 stucks."
    assert "in no document searched: zeppelin" in asked["reason"]


def test_a_model_is_asked_in_english_where_it_does_not_say_how(asked: dict[str, Any]) -> None:
    assert asked["model"] is True


def test_a_file_of_how_a_model_is_asked_that_lacks_something_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_known", lambda known=dict(languages.LANGUAGES): known)
    (tmp_path / "words.toml").write_text('name = "Bald"', "utf-8")
    (tmp_path / "reading.toml").write_text('system = "Ol."', "utf-8")
    monkeypatch.setitem(languages._known(), "xy", languages.register(tmp_path))
    with pytest.raises(ConfigError, match=r"reading\.toml"):
        instructions("xy")


def test_the_page_offers_it_in_english_until_it_has_words(asked: dict[str, Any]) -> None:
    assert asked["name"] == "ve Velish" and asked["page"] == "Ask"


@pytest.mark.parametrize(
    ("words", "named"), [('moths = [["a"]]', "moths"), ("months = [", "words.toml"), ("", "")]
)
def test_a_file_that_no_language_has_is_an_error_that_names_it(
    words: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_known", lambda known=dict(languages.LANGUAGES): known)
    (tmp_path / "words.toml").write_text(words, "utf-8")
    if named:
        with pytest.raises(ConfigError, match=named):
            languages.register(tmp_path)
    else:
        assert languages.register(tmp_path).name == tmp_path.name
