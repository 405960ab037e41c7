"""Batches of learners without hidden layers, many in one compiled call.

What is compiled is `batches_loop.py`. Here its arguments are made from a group, and what it counted
is written back. Rates follow the schedules of the config, so those of all updates of a call are
made before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tacit.agents.batch.config import schedule
from tacit.agents.batch.group import BatchGroup
from tacit.agents.batch.learner import ROWS_AT_ONCE, Diverged
from tacit.agents.neural.actor_critic import Losses
from tacit.agents.neural.network import Adam, Network
from tacit.agents.neural.ppo import Ippo
from tacit.agents.tabular.lookup.shared_tables import MOST_CELLS
from tacit.agents.tabular.lookup.transition_table import estimated_cells
from tacit.envs.jit.loops import compiled
from tacit.envs.types import Floats

from .arrays import AVERAGED, ROWS, STEPS, UPDATES, TableLearner, TableNetwork

TEMPLATE = "tacit.agents.neural.tables.batches_loop"
MOST_ROUNDS = 2**12  # of a batch over all copies: in larger ones Python's share is small
LEAST_UPDATES = 1_000  # of a training: compiling takes longer than a shorter one could save
MOST_STEPS = 2**13  # of Adam in a call, which bounds the memory of their settings


def table_batches(group: BatchGroup) -> TableBatches | None:
    """What plays and learns from many batches of a group in one call; None: it cannot.

    It can where all learners are PPO without hidden layers and without an anchor, in one
    precision, beside tables only, in a market whose rounds are not looked up. Trainings of a few
    updates do without: the loop takes a minute to compile, once.
    """
    learners = [one for one in group.learners.values() if isinstance(one, Ippo) and _is_table(one)]
    is_small = group.batch_rounds * len(group.rows.state) <= MOST_ROUNDS
    is_short = group.total_rounds < LEAST_UPDATES * group.batch_rounds
    if len(learners) < len(group.learners) or group.has_q_learners or is_short or not is_small:
        return None
    looks_up = group.may_look_up and estimated_cells(group.market) <= MOST_CELLS
    if looks_up or len({learner.config.precision for learner in learners}) > 1:
        return None
    return TableBatches(group, learners)


def _is_table(learner: Ippo) -> bool:
    """Whether a learner can be updated by `table_update.update`."""
    are_compiled = all(isinstance(each, Network) for each in learner.actor_critic.networks)
    is_plain = not learner.config.hidden and learner.config.anchor is None
    return are_compiled and is_plain and len(learner.policy) <= ROWS_AT_ONCE


class TableBatches:
    """A `tacit.agents.batch.learner.BatchesAtOnce`."""

    def __init__(self, group: BatchGroup, learners: Sequence[Ippo]) -> None:
        self._group, self._learners = group, learners
        steps = max(one.config.epochs * one.config.minibatches for one in learners)
        self._most = max(2, MOST_STEPS // steps)

    def run(self, batches: int) -> int:
        """Play and learn from so many batches, or as many as fit one call.

        Returns:
            Rounds played.

        Raises:
            Diverged: a learner's weights or losses are no finite numbers any more.
        """
        group, batches = self._group, min(batches, self._most)
        state = group.seed_state
        began = group.rounds + group.batch_rounds * np.arange(batches)
        progress = np.minimum(1.0, began / max(1, group.total_rounds))
        first_cell = state.q_arrays.first_cell
        tables = tuple(
            _table(one, progress, int(first_cell[one.seat.index])) for one in self._learners
        )
        done, diverged = compiled(TEMPLATE, group.market.kernels).play_and_learn(
            state.game, state.rows, state.keys, state.episode_keys, state.q_arrays, state.scratch,
            group.rollout_buffer, group.batch_rounds, group.episode_rounds or 0, group.looks_ahead,
            tables, batches,
        )  # fmt: skip
        for learner, table in zip(self._learners, tables, strict=True):
            figures = _count(learner, table).items()
            group.figures |= {f"learner/{learner.seat.name}/{key}": x for key, x in figures}
        if diverged >= 0:
            one = self._learners[diverged]
            raise Diverged(one.seat, one.seed, one.updates, one.config.learning_rate)
        return int(done)


def _table(learner: Ippo, progress: Floats, first_cell: int) -> TableLearner:
    """A learner for a call whose batches begin at these shares of training, float64 `[U]`.

    Its steps of Adam count as taken, all that there can be; `_count` takes back those that were
    not.
    """
    config, shares = learner.config, progress.tolist()
    steps = len(shares) * config.epochs * config.minibatches
    actor, critic = (_network(adam, steps) for adam in learner.actor_critic.networks)
    averages = np.full(len(shares), False)
    if config.average_from is not None:
        averages = progress >= config.average_from
    rates = [schedule(config.learning_rate, config.learning_rate_end, x) for x in shares]
    entropy_weights = [schedule(config.entropy, config.entropy_end, x) for x in shares]
    counters = (learner.updates, learner.averaged, 0, 0, config.epochs, config.minibatches,
                config.normalise_advantages)  # fmt: skip
    return TableLearner(
        actor=actor,
        critic=critic,
        digits=learner.digits,
        legal=learner.seat.role.legal,
        row_numbers=np.empty(len(learner.policy), np.int32),
        policy=learner.policy,
        policy_sum=learner.policy_sum,
        weights=learner.weights,
        scale=learner.return_scale,
        first_cell=first_cell,
        key=learner.key,
        numbers=np.array([config.discount, config.gae_lambda, config.clip, config.value_weight]),
        counters=np.array(counters, np.int64),
        figures=np.zeros(3),
        rates=np.array(rates),
        entropy_weights=np.array(entropy_weights),
        averages=averages,
    )


def _network(adam: Adam, steps: int) -> TableNetwork:
    """A network with settings of so many steps of Adam."""
    return TableNetwork(
        adam.parameters, np.zeros_like(adam.parameters), adam.first_moment, adam.second_moment,
        adam.next_settings(0.0, steps),
    )  # fmt: skip


def _count(learner: Ippo, table: TableLearner) -> dict[str, float]:
    """Count what a learner did in a call; returns the figures of its last update, if it had one."""
    counters = table.counters.tolist()
    learner.updates, learner.averaged = counters[UPDATES], counters[AVERAGED]
    for adam in learner.actor_critic.networks:
        adam.steps += counters[STEPS] - len(table.actor.settings)
    if not counters[STEPS]:
        return {}
    return {**Losses(*table.figures.tolist())._asdict(), "rows": float(counters[ROWS])}
