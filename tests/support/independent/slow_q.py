"""Learning of tables written a second time, slowly, from formulas: compiled loops must equal it."""

from __future__ import annotations

from math import exp

import numpy as np

from tacit.agents.policy import uniform
from tacit.agents.scripted import ScriptedConfig
from tacit.agents.tabular.config import QLearningConfig
from tacit.agents.tabular.multiplicative_weights import MultiplicativeWeightsConfig
from tacit.envs import kpi, rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

SEED = 6
KPI = {"ad_auction": {"bidder": {"profit": 1.0, "price_change": -0.5}}, "errand": None}


class SlowGroup:
    """Q(o, a) += alpha [R + discount^k max Q(o', .) - Q(o, a)] at every seat's next own decision.

    o' is met k rounds later, R is what was earned in between. Actions come from the same draws as
    in the compiled loop: one u a decision, below epsilon it names the random action as well.
    Multiplicative weights: `q` holds the logarithms of the weights.
    """

    def __init__(self, market: Market, configs, q, copies: int = 1, episode_rounds: int = 0):
        self.market, self.configs, self.q, self.length = market, configs, q, episode_rounds
        table = kpi.resolve(market, KPI[market.name])
        self.engine = Engine(market, table, seeds=[SEED], copies=copies)
        self.engine.reset()
        self.pending: dict[tuple[int, int], list] = {}  # (copy, seat): [o, a, t, R]
        self.measures, self.t = np.zeros_like(self.engine.measures[0]), 0

    def legal(self, s: int, o: int) -> range:
        first, count = self.market.seats[s].role.legal[o].tolist()
        return range(first, first + count)

    def deciders(self, r: int) -> list[int]:
        """Seats with at least two legal actions in this phase."""
        observations = self.engine.observations[r]
        return [s for s, o in enumerate(observations) if len(self.legal(s, o)) > 1]

    def td_update(self) -> None:
        for r in range(self.engine.copies):
            for s in self.deciders(r):
                if (r, s) in self.pending:
                    o, a, since, reward = self.pending.pop((r, s))
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
            cumulative = np.cumsum(uniform(self.market.seats[s].role)[o])
            return min(int((self.draw(r, s, rng.ACTION) >= cumulative).sum()), legal[-1])
        u, values = self.draw(r, s, stream), [self.q[s][o, a] for a in legal]
        hedges = isinstance(c, MultiplicativeWeightsConfig)
        if hedges or c.exploration == "boltzmann":
            heat = 1.0 if hedges else c.temperature * exp(-c.temperature_decay * self.t)
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
            targets[a] = e.rewards[r, s] + getattr(c, "discount", 0.0) * best
            e.set_state(before)
        for a, target in targets.items():
            if isinstance(c, MultiplicativeWeightsConfig):
                self.q[s][o, a] += c.learning_rate * target
                continue
            self.q[s][o, a] += c.learning_rate * (target - self.q[s][o, a])

    def phase(self, stream: int) -> None:
        self.td_update()
        observations = self.engine.observations
        actions = np.array(
            [[self.legal(s, o)[0] for s, o in enumerate(row)] for row in observations]
        )
        for r in range(self.engine.copies):
            for s in self.deciders(r):
                actions[r, s] = self.choose(r, s, stream)
            for s in self.deciders(r):
                c = self.configs[s]
                if isinstance(c, MultiplicativeWeightsConfig) or (
                    isinstance(c, QLearningConfig) and c.update == "synchronous"
                ):
                    if stream == rng.EXPLORATION:  # nothing is learned from the look ahead
                        self.synchronous(r, s, actions)
                elif isinstance(c, QLearningConfig):
                    self.pending[r, s] = [observations[r, s], actions[r, s], self.t, 0.0]
        self.engine.step(actions)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            for _phase in self.market.phases:
                self.phase(rng.EXPLORATION)
            for (r, s), decision in self.pending.items():
                decision[3] += self.engine.rewards[r, s]
            self.measures += self.engine.measures.sum(axis=0)
            self.t += 1
            if self.engine.round == self.length:
                self.truncate()

    def truncate(self) -> None:
        """One more round whose rewards do not count, so that all seats reach their next decisions;
        then a new episode. What is decided in that round is not learned from.
        """
        for _phase in self.market.phases:
            self.phase(rng.LOOKAHEAD)
            self.pending = {key: own for key, own in self.pending.items() if own[2] < self.t}
        self.pending.clear()
        self.engine.reset()
