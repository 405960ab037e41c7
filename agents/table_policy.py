"""A policy table that acts: what a seat learned, back in Python.

policy = tacit.load_run("volatility_kpi").arms["second_1"].repetitions[0].policies["bidder_0"]
policy.act(observation)             # the index of an action, as every environment takes it
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.envs import rng
from tacit.envs.engine.policy_tables import by_seat
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

from .observation_index import ObservationIndex
from .policy import PolicyTable


class TablePolicy:
    """What one seat does at every observation; a `tacit.agents.policy.Policy`.

    NumPy takes it as the array of its table, so it stands wherever a table `[O, A]` is asked for:
    `tables={"bidder_1": policy}`.

    Attributes:
        seat: whose it is.
    """

    def __init__(self, market: Market, seat: str, table: Any, seed: int = 0) -> None:
        """A policy of a seat.

        Args:
            market: whose seat it is.
            seat: its name, such as `bidder_0`.
            table: probabilities `[O, A]`, 0 where an action is illegal.
            seed: the number that draws of `act` come from, where the table mixes.

        Raises:
            ConfigError: a table of another shape, or rows that are no probabilities.
            KeyError: no such seat.
        """
        self.seat: Seat = market.seat(seat)
        self._table = by_seat(market, {seat: table})[self.seat.index]
        self._index = ObservationIndex(self.seat.role)
        self.reseed(seed)

    def table(self) -> PolicyTable:
        """Action probabilities, float64 `[O, A]`."""
        return self._table

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._table, dtype=dtype)

    def reseed(self, seed: int) -> None:
        """Begin the draws of `act` anew."""
        self._key = rng.child_key(rng.seed_key(seed, rng.PLAY), self.seat.index)
        self._acts = 0

    def probabilities(self, observation: Any) -> Floats:
        """Of every action: float64 `[A]`; of a batch `[N, A]`.

        Args:
            observation: an index, digits, one-hot or box (`tacit.agents.observation_index`).

        Raises:
            ConfigError: it is none of these, or two of them.
        """
        rows, single = self._index(observation)
        found: Floats = self._table[rows[0] if single else rows]
        return found

    def act(self, observation: Any, deterministic: bool = False) -> Any:
        """What the seat does.

        Args:
            observation: what a view hands out: an index, digits, one-hot or box, or a dict with it
                under `observation`; or a batch of them.
            deterministic: take the likeliest action where the table mixes; else one is drawn.

        Returns:
            The index of an action, int; of a batch of N observations int64 `[N]`.

        Raises:
            ConfigError: an observation that is in none of the forms, or in two.
        """
        rows, single = self._index(observation)
        table = self._table[rows]
        if deterministic:
            actions: Ints = table.argmax(axis=1)
        else:
            draws = rng.draws(rng.child_key(self._key, self._acts), len(rows))
            self._acts += 1
            last = self.seat.role.legal[rows].sum(axis=1) - 1
            # The last legal entry is reached whatever the rounding of the sum.
            drawn = (np.cumsum(table, axis=1) <= draws[:, None]).sum(axis=1)
            actions = np.minimum(drawn, last).astype(np.int64)
        return int(actions[0]) if single else actions

    def decode(self, action: int) -> dict[str, Any]:
        """An action's parts by name: `{"bid": 0.4}`."""
        return self.seat.role.decode_action(action)

    def __repr__(self) -> str:
        observations, actions = self._table.shape
        return f"TablePolicy({self.seat.name}, {observations} observations, {actions} actions)"
