"""A user's own lexicon: from the settings to the passages found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.config import load_config
from rag.domains import load_domains
from rag.errors import ConfigError
from rag.index import Index, open_index
from rag.languages.lexicon import expand, load
from rag.search.evidence import select
from tests.fakes import FakeEmbedder
from tests.indexing import document, new_index, put

QUESTION = "What did the handshake deal change?"
WORDS = '[[entry]]\nlay = ["handshake deal"]\nterms = ["ancillary undertaking"]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with an index and a lexicon."""
    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.toml").write_text(WORDS)
    others = [document(f"{n}.pdf", [f"The committee met in room {n}."]) for n in range(6)]
    with new_index(tmp_path / "index") as index:
        put(index.store, document("aside.pdf", ["The ancillary undertaking moved the closing day."]), *others)
    return tmp_path


def opened(folder: Path, **more: Sequence[Path | str]) -> Index:
    return open_index(folder / "index", embedder=FakeEmbedder(), domains=load_domains(**more))


def test_a_word_of_the_users_own_lexicon_finds_the_passage_that_only_says_it_professionally(
    folder: Path,
) -> None:
    with opened(folder) as without, opened(folder, lexicons=["words.toml"]) as own:
        assert [h.document.path for h in without.search(QUESTION)] == []
        hits = own.search(QUESTION)
        assert hits[0].document.path == "aside.pdf"
        assert (
            select(own.understand(QUESTION), hits, own)
            .evidence[0]
            .text.startswith("The ancillary undertaking")
        )


@pytest.mark.parametrize(
    ("content", "message"), [("[[entry", "declaration"), ("[[other]]\na = 1\n", "Write an entry as")]
)
def test_a_bad_file_is_refused_when_the_index_is_opened(folder: Path, content: str, message: str) -> None:
    (folder / "bad.toml").write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        opened(folder, lexicons=["bad.toml"])
    assert "bad.toml" in str(caught.value)
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        opened(folder, lexicons=["gone.toml"])


def test_paths_in_the_settings_file_are_relative_to_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "citewise.toml").write_text('lexicons = ["words.toml"]\n')
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("CITEWISE_CONFIG", str(folder / "citewise.toml"))
    config = load_config()
    assert config.lexicons == (folder / "words.toml",)


def test_one_path_instead_of_a_list_is_told_with_what_to_write(folder: Path) -> None:
    (folder / "citewise.toml").write_text('lexicons = "words.toml"\n')
    with pytest.raises(ConfigError, match=r'\["words\.toml"\]'):
        load_config()


def test_a_command_with_a_bad_lexicon_ends_with_two_and_names_it(folder: Path) -> None:
    (folder / "words.toml").write_text("[[entry]]\nlay = []\n")
    (folder / "citewise.toml").write_text('lexicons = ["words.toml"]\n')
    result = CliRunner().invoke(app, ["search", "notice", "--index", "index"])
    assert result.exit_code == 2
    assert "words.toml" in result.stderr


def test_the_documented_example_is_a_file_that_works(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in guide.split("```toml\n")[1:]]
    (words,) = [b for b in blocks if "[[entry]]" in b]
    (tmp_path / "w.toml").write_text(words, encoding="utf-8")
    assert "supplemental agreement" in expand("Was there a side letter?", load([tmp_path / "w.toml"]))
    assert "经济补偿" in expand("公司让我走人要给补偿吗", load([tmp_path / "w.toml"]))
