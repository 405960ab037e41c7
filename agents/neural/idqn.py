"""An independent double DQN in one seat: replay, a target network, epsilon-greedy tables.

Source: Mnih et al., Nature 518, 2015; van Hasselt, Guez, Silver, AAAI 2016 (double). A batch is
summed by cell (observation, action), so that each observation is evaluated once.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Encoding
from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat

from .config import Clock, IdqnConfig, schedule
from .ippo import CHUNK, Diverged
from .network import Network
from .ppo import named, part

TEMPLATE = "tacit.agents.neural.dqn_loop"


class Replay(NamedTuple):
    """A ring of samples: observations, actions, next observations and rounds between, int32;
    rewards (weighted by the KPI) float64."""

    seen: NDArray[np.int32]
    did: NDArray[np.int32]
    following: NDArray[np.int32]
    gap: NDArray[np.int32]
    reward: NDArray[np.float64]


class Idqn:
    """Independent double DQN in one seat of one seed."""

    def __init__(
        self, config: IdqnConfig, seat: Seat, terms: Mapping[str, kpis.Term], seed: int
    ) -> None:
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = np.array([term.weight for term in terms.values()] or [0.0])
        encoding = Encoding(seat.role, config.encoding)
        key = np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), seat.index))
        self.online = _network(config)(encoding, seat.role.actions, config, key, 1.0)
        self.target = _network(config)(encoding, seat.role.actions, config, key, 1.0)
        self.key = np.uint64(rng.fold(rng.seed_key(seed, rng.MINIBATCH), seat.index))
        room = config.replay
        whole = [np.zeros(room, np.int32) for _ in range(4)]
        self.replay = Replay(whole[0], whole[1], whole[2], whole[3], np.zeros(room))
        self.stored, self.steps, self.epsilon = 0, 0, config.epsilon
        self._loops = compiled(TEMPLATE)
        self._digits = encoding.digits(np.arange(seat.role.observations))
        self._number = np.full(seat.role.observations, -1, np.int32)
        self._rows = np.zeros(2 * config.batch, np.int64)
        self._picks = np.zeros(config.batch, np.int64)

    def acting(self) -> PolicyTable:
        """The greedy policy, and any action with probability epsilon."""
        return self._policy(self.epsilon)

    def table(self) -> PolicyTable:
        """The greedy policy."""
        return self._policy(0.0)

    def _policy(self, epsilon: float) -> PolicyTable:
        table = np.zeros((self.seat.role.observations, self.seat.role.actions))
        for first in range(0, len(table), CHUNK):
            rows = slice(first, first + CHUNK)
            values = self.online.forward(self._digits[rows])
            self._loops.greedy(values, self.seat.role.legal[rows], epsilon, table[rows])
        return table

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update. Returns figures for a chart: loss, epsilon."""
        config, loss = self.config, 0.0
        self.epsilon = max(
            config.epsilon_min, config.epsilon * exp(-config.epsilon_decay * clock.rounds)
        )
        self.stored = self._loops.append(samples, self.weights, self.replay, self.stored)
        if self.stored < config.batch:
            return {}
        rate = schedule(config.learning_rate, config.learning_rate_end, clock.progress)
        for step in range(config.steps):
            loss = self._step(step, rate)
        if not (isfinite(loss) and self.online.finite()):
            update = clock.rounds // clock.batch
            raise Diverged(self.seat, self.seed, update, config.learning_rate)
        return {"loss": loss, "epsilon": self.epsilon}

    def _step(self, step: int, rate: float) -> float:
        config, loops, picks = self.config, self._loops, self._picks
        if self.steps % config.target_every == 0:
            self.target.parameters[:] = self.online.parameters
        key = np.uint64(rng.fold(self.key, self.steps))
        loops.choose(picks, key, self.stored, config.replay, config.sampling == "latest", step)
        rows = self._rows[: loops.met(picks, self.replay, self._number, self._rows)]
        digits = self._digits[rows]
        target, online = self.target.forward(digits), self.online.forward(digits)
        loss: float = loops.slopes(
            picks, self.replay, self._number, rows, self.seat.role.legal, online, target,
            config.discount, self.online.slopes(online.shape),
        )  # fmt: skip
        self.online.descend(rate)
        self.steps += 1
        return loss

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves."""
        counters = np.array([self.stored, self.steps], np.int64)
        networks = {"online": self.online.state(), "target": self.target.state()}
        replay = {name: array.copy() for name, array in self.replay._asdict().items()}
        own = {"counters": counters, "epsilon": np.array([self.epsilon])}
        return own | named(**networks, replay=replay)

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.online.load(part(state, "online"))
        self.target.load(part(state, "target"))
        for name, array in part(state, "replay").items():
            getattr(self.replay, name)[:] = array
        self.stored, self.steps = (int(x) for x in state["counters"])
        self.epsilon = float(state["epsilon"][0])


def _network(config: IdqnConfig) -> Any:
    if config.engine == "compiled":
        return Network
    from .torch_engine import TorchNetwork  # torch takes a second to import

    return TorchNetwork
