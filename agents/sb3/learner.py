"""A learner from Stable-Baselines3 in one seat: PPO, A2C or DQN, beside any other learner.

SB3's `learn()` is never called, because it would need the whole market for itself. Instead, once
per update, the policy is read as a table, which the seat plays for `rounds_per_update` rounds; the
samples of these rounds, with advantages and returns in the seat's own time, go into the model's
buffer; then SB3's `train()` runs, unchanged. Nothing draws from a global generator: first weights
and minibatches are drawn by key.

DQN: the table is epsilon-greedy over its values, epsilon on SB3's schedule (`exploration_*`);
the target network is moved at the first update after every `target_update_interval` samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.utils import polyak_update

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.config import Clock
from tacit.agents.batch.learner import Diverged, Terms, chunks, term_weights
from tacit.agents.policy import PolicyTable
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat
from tacit.envs.views.seat_batch import DigitEncoder

from .config import Sb3Config
from .model import arrays, load_arrays, make_model

ADVANTAGES_TEMPLATE = "tacit.agents.batch.advantages_loop"
TABLE_TEMPLATE = "tacit.agents.batch.policy_table_loop"
# Added to probabilities: where an observation leaves no choice, the probability of the one legal
# action may have underflown to 0, and the row must still sum to 1.
TINY = 1e-300


class _Sb3Learner:
    """What learners of all algorithms have in common.

    Attributes:
        config: its keys.
        seat: the seat that it plays.
        seed: the number that all draws come from.
        weights: of the seat's KPI terms, float64 `[H]`.
        key: of minibatches.
        model: SB3's.
        digits: every observation as SB3's policy sees it, int64 `[O, parts]`.
        updates: so far.
        policy: the table that plays, float64 `[O, A]`.
    """

    def __init__(self, config: Sb3Config, seat: Seat, terms: Terms, seed: int) -> None:
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = term_weights(terms)
        initial_key = rng.child_key(rng.seed_key(seed, rng.INITIAL), seat.index)
        self.key = rng.child_key(rng.seed_key(seed, rng.MINIBATCH), seat.index)
        self.model = make_model(config, seat.role, initial_key, f"agents.{seat.name}")
        observations = np.arange(seat.role.observations)
        self.digits = torch.from_numpy(DigitEncoder(seat.role)(observations))
        self.updates = 0
        self.policy: PolicyTable = np.zeros((seat.role.observations, seat.role.actions))

    def acting(self) -> PolicyTable:
        """The table that plays until the next update, exploration included, float64 `[O, A]`."""
        return self.policy

    def beliefs(self, observation: int) -> None:
        """Not read: every algorithm of the library keeps its values in a form of its own."""

    def _train(self, *arguments: int) -> dict[str, float]:
        """Run SB3's own training; returns what it logged, by the last part of its names.

        Raises:
            Diverged: weights that are no finite numbers.
        """
        try:
            with np.errstate(all="ignore"):
                self.model.train(*arguments)
        except ValueError:  # of torch, about probabilities that are no numbers
            if self._is_sound():
                raise
        if not self._is_sound():
            raise Diverged(self.seat, self.seed, self.updates, self.config.learning_rate)
        logged = self.model.logger.name_to_value
        figures = {name.rpartition("/")[2]: float(value) for name, value in logged.items()}
        logged.clear()
        return {name: value for name, value in figures.items() if isfinite(value)}

    def _is_sound(self) -> bool:
        """Whether all weights are finite numbers."""
        return all(bool(torch.isfinite(p).all()) for p in self.model.policy.parameters())

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        counters = np.array([self.updates, self.model._n_updates], np.int64)
        return {"counters": counters} | arrays(self.model)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.updates, self.model._n_updates = (int(x) for x in state["counters"])
        load_arrays(self.model, state)
        self._write_policy()

    def _write_policy(self) -> None:
        """Read the model's policy as the table that plays."""
        raise NotImplementedError


