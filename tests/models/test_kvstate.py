"""What is kept behind the instructions, in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.models.native import Prefixes

TOKENS = list(range(40))
BELONGS = {"model": "abc", "build": "1"}


def stored(folder: Path, **changes: str) -> Prefixes:
    return Prefixes(folder, BELONGS | changes)


def test_state_is_found_again_by_another_process(tmp_path: Path) -> None:
    first = stored(tmp_path)
    first.put(TOKENS, b"state")
    assert stored(tmp_path).get(TOKENS) == b"state"


@pytest.mark.parametrize("changes", [{"model": "other"}, {"build": "2"}])
def test_state_of_another_model_or_build_is_not_used(tmp_path: Path, changes: dict[str, str]) -> None:
    first = stored(tmp_path)
    first.put(TOKENS, b"state")
    assert stored(tmp_path, **changes).get(TOKENS) is None


def test_state_of_other_tokens_is_not_used(tmp_path: Path) -> None:
    first = stored(tmp_path)
    first.put(TOKENS, b"state")
    assert first.get([*TOKENS[:-1], 7]) is None


@pytest.mark.parametrize("damage", [b"", b"\x00", b"citewise prefix 1\n", None])
def test_damaged_file_is_not_used_and_is_replaced(tmp_path: Path, damage: bytes | None) -> None:
    first = stored(tmp_path)
    first.put(TOKENS, b"state" * 100)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-3] + b"xyz" if damage is None else damage)
    again = stored(tmp_path)
    assert again.get(TOKENS) is None
    again.put(TOKENS, b"state" * 100)
    assert file.read_bytes() == whole


def test_folder_that_cannot_be_written_costs_nothing_but_the_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    states = stored(tmp_path / "file")
    states.put(TOKENS, b"state")
    assert states.get(TOKENS) is None


def test_short_beginnings_are_not_kept(tmp_path: Path) -> None:
    stored(tmp_path).put(TOKENS[:8], b"state")
    assert stored(tmp_path).get(TOKENS[:8]) is None


def test_files_do_not_add_up(tmp_path: Path) -> None:
    states = stored(tmp_path)
    for n in range(40):
        states.put([*TOKENS, n], b"state")
        assert len(list(tmp_path.iterdir())) < 30
    assert stored(tmp_path).get([*TOKENS, 39]) == b"state"
