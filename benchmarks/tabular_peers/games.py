"""The games of the comparison, and tacit's learners in them.

Pricing is `calvano_baseline`; the auctions are arms of `volatility_kpi`, the experiment of the
demo. A session is one seed's whole training, from the first round on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tacit.agents.tabular.arrays import EXPLORATION_KEYS, NATURE_KEYS
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.group import TabularGroup
from tacit.envs import kpi
from tacit.envs.market import Market
from tacit.envs.registry import make_market

LookUp = Literal["always", "never"]
PRICING = QLearningConfig(learning_rate=0.15, discount=0.95, epsilon_decay=4e-6, stop_after=100_000)
BIDDING = QLearningConfig(initial_q=(9.9, 10.1))


@dataclass(frozen=True)
class Game:
    """A game of two seats that learn alike.

    Attributes:
        name: in the table.
        market: its name.
        rounds: of a session, at most.
        agent: both learners.
        keys: of the market.
        weight: of `price_change` in the bidders' KPI; None: the market's own KPI.
    """

    name: str
    market: str
    rounds: int
    agent: QLearningConfig
    keys: Mapping[str, Any] = field(default_factory=dict)
    weight: float | None = None

    def make(self) -> tuple[Market, kpi.KpiTable]:
        """The market and its KPI. Groups that share both share a transition table."""
        market = make_market(self.market, self.keys)
        if self.weight is None:
            return market, kpi.resolve(market, None)
        terms = {"profit": 1.0, "price_change": self.weight}
        return market, kpi.resolve(market, {market.roles[0].name: terms})

    @property
    def sees(self) -> bool:
        """Whether bidders see the last price."""
        return self.keys.get("observe") == "price"

    @property
    def mix(self) -> float:
        """1 in a first-price auction, 0 in a second-price one."""
        return float(self.keys.get("price_mix", 0.0))


def _arm(name: str, weight: float, **keys: Any) -> Game:
    rounds = 2_000_000 if "observe" in keys else 600_000
    return Game(name, "ad_auction", rounds, BIDDING, keys, weight)


GAMES = (
    Game("pricing", "cloud_bandwidth", 5_000_000, PRICING),
    _arm("second_0", 0.0),
    _arm("second_1", -1.0),
    _arm("first_0", 0.0, price_mix=1),
    _arm("first_1", -1.0, price_mix=1),
    _arm("seen_0", 0.0, observe="price"),
    _arm("seen_1", -1.0, observe="price"),
)


def group(
    game: Game, made: tuple[Market, kpi.KpiTable], seed: int, look_up: LookUp
) -> TabularGroup:
    """tacit's learners of one session, before the first round."""
    market, table = made
    each = TabularGroup(market, table, {seat.name: game.agent for seat in market.seats}, seed)
    each.look_up = look_up
    return each


def q_values(each: TabularGroup) -> NDArray[np.float64]:
    """Both seats' Q values, `[2, O, A]`."""
    role = each.market.roles[0]
    return each.seed_state.q_arrays.q.reshape(2, role.observations, role.actions).copy()


def first_observation(each: TabularGroup) -> int:
    """What both seats see before the first round."""
    return int(each.rows.observations[0, 0])


def episode_keys(each: TabularGroup) -> NDArray[np.uint64]:
    """Keys of the first episode: both seats' and nature's, uint64 `[3]`, from tacit's streams."""
    keys = each.seed_state.episode_keys  # filled by the first call of `run`
    return np.array([keys[EXPLORATION_KEYS, 0], keys[EXPLORATION_KEYS, 0], keys[NATURE_KEYS, 0]])


def greedy_price(game: Game, q: NDArray[np.float64], observation: int) -> float:
    """The mean price, as a step of the grid, of 200 greedy rounds; ties at auction change none.

    Args:
        game: the game.
        q: both seats' Q values, `[2, O, A]`.
        observation: what both see first.
    """
    greedy, prices = q.argmax(axis=2), []
    for _ in range(200):
        one, two = (int(x) for x in greedy[:, observation])
        if game.market == "cloud_bandwidth":
            prices.append((one + two) / 2)
            observation = one * q.shape[2] + two
        else:
            prices.append(max(one, two) if game.mix else min(one, two))
            observation = prices[-1] + 1 if game.sees else 0
    return float(np.mean(prices))
