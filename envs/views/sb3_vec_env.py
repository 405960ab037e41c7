"""One seat of many copies as a Stable-Baselines3 `VecEnv`, or all seats of a role at once.

    env = SeatVecEnv(make_market("ad_auction"), "bidder_0", tables={"bidder_1": table}, copies=64)
    PPO("MlpPolicy", env, seed=0).learn(100_000)

With a seat's name row r is copy r of the seed, as in `SeatVectorEnv`. With a role's name every seat
of the role is a row, `copy * seats + k`: what is trained then is *one shared policy* that plays
against itself, not several learners. There a step is a decision of any seat of the role; rows of
seats without a choice at that moment have one legal action.

Importing this imports Stable-Baselines3 and torch; `tacit.envs` does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from tacit.envs.market import Market
from tacit.envs.types import Bools

from .seat_batch import SeatBatch, as_rows


class SeatVecEnv(VecEnv):  # type: ignore[misc]
    """`copies` copies of a seat, or of the seats of a role.

    What a step is: `tacit.envs.views.gymnasium_env`. `seed(s)` takes effect at the next reset,
    which begins episode 0 of seed s; a reset without one begins the next episode.

    Attributes:
        seats: the batch that is stepped.
    """

    def __init__(
        self,
        market: Market,
        seat: str,
        kpi: Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
        copies: int = 1,
        episode_rounds: int | None = 100,
        infos: str | bool | None = "nested",
        observation: str = "digits",
    ) -> None:
        """Make the copies; `reset` begins their first episode.

        Args:
            market: the market.
            seat: a seat's name, or a role's for all its seats.
            kpi: a KPI table by role or seat; None: every role's default.
            tables: policy tables float64 `[O, A]` of the other seats, by role or seat.
            copies: copies of the market; a row for each of them and each own seat.
            episode_rounds: rounds after which an episode is truncated; None: never.
            infos: "nested" (also True), "flat", "mask" or None (also False), which leaves out all
                but `TimeLimit.truncated` and `terminal_observation`: for thousands of rows.
            observation: "digits", "onehot" or "box".

        Raises:
            ConfigError: mistakes in the name, the KPI or the tables, or an unknown form.
            ValueError: `copies` or `episode_rounds` below 1.
        """
        form = ("nested" if infos else None) if isinstance(infos, bool) else infos
        self.seats = SeatBatch(
            market, seat, kpi, tables, copies, episode_rounds, 0, observation, form
        )
        self._next_seed: int | None = None
        self._actions = np.zeros((copies, len(self.seats.own)), np.int64)
        spaces = self.seats.observation_space, self.seats.action_space
        super().__init__(self._actions.size, *spaces)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """One seed for all rows, which differ by their copy. None: nothing changes."""
        if seed is not None:
            self._next_seed = seed
        return [self._next_seed] * self.num_envs

    def reset(self) -> NDArray[Any]:
        """Begin the next episode in every copy.

        Returns:
            Observations int64 `[rows, parts]` or float32 `[rows, width]`.

        Raises:
            ValueError: a seed below 0.
            ConfigError: the other seats' tables leave the seat no decision.
        """
        self.seats.reset(self._next_seed)
        self._next_seed = None
        self.reset_infos = self._infos()
        return self._shown()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions, integers `[rows]`, for `step_wait`."""
        self._actions = as_rows(actions, self.seats.masked.shape)

    def step_wait(
        self,
    ) -> tuple[NDArray[Any], NDArray[np.float32], Bools, list[dict[str, Any]]]:
        """Take the step with the actions that were kept.

        Returns:
            Observations int64 `[rows, parts]` or float32 `[rows, width]`, rewards float32 `[rows]`,
            dones bool `[rows]`, and an info for each row.

        Raises:
            ValueError: an action is outside the space, or no episode has begun.
            ConfigError: the other seats' tables leave the seat no further decision.
        """
        seats = self.seats
        seats.step(self._actions)
        ended = np.repeat(seats.ended, len(seats.own))
        infos = self._infos()
        if seats.infos is not None:
            for info in infos:
                info["TimeLimit.truncated"] = False
        rows = np.flatnonzero(ended)
        if rows.size:
            finals = seats.finals.reshape(-1)[rows]
            shown, masks = seats.show(finals), seats.masks(finals)
            for n, r in enumerate(rows.tolist()):
                infos[r] |= {"TimeLimit.truncated": True, "terminal_observation": shown[n]}
                if seats.infos is not None:
                    infos[r]["action_mask"] = masks[n]
        rewards = seats.rewards.reshape(-1).astype(np.float32)
        return self._shown(), rewards, ended, infos

    def _shown(self) -> NDArray[Any]:
        """What every row sees now, `[rows, parts]` or `[rows, width]`."""
        return self.seats.show(self.seats.observations.reshape(-1))

    def _infos(self) -> list[dict[str, Any]]:
        """The last step's info of every row, with the mask of what it sees now."""
        if self.seats.infos is None:
            return [{} for _ in range(self.num_envs)]
        seats = self.seats
        masks = seats.masks(seats.observations.reshape(-1))
        own = len(seats.own)
        return [seats.info(row // own, row % own, masks[row]) for row in range(self.num_envs)]

    def action_masks(self) -> Bools:
        """Legal actions now, bool `[rows, A]`.

        Raises:
            ValueError: no episode has begun.
        """
        self.seats.check_begun("action_masks()")
        legal: Bools = self.seats.masks(self.seats.observations.reshape(-1)) == 1
        return legal

    # --- the rest of SB3's interface ------------------------------------------------------------

    def close(self) -> None:
        """Nothing to release."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The attribute, once a row: rows share everything but their game."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: rows are one object.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{attr_name}: rows of a SeatVecEnv have no attributes of their own")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """`action_masks` (for sb3-contrib's MaskablePPO) row by row; there is no other.

        Raises:
            AttributeError: another method.
        """
        if method_name != "action_masks":
            raise AttributeError(f"{method_name}: rows of a SeatVecEnv have only 'action_masks'")
        masks = self.action_masks()
        return [masks[row] for row in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No row is wrapped."""
        return [False for _ in self._get_indices(indices)]
