"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from ui.handlers import Handlers

# The first example of a property may load jieba's dictionary, and machines are noisy: time is measured by
# benchmarks, not by deadlines.
settings.register_profile("citewise", deadline=None)
settings.load_profile("citewise")


@pytest.fixture
def handlers(tmp_path: Path) -> Iterator[Handlers]:
    """The page's handlers over the fakes."""
    from tests.page_fakes import make_workspace
    from ui.handlers import Handlers

    workspace, _ = make_workspace(tmp_path)
    made = Handlers(workspace, default_index="contracts")
    yield made
    made.pictures.close()
