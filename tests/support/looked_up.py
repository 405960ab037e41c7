"""What tests of rounds that are looked up compare."""

from __future__ import annotations

import numpy as np

from tacit.agents.tabular.group import TabularGroup

CALLS = (1, 2, 300, 700, 255)  # rounds of successive calls


def assert_same(one: TabularGroup, two: TabularGroup) -> None:
    """Everything that changes, by its bits, so that 0.0 is not -0.0."""
    bits = [{k: v.tobytes() for k, v in each.state().items()} for each in (one, two)]
    assert [k for k in bits[0] if bits[0][k] != bits[1][k]] == []
    settings = [each.seed_state.q_arrays.settings.tobytes() for each in (one, two)]
    assert settings[0] == settings[1]


def figure_sums(group: TabularGroup) -> np.ndarray:
    """Sums of measures and scores since the last reading, float64 `[F]`."""
    arrays = group.seed_state.q_arrays
    return np.concatenate([arrays.measure_sums.ravel(), arrays.score_sums])
