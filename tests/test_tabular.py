"""The compiled Q-learning loop against a slow one, written from the formulas and fed alike."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from tacit.agents.policy import uniform
from tacit.agents.q_learning import QLearningConfig
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular import TabularGroup
from tacit.envs import kpi, rng
from tacit.envs.engine import Engine
from tacit.envs.market import Market
from tacit.envs.registry import make_market

SEED = 6
KPI = {"bidder": {"profit": 1.0, "price_change": -0.5}}
Q = QLearningConfig


class SlowGroup:
    """Q(o, a) += alpha [R + discount^k max Q(o', .) - Q(o, a)] at every seat's next own decision.

    o' is met k rounds later, R is what was earned in between. Actions come from the same draws as
    in the compiled loop: one u a decision, below epsilon it names the random action as well.
    """

    def __init__(self, market: Market, configs, q, copies: int = 1, episode_rounds: int = 0):
        self.market, self.configs, self.q, self.length = market, configs, q, episode_rounds
        self.engine = Engine(market, kpi.resolve(market, KPI), seeds=[SEED], copies=copies)
        self.engine.reset()
        self.owed: dict[tuple[int, int], list] = {}  # (copy, seat): [o, a, t, R]
        self.measures, self.t = np.zeros_like(self.engine.measures[0]), 0

    def legal(self, s: int, o: int) -> range:
        first, count = self.market.seats[s].role.legal[o].tolist()
        return range(first, first + count)

    def deciders(self, r: int) -> list[int]:
        """Seats with at least two legal actions in this phase."""
        seen = self.engine.observations[r]
        return [s for s in range(len(seen)) if len(self.legal(s, seen[s])) > 1]

    def settle(self) -> None:
        for r in range(self.engine.copies):
            for s in self.deciders(r):
                if (r, s) in self.owed:
                    o, a, since, reward = self.owed.pop((r, s))
                    o2, c = self.engine.observations[r, s], self.configs[s]
                    best = max(self.q[s][o2, b] for b in self.legal(s, o2))
                    target = reward + c.discount ** (self.t - since) * best
                    self.q[s][o, a] += c.learning_rate * (target - self.q[s][o, a])

    def draw(self, r: int, s: int, stream: int) -> float:
        e = self.engine
        key = np.uint64(
            rng.moment(rng.copy_keys([SEED], r + 1, stream)[r], e.episode, e.round, e.phase)
        )
        return rng.u(key, s)

    def choose(self, r: int, s: int, stream: int) -> int:
        o, c = self.engine.observations[r, s], self.configs[s]
        legal = self.legal(s, o)
        if isinstance(c, ScriptedConfig):
            shares = np.cumsum(uniform(self.market.seats[s].role)[o])
            return min(int((self.draw(r, s, rng.ACTION) >= shares).sum()), legal[-1])
        u, values = self.draw(r, s, stream), [self.q[s][o, a] for a in legal]
        if c.exploration == "boltzmann":
            heat = c.temperature * exp(-c.temperature_decay * self.t)
            odds = np.exp((np.array(values) - max(values)) / heat)
            return legal[min(int((u >= np.cumsum(odds / odds.sum())).sum()), len(legal) - 1)]
        decayed = c.epsilon * exp(-c.epsilon_decay * self.t)
        epsilon = {"none": 0.0, "constant": c.epsilon}.get(
            c.exploration, max(c.epsilon_min, decayed)
        )
        if u < epsilon:
            return legal[int(u / epsilon * len(legal))]
        best = [a for a, v in zip(legal, values, strict=True) if v == max(values)]
        rest = (u - epsilon) / (1 - epsilon)
        return best[int(rest * len(best))] if c.tie_break == "random" else best[0]

    def synchronous(self, r: int, s: int, actions: np.ndarray) -> None:
        """All own actions, each tried against the rivals' actual ones with the same luck."""
        o, c, e = self.engine.observations[r, s], self.configs[s], self.engine
        targets, before = {}, e.get_state()
        for a in self.legal(s, o):
            tried = actions.copy()
            tried[r, s] = a
            e.step(tried)
            o2 = e.observations[r, s]
            best = max(self.q[s][o2, b] for b in self.legal(s, o2))
            targets[a] = e.rewards[r, s] + c.discount * best
            e.set_state(before)
        for a, target in targets.items():
            self.q[s][o, a] += c.learning_rate * (target - self.q[s][o, a])

    def phase(self, stream: int) -> None:
        self.settle()
        seen = self.engine.observations
        actions = np.array([[self.legal(s, o)[0] for s, o in enumerate(row)] for row in seen])
        for r in range(self.engine.copies):
            for s in self.deciders(r):
                actions[r, s] = self.choose(r, s, stream)
            for s in self.deciders(r):
                c = self.configs[s]
                if isinstance(c, Q) and c.update == "synchronous":
                    self.synchronous(r, s, actions)
                elif isinstance(c, Q):
                    self.owed[r, s] = [seen[r, s], actions[r, s], self.t, 0.0]
        self.engine.step(actions)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            for _phase in self.market.phases:
                self.phase(rng.EXPLORATION)
            for (r, s), memory in self.owed.items():
                memory[3] += self.engine.rewards[r, s]
            self.measures += self.engine.measures.sum(axis=0)
            self.t += 1
            if self.engine.round == self.length:
                self.truncate()

    def truncate(self) -> None:
        """One more round, unpaid, until everybody has met its next decision; then a new episode."""
        for _phase in self.market.phases:
            self.phase(rng.LOOKAHEAD)
        self.owed.clear()
        self.engine.reset()


def decaying(**keys) -> Q:
    return Q(epsilon_decay=0.01, epsilon_min=0.05, **keys)


PUBLISHER = {"publisher": True, "bids": 4, "observe": "price"}
CASES = {
    "exponential": ({"observe": "price", "bids": 5}, [decaying()], {}),
    "constant": ({"observe": "bids", "bids": 3}, [Q(exploration="constant", epsilon=0.3)], {}),
    "greedy": ({"observe": "bids", "bids": 3}, [Q(exploration="none", initial_q=(0, 9))], {}),
    "boltzmann": (
        {"observe": "price", "bids": 5, "bidders": 3},
        [Q(exploration="boltzmann", temperature=0.5, temperature_decay=0.01, initial_q=0.3)],
        {},
    ),
    "random ties": (
        {"observe": "price", "bids": 5},
        [decaying(tie_break="random", initial_q=0, discount=0)],
        {"copies": 2},
    ),
    "synchronous": (
        {"observe": "price", "bids": 4},
        [decaying(update="synchronous", learning_rate=0.3)],
        {"copies": 2},
    ),
    "synchronous random ties": (
        {"bids": 4, "price_mix": 1.0},
        [decaying(update="synchronous", tie_break="random", initial_q=0)],
        {},
    ),
    "one of each": (
        {"observe": "bids", "bids": 3, "bidders": 3},
        [decaying(update="synchronous"), decaying(discount=0.5), ScriptedConfig(rule="random")],
        {"copies": 3},
    ),
    "publisher": (PUBLISHER, [decaying()], {"copies": 2}),
    "publisher beside a scripted bidder": (
        PUBLISHER,
        [decaying(discount=0.9), ScriptedConfig(rule="random"), decaying(learning_rate=0.5)],
        {},
    ),
    "episodes": ({"observe": "price", "bids": 5}, [decaying()], {"episode_rounds": 7}),
    "publisher's episodes": (PUBLISHER, [decaying()], {"episode_rounds": 5, "copies": 2}),
    "short episodes": ({"observe": "bids", "bids": 3}, [decaying()], {"episode_rounds": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_compiled_loop_equals_a_slow_one(case):
    config, configs, keys = CASES[case]
    market = make_market("ad_auction", config)
    configs = configs * len(market.seats) if len(configs) == 1 else configs
    named = {seat.name: c for seat, c in zip(market.seats, configs, strict=True)}
    fast = TabularGroup(market, kpi.resolve(market, KPI), named, SEED, **keys)
    shapes = [(s.role.observations, s.role.actions) for s in market.seats]
    ends = np.cumsum([o * a for o, a in shapes])[:-1]
    q = [part.reshape(s).copy() for part, s in zip(np.split(fast.pop.q, ends), shapes, strict=True)]
    slow = SlowGroup(market, configs, q, **keys)
    slow.run(300)
    assert fast.run(300) == 300
    np.testing.assert_allclose(fast.pop.q, np.concatenate([x.ravel() for x in q]), rtol=1e-12)
    mean = slow.measures / 300 / slow.engine.copies
    np.testing.assert_allclose(fast.read()[0], mean, rtol=1e-9, atol=1e-12)
