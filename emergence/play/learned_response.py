"""A best response learned by any algorithm of Stable-Baselines3, the others' tables frozen.

For markets whose joint chain is too large to solve. What it earns is a lower bound of what the best
response earns: a learner may miss it, and never exceeds it but by sampling.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from tacit.agents.policy import PolicyTable, cumulative, deterministic
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market, Seat

LIBRARIES = ("stable_baselines3", "sb3_contrib")
COPIES, EPISODE_ROUNDS = 16, 128
JUDGED_COPIES, JUDGED_ROUNDS = 64, 512

# what makes the well-known ones quick here; other classes keep their own defaults
SETTINGS: dict[str, dict[str, Any]] = {
    "PPO": {"n_steps": 128, "batch_size": 512, "n_epochs": 4, "learning_rate": 1e-3},
    "A2C": {"n_steps": 32, "learning_rate": 3e-3},
    "DQN": {"learning_rate": 1e-3, "batch_size": 128, "target_update_interval": 1_000},
}


@dataclass(frozen=True)
class LearnedResponse:
    """The table of a response, float64 [O, A], and the seat's mean KPI per round under it."""

    table: PolicyTable
    value: float


def learned_best_response(
    market: Market,
    kpi: kpis.KpiTable,
    tables: Sequence[PolicyTable],
    seat: str,
    algorithm: str = "PPO",
    rounds: int = 4_000,
    seed: int = 0,
    discount: float = 0.95,
    kwargs: Mapping[str, Any] | None = None,
) -> LearnedResponse:
    """What `algorithm` learns in so many rounds of each of 16 copies, played without exploration.

    `tables` are all seats' (the seat's own is not used), `kpi` a resolved table, `kwargs` further
    arguments of the class. Global generators are left as they were.

    Raises:
        ConfigError: an unknown class, or one that cannot play discrete actions.
    """
    from tacit.agents.sb3.seeding import all_kept
    from tacit.envs.views.sb3_vec_env import SeatVecEnv

    chosen = find_algorithm(algorithm)
    own = market.seat(seat)
    others = {s.name: tables[s.index] for s in market.seats if s.index != own.index}
    env = SeatVecEnv(market, seat, kpis.canonical(kpi), others, COPIES, EPISODE_ROUNDS, infos=False)
    given = {**SETTINGS.get(algorithm, {}), **(kwargs or {})}
    decisions = sum(market.acts(own, phase) for phase in range(len(market.phases)))
    with all_kept():
        try:
            model = chosen("MlpPolicy", env, gamma=discount, seed=seed, device="cpu", **given)
        except (TypeError, ValueError, AssertionError) as error:
            raise ConfigError(f"algorithm: {algorithm} cannot play {seat}: {error}") from None
        model.learn(rounds * COPIES * decisions)
        actions, _ = model.predict(
            env.seats.digits(np.arange(own.role.observations)), deterministic=True
        )
    first, count = own.role.legal[:, 0], own.role.legal[:, 1]
    legal = (actions >= first) & (actions < first + count)
    table = deterministic(own.role, np.where(legal, actions, first))  # (as its steps were played)
    response = [table if s.index == own.index else tables[s.index] for s in market.seats]
    return LearnedResponse(table, mean_kpi(market, kpi, response, own, seed))


def find_algorithm(name: str) -> Any:
    """A learner's class by name, from Stable-Baselines3 or, where it is installed, sb3-contrib."""
    from stable_baselines3.common.base_class import BaseAlgorithm

    known: dict[str, Any] = {}
    for library in LIBRARIES:
        if find_spec(library):
            found = vars(importlib.import_module(library)).items()
            known |= {
                k: v for k, v in found if isinstance(v, type) and issubclass(v, BaseAlgorithm)
            }
    if name not in known:
        raise ConfigError(f"algorithm: unknown class '{name}'. {nearest(name, known)}")
    return known[name]


def mean_kpi(
    market: Market, kpi: kpis.KpiTable, tables: Sequence[PolicyTable], seat: Seat, seed: int
) -> float:
    """A seat's KPI per round, mean over 64 copies and 512 rounds on the stream of probes."""
    engine = Engine(market, kpi, [seed], JUDGED_COPIES, stream=rng.PROBE)
    engine.reset()
    sums = engine.play(cumulative(market, tables)[None], JUDGED_ROUNDS)
    column = sums.scores.shape[1] - len(market.seats) + seat.index
    return float(sums.scores[:, column].mean()) / JUDGED_ROUNDS
