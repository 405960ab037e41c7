"""Groups of tabular learners for tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tacit.agents.tabular.config import QLearningConfig as Q
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.registry import make_market

PUBLISHER = {"publisher": True, "bids": 4, "observe": "price"}


def group(config=None, agents=None, seed=0, table=None, **keys) -> TabularGroup:
    """A group of default learners; `agents` by seat name replaces some of them."""
    market = make_market("ad_auction", config)
    agents = {seat.name: Q() for seat in market.seats} | (agents or {})
    return TabularGroup(market, kpi.resolve(market, table), agents, seed, **keys)


def everybody(config: Q) -> dict[str, Q]:
    """The same config for two bidders."""
    return {"bidder_0": config, "bidder_1": config}


def copied(each: TabularGroup) -> dict[str, np.ndarray]:
    """A group's state, copied once more: independent of whether `state()` copies."""
    return {name: array.copy() for name, array in each.state().items()}


# --- rounds that are looked up ------------------------------------------------------------------

CALLS = (1, 2, 300, 700, 255)  # rounds of successive calls


def assert_same(one: TabularGroup, two: TabularGroup) -> None:
    """Everything that changes, by its bits, so that 0.0 is not -0.0."""
    bits = [{k: v.tobytes() for k, v in each.state().items()} for each in (one, two)]
    assert [k for k in bits[0] if bits[0][k] != bits[1][k]] == []
    settings = [each.seed_state.q_arrays.settings.tobytes() for each in (one, two)]
    assert settings[0] == settings[1]


def assert_runs_alike(one: TabularGroup, two: TabularGroup) -> None:
    """Both play the same rounds, call after call."""
    for rounds in CALLS:
        assert one.run(rounds) == two.run(rounds) == rounds
        assert_same(one, two)


def assert_stop_alike(one: TabularGroup, two: TabularGroup) -> None:
    """Both stop by themselves, in the same round."""
    assert one.run(100_000) == two.run(100_000) < 100_000
    assert one.stopped
    assert_same(one, two)
    assert one.run(50) == two.run(50) == 1  # a stopped group plays a round to see that it is
    assert_same(one, two)


def assert_resumed_alike(make: Callable[[str], TabularGroup], rounds: int) -> None:
    """Saved in the middle, a group that looks up or plays goes on as one that does the other.

    `make` makes a group with this `look_up`.
    """
    whole = make("never")
    whole.run(2 * rounds)
    for first, second in (("always", "never"), ("never", "always"), ("always", "always")):
        begun, resumed = make(first), make(second)
        begun.run(rounds)
        resumed.load(begun.state())
        resumed.run(rounds)
        assert_same(resumed, whole)


def figure_sums(group: TabularGroup) -> np.ndarray:
    """Sums of measures and scores since the last reading, float64 `[F]`."""
    arrays = group.seed_state.q_arrays
    return np.concatenate([arrays.measure_sums.ravel(), arrays.score_sums])
