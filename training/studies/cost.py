"""What training costs, estimated from a configuration alone, before anything is compiled.

    core-seconds of a seed = rounds * copies * round
                             + points * POINT + PROBES + STATE * states + SEED

    round, tables, played:      ROUND + DECISION * decisions + SCAN * actions of all seats
    round, tables, looked up:   LOOKED_UP + LOOKED_UP_DECISION * decisions
    the same, several phases:   LOOKED_UP_PHASES + LOOKED_UP_PHASES_DECISION * decisions
    round, networks:            the same, and a seat's update / rounds_per_update
    update:                     epochs * minibatches
                                * (PASS + SAMPLE * samples + WEIGHT * rows * weights)

*decisions* are those of a round, *states* the observations of the role that tells most apart,
*points* the evaluation points. Constants are fitted to `python -m benchmarks.growth`, whose page
(docs/performance.md) puts estimate and measurement side by side. Rules of other markets may take
longer: expect a factor of two to three, for networks of four. Agents that stop by themselves play
fewer rounds than `train.rounds`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tacit.agents.batch.config import BatchConfig
from tacit.agents.neural.config import IdqnConfig, IppoConfig
from tacit.agents.tabular.config import TABULAR
from tacit.agents.tabular.lookup.looked_up import can_be_looked_up
from tacit.agents.tabular.lookup.phase_table import ROUNDS_A_CELL
from tacit.agents.tabular.lookup.phase_table import estimated_cells as phase_cells
from tacit.agents.tabular.lookup.shared_tables import MOST_CELLS
from tacit.agents.tabular.lookup.transition_table import estimated_cells as transition_cells
from tacit.envs.market import Market, Seat
from tacit.training.config.arms import Arm
from tacit.training.runs.evaluation import evaluation_points

# Seconds of one core of the machine of docs/performance.md.
ROUND, DECISION, SCAN = 35e-9, 30e-9, 0.3e-9
LOOKED_UP, LOOKED_UP_DECISION = 13e-9, 8e-9
LOOKED_UP_PHASES, LOOKED_UP_PHASES_DECISION = 40e-9, 30e-9
# Of a minibatch: its pass, each of its samples, each weight for each observation that was met.
PASS, SAMPLE, WEIGHT = 40e-6, 40e-9, 20e-12
POINT = 0.35e-3  # an evaluation point
PROBES, STATE = 12e-3, 0.09e-3  # probes of a seed, and what each state adds
SEED = 12e-3  # its files: event file, checkpoint, record
# Of a seed's cost beside its rounds, the share that one thread at a time works on.
SERIAL = 0.9
NUMBER = 8  # bytes
NETWORKS = 2  # actor and critic, or one that learns and its target
KEPT_TWICE = 2  # a save copies all arrays before they are written


@dataclass(frozen=True)
class ArmCost:
    """What an arm costs.

    Attributes:
        seeds: how many.
        rounds: core-seconds of a seed's rounds; None: its agents have no estimate.
        beside: core-seconds of a seed beside its rounds.
        memory: bytes that a seed holds while it is trained.
        looked_up: whether its rounds are expected to be looked up in a transition table.
    """

    seeds: int
    rounds: float | None
    beside: float
    memory: int
    looked_up: bool

    @property
    def core_seconds(self) -> float | None:
        """Of all seeds."""
        return None if self.rounds is None else self.seeds * (self.rounds + self.beside)


def arm_cost(arm: Arm) -> ArmCost:
    """The estimate of an arm; nothing is played."""
    market, train = arm.market, arm.train
    played = (train.rounds - arm.first_round) * train.copies
    looked_up = may_look_up(arm)
    networks = [c for c in arm.agents.values() if isinstance(c, BatchConfig)]
    known = all(isinstance(c, IppoConfig | IdqnConfig) for c in networks) and not arm.live
    learning = sum(
        _update(market.seat(name), config, train.copies) * (train.rounds / config.rounds_per_update)
        for name, config in arm.agents.items()
        if isinstance(config, IppoConfig | IdqnConfig)
    )
    round_seconds = looked_up_round(market) if looked_up else played_round(market)
    points = len([p for p in evaluation_points(train) if p > arm.first_round])
    return ArmCost(
        seeds=arm.seeds,
        rounds=played * round_seconds + learning if known else None,
        beside=points * POINT + PROBES + STATE * states(market) + SEED,
        memory=seed_bytes(arm),
        looked_up=looked_up,
    )


def decisions(market: Market) -> int:
    """Decisions of all seats in a round."""
    return sum(market.acts(s, phase) for s in market.seats for phase in range(len(market.phases)))


def states(market: Market) -> int:
    """Observations of the role that tells most apart."""
    return max(role.observations for role in market.roles)


def played_round(market: Market) -> float:
    """Core-seconds of a round that the market's kernels play, Q-learners in all seats."""
    return ROUND + DECISION * decisions(market) + SCAN * sum(s.role.actions for s in market.seats)


