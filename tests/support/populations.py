"""For tests of probes and rules: frozen populations of scripted players and of tables with noise;
evidence whose intervals are given end by end, so that a bound can be met exactly."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tacit.agents.policy import PolicyTable, deterministic
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence import verdict
from tacit.emergence.evidence import Evidence
from tacit.emergence.population import FrozenPopulation, freeze
from tacit.emergence.stats import Estimate
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.registry import make_market


@cache
def prices(**config: object) -> Market:
    """Two providers that start at the joint-profit price."""
    return make_market("cloud_bandwidth", {"start": "collusive", **config})


@cache
def default_kpi(market: Market) -> kpis.KpiTable:
    return kpis.resolve(market, None)


def scripted(rule: str, market: Market | None = None, seed: int = 0) -> FrozenPopulation:
    """Everybody plays one rule."""
    market = market or prices()
    config = ScriptedConfig(rule=rule)
    tables = [Scripted(config, market, seat).table() for seat in market.seats]
    return freeze(market, default_kpi(market), tables, seed)


def random_tables(luck: np.random.Generator, market: Market | None = None) -> FrozenPopulation:  # noqa: TID251
    """One random action at every observation."""
    market = market or prices()
    tables = [
        deterministic(s.role, luck.integers(s.role.actions, size=s.role.observations))
        for s in market.seats
    ]
    return freeze(market, default_kpi(market), tables, 0)


def trembling(population: FrozenPopulation, share: float) -> FrozenPopulation:
    """The same policies, in which a share of all actions is drawn at random."""
    tables: list[PolicyTable] = [
        (1 - share) * table + share / table.shape[1] for table in population.tables
    ]
    return freeze(population.market, population.kpi, tables, population.seed)


@pytest.fixture
def probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Populations that differ only in their seed are probed once: 48 of scripts are alike."""
    plain, known = verdict.run_probes, {}

    def run_probes(population: FrozenPopulation) -> dict[str, dict[str, float]]:
        tables = tuple(table.tobytes() for table in population.tables)
        key = population.market, population.learned, tables
        if key not in known:
            known[key] = plain(population)
        return known[key]

    monkeypatch.setattr(verdict, "run_probes", run_probes)


class Exact(Evidence):
    """Evidence in which some figures have the intervals that `exact` was given."""

    given: dict[str, Estimate]

    def mean(self, name: str) -> Estimate:
        return self.given.get(name) or super().mean(name)


def exact(e: Evidence, intervals: dict[str, tuple[float, float]]) -> Exact:
    """The same evidence, but for these ends of intervals; the mean lies in the middle."""
    made = Exact(**vars(e))
    given = {
        name: Estimate((low + high) / 2, low, high, e.n) for name, (low, high) in intervals.items()
    }
    object.__setattr__(made, "given", given)
    return made
