"""CPU time of each probe against the states that its market tells apart."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tacit.emergence.population import FrozenPopulation
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.training.outcome.probing import population_of
from tacit.training.studies.cost import PROBES as FIXED
from tacit.training.studies.cost import STATE, states

from .rounds import Q_LEARNER, arm_of

CASES = (
    ("cloud_bandwidth", {"prices": 5}),
    ("cloud_bandwidth", {"prices": 15}),
    ("cloud_bandwidth", {"prices": 30}),
    ("cloud_bandwidth", {"prices": 60}),
    ("ad_auction", {}),
    ("ad_auction", {"observe": "bids"}),
)
ROUNDS = 100_000  # that agents learn before they are frozen
REPEATS = 3


def probe_times() -> Iterator[tuple[str, int, dict[str, float], float]]:
    """Of every case: what it is, its states, milliseconds by probe or control (of one seed), and
    what the formula says of all."""
    for market, keys in CASES:
        arm = arm_of(market, keys, {**Q_LEARNER, "epsilon_decay": 1e-4})
        groups = [arm.group(k) for k in range(2)]
        for group in groups:
            group.run(ROUNDS)
        best: dict[str, float] = {}
        for _ in range(REPEATS):
            both = [population_of(arm, k, group) for k, group in enumerate(groups)]
            for name, milliseconds in _once(both):
                best[name] = min(best.get(name, milliseconds), milliseconds)
        shown = ", ".join(f"{key} {value}" for key, value in keys.items()) or "as shipped"
        count = states(arm.market)
        yield f"{market}, {shown}", count, best, 1e3 * (FIXED + STATE * count)


def _once(both: list[FrozenPopulation]) -> Iterator[tuple[str, float]]:
    """Milliseconds by probe of the first population, and of controls, by seed, of both.

    Parts that probes share are counted for the one that asks for them first."""
    first = both[0]
    for name, probe in PROBES.items():
        if probe.applies(first.market, first.kpi):
            before = time.process_time()
            probe.run(first)
            yield name, 1e3 * (time.process_time() - before)
    for name, control in CONTROLS.items():
        if control.applies(first.market, first.kpi):
            before = time.process_time()
            control.run(both)
            yield name, 1e3 * (time.process_time() - before) / len(both)
