"""What the tests share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

# Same examples on every run and machine; compilation makes the first one slow.
settings.register_profile("tacit", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("tacit")


@pytest.fixture
def luck() -> np.random.Generator:  # noqa: TID251 (not tacit's own draws: its tests must not lean on them)
    """A generator that always starts the same."""
    return np.random.default_rng(1729)  # noqa: TID251
