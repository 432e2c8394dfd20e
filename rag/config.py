"""Settings: defaults < `citewise.toml` < environment (`CITEWISE_*`) < flags. The engine below takes values,
not this object.

The file is `citewise.toml` in the working folder, or the one that the environment variable CITEWISE_CONFIG
names. Paths in it are relative to the folder it stands in. Environment variables are the field names in
capitals, `CITEWISE_TOP_K=5`."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from rag.errors import ConfigError

FILE_NAME = "citewise.toml"
FILE_VARIABLE = "CITEWISE_CONFIG"
PREFIX = "CITEWISE_"


UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
"""A path in which a leading ~ stands for the home folder."""
Text = Annotated[str, Field(min_length=1)]


def default_cache_dir() -> Path:
    """Where models that were fetched or converted are kept, by the customs of the platform."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("citewise"))


class ModelSpec(BaseModel):
    """A model under a name of the user's own: a file or folder that is already here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: UserPath
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")


class Config(BaseSettings):
    """Every setting, flat. What is allowed for each stands in settings.toml beside this module and in
    docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, protected_namespaces=()
    )

    index: UserPath = Path("indexes/default")
    embedder: Text = "auto"
    llm: Text = "auto"
    llm_model: str = ""
    llm_api_key: str = Field("", repr=False)
    allow_remote: bool = False
    cache_dir: UserPath = Field(default_factory=default_cache_dir)
    models: dict[str, ModelSpec] = Field(default_factory=dict)
    lexicons: tuple[UserPath, ...] = ()
    top_k: int = Field(8, ge=1, le=100)
    max_evidence: int = Field(6, ge=1, le=50)
    threshold: float | None = Field(None, ge=0, le=1)
    max_tokens: int = Field(64, ge=1, le=8192)
    parallel: int = Field(1, ge=1, le=64)
    threads: int = Field(0, ge=0, le=1024)
    workers: int = Field(0, ge=0, le=1024)
    file_timeout: float = Field(120, gt=0)
    file_memory_mb: int = Field(2048, ge=256)
    max_file_mb: int = Field(200, ge=1)
    ui_host: Text = "127.0.0.1"
    ui_port: int = Field(7860, ge=0, le=65535)
    ui_user: Text = "citewise"
    ui_password: str = Field("", repr=False)

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = sources["init_settings"], sources["env_settings"]
        return *given, InitSettingsSource(settings_cls, _read_file(config_file()))


def config_file() -> Path | None:
    """The settings file in force, or None. Raises ConfigError where CITEWISE_CONFIG names a file that is
    not there."""
    if named := os.environ.get(FILE_VARIABLE, ""):
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigError(f"{FILE_VARIABLE} names {path}, which is not a file. Correct it, or unset it.")
        return path
    return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f'{path} is not valid TOML: {error}. Text values need quotes: llm = "none".'
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    anchored: dict[str, Any] = _anchor(values, path.parent)
    return anchored


def _anchor(value: Any, folder: Path, key: str = "") -> Any:
    """The same values with the paths in them relative to the file's folder instead of the working folder."""
    if isinstance(value, dict):
        return {name: _anchor(held, folder, name) for name, held in value.items()}
    if isinstance(value, list) and key == "lexicons":
        return [str(folder / Path(v).expanduser()) if isinstance(v, str) and v else v for v in value]
    if isinstance(value, str) and value and key in ("index", "cache_dir", "path"):
        return str(folder / Path(value).expanduser())
    return value


def load_config(**flags: Any) -> Config:
    """The settings in force. Flags that are None count as not given.

    Raises ConfigError naming the file, variable or flag, the key, the value and what is allowed."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Config(**given)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, given) for e in error.errors())) from error
    except SettingsError as error:
        raise ConfigError(
            f"The environment cannot be used: {error}. Tables must be written as JSON there."
        ) from error


def _explain(error: Mapping[str, Any], flags: Mapping[str, Any]) -> str:
    location = [str(part) for part in error["loc"]]
    key, where = ".".join(location), _origin(location[0] if location else "", flags)
    if error["type"] == "extra_forbidden":
        fields = ModelSpec.model_fields if len(location) > 1 else Config.model_fields
        near = difflib.get_close_matches(location[-1], fields, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{where}: there is no setting {key}.{hint} Allowed: {', '.join(sorted(fields))}."
    secret = key in ("llm_api_key", "ui_password")
    value = "(hidden)" if secret else repr(error.get("input"))
    texts = tomllib.loads(Path(__file__).with_name("settings.toml").read_text("utf-8"))
    own = texts["spec"].get(location[2]) if len(location) > 2 and location[0] == "models" else None
    allowed = own or (texts.get(location[0]) if location else None)
    allowed = f" Allowed: {allowed}." if allowed else ""
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{where}: {key} = {value} cannot be used: {message[:1].lower()}{message[1:]}.{allowed}"


def _origin(key: str, flags: Mapping[str, Any]) -> str:
    """Where the value in force came from, in the reader's words."""
    if key in flags:
        return f"--{key.replace('_', '-')}"
    if os.environ.get(PREFIX + key.upper()):
        return f"environment variable {PREFIX}{key.upper()}"
    return str(config_file() or "settings")
