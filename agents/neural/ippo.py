"""A PPO learner in one seat: from the samples of an update to a new policy table.

The critic has one head for every term of the seat's KPI: head h predicts the unweighted term, and
the advantage is the sum of weight x head's advantage. Each head works in a unit of its own, the
root mean square of its returns so far, and predicts 0 before it has seen any: so the unit of a KPI,
euros or cents, changes nothing. Heads of weight zero stay: they watch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.agents.batch.encoding import Encoding
from tacit.agents.batch.rollout_buffer import SeatSamples
from tacit.agents.policy import PolicyTable
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Seat

from .config import (
    MAX_HEADS,
    Clock,
    IppoConfig,
    schedule,
    too_many_heads,
)
from .network import TEMPLATE
from .ppo import (
    LOOPS,
    ActorCritic,
    Cells,
    CompiledEngine,
    Rates,
    named,
    part,
)

CHUNK = 4096  # rows of a table that a network writes at once
SLOWEST = 0.01  # least weight of an update in the unit of a head


class Diverged(ConfigError):
    """A loss that is not a finite number any more, or a policy that is not made of such."""

    def __init__(self, seat: Seat, seed: int, update: int, learning_rate: float) -> None:
        super().__init__(
            f"agents.{seat.name}: the loss of seed {seed} is no finite number in update {update}; "
            f"try a smaller learning_rate than {learning_rate:g}."
        )


class Ippo:
    """Independent PPO in one seat of one seed."""

    def __init__(
        self,
        config: IppoConfig,
        seat: Seat,
        terms: Mapping[str, kpis.Term],
        seed: int,
        engine: Callable[..., ActorCritic] | None = None,
    ) -> None:
        if len(terms) > MAX_HEADS:
            raise ConfigError(too_many_heads(seat.name, len(terms)))
        self.config, self.seat, self.seed = config, seat, seed
        self.weights = np.array([term.weight for term in terms.values()] or [0.0])
        self.encoding = Encoding(seat.role, config.encoding)
        key = np.uint64(rng.fold(rng.seed_key(seed, rng.INITIAL), seat.index))
        self.engine = (engine or _engine(config))(
            config, self.encoding, seat, len(self.weights), key
        )
        self.key = np.uint64(rng.fold(rng.seed_key(seed, rng.MINIBATCH), seat.index))
        self.unit = np.zeros(len(self.weights))  # (so the first returns count no value of a head)
        self.updates = 0
        self.mean: PolicyTable = np.zeros((seat.role.observations, seat.role.actions))
        self.averaged = 0
        self.current = np.zeros_like(self.mean)
        self._loops, self._samples = compiled(LOOPS), compiled("tacit.agents.batch.advantages_loop")
        self._finite = compiled(TEMPLATE).finite
        self._number = np.zeros(seat.role.observations, np.int32)
        self._buffers: dict[str, NDArray[Any]] = {}
        self._digits = self.encoding.digits(np.arange(seat.role.observations))
        self._rows, self._cells = np.zeros(0, np.int64), self._empty(np.zeros(0, np.int64))
        self._write()

    # --- acting ----------------------------------------------------------------------------------

    def acting(self) -> PolicyTable:
        """The table that plays until the next update."""
        return self.current

    def table(self) -> PolicyTable:
        """What it has learned: the policy, or the mean policy if the config asks for that."""
        return self.mean / self.averaged if self.averaged else self.current

    def _write(self) -> None:
        """The policy that the actor stands for, at every observation."""
        legal, table = self.seat.role.legal, self.current
        for first in range(0, len(table), CHUNK):
            rows = slice(first, first + CHUNK)
            logits = self.engine.logits(self._digits[rows])
            self._loops.softmax(logits, legal[rows], table[rows])

    # --- learning --------------------------------------------------------------------------------

    def learn(self, samples: SeatSamples, clock: Clock) -> dict[str, float]:
        """One update.

        Returns figures for a chart: objective, entropy, value_loss, rows (observations met).
        """
        config, progress = self.config, clock.progress
        if samples.total == 0:
            return {}
        rates = Rates(
            schedule(config.learning_rate, config.learning_rate_end, progress),
            schedule(config.entropy, config.entropy_end, progress),
        )
        rows = self._samples.visited(samples, self._number)
        batch = self._advantages(samples, rows)
        key = np.uint64(rng.fold(self.key, self.updates))
        told: tuple[float, ...] = ()
        for cells in self._epochs(rows, batch, key):
            told = self.engine.descend(cells, self.unit, rates)
        self.updates += 1
        self._write()
        sound = isfinite(sum(told)) and all(n.finite() for n in self.engine.networks)
        if not (sound and self._finite(self.current.reshape(-1))):
            raise Diverged(self.seat, self.seed, self.updates, config.learning_rate)
        if config.average_from is not None and progress >= config.average_from:
            self.mean += self.current
            self.averaged += 1
        figures = dict(zip(("objective", "entropy", "value_loss"), told, strict=True))
        return {**figures, "rows": float(len(rows))}

    def _advantages(
        self, samples: SeatSamples, rows: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """(row of its observation, action, advantage, returns) of all samples; units go on."""
        n, heads = samples.total, len(self.weights)
        values = self.engine.values(self._digits[rows]).astype(np.float64) * self.unit
        row_of, did = self._buffer("row_of", n, np.int32), self._buffer("did", n, np.int32)
        advantage = self._buffer("advantage", n, np.float64)
        returns = self._buffer("returns", n * heads, np.float64).reshape(n, heads)
        config = self.config
        squares = self._samples.advantages(
            samples, self._number, values, self.weights, config.discount, config.gae_lambda,
            row_of, did, advantage, returns,
        )  # fmt: skip
        if config.normalise_advantages:
            self._samples.normalise(advantage)
        size = np.sqrt(squares / n) + 1e-8
        share = max(1.0 / (self.updates + 1), SLOWEST)
        self.unit = np.sqrt((1 - share) * self.unit**2 + share * size**2)
        return row_of, did, advantage, returns

    def _epochs(
        self, rows: NDArray[np.int64], batch: tuple[NDArray[Any], ...], key: np.uint64
    ) -> Iterator[Cells]:
        """Every epoch's samples, dealt into minibatches and summed by cell."""
        if not np.array_equal(rows, self._rows):  # (in a small market they are the same for long)
            self._rows, self._cells = rows, self._empty(rows)
        np.take(self.current, rows, axis=0, out=self._cells.before)
        for epoch in range(self.config.epochs):
            self._samples.fill(*batch, np.uint64(rng.fold(key, epoch)), self._cells)
            yield self._cells

    def _empty(self, rows: NDArray[np.int64]) -> Cells:
        """Room for an update that meets these observations."""
        parts, heads, actions = self.config.minibatches, len(self.weights), self.seat.role.actions

        def table(name: str, *shape: int, kind: Any = np.float64) -> NDArray[Any]:
            return self._buffer(name, prod(shape), kind).reshape(shape)

        return Cells(
            self._digits[rows],
            self.seat.role.legal[rows],
            table("before", len(rows), actions),
            table("size", parts, kind=np.int64),
            table("found", parts, kind=np.int64),
            table("met", parts, len(rows), kind=np.int64),
            table("visits", parts, len(rows)),
            table("total", parts, len(rows), heads),
            table("sides", 2, parts, len(rows), actions),
        )

    def _buffer(self, name: str, size: int, kind: Any) -> NDArray[Any]:
        """Memory that is kept between updates."""
        known = self._buffers.get(name)
        if known is None or len(known) < size:
            self._buffers[name] = known = np.empty(size, kind)
        return known[:size]

    # --- records ---------------------------------------------------------------------------------

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of everything that moves."""
        counters = np.array([self.updates, self.averaged], np.int64)
        own = {"unit": self.unit.copy(), "counters": counters}
        if self.config.average_from is not None:
            own["mean"] = self.mean.copy()
        return own | named(engine=self.engine.state())

    def load(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken."""
        self.engine.load(part(state, "engine"))
        self.unit = np.array(state["unit"])
        self.updates, self.averaged = (int(x) for x in state["counters"])
        if "mean" in state:
            self.mean[:] = state["mean"]
        self._write()


def _engine(config: IppoConfig) -> Callable[..., ActorCritic]:
    if config.engine == "compiled":
        return CompiledEngine
    from .torch_engine import TorchEngine  # torch takes a second to import

    return TorchEngine
