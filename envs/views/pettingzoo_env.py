"""PettingZoo views of one copy: `MarketParallelEnv` and `MarketAECEnv`.

| | parallel | AEC |
|---|---|---|
| a step | a phase; all seats send an action | one acting seat's action |
| idle seats | what they send is ignored | are not visited |
| a masked action | becomes the first legal one, named in | is refused |
| | `infos[seat]["masked_action"]` | |

The parallel view is lenient so that samplers that know no mask stay usable. Both views agree on
state and measures at every round's end.

Observations hold the phase, then every part that the role ever sees. They are `MultiDiscrete`,
int64 `[parts]`, or with `observation="onehot"` or `"box"` a float32 `Box`; `infos` chooses what
infos hold (`tacit.envs.views.choices`). Actions are `Discrete`: the column of the policy table.
Rewards come when a round ends. Episodes end by truncation after `episode_rounds` rounds; a reset
without a seed begins the next episode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from tacit.envs.market import Market
from tacit.envs.registry import make_market
from tacit.envs.types import Floats

from .session import SeatView, Session


class _MarketView:
    """What both views share: spaces, names, rendering.

    Attributes:
        session: the copy that is played.
        market: its market.
        render_mode: None, "ansi" or "human".
        possible_agents: names of all seats.
        state_space: of `state()`.
        agents: the same while an episode runs, empty before and after it.
        last_round: the last finished round in words; empty without a render mode.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "human"]}

    def __init__(
        self,
        market: Market,
        kpi: Mapping[str, Any] | None = None,
        episode_rounds: int | None = 100,
        render_mode: str | None = None,
        observation: str = "digits",
        infos: str | None = "nested",
    ) -> None:
        """Make the session; `reset` begins its first episode.

        Args:
            market: the market.
            kpi: a KPI table by role or seat; None: every role's default.
            episode_rounds: rounds after which an episode is truncated; None: never.
            render_mode: "ansi": `render` returns the last round in words; "human": it is printed
                when it ends; None: no words are made.
            observation: "digits", "onehot" or "box".
            infos: "nested", "flat", "mask" or None.

        Raises:
            ValueError: an unknown render mode, or `episode_rounds` below 1.
            ConfigError: mistakes in the KPI table, or an unknown form.
        """
        if render_mode not in (None, "ansi", "human"):
            raise ValueError(f"render_mode must be None, 'ansi' or 'human', got {render_mode!r}")
        keeps_actions = render_mode is not None
        self.session = Session(market, kpi, episode_rounds, keeps_actions, observation, infos)
        self.market = market
        self.render_mode = render_mode
        self.metadata = {  # type: ignore[misc]
            **_MarketView.metadata,
            "name": f"{market.name}_v{market.version}",
            "is_parallelizable": True,
        }
        self.possible_agents = [seat.name for seat in self.session.seats]
        self.agents: list[str] = []
        self.last_round = ""
        width = self.session.engine.rows.state.shape[1]
        self.state_space = Box(-np.inf, np.inf, (width,), np.float64)

    def observation_space(self, agent: str) -> MultiDiscrete | Box:
        """Of the phase and every part that the role ever sees, in the form that was chosen."""
        return self.session.by_name[agent].observation_space

    def action_space(self, agent: str) -> Discrete:
        """The columns of the policy table."""
        return self.session.by_name[agent].action_space

    def decode_action(self, agent: str, action: int) -> dict[str, Any]:
        """An action's parts by name: `decode_action("bidder_0", 7)` is `{"bid": 0.4}`.

        Raises:
            ValueError: the action is outside the seat's space.
        """
        return self.session.decode_action(agent, action)

    def encode_action(self, agent: str, parts: Mapping[str, Any]) -> int:
        """The index of an action: `encode_action("bidder_0", {"bid": 0.4})` is 7.

        Raises:
            ValueError: the seat has no action with these parts.
        """
        return self.session.encode_action(agent, parts)

    def decode_observation(self, agent: str, observation: NDArray[Any]) -> dict[str, Any]:
        """The parts of an observation by name, `[parts]` or `[width]` in the chosen form."""
        return self.session.decode_observation(agent, observation)

    def state(self) -> Floats:
        """The market's own row, float64 `[W]`: a global view, with what no seat sees.

        Raises:
            ValueError: before the first `reset`.
        """
        self._check_begun("state()")
        state: Floats = self.session.engine.rows.state[0].copy()
        return state

    def render(self) -> str | None:
        """The last finished round in words; in mode "human" it was printed when it ended."""
        return self.last_round if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _no_episode(self, call: str) -> str:
        """Why something cannot be called while no episode runs."""
        when = "after the end of an episode" if self.session.views else "before an episode"
        return f"{call} {when}: call reset() first"

    def _check_begun(self, call: str) -> None:
        """Check that `reset` was called once.

        Raises:
            ValueError: it was not.
        """
        if not self.session.views:
            raise ValueError(self._no_episode(call))

    def _record_round(self) -> None:
        """Keep the finished round in words, and print it if that is the mode."""
        if self.render_mode is not None:
            self.last_round = self.session.transcript()
            if self.render_mode == "human":
                print(self.last_round)


