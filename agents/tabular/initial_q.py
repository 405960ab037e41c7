"""Initial Q values, and the payoffs against uniformly random rivals that they may come from."""

from __future__ import annotations

from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from pydantic import BaseModel

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.engine.policy_tables import cumulative, uniform
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

from .config import QLearningConfig

TEMPLATE = "tacit.agents.tabular.q_learning_loop"
MOST_JOINT_ACTIONS = 2**18  # that are enumerated
SAMPLED_ROUNDS = 2**16


def initial_q(
    market: Market, kpi: kpis.KpiTable, seat: Seat, config: BaseModel | None, seed: int
) -> Floats:
    """A seat's first Q values, float64 `[O * A]`; zeros where it is no Q-learner.

    Args:
        market: the market.
        kpi: its resolved KPI.
        seat: whose values they are.
        config: the seat's agent, if it has one.
        seed: the group's seed, for values that are drawn.

    Raises:
        ConfigError: payoffs of a round are asked for, and a seat does not decide in every round.
    """
    observations, actions = seat.role.observations, seat.role.actions
    if not isinstance(config, QLearningConfig):
        return np.zeros(observations * actions)
    if config.initial_q == "rival_uniform":
        if len(market.phases) == 1 and len(np.unique(seat.role.legal, axis=0)) > 1:
            raise ConfigError(
                f"agents.{seat.name}.initial_q: rival_uniform needs a seat that decides in every "
                f"round; a {seat.role.name} of {market.name} waits in some here. Give a number."
            )
        payoff = uniform_payoffs(market, kpi)[seat.index]
        return np.tile(payoff / (1.0 - config.discount), observations)
    low, high = config.initial_q if isinstance(config.initial_q, tuple) else (config.initial_q,) * 2
    q = np.full(observations * actions, float(low))
    if high > low:
        key = rng.child_key(rng.seed_key(seed, rng.INITIAL), seat.index)
        compiled(TEMPLATE, market.kernels).draw_initial_q(q, key, low, high)
    return q


_PAYOFFS: WeakKeyDictionary[Market, dict[str, list[Floats]]] = WeakKeyDictionary()


def uniform_payoffs(market: Market, kpi: kpis.KpiTable) -> list[Floats]:
    """Each seat's mean KPI payoff in a first round by own action, everybody else uniform.

    Joint actions are enumerated in markets of one phase with at most MOST_JOINT_ACTIONS of them
    (draws as they fall); where private information is drawn, each is repeated until there are
    SAMPLED_ROUNDS rounds. In other markets so many rounds are sampled, which needs seats that act
    once a round. The seeds of a run share the result.

    Returns:
        In units of reward, float64 `[A]` for each seat.
    """
    known = _PAYOFFS.setdefault(market, {})
    name = kpis.kpi_hash(kpi)
    if name not in known:
        known[name] = _uniform_payoffs(market, kpi)
    return known[name]


def _uniform_payoffs(market: Market, kpi: kpis.KpiTable) -> list[Floats]:
    sizes = [seat.role.actions for seat in market.seats]
    if len(market.phases) == 1 and prod(sizes) <= MOST_JOINT_ACTIONS:
        joint = np.indices(sizes).reshape(len(sizes), -1).T
        engine = _first_round(market, kpi, copies=len(joint))
        if np.ptp(engine.observations, axis=0).any():  # copies differ before anybody has acted
            joint = np.tile(joint, (-(-SAMPLED_ROUNDS // len(joint)), 1))
            engine = _first_round(market, kpi, copies=len(joint))
        engine.step(joint)
    else:
        engine = _first_round(market, kpi, copies=SAMPLED_ROUNDS)
        engine.play(cumulative(market, [uniform(s.role) for s in market.seats])[None], 1)
    return [_mean_by_action(engine, seat) for seat in market.seats]


def _first_round(market: Market, kpi: kpis.KpiTable, copies: int) -> Engine:
    """Copies of the market before their first round, on a stream that training does not use."""
    engine = Engine(market, kpi, copies=copies, stream=rng.PROBE)
    engine.reset()
    return engine


def _mean_by_action(engine: Engine, seat: Seat) -> Floats:
    """Mean reward of the round just played by the seat's action, float64 `[A]`; 0 if not played."""
    played: Ints = engine.rows.actions[:, seat.index]
    count = np.bincount(played, minlength=seat.role.actions)
    total = np.bincount(played, engine.rewards[:, seat.index], minlength=seat.role.actions)
    mean: Floats = total / np.maximum(count, 1)
    return mean
