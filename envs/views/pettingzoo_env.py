"""PettingZoo views of one copy: `MarketParallelEnv` and `MarketAECEnv`.

In the parallel view a step is a phase; idle seats may only wait and what they send is ignored; a
masked action of an acting seat becomes its first legal one and is named in
`infos[seat]["masked_action"]` (samplers that know no mask stay usable). The AEC view visits only
acting seats and refuses masked actions. Both agree on state and measures at every round's end.

Observations are `MultiDiscrete` (the phase, then every part the role ever sees), actions
`Discrete`: the column of the policy table. Rewards are paid when a round ends. Episodes end by
truncation after `episode_rounds` rounds; a reset without a seed goes on with the next episode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from tacit.envs.market import Market
from tacit.envs.registry import make_market

from .session import Session

Observation = NDArray[np.int64]


class _View:
    """What both views share: spaces, names, rendering."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "human"]}

    def __init__(
        self,
        market: Market,
        kpi: Mapping[str, Any] | None = None,
        episode_rounds: int | None = 100,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi", "human"):
            raise ValueError(f"render_mode must be None, 'ansi' or 'human', got {render_mode!r}")
        self.session = Session(market, kpi, episode_rounds, render_mode is not None)
        self.market = market
        self.render_mode = render_mode
        self.metadata = {  # type: ignore[misc]
            **_View.metadata,
            "name": f"{market.name}_v{market.version}",
            "is_parallelizable": True,
        }
        self.possible_agents = [chair.name for chair in self.session.chairs]
        self.agents: list[str] = []
        self.last_round = ""

    def observation_space(self, agent: str) -> MultiDiscrete:
        return self.session.by_name[agent].observation_space

    def action_space(self, agent: str) -> Discrete:
        return self.session.by_name[agent].action_space

    def decode_action(self, agent: str, action: int) -> dict[str, Any]:
        """`decode_action("bidder_0", 7)` is `{"bid": 0.4}`."""
        return self.session.decode_action(agent, action)

    def encode_action(self, agent: str, parts: Mapping[str, Any]) -> int:
        """`encode_action("bidder_0", {"bid": 0.4})` is 7."""
        return self.session.encode_action(agent, parts)

    def decode_observation(self, agent: str, observation: Observation) -> dict[str, Any]:
        """The observation's parts by name."""
        return self.session.decode_observation(agent, observation)

    def state(self) -> NDArray[np.float64]:
        """The market's own row, float64 [W]: a global view, with what no seat sees."""
        state: NDArray[np.float64] = self.session.engine.rows.state[0].copy()
        return state

    def render(self) -> str | None:
        """The last finished round in words; mode "human" has printed it when it ended."""
        return self.last_round if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _round_ended(self) -> None:
        if self.render_mode is not None:
            self.last_round = self.session.transcript()
            if self.render_mode == "human":
                print(self.last_round)


class MarketParallelEnv(_View, ParallelEnv):  # type: ignore[misc]
    """All seats at once, one phase a step."""

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        self.session.reset(seed)
        self.agents = list(self.possible_agents)
        self.last_round = ""
        observations, _, infos = self.session.reading()
        return observations, infos

    def step(self, actions: Mapping[str, Any]) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:  # fmt: skip
        session, names = self.session, self.possible_agents
        if not self.agents:
            raise ValueError("step() after the end of an episode: call reset() first")
        chosen, masked = [], {}
        for chair in session.acting[session.engine.phase]:
            try:
                action = actions[chair.name]
            except KeyError:
                raise ValueError(
                    f"{chair.name} acts in this phase: its action is missing"
                ) from None
            _, _, first, end = session.sights[chair.index]
            if type(action) is not int or not first <= action < end:
                action = chair.check(action)
                if not first <= action < end:
                    masked[chair.name] = action
                    action = first
            chosen.append((chair.index, action))
        ended = session.advance(chosen)
        observations, rewards, infos = session.reading()
        if masked:
            for name, action in masked.items():
                infos[name]["masked_action"] = action
        if ended and self.render_mode is not None:
            self._round_ended()
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


class MarketAECEnv(_View, AECEnv):  # type: ignore[misc]
    """Acting seats one after the other; a phase is played when its last seat has chosen."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
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
        """Fill infos and the queue of acting seats; returns the finished round's rewards."""
        session = self.session
        _, rewards, self.infos = session.reading()
        self._waiting = list(session.acting[session.engine.phase])
        self._chosen: list[tuple[int, int]] = []
        self.agent_selection = self._waiting[0].name
        return rewards

    def observe(self, agent: str) -> Observation:
        return self.session.sights[self.session.by_name[agent].index].digits.copy()

    def step(self, action: Any) -> None:
        if not self.agents:
            raise ValueError("step() after the end of an episode: call reset() first")
        agent = self.agent_selection
        if self.truncations[agent]:
            self._was_dead_step(action)
            return
        session, chair = self.session, self._waiting[0]
        index, sight = chair.check(action), self.session.sights[chair.index]
        if not sight.first <= index < sight.end:
            raise ValueError(
                f"{agent}: action {index} is masked; legal are {sight.first} .. {sight.end - 1}"
            )
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._chosen.append((chair.index, index))
        self._waiting.pop(0)
        if self._waiting:
            self.agent_selection = self._waiting[0].name
            return
        ended = session.advance(self._chosen)
        rewards = self._begin_phase()
        if ended:
            self.rewards = rewards
            self._accumulate_rewards()
            self._round_ended()
            if session.over:
                self.truncations = dict.fromkeys(self.agents, True)
                self.agent_selection = self.agents[0]


def make_parallel(name: str, **kwargs: Any) -> MarketParallelEnv:
    """A parallel env: `make_parallel("ad_auction", market={...}, kpi={...})`."""
    return MarketParallelEnv(make_market(name, kwargs.pop("market", None)), **kwargs)


def make_raw_aec(name: str, **kwargs: Any) -> MarketAECEnv:
    """An AEC env without wrappers."""
    return MarketAECEnv(make_market(name, kwargs.pop("market", None)), **kwargs)


def make_aec(name: str, **kwargs: Any) -> AECEnv:
    """An AEC env in PettingZoo's usual wrappers."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(make_raw_aec(name, **kwargs)))
