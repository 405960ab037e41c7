"""One seat of many copies of a market as a Gymnasium vector environment.

    envs = gymnasium.make_vec("tacit/ad_auction-v0", 16_384, "vector_entry_point", seat="bidder_0")

Row r is copy r of the seed: what `SeatEnv(..., copy=r)` shows, in one compiled loop. Autoreset is
SAME_STEP: where an episode ends, the next one's first observation is returned, and the last one
and its info are in `infos["final_obs"]` and `infos["final_info"]`.

Letters: N copies, A actions of the seat.
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
from tacit.envs.types import Bools, Ints

from .choices import NOT_MASKED, arrange_info, check_no_render_mode
from .seat_batch import SeatBatch, as_rows, check_single_seat


class SeatVectorEnv(VectorEnv[NDArray[Any], Ints, NDArray[Any]]):
    """`num_envs` copies of one seat; see `tacit.envs.views.gymnasium_env` for what a step is.

    Attributes:
        seats: the batch that is stepped.
        num_envs: N.
        single_observation_space: of one copy.
        single_action_space: of one copy.
        observation_space: of all copies.
        action_space: of all copies.
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
        infos: str | bool | None = "nested",
        observation: str = "digits",
        render_mode: None = None,
    ) -> None:
        """Make the copies; `reset` begins their first episode.

        Args:
            market: the market.
            seat: the seat's name.
            kpi: a KPI table by role or seat; None: every role's default.
            tables: policy tables float64 `[O, A]` of the other seats, by role or seat.
            episode_rounds: rounds after which an episode is truncated; None: never.
            num_envs: N.
            infos: "nested" (also True), "flat", "mask" or None; False: masks, and actions that
                were masked.
            observation: "digits", "onehot" or "box".
            render_mode: None; a seat's view has nothing to draw.

        Raises:
            ConfigError: mistakes in the seat's name, the KPI or the tables, or an unknown form.
            RenderModeError: a render mode.
            ValueError: `episode_rounds` or `num_envs` below 1.
        """
        check_no_render_mode(render_mode)
        self.render_mode = render_mode
        self._names_masked = infos in (True, False, "nested")
        form = ("nested" if infos else "mask") if isinstance(infos, bool) else infos
        self.seats = SeatBatch(
            market, seat, kpi, tables, num_envs, episode_rounds, 0, observation, form
        )
        check_single_seat(self.seats)
        self.num_envs = num_envs
        self.single_observation_space = self.seats.observation_space
        self.single_action_space = self.seats.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin the next episode of every copy; with a seed, episode 0 of that seed.

        Returns:
            Observations int64 `[N, parts]` or float32 `[N, width]`, and infos.

        Raises:
            ValueError: a seed below 0.
            ConfigError: the other seats' tables leave the seat no decision.
        """
        super().reset(seed=seed)
        self.seats.reset(seed)
        observations = self.seats.observations[:, 0]
        every_row = np.ones(self.num_envs, np.bool_)
        infos = self._info(observations, rows=every_row, stepped=~every_row)
        return self.seats.show(observations), infos

    def step(
        self, actions: Ints
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """One own decision of every copy.

        Args:
            actions: integers `[N]`.

        Returns:
            Observations int64 `[N, parts]` or float32 `[N, width]`, rewards float64 `[N]`,
            terminated and truncated bool `[N]`, and infos.

        Raises:
            ValueError: an action is outside the space, or no episode has begun.
            ConfigError: the other seats' tables leave the seat no further decision.
        """
        seats = self.seats
        seats.step(as_rows(actions, (self.num_envs, 1)))
        observations, ended = seats.observations[:, 0], seats.ended
        infos = self._info(observations, rows=np.ones_like(ended), stepped=~ended)
        if ended.any():
            infos |= self._final(ended)
        never = np.zeros_like(ended)
        return seats.show(observations), seats.rewards[:, 0], never, ended, infos

    def _final(self, ended: Bools) -> dict[str, Any]:
        """The last observation and info of the episodes that `ended` `[N]`."""
        finals = self.seats.finals[:, 0]
        shown = np.full(self.num_envs, None, dtype=object)
        observations = self.seats.show(finals)
        for r in np.flatnonzero(ended):
            shown[r] = observations[r]
        info = self._info(finals, rows=ended, stepped=ended)
        return {"final_obs": shown, "_final_obs": ended, "final_info": info, "_final_info": ended}

    def _info(self, observations: Ints, rows: Bools, stepped: Bools) -> dict[str, Any]:
        """Infos as Gymnasium batches them: each array beside a mask of the rows that it is for.

        Args:
            observations: int64 `[N]`, whose masks are shown.
            rows: the rows that have an info, bool `[N]`.
            stepped: the rows whose episode the last step belongs to, bool `[N]`; the figures of
                other rows are 0, since their episode has just begun.
        """
        seats, steps = self.seats, self.seats.steps
        if seats.infos is None:
            return {}
        masks = seats.masks(observations)
        masks[~rows] = 0
        measures: dict[str, Any] = {}
        terms: dict[str, Any] = {}
        if seats.infos != "mask":  # thousands of rows: nothing is made that is not shown
            own, scores = steps.measures[:, seats.columns[0]], steps.scores
            measures = {n: np.where(stepped, own[:, k], 0.0) for n, k in seats.measures.items()}
            terms = {n: np.where(stepped, scores[:, k], 0.0) for n, k in seats.terms[0].items()}
        given = seats.masked[:, 0]
        illegal = stepped & (given != NOT_MASKED)
        masked = np.where(illegal, given, NOT_MASKED) if seats.infos == "flat" else None
        rounds = np.where(stepped, steps.rounds, 0)
        info = arrange_info(seats.infos, measures, terms, masks, masked, rounds=rounds)
        infos = _batched(info, rows)
        if self._names_masked and illegal.any():
            infos |= _batched({"masked_action": np.where(illegal, given, 0)}, illegal)
        return infos


def _batched(values: Mapping[str, Any], rows: Bools) -> dict[str, Any]:
    """Every value under its name, and under `_name` the rows bool `[N]` that have it."""
    batched: dict[str, Any] = {}
    for name, value in values.items():
        batched[name] = _batched(value, rows) if isinstance(value, dict) else value
        batched[f"_{name}"] = rows
    return batched


def make_seat_vector_env(name: str, **kwargs: Any) -> SeatVectorEnv:
    """`make_seat_vector_env("ad_auction", seat="bidder_0", num_envs=64, market={"bidders": 3})`.

    Raises:
        ConfigError: mistakes in the market's keys, the seat's name, the KPI or the tables.
    """
    market = make_market(name, kwargs.pop("market", None))
    return SeatVectorEnv(market, kwargs.pop("seat", ""), **kwargs)
