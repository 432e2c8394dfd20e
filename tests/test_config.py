from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import rag.config
from rag.config import Config, ModelSpec, load_config
from rag.errors import ConfigError


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings but the test's own: an empty working folder and no CITEWISE_ variables."""
    import os

    for name in [n for n in os.environ if n.startswith("CITEWISE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "citewise.toml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_anything_the_best_models_that_are_here_are_used_and_nothing_remote() -> None:
    config = load_config()
    assert (config.embedder, config.llm, config.allow_remote) == ("auto", "auto", False)
    assert config.ui_host == "127.0.0.1"
    assert config.threshold is None


def test_file_beats_default_environment_beats_file_and_flag_beats_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_config().top_k == 8
    write("top_k = 5")
    assert load_config().top_k == 5
    monkeypatch.setenv("CITEWISE_TOP_K", "6")
    assert load_config().top_k == 6
    assert load_config(top_k=7).top_k == 7


def test_a_flag_that_is_none_counts_as_not_given() -> None:
    write("top_k = 5")
    assert load_config(top_k=None).top_k == 5


def test_an_empty_variable_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_TOP_K", "")
    assert load_config().top_k == 8


def test_error_in_the_file_names_file_key_value_and_what_is_allowed() -> None:
    write("top_k = 0")
    with pytest.raises(ConfigError) as caught:
        load_config()
    message = str(caught.value)
    assert "citewise.toml" in message
    assert "top_k = 0" in message
    assert "1 to 100" in message


def test_error_in_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_THRESHOLD", "high")
    with pytest.raises(ConfigError, match=r"CITEWISE_THRESHOLD: threshold = 'high'.*0 to 1"):
        load_config()


def test_error_in_a_flag_names_the_flag() -> None:
    with pytest.raises(ConfigError, match=r"--ui-port: ui_port = 70000.*65535"):
        load_config(ui_port=70000)


def test_unknown_key_names_the_nearest_one() -> None:
    write("treshold = 0.5")
    with pytest.raises(
        ConfigError, match=r"citewise\.toml: there is no setting treshold\..*mean threshold\?"
    ):
        load_config()


def test_every_error_of_a_file_is_reported_at_once() -> None:
    write("top_k = 0\nmax_tokens = -1")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert len(str(caught.value).splitlines()) == 2


def test_broken_toml_names_the_file_and_the_line() -> None:
    write("index = \n")
    with pytest.raises(ConfigError, match=r"citewise\.toml is not valid TOML: .*line 1"):
        load_config()


def test_file_that_is_not_utf8_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "citewise.toml").write_bytes('llm = "模型"'.encode("gb18030"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config()


def test_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "citewise.toml").write_bytes(b"\xef\xbb\xbftop_k = 3")
    assert load_config().top_k == 3


def test_named_file_that_is_absent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_CONFIG", "nowhere/settings.toml")
    with pytest.raises(ConfigError, match=r"CITEWISE_CONFIG names nowhere/settings\.toml"):
        load_config()


def test_paths_in_a_named_file_are_relative_to_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('index = "indexes/law"\n[models.big]\npath = "big.gguf"', "elsewhere/settings.toml")
    monkeypatch.setenv("CITEWISE_CONFIG", str(path))
    config = load_config()
    assert config.index == Path("elsewhere/indexes/law")
    assert config.models["big"].path == Path("elsewhere/big.gguf")


def test_tilde_in_a_path_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/reader")
    write('index = "~/law"')
    assert load_config().index == Path("/home/reader/law")
    assert load_config(index=Path("~/tax")).index == Path("/home/reader/tax")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('path = "m.gguf"\nurl = "https://example.org/m.gguf"', "no setting"),
        ('sha256 = "' + "0" * 64 + '"', "path"),
        ('path = "m.gguf"\nsha256 = "abc"', "64 lower-case"),
        ('path = "m.gguf"\nsha265 = "abc"', "sha256"),
    ],
)
def test_model_table_that_cannot_be_used_is_explained(table: str, problem: str) -> None:
    write(f"[models.big]\n{table}")
    with pytest.raises(ConfigError, match=problem) as caught:
        load_config()
    assert "models.big" in str(caught.value)


def test_configured_model_keeps_its_path_and_hash() -> None:
    write(f'[models.big]\npath = "m.gguf"\nsha256 = "{"a" * 64}"')
    assert load_config().models["big"] == ModelSpec(path=Path("m.gguf"), sha256="a" * 64)


def test_malformed_json_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITEWISE_MODELS", "{not json")
    with pytest.raises(ConfigError, match="JSON"):
        load_config()


@pytest.mark.parametrize("name", ["llm_api_key", "ui_password"])
def test_secrets_are_not_shown(name: str) -> None:
    assert "s3cret" not in repr(load_config(**{name: "s3cret"}))
    with pytest.raises(ConfigError) as caught:
        load_config(**{name: ["s3cret"]})
    assert "s3cret" not in str(caught.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    config = load_config()
    with pytest.raises(ValidationError, match="frozen"):
        config.top_k = 3  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    missing = [name for name in Config.model_fields if f"`{name}`" not in page]
    assert not missing


def test_every_setting_says_what_is_allowed() -> None:
    texts = tomllib.loads(Path(rag.config.__file__).with_name("settings.toml").read_text("utf-8"))
    assert set(texts.pop("spec")) == set(ModelSpec.model_fields)
    assert set(texts) == set(Config.model_fields)
