"""The yardstick: the two-bidder common-value auction as a hand-written PettingZoo ParallelEnv.

Plain Python numbers, no tacit machinery except the draw of a tie, so that it plays the very same
rounds: `tests/benchmarks/test_plain.py` holds it to the engine's trajectory. It gives the same
observations,
rewards, measures and masks as `ad_auction_v0.parallel_env(market={"observe": "bids"})`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete
from pettingzoo import ParallelEnv

from tacit.envs import rng


class PlainAuction(ParallelEnv):  # type: ignore[misc]
    """Second price (`price_mix` 0) up to first price (1), `observe: bids`, KPI profit."""

    metadata = {"name": "plain_auction_v0"}  # noqa: RUF012
    render_mode = None

    def __init__(
        self, bidders: int = 2, bids: int = 19, price_mix: float = 0.0, episode_rounds: int = 100
    ) -> None:
        self.possible_agents = [f"bidder_{i}" for i in range(bidders)]
        self.agents: list[str] = []
        self.n, self.bids, self.mix, self.episode_rounds = bidders, bids, price_mix, episode_rounds
        digits = [1, 1, *[bids + 1] * bidders]
        self._observation_spaces = {a: MultiDiscrete(digits) for a in self.possible_agents}
        self._action_spaces = {a: Discrete(bids) for a in self.possible_agents}
        self.mask = np.ones(bids, np.int8)
        self.grid = [(k + 1) / (bids + 1) for k in range(bids)]
        self.seed, self.episode = 0, -1
        self.price: float | None = None

    def observation_space(self, agent: str) -> MultiDiscrete:
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        if seed is not None:
            self.seed, self.episode = seed, -1
        self.episode += 1
        self.key = rng.copy_keys([self.seed], 1, rng.NATURE)[0]
        self.agents = list(self.possible_agents)
        self.round, self.price = 0, None
        observation = [0] * (2 + self.n)
        return {a: np.array(observation) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        agents, grid = self.agents, self.grid
        if not agents:
            raise ValueError("step() after the end of an episode: call reset() first")
        chosen = [actions[a] for a in agents]
        best = max(chosen)
        tied = [i for i, k in enumerate(chosen) if k == best]
        winner = tied[0]
        if len(tied) > 1:
            moment = np.uint64(rng.moment(self.key, self.episode, self.round, 0))
            winner = tied[int(rng.below(moment, 0, len(tied)))]
        losing = max(grid[k] for i, k in enumerate(chosen) if i != winner)
        price = self.mix * grid[best] + (1.0 - self.mix) * losing
        change = 0.0 if self.price is None else abs(price - self.price)
        self.price = price
        self.round += 1
        over = self.round >= self.episode_rounds
        observation = [0, 0, *[k + 1 for k in chosen]]
        observations, rewards, infos = {}, {}, {}
        for i, agent in enumerate(agents):
            won = i == winner
            profit = 1.0 - price if won else 0.0
            rewards[agent] = profit
            observations[agent] = np.array(observation)
            measures = {
                "profit": profit,
                "win": 1.0 if won else 0.0,
                "spend": price if won else 0.0,
                "bid": grid[chosen[i]],
                "shading": 1.0 - grid[chosen[i]],
                "price_change": change,
                "clearing_price": price,
            }
            kpi = {"profit": profit}
            infos[agent] = {"measures": measures, "kpi": kpi, "action_mask": self.mask}
        terminations = dict.fromkeys(agents, False)
        truncations = dict.fromkeys(agents, over)
        if over:
            self.agents = []
        return observations, rewards, terminations, truncations, infos
