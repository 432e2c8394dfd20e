"""The embedded model, read once for the tests that train beside it."""

from pathlib import Path

import pytest

from rag.adapt.encoding import Encoder
from rag.adapt.weights import Base, read_base
from rag.config import default_cache_dir
from rag.models import find_llm


@pytest.fixture(scope="session")
def model_file() -> Path:
    return find_llm("embedded", default_cache_dir())


@pytest.fixture(scope="session")
def base(model_file: Path) -> Base:
    return read_base(model_file)


@pytest.fixture(scope="session")
def encoder(model_file: Path) -> Encoder:
    return Encoder(model_file)
