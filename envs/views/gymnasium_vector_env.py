"""One seat of many copies of a market as a Gymnasium vector environment.

    envs = gymnasium.make_vec("tacit/ad_auction-v0", 16_384, "vector_entry_point", seat="bidder_0")

Row r is copy r of the seed: what `SeatEnv(..., copy=r)` shows, in one compiled loop. Autoreset is
SAME_STEP: where an episode ends, the next one's first observation is returned, and the last one
and its info stand in `infos["final_obs"]` and `infos["final_info"]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from tacit.envs.market import Market
from tacit.envs.registry import make_market

from .gymnasium_env import single
from .seat_batch import SeatBatch

Observations = NDArray[np.int64]
Rows = NDArray[np.bool_]


class SeatVectorEnv(VectorEnv[Observations, NDArray[np.int64], NDArray[Any]]):
    """`num_envs` copies of one seat; see `tacit.envs.views.gymnasium_env.SeatEnv` for what a step
    is.

    `infos=False` leaves out measures and KPI terms.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        market: Market,
        seat: str,
        kpi: Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
        episode_rounds: int | None = 100,
        num_envs: int = 1,
        infos: bool = True,
    ) -> None:
        self.seats = SeatBatch(market, seat, kpi, tables, num_envs, episode_rounds)
        single(self.seats)
        self.num_envs, self.infos = num_envs, infos
        self.single_observation_space = self.seats.observation_space
        self.single_action_space = self.seats.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        super().reset(seed=seed)
        self.seats.reset(seed)
        observations = self.seats.observations[:, 0]
        everybody = np.ones(self.num_envs, np.bool_)
        nobody = ~everybody
        return self.seats.digits(observations), self._info(observations, everybody, nobody)

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        seats = self.seats
        seats.step(np.asarray(actions)[:, None])
        observations, ended = seats.observations[:, 0], seats.ended
        infos = self._info(observations, np.ones_like(ended), ~ended)
        if ended.any():
            infos |= self._final(ended)
        never = np.zeros_like(ended)
        return seats.digits(observations), seats.rewards[:, 0], never, ended, infos

    def _final(self, ended: Rows) -> dict[str, Any]:
        """The last observation and info of episodes that ended."""
        finals = self.seats.finals[:, 0]
        shown = np.full(self.num_envs, None, dtype=object)
        digits = self.seats.digits(finals)
        for r in np.flatnonzero(ended):
            shown[r] = digits[r]
        info = self._info(finals, ended, ended)
        return {"final_obs": shown, "_final_obs": ended, "final_info": info, "_final_info": ended}

    def _info(self, observations: Observations, rows: Rows, stepped: Rows) -> dict[str, Any]:
        """Infos of these rows, as Gymnasium batches them; zero figures where none has stepped."""
        seats, steps = self.seats, self.seats.steps
        masks = seats.masks(observations)
        masks[~rows] = 0
        infos = _batched({"action_mask": masks}, rows)
        if self.infos:
            own, scores = steps.measures[:, seats.columns[0]], steps.scores
            measures = {n: np.where(stepped, own[:, k], 0.0) for n, k in seats.measures.items()}
            terms = {n: np.where(stepped, scores[:, k], 0.0) for n, k in seats.terms[0].items()}
            inner = {"measures": _batched(measures, rows), "kpi": _batched(terms, rows)}
            infos |= _batched({**inner, "rounds": np.where(stepped, steps.rounds, 0)}, rows)
        masked = stepped & (seats.masked[:, 0] >= 0)
        if masked.any():
            infos |= _batched({"masked_action": np.where(masked, seats.masked[:, 0], 0)}, masked)
        return infos


def _batched(values: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """Every value beside `_name`: the rows that have it."""
    return {k: v for name, value in values.items() for k, v in ((name, value), (f"_{name}", rows))}


def make_seats(name: str, **kwargs: Any) -> SeatVectorEnv:
    """`make_seats("ad_auction", seat="bidder_0", num_envs=64, market={"bidders": 3})`."""
    market = make_market(name, kwargs.pop("market", None))
    return SeatVectorEnv(market, kwargs.pop("seat", ""), **kwargs)
