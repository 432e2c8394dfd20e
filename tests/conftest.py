"""What holds for every test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.files import ROOT

if TYPE_CHECKING:
    from ui.handlers import Handlers

# The first example of a property may load jieba's dictionary, and machines are noisy: time is measured by
# benchmarks, not by deadlines.
settings.register_profile("citewise", deadline=None)
settings.load_profile("citewise")

# What the scripts share is a module beside them.
sys.path.insert(0, str(ROOT / "scripts"))

# The smallest models unless a test asks for the default one (`reader`) or clears the environment.
os.environ.setdefault("CITEWISE_LLM", "embedded")
os.environ.setdefault("CITEWISE_EMBEDDER", "embedded")


@pytest.fixture(scope="session")
def reader() -> str:
    """The name of this machine's default reader, which `make test` fetches once."""
    from rag.config import default_cache_dir
    from rag.models.registry import default_reader, machine_memory_mb, pulled_file

    model = default_reader(machine_memory_mb())
    if not pulled_file(model.name, default_cache_dir()):
        pytest.skip(f"{model.name} is not here; run: citewise models pull")
    return model.name


@pytest.fixture
def handlers(tmp_path: Path) -> Iterator[Handlers]:
    """The page's handlers over the fakes."""
    from tests.page_fakes import make_workspace
    from ui.handlers import Handlers

    workspace, _ = make_workspace(tmp_path)
    made = Handlers(workspace, default_index="contracts")
    yield made
    made.pictures.close()