class OnPolicy(_Sb3Learner):
    """PPO and A2C. A `tacit.agents.batch.learner.Learner`."""

    def __init__(self, config: Sb3Config, seat: Seat, terms: Terms, seed: int) -> None:
        super().__init__(config, seat, terms, seed)
        self._loops = compiled(ADVANTAGES_TEMPLATE)
        self._row_numbers = np.zeros(seat.role.observations, np.int32)
        self._write_policy()

    def table(self) -> PolicyTable:
        """The policy, float64 `[O, A]`."""
        return self.policy

    def _write_policy(self) -> None:
        role = self.seat.role
        columns = np.arange(role.actions)
        for rows in chunks(role.observations):
            first, count = role.legal[rows, :1], role.legal[rows, 1:]
            legal = (columns >= first) & (columns < first + count)
            with torch.no_grad():
                found = self.model.policy.get_distribution(self.digits[rows]).distribution.probs
            table = np.where(legal, found.numpy().astype(np.float64) + TINY, 0.0)
            self.policy[rows] = table / table.sum(axis=1, keepdims=True)

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update.

        Args:
            samples: the seat's decisions since the last update.
            clock: when the update takes place.

        Returns:
            What SB3 logs of it, by name.

        Raises:
            Diverged: weights that are no finite numbers.
        """
        if samples.total == 0:
            return {}
        self._fill_buffer(samples)
        self.model._current_progress_remaining = 1.0 - clock.progress
        self.updates += 1
        figures = self._train()
        self._write_policy()
        return figures

    def _fill_buffer(self, samples: SeatSamples) -> None:
        """Give the model these samples, with advantages and returns in the seat's own time."""
        n, config, policy = samples.total, self.config, self.model.policy
        observations = self._loops.number_observations(samples, self._row_numbers)
        with torch.no_grad():
            shown = self.digits[torch.from_numpy(observations)]
            values = policy.predict_values(shown).numpy().astype(np.float64)
            log_policy = policy.get_distribution(shown).distribution.logits.numpy()
        # SB3's critic has one head: it predicts the weighted reward.
        rewards = samples.reward[..., : len(self.weights)] @ self.weights
        weighted = samples._replace(reward=np.ascontiguousarray(rewards[..., None]))
        rows, actions = np.empty(n, np.int32), np.empty(n, np.int32)
        advantages, returns = np.empty(n), np.empty((n, 1))
        self._loops.generalised_advantages(
            weighted, self._row_numbers, values, np.ones(1), config.discount, config.gae_lambda,
            rows, actions, advantages, returns,
        )  # fmt: skip
        key = rng.child_key(self.key, self.updates)
        columns = (
            actions, values[rows, 0], log_policy[rows, actions], advantages, returns[:, 0],
        )  # fmt: skip
        self.model.rollout_buffer.fill(self.digits, observations[rows], columns, key)


class OffPolicy(_Sb3Learner):
    """DQN. A `tacit.agents.batch.learner.Learner`.

    Attributes:
        buffer: the model's replay buffer.
        epsilon: share of random actions.
    """

    def __init__(self, config: Sb3Config, seat: Seat, terms: Terms, seed: int) -> None:
        super().__init__(config, seat, terms, seed)
        self.buffer = self.model.replay_buffer
        self.buffer.bind(self.digits, config.discount, self.key)
        self.epsilon = float(self.model.exploration_schedule(1.0))
        self._epsilon_greedy = compiled(TABLE_TEMPLATE).epsilon_greedy
        self._write_policy()

    def table(self) -> PolicyTable:
        """The greedy policy, float64 `[O, A]`."""
        return self._policy(0.0)

    def _write_policy(self) -> None:
        self.policy = self._policy(self.epsilon)

    def _policy(self, epsilon: float) -> PolicyTable:
        role = self.seat.role
        table = np.zeros((role.observations, role.actions))
        for rows in chunks(role.observations):
            with torch.no_grad():
                values = self.model.q_net(self.digits[rows]).numpy()
            self._epsilon_greedy(values, role.legal[rows], epsilon, table[rows])
        return table

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update.

        Args:
            samples: the seat's decisions since the last update.
            clock: when the update takes place.

        Returns:
            What SB3 logs of it, and epsilon, by name.

        Raises:
            Diverged: weights that are no finite numbers.
        """
        model, before = self.model, self.buffer.memory.stored
        self.buffer.append(samples, self.weights)
        stored = self.buffer.memory.stored
        self.updates += 1
        progress_remaining = 1.0 - min(1.0, clock.rounds / max(1, clock.total))
        self.epsilon = float(model.exploration_schedule(progress_remaining))
        figures = {"epsilon": self.epsilon}
        if stored >= max(model.learning_starts, model.batch_size):
            model._current_progress_remaining = 1.0 - clock.progress
            figures |= self._train(self.config.steps, model.batch_size)
            interval = max(1, model.target_update_interval)
            if stored // interval > before // interval:
                polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), model.tau)
        self._write_policy()
        return figures

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        own: dict[str, NDArray[Any]] = self.buffer.state()
        return super().state() | own | {"epsilon": np.array([self.epsilon])}

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.buffer.load(state)
        self.epsilon = float(state["epsilon"][0])
        super().load(state)


def make_sb3(config: Sb3Config, seat: Seat, terms: Terms, seed: int) -> OnPolicy | OffPolicy:
    """The learner of a config.

    Raises:
        ConfigError: keyword arguments that its class does not take.
    """
    kind = OffPolicy if config.algorithm == "DQN" else OnPolicy
    return kind(config, seat, terms, seed)