def looked_up_round(market: Market) -> float:
    """Core-seconds of a round that is looked up in a transition table, or in a phase table."""
    if len(market.phases) > 1:
        return LOOKED_UP_PHASES + LOOKED_UP_PHASES_DECISION * decisions(market)
    return LOOKED_UP + LOOKED_UP_DECISION * decisions(market)


def may_look_up(arm: Arm) -> bool:
    """Whether rounds are expected to be looked up: a table has no more cells than it may have, and
    than are worth the rounds that are played."""
    market, train = arm.market, arm.train
    learn_in_batches = [c for c in arm.agents.values() if isinstance(c, BatchConfig)]
    if arm.live or not can_be_looked_up(market):
        return False
    rounds = train.rounds * arm.seeds * train.copies
    if learn_in_batches:
        beside_q_learners = any(isinstance(c, TABULAR) for c in arm.agents.values())
        if beside_q_learners or len(market.phases) > 1 or market.play_draws:
            return False
        if learn_in_batches[0].rounds_per_update == 1:
            return False
    elif train.copies > 1 or train.episode_rounds:
        return False
    if len(market.phases) > 1:
        return phase_cells(market) <= min(MOST_CELLS, rounds // ROUNDS_A_CELL)
    return transition_cells(market) <= min(MOST_CELLS, rounds)


def _update(seat: Seat, config: IppoConfig | IdqnConfig, copies: int) -> float:
    """Core-seconds of one update of a seat's network."""
    inputs = min(seat.role.observations, 64)  # digits of an observation's parts: rarely more
    widths = [inputs, *config.hidden, seat.role.actions]
    weights = sum(a * b + b for a, b in itertools.pairwise(widths))
    if isinstance(config, IppoConfig):
        passes = config.epochs * config.minibatches
        samples = config.rounds_per_update * copies / config.minibatches
    else:
        passes, samples = config.steps, config.batch
    rows = min(seat.role.observations, samples)  # one evaluation for each observation that was met
    return passes * (PASS + SAMPLE * samples + WEIGHT * NETWORKS * rows * weights)


def seed_bytes(arm: Arm) -> int:
    """Bytes of a seed's arrays: values of every observation and action, rows of every copy."""
    market, copies = arm.market, arm.train.copies
    seats, terms = len(market.seats), sum(map(len, arm.kpi.values()))
    tables = sum(s.role.observations * (s.role.actions + 3) for s in market.seats)
    row = market.state_width + (seats + 1) * len(market.measures) + terms + 5 * seats
    return KEPT_TWICE * NUMBER * (tables + copies * row) + arm.record.keyframe_bytes


def cost_lines(arms: Mapping[str, Arm], cores: int) -> Iterable[str]:
    """The estimate in words, a line an arm, and one of all.

    Args:
        arms: by name.
        cores: how many seeds are trained side by side.
    """
    costs = {name: arm_cost(arm) for name, arm in arms.items()}
    unknown = [name for name, cost in costs.items() if cost.core_seconds is None]
    for name, cost in costs.items():
        how = ", rounds looked up" if cost.looked_up else ""
        memory = f"{cost.memory / 1e6:,.1f} MB a seed"
        if cost.core_seconds is None:
            yield f"estimate, {name}: {memory}; how long its agents take is not known"
            continue
        each = f"{cost.seeds} seeds of {figure(cost.core_seconds / cost.seeds)} s"
        yield f"estimate, {name}: {figure(cost.core_seconds)} core-seconds ({each}{how}); {memory}"
    if unknown:
        yield f"estimate, all: not known, as that of {', '.join(unknown)}"
        return
    total = sum(cost.core_seconds or 0.0 for cost in costs.values())
    # No number of cores makes shorter what one thread does, nor one seed.
    serial = SERIAL * sum(cost.seeds * cost.beside for cost in costs.values())
    least = max(serial, *((c.core_seconds or 0.0) / c.seeds for c in costs.values()))
    yield (
        f"estimate, all: {figure(total)} core-seconds; {figure(max(total / cores, least))} s on "
        f"{cores} core{'s' * (cores > 1)}, {figure(least)} s however many there are (within a "
        "factor of three: docs/performance.md)"
    )


def figure(x: float) -> str:
    """A number with two digits that count."""
    return f"{x:,.0f}" if x >= 9.95 else f"{x:.1f}" if x >= 0.995 else f"{x:.2g}"
