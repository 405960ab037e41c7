"""Independent double DQN in one seat: replay, a target network, epsilon-greedy policy tables.

Source: Mnih et al., Nature 518, 2015; van Hasselt, Guez, Silver, AAAI 2016 (double). A batch is
summed by cell (observation, action), so each observation is evaluated once.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isfinite
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.arrays import SeatSamples
from tacit.agents.batch.config import Clock, schedule
from tacit.agents.batch.encoding import Digits, Encoding
from tacit.agents.batch.learner import Beliefs, Diverged, Terms, chunks, term_weights
from tacit.agents.batch.replay import ReplayMemory
from tacit.agents.batch.state_names import join_parts, part_of
from tacit.agents.policy import PolicyTable
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat

from .arrays import Reals
from .config import IdqnConfig

TEMPLATE = "tacit.agents.neural.dqn_loop"
TABLE_TEMPLATE = "tacit.agents.batch.policy_table_loop"


class QNetwork(Protocol):
    """What DQN asks of a network: `network.Network` or `torch_network.TorchNetwork`."""

    parameters: Reals

    def forward(self, digits: Digits) -> Reals:
        """Q values Real `[R, A]` at encoded observations int32 `[R, D]`."""
        ...

    def output_gradients(self, shape: tuple[int, ...]) -> Reals:
        """Where to write gradients of the loss by the last Q values, Real `[R, A]`."""
        ...

    def descend(self, learning_rate: float) -> None:
        """One step of Adam against the loss whose `output_gradients` were written."""
        ...

    def finite(self) -> bool:
        """Whether all parameters are numbers, and small enough to be squared."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        ...

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        ...


class QNetworkFactory(Protocol):
    """Makes a network: one of the two classes."""

    def __call__(
        self,
        encoding: Encoding,
        outputs: int,
        config: IdqnConfig,
        key: np.uint64,
        last_gain: float,
        /,
    ) -> QNetwork:
        """A network whose first weights are drawn by key."""
        ...


class Idqn:
    """Independent double DQN in one seat of one seed. A `tacit.agents.batch.learner.Learner`.

    Attributes:
        config: its keys.
        seat: the seat that it plays.
        seed: the number that all draws come from.
        weights: of the seat's KPI terms, float64 `[H]`.
        online, target: the two networks.
        key: of the draws from replay.
        memory: past samples.
        steps: gradient steps so far.
        epsilon: share of random actions.
    """

    def __init__(
        self, config: IdqnConfig, seat: Seat, terms: Terms, seed: int, make_network: QNetworkFactory
    ) -> None:
        """Draw the first network; the target network starts as its copy."""
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = term_weights(terms)
        encoding = Encoding(seat.role, config.encoding)
        initial_key = rng.child_key(rng.seed_key(seed, rng.INITIAL), seat.index)
        self.online = make_network(encoding, seat.role.actions, config, initial_key, 1.0)
        self.target = make_network(encoding, seat.role.actions, config, initial_key, 1.0)
        self.key = rng.child_key(rng.seed_key(seed, rng.MINIBATCH), seat.index)
        self.memory = ReplayMemory(config.replay)
        self.steps, self.epsilon = 0, config.epsilon
        self._loops = compiled(TEMPLATE)
        self._epsilon_greedy = compiled(TABLE_TEMPLATE).epsilon_greedy
        self._digits = encoding.digits(np.arange(seat.role.observations))
        self._row_numbers = np.full(seat.role.observations, -1, np.int32)
        self._observations = np.zeros(2 * config.batch, np.int64)
        self._places = np.zeros(config.batch, np.int64)

    # --- acting ----------------------------------------------------------------------------------

    def acting(self) -> PolicyTable:
        """The greedy policy, or any action with probability epsilon, float64 `[O, A]`."""
        return self._policy(self.epsilon)

    def table(self) -> PolicyTable:
        """The greedy policy, float64 `[O, A]`."""
        return self._policy(0.0)

    def beliefs(self, observation: int) -> Beliefs:
        """The online network's Q values at an observation."""
        values = self.online.forward(self._digits[[observation]])
        return Beliefs("actions", values[0].astype(np.float64))

    def _policy(self, epsilon: float) -> PolicyTable:
        table = np.zeros((self.seat.role.observations, self.seat.role.actions))
        for rows in chunks(len(table)):
            values = self.online.forward(self._digits[rows])
            self._epsilon_greedy(values, self.seat.role.legal[rows], epsilon, table[rows])
        return table

    # --- learning --------------------------------------------------------------------------------

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update: store the samples, then take the config's gradient steps.

        Args:
            samples: the seat's decisions since the last update.
            clock: when the update takes place.

        Returns:
            Figures for charts: `loss` of the last step, and `epsilon`; none before a first batch
            is stored.

        Raises:
            Diverged: the loss or weights are no finite numbers any more.
        """
        config, loss = self.config, 0.0
        self.epsilon = max(
            config.epsilon_min, config.epsilon * exp(-config.epsilon_decay * clock.rounds)
        )
        self.memory.append(samples, self.weights)
        if self.memory.stored < config.batch:
            return {}
        learning_rate = schedule(config.learning_rate, config.learning_rate_end, clock.progress)
        for step in range(config.steps):
            loss = self._step(step, learning_rate)
        if not (isfinite(loss) and self.online.finite()):
            update = clock.rounds // clock.batch
            raise Diverged(self.seat, self.seed, update, config.learning_rate)
        return {"loss": loss, "epsilon": self.epsilon}

    def _step(self, step: int, learning_rate: float) -> float:
        """One gradient step, number `step` of this update; returns its loss."""
        config, places, samples = self.config, self._places, self.memory.samples
        if self.steps % config.target_every == 0:
            self.target.parameters[:] = self.online.parameters
        key = rng.child_key(self.key, self.steps)
        self.memory.draw_places(places, key, config.sampling == "latest", step)
        rows = self._loops.number_observations(
            places, samples, self._row_numbers, self._observations
        )
        observations = self._observations[:rows]
        digits = self._digits[observations]
        target, online = self.target.forward(digits), self.online.forward(digits)
        loss: float = self._loops.loss_gradient(
            places, samples, self._row_numbers, observations, self.seat.role.legal, online, target,
            config.discount, self.online.output_gradients(online.shape),
        )  # fmt: skip
        self.online.descend(learning_rate)
        self.steps += 1
        return loss

    # --- saving ----------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that changes, by name."""
        own = {
            "counters": np.array([self.memory.stored, self.steps], np.int64),
            "epsilon": np.array([self.epsilon]),
        }
        parts = {
            "online": self.online.state(),
            "target": self.target.state(),
            "replay": self.memory.state(),
        }
        return own | join_parts(parts)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        stored, self.steps = (int(x) for x in state["counters"])
        self.online.load(part_of(state, "online"))
        self.target.load(part_of(state, "target"))
        self.memory.load(part_of(state, "replay"), stored)
        self.epsilon = float(state["epsilon"][0])
