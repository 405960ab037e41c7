"""One seat of a market as a Gymnasium environment; the other seats play frozen policy tables.

    env = gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", tables={"bidder_1": table})

A step is one own decision. Until the seat's next one the others, and phases in which it has one
legal action, are played by the tables, and what it is paid in these rounds is summed.

Observation: `MultiDiscrete`, the digits of the PettingZoo views: the phase, then every part that
the role ever sees. Action: `Discrete`, the column of the policy table; an illegal one becomes the
first legal one and stands in `info["masked_action"]`. Reward: the seat's KPI. End: truncation
after `episode_rounds` rounds, never termination; the last observation is the decision that would
have come next. Info: `measures` and `kpi` (terms by name), summed over the `rounds` that ended in
the step, and the `action_mask` of the observation that comes with it.

Draws are functions of (seed, copy, episode, round, phase): a seed gives the same trajectory here,
in row `copy` of `SeatVectorEnv`, and in that of `SeatVecEnv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from tacit.envs.errors import ConfigError
from tacit.envs.market import Market
from tacit.envs.registry import make_market

from .seat_batch import SeatBatch

Observation = NDArray[np.int64]


class SeatEnv(gymnasium.Env[Observation, np.int64]):
    """One seat of one copy. A reset without a seed goes on with the next episode.

    `tables` are policy tables float64 `[O, A]` by role or seat; a seat without one plays uniformly
    at random. Wrong tables, KPIs and seats are a ConfigError.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(
        self,
        market: Market,
        seat: str,
        kpi: Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
        episode_rounds: int | None = 100,
        copy: int = 0,
    ) -> None:
        self.seats = SeatBatch(market, seat, kpi, tables, 1, episode_rounds, first_copy=copy)
        single(self.seats)
        self.observation_space = self.seats.observation_space
        self.action_space = self.seats.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None and self.seats.steps.ended[0]:
            self.seats.forget()  # the next episode has begun where the last one ended
        else:
            self.seats.reset(seed)
        observation = self.seats.observations[:, 0]
        return self.seats.digits(observation)[0], self._info(observation)

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        if self.seats.steps.ended[0]:
            raise ValueError("step() after the end of an episode: call reset() first")
        if not isinstance(action, int | np.integer):
            raise ValueError(f"an action must be an integer, got {action!r}")
        self.seats.step(np.array([[action]]))
        over = bool(self.seats.steps.ended[0])
        observation = (self.seats.finals if over else self.seats.observations)[:, 0]
        shown = self.seats.digits(observation)[0]
        return shown, float(self.seats.rewards[0, 0]), False, over, self._info(observation)

    def action_masks(self) -> NDArray[np.bool_]:
        """Legal actions now, bool [A], where sb3-contrib's MaskablePPO looks for them."""
        legal: NDArray[np.bool_] = self.seats.masks(self.seats.observations[:, 0])[0] == 1
        return legal

    def _info(self, observation: NDArray[np.int64]) -> dict[str, Any]:
        return self.seats.info(0, 0) | {"action_mask": self.seats.masks(observation)[0]}


def single(seats: SeatBatch) -> None:
    """Refuse a role's name where one seat is meant."""
    if len(seats.own) > 1:
        names = ", ".join(each.name for each in seats.own)
        raise ConfigError(f"seat: '{seats.role.name}' is a role of several seats: {names}.")


def make_seat(name: str, **kwargs: Any) -> SeatEnv:
    """`make_seat("ad_auction", seat="bidder_0", market={"bidders": 3}, kpi={...})`."""
    market = make_market(name, kwargs.pop("market", None))
    return SeatEnv(market, kwargs.pop("seat", ""), **kwargs)
