"""The learners of one seed of an arm, whatever they are."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from tacit.envs import kpi as kpis
from tacit.envs.market import Market

from .neural.config import BatchConfig
from .tabular.group import TabularGroup


def make_group(
    market: Market,
    table: kpis.KpiTable,
    configs: Mapping[str, BaseModel],
    seed: int,
    copies: int = 1,
    episode_rounds: int | None = None,
    total_rounds: int | None = None,
) -> TabularGroup:
    """A group of tabular and scripted seats, or one with networks in some of its seats."""
    if not any(isinstance(config, BatchConfig) for config in configs.values()):
        return TabularGroup(market, table, configs, seed, copies, episode_rounds)
    from .batch.group import NeuralGroup  # networks take a moment to import

    return NeuralGroup(market, table, configs, seed, copies, episode_rounds, total_rounds)
