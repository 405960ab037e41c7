"""A learner from Stable-Baselines3 in one seat: PPO, A2C or DQN, beside any other learner.

Its `learn()` is never called, for that would want the whole market to itself. The policy is read
as a table once per update, the seat plays it for `rounds_per_update` rounds, and the samples of
these rounds, with advantages and returns in the seat's own time, go where its buffer stands; then
its `train()` runs, unchanged. Nothing in there draws: first weights and minibatches come by key.

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

from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.neural.config import Clock
from tacit.agents.neural.idqn import TEMPLATE as DQN_LOOPS
from tacit.agents.neural.ippo import CHUNK, Diverged
from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat
from tacit.envs.views.seat_batch import DigitEncoder

from .config import Sb3Config
from .model import arrays, load_arrays, make_model


class _Sb3:
    """What the algorithms have in common."""

    def __init__(
        self, config: Sb3Config, seat: Seat, terms: Mapping[str, kpis.Term], seed: int
    ) -> None:
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = np.array([term.weight for term in terms.values()] or [0.0])
        first = np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), seat.index))
        self.key = np.uint64(rng.fold(rng.seed_key(seed, rng.MINIBATCH), seat.index))
        self.model = make_model(config, seat.role, first, f"agents.{seat.name}")
        observations = np.arange(seat.role.observations)
        self.digits = torch.from_numpy(DigitEncoder(seat.role)(observations))
        self.updates = 0
        self.current: PolicyTable = np.zeros((seat.role.observations, seat.role.actions))

    def acting(self) -> PolicyTable:
        """The table that plays until the next update, exploration included."""
        return self.current

    def _train(self, *told: int) -> dict[str, float]:
        """SB3's own training; what it logged, by the last part of its names.

        Raises:
            Diverged: weights that are no finite numbers.
        """
        try:
            with np.errstate(all="ignore"):
                self.model.train(*told)
        except ValueError:  # probabilities that are no numbers
            if self._is_sound():
                raise
        if not self._is_sound():
            raise Diverged(self.seat, self.seed, self.updates, self.config.learning_rate)
        logged = self.model.logger.name_to_value
        figures = {name.rpartition("/")[2]: float(value) for name, value in logged.items()}
        logged.clear()
        return {name: value for name, value in figures.items() if isfinite(value)}

    def _is_sound(self) -> bool:
        return all(bool(torch.isfinite(p).all()) for p in self.model.policy.parameters())

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves."""
        counters = np.array([self.updates, self.model._n_updates], np.int64)
        return {"counters": counters} | arrays(self.model)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.updates, self.model._n_updates = (int(x) for x in state["counters"])
        load_arrays(self.model, state)
        self._write()

    def _write(self) -> None:
        raise NotImplementedError


