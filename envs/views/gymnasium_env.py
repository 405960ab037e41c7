"""One seat of a market as a Gymnasium environment; the other seats play frozen policy tables.

    env = gymnasium.make("tacit/ad_auction-v0", seat="bidder_0", tables={"bidder_1": table})

- Step: one own decision. Until the seat's next decision the tables play: the other seats, and
  phases in which it has only one legal action.
- Observation: the phase, then every part that the role ever sees, as in the PettingZoo views:
  `MultiDiscrete`, int64 `[parts]`, or with `observation="onehot"` or `"box"` a float32 `Box`.
- Action: `Discrete`, the column of the policy table. An illegal one becomes the first legal one and
  is named in `info["masked_action"]`.
- Reward: the seat's KPI, summed up to its next decision.
- End: truncation after `episode_rounds` rounds, never termination. The last observation is the
  decision that would have come next.
- Info: `measures` and `kpi` (terms by name), summed over the `rounds` that ended in the step, and
  the `action_mask` int8 `[A]` of the observation that comes with it; `infos` chooses their form
  (`tacit.envs.views.choices`).

Draws are functions of (seed, copy, episode, round, phase): a seed gives the same trajectory here,
in row `copy` of `SeatVectorEnv`, and in that of `SeatVecEnv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from tacit.envs.engine.action_index import check_action
from tacit.envs.market import Market
from tacit.envs.registry import make_market
from tacit.envs.types import Bools, Ints

from .choices import check_no_render_mode
from .seat_batch import SeatBatch, check_single_seat


class SeatEnv(gymnasium.Env[NDArray[Any], np.int64]):
    """One seat of one copy. A reset without a seed begins the next episode.

    Attributes:
        seats: the batch of one copy that is stepped.
        observation_space: of the form that was chosen.
        action_space: `Discrete`, the columns of the policy table.
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
        render_mode: None = None,
        observation: str = "digits",
        infos: str | None = "nested",
    ) -> None:
        """Make one copy; `reset` begins its first episode.

        Args:
            market: the market.
            seat: the seat's name.
            kpi: a KPI table by role or seat; None: every role's default.
            tables: policy tables float64 `[O, A]` of the other seats, by role or seat; a seat
                without one plays uniformly at random.
            episode_rounds: rounds after which an episode is truncated; None: never.
            copy: which copy of the seed this is.
            render_mode: None; a seat's view has nothing to draw.
            observation: "digits", "onehot" or "box".
            infos: "nested", "flat", "mask" or None.

        Raises:
            ConfigError: mistakes in the seat's name, the KPI or the tables, or an unknown form.
            RenderModeError: a render mode.
            ValueError: `episode_rounds` below 1, or `copy` below 0.
        """
        check_no_render_mode(render_mode)
        self.render_mode = render_mode
        self.seats = SeatBatch(
            market, seat, kpi, tables, 1, episode_rounds, copy, observation, infos
        )
        check_single_seat(self.seats)
        self.observation_space = self.seats.observation_space
        self.action_space = self.seats.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin the next episode; with a seed, episode 0 of that seed.

        Returns:
            The observation int64 `[parts]` or float32 `[width]`, and the info.

        Raises:
            ValueError: a seed below 0.
            ConfigError: the other seats' tables leave the seat no decision.
        """
        super().reset(seed=seed)
        if seed is None and self.seats.steps.ended[0]:
            # The step that ended the last episode has begun the next one: show its beginning.
            self.seats.clear_step()
        else:
            self.seats.reset(seed)
        observation = self.seats.observations[:, 0]
        return self.seats.show(observation)[0], self._info(observation)

    def step(
        self, action: np.int64 | int
    ) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """One own decision.

        Returns:
            Observation int64 `[parts]` or float32 `[width]`, reward, terminated, truncated, info.

        Raises:
            ValueError: the action is outside the space or no integer, or no episode runs.
            ConfigError: the other seats' tables leave the seat no further decision.
        """
        if self.seats.steps.ended[0]:
            raise ValueError("step() after the end of an episode: call reset() first")
        index = check_action(action, self.seats.own[0].name, self.seats.role.actions)
        self.seats.step(np.array([[index]]))
        over = bool(self.seats.steps.ended[0])
        observation = (self.seats.finals if over else self.seats.observations)[:, 0]
        shown = self.seats.show(observation)[0]
        return shown, float(self.seats.rewards[0, 0]), False, over, self._info(observation)

    def action_masks(self) -> Bools:
        """Legal actions now, bool `[A]`, where sb3-contrib's MaskablePPO looks for them.

        Raises:
            ValueError: no episode has begun.
        """
        self.seats.check_begun("action_masks()")
        legal: Bools = self.seats.masks(self.seats.observations[:, 0])[0] == 1
        return legal

    def _info(self, observation: Ints) -> dict[str, Any]:
        """The last step's info, with the mask of an observation `[1]`."""
        return self.seats.info(0, 0, self.seats.masks(observation)[0])


def make_seat_env(name: str, **kwargs: Any) -> SeatEnv:
    """`make_seat_env("ad_auction", seat="bidder_0", market={"bidders": 3}, kpi={...})`.

    Raises:
        ConfigError: mistakes in the market's keys, the seat's name, the KPI or the tables.
    """
    market = make_market(name, kwargs.pop("market", None))
    return SeatEnv(market, kwargs.pop("seat", ""), **kwargs)
