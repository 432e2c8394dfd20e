"""`citewise models tune`: the search, what it keeps, and that nothing half-made is left or used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import tuned, tuning_models
from rag.checksum import sha256_file
from rag.doctor import examine
from rag.errors import ModelError, StorageError
from rag.fastest import Candidate, Search, Shape, Timing, thread_counts
from rag.formats import expected_bytes, make
from rag.generation import EngineSettings
from rag.llm import load_llm
from rag.models import find_llm
from rag.tuned import SOURCE, Tuned, find_tuned, read_record, record_path, write_record
from rag.tuning_models import Quality, tune_model

# ------------------------------------------------------------------ the search, over a made-up machine

Factors = Callable[[Candidate], tuple[float, float]]
BASE = {SOURCE: (0.004, 0.02), "Q8_0": (0.002, 0.015), "F16": (0.001, 0.04)}


class Machine:
    """Seconds a token by format (prompt, answer); settings multiply them. Time passes as it is spent."""

    def __init__(self, factors: Factors = lambda _: (1.0, 1.0)) -> None:
        self.now = 0.0
        self.factors = factors
        self.asked: list[Candidate] = []

    def time(self, candidate: Candidate, shape: Shape) -> Timing:
        self.asked.append(candidate)
        read, write = BASE[candidate.format]
        more, longer = self.factors(candidate)
        timing = Timing(read * more * (shape.prompt - shape.prefix), write * longer * (shape.answer - 1))
        self.now += timing.prefill + timing.decode
        return timing

    def search(self, seconds: float = 600.0, cores: int = 4, physical: int = 2) -> Search:
        return Search(
            self.time,
            Candidate(SOURCE),
            cores=cores,
            physical=physical,
            seconds=seconds,
            clock=lambda: self.now,
        )


def test_the_format_with_the_shortest_answer_is_chosen_and_its_seconds_are_those_of_the_usual_shape() -> None:
    outcome = Machine().search().run(["Q8_0", "F16"])
    assert outcome.chosen == Candidate("Q8_0")
    assert outcome.default_seconds == pytest.approx(210 * 0.004 + 59 * 0.02)
    assert outcome.chosen_seconds == pytest.approx(210 * 0.002 + 59 * 0.015)


def test_reading_and_writing_get_the_threads_that_each_likes_best() -> None:
    def factors(c: Candidate) -> tuple[float, float]:
        return 4 / (c.settings.threads_batch or 4), abs((c.settings.threads or 4) - 2) + 1

    outcome = Machine(factors).search().run([])
    assert outcome.chosen.settings == EngineSettings(threads=2, threads_batch=0)


def test_flash_attention_and_slices_are_kept_where_they_help() -> None:
    def factors(c: Candidate) -> tuple[float, float]:
        flash = 0.5 if c.settings.flash_attention else 1.0
        return flash * (0.5 if c.settings.slice_tokens == 64 else 1.0), flash

    chosen = Machine(factors).search().run([]).chosen.settings
    assert (chosen.flash_attention, chosen.slice_tokens) == (True, 64)


def test_no_slice_is_tried_that_a_stop_would_wait_long_for() -> None:
    machine = Machine()
    machine.search().run([])
    longest = max(c.settings.slice_tokens for c in machine.asked)
    assert longest * BASE[SOURCE][0] <= 0.3
    assert longest > 32


def test_a_gain_below_the_noise_is_not_taken() -> None:
    turn = iter(range(10**6))

    def factors(c: Candidate) -> tuple[float, float]:
        noisy = 0.8 if next(turn) % 2 else 1.2
        return (noisy * 0.97, noisy * 0.97) if c.settings.flash_attention else (noisy, noisy)

    outcome = Machine(factors).search().run([])
    assert outcome.chosen == Candidate(SOURCE)
    assert outcome.chosen_seconds == outcome.default_seconds
    assert outcome.noise > 0.05


def test_candidates_of_a_stage_take_turns() -> None:
    machine = Machine()
    machine.search().run(["Q8_0", "F16"])
    formats = [c.format for c in machine.asked[2:11]]
    assert all(set(formats[i : i + 3]) == set(BASE) for i in (0, 3, 6))
    assert formats[:3] != formats[3:6]


def test_what_crashes_is_left_out_and_named() -> None:
    machine = Machine()

    def crashing(candidate: Candidate, shape: Shape) -> Timing:
        if candidate.settings.flash_attention:
            raise ModelError("llama.cpp crashed with it (exit code -11)")
        return machine.time(candidate, shape)

    search = Search(crashing, Candidate(SOURCE), cores=2, physical=2, seconds=600, clock=lambda: machine.now)
    outcome = search.run(["Q8_0"])
    assert outcome.chosen.format == "Q8_0"
    assert any("exit code -11" in note for note in outcome.notes)


def test_a_model_that_cannot_be_run_is_an_error() -> None:
    def broken(candidate: Candidate, shape: Shape) -> Timing:
        raise ModelError("not a model")

    with pytest.raises(ModelError, match="as it is: not a model"):
        Search(broken, Candidate(SOURCE), cores=1, physical=1, seconds=10).run([])


@given(seconds=st.floats(1, 2000), slow=st.floats(0.2, 60))
def test_the_time_given_is_about_kept_and_the_defaults_are_always_measured(
    seconds: float, slow: float
) -> None:
    machine = Machine(lambda _: (slow, slow))
    outcome = machine.search(seconds).run(["Q8_0", "F16"])
    finals = [row for row in outcome.rows if row.stage == "finals"]
    assert finals[0].candidate == Candidate(SOURCE)
    assert all(row.runs >= 3 for row in finals)
    one = slow * (210 * 0.004 + 59 * 0.02)
    assert machine.now <= seconds + 40 * one


@given(cores=st.integers(1, 256), physical=st.integers(1, 256))
def test_thread_counts_are_within_the_cores_and_hold_all_of_them(cores: int, physical: int) -> None:
    counts = thread_counts(cores, min(physical, cores))
    assert {1, cores, min(physical, cores)} <= set(counts)
    assert all(1 <= n <= cores for n in counts)
    assert len(counts) <= 5


# ------------------------------------------------------------------ what is kept


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "small.Q4_1.gguf"
    path.write_bytes(b"GGUF" + bytes(1000))
    return path


def record(source: Path, cache: Path, **changes: object) -> Tuned:
    """A record with a made file that is there."""
    made = tuned.folder(cache) / f"{sha256_file(source)[:12]}-1-Q8_0.gguf"
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(b"GGUF made")
    value = Tuned(
        source=source.name,
        sha256=sha256_file(source),
        processor=tuned.processor(),
        llama=tuned.llama_version(),
        format="Q8_0",
        file=made,
        file_sha256=sha256_file(made),
        settings=EngineSettings(threads=1, flash_attention=True, slice_tokens=64),
        default_seconds=2.0,
        tuned_seconds=1.5,
        noise=0.01,
        agreement=0.95,
        made="2026-01-01T00:00:00+00:00",
    )
    return replace(value, **changes)  # type: ignore[arg-type]


def test_a_record_comes_back_as_it_was_written(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    written = record(source, cache)
    write_record(written, cache)
    assert find_tuned(source, cache) == written
    assert written.saved_seconds == 0.5
    assert written.file_sha256[:12] in written.name
    assert "Q8_0" in written.name
    itself = replace(written, format=SOURCE, file=source, file_sha256=written.sha256)
    write_record(itself, cache)
    assert find_tuned(source, cache) == itself
    assert itself.name == "small.Q4_1"


def test_a_record_of_another_processor_or_llama_cpp_does_not_apply(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    write_record(record(source, cache), cache)
    with monkeypatch.context() as patch:
        patch.setattr(tuned, "processor", lambda: "another, 64 cores")
        assert read_record(source, cache) is None
    with monkeypatch.context() as patch:
        patch.setattr(tuned, "llama_version", lambda: "99")
        assert read_record(source, cache) is None
    source.write_bytes(b"GGUF another model")
    os.utime(source, ns=(1, 1))
    assert read_record(source, cache) is None


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_made_file_that_is_not_the_measured_one_is_not_run(source: Path, tmp_path: Path, harm: str) -> None:
    cache = tmp_path / "cache"
    written = record(source, cache)
    write_record(written, cache)
    if harm == "gone":
        written.file.unlink()
    else:
        written.file.write_bytes(b"GGUF evil")
        os.utime(written.file, ns=(1, 1))
    assert find_tuned(source, cache) is None
    assert "run citewise models tune again" in tuned.describe(source, cache)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"record": 1}', '{"record": 9}', "null", "\x00\xff"])
def test_a_record_that_cannot_be_read_is_as_none(source: Path, tmp_path: Path, text: str) -> None:
    cache = tmp_path / "cache"
    path = record_path(sha256_file(source), cache)
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    assert find_tuned(source, cache) is None


def test_a_record_cannot_point_out_of_the_cache(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    path = write_record(record(source, cache), cache)
    values = json.loads(path.read_text())
    values["file"] = "../../etc/passwd"
    path.write_text(json.dumps(values))
    found = read_record(source, cache)
    assert found is not None
    assert found.file.parent == tuned.folder(cache)
    assert find_tuned(source, cache) is None


def test_reset_deletes_records_and_files_of_this_model_alone(source: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    write_record(record(source, cache), cache)
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF other")
    write_record(record(other, cache), cache)
    gone = tuned.reset(sha256_file(source), cache)
    assert len(gone) == 2
    assert find_tuned(source, cache) is None
    assert find_tuned(other, cache) is not None


@pytest.mark.parametrize(
    ("loss", "agreement", "good"),
    [(-0.005, 0.94, True), (0.02, 0.9, True), (0.17, 0.63, False), (0.0, 0.8, False), (0.03, 0.99, False)],
)
def test_only_a_format_that_writes_no_worse_is_good(loss: float, agreement: float, good: bool) -> None:
    assert Quality("Q8_0", loss, agreement).good is good


# ------------------------------------------------------------------ the real thing


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return find_llm("embedded", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def kept(embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuning_models.ModelTuning]:
    """A cache in which the embedded model was tuned, in seconds: for the way, not for the numbers."""
    cache = tmp_path_factory.mktemp("tuned")
    return cache, tune_model(embedded, cache, seconds=1.0)


@pytest.mark.models
def test_a_real_run_measures_every_format_and_leaves_only_what_it_keeps(
    embedded: Path, kept: tuple[Path, tuning_models.ModelTuning]
) -> None:
    cache, found = kept
    assert {q.format for q in found.quality} == {"Q4_0", "Q8_0", "F16"}
    by_format = {q.format: q for q in found.quality}
    assert by_format["Q8_0"].good
    assert by_format["F16"].good
    assert not by_format["Q4_0"].good
    assert {r.candidate.format for r in found.outcome.rows} == {SOURCE, "Q8_0", "F16"}
    files = {p.name for p in tuned.folder(cache).iterdir()} - {".lock"}
    expected = {record_path(found.tuned.sha256, cache).name}
    if found.tuned.format != SOURCE:
        expected.add(found.tuned.file.name)
    assert files == expected
    assert find_tuned(embedded, cache) == found.tuned


@pytest.mark.models
def test_what_was_found_runs_and_the_name_says_which_file(embedded: Path, tmp_path: Path) -> None:
    folder = tuned.folder(tmp_path)
    made = make(embedded, "Q8_0", folder, sha256_file(embedded)[:12], expected=1, threads=1)
    assert made.sha256 == sha256_file(made.file)
    value = record(embedded, tmp_path, file=made.file, file_sha256=made.sha256)
    write_record(value, tmp_path)
    with_tuned = load_llm("embedded", cache_dir=tmp_path)
    without = load_llm("embedded", cache_dir=tmp_path, tuned=False)
    assert with_tuned is not None
    assert without is not None
    assert (with_tuned.info.name, with_tuned.info.fingerprint) == (value.name, made.sha256)
    assert (without.info.name, without.info.fingerprint) == (embedded.stem, value.sha256)
    with_tuned.close()
    without.close()


@pytest.mark.models
def test_doctor_says_how_the_model_runs(kept: tuple[Path, tuning_models.ModelTuning]) -> None:
    from rag.config import load_config

    cache, found = kept
    for used in (True, False):
        config = load_config(cache_dir=cache, tuned_models=used, index=cache / "none")
        check = next(c for c in examine(config) if c.name == "language model")
        assert found.tuned.summary in check.value
        assert ("switched off" in check.value) is not used


@pytest.mark.models
def test_a_full_disk_leaves_nothing(embedded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.formats._quantize", _fill_then_fail)
    with pytest.raises(StorageError, match="Free some space"):
        make(embedded, "Q8_0", tmp_path / "tuned", "x", expected=1, threads=1)
    assert list((tmp_path / "tuned").iterdir()) == []
    with pytest.raises(StorageError, match="MB free"):
        make(embedded, "F16", tmp_path / "tuned", "x", expected=1 << 60, threads=1)


def _fill_then_fail(source: Path, target: Path, ftype: int, threads: int) -> None:
    target.write_bytes(b"half")
    raise OSError(28, "No space left on device")


@pytest.mark.models
def test_an_interrupted_run_leaves_no_made_file_and_no_record(embedded: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.tuning_models import tune_model\n"
        f"tune_model(Path({str(embedded)!r}), Path({str(tmp_path)!r}), seconds=600)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True)
    folder = tuned.folder(tmp_path)
    until = time.monotonic() + 90
    while not list(folder.glob("*.gguf")) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(folder.glob("*.gguf"))
    child.send_signal(signal.SIGINT)
    assert child.wait(60) != 0
    assert {p.name for p in folder.iterdir()} <= {".lock"}


@pytest.mark.models
def test_what_a_killed_run_left_is_removed_by_the_next(embedded: Path, tmp_path: Path) -> None:
    folder = tuned.folder(tmp_path)
    folder.mkdir(parents=True)
    for name in (".making-x-Q8_0.gguf", "abc-9-F16.gguf"):
        (folder / name).write_bytes(b"left")
    named = record(embedded, tmp_path)
    write_record(named, tmp_path)
    with tuning_models._only_one(tmp_path):
        assert not (folder / ".making-x-Q8_0.gguf").exists()
        assert not (folder / "abc-9-F16.gguf").exists()
        assert named.file.exists()
        with pytest.raises(ModelError, match="in use"), tuning_models._only_one(tmp_path):
            raise AssertionError("two at once")


@pytest.mark.models
def test_a_file_that_is_no_model_is_an_error_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        tune_model(source, tmp_path / "cache", seconds=1.0)
    assert {p.name for p in tuned.folder(tmp_path / "cache").iterdir()} == {".lock"}


def test_expected_sizes_are_those_of_the_bits_a_weight() -> None:
    assert expected_bytes(100, 3, "F16") == 320
    assert expected_bytes(100, 3, "Q8_0") == 170
    assert expected_bytes(100, 12345, "Q4_0") > 0


def test_settings_of_a_record_are_those_of_the_engine() -> None:
    assert set(asdict(EngineSettings())) == {"threads", "threads_batch", "flash_attention", "slice_tokens"}