class MarketParallelEnv(_MarketView, ParallelEnv):  # type: ignore[misc]
    """All seats at once, one phase a step."""

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, dict[str, Any]]]:
        """Begin the next episode; with a seed, episode 0 of that seed.

        Returns:
            Observations int64 `[parts]` or float32 `[width]`, and infos, by seat name.

        Raises:
            ValueError: a seed below 0.
        """
        self.session.reset(seed)
        self.agents = list(self.possible_agents)
        self.last_round = ""
        observations, _, infos = self.session.outputs()
        return observations, infos

    def step(self, actions: Mapping[str, Any]) -> tuple[
        dict[str, NDArray[Any]],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:  # fmt: skip
        """Play one phase.

        Args:
            actions: of the acting seats at least, by seat name.

        Returns:
            Observations int64 `[parts]` or float32 `[width]`, rewards (0 within a round),
            terminations, truncations and infos, by seat name.

        Raises:
            ValueError: an acting seat's action is missing or outside its space, or no episode runs.
                Nothing has moved then.
        """
        session, names = self.session, self.possible_agents
        if not self.agents:
            raise ValueError(self._no_episode("step()"))
        chosen, masked = [], {}
        for seat in session.acting[session.engine.phase]:
            try:
                action = actions[seat.name]
            except KeyError:
                raise ValueError(f"{seat.name} acts in this phase: its action is missing") from None
            except TypeError:
                kind = type(actions).__name__
                raise ValueError(f"actions must be a dict by seat name, got a {kind}") from None
            _, _, first, end = session.views[seat.index]
            # The usual case, a legal int, needs no further check.
            if type(action) is not int or not first <= action < end:
                action = seat.check_action(action)
                if not first <= action < end:
                    masked[seat.name] = action
                    action = first
            chosen.append((seat.index, action))
        ended = session.advance(chosen)
        observations, rewards, infos = session.outputs()
        if masked and session.infos in ("nested", "flat"):
            for name, action in masked.items():
                infos[name]["masked_action"] = action
        if ended and self.render_mode is not None:
            self._record_round()
        over = session.over
        if over:
            self.agents = []
        return (
            observations,
            rewards if ended else dict.fromkeys(names, 0.0),
            dict.fromkeys(names, False),
            dict.fromkeys(names, over),
            infos,
        )


class MarketAECEnv(_MarketView, AECEnv):  # type: ignore[misc]
    """Acting seats one after the other; a phase is played when its last seat has chosen.

    Attributes:
        agent_selection: the seat that acts next.
        rewards: of the round that the last step ended; 0 after other steps.
        terminations: all False.
        truncations: True once the episode has ended.
        infos: by seat name.
    """

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin the next episode; with a seed, episode 0 of that seed.

        Raises:
            ValueError: a seed below 0.
        """
        self.session.reset(seed)
        self.agents = list(self.possible_agents)
        self.last_round = ""
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._skip_agent_selection: str | None = None
        self._begin_phase()

    def _begin_phase(self) -> dict[str, float]:
        """Fill infos and the queue of acting seats; returns the last finished round's rewards."""
        session = self.session
        _, rewards, self.infos = session.outputs()
        self._waiting: list[SeatView] = list(session.acting[session.engine.phase])
        self._chosen: list[tuple[int, int]] = []
        self.agent_selection = self._waiting[0].name
        return rewards

    def observe(self, agent: str) -> NDArray[Any]:
        """What a seat sees now, int64 `[parts]` or float32 `[width]`.

        Raises:
            ValueError: before the first `reset`.
        """
        self._check_begun("observe()")
        return self.session.views[self.session.by_name[agent].index].shown.copy()

    def last(
        self, observe: bool = True
    ) -> tuple[NDArray[Any] | None, float, bool, bool, dict[str, Any]]:
        """What `agent_selection` sees, and what it earned since its last action.

        Returns:
            Observation int64 `[parts]` or float32 `[width]`, reward, terminated, truncated, info.
            The observation is None where `observe` is False.

        Raises:
            ValueError: before the first `reset`.
        """
        self._check_begun("last()")
        shown: tuple[NDArray[Any] | None, float, bool, bool, dict[str, Any]] = super().last(observe)
        return shown

    def step(self, action: Any) -> None:
        """Take the action of `agent_selection`; None once the episode has ended.

        Raises:
            ValueError: the action is masked or outside the space, or no episode runs. Nothing has
                moved then.
        """
        if not self.agents:
            raise ValueError(self._no_episode("step()"))
        agent = self.agent_selection
        if self.truncations[agent]:
            self._was_dead_step(action)
            return
        session, seat = self.session, self._waiting[0]
        index, view = seat.check_action(action), self.session.views[seat.index]
        if not view.first <= index < view.end:
            raise ValueError(
                f"{agent}: action {index} is masked; legal are {view.first} .. {view.end - 1}"
            )
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._chosen.append((seat.index, index))
        self._waiting.pop(0)
        if self._waiting:
            self.agent_selection = self._waiting[0].name
            return
        ended = session.advance(self._chosen)
        rewards = self._begin_phase()
        if ended:
            self.rewards = rewards
            self._accumulate_rewards()
            self._record_round()
            if session.over:
                self.truncations = dict.fromkeys(self.agents, True)
                self.agent_selection = self.agents[0]


def make_parallel(name: str, **kwargs: Any) -> MarketParallelEnv:
    """A parallel env: `make_parallel("ad_auction", market={...}, kpi={...})`.

    Raises:
        ConfigError: mistakes in the market's keys or the KPI table.
        ValueError: mistakes in the other arguments.
    """
    return MarketParallelEnv(make_market(name, kwargs.pop("market", None)), **kwargs)


def make_raw_aec(name: str, **kwargs: Any) -> MarketAECEnv:
    """An AEC env without wrappers; arguments and errors as of `make_parallel`."""
    return MarketAECEnv(make_market(name, kwargs.pop("market", None)), **kwargs)


def make_aec(name: str, **kwargs: Any) -> AECEnv:
    """An AEC env in PettingZoo's usual wrappers; arguments and errors as of `make_parallel`."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(make_raw_aec(name, **kwargs)))
