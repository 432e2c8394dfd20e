"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# The first example of a property may load jieba's dictionary, and machines are noisy: time is measured by
# benchmarks, not by deadlines.
settings.register_profile("citewise", deadline=None)
settings.load_profile("citewise")