class OnPolicy(_Sb3):
    """PPO and A2C."""

    def __init__(
        self, config: Sb3Config, seat: Seat, terms: Mapping[str, kpis.Term], seed: int
    ) -> None:
        super().__init__(config, seat, terms, seed)
        self._loops = compiled("tacit.agents.batch.advantages_loop")
        self._number = np.zeros(seat.role.observations, np.int32)
        self._write()

    def table(self) -> PolicyTable:
        """What it has learned: the policy."""
        return self.current

    def _write(self) -> None:
        role = self.seat.role
        columns = np.arange(role.actions)
        for first in range(0, role.observations, CHUNK):
            rows = slice(first, first + CHUNK)
            start, count = role.legal[rows, :1], role.legal[rows, 1:]
            legal = (columns >= start) & (columns < start + count)
            with torch.no_grad():
                known = self.model.policy.get_distribution(self.digits[rows]).distribution.probs
            # (the tiny number: where there is no choice, the one action may have underflown)
            shares = np.where(legal, known.numpy().astype(np.float64) + 1e-300, 0.0)
            self.current[rows] = shares / shares.sum(axis=1, keepdims=True)

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update; returns what SB3 logs of it."""
        n = samples.total
        if n == 0:
            return {}
        model, config = self.model, self.config
        rows = self._loops.visited(samples, self._number)
        with torch.no_grad():
            shown = self.digits[torch.from_numpy(rows)]
            values = model.policy.predict_values(shown).numpy().astype(np.float64)
            logs = model.policy.get_distribution(shown).distribution.logits.numpy()
        rewards = samples.reward[..., : len(self.weights)] @ self.weights
        own = samples._replace(reward=np.ascontiguousarray(rewards[..., None]))
        row_of, did = np.empty(n, np.int32), np.empty(n, np.int32)
        advantage, returns = np.empty(n), np.empty((n, 1))
        self._loops.advantages(
            own, self._number, values, np.ones(1), config.discount, config.gae_lambda,
            row_of, did, advantage, returns,
        )  # fmt: skip
        key = np.uint64(rng.fold(self.key, self.updates))
        columns = (did, values[row_of, 0], logs[row_of, did], advantage, returns[:, 0])
        model.rollout_buffer.fill(self.digits, rows[row_of], columns, key)
        model._current_progress_remaining = 1.0 - clock.progress
        self.updates += 1
        figures = self._train()
        self._write()
        return figures


class OffPolicy(_Sb3):
    """DQN."""

    def __init__(
        self, config: Sb3Config, seat: Seat, terms: Mapping[str, kpis.Term], seed: int
    ) -> None:
        super().__init__(config, seat, terms, seed)
        self.ring = self.model.replay_buffer
        self.ring.bind(self.digits, config.discount, self.key)
        self.epsilon = float(self.model.exploration_schedule(1.0))
        self._loops = compiled(DQN_LOOPS)
        self._write()

    def table(self) -> PolicyTable:
        """The greedy policy."""
        return self._policy(0.0)

    def _write(self) -> None:
        self.current = self._policy(self.epsilon)

    def _policy(self, epsilon: float) -> PolicyTable:
        role = self.seat.role
        table = np.zeros((role.observations, role.actions))
        for first in range(0, role.observations, CHUNK):
            rows = slice(first, first + CHUNK)
            with torch.no_grad():
                values = self.model.q_net(self.digits[rows]).numpy()
            self._loops.greedy(values, role.legal[rows], epsilon, table[rows])
        return table

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update; returns what SB3 logs of it, and epsilon."""
        model, before = self.model, self.ring.stored
        self.ring.append(samples, self.weights)
        self.updates += 1
        left = 1.0 - min(1.0, clock.rounds / max(1, clock.total))
        self.epsilon = float(model.exploration_schedule(left))
        figures = {"epsilon": self.epsilon}
        if self.ring.stored >= max(model.learning_starts, model.batch_size):
            model._current_progress_remaining = 1.0 - clock.progress
            figures |= self._train(self.config.steps, model.batch_size)
            interval = max(1, model.target_update_interval)
            if self.ring.stored // interval > before // interval:
                polyak_update(model.q_net.parameters(), model.q_net_target.parameters(), model.tau)
        self._write()
        return figures

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves."""
        replay = {f"replay.{k}": v.copy() for k, v in self.ring.replay._asdict().items()}
        counts = np.array([self.ring.stored, self.ring.drawn], np.int64)
        own = {"ring": counts, "epsilon": np.array([self.epsilon])}
        return super().state() | own | replay

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        for name, own in self.ring.replay._asdict().items():
            own[:] = state[f"replay.{name}"]
        self.ring.stored, self.ring.drawn = (int(x) for x in state["ring"])
        self.epsilon = float(state["epsilon"][0])
        super().load(state)


def make_sb3(
    config: Sb3Config, seat: Seat, terms: Mapping[str, kpis.Term], seed: int
) -> OnPolicy | OffPolicy:
    """The learner of a config.

    Raises:
        ConfigError: keyword arguments that its class does not take.
    """
    kind = OffPolicy if config.algorithm == "DQN" else OnPolicy
    return kind(config, seat, terms, seed)
