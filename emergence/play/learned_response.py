"""Best responses that are learned, the others' tables frozen.

For markets whose joint chain is too large to solve. A learner takes the seat, and its greedy table
is then played. What it earns is a lower bound of what the best response earns: a learner may miss
the best response, and exceeds it only by sampling. Two learners:

- `q_learned_payoffs`: a tabular Q-learner, played against the old table with the same draws;
- `learned_best_response`: any algorithm of Stable-Baselines3 or sb3-contrib.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from tacit.agents.policy import PolicyTable, cumulative, deterministic
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.game_arrays import CopyRows
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market

JUDGED_COPIES, JUDGED_ROUNDS = 64, 512  # in which a learned table is played

Q_LEARNING_ROUNDS = 400_000
Q_LEARNING = {
    "learning_rate": 0.02, "epsilon": 1.0, "epsilon_decay": 1e-5, "epsilon_min": 0.1,
    "initial_q": 0.0,
}  # fmt: skip

LIBRARIES = ("stable_baselines3", "sb3_contrib")
COPIES, EPISODE_ROUNDS = 16, 128
# What makes the well-known algorithms quick here; other classes keep their own defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "PPO": {"n_steps": 128, "batch_size": 512, "n_epochs": 4, "learning_rate": 1e-3},
    "A2C": {"n_steps": 32, "learning_rate": 3e-3},
    "DQN": {"learning_rate": 1e-3, "batch_size": 128, "target_update_interval": 1_000},
}


def mean_payoff(
    market: Market,
    kpi: kpis.KpiTable,
    tables: Sequence[PolicyTable],
    seat: int,
    seed: int,
    rows: CopyRows | None = None,
) -> float:
    """A seat's reward per round, mean over 64 copies and 512 rounds on the stream of probes.

    Args:
        market: the market.
        kpi: the resolved KPI table that defines the reward.
        tables: one policy table per seat, float64 `[O, A]` each.
        seat: the index of the seat.
        seed: the seed of the draws; equal seeds draw alike.
        rows: the state to start from, one copy; None: the market's own reset.

    Returns:
        The mean, in the KPI's unit.
    """
    engine = Engine(market, kpi, [seed], JUDGED_COPIES, stream=rng.PROBE)
    engine.reset()
    if rows is not None:
        engine.rows.state[:] = rows.state
        engine.rows.observations[:] = rows.observations
    sums = engine.play(cumulative(market, tables)[None], JUDGED_ROUNDS)
    column = sums.scores.shape[1] - len(market.seats) + seat  # rewards lie behind the terms
    return float(sums.scores[:, column].mean()) / JUDGED_ROUNDS


# --- tabular Q-learning ---------------------------------------------------------------------------


def _q_learner_among_frozen(
    population: FrozenPopulation, kpi: kpis.KpiTable, seat: int
) -> TabularGroup:
    """One Q-learner; all other seats play the tables of a population."""
    seats = population.market.seats
    config = QLearningConfig.model_validate(Q_LEARNING | {"discount": population.discount})
    others = {s.name: population.tables[s.index] for s in seats if s.index != seat}
    return TabularGroup(
        population.market, kpi, {seats[seat].name: config}, population.seed, fixed_tables=others
    )


def q_learned_payoffs(
    population: FrozenPopulation, kpi: kpis.KpiTable, seat: int
) -> tuple[float, float]:
    """Payoff per round of a seat's own table and of what a Q-learner makes of its seat.

    Args:
        population: the frozen tables.
        kpi: the resolved KPI table that defines the payoff.
        seat: the index of the seat.

    Returns:
        Both means, from the same states with the same draws.
    """
    group = _q_learner_among_frozen(population, kpi, seat)
    group.run(Q_LEARNING_ROUNDS)
    trained = list(population.tables)
    trained[seat] = group.tables()[seat]
    own, best = (
        mean_payoff(population.market, kpi, tables, seat, population.seed, population.rows)
        for tables in (population.tables, trained)
    )
    return own, best


# --- Stable-Baselines3 ----------------------------------------------------------------------------


@dataclass(frozen=True)
class LearnedResponse:
    """A response learned with Stable-Baselines3.

    Attributes:
        table: the policy table of the response, float64 `[O, A]`.
        value: the seat's mean reward per round under it, in the KPI's unit.
    """

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
    """Train an algorithm on one seat, then play what it learned without exploration.

    Global random generators are left as they were.

    Args:
        market: the market.
        kpi: the resolved KPI table that defines the reward.
        tables: one policy table per seat, float64 `[O, A]` each; the seat's own is not used.
        seat: the name of the seat.
        algorithm: the name of a class of Stable-Baselines3 or sb3-contrib.
        rounds: rounds of training in each of 16 copies.
        seed: the seed of training and of the final play.
        discount: the learner's discount.
        kwargs: further arguments of the class.

    Returns:
        The learned table, and what it earns.

    Raises:
        ConfigError: an unknown class, or one that cannot play discrete actions.
    """
    # torch and Stable-Baselines3 take seconds to import.
    from tacit.agents.sb3.seeding import generators_restored
    from tacit.envs.views.sb3_vec_env import SeatVecEnv

    chosen = find_algorithm(algorithm)
    own = market.seat(seat)
    others = {s.name: tables[s.index] for s in market.seats if s.index != own.index}
    env = SeatVecEnv(market, seat, kpis.canonical(kpi), others, COPIES, EPISODE_ROUNDS, infos=False)
    arguments = {**SETTINGS.get(algorithm, {}), **(kwargs or {})}
    decisions = sum(market.acts(own, phase) for phase in range(len(market.phases)))
    with generators_restored():
        try:
            model = chosen("MlpPolicy", env, gamma=discount, seed=seed, device="cpu", **arguments)
        except (TypeError, ValueError, AssertionError) as error:
            raise ConfigError(f"algorithm: {algorithm} cannot play {seat}: {error}") from None
        model.learn(rounds * COPIES * decisions)
        actions, _ = model.predict(
            env.seats.digits(np.arange(own.role.observations)), deterministic=True
        )
    first, count = own.role.legal[:, 0], own.role.legal[:, 1]
    legal = (actions >= first) & (actions < first + count)
    # The environment plays the first legal action in place of an illegal one; so does the table.
    table = deterministic(own.role, np.where(legal, actions, first))
    response = [table if s.index == own.index else tables[s.index] for s in market.seats]
    return LearnedResponse(table, mean_payoff(market, kpi, response, own.index, seed))


def find_algorithm(name: str) -> Any:
    """A learner's class by name, from Stable-Baselines3 or, where it is installed, sb3-contrib.

    Raises:
        ConfigError: no class has that name.
    """
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
